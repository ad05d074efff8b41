"""Sending as an alias: real logins (Cyrus SASL, its own password file) on the submission port of
master.cf.submission, and the map of senders behind it, as main.cf.submission has it and as
`lpalias postfix-config` prints it for the other ways.
"""

import os
import shutil
import smtplib
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import postfix_instance
import tap
from lpalias_world import World
from mail_sink import MailSink, free_port
from postfix_instance import SYSTEM_PATH, PostfixInstance, example, wait_for

NOT_OWNED = "553 5.7.1"
CANNOT_TELL = "451 4.3.0"
FOREIGN = "somebody@foreign.example"
DAY_S = 86_400
LOGINS = ("active", "other", "leaving", "paused", "banned", "gone", "press", "postmaster", "nobody")
PASSWORD = "a password of its own"

# (login, sender, what RCPT gets)
WANTED = [
    ("active", "active@ubuntu.com", "250"),
    ("active", "Active@Ubuntu.Com", "250"),
    ("active", "active+tag@ubuntu.com", "250"),
    ("ACTIVE", "active@ubuntu.com", "250"),  # Postfix compares logins so
    ("active", "active@kubuntu.org", "250"),
    ("other", "other@ubuntu.com", "250"),
    # Somebody else's.
    ("active", "other@ubuntu.com", NOT_OWNED),
    ("active", "other+tag@ubuntu.com", NOT_OWNED),
    ("other", "active@kubuntu.org", NOT_OWNED),
    # Not active: nobody's, not even their own.
    ("leaving", "leaving@ubuntu.com", NOT_OWNED),
    ("paused", "paused@ubuntu.com", NOT_OWNED),
    ("banned", "banned@ubuntu.com", NOT_OWNED),
    ("gone", "gone@ubuntu.com", NOT_OWNED),
    ("gone", "gone+tag@ubuntu.com", NOT_OWNED),
    ("active", "gone@ubuntu.com", NOT_OWNED),
    # Without a login.
    ("press", "press@ubuntu.com", NOT_OWNED),
    ("postmaster", "postmaster@ubuntu.com", NOT_OWNED),
    ("nobody", "nobody@ubuntu.com", NOT_OWNED),
    ("active", "active@foreign.example", NOT_OWNED),
    # Of a closed domain only what is active is known.
    ("leaving", "leaving@kubuntu.org", CANNOT_TELL),
    ("paused", "paused@kubuntu.org", CANNOT_TELL),
    ("gone", "gone@kubuntu.org", CANNOT_TELL),
    ("nobody", "nobody@kubuntu.org", CANNOT_TELL),
    # Bounces and notices have no owner.
    ("active", "", "250"),
]


def why_not():
    """A sentence why these tests cannot run, or None."""
    for name in ("saslpasswd2", "openssl"):
        if shutil.which(name, path=SYSTEM_PATH) is None:
            return f"{name} is not installed"
    return postfix_instance.why_not() or lpalias_world.why_not()


