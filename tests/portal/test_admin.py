"""The admins' API of lpalias-portal: who may see and do what, and that each answer says just that.

Two domains, an admin of each (one by the list, one by the team), an admin of the portal, a member and
nobody: what one has no right to is to one as if it were not there.
"""

import json
import os
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S
from portal_world import DESCRIPTION, PortalWorld, why_not

A, B = "ubuntu.com", "kubuntu.org"
TEAM_A, TEAM_B, TEAM_OF_ADMINS = "ubuntumembers", "kubuntu-members", "kubuntu-admins"
NEWCOMERS = 25  # more than a refresh adds by itself
HOME = "home.example"
HELD = 3


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


def open_house():
    """A world with both domains filled and open; jdoe is in both, anna is A's admin, ben B's."""
    names = ["jdoe", "kim", "anna", "ben"]
    teams = {TEAM_A: ["jdoe", "kim", "anna"], TEAM_B: ["jdoe", "ben"], TEAM_OF_ADMINS: ["ben"]}
    world = PortalWorld({"people": {name: {} for name in names},
                         "teams": {team: {"members": members} for team, members in teams.items()}},
                        page_size=300,
                        portal=("admins = { boss }", "admin-team = bosses"))
    world.domains = {A: TEAM_A, B: TEAM_B}
    world.domain_keys = {A: "admins = { anna }", B: f"admin-team = {TEAM_OF_ADMINS}"}
    world.write_config()
    world.make_key()
    world.lpalias("refresh")
    for name in names:
        world.lpalias("target", "set", name, f"{name}@{HOME}")
    world.lpalias("domain", "open", "--all", "--yes")
    world.settle()
    return world


def hold_plans(world, suffix=""):
    """Newcomers of both teams wait for somebody to say yes."""
    for team in (TEAM_A, TEAM_B):
        for number in range(NEWCOMERS):
            name = f"new{number:02d}{suffix}-{team[0]}"
            world.launchpad.add_person(name)
            world.launchpad.add_member(team, name)
    world.lpalias("refresh", status=HELD)


class AdminCase(unittest.TestCase):
    """What the cases share. The world is of the class, or of the case."""

    @classmethod
    def begin(cls, world):
        cls.world = world
        world.start_portal()
        cls.logins = {
            "nobody": None,
            "member": world.log_in(name="jdoe"),
            "admin of A": world.log_in(name="anna"),
            "admin of B": world.log_in(name="ben"),
            "admin of all": world.log_in(name="boss"),
        }

    def get(self, path, who="admin of all", status=200):
        answer = self.world.request("GET", path, login=self.logins[who])
        self.assertEqual(answer.status, status, answer.body)
        return answer.json()

    def post(self, path, body, who="admin of all", status=200, **options):
        answer = self.world.post(path, body, self.logins[who], **options)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json()

    def history(self):
        return json.loads(self.world.lpalias("history", "--json").stdout)

    def state(self, address):
        rows = json.loads(self.world.lpalias("list", "--json").stdout)
        return next((row["state"] for row in rows if row["address"] == address), None)

    def number(self, domain):
        return self.get(f"/api/admin/plans/{domain}")["number"]


ROLES = ("nobody", "member", "admin of A", "admin of B", "admin of all")

