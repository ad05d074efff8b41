"""A mail relay of its own for rehearsals, where every path is the real one: /etc/lpalias, /var/lib/lpalias,
/etc/postfix, /var/spool/postfix, port 25.

`enter()` starts the calling program anew in namespaces of its own (mounts, network, processes); nothing
of what happens there is seen outside, and it ends with the program. There

    machine = RelayMachine()        /etc is a copy, /var and /run are empty, lpalias is in the PATH
    machine.run("lpalias status")   one command line as root, through the shell

Users, groups and directories are made by systemd-sysusers and systemd-tmpfiles from the files that the
packages ship, services run by unit_manager.py from the shipped units. Postfix relays as Canonical's
charm configures it, all mail to smtp-sink. Launchpad is the stand-in.
"""

import contextlib
import fcntl
import grp
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

import postfix_instance
from launchpad_standin import LaunchpadStandIn
from lpalias_world import PATIENCE_S, Ran, program
from mail_sink import MailSink

INSIDE = "LPALIAS_RELAY_MACHINE"
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("SOURCE_DIR", os.path.join(HERE, "..", ".."))
MAIN_CF = """\
compatibility_level = 2
maillog_file = /var/log/mail.log
myhostname = mx.relay.example
mydestination = $myhostname
alias_maps =
alias_database =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
recipient_delimiter = +
append_dot_mydomain = no
strict_rfc821_envelopes = yes
smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtp_host_lookup = native
smtp_dns_support_level = disabled
minimal_backoff_time = 1s
queue_run_delay = 1s
default_transport = relay:[127.0.0.1]:{sink}
local_transport = relay:[127.0.0.1]:{sink}
relay_transport = relay:[127.0.0.1]:{sink}
"""


def why_not():
    """A sentence what is missing, or None."""
    if postfix_instance.why_not():
        return postfix_instance.why_not()
    for name in ("unshare", "systemd-sysusers", "systemd-tmpfiles", "setpriv"):
        if shutil.which(name) is None:
            return f"{name} is not installed"
    if os.environ.get(INSIDE) is None:
        ran = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
        if ran.returncode != 0:
            return "no namespaces of its own here: " + ran.stderr.decode().strip()
    return None


def enter():
    """Goes on in the namespaces. Only when why_not() says nothing."""
    if os.environ.get(INSIDE) is None:
        os.environ[INSIDE] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child",
                              sys.executable, *sys.argv])


def must(*command):
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {ran.returncode}\n{ran.stdout}{ran.stderr}")


def bring_loopback_up():
    """As ip(8) would; a new network namespace has it down."""
    get_flags, set_flags, is_up = 0x8913, 0x8914, 1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        row = fcntl.ioctl(any_socket, get_flags, struct.pack("16sh14x", b"lo", 0))
        _, flags = struct.unpack("16sh14x", row)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | is_up))


