"""The rule table of docs/architecture.md, row by row, and the sentences below it, through the real
programs: refreshes from a Launchpad with the clock moved on, acts of the operator, and what a
server that runs all the while tells Postfix. Rows 3 and 4 are in test_identity.py."""

import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import ALERTS, World, why_not

DAY_S = 86400
ABSENT = "NOTFOUND "


@unittest.skipUnless(shutil.which("faketime"), "faketime is not installed")
@unittest.skipIf(why_not(), why_not() or "")
class House(unittest.TestCase):
    """A domain of five people and one of two, both open; a server; `keys` for ubuntu.com."""

    people = ["jdoe", "kim", "lee", "mia", "noor"]
    keys = 'grace = "2d"'

    def setUp(self):
        self.world = World({"people": {name: {} for name in self.people},
                            "teams": {"ubuntumembers": {"members": self.people},
                                      "kubuntu-members": {"members": ["jdoe", "kim"]}}})
        self.addCleanup(self.world.close)
        self.world.domains = {"ubuntu.com": "ubuntumembers", "kubuntu.org": "kubuntu-members"}
        self.world.domain_keys = {"ubuntu.com": self.keys}
        self.world.write_config()
        self.after_s = 0
        self.world.fill({name: [f"{name}@home.example"] for name in self.people[:4]},
                        opened=("ubuntu.com", "kubuntu.org"))
        self.world.start_server()

    def lpalias(self, *words, **more):
        return self.world.lpalias(*words, after_s=self.after_s, **more)

    def refresh(self, after_s=100, status=0):
        """One more refresh, after so many seconds."""
        self.after_s += after_s
        return self.lpalias("refresh", status=status)

    def believe(self):
        """So many refreshes that a loss is believed."""
        self.refresh()
        self.refresh()

    def leave(self, name, team="ubuntumembers"):
        self.world.launchpad.remove_member(team, name)
        self.believe()

    def pass_grace(self):
        """Daily refreshes until the two days of grace are over."""
        for _ in range(3):
            self.refresh(DAY_S)

    def join(self, name, target=None, **fields):
        self.world.launchpad.add_person(name, **fields)
        self.world.launchpad.add_member("ubuntumembers", name)
        self.refresh()
        if target:
            self.lpalias("target", "set", name, target)

    def state(self, name, domain="ubuntu.com"):
        """"active", "refused banned", ... of an alias, or "absent"."""
        ran = self.lpalias("show", f"{name}@{domain}", "--json", status=None)
        if ran.status == 2:
            return "absent"
        row = json.loads(ran.stdout)
        return " ".join(filter(None, (row["state"], row["reason"])))

    def check(self, name, state, answer, domain="ubuntu.com"):
        """State and the server's answer: a target's local part for "it goes to its home"."""
        self.assertEqual(self.state(name, domain), state)
        wanted = answer if answer == ABSENT else f"OK {answer}"
        self.assertEqual(self.world.ask("alias", f"{name}@{domain}"), wanted)


class Row1Banned(House):
    """Refused at once, no grace."""

    def test_refused_at_once_in_every_domain(self):
        self.check("jdoe", "active", "jdoe@home.example")
        self.check("jdoe", "active", "jdoe@home.example", "kubuntu.org")
        self.lpalias("ban", "JDoe", "--reason", "sold the alias")
        self.check("jdoe", "refused banned", ABSENT)
        self.check("jdoe", "refused banned", ABSENT, "kubuntu.org")
        self.check("kim", "active", "kim@home.example")
        self.refresh()
        self.check("jdoe", "refused banned", ABSENT)

    def test_who_is_leaving_gets_no_grace(self):
        self.leave("jdoe")
        self.check("jdoe", "leaving not-member", "jdoe@home.example")
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.check("jdoe", "refused banned", ABSENT)
        self.lpalias("unban", "jdoe")
        self.check("jdoe", "gone not-member", ABSENT)

    def test_extra_aliases_go_with_it_and_static_ones_stay(self):
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        self.lpalias("alias", "add", "press@ubuntu.com", "--target", "jdoe@home.example")
        self.check("j", "active", "jdoe@home.example")
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.check("j", "refused banned", ABSENT)
        self.check("press", "active", "jdoe@home.example")
        self.lpalias("unban", "jdoe")
        self.check("j", "active", "jdoe@home.example")

    def test_ahead_of_being_known(self):
        self.lpalias("ban", "spammer", "--reason", "known from elsewhere")
        self.join("spammer")
        self.check("spammer", "refused banned", ABSENT)
        self.lpalias("unban", "spammer")
        self.check("spammer", "pending no-target", ABSENT)

    def test_an_unban_goes_on_by_the_rules(self):
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.lpalias("unban", "jdoe", "--reason", "an error")
        self.check("jdoe", "active", "jdoe@home.example")

    def test_the_ban_is_the_accounts_and_not_the_names(self):
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.world.launchpad.remove_person("jdoe")
        self.join("jdoe", date_created="2026-01-02T03:04:05.000006+00:00")
        self.check("jdoe", "pending no-target", ABSENT)

    def test_a_banned_account_takes_nobodys_extension(self):
        self.lpalias("ban", "jdoe+lists", "--reason", "x")
        self.join("jdoe+lists")
        self.check("jdoe+lists", "refused taken", "jdoe+lists@home.example")