# Path and status for each of the roles above. A POST does nothing, so that the others find the
# same: the number is another plan's, the ban has no reason, or is nobody's.
WRONG_NUMBER = {"number": 1_000_000}
RIGHTS = [
    ("GET", "/api/admin/domains", None, (401, 403, 200, 200, 200)),
    ("GET", "/api/admin/members", None, (401, 403, 200, 200, 200)),
    ("GET", f"/api/admin/members?domain={A}", None, (401, 403, 200, 404, 200)),
    ("GET", f"/api/admin/members?domain={B}", None, (401, 403, 404, 200, 200)),
    ("GET", "/api/admin/members?domain=foreign.example", None, (401, 403, 404, 404, 404)),
    ("GET", f"/api/admin/plans/{A}", None, (401, 403, 200, 404, 200)),
    ("GET", f"/api/admin/plans/{B}", None, (401, 403, 404, 200, 200)),
    ("GET", "/api/admin/plans/foreign.example", None, (401, 403, 404, 404, 404)),
    ("POST", f"/api/admin/plans/{A}/release", WRONG_NUMBER, (401, 403, 409, 404, 409)),
    ("POST", f"/api/admin/plans/{B}/release", WRONG_NUMBER, (401, 403, 404, 409, 409)),
    ("POST", "/api/admin/plans/foreign.example/release", WRONG_NUMBER, (401, 403, 404, 404, 404)),
    ("POST", f"/api/admin/plans/{A}/discard", WRONG_NUMBER, (401, 403, 409, 404, 409)),
    ("POST", f"/api/admin/plans/{B}/discard", WRONG_NUMBER, (401, 403, 404, 409, 409)),
    ("POST", "/api/admin/plans/foreign.example/discard", WRONG_NUMBER, (401, 403, 404, 404, 404)),
    ("GET", "/api/admin/bans", None, (401, 403, 403, 403, 200)),
    ("POST", "/api/admin/bans", {"name": "jdoe", "reason": ""}, (401, 403, 403, 403, 400)),
    ("POST", "/api/admin/bans/remove", {"name": "jdoe"}, (401, 403, 403, 403, 404)),
    ("GET", "/api/admin/events", None, (401, 403, 200, 200, 200)),
    ("GET", f"/api/admin/events?domain={A}", None, (401, 403, 200, 404, 200)),
    ("GET", f"/api/admin/events?domain={B}", None, (401, 403, 404, 200, 200)),
    ("GET", "/api/admin/notices", None, (401, 403, 200, 200, 200)),
]


