"""lpalias export: rows for programs, and tables that the real Postfix reads. Whatever a table holds is
what lpalias itself answers, and where a table cannot say it nothing is written."""

import csv
import io
import json
import os
import pty
import pwd
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import ALERTS, DOMAINS, TARGETS, World, forget_dead_clocks
from postfix_instance import SYSTEM_PATH

USAGE, NOT_FOUND = 64, 2
OPEN = [name for name in DOMAINS if name != "kubuntu.org"]
COLUMNS = ["address", "kind", "state", "reason", "extension", "since", "owner"]
ROLES = ["abuse", "hostmaster", "postmaster", "webmaster"]


def only(domains):
    return [word for name in domains for word in ("--domain", name)]


class Postmap:
    """postmap(1) of the installed Postfix with a main.cf of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        with open(os.path.join(self.directory.name, "main.cf"), "w", encoding="ascii") as file:
            file.write("compatibility_level = 2\n")

    def run(self, *arguments, stdin=""):
        return subprocess.run(["postmap", "-c", self.directory.name, *arguments], input=stdin,
                              env={"PATH": SYSTEM_PATH, "LC_ALL": "C"}, capture_output=True,
                              text=True, timeout=60, check=False)

    def ask(self, table, keys):
        """{key: value} of those that the table has."""
        ran = self.run("-q", "-", table, stdin="".join(f"{key}\n" for key in keys))
        if ran.stderr:
            raise AssertionError(ran.stderr)
        return dict(line.split("\t", 1) for line in ran.stdout.splitlines())

    def dump(self, table):
        ran = self.run("-s", table)
        if ran.returncode != 0:
            raise AssertionError(ran.stderr)
        return dict(line.split("\t", 1) for line in ran.stdout.splitlines())


class Export(unittest.TestCase):
    """Of a filled cache that is not changed."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill()
        cls.world.import_static({"press@ubuntu.com": ["press@target.example", '"a b, c"@target.example']})
        cls.postmap = Postmap()
        cls.addClassCleanup(cls.postmap.directory.cleanup)

    def path(self, name):
        return os.path.join(self.world.directory, name)

    def answers(self, keys):
        """{key: value} of what lpalias itself has for them."""
        ran = self.world.lpalias("query", "--cache", "alias", *keys, "ubuntu.com", status=None)
        return dict(line.split("\t", 1) for line in ran.stdout.splitlines())

    def keys(self):
        """Every address of the cache in whatever state, every role, names that nobody has."""
        listed = [row["address"] for row in json.loads(self.world.lpalias("list", "--json").stdout)]
        made = [f"{name}@{domain}" for domain in OPEN for name in [*ROLES, "nobody", "PostMaster"]]
        return [key for key in [*listed, *made, *OPEN, "foreign.example"]
                if not key.endswith("kubuntu.org")]

    def test_json_says_what_list_says(self):
        exported = json.loads(self.world.lpalias("export", "--format", "json").stdout)
        self.assertEqual({row["address"]: row for row in exported},
                         {row["address"]: row for row in
                          json.loads(self.world.lpalias("list", "--json").stdout)})
        shown = {row["address"]: row for row in
                 json.loads(self.world.lpalias("export", "--format", "json", "--show-targets").stdout)}
        self.assertEqual(shown["several@ubuntu.com"]["targets"], TARGETS["several"])

    def test_csv_has_all_columns(self):
        rows = list(csv.DictReader(io.StringIO(self.world.lpalias("export", "--format", "csv").stdout)))
        self.assertEqual(list(rows[0]), [*COLUMNS, "target_count"])
        listed = {row["address"]: row for row in json.loads(self.world.lpalias("list", "--json").stdout)}
        self.assertEqual({row["address"] for row in rows}, set(listed))
        for row in rows:
            for column in COLUMNS:
                self.assertEqual(row[column], listed[row["address"]][column] or "", row)
            self.assertEqual(int(row["target_count"]), listed[row["address"]]["target_count"])

    def test_no_target_shows_unless_asked_for(self):
        for form in ("json", "csv"):
            ran = self.world.lpalias("export", "--format", form)
            self.assertNotIn("target.example", ran.stdout + ran.stderr)

    def test_csv_comes_back_by_an_import(self):
        exported = self.world.lpalias("export", "--format", "csv", "--show-targets").stdout
        with World() as other:
            other.fill(targets={})
            ran = other.lpalias("import", "--format", "csv", "-", stdin=exported)
            self.assertIn("refused 0", ran.stdout)
            get = lambda world: {row["address"]: row["targets"] for row in
                                 json.loads(world.lpalias("list", "--json", "--show-targets").stdout)}
            self.assertEqual(get(other), get(self.world))

    def test_lmdb_is_read_by_postmap_and_agrees_with_lpalias(self):
        ran = self.world.lpalias("export", "--format", "lmdb", "--output", self.path("native"), *only(OPEN))
        self.assertIn("targets in clear", ran.stderr)
        keys = self.keys()
        self.assertGreater(len(keys), 30)
        got = self.postmap.ask("lmdb:" + self.path("native"), keys)
        self.assertEqual(got, self.answers(keys))
        self.assertEqual(got["press@ubuntu.com"], 'press@target.example,"a b, c"@target.example')
        self.assertEqual(got["postmaster@ubuntu.com"], ALERTS)
        self.assertEqual(got["ubuntu.com"], "ubuntu.com")

    def test_text_is_read_by_postmap_and_agrees_with_lpalias(self):
        ran = self.world.lpalias("export", "--format", "text", *only(OPEN))
        self.assertIn("targets in clear", ran.stderr)
        with open(self.path("virtual-text"), "w", encoding="utf-8") as file:
            file.write(ran.stdout)
        keys = self.keys()
        self.assertEqual(self.postmap.ask("texthash:" + self.path("virtual-text"), keys), self.answers(keys))
        self.assertEqual(self.postmap.run("hash:" + self.path("virtual-text")).stderr, "")
        self.world.lpalias("export", "--format", "lmdb", "-o", self.path("same.lmdb"), *only(OPEN))
        self.assertEqual(self.postmap.dump("hash:" + self.path("virtual-text")),
                         self.postmap.dump("lmdb:" + self.path("same")))

    def test_a_closed_domain_is_refused(self):
        for form in ("text", "lmdb"):
            path = self.path("refused-" + form)
            ran = self.world.lpalias("export", "--format", form, "-o", path, status=1)
            self.assertIn("kubuntu.org: is closed", ran.stderr)
            self.assertIn("nothing was written", ran.stderr)
            self.assertEqual(ran.stdout, "")
            made = lambda: [name for name in os.listdir(self.world.directory) if "refused-" + form in name]
            self.assertEqual(made(), [])
            ran = self.world.lpalias("export", "--format", form, "-o", path, "--lossy")
            self.assertIn("kubuntu.org: is closed", ran.stderr)
            self.assertEqual(len(made()), 1)

    def test_wrong_use(self):
        for arguments, status in [
                ((), USAGE), (("--format", "xml"), USAGE), (("--format", "lmdb"), USAGE),
                (("--format", "text", "--show-targets"), USAGE), (("--format", "csv", "--lossy"), USAGE),
                (("--format", "csv", "--domain", "no domain"), USAGE),
                (("--format", "csv", "--domain", "foreign.example"), NOT_FOUND),
                (("--format", "csv", "surplus"), USAGE)]:
            ran = self.world.lpalias("export", *arguments, status=status)
            self.assertEqual(ran.stdout, "", arguments)
            self.assertNotEqual(ran.stderr, "", arguments)

    def test_domain_may_be_given_several_times(self):
        rows = json.loads(self.world.lpalias("export", "--format", "json", "--domain", "UBUNTU.net",
                                             "-d", "lubuntu.me").stdout)
        self.assertEqual({row["address"] for row in rows}, {"jdoe@ubuntu.net", "lee@lubuntu.me"})

    def test_output_is_written_whole_or_not_at_all(self):
        path = self.path("whole.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("old\n")
        os.chmod(path, 0o600)
        group = pwd.getpwnam("nobody").pw_gid if os.geteuid() == 0 else os.getegid()
        os.chown(path, -1, group)
        before = os.stat(path).st_ino
        self.world.lpalias("export", "--format", "csv", "-o", path)
        now = os.stat(path)
        self.assertEqual(stat.S_IMODE(now.st_mode), 0o640)
        self.assertEqual(now.st_gid, group)
        self.assertNotEqual(now.st_ino, before)
        self.assertEqual([name for name in os.listdir(self.world.directory) if name.startswith("whole") and name != "whole.csv"], [])
        with open(path, encoding="utf-8") as file:
            self.assertTrue(file.readline().startswith("address,"))

    def test_no_symbolic_link_is_followed(self):
        victim, link = self.path("victim"), self.path("link.csv")
        with open(victim, "w", encoding="ascii") as file:
            file.write("mine\n")
        os.symlink(victim, link)
        ran = self.world.lpalias("export", "--format", "csv", "-o", link, status=1)
        self.assertIn("symbolic link", ran.stderr)
        self.assertTrue(os.path.islink(link))
        with open(victim, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine\n")
        self.assertIn("not a regular file",
                      self.world.lpalias("export", "--format", "csv", "-o", "/dev/null", status=1).stderr)
        self.assertIn("cannot make", self.world.lpalias("export", "--format", "csv", "-o",
                                                        self.path("no/such/file"), status=1).stderr)

    def test_targets_without_their_key_are_no_export(self):
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.addCleanup(os.rename, self.world.key_file + ".away", self.world.key_file)
        for arguments in [("text", *only(OPEN)), ("csv", "--show-targets")]:
            self.assertEqual(self.world.lpalias("export", "--format", *arguments, status=1).stdout, "")
        rows = json.loads(self.world.lpalias("export", "--format", "json").stdout)
        self.assertIn(None, [row["target_count"] for row in rows])


    def test_progress_is_told_on_a_terminal_only(self):
        # A clock that runs fast makes any export one of more than a second.
        forget_dead_clocks()
        command = ["faketime", "-f", "+0 x1000000", *self.world.lpalias_command("export", "--format", "csv",
                                                                              is_wrapped=False)]
        master, slave = pty.openpty()
        quiet = subprocess.run(command, capture_output=True, timeout=60, check=True)
        told = subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, timeout=60, check=True)
        os.close(slave)
        shown = os.read(master, 65536).decode()
        os.close(master)
        self.assertRegex(shown, r"^(\r\d+ aliases read)+\r\x1b\[K$")
        self.assertEqual((quiet.stdout, quiet.stderr), (told.stdout, b""))


class Losses(unittest.TestCase):
    """One cache for each thing that a table cannot say."""

    def refused(self, world, wanted, *arguments):
        ran = world.lpalias("export", "--format", "text", *arguments, status=1)
        self.assertEqual(ran.stdout, "")
        self.assertIn(wanted, ran.stderr)
        lossy = world.lpalias("export", "--format", "text", "--lossy", *arguments)
        self.assertIn(wanted, lossy.stderr)
        return lossy.stdout

    def test_a_catch_all_beside_dead_names(self):
        with World() as world:
            world.domains = {"ubuntu.com": 'ubuntumembers"\n  catch-all = "all@target.example'}
            world.write_config()
            world.fill(opened=("ubuntu.com",))
            text = self.refused(world, "ubuntu.com, 3 name(s): the catch-all would take")
            self.assertIn("@ubuntu.com\tall@target.example\n", text)
            for name in ("pending", "filler-a", "filler-b"):
                world.lpalias("target", "set", name, f"{name}@target.example")
            ran = world.lpalias("export", "--format", "text")
            self.assertIn("\n@ubuntu.com\tall@target.example\n", ran.stdout)
            self.assertIn("goes to the catch-all, too", ran.stderr)

    def test_names_that_hold_a_delimiter(self):
        with World() as world:
            world.domains = {"ubuntu.com": "ubuntumembers"}
            world.write_config()
            world.fill_static({"jdoe+list@ubuntu.com": ["list@target.example"]})
            self.refused(world, "ubuntu.com, 1 name(s): the name holds a delimiter")

    def test_a_domain_that_is_not_configured_any_more(self):
        with World() as world:
            world.fill_static({"press@ubuntu.com": ["press@target.example"],
                               "press@ubuntu.net": ["press@target.example"]})
            world.domains = {"ubuntu.com": "ubuntumembers"}
            world.write_config()
            text = self.refused(world, "ubuntu.net: is not in the configuration any more")
            self.assertIn("press@ubuntu.net\t", text)
            self.assertNotIn("ubuntu.net", world.lpalias("export", "--format", "text", "-d",
                                                         "ubuntu.com").stdout)

    def test_a_domain_in_another_script_and_a_comment(self):
        with World() as world:
            world.domains = {"xn--bcher-kva.example": "ubuntumembers"}
            world.write_config()
            world.fill_static({"press@xn--bcher-kva.example": ["press@target.example"]})
            world.lpalias("import", "--static", "--format", "csv", "-",
                          stdin="#odd@xn--bcher-kva.example,odd@target.example\n")
            text = self.refused(world, "another script")
            self.assertNotIn("#odd", text)
            self.assertIn('cannot begin with "#"',
                          world.lpalias("export", "--format", "text", status=1).stderr)

    def test_a_cache_that_went_back_is_closed(self):
        with World() as world:
            world.domains = {"ubuntu.com": "ubuntumembers"}
            world.write_config()
            world.fill_static({"press@ubuntu.com": ["press@target.example"]})
            data = os.path.join(world.cache, "data.mdb")
            with open(data, "rb") as file:
                old = file.read()
            world.import_static({"other@ubuntu.com": ["other@target.example"]})
            with open(data, "wb") as file:
                file.write(old)
            self.refused(world, "ubuntu.com: is closed")


class Rights(unittest.TestCase):
    """Root writes where root may, though it reads the cache as its owner."""

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_writes_its_own_file_of_somebody_elses_cache(self):
        user = pwd.getpwnam("nobody")
        with World() as world, tempfile.TemporaryDirectory() as directory:
            world.domains = {"ubuntu.com": "ubuntumembers"}
            world.write_config()
            world.fill_static({"press@ubuntu.com": ["press@target.example"]})
            world.give_to(user.pw_uid, user.pw_gid)
            for form in ("csv", "text", "lmdb"):
                path = os.path.join(directory, "root-only." + form)
                world.lpalias("export", "--format", form, "-o", path)
                self.assertEqual(os.stat(path).st_uid, 0)
            self.assertEqual({os.stat(os.path.join(world.cache, name)).st_uid
                              for name in os.listdir(world.cache)}, {user.pw_uid})


if __name__ == "__main__":
    tap.main()
