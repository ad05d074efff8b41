"""A roll-back killed at any moment leaves the cache as before or as after, never between: no row is
lost or doubled, and what is held, what answers and what the audit log says belong together."""

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

import tap
from lpalias_world import World, program, why_not

FULL = os.environ.get("LPALIAS_FULL") == "1"
TEAM, DOMAIN = "ubuntumembers", "ubuntu.com"
MEMBERS, LEAVERS, NEWCOMERS = 2000, 200, 300
LATER_S = 300


def _world():
    """A world whose last refresh took and gave enough for a roll-back to write for a while."""
    people = {f"m{number:05d}": {} for number in range(MEMBERS)}
    world = World({"people": people, "teams": {TEAM: {"members": list(people)}}}, page_size=300)
    world.domains = {DOMAIN: TEAM}
    world.write_config()
    world.make_key()
    world.lpalias("refresh")
    table = os.path.join(world.directory, "virtual")
    with open(table, "w", encoding="utf-8") as file:
        file.writelines(f"{name}@{DOMAIN} {name}@target.example\n" for name in people)
    world.lpalias("import", "--format", "virtual", table)
    world.lpalias("domain", "open", DOMAIN, "--yes")
    for number in range(LEAVERS):
        world.launchpad.remove_member(TEAM, f"m{number:05d}")
    world.lpalias("refresh", after_s=100)
    for number in range(NEWCOMERS):
        world.launchpad.add_person(f"new{number:05d}")
        world.launchpad.add_member(TEAM, f"new{number:05d}")
    world.lpalias("refresh", after_s=200)
    return world


@unittest.skipIf(why_not(), why_not() or "")
class Kills(unittest.TestCase):
    """kill -9 of `lpalias rollback`."""

    @classmethod
    def setUpClass(cls):
        cls.world = world = _world()
        cls.addClassCleanup(world.close)
        cls.kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        cls.addClassCleanup(shutil.rmtree, cls.kept, ignore_errors=True)
        cls.before = cls.told(world)
        shutil.copytree(world.cache, os.path.join(cls.kept, "cache"))
        began = time.monotonic()
        report = json.loads(world.lpalias("rollback", DOMAIN, "--yes", "--json",
                                          after_s=LATER_S).stdout)
        cls.duration_s = time.monotonic() - began
        assert len(report["restored"]) == LEAVERS + NEWCOMERS, report
        cls.after = cls.told(world)
        assert cls.before["held"] == [] and len(cls.after["held"]) == 1

    @staticmethod
    def told(world):
        """All that the cache says, but for when the roll-back was."""
        def ask(*arguments, status=0):
            return json.loads(world.lpalias(*arguments, "--json", status=status,
                                            after_s=LATER_S).stdout)

        events = [{key: value for key, value in event.items() if key != "at"}
                  for event in ask("history")]
        return {"aliases": ask("list", "--show-targets"), "events": events,
                "differences": ask("verify"),
                "held": ask("plan", "show"),
                "generation": ask("status", status=None)["generation"]}

    def setUp(self):
        shutil.rmtree(self.world.cache)
        shutil.copytree(os.path.join(self.kept, "cache"), self.world.cache)

    def is_before_or_after(self):
        """Which of the two the cache is; anything else fails."""
        now = self.told(self.world)
        for name, wanted in (("before", self.before), ("after", self.after)):
            if now == wanted:
                return name
        like = {name: {part for part in now if now[part] == wanted[part]}
                for name, wanted in (("before", self.before), ("after", self.after))}
        self.fail(f"the cache is neither before nor after: like {like}")

    def test_killed_at_random_moments(self):
        """The cache says what it said before, or what it says after."""
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        seen = {"before": 0, "after": 0}
        for _ in range(200 if FULL else 20):
            self.setUp()
            command = self.world.lpalias_command("rollback", DOMAIN, "--yes", after_s=LATER_S)
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  start_new_session=True) as process:
                try:
                    process.communicate(timeout=moments.uniform(0, self.duration_s * 1.2))
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    # faketime is gone at once; the end of its output is when the other is, too.
                    process.communicate()
            seen[self.is_before_or_after()] += 1
        print(f"# seed {seed}, duration {self.duration_s:.2f} s: {seen}")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write(self):
        """Every pwrite and sync of a roll-back is the last thing that it does, once."""
        calls = "pwrite64,pwritev,fdatasync,fsync,msync,fallocate,ftruncate"
        seen = {"before": 0, "after": 0}
        for number in range(1, 1000):
            self.setUp()
            command = self.world.lpalias_command("rollback", DOMAIN, "--yes", after_s=LATER_S)
            at = command.index(program("LPALIAS"))
            ran = subprocess.run(
                [*command[:at], "strace", "-qq", "-f", "-o", "/dev/null", f"-etrace={calls}",
                 f"-einject={calls}:signal=KILL:when={number}", *command[at:]],
                capture_output=True, check=False, timeout=60)
            seen[self.is_before_or_after()] += 1
            if ran.returncode == 0:
                break
        else:
            self.fail("it never came to its end")
        if number == 1:
            self.skipTest("strace may not inject signals here")
        self.assertGreater(seen["before"], 1, "no kill came before the commit")
        print(f"# {number} calls: {seen}")


if __name__ == "__main__":
    tap.main()
