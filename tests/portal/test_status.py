"""The public status of lpalias-portal: what is live, whether lookups are answered, and the charts."""

import contextlib
import json
import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from movable_clock import MovableClock
from lpalias_world import DOMAINS, TARGETS, connect
from portal_world import PortalWorld, read_answer, why_not
from recording_map import netstring, read_netstring

REQUESTS = 20


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class Answerer:
    """Takes the place of lpaliasd: answers all questions alike, or none at all."""

    def __init__(self, path, reply):
        self.reply, self.questions = reply, []
        self.clients = []
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(path)
        self.listening.listen(16)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                self.clients.append(client)
                with client.makefile("rb") as stream:
                    self.questions.append(read_netstring(stream))
                if self.reply is not None:
                    client.sendall(netstring(self.reply))

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in (self.listening, *self.clients):
            each.close()


def scraped_lookups(path):
    """All lookups that lpaliasd counts in its metrics."""
    with connect(path) as client, client.makefile("rb") as stream:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        lines = read_answer(stream).body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines
               if line.startswith("lpalias_lookups_total{"))


class StatusCase(unittest.TestCase):
    """A filled world; the portal is started by the case."""

    closed = "kubuntu.org"

    def setUp(self):
        self.world = PortalWorld()
        self.addCleanup(self.world.close)
        self.world.fill(opened=[name for name in DOMAINS if name != self.closed])

    def status(self):
        answer = self.world.request("GET", "/status.json")
        self.assertEqual(answer.status, 200)
        return answer.json()

    def answerer(self, reply):
        answerer = Answerer(self.world.socket_path, reply)
        self.addCleanup(answerer.close)
        return answerer


class Figures(StatusCase):
    """What everybody may know."""

    def test_it_is_what_lpalias_says(self):
        self.world.start_portal()
        told = json.loads(self.world.lpalias("status", "--json", status=None).stdout)
        status = self.status()
        self.assertEqual(status["generation"], told["generation"])
        shown = {each["domain"]: each for each in status["domains"]}
        self.assertEqual(set(shown), set(DOMAINS))
        for domain in told["domains"]:
            one = shown[domain["domain"]]
            self.assertEqual(one["live"], domain["states"]["active"] + domain["static"])
            self.assertEqual(one["last_success"], domain["last_success"])
            self.assertGreaterEqual(one["age_seconds"], 0)
        self.assertEqual([name for name, each in shown.items() if not each["is_open"]], [self.closed])

    def test_nobody_is_named(self):
        self.world.lpalias("ban", "kim", "--reason", "a secret reason")
        self.world.start_portal()
        body = self.world.request("GET", "/status.json").body.decode()
        for word in (*TARGETS, "pending", "filler", "secret", "example", self.world.directory):
            self.assertNotIn(word, body)

    def test_many_who_ask_are_answered_by_one_look(self):
        answerer = self.answerer(b"NOTFOUND ")
        self.world.start_portal()
        bodies = {self.world.request("GET", "/status.json").body for _ in range(REQUESTS)}
        self.assertLess(len(answerer.questions), REQUESTS // 2)
        self.assertEqual(len(bodies), len(answerer.questions))

    def test_without_a_cache_nothing_can_be_told(self):
        self.world.start_portal()
        os.rename(self.world.cache, self.world.cache + ".away")
        answer = self.world.request("GET", "/status.json")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.json()["error"]["code"], "cannot-tell")
        self.assertEqual(self.world.request("GET", "/api/session").status, 200)
        self.assertEqual(self.world.request("GET", "/status").status, 200)


