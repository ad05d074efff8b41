"""A backup is made and brought back while lpaliasd answers.

What worked a minute ago is never refused: live aliases of the backup are served, all else is put
off until the domains are opened again. A restore that is killed, finds no room or is given a file
that is no backup leaves the cache as it was.
"""

import json
import os
import pwd
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from asker import Asker
from large_world import alias_rows, kill_after, kills_at_each_write, large_world, put_back
from lpalias_world import World, why_not

FULL = os.environ.get("LPALIAS_FULL") == "1"
TEMP, NOTFOUND = "TEMP lpalias cannot tell now", "NOTFOUND "
JDOE, LATE, ABSENT = "jdoe@ubuntu.com", "late@ubuntu.com", "absent@ubuntu.com"
JDOE_FOUND, LATE_FOUND = "OK jdoe@target.example", "OK late@target.example"


def standing(world):
    """{domain: standing} of domain list."""
    return {row["domain"]: row["standing"]
            for row in json.loads(world.lpalias("domain", "list", "--json").stdout)}


def status_of(world):
    return json.loads(world.lpalias("status", "--json", status=None).stdout)


def postmap(world, key):
    """What Postfix is told: (exit status, text)."""
    with open(os.path.join(world.directory, "main.cf"), "w", encoding="ascii") as file:
        file.write("compatibility_level = 3.6\n")
    ran = subprocess.run(["postmap", "-c", world.directory, "-q", key, f"socketmap:unix:{world.socket_path}:alias"],
                         capture_output=True, text=True, check=False, timeout=60)
    return ran.returncode, ran.stdout.strip() + ran.stderr.strip()


