"""Taking a refresh back, the history, and verify: each sentence about them, through the real programs.
After every roll-back the cache agrees with itself."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from house import DAY_S, DOMAIN, OTHER_DOMAIN, OTHER_TEAM, TEAM, House, why_not_here

FAILED, NOT_FOUND, HELD, USAGE = 1, 2, 3, 64
LATER = "2026-02-03T04:05:06.000007+00:00"
NAMES = ["ann", "ben", "cid", "dan", "eve"]


class RollbackCase(unittest.TestCase):
    """A house whose last refresh may be taken back."""

    def house(self, *arguments, **keywords):
        house = House(*arguments, **keywords)
        self.addCleanup(house.close)
        return house

    def rows(self, house, domain=DOMAIN):
        """All aliases of the domain with everything that is told of them."""
        return {row["address"].partition("@")[0]: row
                for row in house.json("list", "--domain", domain, "--show-targets")}

    def roll_back(self, house, *arguments, domain=DOMAIN):
        """Takes the refresh back; what it says. No row of the audit log is missing then, and the cache
        agrees with itself."""
        before = house.json("history")
        report = house.json("rollback", domain, *arguments, "--yes")
        after = house.json("history")
        self.assertEqual(after[:len(before)], before)
        house.run("verify")
        return report

    def refreshed(self, house):
        """The generation of the last refresh that changed an alias; alarms may have come since."""
        return house.json("history", "--actor", "refresh", "--act", "alias.",
                          "--limit", "1")[0]["generation"]

    def names(self, rows):
        return [row["name"] for row in rows]


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Reverses(RollbackCase):
    """It reverses one refresh of one domain."""

    def test_leavers_are_live_again_as_they_were(self):
        house = self.house(NAMES)
        before = self.rows(house)
        house.leave("ann", "ben")
        house.twice()
        self.assertEqual(house.state("ann"), "leaving not-member")
        report = self.roll_back(house)
        self.assertEqual(self.names(report["restored"]), ["ann", "ben"])
        self.assertEqual(report["restored"][0],
                         {"name": "ann", "before": "leaving", "after": "active"})
        self.assertEqual(report["skipped"], [])
        self.assertEqual(self.rows(house), before)
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")

    def test_the_other_domain_stays_as_that_refresh_left_it(self):
        house = self.house(NAMES, others=NAMES)
        house.leave("ann")
        house.leave("ann", team=OTHER_TEAM)
        house.twice()
        self.roll_back(house)
        self.assertEqual(house.state("ann"), "active")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "leaving not-member")

    def test_who_joined_goes_away_as_if_never_seen(self):
        house = self.house(NAMES)
        before = self.rows(house)
        house.join("fay")
        house.refresh()
        self.assertEqual(house.state("fay"), "pending no-target")
        report = self.roll_back(house)
        self.assertEqual(report["restored"], [{"name": "fay", "before": "pending", "after": None}])
        self.assertEqual(self.rows(house), before)
        house.run("show", "fay", status=NOT_FOUND)

    def test_who_joined_two_domains_stays_a_person_of_the_other(self):
        house = self.house(NAMES, others=["kim"])
        house.join("fay")
        house.launchpad.add_member(OTHER_TEAM, "fay")
        house.refresh()
        self.roll_back(house)
        self.assertIsNone(house.alias("fay"))
        self.assertEqual(house.state("fay", OTHER_DOMAIN), "pending no-target")
        house.run("target", "set", "fay", "fay@home.example")
        self.assertEqual(house.state("fay", OTHER_DOMAIN), "active")

    def test_who_was_refused_before_is_so_again(self):
        house = self.house(NAMES)
        house.join("fay")
        house.launchpad.set_person("fay", is_ubuntu_coc_signer=False)
        house.refresh()
        house.run("target", "set", "fay", "fay@home.example")
        self.assertEqual(house.state("fay"), "refused coc-not-signed")
        house.launchpad.set_person("fay", is_ubuntu_coc_signer=True)
        house.refresh()
        self.assertEqual(house.state("fay"), "active")
        self.roll_back(house)
        self.assertEqual(house.state("fay"), "refused coc-not-signed")

    def test_the_grace_goes_on_as_if_it_had_not_been_broken(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        since = house.alias("ann")["since"]
        house.pass_s(10 * DAY_S)
        house.launchpad.add_member(TEAM, "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "active")
        self.roll_back(house)
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual(house.alias("ann")["since"], since)
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")

    def test_what_was_only_doubted_is_doubted_anew(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.refresh()
        house.refresh()
        self.roll_back(house)
        house.run("plan", "release", DOMAIN)
        house.launchpad.add_member(TEAM, "ann")
        self.assertEqual(house.refresh()["doubted"], 0)
        house.leave("ann")
        self.assertEqual(house.refresh()["doubted"], 1)
        self.assertEqual(house.state("ann"), "active")
        house.refresh()
        self.assertEqual(house.state("ann"), "leaving not-member")

    def test_an_older_refresh_after_days_of_grace(self):
        """Refreshes have counted the days of the grace since, which is no change of the row."""
        house = self.house(NAMES)
        before = self.rows(house)
        house.leave("ann", "ben")
        house.twice()
        generation = self.refreshed(house)
        for _ in range(3):
            house.pass_s(DAY_S)
            house.refresh()
        self.assertGreater(house.generation(), generation)
        # By default the last one that changed an alias, and not what only counted a day.
        report = self.roll_back(house)
        self.assertEqual(report["refresh_generation"], generation)
        self.assertEqual(self.rows(house), before)

    def test_any_kept_refresh_by_its_generation(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        first = self.refreshed(house)
        house.leave("ben")
        house.twice()
        self.roll_back(house, str(first))
        self.assertEqual(house.state("ann"), "active")
        self.assertEqual(house.state("ben"), "leaving not-member")

    def test_a_rename(self):
        house = self.house(NAMES)
        before = self.rows(house)
        house.launchpad.rename("ann", "anna")
        house.refresh()
        self.assertEqual(house.state("anna"), "active")
        self.roll_back(house)
        self.assertEqual(self.rows(house), before)
        house.run("show", "anna", status=NOT_FOUND)
        house.run("plan", "release", DOMAIN)
        house.refresh()
        self.assertEqual(house.state("anna"), "active")
        self.assertEqual(house.state("ann"), "leaving renamed")

    def test_an_extra_alias_goes_back_to_who_had_it(self):
        house = self.house(NAMES)
        house.run("alias", "add", f"a.nn@{DOMAIN}", "--for", "ann")
        before = self.rows(house)
        house.launchpad.rename("ann", "anna")
        house.refresh()
        self.assertEqual(house.alias("a.nn")["owner"], "anna")
        self.roll_back(house)
        self.assertEqual(self.rows(house), before)

    def test_or_stays_when_who_has_it_was_changed_since(self):
        house = self.house(NAMES)
        house.run("alias", "add", f"a.nn@{DOMAIN}", "--for", "ann")
        house.launchpad.rename("ann", "anna")
        house.refresh()
        house.run("target", "set", "anna", "later@home.example")
        before = self.rows(house)
        report = self.roll_back(house)
        self.assertEqual(self.names(report["skipped"]), ["ann", "anna"])
        self.assertEqual(self.rows(house), before)
        self.assertEqual(house.answer(f"a.nn@{DOMAIN}"), "later@home.example")

    def test_a_rename_in_two_domains_goes_back_in_one(self):
        house = self.house(NAMES, others=["ann"])
        house.launchpad.rename("ann", "anna")
        house.refresh()
        self.roll_back(house)
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")
        self.assertEqual(house.state("ann"), "active")
        self.assertIsNone(house.alias("anna"))
        self.assertEqual(house.answer(f"anna@{OTHER_DOMAIN}"), "ann@home.example")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "leaving renamed")

    def test_after_a_rotation_of_the_keys(self):
        """Values were sealed anew since, here and in undo, and say the same."""
        house = self.house(NAMES, others=["ann"])
        house.launchpad.rename("ann", "anna")
        house.leave("ben")
        house.twice()
        generation = self.refreshed(house)
        house.run("key", "rotate")
        self.roll_back(house, str(generation))
        self.assertEqual(house.answer(f"ben@{DOMAIN}"), "ben@home.example")
        renamed = next(event["generation"] for event in house.json("history")
                       if event["act"] == "person.renamed")
        house.run("key", "rotate")
        self.roll_back(house, str(renamed))
        self.assertEqual(house.state("ann"), "active")
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "ann@home.example")
        self.assertEqual(house.state("ann", OTHER_DOMAIN), "leaving renamed")

    def reuse(self, house, *teams):
        """Somebody else takes ann's name."""
        house.launchpad.remove_person("ann")
        house.launchpad.add_person("ann", date_created=LATER)
        for team in teams:
            house.launchpad.add_member(team, "ann")
        house.refresh()
        self.assertEqual(house.state("ann"), "pending no-target")

    def test_a_name_that_another_account_took(self):
        house = self.house(NAMES)
        before = self.rows(house)
        self.reuse(house, TEAM)
        self.roll_back(house)
        self.assertEqual(self.rows(house), before)

    def test_a_name_that_another_account_took_in_two_domains_is_skipped(self):
        house = self.house(NAMES, others=["ann"])
        self.reuse(house, TEAM, OTHER_TEAM)
        house.run("target", "set", "ann", "new-ann@home.example")
        report = self.roll_back(house)
        self.assertEqual(self.names(report["skipped"]), ["ann"])
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "new-ann@home.example")

    def test_the_new_account_is_not_given_the_old_ones_targets(self):
        house = self.house(NAMES, others=["ann"])
        self.reuse(house, TEAM, OTHER_TEAM)
        report = self.roll_back(house)
        self.assertEqual(self.names(report["skipped"]), ["ann"])
        self.assertIn("other domains", report["skipped"][0]["reason"])
        house.run("query", "--cache", "alias", f"ann@{DOMAIN}", status=NOT_FOUND)
        house.run("query", "--cache", "alias", f"ann@{OTHER_DOMAIN}", status=NOT_FOUND)

    def test_the_first_fill(self):
        """The domain is then as if it had never been filled: the next refresh may fill it anew."""
        house = self.house(NAMES)
        house.world.domains["lubuntu.me"] = "lubuntu-members"
        names = [f"m{number:02d}" for number in range(40)]
        house.launchpad.add_team("lubuntu-members")
        house.join(*names, team="lubuntu-members")
        house.world.write_config()
        house.refresh()
        self.assertEqual(len(self.rows(house, "lubuntu.me")), 40)
        report = self.roll_back(house, domain="lubuntu.me")
        self.assertEqual(self.names(report["restored"]), names)
        self.assertEqual(self.rows(house, "lubuntu.me"), {})
        self.assertEqual(len(self.rows(house)), len(NAMES))
        house.refresh(status=HELD)
        self.assertEqual(self.rows(house, "lubuntu.me"), {})
        house.run("plan", "release", "lubuntu.me")
        house.refresh()
        self.assertEqual(len(self.rows(house, "lubuntu.me")), 40)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Skips(RollbackCase):
    """What was changed since stays as it is, and is listed."""

    def setUp(self):
        self.house_ = self.house(NAMES)
        self.house_.leave("ann", "ben")
        self.house_.refresh()
        self.house_.join("fay", "gus")
        self.house_.refresh()

    def skips(self, name, because):
        """Only the row of that name is skipped; what it answers stays."""
        house = self.house_
        before = self.rows(house)
        report = self.roll_back(house)
        self.assertEqual(self.names(report["skipped"]), [name])
        self.assertIn(because, report["skipped"][0]["reason"])
        self.assertEqual(self.rows(house)[name], before[name])
        return report

    def test_new_targets_of_who_is_leaving(self):
        self.house_.run("target", "set", "ann", "later@home.example")
        self.skips("ann", "changed since")
        self.assertEqual(self.house_.answer(f"ann@{DOMAIN}"), "later@home.example")
        self.assertEqual(self.house_.state("ben"), "active")

    def test_new_targets_of_a_name_that_is_not_delivered(self):
        """The alias itself has not changed, and its old targets must not come back."""
        self.house_ = house = self.house(NAMES, domain_keys="during-grace = reject")
        house.leave("ann")
        house.twice()
        house.run("target", "set", "ann", "later@home.example")
        self.skips("ann", "the person was changed since")
        house.launchpad.add_member(TEAM, "ann")
        house.refresh()
        self.assertEqual(house.answer(f"ann@{DOMAIN}"), "later@home.example")

    def test_a_newcomer_with_targets_stays(self):
        self.house_.run("target", "set", "fay", "fay@home.example")
        self.skips("fay", "changed since")
        self.assertEqual(self.house_.answer(f"fay@{DOMAIN}"), "fay@home.example")
        self.assertIsNone(self.house_.alias("gus"))

    def test_a_ban_since(self):
        self.house_.run("ban", "ann", "--reason", "spam")
        self.skips("ann", "changed since")
        self.assertEqual(self.house_.state("ann"), "refused banned")

    def test_nothing_is_revived_that_was_erased(self):
        """The tombstone stays, without targets, whoever the refresh had made leave."""
        house = self.house_
        house.run("erase", "ann", "--yes")
        before = self.rows(house)
        report = self.roll_back(house)
        self.assertNotIn("ann", self.names(report["restored"]))
        self.assertEqual(self.rows(house)["ann"], before["ann"])
        house.run("query", "--cache", "alias", f"ann@{DOMAIN}", status=NOT_FOUND)
        self.assertEqual(house.json("show", "ann", "--show-targets")["targets"], [])
        self.assertEqual(house.state("ben"), "active")

    def test_an_extra_alias_made_since(self):
        house = self.house_
        house.launchpad.add_member(TEAM, "ann")
        house.refresh()
        generation = self.refreshed(house)
        house.run("alias", "add", f"a.nn@{DOMAIN}", "--for", "ann")
        report = self.roll_back(house, str(generation))
        self.assertEqual(self.names(report["skipped"]), ["ann"])
        self.assertEqual(house.state("a.nn"), "active")

    def test_a_later_refresh(self):
        house = self.house_
        generation = self.refreshed(house)
        house.launchpad.add_member(TEAM, "ann")
        house.refresh()
        report = self.roll_back(house, str(generation))
        self.assertEqual(self.names(report["skipped"]), ["ann"])
        self.assertEqual(house.state("ann"), "active")

    def test_they_are_shown_to_people_too(self):
        self.house_.run("target", "set", "ann", "later@home.example")
        shown = self.house_.run("rollback", DOMAIN, "--yes").stdout
        self.assertIn("3 names went back, 1 skipped", shown)
        self.assertRegex(shown, r"(?m)^ann\s+leaving\s+leaving\s+its rows were changed since$")
        self.assertNotIn("home.example", shown)

    def test_asked_again_nothing_is_left_to_do(self):
        house = self.house_
        self.roll_back(house)
        before = house.generation()
        report = self.roll_back(house)
        self.assertEqual((report["restored"], report["skipped"]), ([], []))
        self.assertEqual(report["already"], 4)
        self.assertEqual(house.generation(), before)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Holds(RollbackCase):
    """The domain is held until it is released."""

    def setUp(self):
        self.house_ = house = self.house(NAMES, others=["kim"])
        house.leave("ann")
        house.twice()
        self.generation = self.refreshed(house)
        self.roll_back(house)

    def test_no_refresh_touches_it_until_it_is_released(self):
        house = self.house_
        before = self.rows(house)
        house.join("fay")
        house.join("gus", team=OTHER_TEAM)
        report = house.twice(status=HELD)
        self.assertEqual(report["outcome"], "held")
        self.assertIn(f"rolled back to before generation {self.generation}", report["reason"])
        self.assertEqual(self.rows(house), before)
        self.assertEqual(house.state("gus", OTHER_DOMAIN), "pending no-target")
        house.run("plan", "release", DOMAIN)
        house.twice()
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual(house.state("fay"), "pending no-target")

    def waiting(self, house):
        """Notices that are not handed over, as nobody takes them here."""
        return [(row["sequence"], row["kind"], row["audience"], row["name"])
                for row in house.json("notify", "--list")]

    def test_it_sends_no_mail_and_nobody_is_told_twice(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        told = self.waiting(house)
        of_ann = [notice for notice in told if notice[3] == "ann"]
        self.assertEqual({notice[1:3] for notice in of_ann if notice[1] == "leaving"},
                         {("leaving", "person"), ("leaving", "admins")})
        self.roll_back(house)
        self.assertEqual(self.waiting(house), told)
        house.run("plan", "release", DOMAIN)
        house.twice()
        self.assertEqual(house.state("ann"), "leaving not-member")
        self.assertEqual([notice for notice in self.waiting(house) if notice[3] == "ann"], of_ann)

    def test_a_plan_that_was_held_goes_with_it(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        house.leave("ben", "cid", "dan")
        house.twice(status=HELD)
        self.assertEqual(len(house.json("plan", "show")), 1)
        self.roll_back(house)
        house.run("plan", "release", DOMAIN)
        self.assertEqual(house.state("ben"), "active")

    def test_it_is_in_the_history(self):
        log = self.house_.json("history", "--domain", DOMAIN, "--act", "domain.")
        self.assertEqual(log[-1]["act"], "domain.rollback")
        self.assertTrue(log[-1]["actor"].startswith("operator:"))
        self.assertIn(f"before generation {self.generation}", log[-1]["detail"])
        self.assertEqual(log[-1]["generation"], self.house_.generation())
        last = self.house_.json("history", "--name", "ann", "--limit", "1")
        self.assertEqual([event["act"] for event in last], ["alias.active"])


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Asks(RollbackCase):
    """How it is called."""

    def test_a_dry_run_writes_nothing(self):
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        before = house.generation()
        report = house.json("rollback", DOMAIN, "--dry-run")
        self.assertEqual(self.names(report["restored"]), ["ann"])
        self.assertIn("ann", house.run("rollback", DOMAIN, "-n").stdout)
        self.assertEqual(house.generation(), before)
        self.assertEqual(house.state("ann"), "leaving not-member")

    def test_what_cannot_be_rolled_back(self):
        house = self.house(NAMES, others=["kim"])
        house.run("rollback", DOMAIN, status=USAGE)
        house.run("rollback", DOMAIN, "x", "--yes", status=USAGE)
        self.assertIn("not in the cache",
                      house.run("rollback", "foreign.example", "--yes", status=NOT_FOUND).stderr)
        by_hand = house.generation()  # opening a domain
        self.assertIn("not made by a refresh",
                      house.run("rollback", DOMAIN, str(by_hand), "--yes", status=NOT_FOUND).stderr)
        self.assertIn("not made by a refresh",
                      house.run("rollback", DOMAIN, "999", "--yes", status=NOT_FOUND).stderr)
        house.join("fay")
        house.refresh()
        self.assertIn("changed nothing of",
                      house.run("rollback", OTHER_DOMAIN, str(self.refreshed(house)), "--yes",
                                status=NOT_FOUND).stderr)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Forgets(RollbackCase):
    """What was before a refresh is kept for 30 days or 20 refreshes, whichever is longer."""

    def setUp(self):
        """A refresh that changed something; its generation."""
        self.house_ = house = self.house(NAMES)
        house.join("fay")
        house.refresh()
        self.generation = str(self.refreshed(house))

    def change(self, count, days):
        """So many refreshes with so many days before each; somebody joins each time."""
        for _ in range(count):
            self.house_.pass_s(days * DAY_S)
            self.house_.join(f"n{self.house_.now_s}")
            self.house_.refresh()

    def is_kept(self):
        ran = self.house_.run("rollback", DOMAIN, self.generation, "--dry-run", status=None)
        self.assertIn(ran.status, (0, NOT_FOUND))
        return ran.status == 0

    def test_20_refreshes_even_after_30_days(self):
        self.change(19, 5)
        self.assertTrue(self.is_kept())
        self.change(1, 5)
        self.house_.refresh()  # by now 20 others are kept
        self.assertFalse(self.is_kept())

    def test_30_days_even_after_20_refreshes(self):
        self.change(25, 1)
        self.assertTrue(self.is_kept())
        self.change(2, 3)
        self.assertFalse(self.is_kept())
        self.house_.refresh()
        before = self.house_.generation()
        self.house_.refresh()
        self.assertEqual(self.house_.generation(), before, "nothing to do, and something written")

    def test_a_clock_that_is_not_trusted_forgets_nothing(self):
        self.change(20, 0)
        self.house_.pass_s(400 * DAY_S)
        self.house_.refresh()
        self.assertTrue(self.is_kept())
        self.house_.refresh()
        self.assertFalse(self.is_kept())


@unittest.skipIf(why_not_here(), why_not_here() or "")
class History(RollbackCase):
    """Who did what, newest last."""

    @classmethod
    def setUpClass(cls):
        cls.shared = house = House(["ann", "ben"], others=["kim"])
        cls.addClassCleanup(house.close)
        house.leave("ann")
        house.pass_s(DAY_S)
        house.twice()

    def acts(self, *arguments):
        return [(event["actor"].partition(":")[0], event["act"], event["domain"], event["subject"])
                for event in self.shared.json("history", *arguments)]

    def test_order_and_filters(self):
        events = self.shared.json("history")
        sequences = [event["sequence"] for event in events]
        self.assertEqual(sequences, sorted(set(sequences)))
        self.assertEqual(self.acts()[-1], ("refresh", "alias.leaving", DOMAIN, "ann"))
        self.assertEqual(self.acts("--name", "kim", "--act", "alias."),
                         [("refresh", "alias.pending", OTHER_DOMAIN, "kim"),
                          ("operator", "alias.active", OTHER_DOMAIN, "kim")])
        self.assertEqual({row[2] for row in self.acts("--domain", OTHER_DOMAIN)}, {OTHER_DOMAIN})
        self.assertEqual({row[0] for row in self.acts("--actor", "refresh")}, {"refresh"})
        self.assertEqual(self.acts("--limit", "1"), self.acts()[-1:])
        self.assertEqual(self.acts("--limit", "3"), self.acts()[-3:])
        self.assertEqual(self.acts("--limit", "999"), self.acts())
        self.assertEqual(self.acts("--name", "nobody"), [])

    def test_an_operator_by_name(self):
        actor = next(event["actor"] for event in self.shared.json("history")
                     if event["actor"].startswith("operator:"))
        wanted = self.acts("--actor", actor)
        self.assertNotEqual(wanted, [])
        self.assertEqual(self.acts("--actor", actor.partition(":")[2]), wanted)

    def test_times(self):
        self.assertEqual(self.acts("--since", "12h"), self.acts()[-1:])
        self.assertEqual(self.acts("--until", "12h"), self.acts()[:-1])
        last = self.shared.json("history")[-1]["at"]
        self.assertEqual(self.acts("--since", last), self.acts()[-1:])
        self.assertEqual(self.acts("--until", "2020-01-01"), [])
        self.shared.run("history", "--since", "yesterday", status=USAGE)
        self.shared.run("history", "--limit", "0", status=USAGE)

    def test_for_people_and_without_targets(self):
        shown = self.shared.run("history").stdout
        self.assertEqual(len(shown.splitlines()), len(self.acts()) + 1)
        self.assertNotIn("home.example", shown)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Verify(RollbackCase):
    """Recomputes what follows from the rows."""

    def test_a_cache_that_agrees(self):
        house = self.house(NAMES)
        self.assertIn("nothing differs", house.run("verify").stdout)
        self.assertEqual(house.json("verify"), [])

    def test_a_rule_that_is_another_now(self):
        """Grace that is not delivered any more shows until the next refresh has acted on it."""
        house = self.house(NAMES)
        house.leave("ann")
        house.twice()
        house.run("verify")
        house.world.domain_keys[DOMAIN] = "during-grace = reject"
        house.world.write_config()
        self.assertEqual(house.json("verify", status=FAILED),
                         [{"domain": DOMAIN, "subject": "ann",
                           "difference": "is leaving (not-member), delivered; by the rules it is "
                                         "leaving (not-member), not delivered"}])
        shown = house.run("verify", status=FAILED).stdout
        self.assertIn(f"ann@{DOMAIN} is leaving", shown)
        self.assertIn("1 differ", shown)
        house.refresh()
        house.run("verify")


if __name__ == "__main__":
    tap.main()
