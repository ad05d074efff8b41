"""A private Postfix: its own configuration, queue, data directory, log and port.

It runs the installed programs but never reads or writes the system's queue or main.cf. It needs
root, since Postfix does; ask `why_not()` first and skip the test when it returns a reason.

    with PostfixInstance(pieces=[example("main.cf.socketmap-unix")], sink_port=sink.port) as mta:
        mta.rcpt("nobody@ubuntu.com") -> Reply(code, text)
        mta.send("me@sender.example", ["jdoe@ubuntu.com"], "text") -> Sent(rcpt, data)
        mta.postmap_q("socketmap:...", "jdoe@ubuntu.com") -> Asked(status, stdout, stderr)

Constructor, all optional:
    pieces      main.cf pieces appended in this order, normally files of postfix-examples
    replace     {text: other text}, applied to each piece: the way to give it another port
    settings    {parameter: value}, written last
    master      master.cf pieces; a service in one replaces the service of the same name here
    chrooted    services that run chrooted, by default those of the Ubuntu relay charms
    sink_port   where all mail goes, local mail too; without it all mail is deferred
"""

import grp
import os
import pwd
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from typing import NamedTuple

from mail_sink import free_port

CHARM_CHROOTED = ("smtpd", "cleanup", "rewrite")
SOCKET_DIRECTORY = "lpalias"
SYSTEM_PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"

# name, type, private, unprivileged, wake up, process limit, command. "SMTPD" becomes the port.
SERVICES = [
    ("SMTPD", "inet", "n", "-", "-", "-", "smtpd"),
    ("pickup", "unix", "n", "-", "60", "1", "pickup"),
    ("cleanup", "unix", "n", "-", "-", "0", "cleanup"),
    ("qmgr", "unix", "n", "-", "300", "1", "qmgr"),
    ("rewrite", "unix", "-", "-", "-", "-", "trivial-rewrite"),
    ("bounce", "unix", "-", "-", "-", "0", "bounce"),
    ("defer", "unix", "-", "-", "-", "0", "bounce"),
    ("trace", "unix", "-", "-", "-", "0", "bounce"),
    ("tlsmgr", "unix", "-", "-", "1000?", "1", "tlsmgr"),
    ("verify", "unix", "-", "-", "-", "1", "verify"),
    ("flush", "unix", "n", "-", "1000?", "0", "flush"),
    ("proxymap", "unix", "-", "-", "-", "-", "proxymap"),
    ("proxywrite", "unix", "-", "-", "-", "1", "proxymap"),
    ("smtp", "unix", "-", "-", "-", "-", "smtp"),
    ("relay", "unix", "-", "-", "-", "-", "smtp"),
    ("showq", "unix", "n", "-", "-", "-", "showq"),
    ("error", "unix", "-", "-", "-", "-", "error"),
    ("retry", "unix", "-", "-", "-", "-", "error"),
    ("discard", "unix", "-", "-", "-", "-", "discard"),
    ("local", "unix", "-", "n", "-", "-", "local"),
    ("virtual", "unix", "-", "n", "-", "-", "virtual"),
    ("anvil", "unix", "-", "-", "-", "1", "anvil"),
    ("scache", "unix", "-", "-", "-", "1", "scache"),
    ("postlog", "unix-dgram", "n", "-", "-", "1", "postlogd"),
]

# name, mode, whether it belongs to postfix; those open to postdrop have its group.
QUEUE_DIRECTORIES = [
    *((name, 0o700, True) for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush",
                                       "hold", "incoming", "private", "saved", "trace")),
    ("maildrop", 0o730, True),
    ("public", 0o710, True),
    ("pid", 0o755, False),
    ("etc", 0o755, False),
]

# What a chrooted daemon of glibc may want to read below the queue directory.
CHROOT_FILES = ("resolv.conf", "services", "hosts", "nsswitch.conf", "localtime", "host.conf")

