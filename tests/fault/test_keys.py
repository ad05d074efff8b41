"""Keys come and go while everything else goes on.

No question gets TEMP during a rotation; a rotation that is killed, or finds no room, leaves every
value open and is finished by the next; a key that is wrong or missing is TEMP in the server and
told by the tool; no target stands in clear anywhere.
"""

import fcntl
import json
import os
import pwd
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from asker import Asker
from house import DOMAIN, House
from large_world import alias_rows, kill_after, kills_at_each_write, large_world, put_back
from lpalias_world import TARGETS, World, why_not

FULL = os.environ.get("LPALIAS_FULL") == "1"
TEMP = "TEMP lpalias cannot tell now"


def key_ids(world):
    """Of the key file, the one that seals first."""
    with open(world.key_file, encoding="ascii") as file:
        return [line.split()[0] for line in file if line.strip()]


def census(world, status=0):
    """{key id: row} of key check, and the whole of it."""
    whole = json.loads(world.lpalias("key", "check", "--json", status=status).stdout)
    return {str(row["id"]): row for row in whole["keys"]}, whole


def used(row):
    """How many values a key seals."""
    return sum(row[table] for table in ("alias", "person", "outbox", "undo"))


def edit_keys(world, edit):
    """The lines of the key file, changed by edit."""
    with open(world.key_file, encoding="ascii") as file:
        lines = file.read().splitlines()
    with open(world.key_file, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in edit(lines))


@unittest.skipIf(why_not(), why_not() or "")
class Rotation(unittest.TestCase):
    """As it is meant to be."""

    MEMBERS = 3000

    @classmethod
    def setUpClass(cls):
        cls.world = large_world(cls.MEMBERS)
        cls.addClassCleanup(cls.world.close)

    def test_no_question_is_put_off(self):
        """Rotations and retirements, one after another, under questions all the time."""
        world = self.world
        before = alias_rows(world)
        world.start_server()
        self.addCleanup(world.stop_server)
        names = [f"m{number:05d}" for number in range(0, self.MEMBERS, 30)]
        with Asker(world.socket_path, "alias", [f"{name}@ubuntu.com" for name in names]) as one, \
                Asker(world.inet_port, "alias", [f"{name}+x@ubuntu.com" for name in names]) as two:
            for _ in range(12 if FULL else 4):
                old = key_ids(world)
                ran = world.lpalias("key", "rotate")
                self.assertIn(f"{2 * self.MEMBERS} values sealed anew", ran.stdout)
                self.assertEqual(key_ids(world)[1:], old)
                one.wait_for_rounds(3)
                said = json.loads(world.lpalias("key", "retire", "--json", old[0]).stdout)
                self.assertEqual(said, {"key_file": world.key_file, "retired": int(old[0])})
                self.assertEqual(len(key_ids(world)), 1)
                two.wait_for_rounds(3)
        for name in names:
            self.assertEqual(one.answers[f"{name}@ubuntu.com"], {f"OK {name}@target.example"})
            self.assertEqual(two.answers[f"{name}+x@ubuntu.com"], {f"OK {name}+x@target.example"})
        self.assertEqual(alias_rows(world), before)
        self.assertNotIn("level=error", world.server_log())
        print(f"# {one.rounds + two.rounds} rounds of {len(names)} questions")

    def test_what_is_in_use_is_not_retired(self):
        first = key_ids(self.world)[0]
        ran = self.world.lpalias("key", "retire", first, status=1)
        self.assertIn(f"key {first} seals", ran.stderr)
        for wrong in ("0", "x", "99999999999"):
            self.world.lpalias("key", "retire", wrong, status=64)
        self.assertIn("no key 1000000001",
                      self.world.lpalias("key", "retire", "1000000001", status=1).stderr)
        self.assertEqual(key_ids(self.world)[0], first)

    def test_a_held_plan_can_still_be_released(self):
        """It was made for rows that a rotation does not change but in their sealing."""
        house = House(["ann", "ben"])
        self.addCleanup(house.close)
        house.leave("ann", "ben")
        house.refresh(status=3)
        said = house.json("key", "rotate")
        self.assertEqual((said["resealed"], said["unopened"]), (4, 0))
        house.run("plan", "release", DOMAIN)
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual(house.state("ben"), "leaving not-member")

    def test_an_unchanged_target_is_not_sealed_again(self):
        """Neither by a refresh nor by setting what is set."""
        def cipher():
            with open(os.path.join(self.world.cache, "generation"), encoding="ascii") as file:
                return file.read()
        before = cipher()
        self.world.lpalias("refresh")
        self.world.lpalias("target", "set", "m00007", "m00007@target.example")
        self.assertEqual(cipher(), before)


