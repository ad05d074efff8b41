"""Asks a socketmap for the same keys all the time, from a thread, over one connection.

    with Asker(world.socket_path, "alias", ["jdoe@ubuntu.com"]) as asker:
        ...
    asker.answers["jdoe@ubuntu.com"]    # the set of all answers, None where the server hung up
"""

import threading

from raw_client import RawClient


def _netstring(text):
    data = text.encode("utf-8")
    return b"%d:%s," % (len(data), data)


class Asker:
    """All keys are sent at once, so that the server answers them in one wake-up."""

    def __init__(self, endpoint, name, keys):
        self.answers = {key: set() for key in keys}
        self.rounds = 0
        self._failure = None
        self._endpoint = endpoint
        self._request = b"".join(_netstring(f"{name} {key}") for key in keys)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        if self._failure is not None:
            raise AssertionError(f"a question got no answer: {self._failure}")

    def _run(self):
        try:
            with RawClient(self._endpoint) as client:
                stream = client.socket.makefile("rb")
                while not self._ended.is_set():
                    client.send(self._request)
                    for answers in self.answers.values():
                        answers.add(_read_netstring(stream))
                    self.rounds += 1
        except (OSError, EOFError, ValueError) as error:
            self._failure = error

    def wait_for_rounds(self, count):
        """Until so many more rounds are over."""
        end = self.rounds + count
        while self.rounds < end and self._thread.is_alive():
            self._ended.wait(0.005)


def _read_netstring(stream):
    length = b""
    while (byte := stream.read(1)) != b":":
        if byte == b"":
            raise EOFError("the server hung up")
        length += byte
    data = stream.read(int(length) + 1)
    if not data.endswith(b","):
        raise EOFError("the server hung up")
    return data[:-1].decode("utf-8")