class Rights(AdminCase):
    """Each role and each route; nothing changes here."""

    @classmethod
    def setUpClass(cls):
        world = open_house()
        cls.addClassCleanup(world.close)
        hold_plans(world)
        cls.begin(world)

    def ask(self, method, path, body, login, headers=None):
        if method == "GET":
            return self.world.request("GET", path, headers, login=login)
        return self.world.post(path, body, login, headers)

    def test_the_table_has_every_route(self):
        described = {(method, path) for method, path in DESCRIPTION.operations()
                     if path.startswith("/api/admin/")}
        self.assertEqual({(method, DESCRIPTION.path(path)) for method, path, *_ in RIGHTS}, described)

    def test_who_may_what(self):
        for method, path, body, wanted in RIGHTS:
            for role, status in zip(ROLES, wanted):
                with self.subTest(method=method, path=path, role=role):
                    headers = {"Origin": self.world.url} if role == "nobody" else None
                    answer = self.ask(method, path, body, self.logins[role], headers)
                    self.assertEqual(answer.status, status, answer.body)

    def test_a_foreign_domain_is_as_one_that_is_not_there(self):
        for method, path, body in [("GET", "/api/admin/plans/{}", None),
                                   ("GET", "/api/admin/members?domain={}", None),
                                   ("GET", "/api/admin/events?domain={}", None),
                                   ("POST", "/api/admin/plans/{}/release", WRONG_NUMBER),
                                   ("POST", "/api/admin/plans/{}/discard", WRONG_NUMBER)]:
            answers = [self.ask(method, path.format(domain), body, self.logins["admin of A"])
                       for domain in (B, "not-there.example")]
            self.assertEqual(answers[0].status, answers[1].status)
            self.assertEqual(answers[0].body, answers[1].body)

    def test_no_other_site_does_it_for_an_admin(self):
        token = self.world.log_in(name="boss").csrf
        for method, path, body, wanted in RIGHTS:
            if method == "GET":
                continue
            for headers in ({"X-CSRF-Token": None}, {"X-CSRF-Token": token},
                            {"Origin": "https://evil.example"},
                            {"Origin": None, "Sec-Fetch-Site": None},
                            {"Sec-Fetch-Site": "cross-site"}):
                with self.subTest(path=path, headers=headers):
                    login = self.world.log_in(name="boss")
                    answer = self.ask(method, path, body, login, headers)
                    self.assertEqual(answer.status, 403)
                    self.assertEqual(answer.json()["error"]["code"], "csrf")
            control = self.ask(method, path, body, self.logins["admin of all"])
            self.assertEqual(control.status, wanted[-1])

    def test_an_admin_of_one_domain_sees_nothing_of_another(self):
        for who, own, other in [("admin of A", A, B), ("admin of B", B, A)]:
            domains = self.get("/api/admin/domains", who)["domains"]
            self.assertEqual([each["domain"] for each in domains], [own])
            shown = [self.world.request("GET", path, login=self.logins[who]).body.decode()
                     for path in ("/api/admin/members", "/api/admin/events", "/api/admin/notices",
                                  f"/api/admin/plans/{own}")]
            for body in shown:
                self.assertIn(own, body)
                self.assertNotIn(other, body)
            events = self.get("/api/admin/events", who)["events"]
            self.assertEqual({event["domain"] for event in events}, {own})
        everything = self.get("/api/admin/domains")["domains"]
        self.assertEqual([each["domain"] for each in everything], [B, A])

    def test_no_target_is_shown_to_anybody(self):
        for method, path, *_ in RIGHTS:
            if method == "GET":
                body = self.world.request("GET", path, login=self.logins["admin of all"]).body
                self.assertNotIn(HOME.encode(), body, path)
        self.assertIn(HOME, self.world.lpalias("list", "--show-targets").stdout)

    def test_what_makes_no_sense_is_refused(self):
        for query in ("state=none", "state=ACTIVE", "reason=because", "after=jdoe", "other=1",
                      f"domain={A}&domain={A}", "search=%", "search=%zz", "search=%ff",
                      "search=%00", "search=%0a", "search=" + "x" * 201, "search"):
            with self.subTest(query=query):
                self.get(f"/api/admin/members?{query}", status=400)
        for query in ("before=x", "before=-1", "before=1.5", f"before={1 << 64}", "other=1"):
            with self.subTest(query=query):
                self.get(f"/api/admin/events?{query}", status=400)
        for body in ({}, [], {"number": "1"}, {"number": 0}, {"number": -1}, {"number": 1.5},
                     {"number": 1, "other": 1}, {"number": None}, {"number": True}):
            with self.subTest(body=body):
                self.post(f"/api/admin/plans/{A}/release", body, status=400)
        for body in ({"name": "jdoe"}, {"name": "", "reason": "x"}, {"name": "no name", "reason": "x"},
                     {"name": "-x", "reason": "x"}, {"name": "jdoe", "reason": "two\nlines"},
                     {"name": "jdoe", "reason": " "}, {"name": "jdoe", "reason": "x" * 501},
                     {"name": "x" * 201, "reason": "x"}, {"name": 1, "reason": "x"},
                     {"name": "jdoe", "reason": "x", "other": 1}):
            with self.subTest(body=body):
                self.post("/api/admin/bans", body, status=400)
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"}, status=415,
                  headers={"Content-Type": "text/plain"})
        self.assertEqual(self.get("/api/admin/bans")["bans"], [])


