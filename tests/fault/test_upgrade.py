"""A cache of layout 1, which is read but not written to until `lpalias cache upgrade` converts it.

The cache is made byte by byte by layout_1_cache.c; nothing of the code under test writes it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from asker import Asker
from large_world import kills_at_each_write, put_back
from lpalias_world import World, program, why_not

TEMP, NOTFOUND = "TEMP lpalias cannot tell now", "NOTFOUND "
ANSWERS = {
    "jdoe@ubuntu.com": "OK jdoe@target.example,jdoe2@target.example",
    "jdoe+x@ubuntu.com": "OK jdoe+x@target.example,jdoe2+x@target.example",
    "press@ubuntu.com": "OK press@target.example",
    "late@ubuntu.com": NOTFOUND,
    "absent@ubuntu.com": NOTFOUND,
}
READING = [("status",), ("list",), ("show", "jdoe"), ("domain", "list"),
           ("explain", "jdoe@ubuntu.com"), ("query", "--cache", "alias", "jdoe@ubuntu.com"),
           ("key", "check")]
WRITING = [("domain", "close", "ubuntu.com"), ("domain", "open", "--yes", "ubuntu.com"),
           ("target", "set", "jdoe", "a@target.example"), ("target", "clear", "jdoe"),
           ("key", "rotate"), ("refresh",)]


@unittest.skipIf(why_not(), why_not() or "")
class Upgrade(unittest.TestCase):
    """One world, whose cache is of layout 1."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.domains = {"ubuntu.com": "ubuntumembers"}
        self.world.write_config()
        self.world.make_key()

    def make(self, *more):
        subprocess.run([program("LAYOUT_1_CACHE"), self.world.cache, self.world.key_file, *more],
                       check=True, timeout=60)

    def data(self):
        with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
            return file.read()

    def answers(self):
        return {address: self.world.ask("alias", address) for address in ANSWERS}

    def facts(self):
        """What the reading commands say, with all targets."""
        said = [json.loads(self.world.lpalias(*command, "--json", "--show-targets").stdout)
                for command in (("list",), ("show", "jdoe"))]
        state = json.loads(self.world.lpalias("status", "--json").stdout)
        del state["generation"], state["used_bytes"]
        for domain in state["domains"]:
            del domain["success_age_s"]
        return [*said, state]

    def test_it_is_read(self):
        self.make()
        before = self.data()
        self.world.start_server()
        self.assertEqual(self.answers(), ANSWERS)
        for command in READING:
            self.world.lpalias(*command)
        self.assertEqual(self.data(), before)
        shown = json.loads(self.world.lpalias("show", "jdoe", "--json", "--show-targets").stdout)
        self.assertIn("jdoe2@target.example", json.dumps(shown))

    def test_it_is_not_written_to(self):
        self.make()
        before = self.data()
        for command in WRITING:
            with self.subTest(command=command):
                ran = self.world.lpalias(*command, status=1)
                self.assertIn("has layout 1; lpalias cache upgrade converts it", ran.stderr)
                self.assertEqual(self.data(), before)
        with open(self.world.key_file, encoding="ascii") as file:
            self.assertEqual(len(file.readlines()), 1, "a key was added for nothing")

    def test_it_is_converted_under_a_running_server(self):
        self.make("300")
        facts = self.facts()
        self.world.start_server()
        with Asker(self.world.socket_path, "alias", list(ANSWERS)) as asker:
            asker.wait_for_rounds(3)
            ran = self.world.lpalias("cache", "upgrade")
            asker.wait_for_rounds(3)
            self.assertIn("layout 2 now, it had layout 1", ran.stdout)
            self.assertIn("has layout 2 already", self.world.lpalias("cache", "upgrade").stdout)
            said = json.loads(self.world.lpalias("cache", "upgrade", "--json").stdout)
            self.assertEqual((said["layout"], said["layout_before"], said["records"]), (2, 2, 0))
            self.assertEqual(self.facts(), facts)
            self.world.lpalias("key", "check")
            self.world.lpalias("key", "rotate")
            asker.wait_for_rounds(3)
        self.assertEqual(asker.answers, {address: {answer} for address, answer in ANSWERS.items()})
        # What the operator set counts as the operator's, and is replaced as such.
        self.world.lpalias("target", "set", "jdoe", "moved@target.example")
        self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"), "OK moved@target.example")
        self.world.lpalias("target", "set", "late", "late@target.example")
        self.assertEqual(self.world.ask("alias", "late@ubuntu.com"), "OK late@target.example")
        self.world.lpalias("domain", "close", "ubuntu.com")

    def test_a_missing_key_is_told_and_nothing_done(self):
        self.make()
        before = self.data()
        os.rename(self.world.key_file, self.world.key_file + ".right")
        self.world.make_key()
        ran = self.world.lpalias("cache", "upgrade", status=1)
        self.assertIn("person jdoe: the targets are sealed by a key that is not in the key file",
                      ran.stderr)
        os.rename(self.world.key_file + ".right", self.world.key_file)
        self.world.start_server()
        self.assertEqual(self.answers(), ANSWERS)
        self.world.lpalias("cache", "upgrade")
        self.assertEqual(self.answers(), ANSWERS)
        self.assertNotEqual(self.data(), before)

    def test_one_that_went_back_is_closed(self):
        """As a writer does it with a cache of its own layout."""
        self.make()
        path = os.path.join(self.world.cache, "generation")
        with open(path, encoding="ascii") as file:
            cache_id, _, stamp = file.read().split()
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{cache_id} 7 {stamp}\n")
        ran = self.world.lpalias("cache", "upgrade")
        self.assertIn("all domains are closed", ran.stdout)
        self.world.start_server()
        self.assertEqual(self.answers(), {address: TEMP if answer == NOTFOUND else answer
                                          for address, answer in ANSWERS.items()})

    def test_a_backup_of_layout_1_is_restored(self):
        self.make()
        facts = self.facts()[0]
        backup = os.path.join(self.world.directory, "backup.mdb")
        self.world.lpalias("backup", backup)
        shutil.rmtree(self.world.cache)
        self.world.lpalias("restore", "--yes", backup)
        self.assertEqual(json.loads(
            self.world.lpalias("list", "--json", "--show-targets").stdout), facts)
        self.world.lpalias("domain", "open", "--yes", "ubuntu.com")
        self.world.lpalias("target", "set", "late", "late@target.example")
        self.world.start_server()
        self.assertEqual(self.answers(), {**ANSWERS, "late@ubuntu.com": "OK late@target.example"})

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_killed_at_each_write(self):
        """It is of layout 1 as it was, or converted."""
        self.make("300")
        facts = self.facts()
        kept = tempfile.mkdtemp(prefix="lpalias-kept-")
        self.addCleanup(shutil.rmtree, kept, ignore_errors=True)
        put_back(self.world.cache, os.path.join(kept, "cache"))
        seen = {"before": 0, "after": 0}
        for _ in kills_at_each_write(self.world, "cache", "upgrade"):
            self.assertEqual(self.facts(), facts)
            ran = self.world.lpalias("cache", "upgrade")
            seen["after" if "already" in ran.stdout else "before"] += 1
            self.assertEqual(self.facts(), facts)
            put_back(os.path.join(kept, "cache"), self.world.cache)
        if not any(seen.values()):
            self.skipTest("strace may not inject signals here")
        self.assertGreater(seen["before"], 1)
        self.assertGreater(seen["after"], 0)
        print(f"# {sum(seen.values())} calls: {seen}")


if __name__ == "__main__":
    tap.main()
