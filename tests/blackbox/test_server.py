"""lpaliasd as a process: listeners, start and stop, and that stopping loses no request."""

import os
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, World, program
from raw_client import RawClient
from recording_map import netstring

GOOD = netstring(b"alias jdoe@foreign.example")
GOOD_REPLY = netstring(b"NOTFOUND ")


def setUpModule():
    if program("LPALIASD") is None:
        raise unittest.SkipTest("LPALIASD is not set")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class ServerCase(unittest.TestCase):
    """A World for each case; the server is started by the case."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def run_server(self, *arguments, timeout_s=PATIENCE_S):
        """Runs lpaliasd to its end."""
        return subprocess.run([program("LPALIASD"), *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s, check=False)

    def connect(self, endpoint=None):
        client = RawClient(endpoint or self.world.socket_path)
        self.addCleanup(client.close)
        return client


class Start(ServerCase):
    """Arguments, configuration, and who may listen where."""

    def test_exit_status_of_the_command_line(self):
        wrong = os.path.join(self.world.directory, "wrong.conf")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write('no-such-key = "x"\n')
        for arguments, status in [
            (["--help"], 0),
            (["--version"], 0),
            (["--nonsense"], 64),
            (["-c"], 64),
            (["argument"], 64),
            (["-c", wrong], 78),
            (["-c", "/nonexistent"], 78),
        ]:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_server(*arguments).returncode, status)

    def test_several_listeners_at_once_and_ports_that_the_system_chooses(self):
        second = os.path.join(self.world.directory, "second")
        self.world.listeners = [
            f'socketmap = {{ "unix:{self.world.socket_path}", "unix:{second}", '
            '"inet:127.0.0.1:0", "inet:[::1]:0" }',
            'tcp-table "inet:127.0.0.1:0" { map = alias }',
            'tcp-table "inet:[::1]:0" { map = domain }',
        ]
        self.world.write_config()
        self.world.start_server()
        ports = {(protocol, address): int(port) for protocol, address, port in
                 re.findall(r"(socketmap|tcp-table) inet:([0-9.]+|\[::1\]):(\d+)",
                            self.world.server_log())}
        self.assertEqual(len(ports), 4)
        self.assertNotIn(0, ports.values())
        self.connect(second).ask(GOOD, GOOD_REPLY)
        for (protocol, address), port in ports.items():
            with socket.create_connection((address.strip("[]"), port), timeout=10) as client:
                client.sendall(GOOD if protocol == "socketmap" else b"get foreign.example\n")
                self.assertEqual(client.recv(100),
                                 GOOD_REPLY if protocol == "socketmap" else b"500 \n")
        self.assertEqual(self.world.stop_server(), 0)
        self.assertFalse(os.path.exists(second))

    def test_the_socket_has_its_mode_whatever_the_umask(self):
        for mask in (0, 0o077):
            old = os.umask(mask)
            try:
                self.world.start_server()
            finally:
                os.umask(old)
            mode = os.stat(self.world.socket_path).st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o660)
            self.assertEqual(self.world.stop_server(), 0)
            self.assertFalse(os.path.exists(self.world.socket_path))

    def test_a_second_server_on_a_path_is_refused_and_the_first_goes_on(self):
        self.world.listeners = [f'socketmap = {{ "unix:{self.world.socket_path}" }}']
        self.world.write_config()
        self.world.start_server()
        client = self.connect()
        client.ask(GOOD, GOOD_REPLY)
        second = self.run_server("-c", self.world.config_file)
        self.assertEqual(second.returncode, 71)
        self.assertIn("another server is listening", second.stderr)
        client.ask(GOOD, GOOD_REPLY)
        self.connect().ask(GOOD, GOOD_REPLY)

    def test_another_programs_socket_is_not_taken_over(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.world.socket_path)
            other.listen()
            refused = self.run_server("-c", self.world.config_file)
            self.assertEqual(refused.returncode, 71)
            self.assertIn("another server is listening", refused.stderr)
            self.connect()

    def test_the_socket_of_a_killed_server_is_cleaned_up(self):
        self.world.start_server()
        self.world.kill_server()
        self.assertTrue(os.path.exists(self.world.socket_path))
        self.world.start_server()
        self.connect().ask(GOOD, GOOD_REPLY)

    def test_a_file_at_the_path_is_not_removed(self):
        with open(self.world.socket_path, "w", encoding="utf-8") as file:
            file.write("precious")
        refused = self.run_server("-c", self.world.config_file)
        self.assertEqual(refused.returncode, 71)
        self.assertIn("not a socket", refused.stderr)
        with open(self.world.socket_path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_port_that_is_taken_is_refused(self):
        with socket.create_server(("127.0.0.1", self.world.tcp_port)):
            refused = self.run_server("-c", self.world.config_file)
        self.assertEqual(refused.returncode, 71)
        self.assertIn(str(self.world.tcp_port), refused.stderr)
        self.assertFalse(os.path.exists(self.world.socket_path))

    def test_a_configuration_without_a_listener_is_refused(self):
        self.world.listeners = []
        self.world.write_config()
        refused = self.run_server("-c", self.world.config_file)
        self.assertEqual(refused.returncode, 71)
        self.assertIn("no listener", refused.stderr)

    def test_root_becomes_the_configured_user(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.world.server = ['user = "nobody"']
        self.world.write_config()
        self.world.start_server()
        with open(f"/proc/{self.world.process.pid}/status", encoding="ascii") as file:
            status = file.read()
        uid = subprocess.run(["id", "-u", "nobody"], capture_output=True, text=True,
                             check=True).stdout.strip()
        self.assertRegex(status, rf"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        self.connect().ask(GOOD, GOOD_REPLY)
        self.assertEqual(self.world.stop_server(), 0)

    def test_a_user_that_there_is_not_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.world.server = ['user = "no-such-user"']
        self.world.write_config()
        refused = self.run_server("-c", self.world.config_file)
        self.assertEqual(refused.returncode, 71)
        self.assertIn("no-such-user", refused.stderr)


class Stop(ServerCase):
    """SIGTERM: every request that came is answered."""

    def test_requests_in_flight_are_answered(self):
        self.world.start_server()
        clients = [self.connect(endpoint) for endpoint in
                   [self.world.socket_path, self.world.inet_port] for _ in range(40)]
        for client in clients:
            client.send(GOOD * 300 + GOOD[:7])
        self.assertEqual(self.world.stop_server(), 0)
        for client in clients:
            client.expect(GOOD_REPLY * 300)
            client.expect_end()

    def test_whatever_could_be_written_is_answered(self):
        """Clients that never stop asking: none has a request accepted and not answered."""
        self.world.start_server()
        lost, asked = [], []

        def keep_asking():
            count = 0
            try:
                while True:
                    with RawClient(self.world.socket_path) as client:
                        for _ in range(50):
                            client.send(GOOD * 3)
                            got = client.receive(3 * len(GOOD_REPLY))
                            if got != GOOD_REPLY * 3:
                                lost.append(got)
                                return
                            count += 1
            except OSError:
                pass  # refused: the server is gone
            asked.append(count)

        threads = [threading.Thread(target=keep_asking) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        status = self.world.stop_server()
        for thread in threads:
            thread.join(30)
        self.assertEqual(status, 0)
        self.assertEqual(lost, [])
        self.assertGreater(sum(asked), 50)

    def test_it_ends_at_once_when_all_are_idle(self):
        """Not only when the limit of 5 s for stopping is reached."""
        taken_s = []
        while len(taken_s) < 5 and not (taken_s and taken_s[-1] < 3):  # again if the machine was slow
            self.world.start_server()
            for client in [self.connect() for _ in range(100)]:
                client.ask(GOOD, GOOD_REPLY)
            begin = time.monotonic()
            self.assertEqual(self.world.stop_server(), 0)
            taken_s.append(time.monotonic() - begin)
        self.assertLess(min(taken_s), 3)

    def test_a_client_that_reads_nothing_cannot_keep_it(self):
        self.world.start_server()
        client = self.connect()
        client.socket.setblocking(False)
        try:
            while True:
                client.socket.send(GOOD * 1000)
        except BlockingIOError:
            pass
        begin = time.monotonic()
        self.assertEqual(self.world.stop_server(), 0)
        self.assertLess(time.monotonic() - begin, PATIENCE_S / 2)


class Inherited(ServerCase):
    """Listening sockets from the service manager, which outlive the server."""

    def setUp(self):
        super().setUp()
        unix = socket.socket(socket.AF_UNIX)
        unix.bind(self.world.socket_path)
        inet = socket.socket(socket.AF_INET)
        inet.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        inet.bind(("127.0.0.1", self.world.inet_port))
        self.sockets = [inet, unix]  # in another order than the configuration's
        for each in self.sockets:
            each.listen(64)
            self.addCleanup(each.close)

    def test_they_are_served_and_the_others_are_bound(self):
        self.world.start_server(sockets=self.sockets)
        for endpoint in (self.world.socket_path, self.world.inet_port):
            self.connect(endpoint).ask(GOOD, GOOD_REPLY)
        self.assertEqual(self.world.ask_tcp("jdoe@foreign.example")[0], 500)
        self.assertFalse(os.path.exists(self.world.socket_path + ".lock"))

    def test_connections_wait_for_the_next_server(self):
        """None is refused while the server is stopped, again and again. Who was accepted and had not
        asked yet asks again, once, as Postfix does."""
        answered, wrong, is_over = [0], [], threading.Event()

        def ask_once():
            with RawClient(self.world.socket_path) as client:
                try:
                    client.send(GOOD)
                    return client.receive(len(GOOD_REPLY))
                except OSError:
                    return b""

        def keep_asking():
            while not is_over.is_set():
                got = ask_once() or ask_once()
                if got != GOOD_REPLY:
                    wrong.append(got)
                answered[0] += 1

        self.world.start_server(sockets=self.sockets)
        threads = [threading.Thread(target=keep_asking) for _ in range(4)]
        for thread in threads:
            thread.start()
        waiting = []
        for _ in range(6):
            self.assertEqual(self.world.stop_server(), 0)
            self.assertTrue(os.path.exists(self.world.socket_path))
            waiting.append(self.connect())
            waiting[-1].send(GOOD)
            self.world.start_server(sockets=self.sockets)
            waiting[-1].expect(GOOD_REPLY)
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        self.assertEqual(wrong, [])
        self.assertGreater(answered[0], 6)

    def refused(self, sockets):
        with self.assertRaises(RuntimeError) as refusal:
            self.world.start_server(sockets=sockets)
        return str(refusal.exception)

    def test_one_that_is_not_configured_is_refused(self):
        """Otherwise those who connect to it would wait for ever."""
        path = os.path.join(self.world.directory, "other")
        other = socket.socket(socket.AF_UNIX)
        self.addCleanup(other.close)
        other.bind(path)
        other.listen(1)
        self.assertIn(f"unix:{path} was handed over", self.refused([*self.sockets, other]))
        self.world.start_server(sockets=self.sockets)

    def test_what_does_not_listen_is_refused(self):
        idle = socket.socket(socket.AF_UNIX)
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for wrong in (idle, datagrams):
            self.addCleanup(wrong.close)
            self.assertIn("descriptor 4 of LISTEN_FDS is no listening", self.refused([self.sockets[0], wrong]))

    def test_what_another_process_was_given_is_not_taken(self):
        for each in self.sockets:
            each.close()
        os.unlink(self.world.socket_path)
        self.world.start_server(prefix=["env", "LISTEN_PID=1", "LISTEN_FDS=9"])
        self.assertEqual(self.world.stop_server(), 0)


if __name__ == "__main__":
    tap.main()
