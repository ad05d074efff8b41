"""Nobody notices: real mail and raw questions while lpaliasd is reloaded, restarted and upgraded.

Each cycle of two seconds has one of each, and some restarts without a pause, with listening sockets
that outlive the server as those of a systemd socket unit do, while a refresh and changes of targets
are committed all the time, and each server asks itself for the watchdog. Postfix must say no 4xx and
no 5xx, every raw client must get the answer it knows, and every mail must arrive where it belongs.
Raw clients do as Postfix does: when a connection ends before the reply they ask once more over a new
one, and do not try again when they cannot connect.

The short form has 7 cycles, the long one 30.
"""

import collections
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import postfix_instance
import tap
from lpalias_world import ALERTS, PATIENCE_S, World, connect
from mail_sink import MailSink
from postfix_instance import SYSTEM_PATH, PostfixInstance, example, wait_for
from recording_map import netstring, read_netstring
from service_manager import ServiceManager

FULL = os.environ.get("LPALIAS_FULL") == "1"
CYCLES = 30 if FULL else 7
CYCLE_S = 2
RAW_CLIENTS = 64
RESTARTS_IN_A_HURRY = 3
BACKLOG = 4096  # as in lpaliasd.socket
WATCHDOG_S = 6  # each server asks itself, at once and each quarter of it
MAILS_A_BATCH = 20
SENDER = "someone@sender.example"

DESK = "desk@operators.example"
KIM = ["kim@target.example", "kim@elsewhere.example"]
NOT_FOUND = {"NOTFOUND "}

# What is asked, and all that may be answered. Targets of kim and abuse change meanwhile.
QUESTIONS = {
    ("alias", "jdoe@ubuntu.com"): {"OK jdoe@target.example"},
    ("alias", "JDoe+Tag@Ubuntu.com"): {"OK jdoe+tag@target.example", "OK jdoe+Tag@target.example"},
    ("alias", "several@ubuntu.com"): {"OK one@target.example,two@target.example,three@elsewhere.example"},
    ("alias", "kim@edubuntu.org"): {"OK " + target for target in KIM},
    ("alias", "abuse@ubuntu.com"): {"OK " + ALERTS, "OK " + DESK},
    ("alias", "nobody@ubuntu.com"): NOT_FOUND,
    ("alias", "jdoe@foreign.example"): NOT_FOUND,
    ("alias", "nobody@kubuntu.org"): {"TEMP lpalias cannot tell now"},  # it is closed
    ("domain", "kubuntu.org"): {"OK kubuntu.org"},
    ("domain", "foreign.example"): NOT_FOUND,
    ("recipient", "lee@lubuntu.me"): {"OK OK"},
    ("sender", "jdoe@ubuntu.com"): {"OK jdoe"},
    ("access", "jdoe@ubuntu.com"): NOT_FOUND,
}

# Recipients of the mail, and where each of its mails goes: to one of each list.
MAIL = {
    "jdoe@ubuntu.com": [["jdoe@target.example"]],
    "lee+tag@lubuntu.me": [["lee+tag@target.example"]],
    "several@ubuntu.com": [["one@target.example"], ["two@target.example"], ["three@elsewhere.example"]],
    "kim@edubuntu.org": [KIM],
    "abuse@ubuntu.com": [[ALERTS, DESK]],
    "somebody@foreign.example": [["somebody@foreign.example"]],
}

# Lines of the mail log that say that something was not as it should be.
COMPLAINT = re.compile(r"\b(warning|error|fatal|panic): |\bNOQUEUE\b|\breject|"
                       r"\bstatus=(?!sent\b)|[ :][45]\d\d[ -][45]\.\d+\.\d+\b")
# A line of the example is overridden; and the machine's clocks need not agree to the second.
HARMLESS = re.compile(r"overriding earlier entry: virtual_alias_domains|"
                      r"file system clock is \d+ seconds ahead|resetting file time stamps")