class RelayMachine:
    """See the top of the file. One in a process."""

    def __init__(self, data):
        assert os.environ.get(INSIDE), "enter() first"
        self.manager = None
        bring_loopback_up()
        self._make_root()
        self.launchpad = LaunchpadStandIn(data)
        self.launchpad.start()
        self.sink = MailSink()
        self.sink.start()
        self._install_postfix()
        self._install_lpalias()

    def close(self):
        """The processes; the rest goes with the namespaces."""
        self.launchpad.stop()
        self.sink.stop()
        self.run("postfix stop")
        self.manager.terminate()
        self.manager.wait()

    # ---- how it is made ----

    def _make_root(self):
        must("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/mnt")
        shutil.copytree("/etc", "/mnt/etc", symlinks=True)
        os.makedirs("/mnt/local/bin")
        os.mkdir("/mnt/local/units")
        # What is used later on may lie where nothing is seen any more then.
        for name in ("LPALIAS", "LPALIASD"):
            shutil.copy(program(name), "/mnt/local/bin/")
        shutil.copy(os.path.join(HERE, "unit_manager.py"), "/mnt/local/bin/systemctl")
        for directory in (os.path.join(SOURCE, "packaging"), os.environ["UNITS"]):
            for name in os.listdir(directory):
                if os.path.isfile(os.path.join(directory, name)):
                    shutil.copy(os.path.join(directory, name), "/mnt/local/units/")
        must("mount", "--bind", "/mnt/etc", "/etc")
        must("mount", "--bind", "/mnt/local", "/usr/local")
        for path, mode in (("/var", "0755"), ("/run", "0755"), ("/tmp", "1777"), ("/srv", "0755")):
            must("mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", path)
        os.chdir("/srv")
        tempfile.tempdir = "/tmp"
        for path in ("/var/lib", "/var/log", "/var/spool", "/var/backups", "/var/tmp"):
            os.makedirs(path)

    def _install_postfix(self):
        owner, postdrop = pwd.getpwnam("postfix"), grp.getgrnam("postdrop").gr_gid
        os.mkdir("/var/spool/postfix", 0o755)
        os.mkdir("/var/lib/postfix", 0o755)
        os.chown("/var/lib/postfix", owner.pw_uid, owner.pw_gid)
        for name, mode, is_owned in postfix_instance.QUEUE_DIRECTORIES:
            path = os.path.join("/var/spool/postfix", name)
            os.mkdir(path)
            if is_owned:
                os.chown(path, owner.pw_uid, postdrop if mode != 0o700 else 0)
            os.chmod(path, mode)
        self.write("/etc/postfix/main.cf", MAIN_CF.replace("{sink}", str(self.sink.port)))
        self.write("/etc/postfix/master.cf", "".join(map(self._service, postfix_instance.SERVICES)))

    @staticmethod
    def _service(row):
        name, kind, private, unprivileged, wake, limit, command = row
        # A mail that comes in the moment of a reload waits for the next look into the queue.
        wake = "1" if name == "qmgr" else wake
        jail = "y" if {name, command} & set(postfix_instance.CHARM_CHROOTED) else "n"
        return " ".join((name.replace("SMTPD", "smtp"), kind, private, unprivileged, jail, wake, limit, command)) + "\n"

    def _install_lpalias(self):
        units = "/usr/local/units"
        for name in ("lpalias", "lpaliasd"):
            for kind in ("sysusers", "tmpfiles"):
                os.makedirs(f"/etc/{kind}.d", exist_ok=True)
                shutil.copy(f"{units}/{name}.{kind}.conf", f"/etc/{kind}.d/{name}.conf")
            must("systemd-sysusers", f"{name}.conf")
            must("systemd-tmpfiles", "--create", f"{name}.conf")
        os.mkdir("/etc/lpalias", 0o755)
        shutil.copy(f"{units}/lpalias.conf", "/etc/lpalias/")
        self.manager = subprocess.Popen([sys.executable, "/usr/local/bin/systemctl", "serve", units], text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=self.environment())
        assert self.manager.stdout.readline() == "ready\n"

    # ---- what is done there ----

    @staticmethod
    def environment():
        return {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/srv"}

    def write(self, path, text):
        """A file as an operator's editor would write it; Launchpad is the stand-in wherever it is."""
        if path == "/etc/lpalias/lpalias.conf" and "launchpad {" not in text:
            text += f'launchpad {{ api = "{self.launchpad.root}" retry-delay = "10ms" }}\n'
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, command, stdin=""):
        """One command line, as root types it."""
        ran = subprocess.run(["bash", "-c", command], cwd="/srv", env=self.environment(),
                             input=stdin.encode(), capture_output=True, check=False, timeout=5 * PATIENCE_S)
        return Ran(ran.returncode, ran.stdout.decode("utf-8", "replace"), ran.stderr.decode("utf-8", "replace"))

    def must_run(self, command):
        ran = self.run(command)
        if ran.status != 0:
            raise AssertionError(f"{command}: {ran.status}\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    KEPT = ("/etc/lpalias", "/var/lib/lpalias", "/etc/postfix", "/var/backups")

    def keep(self):
        """Remembers what is there, for go_back()."""
        for path in self.KEPT:
            must("cp", "-a", path, "/mnt/kept" + path.replace("/", "-"))

    def go_back(self):
        """All as it was at keep(), with everything running."""
        self.run("systemctl stop lpaliasd.service lpaliasd.socket; postfix stop")
        for path in self.KEPT:
            shutil.rmtree(path, ignore_errors=True)
            must("cp", "-a", "/mnt/kept" + path.replace("/", "-"), path)
        self.run("rm -rf /srv/*; systemd-tmpfiles --create lpalias.conf lpaliasd.conf")
        self.launchpad.reset()
        self.must_run("systemctl start lpaliasd.socket lpaliasd.service && postfix start")

    def queue_is_empty(self):
        return not any(names for folder in ("incoming", "active", "deferred", "maildrop")
                       for _, _, names in os.walk(os.path.join("/var/spool/postfix", folder)))

    def mail_log(self):
        with contextlib.suppress(FileNotFoundError), open("/var/log/mail.log", encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""

    def units_log(self):
        with contextlib.suppress(FileNotFoundError), open("/var/log/units.log", encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""
