#!/usr/bin/python3
"""What a rehearsal needs of systemd where it does not run: it starts, stops, restarts and reloads the
units of lpalias by what their very files say, and keeps the listening socket meanwhile.

    unit_manager.py serve UNIT-DIRECTORY...      runs until SIGTERM, "ready" on stdout
    unit_manager.py VERB [--now] UNIT...         what systemctl does; a link of that name may call it

VERB is start, stop, restart, reload, enable (with --now), disable (with --now), is-active, kill -s
SIGNAL, and daemon-reload. postfix.service is Postfix's own command. Timers are only remembered: a test that lets
time pass starts their service itself.
"""

import configparser
import contextlib
import grp
import os
import pwd
import select
import signal
import socket
import subprocess
import sys
import time

CONTROL = "/run/unit-manager"
LOG = "/var/log/units.log"
PATIENCE_S = 60


class Failure(Exception):
    """A unit does not do what it is told."""


def read_unit(directories, name):
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    unit.optionxform = str
    for directory in directories:
        if unit.read(os.path.join(directory, name)):
            return unit
    raise Failure(f"Unit {name} not found.")


class Socket:
    """A .socket unit: it listens, and says when somebody has come."""

    def __init__(self, unit):
        self.section, self.listening = unit["Socket"], None

    def start(self):
        if self.listening is not None:
            return
        path = self.section["ListenStream"]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(path)
        os.chown(path, pwd.getpwnam(self.section["SocketUser"]).pw_uid, grp.getgrnam(self.section["SocketGroup"]).gr_gid)
        os.chmod(path, int(self.section["SocketMode"], 8))
        listening.listen(int(self.section["Backlog"]))
        self.listening = listening

    def stop(self):
        if self.listening is not None:
            self.listening.close()
            self.listening = None
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.section["ListenStream"])


class Service:
    """A .service unit: one process, started anew when it ends and shall not have."""

    def __init__(self, unit, name):
        self.unit, self.section, self.name = unit, unit["Service"], name
        self.process, self.is_wanted = None, False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def start(self, listening):
        if self.is_running():
            return
        condition = self.unit["Unit"].get("ConditionPathExists", "/")
        if not os.path.exists(condition):
            return  # systemd leaves such a unit out without a failure, too
        self._spawn(listening)
        if self.section["Type"] == "oneshot":
            status = self.process.wait(10 * PATIENCE_S)
            good = [0, *map(int, self.section.get("SuccessExitStatus", "").split())]
            if status not in good:
                raise Failure(f"{self.name} ended with {status}.")
        else:
            self.is_wanted = True

    def _spawn(self, listening):
        user = pwd.getpwnam(self.section["User"])
        groups = [f"--groups={self._groups(user)}"]
        program = os.path.basename(self.section["ExecStart"].split()[0])
        arguments = self.section["ExecStart"].split()[1:]
        notify = None
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if self.section["Type"] == "notify":
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind(b"\0lpalias-rehearsal-%d" % time.monotonic_ns())
            environment["NOTIFY_SOCKET"] = "@" + notify.getsockname()[1:].decode()
        passed, moves = (), ""
        if listening is not None:
            fd = os.dup(listening.fileno())
            passed, moves = (fd,), f"exec 3<&{fd}" + (f" {fd}<&-" if fd != 3 else "") + "; "
            environment["LISTEN_FDS"] = "1"
        script = moves + f'umask {self.section["UMask"]}; LISTEN_PID=$$ exec "$@"'
        command = ["bash", "-c", script, "bash", "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", *groups,
                   "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--", program, *arguments]
        with open(LOG, "ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=passed)
        for fd in passed:
            os.close(fd)
        if notify is not None:
            with notify:
                self._wait_until_ready(notify)

    def _groups(self, user):
        numbers = os.getgrouplist(user.pw_name, user.pw_gid)
        numbers += [grp.getgrnam(name).gr_gid for name in self.section.get("SupplementaryGroups", "").split()]
        return ",".join(map(str, numbers))

    def _wait_until_ready(self, notify):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if select.select([notify], [], [], 0.1)[0] and b"READY=1" in notify.recv(4096).split(b"\n"):
                return
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode}.")
        raise Failure(f"{self.name} does not get ready.")

    def stop(self):
        self.is_wanted = False
        if self.is_running():
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def reload(self):
        if "ExecReload" not in self.section or not self.is_running():
            raise Failure(f"{self.name} cannot be reloaded.")
        self.process.send_signal(signal.SIGHUP)

    def signal(self, number):
        if not self.is_running():
            raise Failure(f"{self.name} is not running.")
        self.process.send_signal(number)


