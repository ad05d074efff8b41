"""Logins and what persons do to their own, through the programs around it: the server answers at
once, a refresh goes on from there, mails leave, and `verify` has nothing to say."""

import datetime
import json
import os
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from lpalias_world import ALERTS, World, program, why_not
from mail_sink import MailSink

DAY_S = 86400
DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"
OTHER, OTHER_TEAM = "kubuntu.org", "kubuntu-members"
ME = "https://login.example/+id/AbC1234"
LINK = "https://portal.example/confirm#Zm9yLXlvdXItZXllcy1vbmx5LTAxMjM0NTY3ODk"


def reason_to_skip():
    """A sentence what is missing, or None."""
    if program("PERSON_PROBE") is None:
        return "PERSON_PROBE is not set"
    if mail_sink.program() is None:
        return "smtp-sink is not installed"
    return why_not()


@unittest.skipIf(reason_to_skip(), reason_to_skip() or "")
class PersonCase(unittest.TestCase):
    """Two open domains; ann and ben are members everywhere, jdoe is in no team yet."""

    def setUp(self):
        self.sink = MailSink()
        self.sink.start()
        self.addCleanup(self.sink.stop)
        people = ["ann", "ben", "jdoe"]
        self.world = World({"people": {name: {} for name in people},
                            "teams": {TEAM: {"members": ["ann", "ben"]},
                                      OTHER_TEAM: {"members": ["ann", "ben"]}}}, page_size=300)
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: TEAM, OTHER: OTHER_TEAM}
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{self.sink.port}"']
        self.world.write_config()
        self.world.fill({"ann": ["ann@home.example"]}, opened=(DOMAIN, OTHER))
        self.world.start_server()
        self.sink.wait_until_written()
        self.sink.forget()

    def probe(self, *words, status=0):
        run = subprocess.run([program("PERSON_PROBE"), self.world.config_file, *words],
                             capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, status, run.stderr)
        return run.stdout.strip() if status == 0 else run.stderr

    def date_us(self, name):
        """When Launchpad made the account."""
        with urllib.request.urlopen(f"{self.world.launchpad.root}/~{name}") as answer:
            text = json.load(answer)["date_created"]
        made = datetime.datetime.fromisoformat(text)
        return str(round(made.timestamp() * 1_000_000))

    def log_in(self, name, *words, flags="vc", identifier=ME):
        return self.probe("login", identifier, name, self.date_us(name), flags, *words)

    def notify(self, **more):
        self.world.lpalias("notify", "-q", **more)
        self.sink.wait_until_written()
        return [(mail.recipients[0], mail.headers["Subject"]) for mail in self.sink.messages()]

    def show(self, name):
        return json.loads(self.world.lpalias("show", name, "--json", "--show-targets").stdout)

    def verify(self):
        self.world.lpalias("verify")


class Login(PersonCase):
    def test_the_alias_answers_at_once(self):
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "NOTFOUND ")
        self.world.launchpad.add_member(TEAM, "jdoe")
        self.assertEqual(self.log_in("jdoe", f"{DOMAIN}=yes", f"{OTHER}=no", "jd@home.example"),
                         "member")
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "OK jd@home.example")
        self.assertEqual(self.world.ask("alias", f"jdoe@{OTHER}"), "NOTFOUND ")
        self.assertEqual(self.show("jdoe")["login_identifier"], ME)
        self.assertIn(ME, self.world.lpalias("show", "jdoe").stdout)
        self.verify()
        self.assertEqual(self.notify(), [(ALERTS, f"jdoe@{DOMAIN} is live")])
        self.world.lpalias("refresh", "-q")
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "OK jd@home.example")
        self.assertEqual(len(self.notify()), 1)

    def test_who_is_in_no_listing_leaves_by_two_of_them(self):
        self.log_in("jdoe", f"{DOMAIN}=yes", "jd@home.example")
        self.world.lpalias("refresh", "-q", after_s=100)
        self.log_in("jdoe", f"{DOMAIN}=no", f"{OTHER}=no", flags="-")
        self.assertEqual(self.show("jdoe")["domains"][0]["alias"]["state"], "active")
        self.world.lpalias("refresh", "-q", after_s=200)
        self.assertEqual(self.show("jdoe")["domains"][0]["alias"]["state"], "leaving")

    def test_a_renamed_person(self):
        self.log_in("ann", f"{DOMAIN}=yes", f"{OTHER}=yes")
        self.world.launchpad.rename("ann", "anna")
        self.assertEqual(self.log_in("anna", f"{DOMAIN}=yes", f"{OTHER}=unknown"), "member")
        self.assertEqual(self.world.ask("alias", f"anna@{DOMAIN}"), "OK ann@home.example")
        self.assertEqual(self.world.ask("alias", f"ann@{DOMAIN}"), "OK ann@home.example")
        self.assertEqual(self.world.ask("alias", f"ann@{OTHER}"), "OK ann@home.example")
        self.verify()
        self.world.lpalias("refresh", "-q")
        self.assertEqual(self.world.ask("alias", f"anna@{OTHER}"), "OK ann@home.example")
        self.assertEqual({each["alias"]["reason"] for each in self.show("ann")["domains"]},
                         {"renamed"})
        self.verify()

    def test_a_banned_one_is_told_of_once(self):
        self.world.lpalias("ban", "ben", "--reason", "x")
        self.notify()
        self.sink.forget()
        for _ in range(2):
            self.assertEqual(self.log_in("ben", f"{DOMAIN}=yes", "ben@home.example"), "banned")
        self.assertEqual(self.notify(),
                         [(ALERTS, "lpalias: the banned account ben has tried to log in")])
        self.assertEqual(self.show("ben")["targets"], [])
        self.verify()


