"""`lpalias notify` killed at any moment: every mail arrives, and at most one of them twice.

What a crash between sending and deleting repeats is the very same mail, with the same Message-ID.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from lpalias_world import ALERTS, World, program, why_not
from mail_sink import MailSink

FULL = os.environ.get("LPALIAS_FULL") == "1"
TEAM, DOMAIN = "ubuntumembers", "ubuntu.com"
AFTER_S = 300
LAST_WORDS = "The end."
TEXTS = ("leaving.person", "leaving.admins", "digest.admins")
CALLS = ("sendto", "recvfrom", "pwrite64", "fdatasync", "fsync", "write")


def reason_to_skip():
    """A sentence what is missing, or None."""
    if mail_sink.program() is None:
        return "smtp-sink is not installed"
    return why_not()


def wait_for_group(leader):
    """Until no process of that group is left, which may take a moment after a kill."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.002)
    raise TimeoutError("a killed process does not end")


class Outbox:
    """A cache with mail for people who leave and for the admins, that can be put back as it was."""

    def __init__(self, case, people):
        self.names = [f"m{number:03d}" for number in range(people)]
        everybody = [*self.names, "stays"]
        self.world = World({"people": {name: {} for name in everybody},
                            "teams": {TEAM: {"members": everybody}}}, page_size=300)
        case.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: TEAM}
        self.world.top_lines = ['refresh { max-removals = "100%" }']
        self.texts = os.path.join(self.world.directory, "texts")
        os.mkdir(self.texts)
        for name in TEXTS:
            with open(os.path.join(self.texts, f"{name}.txt"), "w", encoding="ascii") as file:
                file.write(f"Subject: {name}\n\n{{reason}} {{detail}}\n\n{LAST_WORDS}\n")
        self.sink = MailSink()
        self.sink.start()
        case.addCleanup(self.sink.stop)
        self.use(self.sink.port)
        self.world.make_key()
        self.world.lpalias("refresh", "-q")
        self.world.lpalias("domain", "open", DOMAIN, "--yes")
        for name in self.names:
            self.world.lpalias("target", "set", name, f"{name}@target.example")
            self.world.launchpad.remove_member(TEAM, name)
        self.world.lpalias("notify", "-q")
        self.use(1)
        for after_s in (100, 200):
            self.world.lpalias("refresh", "-q", after_s=after_s)
        self.use(self.sink.port)
        waiting = json.loads(self.world.lpalias("notify", "--list", "--json").stdout)
        self.wanted = sorted([f"{name}@target.example" for name in self.names]
                             + [ALERTS for notice in waiting if notice["audience"] == "admins"])
        case.assertEqual(len(waiting), len(self.wanted))
        self.kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        case.addCleanup(shutil.rmtree, self.kept, ignore_errors=True)
        shutil.copytree(self.world.cache, os.path.join(self.kept, "cache"))

    def use(self, port):
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{port}"', f'templates = "{self.texts}"']
        self.world.write_config()

    def put_back(self):
        """The cache as it was, and nothing in the sink."""
        shutil.rmtree(self.world.cache)
        shutil.copytree(os.path.join(self.kept, "cache"), self.world.cache)
        self.sink.wait_until_written()
        self.sink.forget()

    def finish(self, case):
        """Hands over what is left; how many mails were repeated."""
        self.world.lpalias("notify", "-q", after_s=AFTER_S)
        self.sink.wait_until_written()
        # A mail that was cut off is no mail: each has to be there as a whole.
        whole = [mail for mail in self.sink.messages() if mail.body.rstrip().endswith(LAST_WORDS)]
        mails = [(mail.recipients[0], mail.headers["Message-ID"]) for mail in whole]
        case.assertEqual(sorted(who for who, _ in set(mails)), self.wanted,
                         "a mail was lost, or a repeated one has another Message-ID")
        repeated = len(mails) - len(set(mails))
        case.assertLessEqual(repeated, 1)
        case.assertEqual(self.world.lpalias("notify", "--list", "--json").stdout.strip(), "[]")
        return repeated


@unittest.skipIf(reason_to_skip(), reason_to_skip() or "")
class Kills(unittest.TestCase):
    """kill -9, at random and at each call."""

    def test_killed_at_random_moments(self):
        outbox = Outbox(self, 8)
        began = time.monotonic()
        outbox.world.lpalias("notify", "-q", after_s=AFTER_S)
        duration_s = time.monotonic() - began
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        wanted = 200 if FULL else 20
        kills = rounds = repeats = 0
        while kills < wanted:
            rounds += 1
            self.assertLess(rounds, 10 * wanted, "it always ends before it is killed")
            outbox.put_back()
            began = time.monotonic()
            with subprocess.Popen(outbox.world.lpalias_command("notify", after_s=AFTER_S),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True) as process:
                try:
                    process.wait(moments.uniform(0, duration_s))
                    duration_s = time.monotonic() - began
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    kills += 1
            wait_for_group(process.pid)
            repeats += outbox.finish(self)
        print(f"# seed {seed}: {kills} kills in {rounds} runs, {repeats} repeated")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_call(self):
        outbox = Outbox(self, 2)
        kills = repeats = 0
        for call in CALLS:
            # strace counts each kind of call for itself.
            for number in range(1, 1000):
                outbox.put_back()
                status = self.run_killed_at(outbox, call, number)
                repeats += outbox.finish(self)
                if status == 0:
                    break
                kills += 1
            else:
                self.fail("it never came to its end")
        if kills == 0:
            self.skipTest("strace may not inject signals here")
        print(f"# {kills} kills: {repeats} repeated")
        self.assertGreater(repeats, 0, "no kill came between sending and deleting")

    @staticmethod
    def run_killed_at(outbox, call, number):
        """Its exit status when that call is the last thing that it does."""
        command = outbox.world.lpalias_command("notify", after_s=AFTER_S)
        at = command.index(program("LPALIAS"))
        with subprocess.Popen(
                [*command[:at], "strace", "-qq", "-f", "-o", "/dev/null", f"-etrace={call}",
                 f"-einject={call}:signal=KILL:when={number}", *command[at:]],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True) as process:
            status = process.wait(60)
        wait_for_group(process.pid)
        return status


if __name__ == "__main__":
    tap.main()
