"""Logs in with src/openid at the stand-in Ubuntu One, whose signatures are python3-openid's.

Each attack is refused for its own reason, and beside each an honest login of the same person, in the same
run and at the same stand-in, is accepted. The probe is the library with nothing around it.
"""

import http.client
import os
import secrets
import subprocess
import sys
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, os.pardir, "lib")
sys.path.insert(0, LIB)

import tap  # noqa: E402

try:
    from ubuntu_one_standin import FAULTS, UbuntuOneStandIn, bring  # noqa: E402

    MISSING = None
except ImportError as error:
    FAULTS, MISSING = {}, f"python3-openid cannot be imported: {error}"

PROBE = os.environ["OPENID_PROBE"]
RETURN_TO = "https://portal.example/login/return"
STATE = "c3RhdGUtb2YtdGhpcy1icm93c2Vy"
TEAMS = ["ubuntumembers", "kubuntu-members", "lubuntu-members"]
ACCOUNTS = {"accounts": {
    "ann": {"id": "AbC1234", "email": "ann@people.example", "fullname": "Ann Ærø & Sønn",
            "teams": ["ubuntumembers", "lubuntu-members", "another-team"]},
    "bob": {"id": "b0b_-99"},
    "long": {"id": "Long123", "fullname": "Long " + "ł" * 400},
    "noprofile": {"id": "nopro12", "nickname": None},
    "unproven": {"id": "unpro12", "verified": False},
    "mailless": {"id": "maille1", "email": None},
}}
ANN = {"nickname": "ann", "email": "ann@people.example", "fullname": "Ann Ærø & Sønn", "verified": "yes",
       "teams": "ubuntumembers,lubuntu-members"}

# What each fault of an assertion comes to: the reason, and whether the provider was asked first.
BEFORE, AFTER = "before", "after the provider was asked"
REASONS = {
    "foreign-endpoint": ("endpoint", BEFORE),
    "longer-endpoint": ("endpoint", BEFORE),
    "claimed-id-other-host": ("claimed-id", BEFORE),
    "claimed-id-longer-host": ("claimed-id", BEFORE),
    "claimed-id-user-info": ("claimed-id", BEFORE),
    "claimed-id-other-path": ("claimed-id", BEFORE),
    "claimed-id-dot-segments": ("claimed-id", BEFORE),
    "claimed-id-look-alike": ("claimed-id", BEFORE),
    "claimed-id-fragment": ("claimed-id", BEFORE),
    "claimed-id-empty": ("claimed-id", BEFORE),
    "identity-differs": ("claimed-id", BEFORE),
    "return-to-altered": ("return-to", BEFORE),
    "return-to-other-host": ("return-to", BEFORE),
    "return-to-more": ("return-to", BEFORE),
    "nonce-old": ("nonce-time", AFTER),
    "nonce-future": ("nonce-time", AFTER),
    "nonce-malformed": ("nonce-form", AFTER),
    "unsigned-nonce": ("unsigned", BEFORE),
    "unsigned-claimed-id": ("unsigned", BEFORE),
    "unsigned-identity": ("unsigned", BEFORE),
    "unsigned-return-to": ("unsigned", BEFORE),
    "unsigned-endpoint": ("unsigned", BEFORE),
    "unsigned-sreg": ("unsigned-attribute", BEFORE),
    "unsigned-sreg-values": ("unsigned-attribute", BEFORE),
    "unsigned-sreg-namespace": ("unsigned-attribute", BEFORE),
    "unsigned-ax": ("unsigned-attribute", BEFORE),
    "unsigned-teams": ("unsigned-attribute", BEFORE),
    "other-version": ("version", BEFORE),
    "added-nickname": ("signature", AFTER),
    "added-alias": ("unsigned-attribute", BEFORE),
    "tampered-nickname": ("signature", AFTER),
    "tampered-claimed-id": ("signature", AFTER),
    "reordered-signed": ("signature", AFTER),
    "signed-absent": ("missing", BEFORE),
    "duplicate-nickname": ("duplicate", BEFORE),
    "duplicate-claimed-id": ("duplicate", BEFORE),
    "line-break": ("control-byte", BEFORE),
    "no-signature": ("missing", BEFORE),
    "other-signature": ("signature", AFTER),
    "error": ("provider-error", BEFORE),
    "other-state": ("state", BEFORE),
    "no-state": ("state", BEFORE),
    "fields-in-query": ("duplicate", BEFORE),
    "replayed-answer": ("return-to", BEFORE),
    "verification-false": ("signature", AFTER),
    "verification-garbage": ("cannot-verify", AFTER),
    "verification-both": ("cannot-verify", AFTER),
    "verification-cut": ("cannot-verify", AFTER),
    "verification-empty": ("cannot-verify", AFTER),
    "verification-server-error": ("cannot-verify", AFTER),
    "verification-bad-request": ("cannot-verify", AFTER),
    "verification-redirect": ("cannot-verify", AFTER),
    "verification-hangs": ("cannot-verify", AFTER),
    "verification-closed": ("cannot-verify", AFTER),
}
# Accepted, or ended without blame; each has a case of its own below.
OTHER = {"no-nickname", "no-email", "no-teams", "empty-teams", "email-unverified", "cancel", "setup-needed",
         "by-post", "by-get", "nonce-replayed", "verification-slow"}