class SocketmapWire:
    """Questions and replies of socketmap."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    questions = list(QUESTIONS)

    @staticmethod
    def request(name, key):
        return netstring(f"{name} {key}".encode())

    @staticmethod
    def read_reply(stream):
        """None: the connection ended before the reply."""
        reply = read_netstring(stream)
        return None if reply is None else reply.decode()


class TcpTableWire(SocketmapWire):
    """Those of tcp_table, in the words of socketmap; the listener serves the map of aliases."""

    questions = [question for question in QUESTIONS if question[0] == "alias"]
    words = {"200": "OK ", "400": "TEMP ", "500": "NOTFOUND "}

    @staticmethod
    def request(name, key):
        return b"get " + urllib.parse.quote(key, safe="@.+").encode() + b"\n"

    @classmethod
    def read_reply(cls, stream):
        line = stream.readline()
        if line == b"":
            return None
        if not line.endswith(b"\n"):
            raise EOFError("the peer hung up inside a line")
        code, _, text = line.decode().rstrip("\n").partition(" ")
        return cls.words[code] + urllib.parse.unquote(text)


class Worker(threading.Thread):
    """Does one thing again and again until it is told to stop, or fails."""

    def __init__(self):
        super().__init__()
        self.rounds = 0
        self.failure = None
        self._is_over = threading.Event()

    def run(self):
        try:
            while not self._is_over.is_set():
                self.round()
                self.rounds += 1
        except Exception as error:  # whatever it is, the test case must fail by it
            self.failure = f"{type(self).__name__}: {type(error).__name__}: {error}"

    def end(self):
        self._is_over.set()

    def pause(self, most_s):
        """So that many workers leave the machine to the programs that are tested."""
        self._is_over.wait(random.uniform(0, most_s))


class RawClient(Worker):
    """Asks over one connection for a while, then over another; compares every reply."""

    def __init__(self, wire):
        super().__init__()
        self.wire = wire
        self.reconnects = 0
        self.connections = 0
        self._socket = self._stream = None

    def run(self):
        super().run()
        self._hang_up()

    def round(self):
        question = random.choice(self.wire.questions)
        request = self.wire.request(*question)
        reply = self._ask(request)
        if reply is None:
            self.reconnects += 1
            reply = self._ask(request)
        if reply is None:
            raise AssertionError(f"{question}: two connections in a row ended before the reply")
        if reply not in QUESTIONS[question]:
            raise AssertionError(f"{question}: got {reply!r}")
        if random.random() < 0.1:
            self._hang_up()
        self.pause(0.1)

    def _ask(self, request):
        """The reply; None: the connection ended before it."""
        if self._socket is None:
            self._socket = connect(self.wire.endpoint)
            self._stream = self._socket.makefile("rb")
            self.connections += 1
        try:
            self._socket.sendall(request)
            reply = self.wire.read_reply(self._stream)
        except (BrokenPipeError, ConnectionResetError):
            reply = None
        if reply is None:
            self._hang_up()
        return reply

    def _hang_up(self):
        if self._socket is not None:
            self._stream.close()
            self._socket.close()
        self._socket = None


class Mailer(Worker):
    """Hands batches of mail to Postfix with smtp-source, which ends at the first 4xx or 5xx."""

    numbers = itertools.count()

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.batches = {}  # recipient by subject

    def round(self):
        recipient = random.choice(list(MAIL))
        subject = f"batch {next(self.numbers)}"
        # With -d several mails go over one connection, which keeps a smtpd and its connection to us.
        keep = ["-d"] if random.random() < 0.5 else []
        ran = subprocess.run(
            ["smtp-source", *keep, "-S", subject, "-s", "4", "-m", str(MAILS_A_BATCH), "-l", "500",
             "-f", SENDER, "-t", recipient, f"127.0.0.1:{self.port}"],
            env={"PATH": SYSTEM_PATH}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=3 * PATIENCE_S, check=False)
        if ran.returncode != 0 or ran.stderr != "":
            raise AssertionError(f"{recipient}: {ran.returncode}: {ran.stdout}{ran.stderr}")
        self.batches[subject] = recipient


class Committer(Worker):
    """Changes the cache: a refresh that finds a new member, a target for that one, another for kim."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.refreshes = 0

    def round(self):
        name = f"joined-{self.rounds}"
        self.world.launchpad.add_person(name)
        self.world.launchpad.add_member("ubuntumembers", name)
        self.world.lpalias("refresh")
        self.refreshes += 1
        self.world.lpalias("target", "set", name, f"{name}@target.example")
        self.world.lpalias("target", "set", "kim", KIM[(self.rounds + 1) % 2])


