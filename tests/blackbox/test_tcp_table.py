"""lpaliasd's tcp_table on the wire: exact replies, what is refused, and any way to cut the bytes."""

import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import ALERTS, World, program
from mail_sink import free_port
from raw_client import RawClient

TEMP = b"400 lpalias%20cannot%20tell%20now\n"
NOTFOUND = b"500 \n"
ROLE = b"200 " + ALERTS.encode() + b"\n"

# There is no cache: what is ours is 400, unless the configuration alone can say.
WITHOUT_CACHE = [
    (b"get jdoe@ubuntu.com\n", TEMP),
    (b"get JDoe@Ubuntu.COM\n", TEMP),
    (b"get jdoe%2Btag@ubuntu.com\n", TEMP),
    (b"get j%C3%BCrgen@ubuntu.com\n", TEMP),
    (b"get %6a%64oe@ubuntu%2ecom\n", TEMP),
    (b"get postmaster@ubuntu.com\n", ROLE),
    (b"get ubuntu.com\n", b"200 ubuntu.com\n"),
    (b"get jdoe@foreign.example\n", NOTFOUND),
    (b"get foreign.example\n", NOTFOUND),
    (b"get \n", NOTFOUND),
    (b"get *\n", NOTFOUND),
    (b"get <>\n", NOTFOUND),
    (b"get %22a%20b%22@ubuntu.com\n", NOTFOUND),
    (b"get a%20b@ubuntu.com\n", NOTFOUND),
    (b"get a@b@ubuntu.com\n", NOTFOUND),
    (b"get user@[192.0.2.9]\n", NOTFOUND),
    (b"get @ubuntu.com\n", NOTFOUND),
    (b"get %FF@ubuntu.com\n", NOTFOUND),
    (b"get a%0Ab@ubuntu.com\n", NOTFOUND),
    (b"get " + b"x" * 9000 + b"@ubuntu.com\n", NOTFOUND),
    (b"get " + b"%20" * 9000 + b"@ubuntu.com\n", NOTFOUND),
    (b"put jdoe@ubuntu.com value\n", NOTFOUND),
]

GOOD, GOOD_REPLY = b"get jdoe@foreign.example\n", NOTFOUND

# (what is sent, what is answered before the server hangs up)
VIOLATIONS = [
    (b"\n", b""),
    (b"\0", b""),
    (b"x", b""),
    (b"GET jdoe@ubuntu.com\n", b""),
    (b"getjdoe@ubuntu.com\n", b""),
    (b"delete jdoe@ubuntu.com\n", b""),
    (b"get a%2\n", b""),
    (b"get a%zz\n", b""),
    (b"get a%00b\n", b""),
    (b"get a b\n", b""),
    (b"get a\tb\n", b""),
    (b"get \xff\n", b""),
    (b"get " + b"x" * 10001 + b"\n", b""),
    (b"get " + b"%20" * 10001, b""),
    (b"26:alias jdoe@foreign.example,", b""),
    (b"GET / HTTP/1.0\r\n\r\n", b""),
    (bytes(range(255, -1, -1)) * 1000, b""),
    (GOOD + b"garbage\n", GOOD_REPLY),
    (GOOD * 300 + b"get %\n" + GOOD, GOOD_REPLY * 300),
]

ALIASES = {
    "press@ubuntu.com": ["press@target.example"],
    "team@ubuntu.com": ["one@target.example", "two@elsewhere.example"],
    # Small enough for a socketmap reply, too large for a line of 4096 bytes.
    "crowd@ubuntu.com": [f"recipient-{i}-{'x' * 40}@{'y' * 40}.target.example" for i in range(50)],
}

WITH_CACHE = [
    (b"get press@ubuntu.com\n", b"200 press@target.example\n"),
    (b"get PRESS+tag@Ubuntu.com\n", b"200 press@target.example\n"),
    (b"get team@ubuntu.com\n", b"200 one@target.example,two@elsewhere.example\n"),
    (b"get nobody@ubuntu.com\n", NOTFOUND),
    (b"get nobody@lubuntu.me\n", TEMP),
]


def setUpModule():
    if program("LPALIASD") is None:
        raise unittest.SkipTest("LPALIASD is not set")


