"""What a real Postfix asks: the form, case and order of every key, against keys.golden.

A private Postfix is pointed at a socketmap server that writes down each question. The map name
is the name of the parameter, so that a question tells which parameter it came from. The server
under test is not needed here; these cases hold the ground on which it stands.

Every case uses addresses of its own, because smtpd and qmgr remember what they have resolved.
Postfix asks "*" of transport_maps every now and then; that is tested apart and not in the golden
data. With LPALIAS_WRITE_GOLDEN set, the file is written anew and every case fails once.
"""

import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from mail_sink import MailSink
from postfix_instance import PostfixInstance, postfix_group, why_not
from recording_map import RecordingMap
from sasl_standin import SaslStandIn

GOLDEN = os.path.join(HERE, "keys.golden")
WRITE = bool(os.environ.get("LPALIAS_WRITE_GOLDEN"))
SOCKET = "unix:lpalias/lookup"
DOMAINS = "ubuntu.com, kubuntu.org, ubuntu.net"

HEADER = """\
# The questions of a real Postfix, one a line: parameter, asking daemon, key.
# A section is a case of test_keys.py; a comment repeats what the client said.
# Order matters, except where the section says "by daemon": there smtpd and cleanup work at the
# same time and only the order within each daemon is fixed.
"""


def socketmap(parameter):
    """The map specification whose questions carry the name of the parameter."""
    return f"socketmap:{SOCKET}:{parameter}"


def golden_lines(text):
    """{section: [line, ...]} without comments and blank lines."""
    sections = {}
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line.strip() and not line.startswith("#"):
            current.append(line)
    return sections


def read_golden():
    """The text of keys.golden, or only its head when it is to be written."""
    if WRITE and not os.path.exists(GOLDEN):
        return HEADER
    with open(GOLDEN, encoding="utf-8") as file:
        return file.read()


def write_golden(section, comment, lines):
    """Replaces or appends one section."""
    text = read_golden()
    block = "\n".join([f"[{section}]", *(f"# {each}" for each in comment), *lines]) + "\n"
    found = re.search(rf"^\[{re.escape(section)}\]\n(?:[^\[\n].*\n)*", text, re.M)
    if found:
        text = text[:found.start()] + block + text[found.end():]
    else:
        text += "\n" + block
    with open(GOLDEN, "w", encoding="utf-8") as file:
        file.write(text)


