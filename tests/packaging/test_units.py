"""The systemd units and the configuration file that is shipped, without any systemd that runs."""

import configparser
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
UNITS = os.environ.get("UNITS", os.path.join(SOURCE, "build", "packaging"))
SERVICES = sorted(glob.glob(os.path.join(UNITS, "*.service")))
EXPOSURE_MAX = 1.5


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"})


def read_unit(path):
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    unit.optionxform = str
    unit.read(path)
    return unit


def members(name, groups):
    return {name} if not name.startswith("@") else {each for member in groups[name] for each in members(member, groups)}


def allowed_calls(unit):
    """The system calls that the lines SystemCallFilter= of a unit leave, one after the other."""
    groups = {}
    for line in run("systemd-analyze", "syscall-filter", "--no-pager").stdout.splitlines():
        if line.startswith("@"):
            group = groups.setdefault(line, [])
        elif line.startswith("    ") and not line.startswith("    #"):
            group.append(line.strip())
    allowed = set()
    for is_refused, names in re.findall(r"(?m)^SystemCallFilter=(~?)(.*)$", unit):
        named = {each for name in names.split() for each in members(name, groups)}
        allowed = allowed - named if is_refused else allowed | named
    return allowed


class Units(unittest.TestCase):
    """What the units say."""

    def setUp(self):
        self.assertIn("lpaliasd.service", map(os.path.basename, SERVICES))

    def test_exposure(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd is not installed")
        for service in SERVICES:
            ran = run("systemd-analyze", "security", "--offline=true", f"--threshold={round(EXPOSURE_MAX * 10)}", service)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", ran.stdout)[1])
            print(f"# {os.path.basename(service)}: exposure {exposure}")
            self.assertLessEqual(exposure, EXPOSURE_MAX)

    def test_watchdog(self):
        """Who is ended by it leaves no core, has the time to answer, and can reach its own socket."""
        service = read_unit(os.path.join(UNITS, "lpaliasd.service"))["Service"]
        if service["Type"] != "notify":
            self.skipTest("built without libsystemd")
        self.assertEqual((service["WatchdogSec"], service["WatchdogSignal"], service["Restart"]), ("30s", "SIGTERM", "always"))
        self.assertEqual(service["LimitCORE"], "0")
        socket = read_unit(os.path.join(SOURCE, "packaging", "lpaliasd.socket"))["Socket"]
        self.assertIn(socket["SocketGroup"], service["SupplementaryGroups"].split())

    def test_the_filter_lets_through_what_lpaliasd_allows_itself(self):
        """Of system calls, and those with which it confines itself."""
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd is not installed")
        with open(os.path.join(SOURCE, "src", "sandbox", "server_calls.c"), encoding="utf-8") as file:
            needed = set(re.findall(r'(?m)^    "(\w+)",$', file.read()))
        self.assertGreater(len(needed), 50)
        needed |= {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp", "prctl"}
        with open(os.path.join(UNITS, "lpaliasd.service"), encoding="utf-8") as file:
            self.assertEqual(needed - allowed_calls(file.read()), set())

    def test_verify(self):
        """systemd understands every line of every unit."""
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd is not installed")
        with tempfile.TemporaryDirectory() as directory:
            for unit in [*SERVICES, *glob.glob(os.path.join(SOURCE, "packaging", "*.timer")),
                         *glob.glob(os.path.join(SOURCE, "packaging", "*.socket"))]:
                with open(unit, encoding="utf-8") as file:
                    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", file.read())
                # Without a manual page and users that are not installed here.
                text = re.sub(r"(?m)^(Documentation|User|SocketUser|SocketGroup)=.*\n", "", text)
                with open(os.path.join(directory, os.path.basename(unit)), "w", encoding="utf-8") as file:
                    file.write(text)
            names = sorted(os.listdir(directory))
            ran = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", *names], cwd=directory,
                                 capture_output=True, text=True, check=False,
                                 env={**os.environ, "SYSTEMD_UNIT_PATH": directory + ":"})
            ours = [line for line in ran.stderr.splitlines() if "lpalias" in line]
            self.assertEqual(ours, [], ran.stderr)

    @unittest.skipUnless(program("LPALIAS"), "LPALIAS is not set")
    def test_commands_are_there_and_know_their_options(self):
        for service in SERVICES:
            words = read_unit(service)["Service"]["ExecStart"].split()
            if os.path.basename(words[0]) != "lpalias":
                continue
            ran = run(program("LPALIAS"), words[1], "--help")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            for option in words[2:]:
                self.assertRegex(ran.stdout, rf"{option}\b")

    def test_what_starts_a_service_has_it(self):
        names = [os.path.splitext(os.path.basename(service))[0] for service in SERVICES]
        for kind in ("timer", "socket"):
            units = glob.glob(os.path.join(SOURCE, "packaging", f"*.{kind}"))
            self.assertTrue(units, kind)
            for unit in units:
                self.assertIn(os.path.splitext(os.path.basename(unit))[0], names)

    def test_nothing_starts_without_keys(self):
        sockets = glob.glob(os.path.join(SOURCE, "packaging", "*.socket"))
        for unit in [*SERVICES, *sockets]:
            self.assertEqual(read_unit(unit)["Unit"]["ConditionPathExists"], "/etc/lpalias/keys", unit)


@unittest.skipUnless(program("LPALIAS"), "LPALIAS is not set")
class Configuration(unittest.TestCase):
    """The file that a package brings."""

    def setUp(self):
        self.shipped = os.path.join(SOURCE, "packaging", "lpalias.conf")
        with open(self.shipped, encoding="utf-8") as file:
            self.text = file.read()

    def test_it_lacks_what_only_the_operator_knows(self):
        ran = run(program("LPALIAS"), "-c", self.shipped, "check")
        self.assertEqual(ran.returncode, 78)
        self.assertRegex(ran.stderr, r"has no alerts;.*\n.*no domain is given;.*\n$")

    def test_it_is_fine_with_these(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(re.sub(r"(?m)^#(alerts|domain)", r"\1", self.text))
            file.flush()
            ran = run(program("LPALIAS"), "-c", file.name, "check")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertIn("fine, 1 domain(s), 1 listener(s)", ran.stdout)

    def test_it_is_fine_with_a_portal(self):
        """The whole section without its comment signs."""
        before, _, portal = re.sub(r"(?m)^#(alerts|domain)", r"\1", self.text).partition("#portal {")
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(before + "portal {" + re.sub("(?m)^#", "", portal))
            file.flush()
            ran = run(program("LPALIAS"), "-c", file.name, "check")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_its_listeners_are_the_sockets_of_the_units(self):
        for name, written in (("lpaliasd", '{ "unix:%s" }'), ("lpalias-portal", '"unix:%s"')):
            socket = read_unit(os.path.join(SOURCE, "packaging", f"{name}.socket"))
            self.assertIn(written % socket["Socket"]["ListenStream"], self.text)


if __name__ == "__main__":
    tap.main()
