"""Everything lpalias needs for a test: configuration, keys, a Launchpad, a filled cache, a server.

    with World() as world:
        world.fill()                        # key, refresh from the stand-in, targets, domains open
        world.start_server()
        world.ask("alias", "jdoe@ubuntu.com") -> "OK jdoe@target.example"

The programs come from the environment: LPALIAS and LPALIASD; `why_not()` says what is missing.
What stands in LPALIAS_WRAPPER is put in front of the programs, for instance valgrind. As that may
be slow, of the lpalias commands that are alike only the first in a process gets it.
A World needs no root. With `socket_directory` the unix socket is made there, for instance in the
one of a PostfixInstance; otherwise in a directory of its own.

Change `domains` (name -> team), `domain_keys` (name -> further keys of it), `listeners`, `server` or `launchpad_lines` (lists of configuration
lines) and call write_config() to get another configuration. Without a cache the server starts too;
fill_static() fills one without any Launchpad.
"""

import contextlib
import fcntl
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
from typing import NamedTuple

from launchpad_standin import LaunchpadStandIn
from mail_sink import free_port
from recording_map import netstring, read_netstring

# The domains of postfix-examples and their teams.
DOMAINS = {
    "ubuntu.com": "ubuntumembers",
    "kubuntu.org": "kubuntu-members",
    "lubuntu.me": "lubuntu-members",
    "edubuntu.org": "edubuntu-members",
    "ubuntustudio.com": "ubuntustudio-core",
    "ubuntu.net": "ubuntu-smtp-test",
}

# Who has which targets; "pending" has none.
TARGETS = {
    "jdoe": ["jdoe@target.example"],
    "several": ["one@target.example", "two@target.example", "three@elsewhere.example"],
    "kim": ["kim@target.example"],
    "lee": ["lee@target.example"],
}
ALERTS = "alerts@operators.example"
# Only what hangs takes so long, however busy the machine.
PATIENCE_S = 60


def members():
    """A small Launchpad: more than one page for ubuntu.com, at least one member everywhere."""
    people = [*TARGETS, "pending", "filler-a", "filler-b"]
    teams = {
        "ubuntumembers": people,
        "kubuntu-members": ["kim", "pending"],
        "lubuntu-members": ["lee"],
        "edubuntu-members": ["kim"],
        "ubuntustudio-core": ["lee"],
        "ubuntu-smtp-test": ["jdoe"],
    }
    return {"people": {name: {} for name in people},
            "teams": {name: {"members": names} for name, names in teams.items()}}


class Ran(NamedTuple):
    """How a command ended."""
    status: int
    stdout: str
    stderr: str


def program(name):
    """The path in the environment variable of that name, or None."""
    path = os.environ.get(name)
    return os.path.abspath(path) if path else None


def wrapper():
    """The words of LPALIAS_WRAPPER, to go right before a program."""
    return os.environ.get("LPALIAS_WRAPPER", "").split()


def why_not():
    """A sentence what is missing, or None."""
    for name in ("LPALIAS", "LPALIASD"):
        path = program(name)
        if path is None:
            return f"{name} is not set"
        if not os.access(path, os.X_OK):
            return f"{name} is not a program: {path}"
    return None


# Clients: one question over a connection of its own.

def connect(endpoint, timeout_s=PATIENCE_S):
    """A stream socket to a path, or to a loopback port when the endpoint is a number."""
    if isinstance(endpoint, int):
        return socket.create_connection(("127.0.0.1", endpoint), timeout=timeout_s)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_s)
    try:
        client.connect(endpoint)
    except BaseException:
        client.close()
        raise
    return client


def socketmap_ask(endpoint, name, key, timeout_s=PATIENCE_S):
    """The whole reply to one socketmap question; None when the server hung up."""
    if isinstance(key, str):
        key = key.encode("utf-8", "surrogateescape")
    with connect(endpoint, timeout_s) as client, client.makefile("rb") as stream:
        client.sendall(netstring(name.encode("ascii") + b" " + key))
        reply = read_netstring(stream)
        return None if reply is None else reply.decode("utf-8", "surrogateescape")


def tcp_ask(endpoint, key, timeout_s=PATIENCE_S):
    """(code, text) of one tcp_table question, both sides decoded; None when the server hung up."""
    with connect(endpoint, timeout_s) as client, client.makefile("rb") as stream:
        client.sendall(b"get " + urllib.parse.quote(key, safe="@.+-_").encode("ascii") + b"\n")
        line = stream.readline()
        if not line.endswith(b"\n"):
            return None
        code, _, text = line.decode("ascii").rstrip("\n").partition(" ")
        return int(code), urllib.parse.unquote(text)


