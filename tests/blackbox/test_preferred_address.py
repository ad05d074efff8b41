"""Preferred addresses on Launchpad as the weakest source of targets, and the admin team, end to end."""

import glob
import json
import os
import pwd
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import World, why_not

TOKEN, SECRET = "T0kenOfReader", "S3cretOfReader"
TEAM, OTHER, ADMINS = "ubuntumembers", "kubuntu-members", "house-admins"


def shown(email):
    return {"email": email, "hide_email_addresses": False}


def launchpad():
    """ann and bob show an address, carol hides hers, dave has none, erin's is an alias of ours."""
    people = {"ann": shown("ann@home.example"), "bob": shown("Bob@Home.Example"),
              "carol": {"email": "carol@home.example"}, "dave": shown(None),
              "erin": shown("erin@KUBUNTU.org"), "reader": {}}
    return {"people": people,
            "teams": {TEAM: {"members": list(people)}, OTHER: {"members": ["ann", "erin"]},
                      ADMINS: {"members": ["bob"]}},
            "tokens": {TOKEN: {"secret": SECRET, "person": "reader"}}}


@unittest.skipIf(why_not(), why_not() or "")
class PreferredAddress(unittest.TestCase):
    def setUp(self):
        self.world = World(launchpad())
        self.addCleanup(self.world.close)
        self.file = os.path.join(self.world.directory, "launchpad.ini")
        self.write_credentials()
        self.world.domains = {"ubuntu.com": TEAM, "kubuntu.org": OTHER}
        self.log_in()
        self.world.make_key()

    def write_credentials(self, secret=SECRET, mode=0o600):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(f"[1]\nconsumer_key = lpalias\nconsumer_secret = \naccess_token = {TOKEN}\n"
                       f"access_secret = {secret}\n\n")
        os.chmod(self.file, mode)

    def log_in(self, is_wanted=True):
        self.world.launchpad_lines = [f'  credentials = "{self.file}"'] if is_wanted else []
        self.world.write_config()

    def rows(self):
        return {row["address"]: row for row in
                json.loads(self.world.lpalias("list", "--json", "--show-targets").stdout)}

    def states(self, domain="ubuntu.com"):
        return {address.split("@")[0]: row["state"] for address, row in self.rows().items()
                if address.endswith("@" + domain)}

    def targets(self, name, domain="ubuntu.com"):
        return self.rows()[f"{name}@{domain}"]["targets"]

    def secrets_in(self, *texts):
        return [word for word in (TOKEN, SECRET) for text in texts if word in text]

    # Who gets what.

    def test_an_address_makes_an_alias_active_and_what_is_not_seen_leaves_it_pending(self):
        self.world.lpalias("refresh")
        self.assertEqual(self.states(), {"ann": "active", "bob": "active", "carol": "pending",
                                         "dave": "pending", "erin": "pending", "reader": "pending"})
        self.assertEqual(self.targets("bob"), ["Bob@home.example"])
        self.assertEqual(self.targets("ann", "kubuntu.org"), ["ann@home.example"])
        self.assertEqual(self.world.lpalias("query", "--cache", "alias", "ann+x@ubuntu.com").stdout,
                         "ann+x@home.example\n")

    def test_a_second_refresh_changes_nothing(self):
        self.world.lpalias("refresh")
        again = json.loads(self.world.lpalias("refresh", "--json").stdout)
        self.assertFalse(again["changed"])

    def test_without_credentials_there_is_no_address_and_those_known_stay(self):
        self.log_in(False)
        self.world.lpalias("refresh")
        self.assertEqual(set(self.states().values()), {"pending"})
        self.log_in()
        self.world.lpalias("refresh")
        self.assertEqual(self.states()["ann"], "active")
        self.log_in(False)
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@home.example"])

    def test_an_operators_target_wins(self):
        self.world.lpalias("refresh")
        self.world.lpalias("target", "set", "ann", "ann@work.example")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@work.example"])
        self.world.lpalias("target", "clear", "ann")
        self.assertEqual(self.states()["ann"], "pending", "Launchpad's was dropped as not needed")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@home.example"])

    def test_another_address_counts_at_once_in_all_domains(self):
        self.world.lpalias("refresh")
        self.world.launchpad.set_person("ann", email="ann@new.example")
        self.world.lpalias("refresh", "--domain", "ubuntu.com")
        for domain in ("ubuntu.com", "kubuntu.org"):
            self.assertEqual(self.targets("ann", domain), ["ann@new.example"])

    def test_it_reaches_a_domain_whose_listing_is_unusable_or_held(self):
        self.world.lpalias("refresh")
        for fault, status in (("not-found", 4), ("empty-team", 3)):
            with self.subTest(fault=fault):
                email = f"ann@{fault}.example"
                self.world.launchpad.set_person("ann", email=email)
                self.world.launchpad.clear_faults()
                self.world.launchpad.add_fault(fault, match=f"{OTHER}/participants")
                self.world.lpalias("refresh", status=status)
                for domain in ("ubuntu.com", "kubuntu.org"):
                    self.assertEqual(self.targets("ann", domain), [email])

    def test_another_account_under_the_name_has_its_own_address(self):
        self.world.lpalias("refresh")
        self.world.launchpad.set_person("ann", date_created="2024-05-06T07:08:09+00:00",
                                        email="other@else.example")
        self.world.launchpad.set_person("bob", date_created="2024-05-06T07:08:10+00:00",
                                        hide_email_addresses=True)
        self.world.lpalias("refresh")
        for domain in ("ubuntu.com", "kubuntu.org"):
            self.assertEqual(self.targets("ann", domain), ["other@else.example"])
        self.assertEqual(self.states()["bob"], "pending", "the address of the old account is gone")
        self.assertIsNone(self.rows()["bob@ubuntu.com"].get("targets") or None)

    def test_a_renamed_account_goes_on_with_its_address(self):
        self.world.lpalias("refresh")
        self.world.launchpad.rename("ann", "anna")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("anna"), ["ann@home.example"])
        self.world.launchpad.set_person("anna", email="anna@home.example")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("anna"), ["anna@home.example"])

    def test_an_address_that_vanishes_takes_no_live_alias_down(self):
        self.world.lpalias("refresh")
        self.world.launchpad.set_person("ann", email=None)
        self.world.launchpad.set_person("bob", hide_email_addresses=True)
        for _ in range(2):
            self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@home.example"])
        self.assertEqual(self.targets("bob"), ["Bob@home.example"])

    def test_an_alias_of_ours_is_no_target(self):
        self.world.lpalias("refresh")
        self.world.launchpad.set_person("ann", email="ann@ubuntu.com")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@home.example"])
        self.assertEqual(self.states()["erin"], "pending")

    # What it takes, and what it must not tell.

    def test_a_file_that_others_may_read_is_refused_before_anything_is_asked(self):
        for mode in (0o640, 0o644, 0o660, 0o604):
            with self.subTest(mode=oct(mode)):
                self.write_credentials(mode=mode)
                ran = self.world.lpalias("refresh", status=1)
                self.assertIn(f"has mode {mode:04o}, so others than its owner may use it", ran.stderr)
        self.assertEqual(self.world.launchpad.log(), [])
        os.unlink(self.file)
        self.assertIn("cannot open credentials file", self.world.lpalias("refresh", status=1).stderr)

    def test_refused_credentials_cost_nothing_but_the_refresh(self):
        self.world.lpalias("refresh")
        before = self.rows()
        self.write_credentials(secret="wrong")
        ran = self.world.lpalias("refresh", status=4)
        self.assertIn("answered 401: Launchpad refuses the credentials", ran.stderr)
        status = self.world.lpalias("status", status=None)
        self.assertEqual(self.secrets_in(ran.stderr, ran.stdout, status.stdout), [])
        self.assertEqual(self.rows(), before)

    def test_nothing_secret_is_told_or_stored_in_clear(self):
        first = self.world.lpalias("refresh", "--json")
        listed = self.world.lpalias("list", "--json")
        person = self.world.lpalias("show", "ann", "--json")
        stored = b"".join(open(path, "rb").read() for path in glob.glob(self.world.cache + "/*"))
        for text in (first.stdout, first.stderr, listed.stdout, person.stdout, stored.decode("latin-1")):
            self.assertNotIn("home.example", text.lower())
            self.assertEqual(self.secrets_in(text), [])

    @unittest.skipUnless(os.getuid() == 0, "only root takes on another user")
    def test_the_file_is_that_of_the_caller_and_not_of_the_cache(self):
        owner = pwd.getpwnam("daemon")
        self.world.lpalias("refresh")
        self.world.give_to(owner.pw_uid, owner.pw_gid)
        self.assertEqual(os.stat(self.file).st_uid, 0)
        self.world.launchpad.set_person("ann", email="ann@new.example")
        self.world.lpalias("refresh")
        self.assertEqual(self.targets("ann"), ["ann@new.example"])

    # The admin team.

    def test_the_admin_team_is_fetched_once_and_keeps_its_members_alias(self):
        self.world.domain_keys = {"ubuntu.com": f'admin-team = "{ADMINS}"',
                                  "kubuntu.org": f'admin-team = "{ADMINS}"'}
        self.world.write_config()
        self.world.lpalias("refresh")
        self.assertEqual(self.world.launchpad.count(f"~{ADMINS}/participants"), 1)
        for name in ("ann", "bob"):
            self.world.launchpad.remove_member(TEAM, name)
        for seconds in (100, 200):
            self.world.lpalias("refresh", after_s=seconds)
        states = self.states()
        self.assertEqual((states["ann"], states["bob"]), ("leaving", "active"))

    def test_an_admin_team_that_is_unusable_leaves_the_admins_what_they_are(self):
        self.world.domain_keys = {"ubuntu.com": f'admin-team = "{ADMINS}"'}
        self.world.write_config()
        self.world.lpalias("refresh")
        self.world.launchpad.remove_member(TEAM, "bob")
        self.world.launchpad.add_person("newcomer")
        self.world.launchpad.add_member(TEAM, "newcomer")
        self.world.launchpad.add_fault("server-error", match=ADMINS)
        self.world.launchpad_lines.append("  retries = 0")
        self.world.write_config()
        for seconds in (100, 200):
            ran = self.world.lpalias("refresh", status=4, after_s=seconds)
            self.assertIn(f"ubuntu.com: admins are left as they are: ~{ADMINS}: ", ran.stderr)
        states = self.states()
        self.assertEqual((states["bob"], states["newcomer"]), ("active", "pending"))


if __name__ == "__main__":
    tap.main()
