"""lpaliasd's socketmap on the wire: exact replies, what is refused, and any way to cut the bytes."""

import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import ALERTS, World, program
from raw_client import RawClient
from recording_map import netstring

TEMP = b"TEMP lpalias cannot tell now"
NOTFOUND = b"NOTFOUND "
PERM = b"PERM no such map"
ROLE = b"OK " + ALERTS.encode()

# There is no cache: what is ours is TEMP, unless the configuration alone can say.
WITHOUT_CACHE = [
    (b"alias jdoe@ubuntu.com", TEMP),
    (b"alias JDoe@Ubuntu.COM", TEMP),
    (b"alias jdoe+tag@ubuntu.com", TEMP),
    (b"alias +tag@ubuntu.com", TEMP),
    (b"alias user%other@ubuntu.com", TEMP),
    ("alias jürgen@ubuntu.com".encode(), TEMP),
    (b"alias postmaster@ubuntu.com", ROLE),
    (b"alias Abuse+tag@kubuntu.org", ROLE),
    (b"alias ubuntu.com", b"OK ubuntu.com"),
    (b"alias UBUNTU.com", b"OK ubuntu.com"),
    (b"domain ubuntu.com", b"OK ubuntu.com"),
    (b"domain Ubuntu.COM", b"OK ubuntu.com"),
    (b"recipient jdoe@ubuntu.com", TEMP),
    (b"recipient postmaster@ubuntu.com", b"OK OK"),
    (b"recipient ubuntu.com", NOTFOUND),
    (b"sender jdoe@ubuntu.com", TEMP),
    (b"sender JDoe+tag@Ubuntu.com", TEMP),
    (b"sender postmaster@ubuntu.com", NOTFOUND),
    (b"sender ubuntu.com", NOTFOUND),
    (b"access jdoe@ubuntu.com", NOTFOUND),
    (b"access postmaster@ubuntu.com", NOTFOUND),
    (b"access ubuntu.com", NOTFOUND),
    # Foreign.
    (b"recipient jdoe@foreign.example", NOTFOUND),
    (b"sender jdoe@foreign.example", NOTFOUND),
    (b"access jdoe@foreign.example", NOTFOUND),
    (b"alias jdoe@foreign.example", NOTFOUND),
    (b"alias postmaster@foreign.example", NOTFOUND),
    (b"alias jdoe@mail.ubuntu.com", NOTFOUND),
    (b"alias jdoe@ubuntu.com.foreign.example", NOTFOUND),
    (b"alias foreign.example", NOTFOUND),
    (b"domain foreign.example", NOTFOUND),
    (b"domain mail.ubuntu.com", NOTFOUND),
    ("alias jdoe@bücher.example".encode(), NOTFOUND),
    # Odd keys that Postfix is known to send.
    (b"alias ", NOTFOUND),
    (b"domain ", NOTFOUND),
    (b"alias *", NOTFOUND),
    (b"alias <>", NOTFOUND),
    (b"alias postmaster", NOTFOUND),
    (b'alias "a b"@ubuntu.com', NOTFOUND),
    (b"alias a b@ubuntu.com", NOTFOUND),
    (b'alias "a@b"@ubuntu.com', NOTFOUND),
    (b"alias a@b@ubuntu.com", NOTFOUND),
    (b"alias user@[192.0.2.9]", NOTFOUND),
    (b"domain [192.0.2.9]", NOTFOUND),
    (b"alias user@[IPv6:2001:db8::1]", NOTFOUND),
    (b"alias @ubuntu.com", NOTFOUND),
    (b"alias jdoe@", NOTFOUND),
    (b"alias @", NOTFOUND),
    (b"alias  ", NOTFOUND),
    (b"alias jdoe@ubuntu.com ", NOTFOUND),
    (b"domain jdoe@ubuntu.com", NOTFOUND),
    (b"alias \xff\xfe@ubuntu.com", NOTFOUND),
    (b"alias a\0b@ubuntu.com", NOTFOUND),
    (b"alias a\nb@ubuntu.com", NOTFOUND),
    (b"alias .dot@ubuntu.com", NOTFOUND),
    (b"alias " + b"x" * 1000 + b"@ubuntu.com", NOTFOUND),
    (b"alias " + b"x" * (10000 - len(b"alias @ubuntu.com")) + b"@ubuntu.com", NOTFOUND),
    # Maps that there are not.
    (b"virtual jdoe@ubuntu.com", PERM),
    (b"ALIAS jdoe@ubuntu.com", PERM),
    (b"aliases jdoe@ubuntu.com", PERM),
    (b"senders jdoe@ubuntu.com", PERM),
    (b"Access jdoe@ubuntu.com", PERM),
    (b"policy jdoe@ubuntu.com", PERM),
    (b"alia jdoe@ubuntu.com", PERM),
    (b" jdoe@ubuntu.com", PERM),
    (b"\xff\0 jdoe@ubuntu.com", PERM),
]

