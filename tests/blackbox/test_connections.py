"""The limits of lpaliasd's connections. In each case somebody breaks or exhausts one, and others are
answered all the while. Time is moved by libfaketime; what is waited for is an answer or an end."""

import contextlib
import os
import re
import resource
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, World, program
from movable_clock import MovableClock
from raw_client import RawClient
from recording_map import netstring

HIT = netstring(b"alias jdoe@ubuntu.com")
HIT_REPLY = netstring(b"OK jdoe@target.example")
# Each a request and its reply: found, known to be absent, foreign.
QUESTIONS = [
    (HIT, HIT_REPLY),
    (netstring(b"alias nobody@ubuntu.com"), netstring(b"NOTFOUND ")),
    (netstring(b"alias jdoe@foreign.example"), netstring(b"NOTFOUND ")),
]
REQUEST_BUDGET = 100  # as in src/loop/connection.h
# So long that the time which the test itself takes makes no difference.
IDLE_LIMIT_S, STALL_LIMIT_S = 36000, 3600
RESERVED_DESCRIPTORS = 16  # as in src/loop/listener.h
UNDER_VALGRIND = "LPALIAS_VALGRIND" in os.environ


def setUpModule():
    if program("LPALIASD") is None or program("LPALIAS") is None:
        raise unittest.SkipTest("LPALIAS and LPALIASD are not set")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class ConnectionsCase(unittest.TestCase):
    """A World with a filled cache. The control connection asks in between, and must be answered."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.control = None

    def start(self, *server_lines, prefix=(), options=(), is_filled=True):
        """Starts the server with these lines in its section, and makes the control connection."""
        self.world.server = list(server_lines)
        self.world.write_config()
        if is_filled:
            self.fill()
        self.world.start_server(prefix=prefix, options=options)
        self.control = self.connect()

    def fill(self):
        self.world.fill_static({"jdoe@ubuntu.com": ["jdoe@target.example"]})

    def connect(self, endpoint=None):
        client = RawClient(endpoint or self.world.socket_path)
        self.addCleanup(client.close)
        return client

    def check_control(self, rounds=1):
        for _ in range(rounds):
            for request, reply in QUESTIONS:
                self.control.ask(request, reply)

    def stand_still(self):
        """The server does nothing until it may go on; what is sent meanwhile it finds all at once."""
        self.world.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.world.process.pid, os.WSTOPPED)

    def go_on(self):
        self.world.process.send_signal(signal.SIGCONT)

    def descriptors(self):
        """How many the server has open."""
        return len(os.listdir(f"/proc/{self.world.process.pid}/fd"))

    def sockets(self):
        """How many of them are sockets; unlike files, none is open for a moment only."""
        directory = f"/proc/{self.world.process.pid}/fd"
        count = 0
        for name in os.listdir(directory):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(os.path.join(directory, name)).startswith("socket:")
        return count

    def may_open(self, count):
        """Sets how many descriptors the running server may have. Returns how many it could before."""
        pid = self.world.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, hard))
        return soft

    def pss_kib(self):
        with open(f"/proc/{self.world.process.pid}/smaps_rollup", encoding="ascii") as file:
            return int(re.search(r"^Pss:\s*(\d+) kB", file.read(), re.M)[1])

    def is_sanitized(self):
        with open(f"/proc/{self.world.process.pid}/maps", encoding="ascii") as file:
            return "asan" in file.read()

    def ask_until_blocked(self, client, sent=0):
        """Asks until the server takes no more, though it has had its turns. Returns how many bytes it has
        got of this client in all, when `sent` were sent before; without a bound this fails."""
        data = HIT * 1000
        client.socket.setblocking(False)
        most, turns_without_progress = sent + 8_000_000, 0
        try:
            while turns_without_progress < 20:
                self.assertLess(sent, most, "the server reads on")
                try:
                    sent += client.socket.send(data[sent % len(HIT):])
                    turns_without_progress = 0
                except BlockingIOError:
                    # Each answer to control ends a turn in which this client could have its own.
                    self.check_control()
                    turns_without_progress += 1
        finally:
            client.socket.settimeout(PATIENCE_S)
        return sent


class Cap(ConnectionsCase):
    """connection-limit, and whose connection ends when it is reached."""

    def test_a_thousand_connections(self):
        self.start()
        clients = [self.connect() for _ in range(1000)]
        for _ in range(2):
            for client in clients:
                client.send(HIT)
            self.check_control()
            for client in clients:
                client.expect(HIT_REPLY)

    def test_there_are_never_more(self):
        self.start("connection-limit = 10")
        before = self.sockets()
        newer = []
        for _ in range(100):
            newer.append(self.connect())
            newer[-1].ask(HIT, HIT_REPLY)
            self.check_control()
            self.assertLessEqual(self.sockets(), before + 9)
        for client in newer[:-9]:
            client.expect_end()
        for client in newer[-9:]:
            client.ask(HIT, HIT_REPLY)

    def test_the_longest_idle_one_is_dropped(self):
        self.start("connection-limit = 10")
        clients = [self.connect() for _ in range(9)]
        for client in [*clients[1:], clients[0]]:
            client.ask(HIT, HIT_REPLY)
        self.check_control()
        newer = [self.connect() for _ in range(3)]
        for client in newer:
            client.ask(HIT, HIT_REPLY)
        for client in clients[1:4]:
            client.expect_end()
        self.check_control()
        for client in [clients[0], *clients[4:], *newer]:
            client.ask(HIT, HIT_REPLY)

    def test_not_one_that_has_asked_and_waits(self):
        """The server stands still until both are there: a new connection, and a request of the one that
        was idle for longest until then."""
        self.start("connection-limit = 3")
        asking, idle = self.connect(), self.connect()
        for client in (asking, idle, self.control):
            client.ask(HIT, HIT_REPLY)
        self.stand_still()
        newer = self.connect()
        newer.send(HIT)
        asking.send(HIT)
        self.go_on()
        asking.expect(HIT_REPLY)
        newer.expect(HIT_REPLY)
        idle.expect_end()
        self.check_control()


@unittest.skipIf(MovableClock.why_not(), MovableClock.why_not())
class Time(ConnectionsCase):
    """Limits in time."""

    def setUp(self):
        super().setUp()
        self.clock = MovableClock(self.world.directory)
        self.start(f'idle-limit = "{IDLE_LIMIT_S}s"', f'stall-limit = "{STALL_LIMIT_S}s"',
                   prefix=self.clock.prefix)

    def pass_time(self, seconds):
        """The server wakes up by the control's questions, and sees what time it is."""
        self.clock.forward(seconds)
        self.check_control()

    def test_an_idle_connection_is_closed(self):
        idle, busy = self.connect(), self.connect()
        idle.ask(HIT, HIT_REPLY)
        for _ in range(3):
            self.pass_time(IDLE_LIMIT_S * 0.3)
            busy.ask(HIT, HIT_REPLY)
        self.assertFalse(self.is_over(idle))
        self.pass_time(IDLE_LIMIT_S * 0.3)
        idle.expect_end()
        busy.ask(HIT, HIT_REPLY)
        self.check_control()

    def is_over(self, client):
        """Whether the server has hung up; it must not have sent anything."""
        self.check_control()
        client.socket.setblocking(False)
        try:
            return client.socket.recv(1) == b""
        except BlockingIOError:
            return False
        finally:
            client.socket.settimeout(PATIENCE_S)

    def test_a_request_must_end_however_many_bytes_come(self):
        requests = {self.world.socket_path: HIT, self.world.inet_port: HIT,
                    self.world.tcp_port: b"get jdoe@ubuntu.com\n"}
        for endpoint, request in requests.items():
            with self.subTest(endpoint=endpoint):
                slow, steady = self.connect(endpoint), self.connect()
                steady.send(HIT[:1])
                for at in range(3):
                    slow.send(request[at:at + 1])
                    # This one has always begun a request, and ends it in time.
                    steady.ask(HIT[1:] + HIT[:1], HIT_REPLY)
                    self.assertFalse(self.is_over(slow))
                    self.pass_time(STALL_LIMIT_S * 0.3)
                slow.send(request[3:4])
                steady.ask(HIT[1:] + HIT[:1], HIT_REPLY)
                self.assertFalse(self.is_over(slow))
                self.pass_time(STALL_LIMIT_S * 0.3)
                slow.expect_end()
                steady.ask(HIT[1:], HIT_REPLY)
        self.pass_time(5)  # what has been counted is told every five seconds
        self.wait_for_log("a request that did not end within stall-limit")

    def wait_for_log(self, text):
        """The server logs by a timer of its own, so turns are given until it has."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.world.server_log() and time.monotonic() < end:
            self.pass_time(5)
        self.assertIn(text, self.world.server_log())

    def test_a_request_that_ends_in_time_leaves_no_limit_behind(self):
        client = self.connect()
        client.send(HIT[:5])
        self.pass_time(STALL_LIMIT_S * 0.9)
        client.ask(HIT[5:], HIT_REPLY)
        self.pass_time(STALL_LIMIT_S * 5)
        client.ask(HIT, HIT_REPLY)

    def test_replies_must_be_taken(self):
        silent = self.connect()
        self.ask_until_blocked(silent)
        self.assertFalse(self.hung_up(silent))
        self.pass_time(STALL_LIMIT_S * 0.9)
        self.assertFalse(self.hung_up(silent))
        self.pass_time(STALL_LIMIT_S * 0.2)
        self.assertTrue(self.hung_up(silent))
        self.check_control()

    def hung_up(self, client):
        """Whether the server has, when its replies are unread and we cannot send."""
        self.check_control()
        client.socket.setblocking(False)
        try:
            client.socket.send(b"x")
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            return True
        finally:
            client.socket.settimeout(PATIENCE_S)
        self.fail("the server reads on")

    def test_who_takes_replies_at_a_fair_pace_keeps_the_connection(self):
        """Though it never has them all, as it asks more all the time."""
        greedy = self.connect()
        sent = self.ask_until_blocked(greedy)
        for _ in range(5):
            self.pass_time(STALL_LIMIT_S * 0.9)
            for _ in range(2):
                # The half of what was unsent, and as much as a socket holds: it is never empty.
                greedy.expect(HIT_REPLY * (180_000 // len(HIT_REPLY)))
                sent = self.ask_until_blocked(greedy, sent)
        self.pass_time(STALL_LIMIT_S * 1.1)
        self.assertTrue(self.hung_up(greedy))
        self.check_control()


class Work(ConnectionsCase):
    """How much of one connection is done before others get their turn."""

    def test_the_request_budget(self):
        """One that has asked two thousand times and one that has asked once, found at the same time:
        the log says in which order they were answered."""
        self.start(options=["-v"])
        greedy = self.connect()
        greedy.ask(HIT, HIT_REPLY)
        self.stand_still()
        start = len(self.world.server_log())
        greedy.send(HIT * 2000)
        self.control.send(netstring(b"domain ubuntu.com"))
        self.go_on()
        self.control.expect(netstring(b"OK ubuntu.com"))
        greedy.expect(HIT_REPLY * 2000)
        asked = re.findall(r'msg="asked" map=(\w+)', self.world.server_log()[start:])
        self.assertEqual(len(asked), 2001)
        [control_at] = [at for at, name in enumerate(asked) if name != asked[-1]]
        self.assertLessEqual(control_at, REQUEST_BUDGET)
        self.check_control()

    def test_the_output_mark(self):
        """Nothing more is read from a client that does not take its replies, so what is kept for it is
        bounded; when it does take them, none is missing."""
        self.start()
        before_kib = self.pss_kib()
        silent = self.connect()
        sent = self.ask_until_blocked(silent)
        if not UNDER_VALGRIND and not self.is_sanitized():
            self.assertLess(self.pss_kib() - before_kib, 2000)
        self.check_control(rounds=100)
        silent.expect(HIT_REPLY * (sent // len(HIT)))
        silent.ask(HIT[sent % len(HIT):], HIT_REPLY)
        self.check_control()

    def test_memory_of_a_thousand_idle_connections(self):
        """1 KB of each, measured when all have asked."""
        if UNDER_VALGRIND:
            self.skipTest("its memory is valgrind's")
        self.start()
        self.check_control(rounds=10)
        before_kib = self.pss_kib()
        clients = [self.connect() for _ in range(1000)]
        for client in clients:
            client.ask(HIT, HIT_REPLY)
        self.check_control()
        added_kib = self.pss_kib() - before_kib
        print(f"# 1000 idle connections: {added_kib} KiB (PSS)")
        self.assertLessEqual(added_kib, 4000 if self.is_sanitized() else 1000)


@unittest.skipIf(UNDER_VALGRIND, "valgrind keeps descriptors of its own")
class Descriptors(ConnectionsCase):
    """The process may open no more files."""

    def test_fewer_connections_are_held_where_the_system_allows_less(self):
        for files, connections in [(200, 136), (100, 50)]:
            with self.subTest(files=files):
                self.start(prefix=["prlimit", f"--nofile={files}:{files}"], is_filled=files == 200)
                self.assertIn(f"may open {files} files only, so there can be {connections} connections "
                              "and not 1024", self.world.server_log())
                clients = []
                for _ in range(300):
                    clients.append(self.connect())
                    clients[-1].ask(HIT, HIT_REPLY)
                    self.check_control()
                for client in clients[-connections + 1:]:
                    client.ask(HIT, HIT_REPLY)
                self.assertEqual(self.world.stop_server(), 0)

    def test_idle_connections_make_room_and_the_cache_can_be_opened(self):
        """At exhaustion every new client is answered at once, and so is the one that keeps asking; the
        cache is made only then, so that it and the keys have to be opened without a descriptor more."""
        self.start(is_filled=False)
        self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"), "TEMP lpalias cannot tell now")
        self.control.ask(*QUESTIONS[2])
        # A file that is open for a moment may have been counted, and leaves room for a sixth.
        most, sockets = self.descriptors() + 5 + RESERVED_DESCRIPTORS, self.sockets()
        before = self.may_open(most)
        clients = []
        for _ in range(50):
            clients.append(self.connect())
            clients[-1].ask(*QUESTIONS[2])
            self.control.ask(*QUESTIONS[2])
            self.assertLessEqual(self.sockets(), sockets + 6)
        for client in clients[:40]:
            client.expect_end()
        self.fill()
        end = time.monotonic() + PATIENCE_S
        while self.world.ask("alias", "jdoe@ubuntu.com") != "OK jdoe@target.example":
            self.assertLess(time.monotonic(), end, "the cache was not opened")
        for _ in range(50):
            self.connect().ask(HIT, HIT_REPLY)
            self.check_control()
        self.may_open(before)
        clients = [self.connect() for _ in range(50)]
        for _ in range(2):
            for client in clients:
                client.ask(HIT, HIT_REPLY)
        self.check_control()

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_accepting_backs_off_and_goes_on(self):
        """Not one descriptor is free, and closing a connection does not change that. The control is
        answered, only one other is lost, and it is tried once a second, not at every turn."""
        trace = os.path.join(self.world.directory, "trace")
        self.start(prefix=["strace", "-D", "-o", trace, "-e", "trace=accept4"])
        oldest, idle = self.connect(), self.connect()
        for client in (oldest, idle, self.control):
            client.ask(HIT, HIT_REPLY)
        before = self.may_open(3)
        began_s = time.monotonic()
        waiting = self.connect()
        waiting.send(HIT)
        oldest.expect_end()
        tries, rounds = 0, 0
        while tries < 4 or rounds < 500:
            self.check_control()
            with open(trace, encoding="ascii", errors="replace") as file:
                tries = file.read().count("EMFILE")
            rounds += 1
            lasted_s = time.monotonic() - began_s
            self.assertLessEqual(tries, 3 + int(lasted_s))  # two at once, and one for each second
            self.assertLess(lasted_s, PATIENCE_S)
        self.assertIn("cannot accept connections", self.world.server_log())
        self.may_open(before)
        waiting.expect(HIT_REPLY)
        idle.ask(HIT, HIT_REPLY)
        self.connect().ask(HIT, HIT_REPLY)
        self.check_control()


if __name__ == "__main__":
    tap.main()