class ProofLink(PersonCase):
    ADDRESS = "new@home.example"

    def setUp(self):
        super().setUp()
        self.log_in("ann", f"{DOMAIN}=yes")
        self.probe("ask", ME, self.ADDRESS, LINK)

    def stored(self):
        with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
            return file.read()

    def test_it_is_mailed_once_and_shows_nowhere(self):
        secret = LINK.partition("#")[2]
        shown = self.world.lpalias("notify", "--list", "--json").stdout
        self.assertIn("proof-link", shown)
        for text in (shown, self.world.lpalias("history", "--json").stdout,
                     self.world.lpalias("export-person", "ann").stdout):
            self.assertNotIn(secret, text)
            self.assertNotIn(self.ADDRESS, text)
        self.assertNotIn(secret.encode(), self.stored())
        self.assertEqual(self.notify(), [(self.ADDRESS, "Please confirm this address for ann")])
        self.assertIn(f"\n{LINK}\n", self.sink.messages()[0].body)
        self.assertEqual(json.loads(self.world.lpalias("notify", "--list", "--json").stdout), [])
        self.assertNotIn(secret.encode(), self.stored())
        self.assertEqual(len(self.notify()), 1)

    def test_it_is_sealed_anew_with_the_rest(self):
        self.world.lpalias("key", "rotate")
        self.notify()
        self.assertIn(f"\n{LINK}\n", self.sink.messages()[0].body)

    def test_after_a_day_it_is_not_sent(self):
        ran = self.world.lpalias("notify", status=4, after_s=DAY_S + 60)
        self.assertNotIn(self.ADDRESS, ran.stdout + ran.stderr)
        self.assertRegex(ran.stderr, r"notice proof-link for person: given up, as its link")
        self.assertNotIn(self.ADDRESS, [recipient for recipient, _ in self.notify()])
        self.assertEqual(json.loads(self.world.lpalias("notify", "--list", "--json").stdout), [])

    def test_an_erased_person_is_sent_none(self):
        self.world.lpalias("erase", "--yes", "ann")
        self.assertEqual(self.notify(), [])

    def test_added_and_taken_away(self):
        self.probe("add", ME, self.ADDRESS)
        self.assertEqual(self.world.ask("alias", f"ann@{DOMAIN}"), "OK ann@home.example",
                         "what an operator has set is stronger")
        self.world.lpalias("target", "clear", "ann")
        self.assertEqual(self.world.ask("alias", f"ann@{DOMAIN}"), f"OK {self.ADDRESS}")
        self.probe("drop", ME, self.ADDRESS)
        self.assertEqual(self.world.ask("alias", f"ann@{DOMAIN}"), "NOTFOUND ")
        self.assertNotRegex(self.probe("drop", ME, self.ADDRESS, status=1), re.escape(self.ADDRESS))
        self.verify()


if __name__ == "__main__":
    tap.main()
