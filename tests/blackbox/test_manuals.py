"""Each `lpalias ...` in README.md and docs/operations.md is a command that there is, with options that it has."""

import functools
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import manual
import tap

LPALIAS = os.environ.get("LPALIAS", "")
ROOT = os.path.join(HERE, "..", "..")
# Of how the command itself is called: the manuals speak of them.
OF_THE_PROGRAM = {"--help", "-h", "--version", "-V"}


@functools.cache
def commands():
    """The names of all commands, of one word or two."""
    said = subprocess.run([LPALIAS, "--help"], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^  ([a-z].*)$", said.partition("Commands:")[2], re.M)
    names = {" ".join(re.match(r"[a-z-]+( [a-z][a-z-]*)?(?= |$)", line)[0].split()) for line in lines}
    return {name for name in names if name}


@functools.cache
def options(command):
    """{option: whether a value follows} of one command, by its --help."""
    said = subprocess.run([LPALIAS, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
    found = {}
    for short, long, value in re.findall(r"^  (?:(-\w), |    )(--[a-z-]+)( \S+)?$", said, re.M):
        found[long] = bool(value)
        if short:
            found[short] = bool(value)
    return found


def fault_of(words):
    """What is wrong with a command line as the manual has it, or None."""
    if words[0] in ("-c", "--config"):
        words = words[2:]
    if words[0] in OF_THE_PROGRAM:
        return None
    names = [name for name in (" ".join(words[:2]), words[0]) if name in commands()]
    if not names:
        return f"there is no command {' '.join(words[:2])}"
    known = options(names[0])
    for word in words[len(names[0].split()):]:
        option = word.split("=")[0].rstrip(",.")
        if re.match(r"--?[a-z]", option) and option not in known and option not in OF_THE_PROGRAM:
            return f"{names[0]} has no {option}"
    return None


@unittest.skipUnless(os.access(LPALIAS, os.X_OK), "LPALIAS is not set")
class Manuals(unittest.TestCase):
    """See the top of the file."""

    def check(self, name, at_least):
        found = list(manual.command_lines(os.path.join(ROOT, name)))
        faults = [f"{name}:{line}: lpalias {' '.join(words)}: {fault}"
                  for line, words in found if (fault := fault_of(words)) is not None]
        self.assertEqual(faults, [])
        self.assertGreater(len(found), at_least)

    def test_readme(self):
        self.check("README.md", 15)

    def test_operations(self):
        self.check("docs/operations.md", 60)

    def test_what_is_wrong_is_seen(self):
        for line in ("lpalias frobnicate", "lpalias domain shut ubuntu.com", "lpalias restore --force FILE", "lpalias list -x"):
            with self.subTest(line=line):
                self.assertIsNotNone(fault_of(line.split()[1:]))
        self.assertIsNone(fault_of("domain open --yes ubuntu.com".split()))


if __name__ == "__main__":
    tap.main()