class WithoutCache(unittest.TestCase):
    """A server that has never seen a cache; a second listener serves the map "domain"."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.domain_port = free_port()
        cls.world.listeners.append(f'tcp-table "inet:127.0.0.1:{cls.domain_port}" {{ map = domain }}')
        cls.world.write_config()
        cls.world.start_server()

    def connect(self):
        client = RawClient(self.world.tcp_port)
        self.addCleanup(client.close)
        return client

    def test_each_query_has_its_exact_reply(self):
        client = self.connect()
        for query, reply in WITHOUT_CACHE:
            with self.subTest(query=query[:100]):
                client.ask(query, reply)

    def test_the_listener_names_the_map(self):
        with RawClient(self.domain_port) as client:
            client.ask(b"get ubuntu.com\n", b"200 ubuntu.com\n")
            client.ask(b"get postmaster@ubuntu.com\n", NOTFOUND)

    def test_violations_are_refused_and_others_go_on(self):
        other = self.connect()
        for sent, answered in VIOLATIONS:
            with self.subTest(sent=sent[:60]), RawClient(self.world.tcp_port) as client:
                try:
                    client.send(sent)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it hung up before we were done, and that is fine
                client.expect(answered)
                client.expect_end()
                other.ask(GOOD, GOOD_REPLY)

    def test_byte_by_byte(self):
        client = self.connect()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for query, reply in WITHOUT_CACHE[:12]:
            for byte in query:
                client.send(bytes([byte]))
            client.expect(reply)

    def test_split_at_every_position(self):
        client = self.connect()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        both = b"get jdoe@ubuntu.com\nget postmaster@ubuntu.com\n"
        for at in range(len(both) + 1):
            client.send(both[:at])
            client.send(both[at:])
            client.expect(TEMP + ROLE)

    def test_many_requests_in_one_write(self):
        client = self.connect()
        queries = [WITHOUT_CACHE[i % 15] for i in range(1000)]
        client.send(b"".join(query for query, _ in queries))
        client.expect(b"".join(reply for _, reply in queries))

    def test_half_close(self):
        client = self.connect()
        client.send(GOOD * 500 + GOOD[:-1])
        client.socket.shutdown(socket.SHUT_WR)
        client.expect(GOOD_REPLY * 500)
        client.expect_end()


class EachMap(unittest.TestCase):
    """A listener for each map, over the members of the stand-in."""

    WANTED = {
        "alias": {"jdoe@ubuntu.com": b"200 jdoe@target.example\n", "pending@ubuntu.com": NOTFOUND,
                  "pending@kubuntu.org": TEMP, "ubuntu.com": b"200 ubuntu.com\n"},
        "domain": {"ubuntu.com": b"200 ubuntu.com\n", "jdoe@ubuntu.com": NOTFOUND},
        "recipient": {"jdoe%2Btag@ubuntu.com": b"200 OK\n", "pending@ubuntu.com": NOTFOUND,
                      "pending@kubuntu.org": TEMP, "ubuntu.com": NOTFOUND},
        "sender": {"jdoe%2Btag@ubuntu.com": b"200 jdoe\n", "pending@ubuntu.com": b"200 !nobody\n",
                   "pending@kubuntu.org": TEMP, "kim@kubuntu.org": b"200 kim\n",
                   "postmaster@ubuntu.com": NOTFOUND, "nobody@ubuntu.com": NOTFOUND},
        "access": {"pending@ubuntu.com":
                       b"200 550%205.1.1%20User%20unknown%20in%20virtual%20alias%20table\n",
                   "jdoe@ubuntu.com": NOTFOUND, "pending@kubuntu.org": NOTFOUND,
                   "nobody@ubuntu.com": NOTFOUND, "pending@foreign.example": NOTFOUND},
    }

    def test_the_listener_names_the_map(self):
        with World() as world:
            ports = {name: free_port() for name in self.WANTED}
            world.listeners += [f'tcp-table "inet:127.0.0.1:{port}" {{ map = {name} }}'
                                for name, port in ports.items()]
            world.write_config()
            world.fill()
            world.start_server()
            for name, answers in self.WANTED.items():
                with RawClient(ports[name]) as client:
                    for key, reply in answers.items():
                        with self.subTest(map=name, key=key):
                            client.ask(b"get " + key.encode() + b"\n", reply)


class WithCache(unittest.TestCase):
    """A server over static aliases: ubuntu.com is open, lubuntu.me is not."""

    @classmethod
    def setUpClass(cls):
        if program("LPALIAS") is None:
            raise unittest.SkipTest("LPALIAS is not set")
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill_static(ALIASES, opened=["ubuntu.com"])
        cls.world.start_server()

    def test_each_query_has_its_exact_reply(self):
        with RawClient(self.world.tcp_port) as client:
            for query, reply in WITH_CACHE:
                with self.subTest(query=query):
                    client.ask(query, reply)

    def test_an_answer_that_is_too_large_is_temporary_and_an_alarm(self):
        for _ in range(3):
            code, text = self.world.ask_tcp("crowd@ubuntu.com")
            self.assertEqual(code, 400)
            self.assertNotIn("@", text)
        self.assertEqual(self.world.ask("alias", "crowd@ubuntu.com"),
                         "OK " + ",".join(ALIASES["crowd@ubuntu.com"]))
        self.assertEqual(self.world.server_log().count("too large"), 1)


if __name__ == "__main__":
    tap.main()