class Row2Names(House):
    """Reserved, no legal local part, or another's."""

    keys = 'reserved = { "chef" } role "board" { targets = { "board@home.example" } }'

    def test_reserved_names(self):
        for name in ("root", "chef"):
            self.join(name, f"{name}@home.example")
            self.check(name, "refused reserved", ABSENT)

    def test_reserved_by_hand(self):
        self.lpalias("reserve", "board-chair@ubuntu.com", "--reason", "an office")
        self.join("board-chair", "chair@home.example")
        self.check("board-chair", "refused reserved", ABSENT)
        self.lpalias("alias", "remove", "board-chair@ubuntu.com")
        self.refresh()
        self.check("board-chair", "active", "chair@home.example")

    def test_an_operator_may_allow_a_reserved_name(self):
        self.join("chef", "chef@home.example")
        self.lpalias("alias", "allow", "chef@ubuntu.com")
        self.check("chef", "active", "chef@home.example")
        self.refresh()
        self.lpalias("alias", "allow", "chef@ubuntu.com", "--withdraw")
        self.check("chef", "active", "chef@home.example")

    def test_roles_are_nobodys(self):
        for name, target in (("postmaster", ALERTS), ("board", "board@home.example")):
            self.join(name, f"{name}@evil.example")
            self.check(name, "refused taken", target)
            self.assertIn("role", self.lpalias("alias", "allow", f"{name}@ubuntu.com", status=1).stderr)

    def test_no_legal_local_part(self):
        for name in ("double..dot", "dot."):
            self.join(name, "dot@home.example")
            self.assertEqual(self.state_of_person(name), "refused illegal-local-part")

    def state_of_person(self, name):
        person = json.loads(self.lpalias("show", name, "--json").stdout)
        return "{state} {reason}".format(**person["domains"][0]["alias"])

    def test_collisions_with_an_extension(self):
        self.join("jdoe+lists", "evil@elsewhere.example")
        self.check("jdoe+lists", "refused taken", "jdoe+lists@home.example")
        self.join("abuse+x", "evil@elsewhere.example")
        self.check("abuse+x", "refused taken", ALERTS)

    def test_who_held_the_address_first_keeps_it(self):
        self.join("zed+a", "a@home.example")
        self.join("zed", "zed@home.example")
        self.check("zed+a", "active", "a@home.example")
        self.assertEqual(self.world.ask("alias", "zed+b@ubuntu.com"), "OK zed+b@home.example")

    def test_a_static_alias_is_nobodys_name(self):
        self.lpalias("alias", "add", "press-office@ubuntu.com", "--target", "press@home.example")
        self.join("press-office", "evil@elsewhere.example")
        self.check("press-office", "active", "press@home.example")
        self.lpalias("alias", "remove", "press-office@ubuntu.com")
        self.refresh()
        self.check("press-office", "gone removed", ABSENT)
        self.lpalias("alias", "allow", "press-office@ubuntu.com")
        self.check("press-office", "active", "evil@elsewhere.example")