ALIASES = {
    "press@ubuntu.com": ["press@target.example"],
    "team@ubuntu.com": ["one@target.example", "two@elsewhere.example"],
    "with+plus@ubuntu.com": ["plus@target.example"],
    "press@lubuntu.me": ["lubuntu@target.example"],
}

WITH_CACHE = [
    (b"alias press@ubuntu.com", b"OK press@target.example"),
    (b"alias PRESS@ubuntu.COM", b"OK press@target.example"),
    (b"alias press+tag@ubuntu.com", b"OK press@target.example"),
    (b"alias team@ubuntu.com", b"OK one@target.example,two@elsewhere.example"),
    (b"alias with+plus@ubuntu.com", b"OK plus@target.example"),
    (b"alias with+plus+tag@ubuntu.com", b"OK plus@target.example"),
    (b"alias with@ubuntu.com", NOTFOUND),
    (b"alias nobody@ubuntu.com", NOTFOUND),
    (b"alias +press@ubuntu.com", NOTFOUND),
    (b"alias press@foreign.example", NOTFOUND),
    # Not opened: what is there is served, and nothing is known to be absent.
    (b"alias press@lubuntu.me", b"OK lubuntu@target.example"),
    (b"alias nobody@lubuntu.me", TEMP),
    (b"alias postmaster@ubuntu.com", ROLE),
    (b"alias ubuntu.com", b"OK ubuntu.com"),
    (b"domain lubuntu.me", b"OK lubuntu.me"),
    (b"recipient press+tag@ubuntu.com", b"OK OK"),
    (b"recipient nobody@ubuntu.com", NOTFOUND),
    (b"recipient nobody@lubuntu.me", TEMP),
    (b"sender press@ubuntu.com", NOTFOUND),
    (b"sender nobody@ubuntu.com", NOTFOUND),
    (b"sender nobody@lubuntu.me", TEMP),
    (b"access press@ubuntu.com", NOTFOUND),
    (b"access nobody@ubuntu.com", NOTFOUND),
    (b"access nobody@lubuntu.me", NOTFOUND),
]

# (what is sent, what is answered before the server hangs up)
GOOD = netstring(b"alias jdoe@foreign.example")
GOOD_REPLY = netstring(NOTFOUND)
VIOLATIONS = [
    (b"x", b""),
    (b":", b""),
    (b",", b""),
    (b" 3:a b,", b""),
    (b"\n", b""),
    (b"\0", b""),
    (b"-1:a b,", b""),
    (b"+3:a b,", b""),
    (b"03:a b,", b""),
    (b"3;a b,", b""),
    (b"3 :a b,", b""),
    (b"3:a b;", b""),
    (b"3:a bc,", b""),
    (b"0:,", b""),
    (b"5:alias,", b""),
    (b"10001:", b""),
    (b"99999999999999999999999999999999", b""),
    (b"GET / HTTP/1.0\r\n\r\n", b""),
    (b"get jdoe@ubuntu.com\n", b""),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
    (bytes(range(255, -1, -1)) * 1000, b""),
    (GOOD + b"garbage", GOOD_REPLY),
    (GOOD * 300 + b"3:a b;" + GOOD, GOOD_REPLY * 300),
]