class Facts(AdminCase):
    """What is shown is what lpalias says."""

    @classmethod
    def setUpClass(cls):
        world = open_house()
        cls.addClassCleanup(world.close)
        world.lpalias("target", "clear", "kim")
        world.lpalias("alias", "add", f"desk@{A}", "--target", f"desk@{HOME}")
        world.lpalias("alias", "add", f"johndoe@{A}", "--for", "jdoe")
        hold_plans(world)
        cls.begin(world)

    def test_domains_are_those_of_the_status(self):
        told = {each["domain"]: each
                for each in json.loads(self.world.lpalias("status", "--json", status=None).stdout)["domains"]}
        shown = self.get("/api/admin/domains")["domains"]
        self.assertEqual({each["domain"] for each in shown}, set(told))
        for domain in shown:
            wanted = told[domain["domain"]]
            for field in ("team", "states", "static", "last_success", "last_attempt", "outcome", "error"):
                self.assertEqual(domain[field], wanted[field], field)
            self.assertTrue(domain["is_open"])
            self.assertEqual(domain["plan"]["additions"], NEWCOMERS)

    def test_a_plan_is_that_of_plan_show(self):
        told = json.loads(self.world.lpalias("plan", "show", A, "--json").stdout)[0]
        shown = self.get(f"/api/admin/plans/{A}")
        for field in ("domain", "team", "number", "reason", "losses", "additions", "discarded", "made"):
            self.assertEqual(shown[field], told[field], field)
        self.assertEqual([row["name"] for row in shown["rows"]], [row["name"] for row in told["names"]])
        self.assertEqual({row["after"] for row in shown["rows"]}, {"pending"})

    def test_events_are_those_of_the_history(self):
        told = self.history()
        shown, before = [], ""
        while True:
            page = self.get(f"/api/admin/events?before={before}")
            self.assertLessEqual(len(page["events"]), 50)
            shown += page["events"]
            before = page["next_before"]
            if before is None:
                break
        self.assertGreater(len(shown), 0)
        fields = ("sequence", "time", "actor", "act", "domain", "subject", "detail")
        self.assertEqual([[event[field] for field in fields] for event in reversed(shown)],
                         [[event[{"time": "at"}.get(field, field)] for field in fields] for event in told])
        of_kim = self.get("/api/admin/events?name=kim")["events"]
        self.assertEqual(len(of_kim), sum(event["subject"] == "kim" for event in told))
        self.assertEqual({event["subject"] for event in of_kim}, {"kim"})

    def members(self, query=""):
        page = self.get(f"/api/admin/members?{query}")
        self.assertIsNone(page["next_after"])
        return {member["address"]: member for member in page["members"]}

    def test_members_are_those_of_the_list(self):
        told = {row["address"]: row for row in json.loads(self.world.lpalias("list", "--json").stdout)}
        shown = self.members()
        self.assertEqual(set(shown), set(told))
        for address, member in shown.items():
            row = told[address]
            self.assertEqual((member["name"], member["kind"], member["state"], member["reason"],
                              member["since"], member["targets"]),
                             (row["owner"], row["kind"], row["state"], row["reason"], row["since"],
                              row["target_count"]))
        self.assertEqual(shown[f"jdoe@{A}"]["team"], TEAM_A)

    def test_members_are_found(self):
        for query, wanted in [
                (f"domain={B}", {f"jdoe@{B}", f"ben@{B}"}),
                ("state=pending", {f"kim@{A}"}),
                ("reason=no-target", {f"kim@{A}"}),
                ("state=active&reason=no-target", set()),
                ("search=NN", {f"anna@{A}"}),
                ("search=desk", {f"desk@{A}"}),
                ("search=doe&state=active", {f"jdoe@{A}", f"johndoe@{A}", f"jdoe@{B}"}),
                ("search=%40", set()),
                ("search=", set(self.members()))]:
            with self.subTest(query=query):
                self.assertEqual(set(self.members(query)), wanted)

    def test_notices_say_whom_and_not_where(self):
        notices = self.get("/api/admin/notices")
        self.assertFalse(notices["is_more"])
        self.assertIn(("active", "admins", "jdoe", A),
                      {(each["kind"], each["audience"], each["about"], each["domain"])
                       for each in notices["notices"]})


