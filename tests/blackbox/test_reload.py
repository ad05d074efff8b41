"""lpaliasd told to read its configuration again (SIGHUP), and to stop (SIGTERM) while others wait."""

import errno
import os
import re
import signal
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import lpalias_world
import tap
from asker import Asker
from lpalias_world import ALERTS, PATIENCE_S, World
from mail_sink import free_port
from postfix_instance import wait_for
from raw_client import RawClient
from recording_map import netstring
from service_manager import ServiceManager

TAKEN = "the configuration was read again"
REFUSED = "was not taken over; lpaliasd goes on as before"
FOREIGN = netstring(b"alias jdoe@foreign.example")
NOT_FOUND = netstring(b"NOTFOUND ")


def setUpModule():
    reason = lpalias_world.why_not()
    if reason:
        raise unittest.SkipTest(reason)


class ReloadCase(unittest.TestCase):
    """A filled World with a running server; ubuntu.com is open, kubuntu.org is not."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.addCleanup(self.stop)
        self.world.fill()
        self.world.start_server()

    def stop(self):
        """Ends well, which under a sanitizer means without a leak."""
        if self.world.process is not None:
            self.assertEqual(self.world.stop_server(), 0)

    def ask(self, address, name="alias"):
        return self.world.ask(name, address)

    def told(self, text):
        return self.world.server_log().count(text)

    def reload(self, wanted=TAKEN):
        """SIGHUP, and what the server wrote until it had decided, which must be what was wanted."""
        before = len(self.world.server_log())
        self.world.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any(text in self.world.server_log()[before:] for text in (TAKEN, REFUSED)),
                 PATIENCE_S, "the end of the reload")
        said = self.world.server_log()[before:]
        self.assertIn(wanted, said)
        return said

    def change(self, wanted=TAKEN, **attributes):
        """Another configuration, read by the server."""
        for name, value in attributes.items():
            setattr(self.world, name, value)
        self.world.write_config()
        return self.reload(wanted)


class Taken(ReloadCase):
    """What a running server takes over."""

    def test_roles_catch_all_delimiter_and_domains(self):
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK " + ALERTS)
        self.assertEqual(self.ask("nobody@ubuntu.com"), "NOTFOUND ")
        self.assertEqual(self.ask("new.example"), "NOTFOUND ")
        self.change(domains={**self.world.domains, "new.example": "ubuntumembers"},
                    domain_keys={"ubuntu.com": 'catch-all = "all@corp.example" '
                                 'role "abuse" { targets = "desk@corp.example" }'})
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK desk@corp.example")
        self.assertEqual(self.ask("nobody@ubuntu.com"), "OK all@corp.example")
        self.assertEqual(self.ask("new.example"), "OK new.example")
        self.assertTrue(self.ask("nobody@new.example").startswith("TEMP "))
        self.assertEqual(self.ask("jdoe+tag@ubuntu.com"), "OK jdoe+tag@target.example")
        self.change(server=[], domain_keys={})
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK " + ALERTS)
        self.assertEqual(self.ask("nobody@ubuntu.com"), "NOTFOUND ")

    def test_open_connections_stay_and_see_the_change(self):
        with RawClient(self.world.socket_path) as client, RawClient(self.world.tcp_port) as other:
            client.ask(FOREIGN, NOT_FOUND)
            other.ask(b"get abuse@ubuntu.com\n", b"200 " + ALERTS.encode() + b"\n")
            half = netstring(b"alias abuse@ubuntu.com")
            client.send(half[:9])
            self.change(domain_keys={"ubuntu.com": 'role "abuse" { targets = "desk@corp.example" }'})
            client.ask(half[9:], netstring(b"OK desk@corp.example"))
            other.ask(b"get abuse@ubuntu.com\n", b"200 desk@corp.example\n")

    def test_what_only_lpalias_uses_may_change(self):
        self.change(launchpad_lines=["concurrency = 2"], notify=['smtp = "smtp://127.0.0.1:2"'])

    def with_metrics(self):
        """A server with a metrics listener. Returns what reads its page."""
        self.assertEqual(self.world.stop_server(), 0)
        port = free_port()
        self.world.server = [f'metrics = "inet:127.0.0.1:{port}"']
        self.world.write_config()
        self.world.start_server()

        def page():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
                return answer.read().decode()
        return page

    def test_the_domains_of_the_metrics(self):
        page = self.with_metrics()

        def configured():
            return re.findall(r'lpalias_domain_configured\{domain="(.*)"\} 1\n', page())
        before = self.world.domains
        for domains in ({**before, "new.example": "ubuntumembers"}, before):
            self.change(domains=domains)
            # A page that is only just out of date may be shown again.
            wait_for(lambda: sorted(configured()) == sorted(domains), PATIENCE_S, "the domains")

    def test_the_count_of_reloads(self):
        """What the alert LpaliasReloadRefused watches."""
        page = self.with_metrics()
        metrics = self.world.server

        def reloads():
            """Taken, refused, and whether the last one was refused."""
            return tuple(int(re.search(rf"^lpalias_{name} (\d)$", page(), re.MULTILINE).group(1))
                         for name in ("reloads_total", "refused_reloads_total", "last_reload_refused"))
        self.assertEqual(reloads(), (0, 0, 0))
        for wanted, server, counted in [(TAKEN, [], (1, 0, 0)), (REFUSED, ["nonsense = 1"], (1, 1, 1)),
                                        (TAKEN, [], (2, 1, 0))]:
            self.change(wanted, server=[*metrics, *server])
            # A page that is only just out of date may be shown again.
            wait_for(lambda: reloads() == counted, PATIENCE_S, f"{counted} reloads")

    def test_the_log_level(self):
        """That of the file counts from the next line on, after a change by a signal, too."""
        def logs_lookups():
            before = self.told('msg="asked"')
            self.ask("jdoe@ubuntu.com")
            return self.told('msg="asked"') > before
        self.assertFalse(logs_lookups())
        self.change(server=['log-level = "debug"'])
        self.assertTrue(logs_lookups())
        self.change(server=[])
        self.assertFalse(logs_lookups())
        self.world.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.told("now=debug"), PATIENCE_S, "the signal")
        self.assertTrue(logs_lookups())
        self.reload()
        self.assertFalse(logs_lookups())
        self.assertEqual(self.world.stop_server(), 0)
        self.world.start_server(options=["-v"])
        self.reload()
        self.assertTrue(logs_lookups())

    def test_many_signals_under_questions(self):
        """Answered as ever by each of the two configurations, however many signals come."""
        keys = ["jdoe@ubuntu.com", "nobody@ubuntu.com", "abuse@ubuntu.com", "x@foreign.example",
                "nobody@kubuntu.org", "ubuntu.com"]
        with Asker(self.world.socket_path, "alias", keys) as asker:
            for i in range(20):
                self.change(domain_keys={"ubuntu.com": 'role "abuse" { targets = "desk@corp.example" }'}
                            if i % 2 == 0 else {})
                for _ in range(20):
                    self.world.process.send_signal(signal.SIGHUP)
                asker.wait_for_rounds(5)
        self.assertEqual(asker.answers, {
            "jdoe@ubuntu.com": {"OK jdoe@target.example"},
            "nobody@ubuntu.com": {"NOTFOUND "},
            "abuse@ubuntu.com": {"OK " + ALERTS, "OK desk@corp.example"},
            "x@foreign.example": {"NOTFOUND "},
            "nobody@kubuntu.org": {"TEMP lpalias cannot tell now"},
            "ubuntu.com": {"OK ubuntu.com"},
        })
        self.assertEqual(self.world.stop_server(), 0)
        self.assertNotIn("level=error", self.world.server_log())


class DomainsThatLeave(ReloadCase):
    """A domain of the cache is ours, whatever the configuration says."""

    def assert_served(self):
        self.assertEqual(self.ask("jdoe@ubuntu.com"), "OK jdoe@target.example")
        self.assert_ours()

    def assert_ours(self, domain="ubuntu.com"):
        self.assertTrue(self.ask("nobody@" + domain).startswith("TEMP "))
        self.assertEqual(self.ask(domain), "OK " + domain)

    def without(self, *names):
        return {name: team for name, team in self.world.domains.items() if name not in names}

    def test_it_is_served_and_the_log_says_so(self):
        before = self.world.domains
        said = self.change(domains=self.without("ubuntu.com"))
        self.assertIn("no domain of the configuration any more, but of the cache: ubuntu.com;", said)
        self.assert_served()
        self.assertNotIn("no domain of", self.change(domains=before))
        self.assertEqual(self.ask("nobody@ubuntu.com"), "NOTFOUND ")

    def test_one_that_the_cache_never_had_becomes_foreign(self):
        before = self.world.domains
        self.change(domains={**before, "new.example": "ubuntumembers"})
        self.assert_ours("new.example")
        self.change(domains=before)
        self.assertEqual(self.ask("new.example"), "NOTFOUND ")
        self.assertEqual(self.ask("nobody@new.example"), "NOTFOUND ")

    def test_while_the_cache_cannot_be_read_nothing_becomes_foreign(self):
        before = self.world.domains
        self.change(domains={**before, "new.example": "ubuntumembers"})
        os.rename(self.world.cache, self.world.cache + ".away")
        wait_for(lambda: self.ask("jdoe@ubuntu.com").startswith("TEMP "), PATIENCE_S, "the trouble")
        for _ in range(2):  # the second reload has only the first to learn from
            self.change(domains=self.without("ubuntu.com", "new.example"))
            for domain in ("ubuntu.com", "new.example"):
                self.assert_ours(domain)
            self.assertTrue(self.ask("jdoe@ubuntu.com").startswith("TEMP "))
            self.assertEqual(self.ask("jdoe@foreign.example"), "NOTFOUND ")
        os.rename(self.world.cache + ".away", self.world.cache)
        wait_for(lambda: self.ask("new.example") == "NOTFOUND ", PATIENCE_S, "the cache to be read")
        self.assert_served()


class Refused(ReloadCase):
    """A configuration that is wrong, or that a running server cannot take: nothing changes."""

    role = {"ubuntu.com": 'role "abuse" { targets = "desk@corp.example" }'}

    def assert_unchanged(self):
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK " + ALERTS)
        self.assertEqual(self.ask("jdoe@ubuntu.com"), "OK jdoe@target.example")

    def test_every_problem_is_told(self):
        self.world.launchpad_lines = ["page-size = 0"]
        said = self.change(REFUSED, domain_keys=self.role, server=["no-such-key = 1", "allow-remote = maybe"])
        for words in ("page-size", "no-such-key", "allow-remote"):
            self.assertIn(words, said)
        self.assert_unchanged()
        self.world.launchpad_lines = []
        self.change(server=[])
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK desk@corp.example")

    def test_a_file_that_is_none(self):
        config = self.world.config_file
        os.unlink(config)
        self.assertIn("No such file", self.reload(REFUSED))
        os.mkdir(config)
        self.reload(REFUSED)
        os.rmdir(config)
        for content in (b"", b"\0", b"domain", b"x" * (2 << 20)):
            with open(config, "wb") as file:
                file.write(content)
            self.reload(REFUSED)
        self.assert_unchanged()
        self.world.write_config()
        self.reload()

    def test_what_needs_a_restart_is_named_and_keeps_the_rest_out(self):
        world = self.world
        fine = {name: list(getattr(world, name)) for name in ("listeners", "server", "top_lines")}
        fine.update(cache=world.cache, key_file=world.key_file)
        for attribute, value, names in [
            ("listeners", [*fine["listeners"], 'policy = { "inet:127.0.0.1:0" }'], "server policy"),
            ("listeners", fine["listeners"][:1], "server tcp-table"),
            ("listeners", fine["listeners"][1:], "server socketmap"),
            ("cache", "/elsewhere", "cache"),
            ("key_file", "/elsewhere", "key-file"),
            ("top_lines", ['cache-limit = "1G"'], "cache-limit"),
            ("server", ['user = "nobody"', "connection-limit = 7", 'idle-limit = "7s"'],
             "server user, server connection-limit, server idle-limit"),
        ]:
            with self.subTest(names):
                said = self.change(REFUSED, domain_keys=self.role, **{**fine, attribute: value})
                self.assertIn("lpaliasd was started: " + names + '"', said)
                self.assert_unchanged()
        listeners = list(reversed(fine["listeners"]))
        self.change(**{**fine, "listeners": listeners})
        self.assertEqual(self.ask("abuse@ubuntu.com"), "OK desk@corp.example")


class ServiceManagerIsTold(ReloadCase):
    """systemd sees a reload begin and end, whatever came of it."""

    def test_begin_and_end(self):
        self.assertEqual(self.world.stop_server(), 0)
        with ServiceManager(self.world.directory) as manager:
            self.world.start_server()
            manager.wait_for("READY=1")
            for reloads, (wanted, server) in enumerate([(TAKEN, []), (REFUSED, ["nonsense = 1"])], start=1):
                self.change(wanted, server=server)
                manager.wait_for("READY=1", more_than=reloads)
                self.assertEqual(len(manager.told("RELOADING=1")), reloads)
            self.stop()


class Stopping(ReloadCase):
    """SIGTERM beside other signals, and the next server."""

    def test_who_has_just_connected_is_answered(self):
        """The last chance of a client whose connection to the server before was closed."""
        known, fresh, slow = (RawClient(self.world.socket_path) for _ in range(3))
        with known, fresh, slow:
            for client in (known, slow):
                client.ask(FOREIGN, NOT_FOUND)
            slow.send(FOREIGN[:5])
            with RawClient(self.world.socket_path) as last:  # all before it have been accepted
                last.ask(FOREIGN, NOT_FOUND)
            self.world.process.send_signal(signal.SIGTERM)
            known.expect_end()
            self.world.process.send_signal(signal.SIGHUP)  # does nothing any more
            fresh.ask(FOREIGN, NOT_FOUND)
            fresh.expect_end()
            slow.ask(FOREIGN[5:], NOT_FOUND)
            slow.expect_end()
            process, self.world.process = self.world.process, None
            self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(self.told(TAKEN), 0)

    def test_the_next_server_may_start_before_the_last_connection_has_ended(self):
        """Without a socket of the service manager: the path and its lock are free at once."""
        with RawClient(self.world.socket_path) as client:
            client.ask(FOREIGN, NOT_FOUND)
            client.send(FOREIGN[:5])
            with RawClient(self.world.socket_path) as last:
                last.ask(FOREIGN, NOT_FOUND)
            old, self.world.process = self.world.process, None
            self.addCleanup(old.wait, PATIENCE_S)
            self.addCleanup(old.kill)
            old.send_signal(signal.SIGTERM)
            wait_for(lambda: not os.path.exists(self.world.socket_path), PATIENCE_S, "the path")
            self.world.start_server()
            self.assertIsNone(old.poll())
            self.assertEqual(self.ask("jdoe@ubuntu.com"), "OK jdoe@target.example")
            client.ask(FOREIGN[5:], NOT_FOUND)
            client.expect_end()
            self.assertEqual(old.wait(PATIENCE_S), 0)
            self.assertEqual(self.ask("jdoe@ubuntu.com"), "OK jdoe@target.example")

    def test_a_signal_before_the_server_is_ready_is_kept(self):
        """It would end a process that does not watch it yet; here one that still reads its file."""
        self.world.stop_server()
        with open(self.world.config_file, encoding="utf-8") as file:
            text = file.read()
        os.unlink(self.world.config_file)
        os.mkfifo(self.world.config_file)
        with open(self.world.log_path, "ab") as log:
            self.world.process = subprocess.Popen(
                [*lpalias_world.wrapper(), lpalias_world.program("LPALIASD"), "-c", self.world.config_file],
                stdin=subprocess.DEVNULL, stderr=log)
        fd = wait_for(self.open_for_its_reader, PATIENCE_S, "the start")
        self.world.process.send_signal(signal.SIGHUP)
        self.give(fd, text)
        wait_for(lambda: self.told("ready, listening") == 2, PATIENCE_S, "the server")
        self.give(wait_for(self.open_for_its_reader, PATIENCE_S, "the reload"), text)
        wait_for(lambda: self.told(TAKEN), PATIENCE_S, "the reload")
        self.assertIsNone(self.world.process.poll())

    def open_for_its_reader(self):
        """The configuration file, a pipe, once the server has opened it."""
        try:
            return os.open(self.world.config_file, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return None

    @staticmethod
    def give(fd, text):
        """Little enough for a pipe to hold."""
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    tap.main()
