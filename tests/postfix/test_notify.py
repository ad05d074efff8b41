"""Notices to a real Postfix: TLS against an authority of our own, logins, an answer a recipient.

The certificates are made by openssl for this run; the log of Postfix says what came over TLS and
who was logged in.
"""

import json
import os
import shutil
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
from postfix_instance import PostfixInstance, postfix_group
from sasl_standin import SaslStandIn

DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"
ADMINS = "admins@operators.example"
SECRET = "a-secret-word"
MASTER = """\
tlsmgr unix - - n 1000? 1 tlsmgr
127.0.0.1:{smtps_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
"""


def openssl(*arguments, cwd):
    """Runs openssl, quietly."""
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True, timeout=60)


def make_certificates(directory):
    """ca.pem, other.pem (an authority that signed nothing), server.pem with its key, for 127.0.0.1
    and localhost."""
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                f"/CN={name} of the test", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                cwd=directory)
    with open(os.path.join(directory, "names"), "w", encoding="ascii") as file:
        file.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout",
            "server.key", "-out", "server.csr", cwd=directory)
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.pem",
            cwd=directory)


class PostfixCase(unittest.TestCase):
    """A Postfix with its own settings, all mail goes into a sink; two notices in the outbox."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        reason = postfix_instance.why_not() or lpalias_world.why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.certificates = tempfile.mkdtemp(prefix="lpalias-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.certificates, ignore_errors=True)
        make_certificates(cls.certificates)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        cls.smtps_port = free_port()
        master = os.path.join(cls.certificates, "master")
        with open(master, "w", encoding="ascii") as file:
            file.write(MASTER.format(smtps_port=cls.smtps_port))
        cls.mta = PostfixInstance(
            settings={"smtpd_tls_cert_file": cls.certificate("server.pem"),
                      "smtpd_tls_key_file": cls.certificate("server.key"),
                      "smtpd_tls_loglevel": "1", **cls.settings},
            master=[master], chrooted=(), sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.prepare()
        cls.mta.start()

    @classmethod
    def prepare(cls):
        """What a class needs besides, before Postfix starts."""

    @classmethod
    def certificate(cls, name):
        """The path of one of the files of make_certificates."""
        return os.path.join(cls.certificates, name)

    def setUp(self):
        people = {"people": {"jdoe": {}, "kim": {}}, "teams": {TEAM: {"members": ["jdoe", "kim"]}}}
        self.world = World(people, page_size=300)
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: TEAM}
        self.world.domain_keys = {DOMAIN: f'notices = {{ "{ADMINS}" }}'}
        self.use(f"smtp://127.0.0.1:{self.sink.port}")
        self.world.make_key()
        self.world.lpalias("refresh", "-q")
        self.world.lpalias("domain", "open", DOMAIN, "--yes")
        self.world.lpalias("target", "set", "jdoe", *self.targets)
        self.world.lpalias("notify", "-q")
        self.sink.wait_until_written()
        self.sink.forget()
        self.log_start = len(self.mta.log())
        self.world.launchpad.remove_member(TEAM, "jdoe")
        self.use("smtp://127.0.0.1:1")
        for after_s in (100, 200):
            self.world.lpalias("refresh", "-q", after_s=after_s)

    targets = ("jdoe@target.example",)

    def use(self, url, *lines):
        """That server in the configuration."""
        self.world.notify = [f'smtp = "{url}"', 'timeout = "20s"', *lines]
        self.world.write_config()

    def password(self, text=SECRET):
        """The two lines of a login."""
        path = os.path.join(self.world.directory, "password")
        with open(path, "w", encoding="ascii") as file:
            file.write(text + "\nanother line\n")
        os.chmod(path, 0o600)
        return 'user = "robot"', f'password-file = "{path}"'

    def log(self):
        """What Postfix has said since setUp."""
        return self.mta.log()[self.log_start:]

    def kinds(self):
        """Of all that waits."""
        listed = json.loads(self.world.lpalias("notify", "--list", "--json").stdout)
        return sorted({each["kind"] for each in listed})

    def arrives(self):
        """All waiting notices go to the server and from there to where they belong."""
        self.world.lpalias("notify", "-q")
        self.assertEqual(self.kinds(), [])
        self.mta.wait_until_idle()
        mails = self.sink.wait_for_recipients({ADMINS, "jdoe@target.example"})
        return mails

    def does_not_leave(self, words):
        """Nothing is handed over; the command says why, and no secret."""
        before = self.kinds()
        ran = self.world.lpalias("notify", "-q", status=1)
        self.assertIn(words, ran.stderr)
        self.assertNotIn(SECRET, ran.stdout + ran.stderr)
        self.assertNotIn("target.example", ran.stderr)
        self.assertEqual(self.kinds(), before)
        self.assertEqual(self.mta.queue_ids(), [])


class Tls(PostfixCase):
    """STARTTLS as the server offers it and the configuration wants it."""

    settings = {"smtpd_tls_security_level": "may"}
    over_tls = "TLS connection established from"

    def url(self, scheme="smtp", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.mta.port if scheme == 'smtp' else self.smtps_port}"

    def test_may_uses_what_is_offered(self):
        """A certificate that nobody knows is better than none, where clear text would do."""
        self.use(self.url())
        self.arrives()
        self.assertIn(self.over_tls, self.log())

    def test_never(self):
        self.use(self.url(), "starttls = never")
        self.arrives()
        self.assertNotIn(self.over_tls, self.log())

    def test_must_with_the_right_authority(self):
        self.use(self.url(), "starttls = must", f'ca-file = "{self.certificate("ca.pem")}"')
        self.arrives()
        self.assertIn(self.over_tls, self.log())

    def test_must_with_another_authority(self):
        self.use(self.url(), "starttls = must", f'ca-file = "{self.certificate("other.pem")}"')
        self.does_not_leave("certificate")

    def test_must_with_the_authorities_of_the_system(self):
        self.use(self.url(), "starttls = must")
        self.does_not_leave("certificate")

    def test_may_with_an_authority_checks(self):
        self.use(self.url(), f'ca-file = "{self.certificate("other.pem")}"')
        self.does_not_leave("certificate")

    def test_smtps(self):
        self.use(self.url("smtps"), f'ca-file = "{self.certificate("ca.pem")}"')
        self.arrives()
        self.assertIn(self.over_tls, self.log())

    def test_smtps_checks(self):
        self.use(self.url("smtps"))
        self.does_not_leave("certificate")


class NoTls(PostfixCase):
    """A server that knows no TLS."""

    settings = {"smtpd_tls_security_level": "none"}

    def test_may(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}")
        self.arrives()

    def test_must(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}", "starttls = must")
        self.does_not_leave("STARTTLS")


class Login(PostfixCase):
    """Only who logs in may relay."""

    settings = {
        "smtpd_tls_security_level": "may",
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": "lpalias/auth",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    }

    @classmethod
    def prepare(cls):
        sasl = SaslStandIn(os.path.join(cls.mta.socket_directory, "auth"), postfix_group(), SECRET)
        cls.addClassCleanup(sasl.stop)

    def test_over_tls(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}", "starttls = must",
                 f'ca-file = "{self.certificate("ca.pem")}"', *self.password())
        self.arrives()
        self.assertIn("sasl_username=robot", self.log())
        self.assertNotIn(SECRET, self.log())

    def test_in_clear_on_this_machine(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}", "starttls = never", *self.password())
        self.arrives()
        self.assertIn("sasl_username=robot", self.log())

    def test_with_a_wrong_password(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}", *self.password("another-word"))
        self.does_not_leave("the server answered 535 5.7.8 to the login")

    def test_without_a_login(self):
        """The server refuses each recipient: kept, and tried again tomorrow."""
        self.use(f"smtp://127.0.0.1:{self.mta.port}")
        ran = self.world.lpalias("notify", "--json", status=4)
        self.assertEqual(json.loads(ran.stdout)["refused"], 2)
        self.assertEqual(self.kinds(), ["leaving"])

    def test_never_in_clear_to_another_machine(self):
        self.use(f"smtp://mail.elsewhere.example:{self.mta.port}", "starttls = never",
                 *self.password())
        self.does_not_leave("in clear")


class Recipients(PostfixCase):
    """Each recipient has its own answer, and gets its one mail."""

    targets = ("jdoe@target.example", "refused@target.example", "later@target.example")
    settings = {
        "smtpd_recipient_restrictions": "check_recipient_access inline:{"
                                        "{refused@target.example = 550 5.1.1 no},"
                                        "{later@target.example = 450 4.2.1 later}}",
    }

    def test_one_is_refused_and_one_deferred(self):
        self.use(f"smtp://127.0.0.1:{self.mta.port}")
        ran = self.world.lpalias("notify", "--json")
        self.assertEqual(json.loads(ran.stdout)["mails"], 2)
        self.assertRegex(ran.stderr, "the server answered (550 5.1.1|450 4.2.1) to the recipient")
        self.assertNotIn("@", ran.stderr)
        self.mta.wait_until_idle()
        self.sink.wait_for_recipients({ADMINS, "jdoe@target.example"})
        self.world.lpalias("notify", "-q", after_s=3600)
        self.mta.wait_until_idle()
        self.sink.wait_until_written()
        self.assertEqual(self.sink.recipients(), [ADMINS, "jdoe@target.example"])
        self.assertEqual(self.kinds(), ["leaving"])


if __name__ == "__main__":
    tap.main()
