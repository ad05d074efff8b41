"""What lpaliasd cannot do once it is ready, and that it answers all the same.

A probe enters the very sandbox of the server and tries; each act is done without the sandbox too,
where it works. gdb makes lpaliasd itself try. The kernel must have Landlock with TCP (6.7).
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, World, program

ADDRESS, FOUND = "press@ubuntu.com", "OK press@target.example"
ALIASES = {ADDRESS: ["press@target.example"]}
OWNER, SERVER = 65533, 65532  # of the cache; the server is one of the owner's group
LANDLOCK_CREATE_RULESET, VERSION_FLAG = 444, 1
KILLED = -signal.SIGSYS


def landlock_version():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, VERSION_FLAG)


def setUpModule():
    for name in ("LPALIASD", "LPALIAS", "SANDBOX_PROBE"):
        if program(name) is None:
            raise unittest.SkipTest(f"{name} is not set")
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, to be somebody else")
    if os.environ["SANDBOX"] != "Landlock, seccomp":
        raise unittest.SkipTest(f"built with this sandbox: {os.environ['SANDBOX']}")
    if landlock_version() < 4:
        raise unittest.SkipTest(f"the kernel's Landlock is version {landlock_version()} and not 4")


def as_server(*command):
    return ["setpriv", f"--reuid={SERVER}", f"--regid={OWNER}", "--clear-groups", *command]


class Case(unittest.TestCase):
    """A World as a package arranges it: the cache is the owner's, lpaliasd one of the group."""

    def setUp(self):
        self.sockets = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.sockets)
        self.world = World(socket_directory=self.sockets)
        self.addCleanup(self.world.close)
        self.world.fill_static(ALIASES)
        for name in ("", *os.listdir(self.world.cache)):
            os.chown(os.path.join(self.world.cache, name), OWNER, OWNER)
        os.chown(self.world.key_file, 0, OWNER)
        os.chown(self.sockets, SERVER, OWNER)

    def cached(self, name):
        return os.path.join(self.world.cache, name)

    def start(self, *before):
        self.world.start_server(prefix=[*before, *as_server()])
        self.assertEqual(self.world.ask("alias", ADDRESS), FOUND)

    def status_of(self, name):
        with open(f"/proc/{self.world.process.pid}/status", encoding="ascii") as file:
            return re.search(rf"^{name}:\s*(\S+)", file.read(), re.M)[1]


