"""What a real Postfix makes of each kind of answer: why lpaliasd says TEMP, NOTFOUND or PERM.

A recording map plays the server here. The design leans on these verdicts: TEMP defers and never
bounces, NOTFOUND in a domain of ours refuses for good, PERM only looks worse than TEMP.
"""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from mail_sink import MailSink
from postfix_instance import PostfixInstance, postfix_group, wait_for, why_not
from recording_map import RecordingMap

SOCKET = "unix:lpalias/lookup"
SENDER = "someone@sender.example"


class AnswerCase(unittest.TestCase):
    """Postfix with a map whose answers a case sets: {(map, key): whole reply}."""

    settings = {"virtual_alias_domains": "ubuntu.com",
                "virtual_alias_maps": f"socketmap:{SOCKET}:alias"}

    @classmethod
    def setUpClass(cls):
        reason = why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        cls.mta = PostfixInstance(settings=cls.settings, sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.mta.start()

    def setUp(self):
        self.replies = {}
        self.map = RecordingMap(lambda name, key: self.replies.get((name, key), "NOTFOUND "),
                                os.path.join(self.mta.socket_directory, "lookup"),
                                postfix_group())
        self.addCleanup(self.map.stop)
        self.sink.forget()

    def answer(self, key, reply):
        """Sets the reply of the alias map for one key."""
        self.replies["alias", key] = reply

    def rcpt(self, address="jdoe@ubuntu.com"):
        """Code and enhanced code that RCPT gets."""
        reply = self.mta.rcpt(address)
        return f"{reply.code} {reply.text.split()[0]}"


class AliasMap(AnswerCase):
    """Answers of virtual_alias_maps with a literal domain list."""

    def test_found(self):
        """OK: accepted."""
        self.answer("jdoe@ubuntu.com", "OK jdoe@target.example")
        self.assertEqual(self.rcpt(), "250 2.1.5")

    def test_notfound(self):
        """NOTFOUND is final."""
        self.assertEqual(self.rcpt(), "550 5.1.1")

    def test_notfound_without_blank(self):
        """The blank after NOTFOUND may be missing."""
        self.answer("jdoe@ubuntu.com", "NOTFOUND")
        self.assertEqual(self.rcpt(), "550 5.1.1")

    def test_temp_and_timeout(self):
        """TEMP and TIMEOUT are temporary."""
        for reply in ("TEMP why", "TIMEOUT why"):
            self.answer("jdoe@ubuntu.com", reply)
            self.assertEqual(self.rcpt(), "451 4.3.0", reply)

    def test_perm(self):
        """PERM is temporary, too, but a configuration error in the eyes of Postfix."""
        self.answer("jdoe@ubuntu.com", "PERM why")
        self.assertEqual(self.rcpt(), "451 4.3.5")

    def test_temp_for_foreign(self):
        """A map that fails on foreign addresses stops the mail to others."""
        self.answer("user@foreign.example", "TEMP why")
        self.assertEqual(self.rcpt("user@foreign.example"), "451 4.3.0")

    def test_empty_value(self):
        """OK without a value is an error."""
        self.answer("jdoe@ubuntu.com", "OK ")
        self.assertEqual(self.rcpt(), "451 4.3.5")

    def test_blank_value(self):
        """OK with blanks only is accepted at RCPT and fails at DATA."""
        self.answer("jdoe@ubuntu.com", "OK   ")
        sent = self.mta.send(SENDER, ["jdoe@ubuntu.com"])
        self.assertEqual((sent.rcpt["jdoe@ubuntu.com"].code, sent.data.code), (250, 451), sent)
        self.assertTrue(sent.data.text.startswith("4.3.0"), sent)

    def test_not_utf8(self):
        """A value that is not UTF-8 is no answer."""
        self.answer("jdoe@ubuntu.com", "OK j\udcff@target.example")
        self.assertEqual(self.rcpt()[:3], "451")

    def test_cleanup_fails(self):
        """When only cleanup gets TEMP, the client hears 451 at the end of DATA; no bounce."""
        self.answer("jdoe@ubuntu.com", "OK jdoe@target.example")
        self.answer("JDoe@ubuntu.com", "TEMP why")
        sent = self.mta.send(SENDER, ["JDoe@ubuntu.com"])
        self.assertEqual(sent.rcpt["JDoe@ubuntu.com"].code, 250, sent)
        self.assertEqual(sent.data.code, 451, sent)
        self.assertTrue(sent.data.text.startswith("4.3.0"), sent)
        self.mta.wait_until_idle()
        self.assertEqual(self.sink.recipients(), [])

    def test_cycle(self):
        """Two aliases that name each other are never delivered: 451 after a thousand lookups."""
        self.answer("here@ubuntu.com", "OK there@ubuntu.com")
        self.answer("there@ubuntu.com", "OK here@ubuntu.com")
        sent = self.mta.send(SENDER, ["here@ubuntu.com"])
        self.assertEqual(sent.data.code, 451, sent)
        self.assertTrue(sent.data.text.startswith("4.6.0"), sent)
        self.assertGreater(len(self.map.questions()), 900)

    def test_hang_up_is_healed(self):
        """A server that hangs up between two questions is asked again over a new connection."""
        client = self.mta.session()
        self.addCleanup(client.close)
        client.docmd("MAIL", f"FROM:<{SENDER}>")
        self.answer("jdoe@ubuntu.com", "OK jdoe@target.example")
        self.assertEqual(client.docmd("RCPT", "TO:<jdoe@ubuntu.com>")[0], 250)
        self.map.hang_up()
        self.assertEqual(client.docmd("RCPT", "TO:<jdoe@ubuntu.com>")[0], 250)
        asked = [each for each in self.map.questions() if each.process == "smtpd"]
        self.assertEqual(len({each.connection for each in asked}), 2)

    def test_no_server(self):
        """No server at all is temporary for everybody, also in the next session."""
        self.map.stop()
        for address in ("jdoe@ubuntu.com", "nobody@ubuntu.com", "user@foreign.example"):
            self.assertEqual(self.rcpt(address), "451 4.3.0", address)


class DomainTable(AnswerCase):
    """virtual_alias_domains as a table: errors reach all mail."""

    settings = {**AnswerCase.settings, "virtual_alias_domains": f"socketmap:{SOCKET}:domain"}

    def test_temp(self):
        """TEMP for a domain is 451, whoever the recipient is."""
        self.replies["domain", "temp.example"] = "TEMP why"
        self.assertEqual(self.rcpt("user@temp.example")[:3], "451")

    def test_queued_mail_is_deferred(self):
        """Mail that is already in the queue is deferred, not bounced."""
        self.replies["domain", "ubuntu.com"] = "OK ubuntu.com"
        self.replies["domain", "failing.example"] = "TEMP why"
        self.answer("jdoe@ubuntu.com", "OK jdoe@failing.example")
        sent = self.mta.send(SENDER, ["jdoe@ubuntu.com"])
        self.assertEqual(sent.data.code, 250, sent)
        queue_id = sent.data.text.split()[-1]
        wait_for(lambda: f"{queue_id}: to=<jdoe@failing.example>" in self.mta.log(), 60,
                 "the verdict of qmgr")
        line = next(each for each in self.mta.log().splitlines()
                    if f"{queue_id}: to=<jdoe@failing.example>" in each)
        self.assertIn("status=deferred", line)
        self.assertEqual(self.sink.recipients(), [])


class DomainTableRelay(AnswerCase):
    """A client that may not relay, and a domain table that does not know the domain."""

    settings = {**AnswerCase.settings, "virtual_alias_domains": f"socketmap:{SOCKET}:domain",
                "mynetworks": "192.0.2.0/24",
                "smtpd_relay_restrictions": "reject_unauth_destination"}

    def test_notfound(self):
        """NOTFOUND for a domain of ours means "relay access denied", for good."""
        self.assertEqual(self.rcpt("jdoe@ubuntu.com"), "554 5.7.1")

    def test_temp(self):
        """TEMP does not."""
        self.replies["domain", "ubuntu.net"] = "TEMP why"
        self.assertEqual(self.rcpt("jdoe@ubuntu.net")[:3], "451")


if __name__ == "__main__":
    tap.main()