class Acts(AdminCase):
    """What an admin does is done, and stands in the log under the admin's name."""

    def setUp(self):
        world = open_house()
        self.addCleanup(world.close)
        self.begin(world)

    def acts_of(self, actor):
        return [(event["act"], event["subject"], event["domain"]) for event in self.history()
                if event["actor"] == actor]

    def test_an_admin_releases_a_plan(self):
        hold_plans(self.world)
        newcomer = f"new00-{TEAM_A[0]}@{A}"
        self.assertIsNone(self.state(newcomer))
        self.post(f"/api/admin/plans/{A}/release", {"number": self.number(A)}, "admin of A")
        self.assertEqual(self.state(newcomer), "pending")
        self.assertIn(("plan.released", None, A), self.acts_of("admin:anna"))
        self.get(f"/api/admin/plans/{A}", "admin of A", 404)
        self.get(f"/api/admin/plans/{B}")
        counts = self.get("/api/admin/domains", "admin of A")["domains"][0]
        self.assertEqual((counts["states"]["pending"], counts["plan"]), (NEWCOMERS, None))

    def test_an_admin_discards_a_plan(self):
        hold_plans(self.world)
        self.post(f"/api/admin/plans/{B}/discard", {"number": self.number(B)}, "admin of B")
        self.assertTrue(self.get("/api/admin/domains", "admin of B")["domains"][0]["plan"]["discarded"])
        self.assertIn(("plan.discarded", None, B), self.acts_of("admin:ben"))
        self.assertIsNone(self.state(f"new00-{TEAM_B[0]}@{B}"))

    def test_a_plan_that_was_made_anew_is_to_be_looked_at_again(self):
        hold_plans(self.world)
        number = self.number(A)
        hold_plans(self.world, "-too")
        self.assertNotEqual(self.number(A), number)
        for act in ("release", "discard"):
            refused = self.post(f"/api/admin/plans/{A}/{act}", {"number": number}, status=409)
            self.assertEqual(refused["error"]["code"], "outdated")
        self.assertFalse(self.get(f"/api/admin/plans/{A}")["discarded"])
        self.post(f"/api/admin/plans/{A}/release", {"number": self.number(A)})

    def test_a_frozen_domain_waits_for_its_proof(self):
        hold_plans(self.world)
        self.world.domain_keys[A] += ' proof = "wanted"'
        self.world.write_config()
        self.world.stop_portal()
        self.world.start_portal()
        self.assertTrue(self.get("/api/admin/domains", "admin of A")["domains"][0]["is_frozen"])
        refused = self.post(f"/api/admin/plans/{A}/release", {"number": self.number(A)}, status=409)
        self.assertEqual(refused["error"]["code"], "frozen")
        self.post(f"/api/admin/plans/{A}/discard", {"number": self.number(A)})

    def test_a_ban_and_its_end(self):
        self.post("/api/admin/bans", {"name": "JDoe", "reason": "sold it"})
        self.assertEqual(self.state(f"jdoe@{A}"), "refused")
        (ban,) = self.get("/api/admin/bans")["bans"]
        self.assertEqual((ban["name"], ban["reason"]), ("jdoe", "sold it"))
        member = self.get("/api/admin/members?search=jdoe", "admin of B")["members"][0]
        self.assertEqual((member["banned"], member["reason"]), (True, "banned"))
        self.post("/api/admin/bans", {"name": "not-seen-yet", "reason": "known elsewhere"})
        self.assertEqual(len(self.get("/api/admin/bans")["bans"]), 2)
        for name in ("jdoe", "not-seen-yet"):
            self.post("/api/admin/bans/remove", {"name": name})
            self.post("/api/admin/bans/remove", {"name": name}, status=404)
        self.assertEqual(self.get("/api/admin/bans")["bans"], [])
        self.assertEqual(self.state(f"jdoe@{A}"), "active")
        acts = self.acts_of("admin:boss")
        for act in ("person.ban", "person.unban"):
            self.assertIn((act, "jdoe", None), acts)
        # What is of no domain is for admins of all.
        for who, is_seen in [("admin of A", False), ("admin of all", True)]:
            seen = {event["act"] for event in self.get("/api/admin/events?name=jdoe", who)["events"]}
            self.assertEqual("person.ban" in seen, is_seen)
            self.assertIn("alias.refused", seen)