class Probe(Case):
    """Each act, outside and inside."""

    def probe(self, *arguments, prefix=()):
        """What it says, or the signal that killed it, negative."""
        ran = subprocess.run([*prefix, program("SANDBOX_PROBE"), *arguments], capture_output=True, text=True,
                             timeout=PATIENCE_S, check=False, cwd="/")
        self.assertIn(ran.returncode, (0, KILLED, -signal.SIGABRT), f"{arguments}: {ran.stderr}")
        self.assertNotIn("warning", ran.stderr)
        return ran.stdout.strip() if ran.returncode == 0 else ran.returncode

    def inside(self, *arguments, prefix=()):
        return self.probe("confined", self.world.config_file, *arguments, prefix=prefix)

    def test_calls(self):
        for act, wanted in (
                ("chmod", "ENOSYS"), ("execve", KILLED), ("fork", "ENOSYS"), ("fork-call", KILLED),
                ("map-code", "EPERM"), ("make-code", "EPERM"), ("memfd", "ENOSYS"), ("unshare", KILLED),
                ("ptrace", KILLED), ("read-memory", KILLED), ("rename", "ENOSYS"), ("setuid", KILLED),
                ("signal", "EPERM"), ("socket-inet", "EPERM"), ("socket-packet", "EPERM"),
                ("socket-udp", "EPERM"), ("socket-unix", "done")):
            with self.subTest(act=act):
                path = os.path.join(self.world.directory, "file")
                with open(path, "w", encoding="ascii"):
                    pass
                self.assertEqual(self.inside(act, path), wanted)
                self.assertEqual(self.probe("free", act, path), "done")

    def test_abort_still_ends_the_process(self):
        self.assertEqual(self.inside("abort"), -signal.SIGABRT)

    def test_no_connection_goes_out(self):
        """Over a socket that was there before, so that it is Landlock who refuses."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = str(listening.getsockname()[1])
            self.assertEqual(self.probe("free", "connect", port), "done")
            self.assertEqual(self.inside("connect", port), "EACCES")
            self.assertEqual(self.probe("connecting", "connect", port), "done")
        self.assertEqual(self.probe("free", "bind"), "done")
        self.assertEqual(self.inside("bind"), "ENOSYS")
        self.assertEqual(self.probe("connecting", "socket-inet"), "done")
        with socket.socket(socket.AF_UNIX) as local:
            local.bind(os.path.join(self.sockets, "local"))
            local.listen()
            self.assertEqual(self.inside("connect-unix", local.getsockname()), "done")

    def test_files_of_others(self):
        """By root, who may do anything but for the sandbox."""
        other = os.path.join(self.world.directory, "other")
        os.mkdir(other)
        for act, path, wanted in (
                ("read", "/etc/passwd", "EACCES"),
                ("read", "/proc/self/environ", "EACCES"),
                ("read", "/", "EACCES"),
                ("read", self.sockets, "EACCES"),
                ("make", os.path.join(tempfile.gettempdir(), f"probe-{os.getpid()}"), "EACCES"),
                ("make", os.path.join(other, "new"), "EACCES"),
                ("make", os.path.join(self.sockets, "new"), "EACCES"),
                ("write", self.world.config_file, "EACCES"),
                ("write", self.world.key_file, "EACCES"),
                ("truncate", self.world.key_file, "EACCES"),
                ("write", "/dev/null", "EACCES")):
            with self.subTest(act=act, path=path):
                self.assertEqual(self.inside(act, path), wanted)
                copy = shutil.copy2(path, other) if path in (self.world.config_file, self.world.key_file) else path
                self.assertEqual(self.probe("free", act, copy), "done")
                if act == "make":
                    os.unlink(path)

    def test_a_cache_behind_a_link(self):
        link = os.path.join(self.world.directory, "link")
        for name in ("", *os.listdir(self.world.cache)):
            os.chown(os.path.join(self.world.cache, name), 0, 0)
        real, self.world.cache = self.world.cache, link
        self.world.write_config()
        away = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, away)
        os.rename(real, os.path.join(away, "cache"))
        os.symlink(os.path.join(away, "cache"), link)
        self.assertEqual(self.inside("read", self.cached("data.mdb")), "done")
        self.assertEqual(self.inside("read", away), "EACCES")

    def test_its_own_files(self):
        used = os.path.join(self.sockets, "used")
        with open(used, "w", encoding="ascii"):
            pass
        for act, path in (("read", self.world.config_file), ("read", self.world.key_file),
                          ("read", self.cached("data.mdb")), ("read", self.cached("generation")),
                          ("write", self.cached("lock.mdb")), ("unlink", used)):
            with self.subTest(act=act, path=path):
                self.assertEqual(self.inside(act, path, prefix=as_server()), "done")

    def test_the_cache_is_written_by_its_owner_only(self):
        """The sandbox tells directories apart; within that of the cache the modes of the files do."""
        data = self.cached("data.mdb")
        for act in ("write", "truncate"):
            self.assertEqual(self.inside(act, data, prefix=as_server()), "EACCES")
        self.assertEqual(self.inside("make", self.cached("new"), prefix=as_server()), "EACCES")
        # No mode keeps root from it, but the sandbox does.
        self.assertEqual(self.inside("unlink", data), "EACCES")
        self.assertEqual(self.inside("rename", data), "ENOSYS")
        self.assertEqual(self.probe("free", "write", data), "done")
        self.assertEqual(self.probe("free", "unlink", data), "done")


class Process(Case):
    """lpaliasd itself."""

    def test_the_kernel_says_so(self):
        self.start()
        self.assertEqual([self.status_of(name) for name in ("NoNewPrivs", "Seccomp")], ["1", "2"])
        with open(f"/proc/{self.world.process.pid}/limits", encoding="ascii") as file:
            self.assertRegex(file.read(), r"Max core file size +0 +0 ")
        # Who is not dumpable belongs to root.
        self.assertEqual(os.stat(f"/proc/{self.world.process.pid}/mem").st_uid, 0)
        self.assertNotIn("level=warning", self.world.server_log())

    def test_switched_off(self):
        self.world.server.append("sandbox = false")
        self.world.write_config()
        self.start()
        self.assertEqual(self.status_of("Seccomp"), "0")
        self.assertIn("running without a sandbox", self.world.server_log())
        self.assertEqual(os.stat(f"/proc/{self.world.process.pid}/mem").st_uid, SERVER)

    def debug(self, *expressions):
        """What lpaliasd gets for them: (value, errno) of each."""
        commands = []
        for expression in expressions:
            commands += ["-ex", f"print (int){expression}", "-ex",
                         "print *((int *(*)(void))__errno_location)()"]
        ran = subprocess.run(["gdb", "-nx", "-batch", "-p", str(self.world.process.pid), *commands],
                             capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False)
        values = [int(value) for value in re.findall(r"^\$\d+ = (-?\d+)$", ran.stdout, re.M)]
        return list(zip(values[::2], values[1::2])), ran

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_it_cannot_either(self):
        acts = ['open("/etc/passwd", 0)', "socket(2, 1, 0)", f'unlink("{self.cached("data.mdb")}")',
                f'open("{self.cached("data.mdb")}", 1)']
        self.start()
        said, ran = self.debug(*acts)
        self.assertEqual(said, [(-1, 13), (-1, 1), (-1, 13), (-1, 13)], ran.stdout + ran.stderr)
        self.assertEqual(self.world.ask("alias", ADDRESS), FOUND)
        _, ran = self.debug('execl("/bin/true", "true", 0)')
        self.assertEqual(self.world.process.wait(PATIENCE_S), KILLED, ran.stdout + ran.stderr)
        self.world.process = None

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_it_could_without(self):
        self.world.server.append("sandbox = false")
        self.world.write_config()
        self.start()
        said, ran = self.debug('open("/etc/passwd", 0)', "socket(2, 1, 0)", 'system("true")')
        self.assertTrue(len(said) == 3 and all(value >= 0 for value, _ in said), ran.stdout + ran.stderr)

    def test_the_cache_directory_replaced(self):
        """By root, below a directory of root's: until a restart that is TEMP, and says what to do."""
        self.start()
        away = self.world.cache + ".away"
        shutil.copytree(self.world.cache, away)
        for name in ("", *os.listdir(away)):
            os.chown(os.path.join(away, name), OWNER, OWNER)
        shutil.rmtree(self.world.cache)
        os.rename(away, self.world.cache)
        end = time.monotonic() + PATIENCE_S
        while "restart lpaliasd" not in self.world.server_log():
            self.assertLess(time.monotonic(), end, self.world.server_log())
            time.sleep(0.05)
        self.assertTrue(self.world.ask("alias", ADDRESS).startswith("TEMP "))
        self.assertEqual(self.world.stop_server(), 0)
        self.start()

    def has_deleted_open(self):
        directory = f"/proc/{self.world.process.pid}/fd"
        return any(os.readlink(os.path.join(directory, fd)).endswith(" (deleted)") for fd in os.listdir(directory))

    def test_files_of_the_cache_replaced(self):
        self.start()
        for name in ("data.mdb", "lock.mdb"):
            fresh = self.cached(name) + ".fresh"
            shutil.copy2(self.cached(name), fresh)
            os.chown(fresh, OWNER, OWNER)
            os.rename(fresh, self.cached(name))
            end = time.monotonic() + PATIENCE_S
            while self.has_deleted_open():
                self.assertLess(time.monotonic(), end, self.world.server_log())
                self.world.ask("alias", ADDRESS)
                time.sleep(0.05)
            self.assertEqual(self.world.ask("alias", ADDRESS), FOUND)