@unittest.skipIf(why_not(), why_not() or "")
class Restore(unittest.TestCase):
    """As it is meant to be."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.fill()
        self.backup = os.path.join(self.world.directory, "backup.mdb")
        self.ran_backup = self.world.lpalias("backup", self.backup)

    def later(self):
        """What happens after the backup."""
        self.world.domains["late.example"] = "late"
        self.world.write_config()
        self.world.import_static({LATE: ["late@target.example"],
                                  "press@late.example": ["late@target.example"]})
        self.world.lpalias("domain", "open", "late.example", "--yes")
        del self.world.domains["late.example"]
        self.world.write_config()
        self.world.lpalias("target", "set", "jdoe", "moved@target.example")

    def test_a_backup_says_where_the_keys_are(self):
        self.assertIn(self.world.key_file, self.ran_backup.stdout)
        self.assertEqual(os.stat(self.backup).st_mode & 0o7777, 0o640)
        self.assertFalse(os.path.exists(self.backup + ".part"))
        with open(self.world.key_file, "rb") as keys, open(self.backup, "rb") as backup:
            hex_key = keys.read().split()[1]
            content = backup.read()
        self.assertNotIn(hex_key, content)
        self.assertNotIn(bytes.fromhex(hex_key.decode()), content)

    def test_under_a_running_server(self):
        world = self.world
        world.start_server()
        self.later()
        before = status_of(world)
        self.assertEqual(world.ask("alias", LATE), LATE_FOUND)
        self.assertEqual(world.ask("alias", ABSENT), NOTFOUND)
        with Asker(world.socket_path, "alias",
                   ["kim@lubuntu.me", JDOE, LATE, ABSENT, "press@late.example"]) as asker:
            ran = world.lpalias("restore", "--yes", self.backup)
            asker.wait_for_rounds(5)
        self.assertIn("all domains are closed", ran.stdout)
        # Served all the while, by one target or the other; never refused.
        self.assertEqual(asker.answers[JDOE], {"OK moved@target.example", JDOE_FOUND})
        self.assertEqual(asker.answers[LATE], {LATE_FOUND, TEMP})
        self.assertEqual(asker.answers[ABSENT], {NOTFOUND, TEMP})
        self.assertEqual(asker.answers["press@late.example"], {LATE_FOUND, TEMP})
        after = status_of(world)
        self.assertEqual(after["id"], before["id"])
        self.assertEqual(after["generation"], before["generation"] + 1)
        self.assertNotIn("open", standing(world).values())
        if shutil.which("postmap"):
            self.assertEqual(postmap(world, JDOE), (0, "jdoe@target.example"))
            for address in (LATE, ABSENT, "press@late.example"):
                # Not the silent "no such name".
                self.assertIn("lpalias cannot tell now", postmap(world, address)[1])
        self.assertEqual(world.stop_server(), 0)
        world.start_server()
        self.assertEqual(world.ask("alias", JDOE), JDOE_FOUND)
        self.assertEqual(world.ask("alias", ABSENT), TEMP)
        world.lpalias("domain", "open", "ubuntu.com", "--yes")
        self.assertEqual(world.ask("alias", JDOE), JDOE_FOUND)
        self.assertEqual(world.ask("alias", ABSENT), NOTFOUND)
        world.lpalias("refresh")

    def test_into_an_empty_directory(self):
        """After a disaster, with a server that runs or one that starts."""
        world = self.world
        rows = alias_rows(world)
        world.start_server()
        shutil.rmtree(world.cache)
        world.lpalias("restore", "--yes", self.backup)
        self.assertEqual(alias_rows(world), rows)
        end = time.monotonic() + 15
        while (world.ask("alias", ABSENT), world.ask("alias", JDOE)) != (TEMP, JDOE_FOUND):
            self.assertLess(time.monotonic(), end, world.server_log())
            time.sleep(0.05)
        world.lpalias("domain", "open", "ubuntu.com", "--yes")
        self.assertEqual(world.ask("alias", ABSENT), NOTFOUND)
        self.assertEqual(os.stat(world.cache).st_mode & 0o7777, 0o2750)

    def test_a_backup_while_it_is_written_to(self):
        """Each copy is one generation, whole."""
        world = self.world
        ended = threading.Event()

        def write():
            for number in range(1000):
                if ended.is_set():
                    return
                world.import_static({f"more-{number}@ubuntu.com": ["more@target.example"]})

        writer = threading.Thread(target=write)
        writer.start()
        try:
            counts = []
            for _ in range(5):
                world.lpalias("backup", self.backup)
                other = World()
                try:
                    shutil.copy2(world.key_file, other.key_file)
                    other.lpalias("restore", "--yes", self.backup)
                    counts.append(len(alias_rows(other)))
                finally:
                    other.close()
        finally:
            ended.set()
            writer.join()
        self.assertEqual(counts, sorted(counts))

    def test_a_link_or_a_device_is_not_put_out_of_its_place(self):
        link = os.path.join(self.world.directory, "link")
        pipe = os.path.join(self.world.directory, "pipe")
        os.symlink(self.backup, link)
        os.mkfifo(pipe)
        for path, words in ((link, "is a symbolic link"), (pipe, "is not a regular file")):
            with self.subTest(path=path):
                self.assertIn(words, self.world.lpalias("backup", path, status=1).stderr)
        self.assertTrue(os.path.islink(link))
        self.assertTrue(stat.S_ISFIFO(os.lstat(pipe).st_mode))

    def test_a_directory_gets_a_file_named_after_the_time(self):
        directory = os.path.join(self.world.directory, "backups")
        os.mkdir(directory)
        self.world.lpalias("backup", directory)
        (name,) = os.listdir(directory)
        path = os.path.join(self.world.directory, "named")
        self.assertEqual(json.loads(self.world.lpalias("backup", "--json", path).stdout),
                         {"file": path, "key_file": self.world.key_file})
        self.assertRegex(name, r"^lpalias-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.mdb$")
        ran = self.world.lpalias("restore", "--yes", "--json", os.path.join(directory, name))
        said = json.loads(ran.stdout)
        self.assertEqual((said["generation"], said["aliases"], said["unopened"]),
                         (said["backup_generation"] + 1, len(alias_rows(self.world)), 0))

    def test_a_backup_takes_the_place_of_an_older_one_or_leaves_it(self):
        with open(self.backup + ".part", "wb") as file:
            file.write(b"left behind by a kill" * 100000)
        with open(self.backup, "rb") as file:
            before = file.read()
        os.rename(self.world.cache, self.world.cache + ".away")
        self.world.lpalias("backup", self.backup, status=1)
        with open(self.backup, "rb") as file:
            self.assertEqual(file.read(), before)
        os.rename(self.world.cache + ".away", self.world.cache)
        self.later()
        self.world.lpalias("backup", self.backup)
        self.assertEqual([name for name in os.listdir(self.world.directory)
                          if name.endswith(".part")], [])
        rows = alias_rows(self.world)
        self.world.lpalias("restore", "--yes", self.backup)
        self.assertEqual(alias_rows(self.world), rows)

    def test_what_is_refused(self):
        world = self.world
        rows, before = alias_rows(world), status_of(world)["generation"]
        data = os.path.join(world.cache, "data.mdb")
        rubbish, cut = (os.path.join(world.directory, name) for name in ("rubbish", "cut"))
        with open(rubbish, "wb") as file:
            file.write(b"precious text\n" * 10000)
        shutil.copy2(self.backup, cut)
        os.truncate(cut, os.path.getsize(cut) - 4096)
        for path, words in ((data, "is the cache itself"), (rubbish, "not an LMDB file"),
                            (cut, "cut short"), (world.directory, "is no file"),
                            ("/nonexistent", "No such file")):
            with self.subTest(path=path):
                self.assertIn(words, world.lpalias("restore", "--yes", path, status=1).stderr)
        self.assertIn("--yes", world.lpalias("restore", self.backup, status=64).stderr)
        world.lpalias("backup", world.cache, status=64)
        world.lpalias("backup", data, status=64)
        self.assertIn("/nonexistent/x",
                      world.lpalias("backup", "/nonexistent/x", status=1).stderr)
        self.assertEqual((alias_rows(world), status_of(world)["generation"]), (rows, before))

    def test_a_damaged_record_is_refused(self):
        """One byte of a record's layout version, in each page that has it."""
        with open(self.backup, "rb") as file:
            content = file.read()
        at = content.rindex(b"ubuntumembers")
        start = content.rindex(b"ubuntu.com", 0, at) + len(b"ubuntu.com")
        damaged = os.path.join(self.world.directory, "damaged")
        with open(damaged, "wb") as file:
            file.write(content[:start] + b"\x09" + content[start + 1:])
        rows = alias_rows(self.world)
        ran = self.world.lpalias("restore", "--yes", damaged, status=1)
        self.assertIn("cannot be understood", ran.stderr)
        self.assertEqual(alias_rows(self.world), rows)

    @unittest.skipUnless(os.getuid() == 0, "only root takes on another user")
    def test_root_has_its_own_backup(self):
        """It lies where only root may go; the cache's files stay its owner's."""
        owner = pwd.getpwnam("daemon")
        self.world.give_to(owner.pw_uid, owner.pw_gid)
        directory = os.path.join(self.world.directory, "private")
        os.mkdir(directory, 0o700)
        backup = os.path.join(directory, "backup.mdb")
        self.world.lpalias("backup", backup)
        self.assertEqual(os.stat(backup).st_uid, 0)
        self.world.lpalias("restore", "--yes", backup)
        self.assertEqual({os.stat(os.path.join(self.world.cache, name)).st_uid
                          for name in os.listdir(self.world.cache)}, {owner.pw_uid})