def with_inherited(command, sockets):
    """(command, descriptors to pass) that hands listening sockets over as systemd does: from
    descriptor 3 on, with LISTEN_FDS, and LISTEN_PID of the process that becomes the command."""
    passed = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, 100) for each in sockets]
    moves = " ".join(f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(passed))
    script = f'exec {moves}; LISTEN_PID=$$ LISTEN_FDS={len(passed)} exec "$@"'
    return ["bash", "-c", script, "bash", *command], passed


def forget_dead_clocks():
    """libfaketime refuses to start where a killed process of the same pid left its memory."""
    for path in glob.glob("/dev/shm/*faketime_s[eh]m_*"):
        if not os.path.exists("/proc/" + path.rpartition("_")[2]):
            with contextlib.suppress(OSError):
                os.unlink(path)


class World:
    """See the top of the file."""

    kinds_wrapped = set()  # the commands that this process has run behind LPALIAS_WRAPPER

    def __init__(self, data=None, socket_directory=None, page_size=3):
        self.directory = tempfile.mkdtemp(prefix="lpalias-world-")
        os.chmod(self.directory, 0o755)
        self.config_file = os.path.join(self.directory, "lpalias.conf")
        self.cache = os.path.join(self.directory, "cache")
        self.key_file = os.path.join(self.directory, "keys")
        self.log_path = os.path.join(self.directory, "lpaliasd.log")
        self.socket_directory = socket_directory or self.directory
        self.socket_path = os.path.join(self.socket_directory, "lookup")
        self.inet_port, self.tcp_port = free_port(), free_port()
        self.domains, self.domain_keys = dict(DOMAINS), {}
        self.listeners = [
            f'socketmap = {{ "unix:{self.socket_path}", "inet:127.0.0.1:{self.inet_port}" }}',
            f'tcp-table "inet:127.0.0.1:{self.tcp_port}" {{ map = alias }}',
        ]
        self.top_lines, self.server, self.launchpad_lines = [], [], []
        self.domain_keys = {}  # of a domain, besides its team: 'grace = "3d"'
        # Notices go nowhere: nobody listens there, whatever else runs on this machine.
        self.notify = ['smtp = "smtp://127.0.0.1:1"']
        self.page_size = page_size
        self.process = None
        self.launchpad = LaunchpadStandIn(members() if data is None else data)
        try:
            self.launchpad.start()
            self.write_config()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the server and the stand-in, removes everything."""
        try:
            if self.process is not None:
                self.kill_server()
        finally:
            self.launchpad.stop()
            shutil.rmtree(self.directory, ignore_errors=True)

    # Configuration and commands.

    def write_config(self):
        """Writes lpalias.conf from the attributes."""
        lines = [
            f'cache = "{self.cache}"',
            f'key-file = "{self.key_file}"',
            f'alerts = "{ALERTS}"',
            *self.top_lines,
            "launchpad {",
            f'  api = "{self.launchpad.root}"',
            f"  page-size = {self.page_size}",
            '  retry-delay = "100ms"',
            *self.launchpad_lines,
            "}",
            "notify {",
            *self.notify,
            "}",
            "server {",
            *self.listeners,
            '  recipient-delimiter = "+"',
            # Valgrind does not know the system calls that make a sandbox, and says so.
            *(["  sandbox = false"] if "LPALIAS_VALGRIND" in os.environ else []),
            *self.server,
            "}",
            *(f'domain "{name}" {{ team = "{team}" {self.domain_keys.get(name, "")} }}'
              for name, team in self.domains.items()),
        ]
        with open(self.config_file + ".new", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(self.config_file + ".new", self.config_file)  # somebody may be reading it

    def lpalias_command(self, *arguments, after_s=0, is_wrapped=True):
        """The command line of `lpalias -c FILE arguments`, with the clock moved by faketime."""
        if after_s:
            forget_dead_clocks()
        clock = ["faketime", "-f", f"+{after_s}s"] if after_s else []
        before = wrapper() if is_wrapped else []
        return [*clock, *before, program("LPALIAS"), "-c", self.config_file, *arguments]

    def lpalias(self, *arguments, status=0, stdin="", after_s=0):
        """Runs `lpalias -c FILE arguments`; another exit status than `status` is an error
        (None: any will do). `after_s`: as if so many seconds had gone by."""
        # Alike: the same options and first two other words, and the same end.
        words = [argument for argument in arguments if not argument.startswith("-")]
        options = {argument for argument in arguments if argument.startswith("-")}
        kind = (*words[:2], *sorted(options), status)
        is_wrapped = kind not in self.kinds_wrapped
        self.kinds_wrapped.add(kind)
        command = self.lpalias_command(*arguments, after_s=after_s, is_wrapped=is_wrapped)
        run = subprocess.run(command, input=stdin.encode("utf-8"), capture_output=True,
                             timeout=2 * PATIENCE_S, check=False)
        ran = Ran(run.returncode, run.stdout.decode("utf-8", "replace"),
                  run.stderr.decode("utf-8", "replace"))
        if status is not None and ran.status != status:
            raise AssertionError(f"{' '.join(arguments)}: exit status {ran.status}, "
                                 f"not {status}\n{ran.stdout}{ran.stderr}")
        return ran

    def make_key(self):
        """Creates the key file."""
        self.lpalias("key", "generate")

    def fill(self, targets=None, opened=("ubuntu.com", "lubuntu.me", "edubuntu.org",
                                         "ubuntustudio.com", "ubuntu.net")):
        """Key, refresh, targets, and the given domains opened: kubuntu.org stays closed."""
        self.make_key()
        self.lpalias("refresh")
        for name, addresses in (TARGETS if targets is None else targets).items():
            self.lpalias("target", "set", name, *addresses)
        for name in opened:
            self.lpalias("domain", "open", name, "--yes")
        self.settle()

    def settle(self, after_s=0):
        """Tells what is over now, "closed" above all, so that the next refresh has nothing to write
        down but what it finds."""
        self.lpalias("notify", "-q", status=None, after_s=after_s)

    def fill_static(self, aliases, opened=None):
        """Key, static aliases ({address: [target, ...]}) by way of an import, and the given domains
        opened (None: those of the aliases); no refresh."""
        self.make_key()
        self.import_static(aliases)
        if opened is None:
            opened = sorted({address.rpartition("@")[2] for address in aliases})
        for name in opened:
            self.lpalias("domain", "open", name, "--yes")

    def import_static(self, aliases):
        """Adds static aliases to the cache: {address: [target, ...]}."""
        table = os.path.join(self.directory, "virtual")
        with open(table, "w", encoding="utf-8") as file:
            file.writelines(f"{address} {', '.join(targets)}\n"
                            for address, targets in aliases.items())
        self.lpalias("import", "--static", "--format", "virtual", table)

    # The server.

    def launch_server(self, prefix=(), options=(), sockets=()):
        """Starts lpaliasd in the foreground, its messages in log_path; returns where they begin.
        `prefix` is put before the command, for instance setpriv and its options; `options` behind
        it; `sockets` are handed over to it, listening."""
        if self.process is not None:
            raise RuntimeError("the server runs already")
        with open(self.log_path, "ab") as log:
            start = log.tell()
            command = [*prefix, *wrapper(), program("LPALIASD"), "-c", self.config_file, *options]
            command, passed = with_inherited(command, sockets) if sockets else (command, [])
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, pass_fds=passed)
            for fd in passed:
                os.close(fd)
        return start

    def start_server(self, prefix=(), options=(), deadline_s=PATIENCE_S, sockets=()):
        """The same, and waits until its unix socket answers."""
        start = self.launch_server(prefix, options, sockets)
        end = time.monotonic() + deadline_s
        try:
            while not self._is_ready(start):
                if self.process.poll() is not None:
                    raise RuntimeError(f"lpaliasd ended with {self.process.returncode}")
                if time.monotonic() > end:
                    raise TimeoutError(f"lpaliasd is not ready after {deadline_s} s")
                time.sleep(0.01)
        except BaseException as error:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            self.process = None
            raise type(error)(f"{error}\n{self.server_log()[start:]}") from error

    def stop_server(self, deadline_s=PATIENCE_S):
        """SIGTERM; returns the exit status, which a test may want to be 0."""
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill_server(self):
        """SIGKILL: no goodbye, the socket file stays behind."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def server_log(self):
        """All that lpaliasd has written so far."""
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _is_ready(self, start):
        if "ready" not in self.server_log()[start:]:
            return False
        try:
            return self.ask("alias", "ready@foreign.example") is not None
        except (OSError, EOFError):
            return False

    # Questions.

    def ask(self, name, key, timeout_s=PATIENCE_S):
        """One question over the unix socket."""
        return socketmap_ask(self.socket_path, name, key, timeout_s)

    def ask_inet(self, name, key, timeout_s=PATIENCE_S):
        """One question over the inet socketmap."""
        return socketmap_ask(self.inet_port, name, key, timeout_s)

    def ask_tcp(self, key, timeout_s=PATIENCE_S):
        """One question over the tcp_table listener, which serves the map "alias"."""
        return tcp_ask(self.tcp_port, key, timeout_s)

    def give_to(self, uid, gid):
        """Hands cache, keys and the server's log to another user, for a server that is not root."""
        for path in (self.cache, self.key_file, self.directory):
            os.chown(path, uid, gid)
        for name in os.listdir(self.cache):
            os.chown(os.path.join(self.cache, name), uid, gid)