class Submission(unittest.TestCase):
    """What holds however Postfix asks: one Postfix with a submission port and port 25, one lpaliasd.
    Run once per way, below."""

    way = None  # of lpalias postfix-config; None: the shipped pieces

    @classmethod
    def setUpClass(cls):
        reason = why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        cls.port = free_port()
        cls.directory = tempfile.TemporaryDirectory(prefix="lpalias-submission-")
        cls.addClassCleanup(cls.directory.cleanup)
        printed = os.path.join(cls.directory.name, "main.cf")
        cls.mta = PostfixInstance(
            pieces=[printed] if cls.way else [example("main.cf.socketmap-unix"),
                                              example("main.cf.submission")],
            master=[example("master.cf.submission")],
            replace={"\nsubmission ": f"\n127.0.0.1:{cls.port} "},
            sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.world = World({"people": {name: {} for name in LOGINS[:6]},
                           "teams": {team: {"members": list(LOGINS[:6])}
                                     for team in ("open", "closed")}},
                          socket_directory=cls.mta.socket_directory, page_size=300)
        cls.addClassCleanup(cls.world.close)
        cls.make_states()
        cls.world.start_server()
        if cls.way:
            with open(printed, "w", encoding="utf-8") as file:
                file.write(cls.world.lpalias("postfix-config", "--way", cls.way, "--queue-directory",
                                             cls.mta.queue, "--submission").stdout)
        cls.mta.set(**cls.make_certificate(), **cls.make_logins())
        cls.mta.start()

    @classmethod
    def make_certificate(cls):
        """The parameters of a key and a certificate."""
        key, certificate = (os.path.join(cls.mta.config, name) for name in ("key.pem", "cert.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=mx.relay.example", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        return {"smtpd_tls_key_file": key, "smtpd_tls_cert_file": certificate}

    @classmethod
    def make_logins(cls):
        """The parameters of Cyrus SASL, whose password file lies inside the chroot."""
        passwords = os.path.join(cls.mta.socket_directory, "logins")
        for login in (*LOGINS, "ACTIVE"):
            subprocess.run(["saslpasswd2", "-p", "-c", "-f", passwords, "-u", "mx.relay.example",
                            login], input=PASSWORD.encode(), check=True, capture_output=True,
                           env={"PATH": SYSTEM_PATH})
        os.chmod(passwords, 0o644)
        directory = os.path.join(cls.mta.config, "sasl")
        os.mkdir(directory)
        with open(os.path.join(directory, "smtpd.conf"), "w", encoding="ascii") as file:
            file.write("pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
                       "mech_list: PLAIN\nsasldb_path: /lpalias/logins\n")
        return {"smtpd_sasl_type": "cyrus", "smtpd_sasl_path": "smtpd",
                "cyrus_sasl_config_path": directory}

    @classmethod
    def make_states(cls):
        """Brings everybody into the state of that name in both domains."""
        now_s = 0
        world = cls.world
        world.domains = {"ubuntu.com": "open", "kubuntu.org": "closed"}
        world.listeners.append(f'tcp-table "inet:127.0.0.1:{free_port()}" {{ map = sender }}')
        world.domain_keys = {domain: 'grace = "1d"' for domain in world.domains}
        world.write_config()

        def refresh_twice():
            nonlocal now_s
            for _ in range(2):
                now_s += 61
                world.lpalias("refresh", after_s=now_s)

        world.make_key()
        world.lpalias("refresh")
        for name in LOGINS[:6]:
            world.lpalias("target", "set", name, f"{name}@target.example")
        world.import_static({"press@ubuntu.com": ["press@target.example"]})
        world.lpalias("domain", "open", "ubuntu.com", "--yes")
        world.lpalias("ban", "banned", "--reason", "spam")
        world.lpalias("pause", "paused")
        for name in ("gone", "leaving"):
            for team in world.domains.values():
                world.launchpad.remove_member(team, name)
            refresh_twice()
            if name == "gone":
                now_s += 2 * DAY_S
                refresh_twice()

    def session(self, login, password=PASSWORD):
        """A session on the submission port after STARTTLS and a login."""
        client = self.mta.session(self.port)
        self.addCleanup(client.close)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client.starttls(context=context)
        client.ehlo()
        if login is not None:
            client.login(login, password)
        return client

    def rcpt(self, login, sender, recipient=FOREIGN):
        """Code and enhanced status code that RCPT gets, or only "250"."""
        client = self.session(login)
        self.assertEqual(client.docmd("MAIL", f"FROM:<{sender}>")[0], 250)
        code, text = client.docmd("RCPT", f"TO:<{recipient}>")
        client.rset()
        return "250" if code == 250 else f"{code} {text.decode().split()[0]}"

    def test_who_may_send_as_whom(self):
        for login, sender, wanted in WANTED:
            with self.subTest(login=login, sender=sender):
                self.assertEqual(self.rcpt(login, sender), wanted)

    def test_mail_is_sent(self):
        """All the way: as an alias to another's, and to somebody elsewhere."""
        self.sink.forget()
        client = self.session("active")
        client.sendmail("active+tag@ubuntu.com", [FOREIGN, "other@ubuntu.com"],
                        "Subject: test\r\n\r\ntext\r\n")
        self.mta.wait_until_idle()
        self.sink.wait_until_written()
        self.assertEqual(self.sink.recipients(), ["other@target.example", FOREIGN])
        self.assertEqual({mail.sender for mail in self.sink.messages()},
                         {"active+tag@ubuntu.com"})

    def test_a_login_is_needed(self):
        """A wrong password is refused, and without a login nothing is relayed."""
        client = self.session(None)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            client.login("active", "another password")
        client = self.session(None)
        client.docmd("MAIL", "FROM:<active@ubuntu.com>")
        self.assertEqual(client.docmd("RCPT", f"TO:<{FOREIGN}>")[0], 554)

    def test_members_mail_through_another_provider(self):
        """On port 25 a client that has not logged in may use any sender, as other providers do."""
        for sender in ("active@ubuntu.com", "gone@ubuntu.com"):
            sent = self.mta.send(sender, ["other@ubuntu.com"])
            self.assertEqual(sent.rcpt["other@ubuntu.com"].code, 250, sent)

    def test_without_cache(self):
        """Nobody can tell who owns what; a sender of no domain of ours is refused as before."""
        data = os.path.join(self.world.cache, "data.mdb")
        os.replace(data, data + ".away")
        try:
            wait_for(lambda: self.world.ask("sender", "active@ubuntu.com").startswith("TEMP"), 60,
                     "the cache to be missed")
            self.assertEqual(self.rcpt("active", "active@ubuntu.com"), CANNOT_TELL)
            self.assertEqual(self.rcpt("gone", "gone@ubuntu.com"), CANNOT_TELL)
            self.assertEqual(self.rcpt("active", "active@foreign.example"), NOT_OWNED)
        finally:
            os.replace(data + ".away", data)
        wait_for(lambda: self.world.ask("sender", "active@ubuntu.com") == "OK active", 60,
                 "the cache to be read again")

    def test_postfix_check(self):
        """`postfix check` finds nothing to say about the pieces."""
        self.assertEqual(self.mta.check(), [])


class ByTheExamples(Submission):
    """main.cf.socketmap-unix and main.cf.submission."""


class OverProxymap(Submission):
    """proxy:socketmap:unix:..."""
    way = "proxy"


class OverTcpTable(Submission):
    """tcp:..."""
    way = "tcp-table"


del Submission  # only its children are to run


if __name__ == "__main__":
    tap.main()