# Who writes to the log during `postfix check`, and what it always says at level 2.
CHECK_LINE = re.compile(r" postfix(/postfix-script|/post-install)?\[")
COMPATIBILITY = re.compile("backwards-compatible|COMPATIBILITY_README|compatibility_level=")


class Reply(NamedTuple):
    """One SMTP reply; the text has no code and one line break per continuation."""
    code: int
    text: str


class Sent(NamedTuple):
    """The replies to one message: by recipient, and to the end of DATA (None if not reached)."""
    rcpt: dict
    data: Reply


class Asked(NamedTuple):
    """What postmap -q said."""
    status: int
    stdout: str
    stderr: str


def why_not():
    """A sentence why no private Postfix can run here, or None when it can."""
    if os.geteuid() != 0:
        return "a private Postfix needs root"
    for name in ("postfix", "postconf", "postmap", "smtp-sink"):
        if shutil.which(name, path=SYSTEM_PATH) is None:
            return f"{name} is not installed"
    return None


def example(name):
    """The path of a file in postfix-examples."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.join(here, "..", "..", "postfix-examples", name)


def postfix_group():
    """The numeric id of the group postfix."""
    return grp.getgrnam("postfix").gr_gid


def wait_for(predicate, deadline_s=30, what="the condition"):
    """Polls until the predicate returns something true, and returns that."""
    end = time.monotonic() + deadline_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline_s} s for {what}")
        time.sleep(0.02)


def _service_key(line):
    """Name and type of a master.cf line that begins a service, else None."""
    if not line.strip() or line[0] in "# \t":
        return None
    return tuple(line.split()[:2])


class PostfixInstance:
    """See the top of the file."""

    wait_for = staticmethod(wait_for)

    def __init__(self, pieces=(), replace=None, settings=None, master=(),
                 chrooted=CHARM_CHROOTED, sink_port=None):
        self.directory = tempfile.mkdtemp(prefix="lpalias-mta-")
        self.config = os.path.join(self.directory, "etc")
        self.queue = os.path.join(self.directory, "spool")
        self.socket_directory = os.path.join(self.queue, SOCKET_DIRECTORY)
        self.log_path = os.path.join(self.directory, "maillog")
        self.port = None
        self.replace = dict(replace or {})  # may be changed until start()
        self._pieces = list(pieces)
        self._settings, self._master = dict(settings or {}), list(master)
        self._chrooted, self._sink_port = set(chrooted), sink_port
        self._pid = None
        try:
            self._make_directories()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Writes the configuration and starts Postfix; its port is open when this returns."""
        for _ in range(5):  # somebody else may take the port between the probe and the bind
            self.port = free_port()
            self._write("main.cf", self._main_cf())
            self._write("master.cf", self._master_cf())
            # Postfix's own way to leave out its checks, which take seconds; see check().
            with open(os.path.join(self.queue, "quick-start"), "w", encoding="ascii"):
                pass
            run = self.command("start")
            if run.status == 0:
                self._pid = self._read_pid()
                return
            if "Address already in use" not in run.stderr + self.log():
                break
        raise RuntimeError(f"postfix start failed: {run.stderr}\n{self.log()}")

    def stop(self):
        """Stops Postfix and sees to it that none of its processes is left."""
        if self._pid is None:
            return
        pid, self._pid = self._pid, None
        os.kill(pid, signal.SIGTERM)  # what `postfix stop` does, without its whole seconds
        try:
            wait_for(lambda: not self._group(pid), 20, "the end of Postfix")
        except TimeoutError:
            for each in self._group(pid):
                os.kill(each, signal.SIGKILL)
            wait_for(lambda: not self._group(pid), 20, "the end of Postfix after a kill")
            raise

    def close(self):
        """Stops Postfix and removes everything."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def reload(self):
        """Makes all daemons read the configuration again; for changes made by set()."""
        run = self.command("reload")
        if run.status != 0:
            raise RuntimeError(f"postfix reload failed: {run.stderr}")

    def set(self, **settings):
        """Changes parameters in main.cf; they take effect with the next start or reload."""
        self._settings.update(settings)
        self._write("main.cf", self._main_cf())

    def check(self):
        """The complaints of `postfix check` about configuration and directories: [] is good."""
        before = len(self.log())
        run = self.command("check")
        said = run.stderr.splitlines()
        said += [line for line in self.log()[before:].splitlines() if CHECK_LINE.search(line)]
        if run.status != 0:
            said.append(f"exit status {run.status}")
        return [line for line in said if not COMPATIBILITY.search(line)]

    def command(self, *arguments):
        """Runs `postfix -c DIRECTORY arguments`."""
        return self._run(["postfix", "-c", self.config, *arguments])

    def postmap_q(self, map_name, key, cwd=None):
        """Asks one key with `postmap -q`. Status 1 is "not found" as well as an error."""
        return self._run(["postmap", "-c", self.config, "-q", key, map_name], cwd=cwd)

    def postconf(self, name, *options):
        """The value of one parameter as this instance sees it; with "-d" Postfix's default."""
        return self._run(["postconf", "-c", self.config, "-h", *options, name]).stdout.strip()

    def session(self, port=None):
        """A new SMTP connection after EHLO, for tests that need every single step. `port`: that of
        another smtpd than the usual one."""
        client = smtplib.SMTP("127.0.0.1", port or self.port, local_hostname="client.example", timeout=120)
        client.ehlo()
        return client

    def rcpt(self, address, sender="someone@sender.example", options=(), login=None):
        """The reply to RCPT TO:<address>; nothing is sent. A refused sender is the reply then."""
        client = self.session()
        if login is not None:
            client.login(login, "any password")
        try:
            reply = self._docmd(client, f"MAIL FROM:<{sender}>", *options)
            if reply.code == 250:
                reply = self._docmd(client, f"RCPT TO:<{address}>")
            return reply
        finally:
            self._leave(client)

    def send(self, sender, recipients, body="text\n", headers="Subject: test\n", options=(),
             port=None):
        """Sends one message; every recipient is tried, DATA follows if one was accepted."""
        client = self.session(port)
        try:
            refused = self._docmd(client, f"MAIL FROM:<{sender}>", *options)
            if refused.code != 250:
                return Sent({each: refused for each in recipients}, None)
            replies = {each: self._docmd(client, f"RCPT TO:<{each}>") for each in recipients}
            if not any(reply.code == 250 for reply in replies.values()):
                return Sent(replies, None)
            code, text = client.data(f"{headers}\n{body}".encode("utf-8", "surrogateescape"))
            return Sent(replies, Reply(code, text.decode("utf-8", "replace")))
        finally:
            self._leave(client)

    def log(self):
        """The whole mail log of this instance."""
        try:
            with open(self.log_path, encoding="utf-8", errors="surrogateescape") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def queue_ids(self):
        """Queue ids of all mail in the queue: a directory look, no program."""
        found = []
        for folder in ("incoming", "active", "deferred", "hold", "maildrop"):
            for _, _, names in os.walk(os.path.join(self.queue, folder)):
                found += names
        return found

    def wait_until_idle(self, deadline_s=30):
        """Waits until the queue is empty, which means all mail was delivered or bounced."""
        wait_for(lambda: not self.queue_ids(), deadline_s, "an empty queue")

    def processes(self):
        """{pid: name} of all processes of this instance."""
        return self._group(self._pid) if self._pid else {}

    # How it is made.

    def _make_directories(self):
        os.chmod(self.directory, 0o755)
        owner, postdrop = pwd.getpwnam("postfix"), grp.getgrnam("postdrop").gr_gid
        os.mkdir(self.config, 0o755)
        os.mkdir(self.queue, 0o755)
        os.mkdir(os.path.join(self.directory, "data"), 0o700)
        os.chown(os.path.join(self.directory, "data"), owner.pw_uid, owner.pw_gid)
        for name, mode, owned in QUEUE_DIRECTORIES:
            path = os.path.join(self.queue, name)
            os.mkdir(path)
            if owned:
                os.chown(path, owner.pw_uid, postdrop if mode != 0o700 else 0)
            os.chmod(path, mode)
        for name in CHROOT_FILES:
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", os.path.join(self.queue, "etc", name))
        os.mkdir(self.socket_directory)
        os.chown(self.socket_directory, 0, owner.pw_gid)
        os.chmod(self.socket_directory, 0o2750)

    def _write(self, name, text):
        path = os.path.join(self.config, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new", 0o644)
        # Postfix waits until a configuration file is some seconds old before it reads it.
        a_while_ago = time.time() - 60
        os.utime(path + ".new", (a_while_ago, a_while_ago))
        os.replace(path + ".new", path)

    def _base_settings(self):
        next_hop = f"smtp:[127.0.0.1]:{self._sink_port}" if self._sink_port else "retry:no sink"
        return {
            "compatibility_level": "2",
            "queue_directory": self.queue,
            "data_directory": os.path.join(self.directory, "data"),
            "maillog_file": self.log_path,
            "maillog_file_prefixes": self.directory,
            "myhostname": "mx.relay.example",
            "mydestination": "$myhostname",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "smtpd_relay_restrictions": "permit_mynetworks, defer_unauth_destination",
            "smtpd_peername_lookup": "no",
            "smtpd_error_sleep_time": "0",
            "smtp_host_lookup": "native",
            "smtp_dns_support_level": "disabled",
            "local_transport": next_hop,  # never into a mailbox of this machine
            "default_transport": next_hop,
            "relay_transport": next_hop,
            "append_dot_mydomain": "no",
            "strict_rfc821_envelopes": "yes",
            "notify_classes": "",
        }

    def _main_cf(self):
        lines = [f"{name} = {value}" for name, value in self._base_settings().items()]
        for path in self._pieces:
            lines.append(self._piece(path))
        lines += [f"{name} = {value}" for name, value in self._settings.items()]
        return "\n".join(lines) + "\n"

    def _piece(self, path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for old, new in self.replace.items():
            text = text.replace(old, new)
        return text

    def _master_cf(self):
        """The table above, where the services of the pieces replace those of the same name."""
        added = "\n".join(self._piece(path) for path in self._master)
        added = re.sub(r"^smtp(\s+)inet\b", rf"127.0.0.1:{self.port}\1inet", added, flags=re.M)
        replaced = {_service_key(line) for line in added.splitlines()}
        lines = []
        for name, kind, private, privileged, wake, limit, command in SERVICES:
            jail = "y" if {name, command} & self._chrooted else "n"
            if name == "SMTPD":
                name = f"127.0.0.1:{self.port}"
            if (name, kind) not in replaced:
                columns = (name, kind, private, privileged, jail, wake, limit, command)
                lines.append(" ".join(columns))
        return "\n".join(lines) + "\n" + added + "\n"

    def _read_pid(self):
        with open(os.path.join(self.queue, "pid", "master.pid"), encoding="ascii") as file:
            return int(file.read())

    @staticmethod
    def _leave(client):
        try:
            client.quit()
        except (smtplib.SMTPException, OSError):
            client.close()

    @staticmethod
    def _docmd(client, command, *options):
        # smtplib would quote addresses in its own way; here they go out as they were given.
        line = " ".join((command, *options))
        client.send((line + "\r\n").encode("utf-8", "surrogateescape"))
        code, text = client.getreply()
        return Reply(code, text.decode("utf-8", "replace"))

    @staticmethod
    def _group(leader):
        """{pid: name} of the living processes in the process group of the master daemon."""
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue  # gone since the listing
            command, rest = text[text.index("(") + 1:].rsplit(")", 1)
            state, _, group = rest.split()[:3]
            if int(group) == leader and state not in "ZX":
                found[int(name)] = command
        return found

    def _run(self, command, cwd=None):
        environment = {"PATH": SYSTEM_PATH, "LC_ALL": "C"}
        run = subprocess.run(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=150, check=False)
        return Asked(run.returncode, run.stdout.decode("utf-8", "surrogateescape"),
                     run.stderr.decode("utf-8", "surrogateescape"))