class AskedAnew(AdminCase):
    """An admin is one for as long as that is so, and no session makes one."""

    def setUp(self):
        world = open_house()
        self.addCleanup(world.close)
        self.begin(world)

    def session(self, who):
        return self.world.request("GET", "/api/session", login=self.logins[who]).json()

    def is_admin(self, who):
        answer = self.world.request("GET", "/api/admin/domains", login=self.logins[who])
        self.assertIn(answer.status, (200, 403))
        self.assertEqual(self.session(who)["is_admin"], answer.status == 200)
        return answer.status == 200

    def test_the_session_says_it(self):
        for role, wanted in [("nobody", (False, False)), ("member", (False, False)),
                             ("admin of A", (True, False)), ("admin of B", (True, False)),
                             ("admin of all", (True, True))]:
            session = self.session(role)
            self.assertEqual((session["is_admin"], session["is_portal_admin"]), wanted, role)

    def restart(self):
        self.world.write_config()
        self.world.stop_portal()
        self.world.start_portal()

    def test_who_is_taken_off_the_list(self):
        self.assertTrue(self.is_admin("admin of A"))
        self.world.domain_keys[A] = "admins = { kim }"
        self.world.portal[0] = "admins = { somebody }"
        self.restart()
        self.assertFalse(self.is_admin("admin of A"))
        self.assertFalse(self.is_admin("admin of all"))
        self.assertTrue(self.is_admin("admin of B"))

    def test_who_leaves_the_team(self):
        self.assertTrue(self.is_admin("admin of B"))
        self.world.launchpad.remove_member(TEAM_OF_ADMINS, "ben")
        for after_s in (61, 122):
            self.world.lpalias("refresh", after_s=after_s)
        self.assertFalse(self.is_admin("admin of B"))

    def test_a_team_that_is_not_configured_any_more(self):
        self.world.domain_keys[B] = ""
        self.restart()
        self.assertFalse(self.is_admin("admin of B"))

    def test_who_is_banned(self):
        self.post("/api/admin/bans", {"name": "ben", "reason": "x"})
        self.assertFalse(self.is_admin("admin of B"))
        self.assertTrue(self.is_admin("admin of A"))
        self.post("/api/admin/bans/remove", {"name": "ben"})
        self.assertTrue(self.is_admin("admin of B"))

    def test_the_team_of_the_portal_is_what_the_login_found(self):
        self.logins["by team"] = self.world.log_in(name="somebody", admin=True)
        self.assertTrue(self.session("by team")["is_portal_admin"])
        self.assertEqual(len(self.get("/api/admin/domains", "by team")["domains"]), 2)
        self.logins["no name"] = self.world.log_in(name="", admin=True)
        self.assertFalse(self.is_admin("no name"))
        self.world.portal.pop()
        self.restart()
        self.assertFalse(self.is_admin("by team"))