class Row5Leaving(House):
    """Entitlement lost by somebody who was live: delivered all through the grace."""

    def test_not_a_member_any_more(self):
        self.world.launchpad.remove_member("ubuntumembers", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")
        self.refresh()
        self.check("jdoe", "leaving not-member", "jdoe@home.example")
        self.check("jdoe", "active", "jdoe@home.example", "kubuntu.org")

    def test_not_valid_any_more(self):
        self.world.launchpad.set_person("jdoe", is_valid=False)
        self.believe()
        self.check("jdoe", "leaving not-valid", "jdoe@home.example")
        self.check("jdoe", "leaving not-valid", "jdoe@home.example", "kubuntu.org")

    def test_code_of_conduct_not_signed_any_more(self):
        self.world.launchpad.set_person("jdoe", is_ubuntu_coc_signer=False)
        self.believe()
        self.check("jdoe", "leaving coc-not-signed", "jdoe@home.example")

    def test_coming_back_ends_it(self):
        self.leave("jdoe")
        self.world.launchpad.add_member("ubuntumembers", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")

    def test_extra_aliases_leave_too(self):
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        self.leave("jdoe")
        self.check("j", "leaving not-member", "jdoe@home.example")

    def test_a_static_alias_is_touched_by_no_refresh(self):
        self.lpalias("alias", "add", "veteran@ubuntu.com", "--target", "veteran@home.example")
        self.believe()
        self.check("veteran", "active", "veteran@home.example")


class Row5LeavingRejected(House):
    """A domain that refuses mail during grace."""

    keys = 'grace = "2d" during-grace = reject'

    def test_refused_during_grace_and_back_with_the_targets(self):
        self.leave("jdoe")
        self.check("jdoe", "leaving not-member", ABSENT)
        self.world.launchpad.add_member("ubuntumembers", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")


class Row5Admins(House):
    """Admins keep their alias when they leave the team."""

    keys = 'admins = { "jdoe" }'

    def setUp(self):
        super().setUp()
        self.refresh()

    def test_kept_without_membership(self):
        self.assertTrue(json.loads(self.lpalias("show", "jdoe", "--json").stdout)
                        ["domains"][1]["membership"]["is_admin"])
        self.leave("jdoe")
        self.check("jdoe", "active", "jdoe@home.example")
        self.leave("kim")
        self.check("kim", "leaving not-member", "kim@home.example")

    def test_not_when_invalid(self):
        self.world.launchpad.set_person("jdoe", is_valid=False)
        self.believe()
        self.check("jdoe", "leaving not-valid", "jdoe@home.example")

    def test_not_when_banned(self):
        self.leave("jdoe")
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.check("jdoe", "refused banned", ABSENT)


class Row5AdminsRejected(House):
    """One listing proves nothing against an admin's alias either; here it would be refused at once."""

    keys = 'admins = { "jdoe" } during-grace = reject'

    def test_a_kept_admin_who_joins_again_keeps_the_flags_until_two_listings_say_no(self):
        self.refresh()
        self.leave("jdoe")
        self.world.launchpad.set_person("jdoe", is_valid=False)
        self.world.launchpad.add_member("ubuntumembers", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")
        self.refresh()
        self.check("jdoe", "leaving not-valid", ABSENT)


class Row5AdminTeam(House):
    """Admins by a team of theirs: its listing is doubted as any other."""

    keys = 'admin-team = "kubuntu-members" during-grace = reject'

    def setUp(self):
        super().setUp()
        self.refresh()
        self.leave("jdoe")
        self.check("jdoe", "active", "jdoe@home.example")

    def test_missing_in_one_listing_of_the_admin_team_loses_nothing(self):
        self.world.launchpad.remove_member("kubuntu-members", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")
        self.world.launchpad.add_member("kubuntu-members", "jdoe")
        self.refresh()
        self.world.launchpad.remove_member("kubuntu-members", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")

    def test_missing_in_two_listings_loses_the_alias(self):
        self.world.launchpad.remove_member("kubuntu-members", "jdoe")
        self.believe()
        self.check("jdoe", "leaving not-member", ABSENT)

    def test_an_admin_team_that_cannot_be_listed_leaves_the_admins(self):
        self.world.launchpad.add_fault("not-found", path="/1.0/~kubuntu-members")
        for _ in range(3):
            self.refresh(status=None)
        self.check("jdoe", "active", "jdoe@home.example")

    def test_missing_at_the_very_listing_that_ends_the_membership(self):
        self.world.launchpad.add_member("ubuntumembers", "jdoe")
        self.refresh()
        self.world.launchpad.remove_member("ubuntumembers", "jdoe")
        self.refresh()
        self.world.launchpad.remove_member("kubuntu-members", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")


class Row6Gone(House):
    """Leaving, and grace over."""

    def test_gone_after_the_grace_and_the_name_stays_known(self):
        self.leave("jdoe")
        self.refresh(DAY_S)
        self.check("jdoe", "leaving not-member", "jdoe@home.example")
        self.pass_grace()
        self.check("jdoe", "gone grace-over", ABSENT)
        self.lpalias("alias", "add", "jdoe@ubuntu.com", "--for", "kim", status=1)

    def test_a_clock_that_jumps_ends_no_grace(self):
        self.leave("jdoe")
        self.refresh(8 * DAY_S)
        self.check("jdoe", "leaving not-member", "jdoe@home.example")
        self.refresh()
        self.check("jdoe", "gone grace-over", ABSENT)

    def test_extra_aliases_go_too(self):
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        self.leave("jdoe")
        self.pass_grace()
        self.check("j", "gone grace-over", ABSENT)

    def target_count(self, name):
        return json.loads(self.lpalias("show", name, "--json").stdout)["target_count"]

    def test_targets_are_kept_through_the_grace_and_then_forgotten(self):
        self.leave("lee")
        self.assertEqual(self.target_count("lee"), 1)
        self.pass_grace()
        self.assertEqual(self.target_count("lee"), 0)
        self.assertEqual(self.target_count("mia"), 1)

    def test_members_who_are_not_valid_any_more_are_forgotten_too(self):
        self.world.launchpad.set_person("jdoe", is_valid=False)
        self.believe()
        self.pass_grace()
        # The other domain has a grace of 30 days.
        self.assertEqual((self.state("jdoe"), self.target_count("jdoe")), ("gone grace-over", 1))
        self.world.launchpad.set_person("lee", is_valid=False)
        self.believe()
        self.pass_grace()
        self.assertEqual((self.state("lee"), self.target_count("lee")), ("gone grace-over", 0))

    def test_who_has_another_alias_keeps_the_targets(self):
        self.leave("jdoe")
        self.pass_grace()
        self.check("jdoe", "active", "jdoe@home.example", "kubuntu.org")
        self.assertEqual(self.target_count("jdoe"), 1)

    def test_coming_back_brings_the_name_back(self):
        self.leave("lee")
        self.pass_grace()
        self.world.launchpad.add_member("ubuntumembers", "lee")
        self.refresh()
        self.check("lee", "pending no-target", ABSENT)
        self.lpalias("target", "set", "lee", "new@home.example")
        self.check("lee", "active", "new@home.example")

    def test_coming_back_to_one_of_two_domains(self):
        self.leave("jdoe")
        self.pass_grace()
        self.world.launchpad.add_member("ubuntumembers", "jdoe")
        self.refresh()
        self.check("jdoe", "active", "jdoe@home.example")
        self.lpalias("target", "set", "jdoe", "new@home.example")
        self.check("jdoe", "active", "new@home.example")


class Row7Refused(House):
    """A member who was never live and is not entitled."""

    def test_not_valid(self):
        self.join("vic", "vic@home.example", is_valid=False)
        self.check("vic", "refused not-valid", ABSENT)
        self.world.launchpad.set_person("vic", is_valid=True)
        self.refresh()
        self.check("vic", "active", "vic@home.example")

    def test_code_of_conduct_not_signed(self):
        self.join("vic", "vic@home.example", is_ubuntu_coc_signer=False)
        self.check("vic", "refused coc-not-signed", ABSENT)

    def test_an_extra_alias_shares_it(self):
        self.join("vic", "vic@home.example", is_valid=False)
        self.lpalias("alias", "add", "v@ubuntu.com", "--for", "vic")
        self.check("v", "refused not-valid", ABSENT)


class Row8Paused(House):
    """Paused by the person."""

    def test_paused_and_resumed(self):
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        self.lpalias("pause", "jdoe")
        self.check("jdoe", "paused paused", ABSENT)
        self.check("j", "paused paused", ABSENT)
        self.check("jdoe", "paused paused", ABSENT, "kubuntu.org")
        self.refresh()
        self.check("jdoe", "paused paused", ABSENT)
        self.lpalias("resume", "jdoe")
        self.check("jdoe", "active", "jdoe@home.example")
        self.check("j", "active", "jdoe@home.example")

    def test_grace_goes_on_running(self):
        self.lpalias("pause", "jdoe")
        self.leave("jdoe")
        self.check("jdoe", "leaving not-member", ABSENT)
        self.pass_grace()
        self.check("jdoe", "gone grace-over", ABSENT)
        self.lpalias("resume", "jdoe")
        self.check("jdoe", "gone grace-over", ABSENT)

    def test_who_is_leaving_may_pause(self):
        self.leave("jdoe")
        self.lpalias("pause", "jdoe")
        self.check("jdoe", "leaving not-member", ABSENT)
        self.lpalias("resume", "jdoe")
        self.check("jdoe", "leaving not-member", "jdoe@home.example")


class Row9Pending(House):
    """A member without a usable target."""

    def test_pending_until_there_is_one(self):
        self.check("noor", "pending no-target", ABSENT)
        self.lpalias("target", "set", "noor", "noor@home.example")
        self.check("noor", "active", "noor@home.example")
        self.lpalias("target", "clear", "noor")
        self.check("noor", "pending no-target", ABSENT)

    def test_who_was_live_still_has_the_name(self):
        self.lpalias("target", "clear", "jdoe")
        self.lpalias("reserve", "jdoe@ubuntu.com", status=1)
        self.lpalias("reserve", "noor@ubuntu.com")


class Row10Active(House):
    """Everything is fine, and what else the targets must be."""

    keys = ('catch-all = "rest@home.example" role "board" { targets = { "board@home.example" } } '
            'reserved = { "chef" }')

    def test_several_targets(self):
        self.lpalias("target", "set", "jdoe", "one@home.example", "two@home.example")
        self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"),
                         "OK one@home.example,two@home.example")

    def test_no_target_inside_our_domains_in_any_form(self):
        self.world.domains["xn--bcher-kva.example"] = "kubuntu-members"
        self.world.write_config()
        for target in ("jdoe@ubuntu.com", "JDoe+x@UBUNTU.com", "kim@kubuntu.org",
                       "kim+x@kubuntu.org", "a@b\u00fccher.example", "a@B\u00dcCHER.example",
                       "a@XN--BCHER-KVA.example", '"quoted"@ubuntu.com', "abuse@ubuntu.com"):
            with self.subTest(target=target):
                ran = self.lpalias("target", "set", "jdoe", target, status=1)
                self.assertIn("domain of ours", ran.stderr)
                self.assertNotIn(target, ran.stderr)
        self.check("jdoe", "active", "jdoe@home.example")

    def test_what_an_alias_does_with_an_extension(self):
        for policy, answer in (("append", "OK jdoe+x@home.example"), ("drop", "OK jdoe@home.example"),
                               ("refuse", ABSENT)):
            self.lpalias("alias", "set", "jdoe@ubuntu.com", "--extension", policy)
            self.refresh()
            self.assertEqual(self.world.ask("alias", "jdoe+x@ubuntu.com"), answer, policy)
            self.assertEqual(self.world.ask("alias", "jdoe@ubuntu.com"), "OK jdoe@home.example")
        self.assertEqual(self.world.ask("alias", "jdoe+x@kubuntu.org"), "OK jdoe+x@home.example")

    def test_roles_and_their_default(self):
        for address, target in (("postmaster@ubuntu.com", ALERTS), ("abuse+x@kubuntu.org", ALERTS),
                                ("board@ubuntu.com", "board@home.example"),
                                ("board+x@ubuntu.com", "board@home.example")):
            self.assertEqual(self.world.ask("alias", address), f"OK {target}")

    def test_the_catch_all_takes_what_nobody_has(self):
        self.assertEqual(self.world.ask("alias", "nobody@ubuntu.com"), "OK rest@home.example")
        self.assertEqual(self.world.ask("alias", "nobody@kubuntu.org"), ABSENT)
        self.lpalias("ban", "jdoe", "--reason", "x")
        for address in ("jdoe@ubuntu.com", "noor@ubuntu.com", "double-bounce@ubuntu.com",
                        "mailer-daemon@ubuntu.com"):
            self.assertEqual(self.world.ask("alias", address), ABSENT, address)
        self.lpalias("reserve", "chair@ubuntu.com")
        self.assertEqual(self.world.ask("alias", "chair@ubuntu.com"), ABSENT)


if __name__ == "__main__":
    tap.main()
