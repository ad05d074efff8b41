"""A connection that sends and reads bytes as they are, for tests of what is on the wire.

    with RawClient(world.socket_path) as client:
        client.send(b"11:alias a@b.c,")
        client.expect(b"9:NOTFOUND ,")
        client.expect_end()
"""

import time

from lpalias_world import PATIENCE_S, connect


class RawClient:
    """An endpoint is a unix socket path or a loopback port; all waiting is bounded."""

    def __init__(self, endpoint, timeout_s=PATIENCE_S):
        end = time.monotonic() + timeout_s
        while True:
            try:
                self.socket = connect(endpoint, timeout_s)
                return
            except BlockingIOError:
                # More wait to be accepted than the backlog holds, on a busy machine.
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def close(self):
        """Closes our end."""
        self.socket.close()

    def send(self, data):
        """Sends all of it."""
        self.socket.sendall(data)

    def receive(self, length):
        """That many bytes, or fewer when the server hung up before."""
        received = bytearray()
        while len(received) < length:
            try:
                some = self.socket.recv(min(65536, length - len(received)))
            except ConnectionResetError:
                break
            if some == b"":
                break
            received += some
        return bytes(received)

    def expect(self, wanted):
        """The next bytes must be these."""
        got = self.receive(len(wanted))
        if got != wanted:
            raise AssertionError(f"got {got[:300]!r} where {wanted[:300]!r} was wanted")

    def expect_end(self):
        """The server must hang up without another byte."""
        got = self.receive(1)
        if got != b"":
            raise AssertionError(f"got {got!r} where the end was wanted")

    def ask(self, request, wanted):
        """Sends a request and expects the reply."""
        self.send(request)
        self.expect(wanted)
