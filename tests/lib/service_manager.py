"""The service manager's side of sd_notify(3): a datagram socket that a started program tells things.

    with ServiceManager(directory, watchdog_s=2) as manager:
        ...start the program...
        manager.wait_for("READY=1")
"""

import os
import socket
import threading
import time

from lpalias_world import PATIENCE_S


class ServiceManager:
    """Sets NOTIFY_SOCKET, and WATCHDOG_USEC if there is a limit, in the environment while it lives."""

    def __init__(self, directory, watchdog_s=None):
        self.path = os.path.join(directory, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self._told = []  # (monotonic, line)
        self._news = threading.Condition()
        self._environment = {"NOTIFY_SOCKET": self.path}
        if watchdog_s is not None:
            self._environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        os.environ.update(self._environment)
        self._thread.start()
        return self

    def __exit__(self, *_):
        for name in self._environment:
            os.environ.pop(name, None)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _read(self):
        while message := self._socket.recv(4096):
            with self._news:
                self._told += [(time.monotonic(), line) for line in message.decode("utf-8").split("\n")]
                self._news.notify_all()

    def told(self, begin):
        """[(when, line)] of the lines so far that begin so."""
        with self._news:
            return [(when, line) for when, line in self._told if line.startswith(begin)]

    def wait_for(self, begin, holds=lambda line: True, more_than=0, timeout_s=PATIENCE_S):
        """Until more than that number of lines have come that begin so and that `holds` says yes to;
        returns the last of them."""
        def found():
            lines = [line for _, line in self._told if line.startswith(begin) and holds(line)]
            return lines[-1] if len(lines) > more_than else None
        with self._news:
            if not self._news.wait_for(found, timeout_s):
                raise TimeoutError(f"{begin} was not told: {self._told[-20:]}")
            return found()
