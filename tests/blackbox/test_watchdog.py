"""What lpaliasd tells the service manager, and that it is told to be alive exactly while it answers."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from asker import Asker
from lpalias_world import PATIENCE_S, World, program, wrapper
from raw_client import RawClient
from recording_map import netstring
from service_manager import ServiceManager

ALIVE = "WATCHDOG=1"
OTHER_PERIOD_S = 5  # of the server's looks at its cache, by which it is not alive
NOBODY = 65534


def setUpModule():
    if program("LPALIASD") is None:
        raise unittest.SkipTest("LPALIASD is not set")


class WatchdogCase(unittest.TestCase):
    """A World and a service manager for each case."""

    limit_s = 2  # asks each half second

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.manager = ServiceManager(self.world.directory, self.limit_s)
        self.manager.__enter__()
        self.addCleanup(self.manager.__exit__)

    def alive(self):
        return len(self.manager.told(ALIVE))

    def wait_for_more_life(self, count=3):
        self.manager.wait_for(ALIVE, more_than=self.alive() + count - 1)

    def wait_for_log(self, words):
        end = time.monotonic() + PATIENCE_S
        while words not in self.world.server_log():
            self.assertLess(time.monotonic(), end, f"{words}: {self.world.server_log()}")
            time.sleep(0.01)


class Told(WatchdogCase):
    """Begin, state and end."""

    def test_ready_is_told_after_the_first_look_and_when_it_answers(self):
        starter = threading.Thread(target=self.world.start_server)
        starter.start()
        try:
            self.manager.wait_for("READY=1")
            self.assertIn("no cache at", self.world.server_log())
            self.assertEqual(self.world.ask("alias", "a@foreign.example"), "NOTFOUND ")
        finally:
            starter.join()
        self.assertEqual(len(self.manager.told("READY=1")), 1)

    def test_status_has_generation_health_and_connections(self):
        self.world.fill_static({"press@ubuntu.com": ["press@target.example"]})
        self.world.start_server()
        self.manager.wait_for("STATUS=", lambda line: "generation " in line and "cache well" in line)
        clients = [RawClient(self.world.socket_path) for _ in range(3)]
        self.manager.wait_for("STATUS=", lambda line: "3 connections" in line)
        for client in clients:
            client.close()
        self.manager.wait_for("STATUS=", lambda line: "0 connections" in line)
        os.rename(self.world.cache, self.world.cache + "-away")
        self.manager.wait_for("STATUS=", lambda line: "cache unreadable" in line)

    def test_the_end_is_told_and_is_the_end(self):
        self.world.start_server()
        self.wait_for_more_life()
        self.assertEqual(self.world.stop_server(), 0)
        self.manager.wait_for("STOPPING=1")
        stopping = self.manager.told("STOPPING=1")[0][0]
        self.assertLess(self.manager.told(ALIVE)[-1][0], stopping)

    def test_every_protocol_is_asked_in_its_own_words(self):
        path = os.path.join(self.world.directory, "policy")
        for listener in (f'policy = {{ "unix:{path}" }}',
                         f'tcp-table "inet:127.0.0.1:{self.world.tcp_port}" {{ map = domain }}',
                         f'socketmap = {{ "inet:127.0.0.1:{self.world.inet_port}" }}'):
            with self.subTest(listener):
                self.world.listeners = [listener]
                self.world.write_config()
                server = subprocess.Popen([*wrapper(), program("LPALIASD"), "-c", self.world.config_file],
                                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
                try:
                    self.wait_for_more_life()
                finally:
                    server.terminate()
                    log = server.communicate(timeout=PATIENCE_S)[1].decode("utf-8")
                self.assertNotIn("itself", log)
                self.assertNotIn("what is not a", log)

    def test_nobody_sees_the_question_in_the_log(self):
        self.world.start_server(options=["-v"])
        self.wait_for_more_life(5)
        asked = self.world.server_log().count("asked")
        self.wait_for_more_life(5)
        self.assertEqual(self.world.server_log().count("asked"), asked)
        self.assertNotIn("canary", self.world.server_log())


class GoesOn(WatchdogCase):
    """A server that answers is never restarted."""

    limit_s = 6  # on a machine that stands still for less than half of it

    def test_with_busy_connections(self):
        keys = [f"a{i}@foreign.example" for i in range(50)]
        self.world.start_server()
        with contextlib.ExitStack() as stack:
            askers = [stack.enter_context(Asker(self.world.socket_path, "alias", keys)) for _ in range(64)]
            self.wait_for_more_life(4)
            askers[0].wait_for_rounds(1)
        for asker in askers:
            self.assertGreater(asker.rounds, 0)
        self.assertNotIn("answer itself", self.world.server_log())

    def test_with_a_cache_that_is_broken(self):
        self.world.fill_static({"press@ubuntu.com": ["press@target.example"]})
        self.world.start_server()
        self.wait_for_more_life()
        # Another file, as a map that is shortened under its reader is another fault (SIGBUS).
        broken = os.path.join(self.world.cache, "broken")
        with open(broken, "wb") as file:
            file.write(b"\0" * 65536)
        shutil.copystat(os.path.join(self.world.cache, "data.mdb"), broken)
        os.rename(broken, os.path.join(self.world.cache, "data.mdb"))
        self.manager.wait_for("STATUS=", lambda line: "cache unreadable" in line)
        self.assertTrue(self.world.ask("alias", "press@ubuntu.com").startswith("TEMP"))
        self.wait_for_more_life()
        self.assertNotIn("answer itself", self.world.server_log())

    def test_at_the_connection_limit(self):
        self.world.server = ["connection-limit = 4"]
        self.world.write_config()
        self.world.start_server()
        clients = [RawClient(self.world.socket_path) for _ in range(8)]
        self.wait_for_more_life()
        for client in clients:
            client.close()
        self.assertNotIn("answer itself", self.world.server_log())

    def start_out_of_reach(self, *groups):
        """As nobody and with these groups, with a socket for others in a directory of group 4242."""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        directory = tempfile.mkdtemp(prefix="lpalias-spool-")
        self.addCleanup(shutil.rmtree, directory)
        self.world.socket_directory = directory
        self.world.socket_path = os.path.join(directory, "lookup")
        self.world.listeners = [f'socketmap = {{ "unix:{self.world.socket_path}" }}']
        self.world.write_config()
        self.world.make_key()
        os.mkdir(self.world.cache)
        self.world.give_to(NOBODY, NOBODY)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(self.world.socket_path)
            os.chown(self.world.socket_path, 0, 4242)
            os.chmod(self.world.socket_path, 0o660)
            os.chown(directory, 0, 4242)
            os.chmod(directory, 0o2750)
            listening.listen(16)
            self.world.start_server(prefix=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                                            f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"],
                                    sockets=[listening])

    def test_with_a_socket_that_is_out_of_its_own_reach(self):
        self.start_out_of_reach()
        self.wait_for_more_life()
        self.assertEqual(self.world.server_log().count("Permission denied: the watchdog proves"), 1)

    def test_with_a_socket_that_its_group_reaches(self):
        self.start_out_of_reach(4242)
        self.wait_for_more_life()
        self.assertNotIn("the watchdog proves", self.world.server_log())


class Ends(WatchdogCase):
    """A server that does not answer is not said to be alive."""

    def setUp(self):
        super().setUp()
        if shutil.which("strace") is None:
            self.skipTest("strace is not installed")
        if wrapper():
            self.skipTest("the process that was started is not lpaliasd")

    @contextlib.contextmanager
    def injected(self, what):
        """While strace makes the system calls of the server go wrong so."""
        tracer = subprocess.Popen(["strace", "-o", "/dev/null", "-p", str(self.world.process.pid), "-e", f"inject={what}"],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            first = tracer.stderr.readline()
            if "attached" not in first:
                self.skipTest(f"strace cannot attach: {first}")
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=PATIENCE_S)

    def wait_until_restarted(self, limit_s=WatchdogCase.limit_s):
        """Until a service manager with that limit would act."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() - self.manager.told(ALIVE)[-1][0] < limit_s:
            self.assertLess(time.monotonic(), end, "it goes on to say that it is alive")
            time.sleep(0.05)

    def check_silence(self, why):
        self.wait_for_log(f"does not answer itself ({why}")
        self.wait_until_restarted()
        self.assertEqual(self.world.server_log().count("does not answer itself"), 1)

    def check_lives_again(self):
        self.wait_for_more_life()
        self.wait_for_log("answers itself again")
        self.assertEqual(self.world.stop_server(), 0)

    def test_when_nobody_can_be_accepted(self):
        self.world.start_server()
        clients = [RawClient(self.world.socket_path) for _ in range(3)]
        for client in clients:
            self.addCleanup(client.close)
            client.ask(netstring(b"alias a@foreign.example"), netstring(b"NOTFOUND "))
        self.wait_for_more_life()
        with self.injected("accept4:error=EMFILE"):
            self.check_silence("no reply")
            self.wait_until_restarted(self.limit_s + OTHER_PERIOD_S)
            # Which is why the server is ended by a signal that lets it answer these. The first has made
            # room for the one that could not be accepted all the same.
            for client in clients[1:]:
                client.ask(netstring(b"alias a@foreign.example"), netstring(b"NOTFOUND "))
        self.check_lives_again()

    def test_when_the_queue_of_those_who_wait_is_full(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(self.world.socket_path)
            listening.listen(4)
            self.world.start_server(sockets=[listening])
        self.wait_for_more_life()
        with self.injected("accept4:error=EMFILE"):
            waiting = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
                    waiting[-1].connect(self.world.socket_path)
            self.check_silence(f"cannot connect to unix:{self.world.socket_path}: nobody is accepted")
            for client in waiting:
                client.close()
        self.check_lives_again()

    def test_when_nothing_can_be_sent(self):
        self.world.start_server()
        self.wait_for_more_life()
        with self.injected("sendto:error=EPIPE"):
            self.check_silence("cannot send the question")
        self.check_lives_again()

    def test_when_the_loop_hangs(self):
        self.world.start_server()
        self.wait_for_more_life()
        hang_us = 2 * self.limit_s * 1_000_000
        with self.injected(f"epoll_wait:delay_exit={hang_us}:when=1"):
            self.wait_until_restarted()
        self.wait_for_more_life()
        told = [when for when, _ in self.manager.told(ALIVE)]
        self.assertGreater(max(after - before for before, after in zip(told, told[1:])), self.limit_s)
        self.assertEqual(self.world.stop_server(), 0)


if __name__ == "__main__":
    tap.main()
