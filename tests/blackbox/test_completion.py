"""Completion of lpalias' words: what the program offers, and that the real bash and zsh put it in."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import DOMAINS, PATIENCE_S, TARGETS, World, program

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "tool", "completion")


class Filled(unittest.TestCase):
    """A world with people, aliases and domains."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill()


class Candidates(Filled):
    """lpalias complete."""

    def offered(self, *words):
        ran = self.world.lpalias("complete", "--", *words)
        for addresses in TARGETS.values():
            for target in addresses:
                self.assertNotIn(target, ran.stdout)
        return ran.stdout.splitlines()

    def test_commands(self):
        everything = self.offered("")
        self.assertEqual(len(everything), len(set(everything)))
        self.assertLessEqual({"refresh", "domain", "target", "export", "lint"}, set(everything))
        self.assertNotIn("complete", everything)
        self.assertEqual(self.offered("refr"), ["refresh"])
        self.assertEqual(self.offered("domain", ""), ["list", "open", "close", "remove", "verify"])
        self.assertEqual(self.offered("domain", "op"), ["open"])
        self.assertEqual(self.offered("domain", "open"), ["open"])
        self.assertEqual(self.offered("help", "exp"), ["explain", "export", "export-person"])
        self.assertEqual(self.offered("nonsense", ""), [])
        self.assertEqual(self.offered("--c"), ["--config"])

    def test_every_command_offers_the_options_of_its_help(self):
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= |$)", self.world.lpalias("--help").stdout, re.M)
        self.assertGreater(len(names), 15)
        for name in names:
            words = next(w for w in (name.split(), name.split()[:1])
                         if self.world.lpalias(*w, "--help", status=None).status == 0)
            shown = re.findall(r"^ +(?:-., )? *--([a-z-]+)", self.world.lpalias(*words, "--help").stdout, re.M)
            self.assertEqual(self.offered(*words, "-"), ["--help", *(f"--{each}" for each in shown)], words)

    def test_values_of_options(self):
        self.assertEqual(self.offered("list", "--state", "p"), ["pending", "paused"])
        self.assertEqual(self.offered("list", "--kind=s"), ["--kind=static"])
        self.assertEqual(self.offered("export", "-f", ""), ["json", "csv", "text", "lmdb"])
        self.assertEqual(self.offered("export", "--domain", "ubuntu.n"), ["ubuntu.net"])
        self.assertEqual(self.offered("export", "--domain=ubuntu.n"), ["--domain=ubuntu.net"])
        self.assertEqual(self.offered("export", "--output", ""), [])
        self.assertEqual(self.offered("query", "--socket", ""), [])

    def test_operands(self):
        self.assertEqual(self.offered("domain", "open", "--yes", ""), list(DOMAINS))
        self.assertEqual(self.offered("domain", "open", "lubuntu.me", "kub"), ["kubuntu.org"])
        self.assertEqual(self.offered("explain", "several@"), ["several@ubuntu.com"])
        self.assertEqual(self.offered("explain", "--show-targets", "kim@"), ["kim@edubuntu.org",
                                                                             "kim@kubuntu.org",
                                                                             "kim@ubuntu.com"])
        self.assertEqual(self.offered("explain", "kim@ubuntu.com", ""), [])
        self.assertEqual(self.offered("show", "jd"), ["jdoe", "jdoe@ubuntu.com", "jdoe@ubuntu.net"])
        self.assertEqual(self.offered("target", "set", "sev"), ["several"])
        self.assertEqual(self.offered("target", "set", "several", ""), [])
        self.assertEqual(self.offered("query", "--cache", "al"), ["alias"])
        self.assertEqual(self.offered("query", "alias", "lee@ubuntu.com", "jdoe@ubuntu.c"), ["jdoe@ubuntu.com"])
        self.assertEqual(self.offered("import", "--format", "csv", ""), [])

    def test_nothing_is_run_and_nothing_is_said(self):
        before = sorted(os.listdir(self.world.directory))
        for words in (["key", "generate", "-"], ["domain", "close", "ubuntu.com", "-"], ["refresh", "-"]):
            self.assertIn("--help", self.offered(*words))
        self.assertEqual(sorted(os.listdir(self.world.directory)), before)
        self.assertIn("ubuntu.com\n", self.world.lpalias("query", "--cache", "domain", "ubuntu.com").stdout)

    def test_without_a_cache_or_a_configuration(self):
        with World() as empty:
            ran = empty.lpalias("complete", "--", "domain", "open", "")
            self.assertEqual(ran.stdout.splitlines(), list(DOMAINS))
            self.assertEqual(empty.lpalias("complete", "--", "show", "").stdout, "")
            self.assertFalse(os.path.exists(empty.cache))
            missing = os.path.join(empty.directory, "missing")
            self.assertEqual(empty.lpalias("complete", "--", "-c", missing, "domain", "open", "").stdout, "")
            self.assertEqual(empty.lpalias("complete", "--", "-c", missing, "sho").stdout, "show\n")
            self.assertEqual(empty.lpalias("complete", "--", "-c", "").stdout, "")


