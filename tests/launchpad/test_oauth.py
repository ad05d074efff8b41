"""One credentials file, written by launchpadlib: launchpadlib and we log in with it and see the same.

The stand-in checks what it is sent as Launchpad does; what it shows of addresses depends on who asks.
"""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import tap  # noqa: E402
from launchpad_standin import FAULTS, REDACTED, LaunchpadStandIn  # noqa: E402
from lpalias_world import World, why_not  # noqa: E402

try:
    from launchpadlib.credentials import AccessToken, Consumer, Credentials
    from launchpadlib.launchpad import Launchpad

    MISSING = None
except ImportError as error:
    MISSING = f"launchpadlib cannot be imported: {error}"

PROBE = os.environ["FETCH_PROBE"]
TEAM = "ubuntumembers"
TOKEN, SECRET = "T0kenOfReader", "S3cretOfReader"
CONSUMER = "System-wide: Debian GNU/Linux (mail.example)"
SHOWN = {"ann": "Ann+lists=1_x@Home.Example", "bob.b": "bob@home.example", "zoe+z": "zoe@z.example"}
# What launchpadlib gives for an address, and what fetch_probe gives for "none" and "unknown".
NONE, UNKNOWN = False, None

# What the reason must say for each fault that only shows to the logged-in.
CAUSES = {
    "email-number": "is a number, not a string$",
    "email-no-link": "is not a plain absolute URL$",
    "email-foreign-host": "leads to another server$",
    "email-other-version": "is not that of an address of this person$",
    "email-other-person": "is not that of an address of this person$",
    "email-malformed-escape": "holds no address$",
    "email-line-break": "holds no address$",
    "email-below": "holds no address$",
    "email-query": "is not a plain absolute URL$",
    "email-empty": "holds no address$",
    "email-missing": "is missing$",
}


def small_launchpad():
    people = {name: {"email": email, "hide_email_addresses": False} for name, email in SHOWN.items()}
    people["hidden"] = {"email": "hidden@home.example"}
    people["nobody"] = {"email": None, "hide_email_addresses": False}
    people["reader"] = {}
    return {"people": people,
            "teams": {TEAM: {"members": [*people, "below"]}, "below": {"members": ["ann"]}},
            "tokens": {TOKEN: {"secret": SECRET, "person": "reader", "consumer": CONSUMER}}}


def environment():
    return {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}


@unittest.skipIf(MISSING, MISSING or "")
class OAuthCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "launchpad.ini")
        self.standin = LaunchpadStandIn(small_launchpad())
        self.standin.start()
        self.addCleanup(self.standin.stop)

    def save(self, token=TOKEN, secret=SECRET, consumer=CONSUMER):
        credentials = Credentials(consumer)
        credentials.consumer = Consumer(consumer)
        credentials.access_token = AccessToken(token, secret)
        credentials.save_to_path(self.file)

    def log_in(self, service_root=None):
        """A launchpadlib that is logged in by the file, as scripts do it."""
        return Launchpad.login_with("lpalias test", service_root or self.standin.origin + "/",
                                    os.path.join(self.folder.name, "lib"), credentials_file=self.file,
                                    version="1.0")

    def seen_by_launchpadlib(self, launchpad):
        """name -> address, NONE or UNKNOWN, by following the links."""
        seen = {}
        for person in launchpad.people[TEAM].participants:
            if person.is_team:
                continue
            link = person.preferred_email_address_link
            seen[person.name] = (UNKNOWN if link == REDACTED else NONE if link is None
                                 else person.preferred_email_address.email)
        return seen

    def probe(self, *options, root=None, with_credentials=True, status=0):
        command = [PROBE, root or self.standin.root, "--page-size", "2", "--retry-delay-ms", "1",
                   *(("--credentials", self.file) if with_credentials else ()), *options, TEAM]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if status == 0 else done.stderr

    def seen(self, listing):
        self.assertTrue(listing["usable"], listing["reason"])
        return {person["name"]: person["preferred"] for person in listing["people"]}


class Addresses(OAuthCase):
    def test_launchpadlib_and_we_see_the_same(self):
        self.save()
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        wanted = {**SHOWN, "hidden": UNKNOWN, "nobody": NONE, "reader": UNKNOWN}
        self.assertEqual(self.seen_by_launchpadlib(self.log_in()), wanted)
        self.assertEqual(self.seen(self.probe()), wanted)

    def test_who_is_not_logged_in_sees_none(self):
        listing = self.probe(with_credentials=False)
        self.assertTrue(listing["usable"])
        self.assertFalse([person for person in listing["people"] if "preferred" in person])
        self.assertFalse([record for record in self.standin.log() if record["authorization"]])

    def test_odd_credentials_are_the_same_for_both(self):
        """In the file a percent sign stands twice; on the wire all is encoded, the secret twice."""
        token, secret = "T+%%/=:;#", "50%% & more~, = \"x\""
        meant = {"secret": secret.replace("%%", "%"), "person": "reader", "consumer": "k%&, x"}
        self.standin.registry.tokens[token.replace("%%", "%")] = meant
        self.save(token, secret, "k%%&, x")
        self.assertEqual(self.seen_by_launchpadlib(self.log_in())["ann"], SHOWN["ann"])
        self.assertEqual(self.seen(self.probe())["ann"], SHOWN["ann"])

    @unittest.skipIf(why_not(), why_not() or "")
    def test_a_refresh_sees_the_same(self):
        with World(small_launchpad()) as world:
            self.save()
            world.domains = {"ubuntu.com": TEAM}
            world.launchpad_lines = [f'  credentials = "{self.file}"']
            world.write_config()
            world.make_key()
            world.lpalias("refresh")
            rows = json.loads(world.lpalias("list", "--json", "--show-targets").stdout)
            mine = {row["owner"]: row["targets"] for row in rows if row["state"] == "active"}
            theirs = self.seen_by_launchpadlib(self.log_in(world.launchpad.origin + "/"))
            shown = {name: [email.replace("Home.Example", "home.example")] for name, email in theirs.items() if email}
            self.assertEqual(mine, shown)