class LongLists(AdminCase):
    """Nobody waits for somebody else's long search."""

    COUNT = 12_000

    @classmethod
    def setUpClass(cls):
        world = PortalWorld(portal=("admins = { boss }",))
        cls.addClassCleanup(world.close)
        world.domains = {A: TEAM_A, B: TEAM_B}
        world.write_config()
        world.fill_static({f"n{number:05d}@{(A, B)[number % 2]}": [f"x@{HOME}"]
                           for number in range(cls.COUNT)})
        cls.begin(world)

    def walk(self, path, rows, place):
        found, pages, at = [], 0, ""
        while at is not None:
            page = self.get(f"{path}{at}")
            found += page[rows]
            at, pages = page[place], pages + 1
            self.assertLessEqual(len(page[rows]), 100)
        return found, pages

    def test_all_are_seen_once(self):
        found, pages = self.walk("/api/admin/members?after=", "members", "next_after")
        addresses = [member["address"] for member in found]
        self.assertEqual(len(set(addresses)), self.COUNT)
        self.assertEqual(len(addresses), self.COUNT)
        self.assertEqual(pages, self.COUNT // 100)

    def test_a_search_that_finds_little_goes_on_in_pieces(self):
        found, pages = self.walk("/api/admin/members?search=n11999&after=", "members", "next_after")
        self.assertEqual([member["address"] for member in found], [f"n11999@{B}"])
        self.assertGreater(pages, 2)
        found, pages = self.walk(f"/api/admin/members?search=nowhere&domain={A}&after=", "members",
                                 "next_after")
        self.assertEqual((found, pages), ([], 2))

    def test_so_does_one_of_events(self):
        found, pages = self.walk("/api/admin/events?name=nobody&before=", "events", "next_before")
        self.assertEqual(found, [])
        self.assertGreaterEqual(pages, 1)


class IllCache(AdminCase):
    """"Cannot tell" is neither "no admin" nor "nobody there"."""

    def setUp(self):
        world = open_house()
        self.addCleanup(world.close)
        self.begin(world)

    def until(self, path, status):
        """An ill cache is looked at once a second."""
        end = time.monotonic() + PATIENCE_S
        while True:
            answer = self.world.request("GET", path, login=self.logins["admin of all"])
            if answer.status == status:
                return answer.json()
            self.assertLess(time.monotonic(), end, answer.body)

    def test_a_cache_that_is_gone_for_a_while(self):
        away = self.world.cache + ".away"
        os.rename(self.world.cache, away)
        for role, status in zip(ROLES, (401, 503, 503, 503, 503)):
            answer = self.world.request("GET", "/api/admin/domains", login=self.logins[role])
            self.assertEqual(answer.status, status)
            if status == 503:
                self.assertEqual(answer.json()["error"]["code"], "cannot-tell")
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"}, status=503)
        session = self.world.request("GET", "/api/session", login=self.logins["admin of A"]).json()
        self.assertTrue(session["is_admin"])
        self.assertFalse(os.path.exists(self.world.cache))
        os.rename(away, self.world.cache)
        self.assertEqual(len(self.until("/api/admin/domains", 200)["domains"]), 2)
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"})

    def check_put_back(self, put_back):
        data = os.path.join(self.world.cache, "data.mdb")
        shutil.copy2(data, data + ".kept")
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"})
        self.assertEqual(len(self.get("/api/admin/bans")["bans"]), 1)
        put_back(data + ".kept", data)
        self.assertEqual(self.until("/api/admin/bans", 200)["bans"], [])
        self.assertEqual({each["is_open"] for each in self.get("/api/admin/domains")["domains"]}, {False})
        self.assertIn("cache.went-back", {event["act"] for event in self.history()})
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"})

    def test_an_older_cache_that_was_put_back_is_noticed(self):
        self.check_put_back(os.rename)

    def test_an_older_cache_that_was_copied_over_it_is_noticed(self):
        def copy_over(kept, data):
            with open(kept, "rb") as source, open(data, "r+b") as file:
                file.write(source.read())
        self.check_put_back(copy_over)

    def test_keys_that_cannot_be_read(self):
        os.rename(self.world.key_file, self.world.key_file + ".away")
        member = self.get("/api/admin/members?search=jdoe")["members"][0]
        self.assertIsNone(member["targets"])
        self.post("/api/admin/bans", {"name": "jdoe", "reason": "x"}, status=503)
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.assertEqual(self.get("/api/admin/members?search=jdoe")["members"][0]["targets"], 1)


if __name__ == "__main__":
    tap.main()
