"""What lpaliasd logs: the form of a line, levels, whose addresses, and entries of the journal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, World, program, wrapper
from raw_client import RawClient
from service_manager import ServiceManager

LINE = re.compile(r'ts=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(error|warning|info|debug) msg="(\\.|[^"\\])*"'
                  r'( [a-z_]+=([^ "=]+|"(\\.|[^"\\])*"))*')
ALIASES = {"press@ubuntu.com": ["secret-target@target.example"], "team@lubuntu.me": ["one@target.example", "two@target.example"]}
ASKED = ["press@ubuntu.com", "press+tag@ubuntu.com", "team@lubuntu.me", "unknown@ubuntu.com", "stranger@foreign.example"]


def setUpModule():
    if program("LPALIASD") is None or program("LPALIAS") is None:
        raise unittest.SkipTest("LPALIASD or LPALIAS is not set")


class LogCase(unittest.TestCase):
    """A World for each case, with a few static aliases, and a service manager that is told when it is
    ready, as a log that says little does not say that."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.fill_static(ALIASES)
        self.policy = os.path.join(self.world.directory, "policy")
        self.world.listeners.append(f'policy = {{ "unix:{self.policy}" }}')
        self.manager = ServiceManager(self.world.directory)
        self.manager.__enter__()
        self.addCleanup(self.manager.__exit__)

    def start(self, *keys, options=(), before=(), environment=None):
        """Starts lpaliasd with these lines in its section, its log in log_path."""
        self.world.server = list(keys)
        self.world.write_config()
        starts = len(self.manager.told("READY=1"))
        with open(self.world.log_path, "ab") as log:
            self.world.process = subprocess.Popen(
                [*before, *wrapper(), program("LPALIASD"), "-c", self.world.config_file, *options],
                stdin=subprocess.DEVNULL, stderr=log, env={**os.environ, **(environment or {})})
        self.manager.wait_for("READY=1", more_than=starts)

    def stop(self):
        """Ends it and returns the whole log, the lines of which are well-formed."""
        self.assertEqual(self.world.stop_server(), 0)
        log = self.world.server_log()
        for line in log.splitlines():
            self.assertRegex(line, LINE)
            self.assertEqual(LINE.match(line).end(), len(line), line)
        return log

    def ask_everything(self):
        """All keys over all protocols."""
        for key in ASKED:
            for name in ("alias", "domain", "recipient", "sender", "access"):
                self.world.ask(name, key)
            self.world.ask_tcp(key)
            with RawClient(self.policy) as client:
                client.send(f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={key}\n\n".encode("ascii"))
                client.expect(b"action=")

    def wait_for_log(self, words):
        end = time.monotonic() + PATIENCE_S
        while words not in self.world.server_log():
            self.assertLess(time.monotonic(), end, f"{words}: {self.world.server_log()}")
            time.sleep(0.01)


class Addresses(LogCase):
    """Personal data."""

    def check_no_targets(self, log):
        for targets in ALIASES.values():
            for target in targets:
                self.assertNotIn(target, log)

    def test_no_address_at_debug_but_hashes_that_link_lines(self):
        self.start("log-level = debug")
        self.ask_everything()
        self.world.ask("alias", "a\nlevel=error msg=b@ubuntu.com")
        first = self.stop()
        for key in ASKED:
            self.assertNotIn(key, first)
        self.assertNotIn("b@ubuntu.com", first)
        self.check_no_targets(first)
        hashes = re.findall(r"map=alias key_hash=([0-9a-f]{16}) answer=[a-z]+", first)
        # Each of ASKED twice, socketmap and tcp_table, and the odd one.
        self.assertEqual(len(hashes), 2 * len(ASKED) + 1)
        self.assertEqual(len(set(hashes)), len(ASKED) + 1)
        self.assertIn("map=access", first)
        self.assertIn("answer=found", first)
        self.start("log-level = debug")
        self.world.ask("alias", ASKED[0])
        again = self.stop()[len(first):]
        self.assertIn("key_hash=", again)
        self.assertFalse([each for each in hashes if each in again], "another run has another key")

    def test_addresses_at_debug_if_wanted_and_never_targets(self):
        self.start("log-level = debug", "log-addresses = true")
        self.ask_everything()
        self.world.ask("alias", 'a"\nts=1 level=error msg=b@ubuntu.com')
        log = self.stop()
        for key in ASKED:
            self.assertIn(f" key={key} ", log)
        self.assertIn(r'key="a\"\x0ats=1 level=error msg=b@ubuntu.com"', log)
        self.check_no_targets(log)

    def test_nothing_of_a_lookup_below_debug(self):
        self.start("log-addresses = true")
        self.ask_everything()
        log = self.stop()
        self.assertNotIn("asked", log)
        self.assertNotIn("@", log)


class Level(LogCase):
    """Which lines there are."""

    def test_the_level_of_the_configuration(self):
        self.start("log-level = error")
        self.assertEqual(self.stop(), "")

    def test_verbose_wins_over_the_configuration(self):
        self.start("log-level = error", options=["-v"])
        self.world.ask("alias", ASKED[0])
        self.assertIn('level=debug msg="asked"', self.stop())

    def test_signals_raise_and_lower_it_and_end_at_the_ends(self):
        self.start()
        for number, words in ((signal.SIGUSR1, "before=info now=debug"), (signal.SIGUSR2, "before=debug now=info"),
                              (signal.SIGUSR2, "before=info now=warning"), (signal.SIGUSR2, "before=warning now=error"),
                              (signal.SIGUSR1, "before=error now=warning")):
            self.world.process.send_signal(number)
            self.wait_for_log(words)
        for _ in range(3):
            self.world.process.send_signal(signal.SIGUSR2)
            self.world.ask("alias", ASKED[0])
        log = self.stop()
        self.assertNotIn("asked", log)
        # It was as quiet as can be before the last of these.
        self.assertEqual(log.count("now=error"), 2)

    def test_a_signal_shows_lookups_of_a_server_that_runs(self):
        self.start()
        self.world.ask("alias", ASKED[0])
        self.world.process.send_signal(signal.SIGUSR1)
        self.wait_for_log("now=debug")
        self.assertNotIn("asked", self.world.server_log())
        self.world.ask("alias", ASKED[0])
        self.assertIn("asked", self.stop())


def read_entry(datagram):
    """{name: value} of an entry in the journal's native protocol."""
    fields = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, is_text, value = line.partition(b"=")
        if not is_text:
            length = int.from_bytes(datagram[:8], "little")
            value, datagram = datagram[8:8 + length], datagram[9 + length:]
        fields[name.decode("ascii")] = value.decode("utf-8")
    return fields


class Journal(LogCase):
    """A socket of ours where journald's would be, in a mount namespace of the server's own."""

    # /run is another one in there, so that nothing of the machine's is covered for good or missing.
    STAND_IN = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && ' \
               'mount --bind "$1" /run/systemd/journal && shift && exec "$@"'

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            self.skipTest("needs root and unshare")
        directory = os.path.join(self.world.directory, "journal")
        os.mkdir(directory)
        self.before = ["unshare", "--mount", "sh", "-c", self.STAND_IN, "sh", directory]
        if subprocess.run([*self.before, "true"], check=False).returncode != 0:
            self.skipTest("no mount namespace")
        self.journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.journal.close)
        self.journal.bind(os.path.join(directory, "socket"))
        self.journal.settimeout(PATIENCE_S)
        open(self.world.log_path, "ab").close()

    def stream(self, path):
        there = os.stat(path)
        return {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}

    def read_until(self, message):
        entries = []
        while not entries or message not in entries[-1]["MESSAGE"]:
            entries.append(read_entry(self.journal.recv(65536)))
        return entries

    def test_lines_become_entries_with_fields(self):
        self.start("log-level = debug", "log-addresses = true", before=self.before, environment=self.stream(self.world.log_path))
        self.assertEqual(self.read_until("ready, listening")[-1]["PRIORITY"], "6")
        self.world.ask("alias", ASKED[0])
        entry = self.read_until("asked")[-1]
        self.assertEqual(entry, {
            "MESSAGE": f"asked map=alias key={ASKED[0]} answer=found", "PRIORITY": "7", "SYSLOG_IDENTIFIER": "lpaliasd",
            "LPALIAS_MAP": "alias", "LPALIAS_KEY": ASKED[0], "LPALIAS_ANSWER": "found"})
        # A peer's bytes forge no field and no entry.
        self.world.ask("alias", "x\nPRIORITY=0\nLPALIAS_MAP=forged@ubuntu.com")
        entry = self.read_until("asked")[-1]
        self.assertEqual((entry["PRIORITY"], entry["LPALIAS_MAP"]), ("7", "alias"))
        self.assertIn("PRIORITY=0", entry["LPALIAS_KEY"])
        self.assertNotIn("\n", entry["MESSAGE"])
        os.rename(self.world.cache, self.world.cache + "-away")
        self.assertEqual(self.read_until("no cache at")[-1]["PRIORITY"], "3")
        self.assertEqual(self.stop(), "", "nothing is said twice")

    def test_standard_error_that_is_not_the_journals_gets_the_lines(self):
        self.start(before=self.before, environment=self.stream(self.world.config_file))
        self.assertIn("ready, listening", self.stop())
        self.journal.setblocking(False)
        self.assertRaises(BlockingIOError, self.journal.recv, 1)


if __name__ == "__main__":
    tap.main()
