"""The Debian packages: built from the tracked files, and installed, upgraded, removed and purged.

That happens in a root of its own: an overlay over the real one in a private mount namespace, which
goes with the process that holds it. So nothing is written to the machine.
"""

import contextlib
import glob
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from launchpad_standin import LaunchpadStandIn
from lpalias_world import PATIENCE_S, members
from mail_sink import MailSink

SOURCE = os.environ.get("SOURCE_DIR", os.path.join(HERE, "..", ".."))
TOOLS = ["dpkg-buildpackage", "dh", "meson"]
SOCKETMAP = "socketmap:unix:/var/spool/postfix/lpalias/lookup:alias"
NAMES = ["lpalias", "lpaliasd", "lpalias-portal"]
PORTAL_SOCKET = "/run/lpalias-portal/http"
UNIT_DIRECTORIES = ["/lib/systemd/system", "/usr/lib/systemd/system"]

built = None  # the directory with the packages


def run(*command, check=True, **options):
    """Its end, with output; a failure shows that output."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False,
                         stdin=subprocess.DEVNULL if "input" not in options else None, **options)
    if check and ran.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {ran.returncode}\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}")
    return ran


def copy_tracked_files(destination):
    """What a clean checkout would have; changes that are not committed come along. Of a tree without
    git everything but what building leaves."""
    if not os.path.exists(os.path.join(SOURCE, ".git")):
        shutil.copytree(SOURCE, destination, symlinks=True, ignore=shutil.ignore_patterns("build*", "__pycache__"))
        return
    listed = run("git", "-c", "safe.directory=*", "-C", SOURCE, "ls-files", "-z").stdout
    for name in listed.rstrip("\0").split("\0"):
        source = os.path.join(SOURCE, name)
        if os.path.lexists(source):
            os.makedirs(os.path.dirname(os.path.join(destination, name)), exist_ok=True)
            shutil.copy2(source, os.path.join(destination, name), follow_symlinks=False)


def build(directory):
    copy_tracked_files(os.path.join(directory, "lpalias"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MESON", "DESTDIR"))}
    environment |= {"DEB_BUILD_OPTIONS": "nocheck noddebs", "DEB_BUILD_PROFILES": "nocheck",
                    "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=os.path.join(directory, "lpalias"), env=environment)


def setUpModule():
    global built
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
    directory = tempfile.mkdtemp(prefix="lpalias-packages-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    begin = time.monotonic()
    build(directory)
    print(f"# built in {time.monotonic() - begin:.0f} s", flush=True)
    built = directory


def packages(directory):
    return [glob.glob(os.path.join(directory, f"{name}_*.deb"))[0] for name in NAMES]


class Packages(unittest.TestCase):
    """The files as they are built."""

    def test_lintian(self):
        if shutil.which("lintian") is None:
            self.skipTest("lintian is not installed")
        changes = glob.glob(os.path.join(built, "*.changes"))
        ran = run("lintian", "--profile=debian", "--allow-root", "--pedantic", "--display-info", "--no-tag-display-limit", *changes,
                  check=False)
        # An override of a tag that this release's lintian does not know is no fault of the package.
        said = [line for line in ran.stdout.splitlines() if ": alien-tag " not in line]
        self.assertEqual(said, [], ran.stderr)
        self.assertIn(ran.returncode, (0, 2), ran.stderr)

    def test_what_is_in_which(self):
        wanted = {
            "lpalias": ["/etc/lpalias/lpalias.conf", "/usr/bin/lpalias", "/man1/lpalias.1.gz",
                        "/man5/lpalias.conf.5.gz", "/completions/lpalias", "/vendor-completions/_lpalias",
                        "/system/lpalias-refresh.service", "/system/lpalias-refresh.timer",
                        "/system/lpalias-notify.service", "/system/lpalias-notify.timer",
                        "/examples/main.cf.socketmap-unix"],
            "lpaliasd": ["/usr/sbin/lpaliasd", "/man8/lpaliasd.8.gz", "/man7/lpalias-protocols.7.gz",
                         "/system/lpaliasd.service", "/system/lpaliasd.socket"],
            "lpalias-portal": ["/usr/sbin/lpalias-portal", "/man8/lpalias-portal.8.gz",
                               "/system/lpalias-portal.service", "/system/lpalias-portal.socket",
                               "/examples/nginx.conf", "/examples/apache.conf"],
        }
        for package in packages(built):
            name = os.path.basename(package).split("_")[0]
            listed = run("dpkg-deb", "-c", package).stdout
            for path in wanted[name]:
                self.assertRegex(listed, rf"{re.escape(path)}\n")

    def test_build_dependencies_are_those_of_the_build(self):
        with open(os.path.join(SOURCE, "tests", "lib", "prepare.sh"), encoding="utf-8") as file:
            needed = re.search(r"BUILD_PACKAGES=\(([^)]*)\)", file.read())[1]
        with open(os.path.join(SOURCE, "debian", "control"), encoding="utf-8") as file:
            control = file.read()
        libraries = [name for name in re.findall(r"lib[a-z0-9.+-]+-dev", needed) if name != "libc6-dev"]
        self.assertGreater(len(libraries), 5)
        for name in libraries:
            self.assertRegex(control, rf"[ |]{re.escape(name)} \(")


class Root:
    """A root to install into. `path` is it, seen from outside."""

    SCRIPT = r"""
        mount --make-rprivate / && mount -t tmpfs -o mode=0755 tmpfs "$1" &&
        mkdir "$1/upper" "$1/work" "$1/root" &&
        mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root" &&
        mount --rbind /proc "$1/root/proc" && mount --rbind /dev "$1/root/dev" &&
        mount -t tmpfs -o mode=0755 tmpfs "$1/root/run" && echo made
        read -r end
    """

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="lpalias-root-")
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", self.SCRIPT, "sh", self.directory],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "made\n":
            self.holder.stdin.close()
            why = self.holder.stderr.read().strip()
            self.close()
            raise unittest.SkipTest(f"no root of its own: {why or 'unshare failed'}")
        self.inside = os.path.join(self.directory, "root")
        self.path = f"/proc/{self.holder.pid}/root{self.inside}"

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()
        self.holder.stderr.close()
        os.rmdir(self.directory)

    def command(self, *words):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "env", "-i", "DEBIAN_FRONTEND=noninteractive",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "chroot", self.inside, *words]

    def run(self, *words, check=True, **options):
        return run(*self.command(*words), check=check, **options)

    def exists(self, path):
        return os.path.lexists(self.path + path)

    def read(self, path):
        with open(self.path + path, encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        with open(self.path + path, "w", encoding="utf-8") as file:
            file.write(text)

    def rights(self, path):
        """ "2750 owner:group" by the users of this root."""
        return self.run("stat", "-c", "%a %U:%G", path).stdout.strip()

    def unit(self, name):
        return next(f"{where}/{name}" for where in UNIT_DIRECTORIES if self.exists(f"{where}/{name}"))


class Life(unittest.TestCase):
    """Installed, upgraded, removed, purged."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        if run("dpkg-query", "-W", "-f", "${db:Status-Status}", "lpalias", check=False).stdout == "installed":
            raise unittest.SkipTest("lpalias is installed on this machine")

    def setUp(self):
        self.root = Root()
        self.addCleanup(self.root.close)
        self.launchpad = LaunchpadStandIn(members())
        self.launchpad.start()
        self.addCleanup(self.launchpad.stop)
        self.sink = MailSink()
        self.sink.start()
        self.addCleanup(self.sink.stop)
        self.server = None
        self.addCleanup(self.kill_server)
        with open(os.path.join(HERE, "start_unit.py"), encoding="utf-8") as file:
            self.start_unit = file.read()
        self.root.write("/etc/postfix/main.cf", "compatibility_level = 3.6\n")
        # Reading all manuals of the machine again takes longer than all else here.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root.path + "/var/lib/man-db/auto-update")

    # ---- packages ----

    def install(self, version=None):
        """Installs the packages; version: with that one written into them."""
        directory = os.path.join(self.root.path, "root", "packages")
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
        for package in packages(built):
            copy = os.path.join(directory, os.path.basename(package))
            if version is None:
                shutil.copy(package, copy)
            else:
                self.repack(package, version, copy)
        names = [f"/root/packages/{name}" for name in sorted(os.listdir(directory))]
        return self.root.run("dpkg", "--force-unsafe-io", "-i", *names)

    def repack(self, package, version, copy):
        with tempfile.TemporaryDirectory() as unpacked:
            run("dpkg-deb", "-R", package, unpacked)
            control = os.path.join(unpacked, "DEBIAN", "control")
            with open(control, encoding="utf-8") as file:
                text = file.read()
            own = re.search(r"^Version: (.*)$", text, re.M)[1]
            text = text.replace(f"Version: {own}", f"Version: {version}").replace(f"(= {own})", f"(= {version})")
            with open(control, "w", encoding="utf-8") as file:
                file.write(text)
            run("dpkg-deb", "-b", "-Znone", "--root-owner-group", unpacked, copy)

    # ---- what an operator does ----

    def configure(self):
        text = re.sub(r"(?m)^#alerts.*$", 'alerts = "alerts@operators.example"', self.root.read("/etc/lpalias/lpalias.conf"))
        text += f'domain "ubuntu.com" {{ team = "ubuntumembers" }}\nlaunchpad {{ api = "{self.launchpad.root}" }}\n'
        # All lines of the section for the portal, as they are.
        text = re.sub(r"(?ms)^#portal \{.*?^#\}", lambda section: re.sub("(?m)^#", "", section[0]), text)
        text += f'notify {{ smtp = "smtp://127.0.0.1:{self.sink.port}" }}\n'
        self.root.write("/etc/lpalias/lpalias.conf", text)
        return text

    def start(self, *units, wait=True):
        """Starts what the service of these units is."""
        command = self.root.command("/usr/bin/python3", "-c", self.start_unit, *map(self.root.unit, units))
        if wait:
            ran = run(*command, check=False)
            return ran.returncode, ran.stderr
        self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        seen = []
        while not any(re.search("ready, .*listening on", line) for line in seen):
            seen.append(self.server.stderr.readline())
            self.assertNotEqual(seen[-1], "", seen)
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as file:
            self.assertIn("\nNoNewPrivs:\t1\nSeccomp:\t2\n", file.read())
        return None

    def stop_server(self):
        # The program took the place of all that was before it: nsenter, env, chroot and setpriv.
        self.server.terminate()
        self.assertEqual(self.server.wait(PATIENCE_S), 0)
        self.kill_server()

    def kill_server(self):
        if self.server is not None:
            self.server.kill()
            self.server.wait()
            self.server.stderr.close()
            self.server = None

    def ask(self, key, user="postfix"):
        """postmap -q as Postfix's own user."""
        return self.root.run("setpriv", f"--reuid={user}", f"--regid={user}" if user == "postfix" else "--regid=nogroup",
                             "--init-groups", "postmap", "-q", key, SOCKETMAP, check=False)

    def assert_answers(self):
        self.assertEqual(self.ask("jdoe@ubuntu.com").stdout, "jdoe@target.example\n")
        unknown = self.ask("unknown@ubuntu.com")
        self.assertEqual((unknown.returncode, unknown.stdout, unknown.stderr), (1, "", ""))

    def get_page(self, user):
        """The first page of the portal as that user's program gets it, over the socket of the unit."""
        client = ("import http.client, socket; c = http.client.HTTPConnection('alias.example.org');"
                  f"c.sock = socket.socket(socket.AF_UNIX); c.sock.connect('{PORTAL_SOCKET}');"
                  "c.request('GET', '/'); r = c.getresponse(); print(r.status, r.getheader('Strict-Transport-Security'))")
        return self.root.run("setpriv", f"--reuid={user}", "--regid=nogroup", "--init-groups", "/usr/bin/python3",
                             "-c", client, check=False)

    def try_portal(self):
        self.start("lpalias-portal.service", "lpalias-portal.socket", wait=False)
        self.assertEqual(self.root.rights(PORTAL_SOCKET), "660 lpalias:www-data")
        self.assertEqual(self.root.rights("/var/lib/lpalias-portal"), "700 lpalias:lpalias")
        self.assertEqual(self.root.rights("/var/lib/lpalias-portal/data.mdb"), "600 lpalias:lpalias")
        got = self.get_page("www-data")
        self.assertEqual((got.stdout, got.stderr), ("200 max-age=31536000\n", ""))
        self.assertIn("PermissionError", self.get_page("nobody").stderr)
        self.stop_server()

    # ---- the story ----

    def test_life(self):
        self.install("0.0.1")
        self.assert_installed_and_asleep()
        configured = self.configure()
        self.set_up()
        self.assert_answers()
        self.assertIn("Permission denied", self.ask("jdoe@ubuntu.com", user="nobody").stderr)
        asked = self.root.run("lpalias", "query", "alias", "jdoe@ubuntu.com", check=False)
        self.assertEqual((asked.stdout, asked.stderr), ("jdoe@target.example\n", ""))
        self.sink.forget()  # what the refresh has handed over
        self.assertEqual(self.start("lpalias-notify.service"), (0, ""))
        self.sink.wait_for_recipients({"alerts@operators.example"})
        self.root.run("lpalias", "key", "rotate")
        self.assertEqual(self.root.rights("/etc/lpalias/keys"), "640 root:lpalias")
        self.assert_answers()
        self.assertEqual(self.start("lpalias-refresh.service"), (0, ""))

        self.assertIn("over (0.0.1)", self.install().stdout)
        self.assertEqual(self.root.read("/etc/lpalias/lpalias.conf"), configured)
        self.assert_answers()  # what ran before goes on
        self.stop_server()
        self.start("lpaliasd.service", "lpaliasd.socket", wait=False)
        self.assert_answers()
        self.stop_server()
        self.try_portal()

        self.root.run("dpkg", "-r", "lpalias-portal", "lpaliasd", "lpalias")
        for path in ("/usr/bin/lpalias", "/usr/sbin/lpaliasd", "/usr/sbin/lpalias-portal"):
            self.assertFalse(self.root.exists(path), path)
        self.assertEqual(self.root.read("/etc/lpalias/lpalias.conf"), configured)
        self.install()
        self.start("lpaliasd.service", "lpaliasd.socket", wait=False)
        self.assert_answers()
        self.stop_server()

        self.try_portal()

        self.root.run("dpkg", "-P", "lpalias-portal", "lpaliasd", "lpalias")
        for path in ("/etc/lpalias", "/var/lib/lpalias", "/var/lib/lpalias-portal", "/var/spool/postfix/lpalias",
                     "/usr/share/doc/lpalias", "/usr/share/doc/lpalias-portal",
                     "/etc/systemd/system/timers.target.wants/lpalias-refresh.timer"):
            self.assertFalse(self.root.exists(path), path)
        left = self.root.run("dpkg-query", "-W", *NAMES, check=False)
        self.assertNotEqual(left.returncode, 0, left.stdout)
        self.assertFalse(os.path.exists("/etc/lpalias/keys"), "the machine itself was written to")

    def assert_installed_and_asleep(self):
        """A package that is not configured yet: users, directories and units are there, nothing runs."""
        self.assertEqual(self.root.rights("/var/lib/lpalias"), "2750 lpalias:lpalias")
        self.assertEqual(self.root.rights("/var/spool/postfix/lpalias"), "2750 lpalias:postfix")
        self.assertEqual(self.root.rights("/etc/lpalias/lpalias.conf"), "644 root:root")
        self.assertEqual(set(self.root.run("id", "-nG", "lpaliasd").stdout.split()), {"lpaliasd", "lpalias"})
        for link in ("timers.target.wants/lpalias-refresh.timer", "timers.target.wants/lpalias-notify.timer",
                     "sockets.target.wants/lpaliasd.socket", "multi-user.target.wants/lpaliasd.service"):
            self.assertTrue(self.root.exists(f"/etc/systemd/system/{link}"), link)
        for link in ("sockets.target.wants/lpalias-portal.socket", "multi-user.target.wants/lpalias-portal.service"):
            self.assertFalse(self.root.exists(f"/etc/systemd/system/{link}"), link)
        self.assertEqual(self.root.run("lpalias", "check", check=False).returncode, 78)
        for units in (["lpaliasd.service", "lpaliasd.socket"], ["lpalias-portal.service", "lpalias-portal.socket"], ["lpalias-refresh.service"], ["lpalias-notify.service"]):
            self.assertEqual(self.start(*units), (1, "the condition does not hold\n"))

    def set_up(self):
        """The steps of the configuration file, with the timer's work done by hand."""
        self.root.run("lpalias", "check")
        self.root.run("lpalias", "key", "generate")
        self.assertEqual(self.root.rights("/etc/lpalias/keys"), "640 root:lpalias")
        self.start("lpaliasd.service", "lpaliasd.socket", wait=False)
        self.assertEqual(self.root.rights("/var/spool/postfix/lpalias/lookup"), "660 lpalias:postfix")
        self.assertEqual(self.start("lpalias-refresh.service"), (0, ""))
        self.assertEqual(self.root.rights("/var/lib/lpalias/data.mdb"), "640 lpalias:lpalias")
        self.assertEqual(self.root.rights("/var/lib/lpalias/lock.mdb"), "660 lpalias:lpalias")
        self.root.run("lpalias", "target", "set", "jdoe", "jdoe@target.example")
        self.root.run("lpalias", "domain", "open", "--yes", "--all")
        end = time.monotonic() + PATIENCE_S  # the server looks for a new cache once a second
        while self.ask("jdoe@ubuntu.com").returncode != 0 and time.monotonic() < end:
            time.sleep(0.1)


if __name__ == "__main__":
    tap.main()