class Memory(Case):
    """Where keys are."""

    def regions(self):
        """(start, end, flags of smaps) of all but the cache's map, in which nobody can write."""
        found = []
        with open(f"/proc/{self.world.process.pid}/smaps", encoding="utf-8") as file:
            for line in file:
                head = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
                if head:
                    here = [int(head[1], 16), int(head[2], 16)]
                    is_cache = line.endswith("/data.mdb\n")
                elif line.startswith("VmFlags:") and not is_cache:
                    found.append((*here, line.split()[1:]))
        return found

    def flags_where(self, secrets):
        """Of each region that holds one of them. Guarded memory is looked into as well."""
        flags = []
        with open(f"/proc/{self.world.process.pid}/mem", "rb", buffering=0) as memory:
            for start, end, where in self.regions():
                try:
                    memory.seek(start)
                    content = memory.read(end - start)
                except (OSError, OverflowError, ValueError):
                    continue
                if any(secret in content for secret in secrets):
                    flags.append(where)
        return flags

    def secrets(self):
        with open(self.world.key_file, encoding="ascii") as file:
            keys = [line.split()[1] for line in file if line.strip()]
        return [key.encode() for key in keys] + [bytes.fromhex(key) for key in keys]

    def test_keys_are_in_locked_memory_only(self):
        self.start()
        for _ in range(2):
            flags = self.flags_where(self.secrets())
            self.assertTrue(flags)
            for where in flags:
                self.assertLessEqual({"lo", "dd"}, set(where))
            self.world.lpalias("key", "rotate")
            os.chown(self.world.key_file, 0, OWNER)
            self.assertEqual(self.world.ask("alias", ADDRESS), FOUND)

    @unittest.skipUnless(shutil.which("gcore"), "gdb is not installed")
    def test_no_key_is_in_a_core_that_root_takes(self):
        self.start()
        path = os.path.join(self.world.directory, "core")
        pid = self.world.process.pid
        subprocess.run(["gcore", "-o", path, str(pid)], capture_output=True, check=True)
        with open(f"{path}.{pid}", "rb") as file:
            core = file.read()
        self.assertIn(self.world.key_file.encode(), core)
        self.assertFalse([secret for secret in self.secrets() if secret in core])

    def test_memory_that_cannot_be_locked(self):
        self.start("prlimit", "--memlock=0")
        self.assertIn("keys may be written to swap", self.world.server_log())
        flags = self.flags_where(self.secrets())
        self.assertTrue(flags)
        for where in flags:
            self.assertIn("dd", where)


class OldKernel(Case):
    """A kernel that lacks something: said once, and served all the same."""

    def start_without(self, calls):
        self.start(program("SANDBOX_PROBE"), "without", calls)
        self.assertEqual(self.world.server_log().count("the sandbox is not complete"), 1)

    def test_no_landlock(self):
        self.start_without("landlock_create_ruleset,landlock_add_rule,landlock_restrict_self")
        self.assertRegex(self.world.server_log(), r"no Landlock: Function not implemented\"")
        self.assertEqual(self.status_of("Seccomp"), "2")

    def test_no_seccomp(self):
        self.start_without("seccomp,prctl-seccomp")
        self.assertIn("system calls are not confined", self.world.server_log())


if __name__ == "__main__":
    tap.main()
