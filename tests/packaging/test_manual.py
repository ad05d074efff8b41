"""The man pages: in step with the tables of the programs, and without a complaint of who reads them."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import program

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PAGES = sorted(glob.glob(os.path.join(SOURCE, "docs", "man", "*.[1-8]")))


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})


def rendered(name):
    """A page as it is read, on lines that do not end."""
    path = os.path.join(SOURCE, "docs", "man", name)
    page = run("groff", "-t", "-man", "-Tascii", "-rLL=1000n", "-P-cbou", path)
    return re.sub(" +", " ", page.stdout)


def setUpModule():
    if shutil.which("groff") is None:
        raise unittest.SkipTest("groff is not installed")


def commands():
    """What `lpalias --help` lists, as (usage, help sentence)."""
    listed = run(program("LPALIAS"), "--help").stdout
    return re.findall(r"^  (\S.*)\n {8}(\S.*)$", listed, re.M)


@unittest.skipUnless(program("LPALIAS") and program("LPALIASD") and program("LPALIAS_PORTAL"),
                     "LPALIAS, LPALIASD or LPALIAS_PORTAL is not set")
class InStep(unittest.TestCase):
    """A reader finds what the programs have, and nothing else."""

    def test_tables_are_those_of_the_programs(self):
        update = os.path.join(SOURCE, "docs", "man", "update")
        ran = run("/usr/bin/python3", update, "--check", program("LPALIAS"), program("LPALIASD"), program("LPALIAS_PORTAL"))
        self.assertEqual((ran.returncode, ran.stdout), (0, ""), ran.stdout + ran.stderr)

    def test_every_command_and_option_can_be_read(self):
        page = rendered("lpalias.1")
        self.assertGreater(len(commands()), 10)
        for usage, _ in commands():
            self.assertIn(f"\n {usage}\n", page)
            name = [word for word in usage.split()[:2] if re.fullmatch("[a-z]+", word)]
            help_text = run(program("LPALIAS"), *name, "--help").stdout
            for option in re.findall(r"^ +((?:-., )?--[a-z-]+)", help_text, re.M):
                self.assertIn(option, page, name)

    def test_every_key_can_be_read(self):
        page = rendered("lpalias.conf.5")
        lines = run(program("LPALIAS"), "check", "--keys").stdout.splitlines()
        names = [name.strip() for name, facts in zip(lines, lines[1:]) if "; used by " in facts]
        self.assertGreater(len(names), 30)
        for name in names:
            self.assertRegex(page, rf"\n {re.escape(name)} \(")

    def test_every_map_is_described(self):
        page = rendered("lpalias-protocols.7")
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write('alerts = "a@b.example"\ndomain "c.example" { team = "c" }\n')
            file.flush()
            maps = run(program("LPALIAS"), "-c", file.name, "complete", "--", "query", "").stdout.split()
        self.assertIn("alias", maps)
        described = page[page.index("\nMAPS\n"):page.index("\nSOCKETMAP\n")]
        for name in maps:
            self.assertRegex(described, rf"\n {name}( |\n)")

    def test_every_exit_status_is_described(self):
        """Those of the help of each program."""
        for name, page in (("LPALIAS", "lpalias.1"), ("LPALIASD", "lpaliasd.8"),
                           ("LPALIAS_PORTAL", "lpalias-portal.8")):
            described = rendered(page).split("\nEXIT STATUS")[1].split("\nFILES\n")[0]
            told = " ".join(run(program(name), "--help").stdout.split("Exit status:")[1].split())
            statuses = re.findall(r"(?:^| )(\d+) ", told)
            self.assertGreater(len(statuses), 3)
            for status in statuses:
                self.assertRegex(described, rf"\n {status} ", page)


class Form(unittest.TestCase):
    """The pages are right for the formatters of Debian."""

    def test_mandoc_finds_nothing(self):
        if shutil.which("mandoc") is None:
            self.skipTest("mandoc is not installed")
        for page in PAGES:
            self.assertEqual(run("mandoc", "-Tlint", page).stdout, "")

    def test_groff_warns_of_nothing(self):
        self.assertEqual(len(PAGES), 5)
        for page in PAGES:
            ran = run("groff", "-t", "-man", "-Tutf8", "-ww", "-z", page)
            self.assertEqual((ran.returncode, ran.stderr), (0, ""), page)


if __name__ == "__main__":
    tap.main()
