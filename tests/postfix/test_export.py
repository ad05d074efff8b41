"""An exported table in the place of lpaliasd: the same Postfix takes, refuses and delivers the same mail
with it, and where it would not, lpalias export has said so."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import postfix_instance
import tap
from lpalias_world import World
from mail_sink import MailSink
from postfix_instance import PostfixInstance, example

SENDER = "someone@sender.example"
LISTED = ("ubuntu.com", "lubuntu.me", "edubuntu.org", "ubuntu.net")
ALIKE = [
    "jdoe@ubuntu.com", "JDoe@Ubuntu.Com", "jdoe+tag@ubuntu.com", "jdoe+a+b@ubuntu.com", "several@ubuntu.com",
    "several+tag@ubuntu.com", "press@ubuntu.com", "postmaster@ubuntu.com", "abuse@lubuntu.me",
    "pending@ubuntu.com", "pending+tag@ubuntu.com", "nobody@ubuntu.com", "nobody+tag@ubuntu.com",
    "kim@edubuntu.org", "kim@lubuntu.me", "jdoe@ubuntu.net", "jdoe+tag@ubuntu.net", "anybody@ubuntu.net",
    "anybody+tag@ubuntu.net", "postmaster@ubuntu.net",
]
# What lpalias export remarks on or calls a loss: Postfix's own way with a table.
OTHERWISE = [
    ("press+tag@ubuntu.com", {"press@target.example"}, {"press+tag@target.example"}),
    ("abuse+tag@lubuntu.me", {"alerts@operators.example"}, {"alerts+tag@operators.example"}),
    ("double+list+x@lubuntu.me", {"list@target.example"}, {"double+list+x@target.example"}),
    ("mailer-daemon@ubuntu.net", None, {"all@target.example"}),
]


class Tables(unittest.TestCase):
    """One Postfix that is asked twice: over the socket, and with an exported table."""

    @classmethod
    def setUpClass(cls):
        reason = postfix_instance.why_not() or lpalias_world.why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        cls.mta = PostfixInstance(pieces=[example("main.cf.socketmap-unix")],
                                  master=[example("master.cf.chroot")], chrooted=(),
                                  sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.world = World(socket_directory=cls.mta.socket_directory)
        cls.addClassCleanup(cls.world.close)
        cls.world.domains = {name: cls.world.domains[name] for name in LISTED}
        cls.world.domains["ubuntu.net"] += '"\n  catch-all = "all@target.example'
        cls.world.write_config()
        cls.world.fill(opened=LISTED)
        cls.world.import_static({"press@ubuntu.com": ["press@target.example"],
                                 "double@lubuntu.me": ["double@target.example"],
                                 "double+list@lubuntu.me": ["list@target.example"]})
        cls.world.start_server()
        cls.mta.start()
        cls.asked = {address: cls.outcome(address) for address in cls.addresses()}

    @staticmethod
    def addresses():
        return [*ALIKE, *(address for address, *_ in OTHERWISE)]

    @classmethod
    def outcome(cls, address):
        """Who gets a mail to the address; None: it is refused as unknown."""
        cls.sink.forget()
        sent = cls.mta.send(SENDER, [address])
        reply = sent.rcpt[address]
        if reply.code != 250:
            assert reply.text.startswith("5.1.1 "), reply
            return None
        assert sent.data.code == 250, sent
        cls.mta.wait_until_idle()
        cls.sink.wait_until_written()
        return {recipient for mail in cls.sink.messages() for recipient in mail.recipients}

    def test_mail_goes_the_same_way_by_either_table(self):
        path = os.path.join(self.mta.config, "exported")
        refused = self.world.lpalias("export", "--format", "lmdb", "-o", path, status=1).stderr
        self.assertIn("lubuntu.me, 1 name(s): the name holds a delimiter", refused)
        self.assertEqual(refused.count("name(s)"), 1, refused)
        for form, kind in [("lmdb", "lmdb"), ("text", "texthash")]:
            said = self.world.lpalias("export", "--format", form, "-o", path, "--lossy").stderr
            self.assertIn("drops an extension of a role or static address", said)
            self.assertIn("double-bounce and mailer-daemon", said)
            self.mta.set(virtual_alias_maps=f"{kind}:{path}")
            self.mta.reload()
            for address in ALIKE:
                with self.subTest(table=kind, address=address):
                    self.assertEqual(self.outcome(address), self.asked[address])
            for address, ours, theirs in OTHERWISE:
                with self.subTest(table=kind, address=address):
                    self.assertEqual((self.asked[address], self.outcome(address)), (ours, theirs))
        self.assertEqual(self.asked["several+tag@ubuntu.com"],
                         {"one+tag@target.example", "two+tag@target.example", "three+tag@elsewhere.example"})
        self.assertIsNone(self.asked["pending@ubuntu.com"])


if __name__ == "__main__":
    tap.main()