def setUpModule():
    if program("LPALIASD") is None:
        raise unittest.SkipTest("LPALIASD is not set")


class WithoutCache(unittest.TestCase):
    """A server that has never seen a cache."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.start_server()

    def connect(self):
        client = RawClient(self.world.socket_path)
        self.addCleanup(client.close)
        return client

    def test_each_query_has_its_exact_reply(self):
        client = self.connect()
        for query, reply in WITHOUT_CACHE:
            with self.subTest(query=query[:100]):
                client.ask(netstring(query), netstring(reply))

    def test_the_same_over_inet(self):
        with RawClient(self.world.inet_port) as client:
            for query, reply in WITHOUT_CACHE:
                client.ask(netstring(query), netstring(reply))

    def test_violations_are_refused_and_others_go_on(self):
        other = self.connect()
        for sent, answered in VIOLATIONS:
            with self.subTest(sent=sent[:60]), RawClient(self.world.socket_path) as client:
                try:
                    client.send(sent)
                except BrokenPipeError:
                    pass  # it hung up before we were done, and that is fine
                client.expect(answered)
                client.expect_end()
                other.ask(GOOD, GOOD_REPLY)

    def test_violations_over_inet(self):
        for sent, answered in VIOLATIONS:
            with self.subTest(sent=sent[:60]), RawClient(self.world.inet_port) as client:
                try:
                    client.send(sent)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                client.expect(answered)
                client.expect_end()

    def test_byte_by_byte(self):
        client = self.connect()
        for query, reply in WITHOUT_CACHE[:12]:
            for byte in netstring(query):
                client.send(bytes([byte]))
            client.expect(netstring(reply))

    def test_split_at_every_position(self):
        client = self.connect()
        both = netstring(b"alias jdoe@ubuntu.com") + netstring(b"alias postmaster@ubuntu.com")
        for at in range(len(both) + 1):
            client.send(both[:at])
            client.send(both[at:])
            client.expect(netstring(TEMP) + netstring(ROLE))

    def test_many_requests_in_one_write(self):
        client = self.connect()
        queries = [WITHOUT_CACHE[i % 20] for i in range(1000)]
        client.send(b"".join(netstring(query) for query, _ in queries))
        client.expect(b"".join(netstring(reply) for _, reply in queries))

    def test_a_client_that_reads_only_at_the_end_gets_everything(self):
        """More replies than any socket holds: the server waits, and loses nothing."""
        client = self.connect()
        request, reply = netstring(b"alias postmaster@ubuntu.com"), netstring(ROLE)
        count = 100_000
        writer = threading.Thread(target=client.send, args=(request * count,))
        writer.start()
        time.sleep(0.5)
        self.assertTrue(writer.is_alive(), "all of it fitted: this tests nothing")
        client.expect(reply * count)
        writer.join()

    def test_half_close(self):
        client = self.connect()
        client.send(GOOD * 500 + GOOD[:-3])
        client.socket.shutdown(socket.SHUT_WR)
        client.expect(GOOD_REPLY * 500)
        client.expect_end()

    def test_a_client_that_vanishes_harms_nobody(self):
        for data in (b"", GOOD[:5], GOOD, GOOD * 1000):
            client = RawClient(self.world.socket_path)
            client.send(data)
            client.close()
        self.connect().ask(GOOD, GOOD_REPLY)

    def test_lookups_stand_in_the_log_at_debug_level_only(self):
        self.connect().ask(netstring(b"alias secret-person@ubuntu.com"), netstring(TEMP))
        self.assertNotIn("secret-person", self.world.server_log())


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
        with RawClient(self.world.socket_path) as client:
            for query, reply in WITH_CACHE:
                with self.subTest(query=query):
                    client.ask(netstring(query), netstring(reply))

    def test_many_requests_in_one_write(self):
        queries = [WITH_CACHE[i % len(WITH_CACHE)] for i in range(5000)]
        with RawClient(self.world.socket_path) as client:
            client.send(b"".join(netstring(query) for query, _ in queries))
            client.expect(b"".join(netstring(reply) for _, reply in queries))


if __name__ == "__main__":
    tap.main()