class Requests(OAuthCase):
    def test_each_is_signed_by_itself(self):
        self.save()
        self.probe()
        requests = self.standin.log()
        self.assertGreater(len(requests), 3)
        for record in requests:
            oauth = record["oauth"]
            self.assertEqual(record["status"], 200)
            self.assertEqual(oauth["oauth_consumer_key"], CONSUMER)
            self.assertEqual(oauth["oauth_version"], "1.0")
            self.assertLess(abs(int(oauth["oauth_timestamp"]) - time.time()), 600)
        self.assertEqual(len({record["oauth"]["oauth_nonce"] for record in requests}), len(requests))

    def test_a_retry_is_signed_anew(self):
        self.save()
        self.standin.add_fault("bad-gateway", match="participants", hits=[1])
        listing = self.probe()
        self.assertTrue(listing["usable"], "the stand-in takes no nonce twice")
        self.assertEqual(listing["retries"], 1)

    def test_refused_credentials_are_said_and_not_tried_again(self):
        for what, wrong in {"secret": {"secret": SECRET + "x"}, "token": {"token": TOKEN + "x"},
                            "consumer": {"consumer": "another"}}.items():
            with self.subTest(wrong=what):
                self.save(**wrong)
                self.standin.clear_log()
                listing = self.probe()
                self.assertFalse(listing["usable"])
                self.assertRegex(listing["reason"], "answered 401: Launchpad refuses the credentials$")
                self.assertNotIn(TOKEN, listing["reason"])
                self.assertNotIn(SECRET, listing["reason"])
                self.assertEqual([record["status"] for record in self.standin.log()], [401])

    def test_without_credentials_401_is_no_word_of_them(self):
        self.standin.add_fault("unauthorized")
        self.assertRegex(self.probe(with_credentials=False)["reason"], r"answered 401 \(Unknown access token\.\)$")

    def test_they_are_not_sent_where_others_may_read(self):
        self.save()
        for root in ("http://launchpad.invalid/1.0", "http://127.0.0.1.invalid/1.0"):
            complaint = self.probe(root=root, status=1)
            self.assertIn(f"credentials are not sent to {root}: only https keeps them secret", complaint)
        self.assertRegex(self.probe("--retries", "0", root="https://launchpad.invalid/1.0")["reason"], "network error")

    def test_no_foreign_link_gets_them(self):
        self.save()
        for name in ("redirect-other-host", "next-foreign-host", "email-foreign-host"):
            with self.subTest(fault=name):
                self.standin.clear_faults()
                self.standin.clear_log()
                self.standin.add_fault(name, match="participants")
                self.assertFalse(self.probe()["usable"])
                host = self.standin.origin.removeprefix("http://")
                self.assertEqual({record["host"] for record in self.standin.log()}, {host})


class Faults(OAuthCase):
    def setUp(self):
        super().setUp()
        self.save()

    def test_every_fault_has_a_cause_here(self):
        self.assertEqual({name for name, fault in FAULTS.items() if fault.kind == "logged-in"}, set(CAUSES))

    def test_a_wrong_address_makes_the_listing_unusable_without_saying_it(self):
        for name, cause in CAUSES.items():
            with self.subTest(fault=name):
                self.standin.clear_faults()
                self.standin.add_fault(name, match="participants", person="bob.b")
                listing = self.probe()
                self.assertFalse(listing["usable"])
                self.assertRegex(listing["reason"], r"entry \d+: preferred_email_address_link:? .*" + cause)
                self.assertNotIn("@", re.sub(r"^~\S+ \S+ ", "", listing["reason"]))
                self.assertEqual(listing["retries"], 0)
                self.assertTrue(self.probe(with_credentials=False)["usable"])

    def test_what_is_merely_unusual_does_not_disturb(self):
        for name, seen in {"email-redacted": UNKNOWN, "email-null": NONE, "email-odd": UNKNOWN,
                           "email-encoded": "zoe+z@shown.example"}.items():
            with self.subTest(fault=name):
                self.standin.clear_faults()
                self.standin.add_fault(name, match="participants", person="zoe+z")
                self.assertEqual(self.seen(self.probe()), {**SHOWN, "hidden": UNKNOWN, "nobody": NONE,
                                                           "reader": UNKNOWN, "zoe+z": seen})


if __name__ == "__main__":
    tap.main()
