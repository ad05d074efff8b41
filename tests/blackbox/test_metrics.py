"""What a monitoring system sees of lpaliasd: /metrics, /healthz and /readyz, and that nobody who reads
them can hold up lookups."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, TARGETS, World, program, tcp_ask, why_not
from mail_sink import free_port
from raw_client import RawClient
from service_manager import ServiceManager
from status_client import get, scrape, scrape_fresh, wait_until
from recording_map import netstring

MAPS = ["alias", "domain", "recipient", "sender", "access"]
# Found, absent and one that cannot be told in most maps; and a key that no map can hold.
KEYS = ["jdoe@ubuntu.com", "jdoe+tag@ubuntu.com", "nobody@ubuntu.com", "filler-a@ubuntu.com",
        "pending@ubuntu.com", "postmaster@ubuntu.com", "nobody@kubuntu.org", "pending@kubuntu.org",
        "ubuntu.com", "foreign.example", "jdoe@foreign.example", "big@ubuntu.com", ""]
# Small enough for a socketmap reply, too large for a line of 4096 bytes.
BIG = [f"{'x' * 40}{number}@{'y' * 40}.target.example" for number in range(50)]
STATUS_CONNECTIONS = 8


def why_not_here():
    """What keeps these tests from running, or None."""
    if importlib.util.find_spec("prometheus_client") is None:
        return "python3-prometheus-client is not installed"
    return why_not()


def lookups(metrics):
    """{(protocol, map, outcome): count}"""
    return {tuple(dict(key[1:])[name] for name in ("protocol", "map", "outcome")): int(value)
            for key, value in metrics.items() if key[0] == "lpalias_lookups_total"}


class MetricsCase(unittest.TestCase):
    """A World whose server has a metrics listener."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.metrics = os.path.join(self.world.directory, "metrics")
        self.listen(f"unix:{self.metrics}")

    def listen(self, address):
        self.world.server = [f'metrics = "{address}"']
        self.world.write_config()

    def assert_answers(self):
        self.assertEqual(self.world.ask("alias", "jdoe@foreign.example"), "NOTFOUND ")

    def page(self, path, method="GET"):
        return get(self.metrics, path, method)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Lookups(unittest.TestCase):
    """Each map over each protocol: the counters rise by exactly what was answered."""

    OUTCOMES = {"OK": "found", "NOTFOUND": "absent", "TEMP": "temporary", "PERM": "no_map",
                200: "found", 500: "absent", 400: "temporary"}

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.metrics = free_port()
        cls.policy = os.path.join(cls.world.directory, "policy")
        cls.ports = {name: free_port() for name in MAPS}
        cls.world.listeners = [
            f'socketmap = {{ "unix:{cls.world.socket_path}" }}',
            f'policy = {{ "unix:{cls.policy}" }}',
            *(f'tcp-table "inet:127.0.0.1:{port}" {{ map = {name} }}'
              for name, port in cls.ports.items())]
        cls.world.server = [f'metrics = "inet:127.0.0.1:{cls.metrics}"']
        cls.world.write_config()
        cls.world.fill()
        cls.world.import_static({"big@ubuntu.com": BIG})
        cls.world.lpalias("ban", "filler-a", "--reason", "a test")
        cls.world.start_server()

    def setUp(self):
        self.before = scrape_fresh(self.metrics)
        self.wanted = {}

    def expect(self, *key):
        self.wanted[key] = self.wanted.get(key, 0) + 1

    def check(self):
        after = scrape_fresh(self.metrics)
        before, now = lookups(self.before), lookups(after)
        self.assertEqual({key: now[key] - before[key] for key in now if now[key] != before[key]},
                         self.wanted)
        count = ("lpalias_lookup_duration_seconds_count",)
        self.assertEqual(after[count] - self.before[count], sum(self.wanted.values()))
        return after

    def test_socketmap(self):
        for name in [*MAPS, "Alias", "no-such-map"]:
            for key in KEYS:
                word = self.world.ask(name, key).partition(" ")[0]
                self.expect("socketmap", name if name in MAPS else "unknown", self.OUTCOMES[word])
        self.check()
        for name in ("alias", "recipient"):
            for outcome in ("found", "absent", "temporary"):
                self.assertIn(("socketmap", name, outcome), self.wanted)

    def test_tcp_table(self):
        unsendable = ("lpalias_unsendable_replies_total",)
        for name in MAPS:
            for key in KEYS:
                if key != "":
                    code, _ = tcp_ask(self.ports[name], key)
                    self.expect("tcp_table", name, self.OUTCOMES[code])
        after = self.check()
        self.assertEqual(after[unsendable] - self.before[unsendable], 1)

    def test_what_asks_nothing(self):
        with RawClient(self.ports["alias"]) as client:
            client.ask(b"put jdoe@ubuntu.com x\n", b"500 \n")
        self.expect("tcp_table", "alias", "not_asked")
        with RawClient(self.policy) as client:
            client.ask(b"request=smtpd_access_policy\nprotocol_state=DATA\n\n", b"action=DUNNO\n\n")
        self.expect("policy", "access", "not_asked")
        self.check()

    def test_policy(self):
        for recipient, start, outcome in [
                ("jdoe@ubuntu.com", b"action=DUNNO", "absent"),
                ("pending@ubuntu.com", b"action=550 ", "found"),
                ("pending@kubuntu.org", b"action=DUNNO", "absent")]:
            with RawClient(self.policy) as client:
                client.send(b"request=smtpd_access_policy\nprotocol_state=RCPT\n"
                            b"recipient=" + recipient.encode() + b"\n\n")
                self.assertEqual(client.receive(len(start)), start)
            self.expect("policy", "access", outcome)
        self.check()

    def test_many_at_once_over_one_connection(self):
        question = netstring(b"alias jdoe@ubuntu.com")
        with RawClient(self.world.socket_path) as client:
            client.send(question * 1000)
            client.expect(netstring(b"OK jdoe@target.example") * 1000)
        self.wanted["socketmap", "alias", "found"] = 1000
        self.check()

    def test_the_buckets_of_the_histogram_add_up(self):
        self.world.ask("alias", "jdoe@ubuntu.com")
        metrics = scrape_fresh(self.metrics)
        buckets = sorted((float(key[1][1]), value) for key, value in metrics.items()
                         if key[0] == "lpalias_lookup_duration_seconds_bucket")
        counts = [count for _, count in buckets]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(buckets[-1], (float("inf"),
                                       metrics["lpalias_lookup_duration_seconds_count",]))
        self.assertGreater(metrics["lpalias_lookup_duration_seconds_sum",], 0)
        self.assertEqual(counts[-1], sum(lookups(metrics).values()))


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Pages(MetricsCase):
    """Paths and methods, sockets of both kinds, and what a page never holds."""

    def test_the_socket_is_like_the_others(self):
        self.world.start_server()
        self.assertEqual(stat.S_IMODE(os.stat(self.metrics).st_mode), 0o660)
        self.assertEqual(self.world.stop_server(), 0)
        self.assertFalse(os.path.exists(self.metrics))

    def test_inet_with_a_port_that_the_system_chooses(self):
        self.listen("inet:[::1]:0")
        self.world.start_server()
        port = int(re.search(r"metrics inet:\[::1\]:(\d+)", self.world.server_log())[1])
        with socket.create_connection(("::1", port), timeout=PATIENCE_S) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertTrue(client.makefile("rb").read().startswith(b"HTTP/1.0 200 OK\r\n"))

    def test_a_socket_that_was_handed_over(self):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.metrics)
            listening.listen()
            self.world.start_server(sockets=[listening])
            self.assertEqual(self.page("/healthz")[0], 200)
            self.assertEqual(self.world.stop_server(), 0)
            self.assertTrue(os.path.exists(self.metrics))

    def test_a_configuration_with_this_listener_only_is_refused(self):
        self.world.listeners = []
        self.world.write_config()
        done = subprocess.run([program("LPALIASD"), "-c", self.world.config_file], text=True,
                              capture_output=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 71)
        self.assertIn("no listener", done.stderr)

    def test_paths_and_methods(self):
        self.world.fill_static({"a@ubuntu.com": ["b@target.example"]})
        self.world.start_server()
        for method, path, status in [
                ("GET", "/metrics", 200), ("HEAD", "/metrics", 200), ("GET", "/metrics?x=y", 200),
                ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("HEAD", "/readyz", 200),
                ("GET", "/", 404), ("GET", "/metrics/x", 404), ("GET", "/../etc/passwd", 404),
                ("GET", "/%6detrics", 404), ("POST", "/", 404), ("POST", "/metrics", 405),
                ("DELETE", "/readyz", 405), ("OPTIONS", "/healthz", 405),
                ("FOO", "/metrics", 501)]:
            with self.subTest(method=method, path=path):
                got, body, headers = self.page(path, method)
                self.assertEqual(got, status)
                if method == "HEAD":
                    self.assertEqual(body, "")
                    self.assertGreater(int(headers["Content-Length"]), 0)
                if status == 405:
                    self.assertEqual(headers["Allow"], "GET, HEAD")
        for garbage in (b"GET\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\n",
                        b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
                        b"GET / HTTP/1.1\r\nHost: " + b"x" * 9000):
            with self.subTest(garbage=garbage[:20]), RawClient(self.metrics) as client:
                client.send(garbage)
                client.expect(b"HTTP/1.1 400 Bad Request\r\n")
        with RawClient(self.metrics) as client:
            client.send(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
            client.expect(b"HTTP/1.1 413 ")
        self.assert_answers()

    def test_one_connection_may_ask_often_and_in_pieces(self):
        self.world.start_server()
        with RawClient(self.metrics) as client:
            for _ in range(3):
                for byte in b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
                    client.send(bytes([byte]))
                client.expect(b"HTTP/1.1 200 OK\r\n")
                while not client.receive(1) == b"\n" or client.receive(2) != b"\r\n":
                    pass

    def test_no_personal_data(self):
        self.world.fill()
        self.world.start_server()
        for name in TARGETS:
            self.world.ask("alias", f"{name}@ubuntu.com")
        wait_until(self.metrics, lambda seen: ("lpalias_outbox_notices",) in seen, "it counted")
        pages = "".join(self.page(path)[1] for path in ("/metrics", "/healthz", "/readyz"))
        self.assertIn("lpalias_outbox_notices", pages)
        self.assertNotIn("@", pages)
        for name in (*TARGETS, "target.example", "filler", "operators.example"):
            self.assertIsNone(re.search(rf"\b{name}\b", pages), name)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Health(MetricsCase):
    """Whether lookups can be answered, why not, and that it is noticed when they can again."""

    def assert_ready(self):
        self.assertEqual(self.page("/readyz")[:2], (200, "ready\n"))
        self.assert_health("well")

    def assert_health(self, wanted):
        seen = scrape_fresh(self.metrics)
        self.assertEqual({state: seen["lpalias_cache_health", ("state", state)]
                          for state in ("well", "distrusted", "unreadable")},
                         {state: float(state == wanted)
                          for state in ("well", "distrusted", "unreadable")})

    def wait_for(self, wanted_status):
        """The body of /readyz when its status is that."""
        end = time.monotonic() + PATIENCE_S
        while True:
            status, body, _ = self.page("/readyz")
            if status == wanted_status:
                return body
            if time.monotonic() > end:
                self.fail(f"/readyz stays {status}: {body}")
            time.sleep(0.05)

    def check_trouble(self, reason, health):
        body = self.wait_for(503)
        self.assertRegex(body, reason)
        self.assertTrue(body.endswith("\n"))
        status, text, _ = self.page("/healthz")
        self.assertEqual(status, 200)
        self.assertIn(body, text)
        self.assert_health(health)

    def test_no_cache_yet(self):
        self.world.start_server()
        self.check_trouble("data.mdb", "unreadable")
        self.assertNotIn(("lpalias_cache_generation",), scrape_fresh(self.metrics))
        self.world.fill_static({"a@ubuntu.com": ["b@target.example"]})
        self.wait_for(200)
        self.assert_ready()
        self.assertEqual(self.world.ask("alias", "a@ubuntu.com"), "OK b@target.example")

    def test_the_cache_goes_away_and_comes_back(self):
        self.world.fill_static({"a@ubuntu.com": ["b@target.example"]})
        self.world.start_server()
        self.assert_ready()
        before = scrape_fresh(self.metrics)
        data = os.path.join(self.world.cache, "data.mdb")
        os.rename(data, data + ".away")
        self.check_trouble("data.mdb", "unreadable")
        self.assertEqual(self.world.ask("alias", "a@ubuntu.com").partition(" ")[0], "TEMP")
        self.assertEqual(lookups(scrape_fresh(self.metrics))["socketmap", "alias", "temporary"],
                         lookups(before)["socketmap", "alias", "temporary"] + 1)
        os.rename(data + ".away", data)
        self.wait_for(200)
        self.assert_ready()

    def test_the_key_file_goes_away_and_comes_back(self):
        self.world.fill_static({"a@ubuntu.com": ["b@target.example"]})
        self.world.start_server()
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.check_trouble("keys", "unreadable")
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.wait_for(200)

    def test_an_older_cache_is_put_in_its_place(self):
        self.world.fill_static({"a@ubuntu.com": ["b@target.example"]})
        data = os.path.join(self.world.cache, "data.mdb")
        shutil.copy(data, data + ".old")
        self.world.import_static({"c@ubuntu.com": ["d@target.example"]})
        self.world.start_server()
        self.assert_ready()
        os.rename(data, data + ".new")
        os.rename(data + ".old", data)
        self.check_trouble("older cache", "distrusted")
        self.assertEqual(scrape_fresh(self.metrics)["lpalias_domain_open",
                                                    ("domain", "ubuntu.com")], 0)
        self.world.lpalias("domain", "open", "--yes", "ubuntu.com")
        self.wait_for(200)
        self.assert_ready()
        self.assertEqual(self.world.ask("alias", "c@ubuntu.com"), "NOTFOUND ")
        os.rename(data, data + ".old")
        os.rename(data + ".new", data)
        wait_until(self.metrics, lambda seen: self.world.ask("alias", "c@ubuntu.com").startswith("OK"), "trusted")
        self.wait_for(200)
        self.assertEqual(scrape_fresh(self.metrics)["lpalias_domain_open",
                                                    ("domain", "ubuntu.com")], 1)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Cache(MetricsCase):
    """What is said of domains, refreshes, the outbox and readers is what lpalias says."""

    def domain(self, seen, name):
        """{metric: value} of the samples with no label but that domain's."""
        return {key[0]: value for key, value in seen.items() if key[1:] == (("domain", name),)}

    def counted(self):
        """A scrape that is of the generation at hand."""
        return wait_until(self.metrics, lambda seen:
                          seen.get(("lpalias_cache_counted_generation",)) ==
                          seen.get(("lpalias_cache_generation",)) is not None,
                          "the count is of the generation that is served")

    def check_against_status(self):
        seen = self.counted()
        status = json.loads(self.world.lpalias("status", "--json", status=None).stdout)
        self.assertEqual(seen["lpalias_cache_generation",], status["generation"])
        self.assertEqual(seen["lpalias_cache_used_bytes",], status["used_bytes"])
        for row in status["domains"]:
            name = row["domain"]
            facts = self.domain(seen, name)
            self.assertEqual(facts["lpalias_domain_open"], float(row["standing"] == "open"))
            self.assertEqual(facts["lpalias_domain_configured"],
                             float(row["standing"] != "not configured"))
            self.assertEqual(facts["lpalias_refresh_last_requests"], row["requests"])
            self.assertEqual(facts["lpalias_refresh_last_retries"], row["retries"])
            self.assertEqual(facts["lpalias_refresh_last_duration_seconds"],
                             row["duration_ms"] / 1000)
            self.assertEqual(facts["lpalias_domain_frozen"], 0)
            for field in ("attempt", "success"):
                at_s = facts[f"lpalias_refresh_last_{field}_timestamp_seconds"]
                text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s)) if at_s else None
                self.assertEqual(text, row[f"last_{field}"])
            for outcome in ("applied", "unusable", "held", "failed"):
                key = ("lpalias_refresh_last_outcome", ("domain", name), ("outcome", outcome))
                self.assertEqual(seen[key], float(outcome == row["outcome"]))
            for state, count in row["states"].items():
                got = sum(seen.get(("lpalias_domain_aliases", ("domain", name), ("kind", kind),
                                    ("state", state)), 0) for kind in ("member", "extra"))
                self.assertEqual(got, count, (name, state))
            self.assertEqual(seen.get(("lpalias_domain_aliases", ("domain", name),
                                       ("kind", "static"), ("state", "active")), 0), row["static"])
        return seen

    def test_domains_as_they_change(self):
        self.world.fill()
        self.world.import_static({"press@ubuntu.com": ["press@target.example"]})
        self.world.start_server()
        seen = self.check_against_status()
        self.assertEqual(self.domain(seen, "kubuntu.org")["lpalias_domain_open"], 0)
        self.assertEqual(self.domain(seen, "ubuntu.com")["lpalias_domain_held"], 0)
        self.world.lpalias("domain", "open", "kubuntu.org", "--yes")
        self.world.lpalias("ban", "jdoe", "--reason", "a test")
        self.assertEqual(self.domain(self.check_against_status(), "kubuntu.org")
                         ["lpalias_domain_open"], 1)

    def test_a_held_change(self):
        self.world.fill()
        self.world.start_server()
        self.world.domains["ubuntu.com"] = "kubuntu-members"
        self.world.write_config()
        self.world.lpalias("refresh", status=3)
        facts = self.domain(self.check_against_status(), "ubuntu.com")
        self.assertEqual(facts["lpalias_domain_held"], 1)
        self.world.lpalias("plan", "discard", "ubuntu.com", status=None)
        facts = self.domain(scrape_fresh(self.metrics), "ubuntu.com")
        self.assertEqual(facts["lpalias_domain_held"], 0)

    def test_a_domain_that_is_configured_no_more_or_not_yet_filled(self):
        self.world.fill()
        del self.world.domains["lubuntu.me"]
        self.world.domains["new.example"] = "ubuntumembers"
        self.world.write_config()
        self.world.start_server()
        seen = self.check_against_status()
        self.assertEqual(self.domain(seen, "lubuntu.me")["lpalias_domain_configured"], 0)
        self.assertEqual(self.domain(seen, "lubuntu.me")["lpalias_domain_open"], 0)
        new = self.domain(seen, "new.example")
        self.assertEqual(new["lpalias_domain_open"], 0)
        self.assertEqual(new["lpalias_refresh_last_success_timestamp_seconds"], 0)

    def test_the_outbox(self):
        self.world.fill()
        self.world.start_server()
        seen = self.counted()
        self.assertGreater(seen["lpalias_outbox_notices",], 0)
        self.assertEqual(seen["lpalias_outbox_overdue_notices",], 0)
        oldest = seen["lpalias_outbox_oldest_timestamp_seconds",]
        self.assertTrue(time.time() - 600 < oldest <= time.time())

    def test_a_reader_that_stays_and_one_that_dies(self):
        """`lpalias list` with nobody to read what it prints holds its snapshot."""
        names = {f"{'n' * 40}{number}@ubuntu.com": ["b@target.example"] for number in range(2000)}
        self.world.fill_static(names)
        self.world.start_server()
        self.assertEqual(scrape_fresh(self.metrics)["lpalias_cache_readers",], 0)
        with subprocess.Popen(self.world.lpalias_command("list", "--json", is_wrapped=False),
                              stdout=subprocess.PIPE) as reader:
            try:
                self.assertEqual(len(reader.stdout.read(1)), 1)
                self.world.import_static({"c@ubuntu.com": ["d@target.example"]})
                wait_until(self.metrics, lambda seen: seen["lpalias_cache_readers",] == 1 and
                           seen["lpalias_cache_oldest_reader_age_seconds",] > 1,
                           "the reader is seen")
            finally:
                reader.kill()
        seen = wait_until(self.metrics, lambda seen: seen["lpalias_cache_readers",] == 0,
                          "it is cleared away")
        self.assertEqual(seen["lpalias_cache_stale_readers_total",], 1)
        self.assertEqual(seen["lpalias_cache_oldest_reader_age_seconds",], 0)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Watchdog(MetricsCase):
    """What the server asks itself for the service manager is no lookup."""

    def test_it_is_not_counted(self):
        manager = self.enterContext(ServiceManager(self.world.directory, 2))
        policy = os.path.join(self.world.directory, "policy")
        lookup = f'socketmap = {{ "unix:{self.world.socket_path}" }}'
        for listeners in ([lookup], [f'policy = {{ "unix:{policy}" }}', lookup]):
            self.world.listeners = listeners
            self.world.write_config()
            self.world.start_server()
            manager.wait_for("WATCHDOG=1", more_than=len(manager.told("WATCHDOG=1")) + 2)
            seen = scrape_fresh(self.metrics)
            self.world.stop_server()
            # One question of World.start_server().
            self.assertEqual(sum(lookups(seen).values()), 1, listeners)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Connections(MetricsCase):
    """Counters of connections, and scrapers that are slow, many or greedy."""

    def test_connections_are_counted(self):
        self.world.server.append("connection-limit = 2")
        self.world.write_config()
        self.world.start_server()
        before = scrape_fresh(self.metrics)
        clients = [RawClient(self.world.socket_path) for _ in range(3)]
        for client in clients:
            self.addCleanup(client.close)
        clients[0].expect_end()
        clients[1].send(b"x\n")
        clients[1].expect_end()
        after = scrape_fresh(self.metrics)
        self.assertEqual(after["lpalias_connections",], 1)
        self.assertEqual(after["lpalias_connections_limit",], 2)
        for key, rise in [(("lpalias_connections_evicted_total", ("reason", "limit")), 1),
                          (("lpalias_connections_evicted_total", ("reason", "descriptors")), 0),
                          (("lpalias_connections_bad_total",), 1),
                          (("lpalias_connections_timed_out_total",), 0)]:
            self.assertEqual(after[key] - before[key], rise, key)
        key = ("lpalias_connections_accepted_total",
               ("listener", f"unix:{self.world.socket_path}"), ("protocol", "socketmap"))
        self.assertEqual(after[key] - before[key], 3)
        key = ("lpalias_connections_accepted_total",
               ("listener", f"unix:{self.metrics}"), ("protocol", "http"))
        self.assertEqual(after[key] - before[key], 1)  # that of the second scrape

    def test_silent_scrapers_are_dropped_for_new_ones(self):
        self.world.start_server()
        silent = [RawClient(self.metrics) for _ in range(STATUS_CONNECTIONS)]
        for client in silent:
            self.addCleanup(client.close)
            client.send(b"GET /met")
        self.assertEqual(self.page("/healthz")[0], 200)
        silent[0].expect_end()
        self.assert_answers()
        # Not one of them holds a place that Postfix could have.
        self.assertEqual(scrape_fresh(self.metrics)["lpalias_connections_evicted_total",
                                                    ("reason", "limit")], 0)

    def test_a_silent_scraper_is_cut(self):
        self.world.start_server()
        with RawClient(self.metrics) as client:
            client.send(b"GET /metrics HTTP/1.1\r\n")
            client.expect_end()

    def test_a_scraper_that_goes_on_slowly_for_ever_is_cut(self):
        self.world.start_server()
        with RawClient(self.metrics) as client:
            client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\nSlow: ")
            end = time.monotonic() + PATIENCE_S
            client.socket.settimeout(0.5)  # the pace of its bytes
            while time.monotonic() < end:
                with contextlib.suppress(BrokenPipeError):
                    client.send(b"y")
                with contextlib.suppress(TimeoutError):
                    self.assertEqual(client.receive(1), b"")
                    return
        self.fail("it is still connected")

    def test_a_flood_leaves_lookups_their_turn(self):
        """Scrapers that ask as fast as they can and read nothing, or ask and go."""
        self.world.fill()
        self.world.start_server()
        is_over = threading.Event()

        def flood(path):
            request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 50
            while not is_over.is_set():
                try:
                    with RawClient(self.metrics, timeout_s=1) as client:
                        for _ in range(20):
                            client.send(request)
                except OSError:
                    pass

        threads = [threading.Thread(target=flood, args=(path,)) for path in
                   ["/metrics", "/readyz", "/nothing"] * 4]
        for thread in threads:
            thread.start()
        try:
            with RawClient(self.world.socket_path) as client:
                for _ in range(500):
                    client.ask(netstring(b"alias jdoe@ubuntu.com"),
                               netstring(b"OK jdoe@target.example"))
            self.assertEqual(self.world.ask("alias", "kim@edubuntu.org"), "OK kim@target.example")
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.page("/readyz")[0], 200)

    def test_stopping_does_not_wait_for_scrapers(self):
        self.world.start_server()
        silent, slow, deaf = (RawClient(self.metrics) for _ in range(3))
        for client in (silent, slow, deaf):
            self.addCleanup(client.close)
        slow.send(b"GET /metrics HTTP/1.1\r\n")
        deaf.socket.settimeout(0.2)
        with contextlib.suppress(OSError):
            while True:  # until it is read no more, as the answers are not
                deaf.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.world.stop_server(), 0)
        for client in (silent, slow):
            client.expect_end()


if __name__ == "__main__":
    tap.main()