class KeysCase(unittest.TestCase):
    """One Postfix configuration; its cases send mail and compare the questions."""

    settings = {}
    answers = {}

    @classmethod
    def setUpClass(cls):
        reason = why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        settings = {"virtual_alias_domains": DOMAINS,
                    "virtual_alias_maps": socketmap("virtual_alias_maps"),
                    "recipient_delimiter": "+", **cls.settings}
        cls.mta = PostfixInstance(settings=settings, sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.asked = RecordingMap(cls.answers, os.path.join(cls.mta.socket_directory, "lookup"),
                                 postfix_group())
        cls.addClassCleanup(cls.asked.stop)
        cls.mta.start()

    def setUp(self):
        self.said = []
        self.mark = len(self.asked.questions())
        # A sender that nobody has resolved yet.
        self.sender = f"s@{self.case()[1].replace('_', '-')}.sender.example"

    def case(self):
        """Class and name of the case, without "test_"."""
        name, case = self.id().split(".")[-2:]
        return name, case.removeprefix("test_")

    def mail(self, *recipients, sender=None, options=(), codes=(250,)):
        """Sends one message, waits until it has left the queue, checks the replies to RCPT."""
        sender = self.sender if sender is None else sender
        self.said.append(" ".join([f"MAIL FROM:<{sender}>", *options,
                                   *(f"RCPT TO:<{each}>" for each in recipients)]))
        sent = self.mta.send(sender, recipients, options=options)
        self.mta.wait_until_idle()
        self.assertEqual(tuple(reply.code for reply in sent.rcpt.values()), codes, sent)
        return sent

    def questions(self):
        """What was asked in this case."""
        return [each for each in self.asked.questions()[self.mark:] if each.key != "*"]

    def assert_golden(self, by_daemon=False):
        """The questions of this case are those of its golden section."""
        section = ".".join(self.case())
        questions = self.questions()
        if by_daemon:
            questions.sort(key=lambda each: each.process)
        lines = [f"{each.map:<24} {each.process:<16} {each.key}" for each in questions]
        if WRITE:
            write_golden(section, self.said + ["by daemon"] * by_daemon, lines)
            self.fail("golden data written; look at it and run again without LPALIAS_WRITE_GOLDEN")
        wanted = golden_lines(read_golden()).get(section)
        self.assertIsNotNone(wanted, f"keys.golden has no section {section}")
        self.assertEqual(lines, wanted)


class LiteralDomains(KeysCase):
    """virtual_alias_domains is a list in main.cf, as in the Ubuntu relay charms."""

    answers = {"virtual_alias_maps": {
        "folded@ubuntu.com": "folded@target.example",
        "Folded@Ubuntu.COM": "folded@target.example",
        "tagged+tag@ubuntu.com": "tagged+tag@target.example",
        "two@ubuntu.com": "first@target.example, second@target.example",
        "outer@ubuntu.com": "inner@kubuntu.org",
        "inner@kubuntu.org": "inner@target.example",
        "itself@ubuntu.com": "itself@ubuntu.com",
        "dot@ubuntu.com": "dot@target.example",
        "routed@ubuntu.com": "routed@target.example",
        "many@ubuntu.com": "many@target.example",
        "null@ubuntu.com": "null@target.example",
        '"a b"@ubuntu.com': "quoted@target.example",
        "plain@ubuntu.com": "plain@target.example",
        "j\u00f6e@ubuntu.com": "utf8@target.example",
        "J\u00d6e@ubuntu.com": "utf8@target.example",
    }}

    def test_case_is_folded_by_smtpd_only(self):
        """smtpd asks in lower case, cleanup in the sender's case, then cleanup asks the target."""
        self.mail("Folded@Ubuntu.COM")
        self.sink.wait_for_recipients({"folded@target.example"})
        self.assert_golden()

    def test_extension_unknown(self):
        """A tagged address is asked once, never without its extension; NOTFOUND becomes 550."""
        sent = self.mail("jdoe+tag@ubuntu.com", codes=(550,))
        self.assertTrue(sent.rcpt["jdoe+tag@ubuntu.com"].text.startswith("5.1.1"), sent)
        self.assert_golden()

    def test_extension_known(self):
        """The target of a tagged address is asked with its tag, too."""
        self.mail("tagged+tag@ubuntu.com")
        self.assert_golden()

    def test_every_target_is_asked(self):
        """cleanup asks each of several targets."""
        self.mail("two@ubuntu.com")
        self.sink.wait_for_recipients({"first@target.example", "second@target.example"})
        self.assert_golden()

    def test_result_is_asked_again(self):
        """A target in an alias domain is looked up until nothing is found."""
        self.mail("outer@ubuntu.com")
        self.sink.wait_for_recipients({"inner@target.example"})
        self.assert_golden()

    def test_identity_bounces(self):
        """An alias to itself is accepted and bounced, and cleanup asks about the bounce."""
        self.mail("itself@ubuntu.com")
        self.sink.wait_for_recipients({self.sender})
        self.assert_golden()

    def test_foreign_recipient(self):
        """Foreign recipients are asked by smtpd and cleanup."""
        self.mail("Somebody@Foreign.example")
        self.assert_golden()

    def test_null_sender(self):
        """The empty sender is never asked."""
        self.mail("null@ubuntu.com", sender="")
        self.assert_golden()

    def test_own_sender(self):
        """The sender is not asked without reject_unlisted_sender, alias or not."""
        self.mail("from-alias@foreign.example", sender="plain@ubuntu.com")
        self.assert_golden()

    def test_several_recipients(self):
        """Each recipient is asked for itself, the refused one by smtpd only."""
        self.mail("many@ubuntu.com", "nobody@ubuntu.com", "many@foreign.example",
                  codes=(250, 550, 250))
        self.assert_golden(by_daemon=True)

    def test_quoted_with_at(self):
        """smtpd asks the quoted form and then the bare one, which has two at signs."""
        self.mail('"a@b"@ubuntu.com', codes=(550,))
        self.assert_golden()

    def test_quoted_with_space(self):
        """The same with a blank; a known one is asked by cleanup in the quoted form only."""
        self.mail('"a b"@ubuntu.com')
        self.mail('"c d"@ubuntu.com', codes=(550,))
        self.assert_golden()

    def test_quoted_without_need(self):
        """Quotes that are not needed are gone before anybody asks."""
        self.mail('"plain"@ubuntu.com')
        self.assert_golden()

    def test_address_literal(self):
        """A domain literal keeps its brackets."""
        self.mail("user@[192.0.2.9]", "user@[IPv6:2001:db8::9]", codes=(250, 250))
        self.assert_golden(by_daemon=True)

    def test_percent_and_bang(self):
        """Old routing characters are not special in a domain of ours."""
        self.mail("user%other@ubuntu.com", "user!other@ubuntu.com", codes=(550, 550))
        self.assert_golden()

    def test_tag_only(self):
        """An empty local part before the delimiter arrives as it is."""
        self.mail("+tag@ubuntu.com", codes=(550,))
        self.assert_golden()

    def test_several_delimiters(self):
        """More than one delimiter: still one question."""
        self.mail("a+b+c@ubuntu.com", "double-bounce+x@ubuntu.com", codes=(550, 550))
        self.assert_golden()

    def test_trailing_dot(self):
        """One trailing dot is removed before anybody asks."""
        self.mail("dot@ubuntu.com.")
        self.assert_golden()

    def test_source_route(self):
        """A source route is removed before anybody asks."""
        self.mail("@relay.example:routed@ubuntu.com")
        self.assert_golden()

    def test_no_domain(self):
        """A bare name gets our host as domain; a bare postmaster is asked by cleanup only."""
        self.mail("user")
        self.mail("postmaster")
        self.assert_golden()

    def test_utf8_local_part(self):
        """UTF-8 arrives raw, without SMTPUTF8 too; smtpd folds beyond ASCII, cleanup does not."""
        self.mail("J\u00d6e@ubuntu.com", options=("SMTPUTF8",))
        self.mail("\u00dcnknown@ubuntu.com", codes=(550,))
        self.assert_golden()

    def test_utf8_domain(self):
        """A domain in UTF-8 is not turned into its A-label, nor an A-label into UTF-8."""
        self.mail("user@M\u00fcller.example", options=("SMTPUTF8",))
        self.mail("user@xn--mller-kva.example")
        self.assert_golden()

    def test_one_connection_a_process(self):
        """Each process keeps one connection for all it asks."""
        self.mail("one@foreign.example", "two@foreign.example", codes=(250, 250))
        for process in ("smtpd", "cleanup"):
            used = {each.connection for each in self.questions() if each.process == process}
            self.assertEqual(len(used), 1, process)


class DomainTable(KeysCase):
    """virtual_alias_domains is a table: all mail comes by."""

    settings = {"virtual_alias_domains": socketmap("virtual_alias_domains")}
    answers = {"virtual_alias_domains": {"ubuntu.com": "ubuntu.com"},
               "virtual_alias_maps": {"known@ubuntu.com": "known@target.example",
                                      "Known@Ubuntu.COM": "known@target.example"}}

    def test_one_mail(self):
        """trivial-rewrite asks sender, recipient and target domain, in lower case."""
        self.mail("Known@Ubuntu.COM")
        self.assert_golden()

    def test_foreign_mail(self):
        """Outbound mail asks as much."""
        self.mail("user@Foreign-Table.example")
        self.assert_golden()

    def test_no_parent_domains(self):
        """A subdomain is asked exactly; ubuntu.com is not asked for sub.ubuntu.com."""
        self.mail("user@Sub.Ubuntu.com")
        self.assert_golden()

    def test_literal(self):
        """A domain literal is asked in brackets and lower case."""
        self.mail("user@[192.0.2.10]", "user@[IPv6:2001:DB8::10]", codes=(250, 250))
        self.assert_golden(by_daemon=True)

    def test_utf8(self):
        """A domain in UTF-8 is asked raw and folded."""
        self.mail("user@M\u00dcller-table.example", options=("SMTPUTF8",))
        self.assert_golden()


class UnsetDomains(KeysCase):
    """virtual_alias_domains is not set: its default is $virtual_alias_maps."""

    settings = {"virtual_alias_domains": "$virtual_alias_maps"}
    answers = {"virtual_alias_maps": {"ubuntu.com": "ubuntu.com",
                                      "known@ubuntu.com": "known@target.example"}}

    def test_default(self):
        """The value used here is the default of Postfix."""
        self.assertEqual(self.mta.postconf("virtual_alias_domains", "-d"), "$virtual_alias_maps")

    def test_domains_reach_the_alias_map(self):
        """Bare domains arrive in the alias map, and an answer makes the domain ours."""
        self.mail("known@ubuntu.com")
        self.mail("unknown@ubuntu.com", codes=(550,))
        self.assert_golden()


class OtherMaps(KeysCase):
    """transport_maps and relay_recipient_maps."""

    settings = {"transport_maps": socketmap("transport_maps"),
                "relay_domains": "relayed.example",
                "relay_recipient_maps": socketmap("relay_recipient_maps")}
    answers = {"relay_recipient_maps": {"known@relayed.example": "any text"},
               "virtual_alias_maps": {"known@ubuntu.com": "Known@target-transport.example"}}

    def test_transport_foreign(self):
        """transport_maps gets full addresses in their original case, extension included."""
        self.mail("User+Tag@Foreign-Transport.example")
        self.assert_golden()

    def test_transport_alias(self):
        """It is not asked about a recipient in an alias domain, only about the target."""
        self.mail("known@ubuntu.com")
        self.assert_golden()

    def test_transport_star(self):
        """The first question of trivial-rewrite about transports is "*"."""
        self.mail("star@foreign-transport.example")
        asked = [each for each in self.asked.questions() if each.map == "transport_maps"]
        self.assertEqual({each.process for each in asked}, {"trivial-rewrite"})
        self.assertEqual(asked[0].key, "*")

    def test_relay_recipient_known(self):
        """relay_recipient_maps gets the full address in lower case, after the alias map."""
        self.mail("Known@Relayed.Example")
        self.assert_golden()

    def test_relay_recipient_unknown(self):
        """Asked once, with its extension."""
        self.mail("Unknown+Tag@Relayed.Example", codes=(550,))
        self.assert_golden()


class Restrictions(KeysCase):
    """Access maps and sender checks."""

    settings = {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": "lpalias/auth",
        "smtpd_sender_login_maps": socketmap("smtpd_sender_login_maps"),
        "smtpd_sender_restrictions": f"check_sender_access {socketmap('check_sender_access')}, "
                                     "reject_sender_login_mismatch, reject_unlisted_sender",
        "smtpd_recipient_restrictions":
            f"check_recipient_access {socketmap('check_recipient_access')}",
    }
    answers = {"smtpd_sender_login_maps": {"owned@ubuntu.com": "owner"},
               "check_recipient_access": {"gone@ubuntu.com": "550 5.1.6 has left"},
               "virtual_alias_maps": {"known@ubuntu.com": "known@target.example",
                                      "listed@ubuntu.com": "listed@target.example"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sasl = SaslStandIn(os.path.join(cls.mta.socket_directory, "auth"), postfix_group())
        cls.addClassCleanup(sasl.stop)

    def test_login(self):
        """A client that has logged in is asked about alike; owner or not decides the reply."""
        mine = self.mta.rcpt("login@foreign.example", sender="Owned@Ubuntu.COM", login="owner")
        other = self.mta.rcpt("login@foreign.example", sender="owned@ubuntu.com", login="stranger")
        self.assertEqual((mine.code, other.code), (550, 553), (mine, other))
        self.assertEqual([each.key for each in self.questions()
                          if each.map == "smtpd_sender_login_maps"], ["owned@ubuntu.com"] * 2)

    def test_order(self):
        """Sender access, sender login, sender in the alias map, recipient access, alias map."""
        self.mail("known@ubuntu.com", sender="Listed@Ubuntu.COM")
        self.assert_golden()

    def test_recipient_access(self):
        """check_recipient_access gets the full address in lower case; its text is the reply."""
        sent = self.mail("Gone@Ubuntu.COM", codes=(550,))
        self.assertIn("5.1.6", sent.rcpt["Gone@Ubuntu.COM"].text)
        self.assert_golden()

    def test_recipient_access_extension(self):
        """No parents, no bare local part, no address without its extension."""
        self.mail("Gone+Tag@Ubuntu.COM", codes=(550,))
        self.assert_golden()

    def test_sender_login_refuses_strangers(self):
        """The trap: a client that has not logged in may not use a sender that has an owner."""
        sent = self.mail("user@foreign.example", sender="Owned@Ubuntu.COM", codes=(553,))
        self.assertIn("not logged in", sent.rcpt["user@foreign.example"].text)
        self.assert_golden()

    def test_sender_extension(self):
        """The sender is asked with its extension by all three; unlisted means 550 5.1.7."""
        sent = self.mail("user@foreign.example", sender="Owned+Tag@Ubuntu.COM", codes=(550,))
        self.assertTrue(sent.rcpt["user@foreign.example"].text.startswith("5.1.7"), sent)
        self.assert_golden()

    def test_null_sender(self):
        """The null sender is "<>" for check_sender_access and unknown to the other two."""
        self.mail("user-null@foreign.example", sender="")
        self.assert_golden()

    def test_maps_share_a_connection(self):
        """smtpd uses one connection for all maps of one endpoint."""
        self.mail("known@ubuntu.com")
        asked = [each for each in self.questions() if each.process == "smtpd"]
        self.assertGreater(len({each.map for each in asked}), 3)
        self.assertEqual(len({each.connection for each in asked}), 1)


class Canonical(KeysCase):
    """canonical_maps: not for us, but somebody will point it here."""

    settings = {"canonical_maps": socketmap("canonical_maps")}
    answers = {"virtual_alias_maps": {"known@ubuntu.com": "known@target.example"}}

    def test_null_sender(self):
        """The null sender arrives as an empty key or not at all: see the golden data."""
        self.mail("known@ubuntu.com", sender="")
        self.assert_golden()


class AnyBytes(KeysCase):
    """smtputf8_enable = no: Postfix passes on what it gets."""

    settings = {"smtputf8_enable": "no"}

    def test_invalid_utf8(self):
        """Bytes that are not UTF-8 reach the map as they are."""
        sent = self.mta.send(self.sender, ["j\udcffe@ubuntu.com"])
        self.assertEqual([each.code for each in sent.rcpt.values()], [550], sent)
        self.assertEqual([(each.process, each.key) for each in self.questions()],
                         [("smtpd", "j\udcffe@ubuntu.com")])


class Proxied(KeysCase):
    """The alias map through proxymap, the way out of the chroot."""

    settings = {"virtual_alias_maps": "proxy:" + socketmap("virtual_alias_maps")}
    answers = {"virtual_alias_maps": {"known@ubuntu.com": "known@target.example",
                                      "Known@Ubuntu.COM": "known@target.example"}}

    def test_same_keys(self):
        """The keys keep their forms; all of them come from proxymap."""
        self.mail("Known@Ubuntu.COM")
        self.assert_golden()

    def test_one_connection(self):
        """smtpd and cleanup share the connection of proxymap."""
        self.mail("known@ubuntu.com")
        self.assertEqual(len({each.connection for each in self.questions()}), 1)


class GoldenFile(unittest.TestCase):
    """The file and the cases above belong together."""

    def test_every_section_has_a_case(self):
        """No section is left over from a case that is gone."""
        for section in golden_lines(read_golden()):
            name, _, case = section.partition(".")
            self.assertTrue(hasattr(globals().get(name), f"test_{case}"), section)


if __name__ == "__main__":
    tap.main()