class Manager:
    """See the top of the file."""

    def __init__(self, directories):
        self.directories, self.units, self.active = directories, {}, set()

    def unit(self, name):
        if name not in self.units:
            read = read_unit(self.directories, name)
            kinds = {".socket": lambda: Socket(read), ".service": lambda: Service(read, name), ".timer": lambda: None}
            self.units[name] = kinds[os.path.splitext(name)[1]]()
        return self.units[name]

    def listening_of(self, name):
        """The socket of the service; starting the service starts it, too (Wants=)."""
        name = name.replace(".service", ".socket")
        if not any(os.path.exists(os.path.join(each, name)) for each in self.directories):
            return None
        self.unit(name).start()
        return self.unit(name).listening

    def act(self, verb, name):
        if name == "postfix.service":
            ran = subprocess.run(["postfix", "status" if verb == "is-active" else verb], check=False, timeout=PATIENCE_S,
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if ran.returncode != 0:
                raise Failure(ran.stderr)
            return
        unit = self.unit(name)
        if unit is None:
            if verb == "is-active" and name not in self.active:
                raise Failure("inactive")
            (self.active.discard if verb == "stop" else self.active.add)(name)
        elif isinstance(unit, Socket):
            if verb == "is-active" and unit.listening is None:
                raise Failure("inactive")
            if verb in ("stop", "restart"):
                unit.stop()
            if verb in ("start", "restart"):
                unit.start()
        else:
            self.act_on_service(verb, name, unit)

    def act_on_service(self, verb, name, unit, number=signal.SIGTERM):
        if verb == "is-active":
            if not unit.is_running():
                raise Failure("inactive")
        elif verb == "reload":
            unit.reload()
        elif verb == "kill":
            unit.signal(number)
        else:
            if verb in ("stop", "restart"):
                unit.stop()
            if verb in ("start", "restart"):
                unit.start(self.listening_of(name) if unit.section["Type"] != "oneshot" else None)

    def obey(self, words):
        """The status and what is printed."""
        if words[:2] == ["kill", "-s"]:
            self.act_on_service("kill", words[3], self.unit(words[3]), signal.Signals["SIG" + words[2]])
            return 0, ""
        options = [word for word in words if word.startswith("-")]
        verb, *names = [word for word in words if not word.startswith("-")]
        if verb == "daemon-reload":
            self.units = {name: unit for name, unit in self.units.items() if unit is not None}
            return 0, ""
        if verb in ("enable", "disable"):
            if "--now" not in options:
                return 0, ""
            verb = {"enable": "start", "disable": "stop"}[verb]
        try:
            for name in names:
                self.act(verb, name if "." in name else name + ".service")
        except (Failure, OSError, KeyError, subprocess.TimeoutExpired) as failure:
            return 1, f"{verb}: {failure}\n"
        return 0, "active\n" if verb == "is-active" else ""

    def look_after(self):
        """Restart=always, and a socket that somebody has come to."""
        for name, unit in list(self.units.items()):
            if isinstance(unit, Service) and unit.is_wanted and not unit.is_running():
                with contextlib.suppress(Failure):
                    unit.start(self.listening_of(name))
            if isinstance(unit, Socket) and unit.listening is not None:
                service = self.unit(name.replace(".socket", ".service"))
                if not service.is_running() and select.select([unit.listening], [], [], 0)[0]:
                    with contextlib.suppress(Failure):
                        service.start(unit.listening)

    def serve(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(CONTROL)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(CONTROL)
        control.listen(5)
        print("ready", flush=True)
        while True:
            if select.select([control], [], [], 0.1)[0]:
                client, _ = control.accept()
                with client, client.makefile("r", encoding="utf-8") as lines:
                    status, text = self.obey(lines.readline().rstrip("\n").split("\t"))
                    with contextlib.suppress(BrokenPipeError):
                        client.sendall(f"{status}\n{text}".encode())
            self.look_after()


def call(words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(CONTROL)
        client.sendall("\t".join(words).encode() + b"\n")
        status, _, text = client.makefile("r", encoding="utf-8").read().partition("\n")
    print(text, end="", file=sys.stderr if status != "0" else sys.stdout)
    return int(status)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        Manager(sys.argv[2:]).serve()
    sys.exit(call(sys.argv[1:]))
