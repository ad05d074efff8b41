"""Looks at one person with src/launchpad from the stand-in Launchpad: who is behind a login, and in which
teams. Whatever the stand-in does wrong, a "no" is never made of it."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from launchpad_standin import FAULTS, LaunchpadStandIn

PROBE = os.environ.get("LOOK_PROBE")
BY_OPENID, TEAMS = "getByOpenIDIdentifier", "super_teams"
MEMBER, INNER, OUTER, NOT = "members", "inner", "outer", "strangers"
ASKED = [MEMBER, OUTER, NOT]
MANY = 25  # more than two pages

# What is an answer like any other: that takes nothing from anybody, as a login never does.
HONEST_NO = {BY_OPENID: {"json-null"}, TEAMS: {"gone", "empty-team"}}


def setUpModule():
    if not PROBE:
        raise unittest.SkipTest("LOOK_PROBE is not set")


def people():
    teams = {MEMBER: {"members": ["jdoe"]}, INNER: {"members": ["jdoe"]},
             OUTER: {"members": [INNER]}, NOT: {"members": ["kim"]}}
    teams |= {f"team{number:02d}": {"members": ["jdoe"]} for number in range(MANY)}
    return {"people": {"jdoe": {}, "kim": {}}, "teams": teams}


class LookCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = LaunchpadStandIn(people(), page_size=10)
        cls.standin.start()
        cls.addClassCleanup(cls.standin.stop)

    def setUp(self):
        self.standin.reset()

    def identifier(self, name):
        return "https://login.launchpad.net/+id/" + self.standin.registry.objects[name]["openid"]

    def look(self, identifier=None, teams=ASKED, timeout_ms=60000, total_ms=60000):
        ran = subprocess.run([PROBE, self.standin.root, str(timeout_ms), str(total_ms),
                              identifier or self.identifier("jdoe"), *teams],
                             capture_output=True, text=True, timeout=120, check=True)
        return json.loads(ran.stdout)


class Look(LookCase):
    def test_all_is_well(self):
        seen = self.look()
        self.assertEqual((seen["answer"], seen["name"], seen["is_valid"], seen["is_signer"]),
                         ("found", "jdoe", True, True))
        self.assertEqual(seen["teams"], {MEMBER: "yes", OUTER: "yes", NOT: "no"})
        self.assertEqual(seen["problem"], "")
        self.assertGreater(seen["dates"][MEMBER], 0)
        self.assertEqual([each["path"].split("?")[0] for each in self.standin.log()],
                         ["/devel/people"] + 3 * ["/1.0/~jdoe/super_teams"])
        self.assertFalse(any(each["authorization"] for each in self.standin.log()))

    def test_nobody_is_behind_it(self):
        seen = self.look("https://login.launchpad.net/+id/nobody")
        self.assertEqual((seen["answer"], seen["name"], seen["problem"]), ("absent", None, ""))
        self.assertEqual(set(seen["teams"].values()), {"unknown"})

    def test_what_is_asked_is_encoded(self):
        self.look("https://login.launchpad.net/+id/a&ws.op=b#c d\u00e9")
        self.assertIn("identifier=https%3A%2F%2Flogin.launchpad.net%2F%2Bid%2Fa%26ws.op%3Db%23c%20d"
                      "%C3%A9", self.standin.log()[0]["path"])

    def test_a_team_twice_and_no_team(self):
        self.assertEqual(self.look(teams=[MEMBER, MEMBER])["teams"], {MEMBER: "yes"})
        self.assertEqual(self.look(teams=[])["answer"], "found")

    def test_a_suspended_account(self):
        self.standin.set_person("jdoe", suspended=True)
        seen = self.look()
        self.assertEqual((seen["answer"], seen["is_valid"], set(seen["teams"].values())),
                         ("found", False, {"no"}))

    def test_a_table_that_moves_is_read_again(self):
        self.standin.add_fault("total-changed", match="memo=10", hits=1)
        self.assertEqual(self.look()["teams"][NOT], "no")
        self.standin.add_fault("total-changed", match="memo=10")
        self.assertEqual(self.look()["teams"][NOT], "unknown")

    def test_more_pages_than_there_may_be(self):
        for number in range(MANY, 70):
            self.standin.add_team(f"team{number}", members=["jdoe"])
        seen = self.look()
        self.assertEqual((seen["teams"][MEMBER], seen["teams"][NOT]), ("yes", "unknown"))
        self.assertIn("more than 5 pages", seen["problem"])

    def test_the_whole_has_a_limit(self):
        self.standin.add_fault("hang", match=TEAMS)
        seen = self.look(timeout_ms=60000, total_ms=500)
        self.assertEqual((seen["answer"], seen["teams"][MEMBER]), ("found", "unknown"))
        self.assertIn("timed out", seen["problem"])


class Faults(LookCase):
    """Each fault at each request, always and at the first one only."""

    def judge(self, name, match, kind, seen):
        if kind == "benign":
            self.assertEqual((seen["answer"], seen["teams"]),
                             ("found", {MEMBER: "yes", OUTER: "yes", NOT: "no"}), seen)
            return
        if name in HONEST_NO[match]:
            return
        self.assertNotEqual(seen["answer"], "absent")
        if seen["answer"] == "found":
            self.assertEqual(seen["name"], "jdoe")
        for team in (MEMBER, OUTER):
            self.assertNotEqual(seen["teams"][team], "no", seen)
        self.assertNotEqual(seen["teams"][NOT], "yes")
        complete = seen["answer"] == "found" and "unknown" not in seen["teams"].values()
        self.assertEqual(complete, seen["problem"] == "", seen)

    def test_no_fault_makes_a_no(self):
        for match in (BY_OPENID, TEAMS):
            for name, each in FAULTS.items():
                for hits in ("always", 1):
                    with self.subTest(name, match=match, hits=hits):
                        self.standin.reset()
                        self.standin.add_fault(name, match=match, hits=hits)
                        self.judge(name, match, each.kind,
                                   self.look(timeout_ms=300, total_ms=1500))


if __name__ == "__main__":
    tap.main()