class Flow(unittest.TestCase):
    """See the top of the file."""

    def setUp(self):
        reason = postfix_instance.why_not() or lpalias_world.why_not()
        if reason is None and shutil.which("smtp-source", path=SYSTEM_PATH) is None:
            reason = "smtp-source is not installed"
        if reason:
            self.skipTest(reason)
        self.sink = self.enterContext(MailSink())
        self.mta = PostfixInstance(
            pieces=[example("main.cf.socketmap-unix")], chrooted=(),
            master=[example("master.cf.chroot")], sink_port=self.sink.port,
            settings={
                "virtual_alias_domains": "socketmap:unix:lpalias/lookup:domain",
                "smtpd_recipient_restrictions": "check_recipient_access socketmap:unix:lpalias/lookup:access,"
                                                "check_policy_service unix:lpalias/policy",
            })
        self.addCleanup(self.mta.close)
        self.world = World(socket_directory=self.mta.socket_directory)
        self.addCleanup(self.world.close)
        policy = os.path.join(self.mta.socket_directory, "policy")
        self.world.listeners.append(f'policy = {{ "unix:{policy}" }}')
        self.world.write_config()
        self.world.fill()
        self.sockets = [self.listen_unix(self.world.socket_path), self.listen_unix(policy),
                        self.listen_inet(self.world.inet_port), self.listen_inet(self.world.tcp_port)]
        self.install_program()
        self.manager = self.enterContext(ServiceManager(self.world.directory, WATCHDOG_S))
        self.world.start_server(sockets=self.sockets)
        self.mta.start()

    def listen_unix(self, path):
        """Its group is that of the directory."""
        listening = self.enterContext(socket.socket(socket.AF_UNIX))
        listening.bind(path)
        os.chmod(path, 0o660)
        listening.listen(BACKLOG)
        return listening

    def listen_inet(self, port):
        listening = self.enterContext(socket.socket(socket.AF_INET))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(BACKLOG)
        return listening

    # What is done to the server.

    def install_program(self):
        """Puts a copy of lpaliasd where the next start takes it from; it may be running."""
        if not hasattr(self, "built"):
            self.built = lpalias_world.program("LPALIASD")
            self.addCleanup(os.environ.update, LPALIASD=self.built)
            os.environ["LPALIASD"] = os.path.join(self.world.directory, "lpaliasd")
        installed = lpalias_world.program("LPALIASD")
        shutil.copy(self.built, installed + ".new")
        os.rename(installed + ".new", installed)

    def is_installed_program(self, process):
        return os.path.samefile(f"/proc/{process.pid}/exe", lpalias_world.program("LPALIASD"))

    def reload(self, cycle):
        """SIGHUP, with another target for a role, and until it was read."""
        self.world.domain_keys["ubuntu.com"] = f'role "abuse" {{ targets = "{DESK}" }}' if cycle % 2 == 0 else ""
        self.world.write_config()
        begin = len(self.world.server_log())
        self.world.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the configuration was read again" in self.world.server_log()[begin:], PATIENCE_S,
                 "the reload")

    def restart(self, cycle):
        """As systemd does it: the new server is started when the old one has ended."""
        self.assertEqual(self.world.stop_server(), 0)
        self.world.start_server(sockets=self.sockets)

    def hurry(self, cycle):
        """Restarts on the heels of one another: whoever was turned away by one server is just being
        accepted by the next when that one is told to stop."""
        for _ in range(RESTARTS_IN_A_HURRY):
            self.assertEqual(self.world.stop_server(), 0)
            begin = self.world.launch_server(sockets=self.sockets)
            end_s = time.monotonic() + PATIENCE_S
            while "ready, listening" not in self.world.server_log()[begin:]:  # at once: no sleep
                self.assertLess(time.monotonic(), end_s)
        self.restart(cycle)

    def upgrade(self, cycle):
        """Another file at the same path; the two servers overlap, with and without a moment in which
        both accept connections."""
        self.install_program()
        old, self.world.process = self.world.process, None
        self.addCleanup(old.kill)
        is_early = cycle % 2 == 0
        if is_early:
            old.send_signal(signal.SIGTERM)
        self.world.start_server(sockets=self.sockets)
        if not lpalias_world.wrapper():
            self.assertTrue(self.is_installed_program(self.world.process))
        if not is_early:
            old.send_signal(signal.SIGTERM)
        self.assertEqual(old.wait(PATIENCE_S), 0)

    # The proof.

    def start_workers(self):
        wires = [SocketmapWire(self.world.socket_path)] * 5 + [
            SocketmapWire(self.world.inet_port)] * 2 + [TcpTableWire(self.world.tcp_port)]
        self.raw = [RawClient(wires[i % len(wires)]) for i in range(RAW_CLIENTS)]
        self.mailers = [Mailer(self.mta.port) for _ in range(2)]
        self.committer = Committer(self.world)
        self.workers = [*self.raw, *self.mailers, self.committer]
        for worker in self.workers:
            worker.start()
        self.addCleanup(self.end_workers)

    def end_workers(self):
        for worker in self.workers:
            worker.end()
        for worker in self.workers:
            worker.join()

    def assert_no_failure(self):
        self.assertEqual([worker.failure for worker in self.workers if worker.failure], [])

    def wait_for_rounds(self):
        """Each worker gets something done in each cycle, however slow the machine is."""
        before = [worker.rounds for worker in self.workers]
        wait_for(lambda: all(worker.failure or worker.rounds > rounds
                             for worker, rounds in zip(self.workers, before)),
                 2 * PATIENCE_S, "another round of all")
        self.assert_no_failure()

    def run_cycles(self):
        """Returns how often each thing was done."""
        done = collections.Counter()
        for cycle in range(CYCLES):
            for act in (self.reload, self.restart, self.upgrade, self.hurry):
                begin_s = time.monotonic()
                act(cycle)
                done[act.__name__] += 1
                self.assert_no_failure()
                time.sleep(max(0.0, CYCLE_S / 4 - (time.monotonic() - begin_s)))
            self.wait_for_rounds()
        return done

    def assert_mail_arrived(self):
        """Every mail of every batch, once, at one of its targets; returns how many were sent."""
        self.mta.wait_until_idle(3 * PATIENCE_S)
        self.sink.wait_until_written()
        arrived = collections.defaultdict(collections.Counter)
        for mail in self.sink.messages():
            arrived[mail.headers["Subject"]].update(mail.recipients)
        batches = {subject: recipient for mailer in self.mailers for subject, recipient in mailer.batches.items()}
        for subject, recipient in batches.items():
            at = arrived.pop(subject)
            for targets in MAIL[recipient]:
                self.assertEqual(sum(at.pop(target, 0) for target in targets), MAILS_A_BATCH, (subject, recipient))
            self.assertEqual(at, {}, (subject, recipient))
        self.assertEqual(arrived, {})
        return MAILS_A_BATCH * len(batches)

    def complaints(self):
        return [line for line in self.mta.log().splitlines()
                if COMPLAINT.search(line) and not HARMLESS.search(line)]

    def test_restarts_that_nobody_notices(self):
        begin_s = time.monotonic()
        self.start_workers()
        self.wait_for_rounds()
        done = self.run_cycles()
        self.end_workers()
        self.assert_no_failure()
        mails = self.assert_mail_arrived()
        self.assertEqual(self.complaints()[:20], [])
        self.assertEqual(set(done.values()), {CYCLES})
        restarts = done["restart"] + (RESTARTS_IN_A_HURRY + 1) * done["hurry"]
        self.assertNotIn("level=error", self.world.server_log())
        signs_of_life = len(self.manager.told("WATCHDOG=1"))
        self.assertGreater(signs_of_life, CYCLES)
        refreshes, rounds = self.committer.refreshes, self.committer.rounds
        self.assertGreaterEqual(rounds, CYCLES)
        print(f"# {time.monotonic() - begin_s:.0f} s: {mails} mails; {sum(each.rounds for each in self.raw)} "
              f"raw lookups over {sum(each.connections for each in self.raw)} connections, "
              f"{sum(each.reconnects for each in self.raw)} asked again; {done['reload']} reloads, "
              f"{restarts} restarts, {done['upgrade']} upgrades, {signs_of_life} signs of life; {refreshes} refreshes and "
              f"{2 * rounds} changed targets")


if __name__ == "__main__":
    tap.main()