class Server(StatusCase):
    """Whether lookups are answered."""

    closed = min(DOMAINS)  # the first one

    def server(self):
        self.world.start_portal()
        answer = self.status()["server"]
        self.world.stop_portal()
        return answer

    def test_lpaliasd_itself(self):
        self.assertEqual(self.server(), "unknown")
        self.world.start_server()
        self.assertEqual(self.server(), "answering")
        self.world.stop_server()
        self.assertEqual(self.server(), "unknown")

    def test_over_a_port(self):
        self.world.start_server()
        self.world.listeners = [f'socketmap = {{ "inet:127.0.0.1:{self.world.inet_port}" }}']
        self.world.write_config()
        self.assertEqual(self.server(), "answering")
        self.world.listeners = [f'tcp-table "inet:127.0.0.1:{self.world.tcp_port}" {{ map = alias }}']
        self.world.write_config()
        self.assertEqual(self.server(), "unknown")

    def test_what_it_says(self):
        for reply, wanted in [(b"OK somebody@elsewhere.example", "answering"),
                              (b"NOTFOUND ", "answering"), (b"TEMP the cache cannot be read", "troubled"),
                              (b"PERM no such map", "troubled"), (b"WHAT", "unknown")]:
            with self.subTest(reply=reply):
                answerer = Answerer(self.world.socket_path, reply)
                try:
                    self.assertEqual(self.server(), wanted)
                finally:
                    answerer.close()
                    os.unlink(self.world.socket_path)
                (question,) = answerer.questions
                self.assertRegex(question.decode(), "^alias _[a-z-]+@[a-z.]+$")
                self.assertNotIn(self.closed, question.decode())

    def test_one_that_hangs_holds_up_nobody(self):
        answerer = self.answerer(None)
        self.world.start_portal()
        raw = f"GET /status.json HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode()
        with connect(self.world.portal_endpoint) as client, client.makefile("rb") as stream:
            client.sendall(raw)
            while not answerer.questions:
                self.assertEqual(self.world.request("GET", "/api/session").status, 200)
            self.assertEqual(self.world.request("GET", "/api/session").status, 200)
            self.assertEqual(read_answer(stream).json()["server"], "unknown")

    def test_the_portal_ends_while_one_hangs(self):
        answerer = self.answerer(None)
        self.world.start_portal()
        with connect(self.world.portal_endpoint) as client, client.makefile("rb") as stream:
            client.sendall(f"GET /status.json HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode())
            while not answerer.questions:
                self.world.request("GET", "/api/session")
            self.assertEqual(self.world.stop_portal(), 0)
            self.assertEqual(read_answer(stream).json()["server"], "unknown")


@unittest.skipIf(MovableClock.why_not(), MovableClock.why_not() or "")
class Charts(StatusCase):
    """A sample every five minutes, for a day."""

    def test_samples(self):
        clock = MovableClock(self.world.directory)
        self.world.start_portal(prefix=clock.prefix)
        (first,) = self.status()["samples"]
        live = sum(each["live"] for each in self.status()["domains"])
        self.assertEqual(first["live"], live)
        self.assertGreater(first["refresh_ms"], 0)
        self.assertRegex(first["time"], "T..:.[05]:00Z$")
        self.world.lpalias("ban", "jdoe", "--reason", "x")
        clock.forward(300)
        self.status()  # wakes it
        clock.forward(10)
        before, after = self.status()["samples"]
        self.assertEqual(before, first)
        self.assertLess(after["live"], live)
        clock.forward(86_400 - 300)
        self.status()
        clock.forward(10)
        self.assertNotIn(first, self.status()["samples"])

    def samples(self, count):
        """So many samples, once they are there. The clock stands, as lpaliasd has a limit to answer
        within."""
        while len(samples := self.status()["samples"]) != count:
            self.assertLess(len(samples), count)
        return samples

    def test_lookups_a_minute(self):
        clock = MovableClock(self.world.directory)
        path = os.path.join(self.world.directory, "metrics")
        self.world.server.append(f'metrics = "unix:{path}"')
        self.world.write_config()
        self.world.start_server()
        self.world.start_portal(prefix=clock.prefix)
        (first,) = self.samples(1)
        self.assertIsNone(first["lookups"])
        for _ in range(500):
            self.world.ask("alias", "jdoe@ubuntu.com")
        while scraped_lookups(path) < 500:  # the page is made anew some ten times a second
            pass
        clock.forward(300)
        *_, last = self.samples(2)
        self.assertGreaterEqual(last["lookups"], 80)
        self.assertLess(last["lookups"], 120)
        # It counts anew, and is asked for the first time of its new count.
        self.world.stop_server()
        self.world.start_server()
        clock.forward(300)
        *_, last = self.samples(3)
        self.assertIsNone(last["lookups"])


if __name__ == "__main__":
    tap.main()