class Probe:
    """One process of the probe; a line in, a line out."""

    def __init__(self, mode):
        self.process = subprocess.Popen([PROBE, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, **fields):
        self.process.stdin.write(urllib.parse.urlencode(fields).encode() + b"\n")
        self.process.stdin.flush()
        return dict(urllib.parse.parse_qsl(self.process.stdout.readline().decode().rstrip("\n"),
                                           keep_blank_values=True, strict_parsing=True))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        status = self.process.wait(10)
        self.process.stdout.close()
        if status != 0 and exception[0] is None:
            raise AssertionError(f"the probe ended with {status}")


@unittest.skipIf(MISSING, MISSING)
class Logins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not MISSING:
            cls.standin = UbuntuOneStandIn(ACCOUNTS).start()
            cls.addClassCleanup(cls.standin.stop)

    def setUp(self):
        self.standin.reset()
        self.nonces = set()

    def request_url(self, state=STATE):
        with Probe("request") as probe:
            return probe.ask(endpoint=self.standin.endpoint, return_to=RETURN_TO, realm="https://portal.example/",
                             state=state, teams=",".join(TEAMS))["url"]

    def post(self, body):
        """Asks the provider, once; a reply that does not come within a second has status 0."""
        parts = urllib.parse.urlsplit(self.standin.endpoint)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=1)
        try:
            connection.request("POST", parts.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
            response = connection.getresponse()
            return {"status": response.status, "reply": response.read().decode()}
        except (OSError, http.client.HTTPException):
            return {"status": 0, "reply": ""}
        finally:
            connection.close()

    def judge(self, brought, state=STATE):
        """Judges what a browser has brought; the keeper of nonces, of which there is one, is us."""
        url, _, query = brought.url.partition("?")
        fields = {"endpoint": self.standin.endpoint, "identifiers": self.standin.identifiers,
                  "return_to": RETURN_TO, "state": state, "url": url, "query": query}
        if brought.method == "POST":
            fields["body"] = urllib.parse.urlencode(brought.fields)
        with Probe("answer") as probe:
            result = probe.ask(**fields)
            if result["verdict"] == "pending":
                result.update(probe.ask(**self.post(result["verification"]), now_s=int(time.time())))
        if result["reason"] == "none" and result["verdict"] == "pending":
            if result["nonce"] in self.nonces:
                result["reason"] = "nonce-used"
            self.nonces.add(result["nonce"])
        return result

    def log_in(self, account="ann"):
        state = secrets.token_urlsafe(16)
        return self.judge(bring(self.request_url(state), account), state)

    def assert_accepted(self, result, wanted=None):
        self.assertEqual(("pending", "none"), (result["verdict"], result["reason"]), result["text"])
        for name, value in (ANN if wanted is None else wanted).items():
            self.assertEqual(value, result.get(name), name)

    # -- honest ------------------------------------------------------------------------------------------------

    def test_every_fault_is_looked_at(self):
        self.assertEqual(set(FAULTS), set(REASONS) | OTHER)
        self.assertFalse(set(REASONS) & OTHER)

    def test_by_get(self):
        brought = bring(self.request_url(), "ann")
        self.assertEqual("GET", brought.method)
        result = self.judge(brought)
        self.assert_accepted(result)
        self.assertEqual(self.standin.identifiers + "AbC1234", result["claimed_id"])
        self.assertEqual(1, self.standin.count("check_authentication"))

    def test_by_post(self):
        self.standin.add_fault("by-post")
        brought = bring(self.request_url(), "ann")
        self.assertEqual("POST", brought.method)
        self.assert_accepted(self.judge(brought))

    def test_a_long_answer_comes_by_post(self):
        brought = bring(self.request_url(), "long")
        self.assertEqual("POST", brought.method)
        self.assert_accepted(self.judge(brought), {"nickname": "long", "fullname": "Long " + "ł" * 400})
        self.standin.add_fault("by-get")
        self.assert_accepted(self.log_in("long"), {"nickname": "long", "fullname": "Long " + "ł" * 400})

    def test_the_page_of_a_browser(self):
        """Through the page with its buttons, as a person goes."""
        parts = urllib.parse.urlsplit(self.request_url())
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        self.addCleanup(connection.close)

        def ask(method, path, body=None):
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.headers.get("Location"), response.read().decode()

        status, decide, _ = ask("GET", f"{parts.path}?{parts.query}")
        self.assertEqual(303, status)
        self.assertIn('<button name="account" value="ann">', ask("GET", decide)[2])
        status, location, _ = ask("POST", decide, "account=ann")
        self.assertEqual(302, status)
        url, _, query = location.partition("?")
        with Probe("answer") as probe:
            result = probe.ask(endpoint=self.standin.endpoint, identifiers=self.standin.identifiers,
                               return_to=RETURN_TO, state=STATE, url=url, query=query)
        self.assertEqual("pending", result["verdict"])
        self.assertEqual(400, ask("POST", decide, "account=ann")[0], "a request is answered once")

    def test_less_than_was_asked_for(self):
        teams = "ubuntumembers,lubuntu-members"
        for fault, account, wanted in (
                (None, "noprofile", {"nickname": None, "teams": None, "verified": "yes"}),
                (None, "unproven", {"nickname": "unproven", "verified": "no"}),
                (None, "mailless", {"email": None, "verified": None, "nickname": "mailless"}),
                (None, "bob", {"nickname": "bob", "teams": ""}),
                ("no-nickname", "ann", {**ANN, "nickname": None}),
                ("no-email", "ann", {**ANN, "email": None}),
                ("empty-teams", "ann", {**ANN, "teams": ""}),
                ("no-teams", "ann", {**ANN, "teams": None}),
                ("email-unverified", "ann", {**ANN, "verified": "no"}),
                (None, "ann", {**ANN, "teams": teams})):
            with self.subTest(fault=fault, account=account):
                self.standin.clear_faults()
                if fault:
                    self.standin.add_fault(fault)
                self.assert_accepted(self.log_in(account), wanted)

    def test_an_end_without_blame(self):
        self.assertEqual("cancelled", self.log_in("")["verdict"])
        for fault, verdict in (("cancel", "cancelled"), ("setup-needed", "setup-needed")):
            self.standin.add_fault(fault, hits=1)
            self.assertEqual(verdict, self.log_in()["verdict"])
            brought = bring(self.request_url(), "" if fault == "cancel" else "ann")
            self.standin.clear_faults()
            if fault == "cancel":
                foreign = self.judge(brought, state="YW5vdGhlciBicm93c2Vy")
                self.assertEqual(("refused", "state"), (foreign["verdict"], foreign["reason"]))
        self.assert_accepted(self.log_in())
        self.assertEqual(1, self.standin.count("check_authentication"))

    # -- attacks -----------------------------------------------------------------------------------------------

    def test_each_attack_has_its_own_reason(self):
        for fault, (reason, asked) in REASONS.items():
            with self.subTest(fault=fault):
                self.standin.reset()
                self.assert_accepted(self.log_in())
                if FAULTS[fault].stage == "verification":
                    self.standin.add_fault(fault, hits=1)
                else:
                    self.standin.add_fault(fault, account="ann", hits=1)
                self.standin.clear_log()
                result = self.log_in()
                self.assertEqual(reason, result["reason"], result["text"])
                self.assertNotIn("nickname", result)
                self.assertEqual(reason == "cannot-verify", "temporary" in result)
                self.assertEqual(int(asked == AFTER), self.standin.count("check_authentication"))
                self.assert_accepted(self.log_in())

    def test_what_the_provider_truly_signed_it_confirms(self):
        """So that the reasons above are found by our own checks and by nothing else."""
        for fault in (name for name, each in FAULTS.items() if each.stage in ("signed", "told")):
            with self.subTest(fault=fault):
                self.standin.reset()
                self.standin.add_fault(fault, hits=1)
                query = urllib.parse.urlsplit(bring(self.request_url(), "ann").url).query
                fields = [(name, "check_authentication" if name == "openid.mode" else value)
                          for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)
                          if name.startswith("openid.")]
                self.assertIn("is_valid:true\n", self.post(urllib.parse.urlencode(fields))["reply"])

    def test_the_same_answer_twice(self):
        brought = bring(self.request_url(), "ann")
        self.assert_accepted(self.judge(brought))
        self.assertEqual("signature", self.judge(brought)["reason"], "the provider confirms it once")

    def test_a_nonce_used_before(self):
        self.assert_accepted(self.log_in())
        self.standin.add_fault("nonce-replayed", hits=1)
        self.assertEqual("nonce-used", self.log_in()["reason"])
        self.assert_accepted(self.log_in())

    def test_another_browser(self):
        brought = bring(self.request_url(), "ann")
        for state in ("", STATE + "x", "YW5vdGhlciBicm93c2Vy"):
            self.assertEqual("state", self.judge(brought, state)["reason"], state)
        self.assertEqual(0, self.standin.count("check_authentication"))
        self.assert_accepted(self.judge(brought))

    def test_another_page(self):
        brought = bring(self.request_url(), "ann")
        other = brought._replace(url=brought.url.replace("/login/return", "/login/elsewhere"))
        self.assertEqual("return-to", self.judge(other)["reason"])
        self.assert_accepted(self.judge(brought))

    def test_a_slow_provider(self):
        self.standin.add_fault("verification-slow", hits=1, seconds=0.1)
        self.assert_accepted(self.log_in())
        self.standin.add_fault("verification-slow", hits=1, seconds=600)
        self.assertEqual("cannot-verify", self.log_in()["reason"])
        self.assert_accepted(self.log_in())

    def test_a_clock_that_is_wrong(self):
        brought = bring(self.request_url(), "ann")
        url, _, query = brought.url.partition("?")
        with Probe("answer") as probe:
            pending = probe.ask(endpoint=self.standin.endpoint, identifiers=self.standin.identifiers,
                                return_to=RETURN_TO, state=STATE, url=url, query=query)
            result = probe.ask(**self.post(pending["verification"]), now_s=int(time.time()) + 3600)
        self.assertEqual("nonce-time", result["reason"])
        self.assertIn("clock", result["text"])


if __name__ == "__main__":
    tap.main()
