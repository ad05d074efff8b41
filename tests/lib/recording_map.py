"""A socketmap server that answers from a table and writes down every question.

Tests point a real Postfix at it to learn which process asks what, in which form and in which
order. The asking process is known for unix sockets only: SO_PEERCRED gives its pid and
/proc/PID/comm its name.

    with RecordingMap({"alias": {"jdoe@ubuntu.com": "jdoe@target.example"}}, path) as asked:
        ...
        asked.questions() -> [Question(process, map, key, connection, time), ...]

The answers are a dict {map: {key: value}}, where a value is a text (answered as OK), or a
function (map, key) -> the whole reply, for instance "OK a@b", "NOTFOUND " or "TEMP broken".
"""

import os
import socket
import struct
import threading
import time
from typing import NamedTuple

LARGEST_REQUEST = 100_000


class Question(NamedTuple):
    """One question as it came over the wire."""
    process: str
    map: str
    key: str
    connection: int
    time: float


def netstring(data):
    """Frames bytes as a netstring."""
    return b"%d:%s," % (len(data), data)


def read_netstring(stream):
    """Reads one netstring from a buffered binary stream; None at a clean end of file."""
    digits = b""
    while True:
        byte = stream.read(1)
        if byte == b"":
            if digits:
                raise EOFError("the peer hung up inside a frame")
            return None
        if byte == b":":
            break
        if not byte.isdigit() or len(digits) > 9:
            raise ValueError(f"not a netstring length: {digits + byte!r}")
        digits += byte
    length = int(digits)
    if length > LARGEST_REQUEST:
        raise ValueError(f"netstring of {length} bytes")
    data = stream.read(length)
    if len(data) != length or stream.read(1) != b",":
        raise EOFError("the peer hung up inside a frame, or left out the comma")
    return data


def _peer_process(connection):
    """The name of the process at the other end, or "?" when it cannot be known."""
    if connection.family != socket.AF_UNIX:
        return "?"
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, _, _ = struct.unpack("3i", credentials)
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return "?"


class RecordingMap:
    """The server; `where` is the path of a unix socket, or None for a free loopback port."""

    def __init__(self, answers, where=None, group=None):
        self._answers = answers
        self._lock = threading.Lock()
        self._questions = []
        self._connections = {}
        self._accepted = 0
        self._path = where
        if where is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port = self._listener.getsockname()[1]
        else:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(where)
            os.chmod(where, 0o660)
            if group is not None:
                os.chown(where, -1, group)
            self._listener.listen(100)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def questions(self):
        """All questions so far, in the order in which they arrived."""
        with self._lock:
            return list(self._questions)

    def forget(self):
        """Drops what was recorded so far."""
        with self._lock:
            self._questions.clear()

    def hang_up(self):
        """Closes every connection, keeps listening."""
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the peer was faster

    def stop(self):
        """Stops listening and hangs up on everybody."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        try:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        listener.close()
        self._thread.join(10)
        self.hang_up()
        if self._path is not None and os.path.exists(self._path):
            os.unlink(self._path)

    def _accept(self):
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._accepted += 1
                number = self._accepted
                self._connections[number] = connection
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        process = _peer_process(connection)
        try:
            with connection, connection.makefile("rb") as stream:
                while True:
                    request = read_netstring(stream)
                    if request is None:
                        return
                    text = request.decode("utf-8", "surrogateescape")
                    name, _, key = text.partition(" ")
                    asked = Question(process, name, key, number, time.monotonic())
                    with self._lock:
                        self._questions.append(asked)
                    reply = self._reply(name, key).encode("utf-8", "surrogateescape")
                    connection.sendall(netstring(reply))
        except (OSError, EOFError, ValueError):
            pass  # a broken peer ends its own connection only
        finally:
            with self._lock:
                self._connections.pop(number, None)

    def _reply(self, name, key):
        if callable(self._answers):
            return self._answers(name, key)
        value = self._answers.get(name, {}).get(key)
        return "NOTFOUND " if value is None else f"OK {value}"