class Shell:
    """An interactive shell on a terminal of its own, in which keys are typed."""

    def __init__(self, command, directory):
        environment = {"PATH": os.path.dirname(program("LPALIAS")) + ":/usr/bin:/bin", "TERM": "dumb",
                       "HOME": directory, "ZDOTDIR": directory, "LC_ALL": "C.UTF-8"}
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=directory,
                                        env=environment, start_new_session=True)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 400, 0, 0))
        os.close(slave)
        self.seen = ""

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, pattern):
        """The first match in what stands on the terminal; what is before its end is forgotten."""
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.seen)):
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"{pattern} did not come: {self.seen!r}")
            self.seen += os.read(self.master, 4096).decode("utf-8", "replace")
        self.seen = self.seen[found.end():]
        return found


class Shells:
    """The cases, for each shell: `begin` makes one whose prompt is "ready>"."""

    def complete(self, typed, wanted):
        """Types words and a tab; the line that comes of it is made an argument of echo (control-A is
        its begin) and so printed."""
        self.shell.type(typed + "\t\x01echo li''ne: \n")
        line = self.shell.wait_for(r"\nline: (.*?)\r").group(1)
        self.assertEqual(line.rstrip(), wanted)
        self.shell.wait_for("ready>")

    def test_words_are_completed(self):
        config = self.world.config_file
        for typed, wanted in [
                ("lpalias refr", "lpalias refresh"),
                ("lpalias domain op", "lpalias domain open"),
                ("lpalias export --sh", "lpalias export --show-targets"),
                (f"lpalias -c {config} domain open lub", f"lpalias -c {config} domain open lubuntu.me"),
                (f"lpalias -c {config} explain several@ubuntu.c",
                 f"lpalias -c {config} explain several@ubuntu.com"),
                (f"lpalias -c {config} explain several@", f"lpalias -c {config} explain several@ubuntu.com"),
                (f"lpalias -c {config} explain jdoe@ubuntu.n",
                 f"lpalias -c {config} explain jdoe@ubuntu.net"),
                (f"lpalias -c {config} show sever", f"lpalias -c {config} show several"),
                (f"lpalias -c {config} list --state=pen", f"lpalias -c {config} list --state=pending"),
                (f"lpalias import --format csv {config[:-2]}", f"lpalias import --format csv {config}")]:
            with self.subTest(typed=typed):
                self.complete(typed, wanted)


class Bash(Shells, Filled):
    """The script for bash, in bash."""

    def setUp(self):
        self.shell = Shell(["bash", "--norc", "--noprofile", "-i"], self.world.directory)
        self.addCleanup(self.shell.close)
        self.shell.type("bind 'set enable-bracketed-paste off'; PS1='rea''dy>'\n")
        self.shell.wait_for("ready>")
        self.shell.type(f"source {os.path.abspath(SCRIPTS)}/lpalias.bash\n")
        self.shell.wait_for("ready>")


@unittest.skipIf(shutil.which("zsh") is None, "zsh is not installed")
class Zsh(Shells, Filled):
    """The function for zsh, in zsh."""

    def setUp(self):
        self.shell = Shell(["zsh", "-f", "-i"], self.world.directory)
        self.addCleanup(self.shell.close)
        self.shell.type("unsetopt zle_bracketed_paste; unset zle_bracketed_paste; PS1='rea''dy>'\n")
        self.shell.wait_for("ready>")
        self.shell.type(f"fpath=({os.path.abspath(SCRIPTS)} $fpath); autoload -Uz compinit; compinit -u -D\n")
        self.shell.wait_for("ready>")


if __name__ == "__main__":
    tap.main()
