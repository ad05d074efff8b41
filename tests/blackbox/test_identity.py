"""Rows 3 and 4 of the rule table, through the real programs: a name that another account has now,
and an account that goes by another name."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from house import DOMAIN, OTHER_DOMAIN, OTHER_TEAM, TEAM, House, why_not_here

NOT_FOUND = 2
LATER = "2026-02-03T04:05:06.000007+00:00"


class IdentityCase(unittest.TestCase):
    def house(self, *arguments, **keywords):
        house = House(*arguments, **keywords)
        self.addCleanup(house.close)
        return house


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Row3(IdentityCase):
    """Same name, another date_created: the old targets are dropped, it goes on as a new person."""

    def reuse(self, house, name, teams=(TEAM,)):
        """Somebody else takes the name."""
        house.launchpad.remove_person(name)
        house.launchpad.add_person(name, date_created=LATER)
        for team in teams:
            house.launchpad.add_member(team, name)

    def test_the_new_person_gets_no_mail_of_the_old_one(self):
        house = self.house(["ann", "ben"])
        self.reuse(house, "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "pending no-target")
        house.run("query", "--cache", "alias", f"ann@{DOMAIN}", status=NOT_FOUND)
        person = house.json("show", "ann", "--show-targets")
        self.assertEqual(person["targets"], [])
        house.run("target", "set", "ann", "new-ann@home.example")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "new-ann@home.example")

    def test_in_all_domains_at_once(self):
        house = self.house(["ann", "ben"], others=["ann"])
        self.reuse(house, "ann", (TEAM, OTHER_TEAM))
        house.refresh()
        self.assertEqual(house.state("ann"), "pending no-target")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "pending no-target")

    def test_an_address_in_a_domain_of_the_old_one_is_never_the_new_ones(self):
        house = self.house(["ann", "ben"], others=["ann", "kim"])
        self.reuse(house, "ann")  # not a member of the other team
        house.refresh()
        house.run("target", "set", "ann", "new-ann@home.example")
        self.assertNotIn("new-ann", house.answer(f"ann@{OTHER_DOMAIN}", status=None))
        house.twice()
        self.assertNotIn("new-ann", house.answer(f"ann@{OTHER_DOMAIN}", status=None))
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "new-ann@home.example")

    def test_a_listing_of_one_domain_that_is_unusable_leaves_that_domain_as_it_was(self):
        house = self.house(["ann", "ben"], others=["ann"])
        self.reuse(house, "ann", (TEAM, OTHER_TEAM))
        house.launchpad.add_fault("not-found", path=f"/1.0/~{OTHER_TEAM}")
        house.refresh(status=4)
        self.assertEqual(house.state("ann"), "pending no-target")
        self.assertEqual(house.answer(f"ann@{OTHER_DOMAIN}"), "ann@home.example")
        house.launchpad.clear_faults()
        house.refresh()
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "pending no-target")

    def test_who_holds_a_reserved_name_hands_it_to_nobody(self):
        house = self.house(["ann", "ben"])
        house.world.domain_keys[DOMAIN] = 'reserved = { "ann" }'
        house.world.write_config()
        house.refresh()
        self.assertEqual(house.state("ann"), "active", "who was live keeps the name")
        self.reuse(house, "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "refused reserved")

    def test_three_at_once_are_held(self):
        house = self.house([f"m{number}" for number in range(10)])
        for name in ("m0", "m1", "m2"):
            self.reuse(house, name)
        house.refresh(status=3)
        self.assertEqual(house.answer(f"m0@{DOMAIN}"), "m0@home.example")
        house.run("plan", "release", DOMAIN)
        self.assertEqual(house.state("m0"), "pending no-target")
        self.assertEqual(house.json("show", "m0", "--show-targets")["targets"], [])
        house.refresh()


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Row4(IdentityCase):
    """A name vanished and exactly one new one has its date: the new name takes targets and history."""

    def test_the_new_name_is_active_at_once_and_the_old_one_is_delivered(self):
        house = self.house(["ann", "ben"])
        house.launchpad.rename("ann", "anna")
        report = house.refresh()
        self.assertEqual(report["renamed"], 1)
        self.assertEqual(house.state("anna"), "active")
        self.assertEqual(house.answer(f"anna@{DOMAIN}"), "ann@home.example")
        self.assertEqual(house.state("ann"), "leaving renamed")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")
        before = house.generation()
        house.twice()
        self.assertEqual(house.generation(), before)

    def test_in_all_domains(self):
        house = self.house(["ann", "ben"], others=["ann"])
        house.launchpad.rename("ann", "anna")
        house.refresh()
        self.assertEqual(house.answer(f"anna@{OTHER_DOMAIN}"), "ann@home.example")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "leaving renamed")

    def test_renames_are_neither_losses_nor_additions(self):
        names = [f"m{number:02d}" for number in range(30)]
        house = self.house(names)
        for name in names[:25]:
            house.launchpad.rename(name, f"new-{name}")
        house.refresh()
        self.assertEqual(house.state("new-m00"), "active")

    def test_back_to_the_old_name(self):
        house = self.house(["ann", "ben"])
        house.launchpad.rename("ann", "anna")
        house.refresh()
        house.run("target", "set", "anna", "later@home.example")
        house.launchpad.rename("anna", "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "active")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "later@home.example")
        self.assertEqual(house.state("anna"), "leaving renamed")

    def test_a_reserved_new_name_keeps_the_targets_and_is_refused(self):
        house = self.house(["ann", "ben"])
        house.launchpad.rename("ann", "root")
        house.refresh()
        self.assertEqual(house.state("root"), "refused reserved")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")

    def test_a_domain_without_a_listing_hands_over_when_it_has_one_again(self):
        house = self.house(["ann", "ben"], others=["ann", "kim"])
        house.run("alias", "add", f"boss@{OTHER_DOMAIN}", "--for", "ann")
        house.launchpad.rename("ann", "anna")
        house.launchpad.add_fault("not-found", path=f"/1.0/~{OTHER_TEAM}")
        house.refresh(status=4)
        house.launchpad.clear_faults()
        self.assertEqual(house.answer(f"anna@{DOMAIN}"), "ann@home.example")
        self.assertEqual(house.answer(f"ann@{OTHER_DOMAIN}"), "ann@home.example")
        house.refresh()
        self.assertEqual(house.state("anna", OTHER_DOMAIN), "active")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "leaving renamed")
        self.assertEqual(house.state("boss", OTHER_DOMAIN), "active")
        self.assertEqual(house.alias("boss", OTHER_DOMAIN)["owner"], "anna")
        before = house.generation()
        house.twice()
        self.assertEqual(house.generation(), before)
        house.run("verify")

    def test_what_was_allowed_is_a_name_and_not_an_account(self):
        house = self.house(["root", "ben"])
        house.run("alias", "allow", f"root@{DOMAIN}")
        self.assertEqual(house.state("root"), "active")
        house.launchpad.rename("root", "admin")
        house.refresh()
        self.assertEqual(house.state("admin"), "refused reserved")

    def test_two_new_names_of_the_same_date_are_no_rename(self):
        house = self.house(["ann", "ben"])
        date = house.launchpad.registry.objects["ann"]["date_created"]
        house.launchpad.rename("ann", "anna")
        house.launchpad.add_person("impostor", date_created=date)
        house.launchpad.add_member(TEAM, "impostor")
        house.refresh()
        self.assertEqual(house.state("anna"), "pending no-target")
        self.assertEqual(house.state("impostor"), "pending no-target")
        self.assertEqual(house.state("ann"), "active")

    def test_the_freed_name_goes_to_somebody_else(self):
        house = self.house(["ann", "ben"])
        house.launchpad.rename("ann", "anna")
        house.refresh()
        house.launchpad.add_person("ann", date_created=LATER)
        house.launchpad.add_member(TEAM, "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "pending no-target")
        self.assertEqual(house.answer(f"anna@{DOMAIN}"), "ann@home.example")

    def test_renamed_to_a_name_that_was_another_accounts(self):
        house = self.house(["ann", "ben", "cid"])
        house.launchpad.remove_person("cid")
        house.launchpad.rename("ann", "cid")
        house.refresh()
        self.assertEqual(house.answer(f"cid@{DOMAIN}"), "ann@home.example")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")


if __name__ == "__main__":
    tap.main()
