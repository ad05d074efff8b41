"""No fault of a refresh costs an alias.

Each answer that Launchpad should not give leaves every alias as it was, ends the refresh with a
status that is not 0 and a text that names team, URL and reason, and is seen in `lpalias status`.
A refresh killed at any moment leaves the cache as before or as after, never between.
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

import tap
from launchpad_standin import FAULTS
from lpalias_world import World, program, why_not

FULL = os.environ.get("LPALIAS_FULL") == "1"
TEAM, DOMAIN = "ubuntumembers", "ubuntu.com"
QUICK = ["  retries = 1", '  request-timeout = "500ms"', '  total-timeout = "20s"',
         '  response-limit = "1M"']


def rows(world):
    """What the cache says of every alias, but for when."""
    listed = json.loads(world.lpalias("list", "--json", "--show-targets").stdout)
    return sorted((json.dumps({key: value for key, value in row.items() if key != "since"},
                              sort_keys=True) for row in listed))


def generation(world):
    """The cache's generation."""
    return json.loads(world.lpalias("status", "--json", status=None).stdout)["generation"]


@unittest.skipIf(why_not(), why_not() or "")
class Faults(unittest.TestCase):
    """One world, one fault after another."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill()
        cls.before = rows(cls.world)

    def configure(self, lines):
        """Only a fault needs short time limits; without one a busy machine may take its time."""
        self.world.launchpad_lines = lines
        self.world.write_config()

    def tearDown(self):
        self.world.launchpad.clear_faults()
        self.configure([])

    def refuses(self, name, status, **where):
        """The refresh ends with that status, says why, and changes nothing; twice, a minute apart."""
        self.configure(QUICK if status == 4 else [])
        self.world.launchpad.add_fault(name, **where)
        # What is held is written down, once; what each refresh tells, at most once.
        wanted = generation(self.world) + (status == 3)
        for after_s in (100, 200):
            wanted += 1
            ran = self.world.lpalias("refresh", status=status, after_s=after_s)
            self.assertIn(TEAM, ran.stderr)
            line = next(line for line in ran.stderr.splitlines() if TEAM in line)
            if status == 4:
                self.assertIn(self.world.launchpad.origin, line)
            self.assertEqual(rows(self.world), self.before)
            self.assertLessEqual(generation(self.world), wanted)
            shown = self.world.lpalias("status", status=status, after_s=after_s).stdout
            self.assertIn(DOMAIN, shown)
            self.assertIn(TEAM, shown)
        self.world.launchpad.clear_faults()
        self.configure([])
        self.world.lpalias("refresh", after_s=300)
        self.world.lpalias("status", after_s=300)


def _add_fault_cases():
    where = {"page": f"~{TEAM}/participants", "later-page": f"~{TEAM}/participants",
             "entry": f"~{TEAM}/participants", "any": f"~{TEAM}/participants"}
    for name, fault in FAULTS.items():
        # A name that no row could hold is skipped and counted, see docs/architecture.md.
        if fault.kind != "fault" or name == "overlong-name":
            continue

        def case(self, name=name, fault=fault):
            self.refuses(name, 4, match=where[fault.where])

        case.__doc__ = fault.text
        setattr(Faults, f"test_{name.replace('-', '_')}", case)

    def empty(self):
        self.refuses("empty-team", 3, match=f"~{TEAM}/participants")

    Faults.test_empty_team_is_held = empty

    def entry(self):
        self.refuses("not-found", 4, path=f"/1.0/~{TEAM}")

    Faults.test_team_entry_not_found = entry


_add_fault_cases()


def _large_world(members):
    """A world whose refresh writes long enough to be hit."""
    people = {f"m{number:05d}": {} for number in range(members)}
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
    return world


@unittest.skipIf(why_not(), why_not() or "")
class Kills(unittest.TestCase):
    """kill -9 of `lpalias refresh`."""

    MEMBERS = 2000

    @classmethod
    def setUpClass(cls):
        cls.world = world = _large_world(cls.MEMBERS)
        cls.addClassCleanup(world.close)
        cls.kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        cls.addClassCleanup(shutil.rmtree, cls.kept, ignore_errors=True)
        # People leave and lose their flags: the first refresh doubts, the second believes.
        for number in range(0, 300, 3):
            world.launchpad.remove_member(TEAM, f"m{number:05d}")
            world.launchpad.set_person(f"m{number + 1:05d}", is_valid=False)
        world.lpalias("refresh", after_s=100)
        for number in range(300):
            world.launchpad.add_person(f"new{number:05d}")
            world.launchpad.add_member(TEAM, f"new{number:05d}")
        cls.before = rows(world)
        shutil.copytree(world.cache, os.path.join(cls.kept, "cache"))
        began = time.monotonic()
        world.lpalias("refresh", after_s=200)
        cls.duration_s = time.monotonic() - began
        cls.after = rows(world)
        assert cls.before != cls.after

    def setUp(self):
        shutil.rmtree(self.world.cache)
        shutil.copytree(os.path.join(self.kept, "cache"), self.world.cache)

    def is_before_or_after(self):
        """Which of the two the cache is; anything else fails."""
        now = rows(self.world)
        self.assertIn(now, (self.before, self.after), "the cache is neither before nor after")
        return "before" if now == self.before else "after"

    def test_killed_at_random_moments(self):
        """The cache answers as before or as after."""
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        seen = {"before": 0, "after": 0}
        for _ in range(200 if FULL else 20):
            self.setUp()
            with subprocess.Popen(self.world.lpalias_command("refresh", after_s=200),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True) as process:
                try:
                    process.wait(moments.uniform(0, self.duration_s * 1.2))
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            seen[self.is_before_or_after()] += 1
        print(f"# seed {seed}, duration {self.duration_s:.2f} s: {seen}")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write(self):
        """Every pwrite and sync of a refresh is the last thing that it does, once."""
        calls = "pwrite64,pwritev,fdatasync,fsync,msync,fallocate,ftruncate"
        seen = {"before": 0, "after": 0}
        for number in range(1, 1000):
            self.setUp()
            command = self.world.lpalias_command("refresh", after_s=200)
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


@unittest.skipIf(why_not(), why_not() or "")
class NoRoom(unittest.TestCase):
    """A cache that cannot grow fails the refresh and stays as it is."""

    def setUp(self):
        people = {f"m{number:05d}": {} for number in range(200)}
        self.world = World({"people": people, "teams": {TEAM: {"members": list(people)}}},
                           page_size=300)
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: TEAM}
        self.world.top_lines = ['refresh { max-additions = "100000%" }']
        self.world.write_config()

    def grow(self, count):
        """So many more members."""
        for number in range(count):
            self.world.launchpad.add_person(f"new{number:05d}")
            self.world.launchpad.add_member(TEAM, f"new{number:05d}")

    def fails_and_heals(self, words, heal):
        """The refresh fails, changes nothing, says why and in status too if it can; healed, it
        works."""
        before, was = rows(self.world), generation(self.world)
        self.grow(6000)
        ran = self.world.lpalias("refresh", status=1)
        self.assertIn(words, ran.stderr)
        self.assertEqual(rows(self.world), before)
        self.assertLessEqual(generation(self.world), was + 1, "more than an alarm was written")
        heal()
        self.world.lpalias("refresh")
        self.assertEqual(len(rows(self.world)), 6200)

    def test_full_disk(self):
        """On a file system without room."""
        os.mkdir(self.world.cache, 0o750)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs",
                                  self.world.cache], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount a small file system here")
        self.addCleanup(subprocess.run, ["umount", self.world.cache], check=True)
        os.chmod(self.world.cache, 0o2750)
        self.world.make_key()
        self.world.lpalias("refresh")
        filler = os.path.join(self.world.cache, "filler")
        with open(filler, "wb") as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
        self.fails_and_heals("No space left", lambda: os.unlink(filler))

    def test_cache_limit(self):
        """Behind its own limit; a larger one in the configuration heals it."""
        self.world.top_lines.append('cache-limit = "1M"')
        self.world.write_config()
        self.world.make_key()
        self.world.lpalias("refresh")

        def heal():
            self.world.top_lines.pop()
            self.world.write_config()

        self.fails_and_heals("cache-limit", heal)


class NoNetwork(unittest.TestCase):
    """Launchpad cannot be reached at all."""

    @unittest.skipIf(why_not(), why_not() or "")
    def test_nobody_listens(self):
        """Status 4, the reason names the URL, nothing changes; back again, it works."""
        world = World()
        self.addCleanup(world.close)
        world.fill()
        before = rows(world)
        world.launchpad_lines = ["  retries = 1"]
        world.write_config()
        world.launchpad.add_fault("connection-refused")
        ran = world.lpalias("refresh", status=4, after_s=100)
        for team in set(world.domains.values()):
            self.assertIn(f"{world.launchpad.origin}/1.0/~{team}", ran.stderr)
        self.assertEqual(rows(world), before)
        world.launchpad.clear_faults()
        world.lpalias("refresh", after_s=200)


if __name__ == "__main__":
    tap.main()
