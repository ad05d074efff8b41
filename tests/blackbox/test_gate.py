"""The gate: how much a refresh may change by itself. A case for each sentence of docs/architecture.md
"The gate", through the real programs."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from house import DAY_S, DOMAIN, OTHER_DOMAIN, OTHER_TEAM, TEAM, House, why_not_here

HELD, NOT_FOUND = 3, 2
TEN = [f"m{number}" for number in range(10)]
FORTY = [f"m{number:02d}" for number in range(40)]


class GateCase(unittest.TestCase):
    """A house, and what is asked of it over and over."""

    def house(self, *arguments, **keywords):
        house = House(*arguments, **keywords)
        self.addCleanup(house.close)
        return house

    def names_held(self, house, domain=DOMAIN):
        plans = {plan["domain"]: plan for plan in house.json("plan", "show")}
        return sorted(row["name"] for row in plans[domain]["names"]) if domain in plans else []

    def active(self, house):
        return sum(row["state"] == "active" for row in house.json("list"))


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Losses(GateCase):
    """More losses than max(10 %, 2) of the largest live count of 24 hours hold the losses."""

    def test_two_are_always_free(self):
        house = self.house(TEN)
        house.leave("m0", "m1")
        house.twice()
        self.assertEqual(house.state("m0"), "leaving not-member")
        self.assertEqual(house.state("m1"), "leaving not-member")
        self.assertEqual(self.names_held(house), [])

    def test_a_third_holds_all_three(self):
        house = self.house(TEN)
        house.leave("m0", "m1", "m2")
        report = house.twice(status=HELD)
        self.assertEqual(report["outcome"], "held")
        self.assertEqual(report["held"], 3)
        self.assertIn("3 of 10 live aliases", report["reason"])
        self.assertEqual([house.state(name) for name in ("m0", "m1", "m2")], ["active"] * 3)
        self.assertEqual(self.names_held(house), ["m0", "m1", "m2"])
        for name in ("m0", "m1", "m2"):
            self.assertEqual(house.answer(f"{name}@{DOMAIN}"), f"{name}@home.example")

    def test_ten_per_cent_of_forty(self):
        house = self.house(FORTY)
        house.leave(*FORTY[:4])
        house.twice()
        self.assertEqual(self.active(house), 36)

    def test_one_more_than_ten_per_cent(self):
        house = self.house(FORTY)
        house.leave(*FORTY[:5])
        house.twice(status=HELD)
        self.assertEqual(self.active(house), 40)

    def test_the_share_is_configured(self):
        house = self.house(TEN, top=['refresh { max-removals = "30%" }'])
        house.leave("m0", "m1", "m2")
        house.twice()
        self.assertEqual(self.active(house), 7)

    def test_losses_of_24_hours_count_together(self):
        house = self.house(TEN)
        house.leave("m0", "m1")
        house.twice()
        house.leave("m2")
        house.twice(status=HELD)
        self.assertEqual(house.state("m2"), "active")
        house.pass_s(DAY_S)
        house.refresh()
        self.assertEqual(house.state("m2"), "leaving not-member")

    def test_a_flag_that_is_lost_is_a_loss(self):
        house = self.house(TEN)
        for name in ("m0", "m1", "m2"):
            house.launchpad.set_person(name, is_valid=False)
        house.twice(status=HELD)
        self.assertEqual(self.active(house), 10)

    def test_what_an_operator_does_is_no_loss(self):
        house = self.house(TEN)
        for name in TEN[:4]:
            house.run("target", "clear", name)
        house.leave("m8", "m9")
        house.twice()
        self.assertEqual(self.active(house), 4)

    def test_other_changes_go_on_while_losses_are_held(self):
        house = self.house(TEN)
        house.leave("m0", "m1", "m2")
        house.join("newcomer")
        house.twice(status=HELD)
        self.assertEqual(house.state("newcomer"), "pending no-target")

    def test_other_domains_are_not_affected(self):
        house = self.house(TEN, others=["kim"])
        house.leave("m0", "m1", "m2")
        house.join("kay", team="kubuntu-members")
        house.twice(status=HELD)
        self.assertEqual(house.state("kay", OTHER_DOMAIN), "pending no-target")
        self.assertEqual(self.names_held(house, OTHER_DOMAIN), [])


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Additions(GateCase):
    """More additions than max(20 %, 20), except at the first fill, hold the additions."""

    def test_twenty_are_always_free(self):
        house = self.house(TEN)
        house.join(*(f"new{number}" for number in range(20)))
        house.refresh()
        self.assertEqual(house.state("new19"), "pending no-target")

    def test_the_twenty_first_holds_them_all(self):
        house = self.house(TEN)
        house.join(*(f"new{number}" for number in range(21)))
        report = house.refresh(status=HELD)
        self.assertEqual(report["held"], 21)
        self.assertIn("21 names would come", report["reason"])
        self.assertIsNone(house.state("new0"))
        self.assertEqual(self.active(house), 10)

    def test_the_first_fill_is_free(self):
        house = self.house([f"m{number:03d}" for number in range(60)])
        self.assertEqual(self.active(house), 60)

    def test_losses_go_on_while_additions_are_held(self):
        house = self.house(TEN)
        house.join(*(f"new{number}" for number in range(21)))
        house.leave("m0")
        house.twice(status=HELD)
        self.assertEqual(house.state("m0"), "leaving not-member")
        self.assertIsNone(house.state("new0"))

    def test_who_is_refused_is_no_addition(self):
        house = self.house(TEN)
        names = [f"new{number}" for number in range(30)]
        house.join(*names)
        for name in names:
            house.launchpad.set_person(name, is_ubuntu_coc_signer=False)
        house.refresh()
        self.assertEqual(house.state("new0"), "refused coc-not-signed")


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Everything(GateCase):
    """An empty team, a changed team pin or a changed `team` in the configuration holds all."""

    def test_empty_team(self):
        house = self.house(["ann", "ben"])
        house.leave("ann", "ben")
        for _ in range(3):
            self.assertIn("no members", house.refresh(status=HELD)["reason"])
        self.assertEqual(self.active(house), 2)
        self.assertEqual(self.names_held(house), ["ann", "ben"])

    def test_another_team_of_the_name(self):
        house = self.house(["ann"])
        house.launchpad.set_person(TEAM, date_created="2026-01-01T00:00:00+00:00")
        house.join("newcomer")
        self.assertIn("not the team it was", house.refresh(status=HELD)["reason"])
        self.assertIsNone(house.state("newcomer"))

    def test_another_team_in_the_configuration(self):
        house = self.house(["ann"])
        house.launchpad.add_team("another-team")
        house.join("bob", team="another-team")
        house.world.domains[DOMAIN] = "another-team"
        house.world.write_config()
        self.assertIn("the configuration now says", house.refresh(status=HELD)["reason"])
        self.assertEqual(self.names_held(house), ["ann", "bob"])
        self.assertEqual(house.state("ann"), "active")
        house.run("plan", "release", DOMAIN)
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual(house.state("bob"), "pending no-target")
        house.refresh()

    def test_a_released_empty_team_is_believed(self):
        house = self.house(["ann"])
        house.leave("ann")
        house.refresh(status=HELD)
        house.run("plan", "release", DOMAIN)
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")
        house.refresh()
        self.assertEqual(self.names_held(house), [])


@unittest.skipIf(why_not_here(), why_not_here() or "")
class HeldPlans(GateCase):
    """They wait for release or discard; a newer usable listing outdates them."""

    def held(self):
        house = self.house(TEN)
        house.leave("m0", "m1", "m2")
        house.twice(status=HELD)
        return house

    def test_the_same_listing_keeps_the_plan_and_the_generation(self):
        house = self.held()
        before = house.generation()
        house.refresh(status=HELD)
        self.assertEqual(house.generation(), before)

    def test_released(self):
        house = self.held()
        shown = house.run("plan", "show", DOMAIN).stdout
        for words in ("losses", "m0", "leaving", "not-member"):
            self.assertIn(words, shown)
        house.run("plan", "release", DOMAIN)
        self.assertEqual([house.state(name) for name in ("m0", "m1", "m2")],
                         ["leaving not-member"] * 3)
        house.refresh()
        self.assertEqual(self.active(house), 7)

    def test_release_leaves_rows_that_changed_since(self):
        house = self.held()
        house.run("target", "set", "m1", "elsewhere@home.example")
        ran = house.run("plan", "release", DOMAIN)
        self.assertIn("2 names applied, 1 skipped", ran.stdout)
        self.assertIn("m1", ran.stdout)
        self.assertEqual(house.state("m1"), "active")

    def test_decisions_as_json(self):
        house = self.held()
        said = json.loads(house.run("plan", "discard", DOMAIN, "--json").stdout)
        self.assertEqual((said["domain"], type(said["generation"])), (DOMAIN, int))
        house.run("target", "set", "m1", "elsewhere@home.example")
        said = json.loads(house.run("plan", "release", DOMAIN, "--json").stdout)
        self.assertEqual((said["domain"], said["applied"], said["skipped"]), (DOMAIN, 2, ["m1"]))

    def test_a_newer_listing_outdates_it(self):
        house = self.held()
        number = house.json("plan", "show")[0]["number"]
        house.leave("m3")
        house.twice(status=HELD)
        ran = house.run("plan", "release", DOMAIN, "--number", str(number), status=HELD)
        self.assertIn("newer listing", ran.stderr)
        house.run("plan", "discard", DOMAIN, "--number", str(number), status=HELD)
        self.assertEqual(self.active(house), 10)
        self.assertEqual(self.names_held(house), ["m0", "m1", "m2", "m3"])

    def test_it_goes_when_nothing_is_held_any_more(self):
        house = self.held()
        house.launchpad.add_member(TEAM, "m0")
        house.refresh()
        self.assertEqual(self.names_held(house), [])
        self.assertEqual(house.state("m1"), "leaving not-member")
        ran = house.run("plan", "release", DOMAIN, status=NOT_FOUND)
        self.assertIn("nothing of", ran.stderr)

    def test_an_unusable_listing_keeps_it(self):
        house = self.held()
        house.launchpad.add_fault("not-found", path=f"/1.0/~{TEAM}")
        house.refresh(status=4)
        self.assertEqual(self.names_held(house), ["m0", "m1", "m2"])

    def test_discarded_it_waits_until_the_listing_says_another_thing(self):
        house = self.held()
        house.run("plan", "discard", DOMAIN)
        house.refresh()
        self.assertEqual(self.active(house), 10)
        self.assertTrue(house.json("plan", "show")[0]["discarded"])
        house.leave("m3")
        house.twice(status=HELD)
        self.assertFalse(house.json("plan", "show")[0]["discarded"])

    def test_held_additions_are_released_with_their_people(self):
        house = self.house(TEN)
        names = [f"new{number}" for number in range(21)]
        house.join(*names)
        house.refresh(status=HELD)
        house.run("plan", "release", DOMAIN)
        self.assertEqual({house.state(name) for name in names}, {"pending no-target"})
        house.run("target", "set", "new0", "new@home.example")
        self.assertEqual(house.answer(f"new0@{DOMAIN}"), "new@home.example")
        house.refresh()


    def test_it_goes_with_its_domain(self):
        house = self.house(["ann"], others=["kim"])
        house.join(*TEN, *FORTY, team=OTHER_TEAM)
        house.refresh(status=HELD)
        del house.world.domains[OTHER_DOMAIN]
        house.world.write_config()
        house.run("domain", "remove", OTHER_DOMAIN, "--yes")
        self.assertEqual(self.names_held(house, OTHER_DOMAIN), [])
        house.run("plan", "release", OTHER_DOMAIN, status=NOT_FOUND)
        house.run("verify")


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Clock(GateCase):
    """Behind the last refresh or more than 7 days ahead of it, nothing changes by time alone."""

    def test_a_clock_far_ahead_confirms_no_absence(self):
        house = self.house(TEN)
        house.leave("m0")
        house.refresh()
        house.refresh(after_s=8 * DAY_S)
        self.assertEqual(house.state("m0"), "active")
        house.refresh()
        self.assertEqual(house.state("m0"), "leaving not-member")

    def test_a_clock_that_goes_back_confirms_no_absence(self):
        house = self.house(TEN)
        house.pass_s(DAY_S)
        house.leave("m0")
        house.refresh()
        house.refresh(after_s=-3600)
        self.assertEqual(house.state("m0"), "active")

    def test_a_grace_does_not_end_by_a_clock_far_ahead(self):
        house = self.house(TEN, domain_keys="grace = 1d")
        house.leave("m0")
        house.twice()
        house.refresh(after_s=DAY_S // 2)
        house.refresh(after_s=30 * DAY_S)
        self.assertEqual(house.state("m0"), "leaving not-member")
        house.refresh()
        self.assertEqual(house.state("m0"), "gone grace-over")

    def test_the_absence_must_be_seen_on_twenty_days(self):
        house = self.house(TEN)
        house.leave("m0")
        house.twice()
        for _ in range(6):  # a refresh every 6 days: the time is over, the days are not
            house.refresh(after_s=6 * DAY_S)
        self.assertEqual(house.state("m0"), "leaving not-member")
        for _ in range(13):
            house.refresh(after_s=DAY_S)
        self.assertEqual(house.state("m0"), "gone grace-over")
        house.run("query", "--cache", "alias", f"m0@{DOMAIN}", status=NOT_FOUND)


if __name__ == "__main__":
    tap.main()
