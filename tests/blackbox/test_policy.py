"""lpaliasd's policy delegation on the wire: exact replies, what is refused, and any way to cut the
bytes."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import World, program
from mail_sink import free_port
from raw_client import RawClient

DUNNO = b"action=DUNNO\n\n"
GONE = b"action=550 5.1.6 The address is no longer in use\n\n"
UNKNOWN = b"action=550 5.1.1 User unknown in virtual alias table\n\n"


def request(recipient, state="RCPT", **others):
    """The attributes that Postfix 3.7 sends, more or less."""
    attributes = {"request": "smtpd_access_policy", "protocol_state": state,
                  "protocol_name": "ESMTP", "client_address": "192.0.2.7", "client_name": "unknown",
                  "helo_name": "client.example", "sender": "pending@ubuntu.com",
                  "recipient": recipient, "recipient_count": "0", "queue_id": "", "instance": "1.2",
                  "size": "0", "sasl_username": "", "ccert_subject": "", **others}
    lines = "".join(f"{name}={value}\n" for name, value in attributes.items())
    return lines.encode("utf-8", "surrogateescape") + b"\n"


WITH_CACHE = [
    # ubuntu.com is open
    (request("jdoe@ubuntu.com"), DUNNO),
    (request("pending@ubuntu.com"), UNKNOWN),
    (request("Pending+Tag@Ubuntu.COM"), UNKNOWN),
    (request("filler-a@ubuntu.com"), GONE),
    (request("nobody@ubuntu.com"), DUNNO),
    (request("postmaster@ubuntu.com"), DUNNO),
    # kubuntu.org is not
    (request("pending@kubuntu.org"), DUNNO),
    (request("kim@kubuntu.org"), DUNNO),
    # foreign, odd
    (request("pending@foreign.example"), DUNNO),
    (request(""), DUNNO),
    (request("postmaster"), DUNNO),
    (request("ubuntu.com"), DUNNO),
    (request("a b@ubuntu.com"), DUNNO),
    (request("a=b@ubuntu.com"), DUNNO),
    (request("\udcff@ubuntu.com"), DUNNO),
    (request("x" * 2000 + "@ubuntu.com"), DUNNO),
    # every other protocol state and request
    *((request("filler-a@ubuntu.com", state), DUNNO)
      for state in ("CONNECT", "EHLO", "HELO", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN", "",
                    "rcpt")),
    (request("filler-a@ubuntu.com", request="smtpd_other"), DUNNO),
    (b"request=smtpd_access_policy\n\n", DUNNO),
    (b"request=smtpd_access_policy\nrecipient=filler-a@ubuntu.com\n\n", DUNNO),
    # in any order, with attributes of a later Postfix
    (b"recipient=filler-a@ubuntu.com\nprotocol_state=RCPT\nnews=x=y\nrequest=smtpd_access_policy\n\n",
     GONE),
]

GOOD, GOOD_REPLY = request("jdoe@foreign.example"), DUNNO

# (what is sent, what is answered before the server hangs up)
VIOLATIONS = [
    (b"\n", b""),
    (b"\r\n", b""),
    (b"recipient=jdoe@ubuntu.com\n\n", b""),
    (b"request=\n\n", b""),
    (b"request=smtpd_access_policy\nrecipient\n", b""),
    (b"request=smtpd_access_policy\n=x\n", b""),
    (b"request=smtpd_access_policy\nrecipient=a\0b\n", b""),
    (b"request=smtpd_access_policy\r\n\r\n", b""),
    (b"request=" + b"x" * 70000, b""),
    (b"get jdoe@ubuntu.com\n", b""),
    (b"26:alias jdoe@foreign.example,\n", b""),
    (b"GET / HTTP/1.0\r\n\r\n", b""),
    (GOOD + b"garbage\n", GOOD_REPLY),
    (GOOD * 300 + b"=\n" + GOOD, GOOD_REPLY * 300),
]


def setUpModule():
    for name in ("LPALIAS", "LPALIASD"):
        if program(name) is None:
            raise unittest.SkipTest(f"{name} is not set")


class Policy(unittest.TestCase):
    """A server with a policy listener of each kind; filler-a is gone."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.path = os.path.join(cls.world.directory, "policy")
        cls.port = free_port()
        cls.world.listeners.append(f'policy = {{ "unix:{cls.path}", "inet:127.0.0.1:{cls.port}" }}')
        cls.world.write_config()
        cls.world.fill()
        cls.world.launchpad.remove_member("ubuntumembers", "filler-a")
        for after_s in (120, 240):
            cls.world.lpalias("refresh", after_s=after_s)
        cls.world.start_server()

    def connect(self):
        client = RawClient(self.path)
        self.addCleanup(client.close)
        return client

    def test_each_request_has_its_exact_reply(self):
        for endpoint in (self.path, self.port):
            with RawClient(endpoint) as client:
                for asked, reply in WITH_CACHE:
                    with self.subTest(endpoint=endpoint, asked=asked[:300]):
                        client.ask(asked, reply)

    def test_without_a_cache_nothing_is_refused(self):
        data = os.path.join(self.world.cache, "data.mdb")
        os.replace(data, data + ".away")
        self.world.stop_server()
        self.world.start_server()
        try:
            client = self.connect()
            for asked, _ in WITH_CACHE:
                client.ask(asked, DUNNO)
        finally:
            self.world.stop_server()
            os.replace(data + ".away", data)
            self.world.start_server()

    def test_violations_are_refused_and_others_go_on(self):
        other = self.connect()
        for sent, answered in VIOLATIONS:
            with self.subTest(sent=sent[:60]), RawClient(self.path) as client:
                try:
                    client.send(sent)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it hung up before we were done, and that is fine
                client.expect(answered)
                client.expect_end()
                other.ask(GOOD, GOOD_REPLY)

    def test_byte_by_byte(self):
        client = self.connect()
        for asked, reply in WITH_CACHE[:4]:
            for byte in asked:
                client.send(bytes([byte]))
            client.expect(reply)

    def test_many_requests_in_one_write(self):
        client = self.connect()
        asked = [WITH_CACHE[i % len(WITH_CACHE)] for i in range(1000)]
        client.send(b"".join(each for each, _ in asked))
        client.expect(b"".join(reply for _, reply in asked))

    def test_half_close(self):
        client = self.connect()
        client.send(GOOD * 500 + GOOD[:-1])
        client.socket.shutdown(socket.SHUT_WR)
        client.expect(GOOD_REPLY * 500)
        client.expect_end()

    def test_no_address_is_logged(self):
        client = self.connect()
        client.ask(*WITH_CACHE[3])
        self.assertNotIn("filler-a", self.world.server_log())
        self.assertIn(f"policy unix:{self.path}", self.world.server_log())


if __name__ == "__main__":
    tap.main()
