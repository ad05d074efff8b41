"""A real mail server at the end of the line: Postfix's own smtp-sink on a free loopback port.

It writes every message into a file of its own, with the envelope in front of the headers. A
message counts as arrived only when smtp-sink has closed its file.

    with MailSink() as sink:
        ... mail is delivered to 127.0.0.1:sink.port ...
        sink.wait_for_recipients({"jdoe@target.example"})
        -> [Mail(sender, recipients, headers, body), ...]
"""

import contextlib
import email
import email.message
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import NamedTuple


class Mail(NamedTuple):
    """One message as it arrived: envelope and content."""
    sender: str
    recipients: list
    headers: email.message.Message
    body: str


_ports_given = set()


def free_port():
    """A loopback port that was free a moment ago, another one each time. It lies below those that
    the kernel gives to outgoing connections, which would take it before it is used."""
    while True:
        port = random.randrange(20000, 32000)
        if port in _ports_given:
            continue
        _ports_given.add(port)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def program():
    """The path of smtp-sink, or None; Debian keeps it in /usr/sbin."""
    return shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _address(argument):
    """The address in the argument of MAIL or RCPT: what stands between the angle brackets."""
    inside = argument.strip()
    if inside.startswith("<"):
        inside = inside[1:inside.rindex(">")]
    return inside


def _parse(text):
    """Takes one dump apart; its first empty line ends smtp-sink's header and the mail's own."""
    message = email.message_from_string(text)
    recipients = [_address(each) for each in message.get_all("X-Rcpt-Args", [])]
    body = text.partition("\n\n")[2].rstrip("\n") + "\n"
    return Mail(_address(message["X-Mail-Args"]), recipients, message, body)


class MailSink:
    """One smtp-sink process with its own directory of dumps."""

    def __init__(self, *options):
        self._options = options
        self._process = None
        self._directory = None
        self.port = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts smtp-sink and waits until it accepts connections."""
        self._directory = tempfile.mkdtemp(prefix="lpalias-sink-")
        try:
            for _ in range(5):  # somebody else may take the port between the probe and the bind
                if self._try_start(free_port()):
                    return
            raise RuntimeError("smtp-sink does not start:\n" + self._errors())
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends the process and removes the dumps."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._directory is not None:
            shutil.rmtree(self._directory)
            self._directory = None

    def messages(self):
        """Every message that has arrived completely, oldest first."""
        mails = []
        for path in sorted(self._finished(), key=lambda each: os.stat(each).st_mtime_ns):
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                mails.append(_parse(file.read()))
        return mails

    def recipients(self):
        """The envelope recipients of all messages so far, as a sorted list with repetitions."""
        return sorted(each for mail in self.messages() for each in mail.recipients)

    def wait_until_written(self, deadline_s=30):
        """Waits until smtp-sink has closed all its files: what was sent before is there now."""
        end = time.monotonic() + deadline_s
        while any(os.path.basename(path).startswith("mail.") for path in self._open_files()):
            if time.monotonic() > end:
                raise TimeoutError(f"smtp-sink is still writing after {deadline_s} s")
            time.sleep(0.01)

    def wait_for_recipients(self, wanted, deadline_s=30):
        """Waits until every wanted recipient has got a message; returns all messages so far."""
        end = time.monotonic() + deadline_s
        while not set(wanted) <= set(self.recipients()):
            if time.monotonic() > end:
                raise TimeoutError(f"waited {deadline_s} s for {sorted(wanted)}, "
                                   f"the sink has {self.recipients()}")
            time.sleep(0.02)
        return self.messages()

    def forget(self):
        """Throws away what has arrived so far."""
        for path in self._finished():
            os.unlink(path)

    def _finished(self):
        """The dumps that smtp-sink has closed. Listed first: one that comes later is not looked at."""
        paths = [os.path.join(self._directory, name) for name in os.listdir(self._directory)
                 if name.startswith("mail.")]
        unfinished = self._open_files()
        return [path for path in paths if path not in unfinished]

    def _errors(self):
        with open(os.path.join(self._directory, "stderr"), encoding="utf-8") as file:
            return file.read()

    def _try_start(self, port):
        command = [program(), *self._options, "-d", os.path.join(self._directory, "mail."),
                   f"inet:127.0.0.1:{port}", "100"]
        if os.geteuid() == 0:  # smtp-sink refuses to stay root
            user = pwd.getpwnam("nobody")
            os.chown(self._directory, user.pw_uid, -1)
            command[1:1] = ["-u", user.pw_name]
        with open(os.path.join(self._directory, "stderr"), "wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=errors)
        end = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                self.port = port
                return True
            except ConnectionRefusedError:
                time.sleep(0.01)
        self._process.kill()
        self._process.wait()
        self._process = None
        return False

    def _open_files(self):
        """The files that smtp-sink still writes to."""
        directory = f"/proc/{self._process.pid}/fd"
        found = set()
        for name in os.listdir(directory):
            try:
                found.add(os.readlink(os.path.join(directory, name)))
            except FileNotFoundError:
                pass  # closed since the listing
        return found
