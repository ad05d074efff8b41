"""The least SASL server that Postfix accepts: Dovecot's protocol, PLAIN, any password or one.

Postfix looks at its sender login maps only when SASL is on, and which Cyrus modules a machine
has is chance. With `smtpd_sasl_type = dovecot` and `smtpd_sasl_path = lpalias/auth` it asks here.
The login name is whatever the client gives.
"""

import base64
import os
import socketserver
import threading

GREETING = ("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
            "COOKIE\t00000000000000000000000000000001\nDONE\n")


class _Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(GREETING.encode("ascii"))
        for line in self.rfile:
            words = line.decode("utf-8").rstrip("\n").split("\t")
            if words[0] == "AUTH":
                answer = words[-1].removeprefix("resp=")
                _, login, password = base64.b64decode(answer).decode("utf-8").split("\0")
                verdict = "OK" if self.server.password in (None, password) else "FAIL"
                self.wfile.write(f"{verdict}\t{words[1]}\tuser={login}\n".encode("utf-8"))


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


class SaslStandIn:
    """Listens on a unix socket from the start until stop(); `password`: the only right one."""

    def __init__(self, path, group, password=None):
        self._server = _Server(path, _Session)
        self._server.password = password
        os.chmod(path, 0o660)
        os.chown(path, -1, group)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True,
                                        kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self):
        """Stops listening; open sessions end with their peers."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
