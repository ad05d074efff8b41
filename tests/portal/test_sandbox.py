"""What lpalias-portal cannot do once it is ready, and what it still can: change the cache, ask names in
threads, and connect. A probe enters its very sandbox and tries; tests/fault/test_sandbox.py has the
parts that are the same for lpaliasd."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, program
from portal_world import PortalWorld, why_not

LANDLOCK_CREATE_RULESET, VERSION_FLAG = 444, 1
KILLED = -signal.SIGSYS


def setUpModule():
    reason = why_not()
    if reason is None and program("SANDBOX_PROBE") is None:
        reason = "SANDBOX_PROBE is not set"
    if reason:
        raise unittest.SkipTest(reason)
    if os.environ["SANDBOX"] != "Landlock, seccomp":
        raise unittest.SkipTest(f"built with this sandbox: {os.environ['SANDBOX']}")
    version = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, VERSION_FLAG)
    if version < 3:
        raise unittest.SkipTest(f"the kernel's Landlock is version {version} and not 3")


class Probe(unittest.TestCase):
    """Each act, outside and inside."""

    @classmethod
    def setUpClass(cls):
        cls.world = PortalWorld()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill_static({"press@ubuntu.com": ["press@target.example"]})
        # Else the directory above the cache, which is of the same owner, may be written to as well.
        os.chown(cls.world.directory, 1, -1)
        os.mkdir(cls.world.state, 0o700)

    def path(self, *names):
        return os.path.join(self.world.directory, *names)

    def probe(self, *arguments):
        """What it says, or the signal that killed it, negative."""
        ran = subprocess.run([program("SANDBOX_PROBE"), *arguments], capture_output=True, text=True,
                             timeout=PATIENCE_S, check=False, cwd="/")
        self.assertIn(ran.returncode, (0, KILLED), f"{arguments}: {ran.stderr}")
        self.assertNotIn("warning", ran.stderr)
        return ran.stdout.strip() if ran.returncode == 0 else ran.returncode

    def inside(self, *arguments):
        return self.probe("confined", self.world.config_file, *arguments)

    def test_calls(self):
        for act, wanted in (("chmod", "ENOSYS"), ("execve", KILLED), ("fork", "EPERM"), ("fork-call", KILLED),
                            ("map-code", "EPERM"), ("make-code", "EPERM"), ("ptrace", KILLED),
                            ("setuid", KILLED), ("signal", "EPERM"), ("unshare", KILLED)):
            with self.subTest(act=act):
                file = self.path("file")
                with open(file, "w", encoding="ascii"):
                    pass
                self.assertEqual(self.inside(act, file), wanted)
                self.assertEqual(self.probe("free", act, file), "done")

    def test_it_asks_names_in_threads_and_connects(self):
        self.assertEqual(self.inside("resolve", "localhost"), "done")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.assertEqual(self.inside("connect", str(listening.getsockname()[1])), "done")
        self.assertEqual(self.inside("bind"), "ENOSYS")

    def test_its_own_files(self):
        for act, path in (("read", self.world.config_file), ("read", self.world.key_file),
                          ("read", "/etc/resolv.conf"), ("read", "/etc/ssl/certs/ca-certificates.crt"),
                          ("write", self.path("cache", "data.mdb")), ("make", self.path("cache", "new")),
                          ("rename", self.path("cache", "new")), ("unlink", self.path("cache", "new.renamed")),
                          ("make", self.path("state", "new"))):
            with self.subTest(act=act, path=path):
                self.assertEqual(self.inside(act, path), "done")

    def test_files_of_others(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, who may do anything but for the sandbox")
        for act, path in (("read", "/proc/self/environ"), ("read", "/"), ("read", "/usr/bin/env"),
                          ("make", os.path.join(tempfile.gettempdir(), f"probe-{os.getpid()}")),
                          ("make", self.path("beside")), ("write", self.world.config_file),
                          ("write", self.world.key_file), ("unlink", self.world.key_file),
                          ("rename", self.world.key_file)):
            with self.subTest(act=act, path=path):
                self.assertEqual(self.inside(act, path), "EACCES")
                if act == "make":
                    self.assertEqual(self.probe("free", act, path), "done")
                    os.unlink(path)


class Process(unittest.TestCase):
    """lpalias-portal itself."""

    def setUp(self):
        self.world = PortalWorld()
        self.addCleanup(self.world.close)

    def seccomp_of(self, process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            return re.search(r"^Seccomp:\s*(\S+)", file.read(), re.M)[1]

    def test_the_kernel_says_so(self):
        process = self.world.start_portal()
        self.assertEqual(self.seccomp_of(process), "2")
        self.assertNotIn("sandbox", self.world.portal_log())

    def test_switched_off(self):
        self.world.portal.append("sandbox = false")
        self.world.write_config()
        process = self.world.start_portal()
        self.assertEqual(self.seccomp_of(process), "0")
        self.assertIn("running without a sandbox", self.world.portal_log())

    def test_a_kernel_without_landlock(self):
        """A warning, and it serves."""
        os.environ["LPALIAS_WRAPPER"], before = \
            f"{program('SANDBOX_PROBE')} without landlock_create_ruleset", os.environ.get("LPALIAS_WRAPPER", "")
        self.addCleanup(os.environ.__setitem__, "LPALIAS_WRAPPER", before)
        process = self.world.start_portal()
        self.assertIn("the sandbox is not complete: files are not confined, as there is no Landlock", self.world.portal_log())
        self.assertEqual(self.seccomp_of(process), "2")
        self.assertEqual(self.world.request("GET", "/").status, 200)


if __name__ == "__main__":
    tap.main()