@unittest.skipIf(why_not(), why_not() or "")
class Trouble(unittest.TestCase):
    """Keys that are wrong, missing or not to be had."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.fill()
        self.kept = self.world.key_file + ".kept"
        shutil.copy2(self.world.key_file, self.kept)

    def expect(self, jdoe, absent="NOTFOUND "):
        """What a server that starts now answers, and after that when the right keys are back."""
        self.world.start_server()
        self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"), jdoe)
        self.assertEqual(self.world.ask("alias", "absent@ubuntu.com"), absent)
        put_back(self.kept, self.world.key_file)
        self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"), "OK jdoe@target.example")
        self.assertEqual(self.world.stop_server(), 0)

    def test_a_missing_key(self):
        right = key_ids(self.world)[0]
        os.unlink(self.world.key_file)
        self.world.make_key()
        ran = self.world.lpalias("key", "check", status=1)
        self.assertIn(f"key {right} is not in {self.world.key_file}", ran.stderr)
        self.assertIn("person jdoe", ran.stderr)
        rows, whole = census(self.world, status=1)
        self.assertFalse(rows[right]["in_key_file"])
        self.assertEqual(whole["unopened"], used(rows[right]))
        ran = self.world.lpalias("refresh", status=None)
        self.assertNotEqual(ran.status, 0)
        # What does not open is left, and told.
        ran = self.world.lpalias("key", "rotate", status=1)
        self.assertIn("do not open and stay as they are", ran.stderr)
        self.expect(TEMP)
        self.world.lpalias("key", "check")

    def test_a_wrong_key_of_the_same_number(self):
        edit_keys(self.world, lambda lines: [f"{line.split()[0]} {'7' * 64}" for line in lines])
        ran = self.world.lpalias("key", "check", status=1)
        self.assertIn("another key of that number", ran.stderr)
        self.expect(TEMP)
        self.world.lpalias("key", "check")

    def test_no_key_file(self):
        os.unlink(self.world.key_file)
        for command in (("check",), ("rotate",), ("retire", "1")):
            ran = self.world.lpalias("key", *command, status=1)
            self.assertIn(self.world.key_file, ran.stderr)
        self.expect(TEMP)

    def test_a_key_file_that_others_may_read(self):
        os.chmod(self.world.key_file, 0o644)
        for command in (("check",), ("rotate",), ("retire", "1")):
            self.assertIn("chmod 0640", self.world.lpalias("key", *command, status=1).stderr)
        self.assertEqual(len(key_ids(self.world)), 1)

    def test_one_rotation_at_a_time_and_none_beside_a_refresh(self):
        with open(os.path.join(self.world.cache, "refresh.lock"), "a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("a refresh is running", self.world.lpalias("key", "rotate", status=5).stderr)
        self.assertEqual(len(key_ids(self.world)), 2)
        self.assertIn("it goes on", self.world.lpalias("key", "rotate").stdout)
        self.assertEqual(len(key_ids(self.world)), 2)
        directory = os.open(self.world.directory, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        fcntl.flock(directory, fcntl.LOCK_EX)
        for command in (("rotate",), ("retire", key_ids(self.world)[1])):
            self.assertIn("another command is changing the keys",
                          self.world.lpalias("key", *command, status=5).stderr)

    @unittest.skipUnless(os.getuid() == 0, "only root takes on another user")
    def test_rights_stay(self):
        """Root writes the key file as it was; the cache's files stay its owner's."""
        owner = pwd.getpwnam("daemon")
        self.world.give_to(owner.pw_uid, owner.pw_gid)
        os.chown(self.world.directory, 0, 0)
        os.chown(self.world.key_file, 0, owner.pw_gid)
        old = key_ids(self.world)[0]
        self.world.lpalias("key", "rotate")
        self.world.lpalias("key", "retire", old)
        status = os.stat(self.world.key_file)
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777),
                         (0, owner.pw_gid, 0o640))
        self.assertEqual({os.stat(os.path.join(self.world.cache, name)).st_uid
                          for name in os.listdir(self.world.cache)}, {owner.pw_uid})
        # The owner alone may not change the file, and is told so; nothing is begun.
        command = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}",
                   "--clear-groups", *self.world.lpalias_command("key", "rotate", is_wrapped=False)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(ran.returncode, 1)
        self.assertIn("keys.part: Permission denied", ran.stderr)
        self.world.lpalias("key", "check")


@unittest.skipIf(why_not(), why_not() or "")
class Secrets(unittest.TestCase):
    """Where no target may stand."""

    def test_no_target_in_clear(self):
        world = World()
        self.addCleanup(world.close)
        world.fill()
        world.start_server()
        world.lpalias("key", "rotate")
        backup = os.path.join(world.directory, "backup.mdb")
        world.lpalias("backup", backup)
        for name in TARGETS:
            world.ask("alias", f"{name}@ubuntu.com")
        os.rename(world.key_file, world.key_file + ".away")
        world.lpalias("key", "check", status=1)
        os.rename(world.key_file + ".away", world.key_file)
        said = [world.lpalias(*command, status=None) for command in (
            ("key", "check"), ("key", "check", "--json"), ("list", "--json"), ("status", "--json"),
            ("show", "jdoe", "--json"), ("explain", "absent@ubuntu.com", "--json"),
            ("restore", "--yes", backup), ("cache", "upgrade"), ("refresh", "--json"))]
        self.assertEqual(world.stop_server(), 0)
        texts = [(ran.stdout + ran.stderr).encode() for ran in said]
        for path in (os.path.join(world.cache, "data.mdb"), backup, world.log_path):
            with open(path, "rb") as file:
                texts.append(file.read())
        self.assertIn(b"jdoe", b"".join(texts))
        for targets in TARGETS.values():
            for target in targets:
                for text in texts:
                    self.assertNotIn(target.encode(), text)
                    self.assertNotIn(target.partition("@")[2].encode(), text)


@unittest.skipIf(why_not(), why_not() or "")
class Kills(unittest.TestCase):
    """kill -9 of `lpalias key rotate`."""

    @classmethod
    def setUpClass(cls):
        cls.worlds = {}
        cls.kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        cls.addClassCleanup(shutil.rmtree, cls.kept, ignore_errors=True)

    def begin(self, members):
        """A world as it was before any rotation is kept in self.kept."""
        self.world = large_world(members)
        self.addCleanup(self.world.close)
        self.rows = alias_rows(self.world)
        for name in ("cache", "keys"):
            shutil.rmtree(os.path.join(self.kept, name), ignore_errors=True)
            put_back(os.path.join(self.world.directory, name), os.path.join(self.kept, name))

    def put_all_back(self):
        for name in ("cache", "keys"):
            put_back(os.path.join(self.kept, name), os.path.join(self.world.directory, name))

    def check(self):
        """All opens; the next rotation finishes it with one more key at most. How far it was."""
        before = key_ids(self.world)
        rows, whole = census(self.world)
        self.assertEqual(whole["unopened"], 0)
        sealed = [used(rows[key]) for key in before]
        total = sum(sealed)
        ran = self.world.lpalias("key", "rotate")
        after = key_ids(self.world)
        self.assertEqual(after[-len(before):], before)
        self.assertLessEqual(len(after), len(before) + 1)
        if sealed[0] not in (0, total):
            self.assertIn("it goes on", ran.stdout)
            self.assertEqual(after, before)
        rows, whole = census(self.world)
        self.assertEqual((whole["unopened"], used(rows[after[0]])), (0, total))
        self.assertEqual(alias_rows(self.world), self.rows)
        self.assertFalse(os.path.exists(self.world.key_file + ".part"))
        if len(before) == 1:
            return "not begun"
        return "key added" if sealed[0] == 0 else "done" if sealed[0] == total else "half done"

    def test_killed_at_random_moments(self):
        self.begin(3000)
        began = time.monotonic()
        self.world.lpalias("key", "rotate")
        duration_s = time.monotonic() - began
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        seen = {}
        for _ in range(200 if FULL else 20):
            self.put_all_back()
            kill_after(self.world, moments.uniform(0, duration_s * 1.1), "key", "rotate")
            how_far = self.check()
            seen[how_far] = seen.get(how_far, 0) + 1
        print(f"# seed {seed}, duration {duration_s:.2f} s: {seen}")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write(self):
        self.begin(2100)
        seen = {}
        for _ in kills_at_each_write(self.world, "key", "rotate"):
            how_far = self.check()
            seen[how_far] = seen.get(how_far, 0) + 1
            self.put_all_back()
        if not seen:
            self.skipTest("strace may not inject signals here")
        for how_far in ("not begun", "key added", "half done", "done"):
            self.assertIn(how_far, seen)
        print(f"# {sum(seen.values())} calls: {seen}")


@unittest.skipIf(why_not(), why_not() or "")
class NoRoom(unittest.TestCase):
    """A full file system under the cache, or under the keys."""

    def mount(self, path, size):
        os.makedirs(path, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0750", "tmpfs",
                                  path], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount a small file system here")
        self.addCleanup(subprocess.run, ["umount", path], check=True)

    @staticmethod
    def fill_up(directory):
        """Nothing more fits in there; returns what to delete."""
        filler = os.path.join(directory, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        return filler

    def test_under_the_cache(self):
        """Rotation, restore and backup fail, change nothing that is answered, and then work."""
        world = large_world(2500)
        self.addCleanup(world.close)
        rows = alias_rows(world)
        away = os.path.join(world.directory, "away")
        os.rename(world.cache, away)
        self.mount(world.cache, "24m")
        for name in os.listdir(away):
            shutil.copy2(os.path.join(away, name), world.cache)
        backup = os.path.join(world.directory, "backup.mdb")
        world.lpalias("backup", backup)
        filler = self.fill_up(world.cache)
        ran = world.lpalias("key", "rotate", status=1)
        self.assertIn("No space left", ran.stderr)
        world.lpalias("key", "check")
        ran = world.lpalias("restore", "--yes", backup, status=1)
        self.assertIn("No space left", ran.stderr)
        self.assertEqual(alias_rows(world), rows)
        self.assertEqual(world.lpalias("query", "--cache", "alias", "m00001@ubuntu.com").stdout,
                         "m00001@target.example\n")
        os.unlink(filler)
        self.assertEqual(len(key_ids(world)), 2)
        world.lpalias("key", "rotate")
        self.assertEqual(len(key_ids(world)), 2)
        self.assertEqual(alias_rows(world), rows)
        world.lpalias("restore", "--yes", backup)
        self.assertEqual(alias_rows(world), rows)

    def test_under_the_keys_and_the_backup(self):
        world = World()
        self.addCleanup(world.close)
        small = os.path.join(world.directory, "small")
        self.mount(small, "32k")
        world.key_file = os.path.join(small, "keys")
        world.write_config()
        world.fill()
        with open(world.key_file, "rb") as file:
            before = file.read()
        filler = self.fill_up(small)
        self.assertIn("No space left", world.lpalias("key", "rotate", status=1).stderr)
        with open(world.key_file, "rb") as file:
            self.assertEqual(file.read(), before)
        backup = os.path.join(small, "backup.mdb")
        ran = world.lpalias("backup", backup, status=1)
        self.assertIn("No space left", ran.stderr)
        self.assertEqual(sorted(os.listdir(small)), ["filler", "keys"])
        os.unlink(filler)
        world.lpalias("key", "check")
        world.lpalias("key", "rotate")


if __name__ == "__main__":
    tap.main()