@unittest.skipIf(why_not(), why_not() or "")
class Kills(unittest.TestCase):
    """kill -9 of `lpalias restore`: as before or as after."""

    def begin(self, members):
        self.world = large_world(members)
        self.addCleanup(self.world.close)
        self.kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        self.addCleanup(shutil.rmtree, self.kept, ignore_errors=True)
        self.backup = os.path.join(self.kept, "backup.mdb")
        self.after = alias_rows(self.world)
        self.world.lpalias("backup", self.backup)
        self.world.import_static({f"late-{number}@ubuntu.com": ["late@target.example"]
                                  for number in range(50)})
        self.world.lpalias("target", "set", "m00001", "moved@target.example")
        self.before = alias_rows(self.world)
        put_back(self.world.cache, os.path.join(self.kept, "cache"))

    def put_all_back(self):
        put_back(os.path.join(self.kept, "cache"), self.world.cache)

    def check(self):
        """Which of the two it is; the next restore makes it the one after."""
        now, state = alias_rows(self.world), standing(self.world)["ubuntu.com"]
        self.assertIn((now, state), ((self.before, "open"), (self.after, "closed")))
        self.world.lpalias("key", "check")
        self.world.lpalias("restore", "--yes", self.backup)
        self.assertEqual(alias_rows(self.world), self.after)
        return "before" if state == "open" else "after"

    def test_killed_at_random_moments(self):
        self.begin(3000)
        began = time.monotonic()
        self.world.lpalias("restore", "--yes", self.backup)
        duration_s = time.monotonic() - began
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        seen = {"before": 0, "after": 0}
        for _ in range(200 if FULL else 20):
            self.put_all_back()
            kill_after(self.world, moments.uniform(0, duration_s * 1.2), "restore", "--yes",
                       self.backup)
            seen[self.check()] += 1
        print(f"# seed {seed}, duration {duration_s:.2f} s: {seen}")

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write(self):
        self.begin(200)
        self.put_all_back()
        seen = {"before": 0, "after": 0}
        for _ in kills_at_each_write(self.world, "restore", "--yes", self.backup):
            seen[self.check()] += 1
            self.put_all_back()
        if not any(seen.values()):
            self.skipTest("strace may not inject signals here")
        self.assertGreater(seen["before"], 1, "no kill came before the commit")
        self.assertGreater(seen["after"], 0, "no kill came after the commit")
        print(f"# {sum(seen.values())} calls: {seen}")


    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write_into_an_empty_directory(self):
        """The next restore finds an empty cache, or one that is whole."""
        self.begin(200)
        shutil.rmtree(self.world.cache)
        seen = {"empty": 0, "whole": 0}
        for _ in kills_at_each_write(self.world, "restore", "--yes", self.backup):
            ran = self.world.lpalias("restore", "--yes", "--json", self.backup)
            seen["empty" if json.loads(ran.stdout)["was_empty"] else "whole"] += 1
            self.assertEqual(alias_rows(self.world), self.after)
            self.world.lpalias("key", "check")
            shutil.rmtree(self.world.cache)
        if not any(seen.values()):
            self.skipTest("strace may not inject signals here")
        self.assertGreater(seen["empty"], 1)
        self.assertGreater(seen["whole"], 0)
        print(f"# {sum(seen.values())} calls: {seen}")


if __name__ == "__main__":
    tap.main()
