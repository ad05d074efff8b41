"""Logins through the whole of it: the portal, a stand-in Ubuntu One whose signatures are python3-openid's,
and a stand-in Launchpad. What a login brings, and every way in which it does not work; beside each
that does not, one that does."""

import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import members
from portal_world import (LOGIN_COOKIE, SESSION_COOKIE, Login, PortalWorld, cookies_of, why_not)
from ubuntu_one_standin import FAULTS, bring

DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"
ALL_TEAMS = sorted(members()["teams"])
OTHERS = 10 if "LPALIAS_VALGRIND" in os.environ else 50


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class LoginCase(unittest.TestCase):
    """A filled cache and a portal for each case."""

    portal = ()

    def setUp(self):
        self.world = PortalWorld(portal=self.portal)
        self.addCleanup(self.world.close)
        self.world.fill()
        self.world.start_portal()
        self.clients = 0

    def elsewhere(self):
        """Another address each time, for the limits of an address."""
        self.clients += 1
        return {"X-Forwarded-For": f"192.0.2.{self.clients}"}

    def try_login(self, name, **options):
        return self.world.try_log_in_as(name, headers=self.elsewhere(), **options)

    def log_in(self, name):
        return self.world.login_of(self.try_login(name))

    def me(self, login):
        return self.world.request("GET", "/api/me", login=login).json()

    def session(self, login):
        return self.world.request("GET", "/api/session", login=login).json()

    def address(self, login, domain=DOMAIN):
        return next(each for each in self.me(login)["addresses"] if each["domain"] == domain)

    def assert_problem(self, answer, code):
        self.assertEqual((answer.status, answer.headers["location"]), (303, f"/?problem={code}"),
                         self.world.portal_log())
        self.assertNotIn(SESSION_COOKIE, cookies_of(answer))

    def assert_logged_in(self, answer):
        self.assertIn(SESSION_COOKIE, cookies_of(answer), self.world.portal_log())


class Honest(LoginCase):
    """Nobody does anything wrong."""

    def test_a_login_by_get(self):
        answer = self.try_login("jdoe", next_path="/me?x=1")
        self.assertEqual((answer.status, answer.headers["location"]), (303, "/me?x=1"))
        self.assertEqual(cookies_of(answer)[LOGIN_COOKIE], "")
        session = self.session(self.world.login_of(answer))
        self.assertEqual((session["logged_in"], session["name"]), (True, "jdoe"))
        self.assertEqual(self.world.ubuntu_one.count("check_authentication"), 1)

    def test_a_login_by_post(self):
        self.world.ubuntu_one.add_fault("by-post")
        login = self.log_in("jdoe")
        self.assertEqual(self.session(login)["name"], "jdoe")

    def test_the_cookies_are_guarded(self):
        begun = self.world.request("GET", "/login")
        self.assertRegex(begun.headers["set-cookie"], "; Path=/; Secure; HttpOnly; SameSite=None;")
        answer = self.try_login("jdoe")
        self.assertRegex("\n".join(answer.headers["set-cookie"]),
                         f"{SESSION_COOKIE}=[^;]+; Path=/; Secure; HttpOnly; SameSite=Lax;")

    def test_a_new_member_has_the_address_at_once(self):
        self.world.start_server()
        self.world.add_person("newbie", [TEAM])
        self.assertEqual(self.world.ask("alias", f"newbie@{DOMAIN}"), "NOTFOUND ")
        login = self.log_in("newbie")
        self.assertEqual(self.world.ask("alias", f"newbie@{DOMAIN}"), "OK newbie@people.example")
        me = self.me(login)
        self.assertEqual((me["name"], me["found_by_login"], me["is_member_of_none"]),
                         ("newbie", None, False))
        address = self.address(login)
        self.assertEqual((address["address"], address["state"], address["reason"]),
                         (f"newbie@{DOMAIN}", "active", None))
        self.assertIsNotNone(address["live_since"])
        self.assertEqual([(each["address"], each["source"], each["proof"], each["used"])
                          for each in me["targets"]],
                         [("newbie@people.example", "person", "proven", True)])

    def test_an_address_that_is_not_vouched_for_is_not_used(self):
        self.world.add_person("newbie", [TEAM])
        self.world.ubuntu_one.add_fault("email-unverified")
        login = self.log_in("newbie")
        self.assertEqual(self.me(login)["targets"], [])
        self.assertEqual((self.address(login)["state"], self.address(login)["reason"]),
                         ("pending", "no-target"))

    def test_a_member_by_way_of_another_team(self):
        self.world.add_person("newbie")
        self.world.launchpad.add_team("inner", members=["newbie"])
        self.world.launchpad.add_member(TEAM, "inner")
        self.assertEqual(self.address(self.log_in("newbie"))["state"], "active")

    def test_a_member_of_more_teams_than_a_page_has(self):
        self.world.add_person("newbie")
        for number in range(3 * self.world.page_size + 1):
            self.world.launchpad.add_team(f"team{number}", members=["newbie"])
        self.world.launchpad.add_member("ubuntustudio-core", "newbie")
        self.assertEqual(self.address(self.log_in("newbie"), "ubuntustudio.com")["state"], "active")

    def test_what_the_provider_left_out_is_no_fault(self):
        for name in [name for name, each in FAULTS.items() if each.stage == "told"]:
            with self.subTest(name):
                self.world.ubuntu_one.add_fault(name)
                self.assertEqual(self.session(self.log_in("jdoe"))["name"], "jdoe")
                self.world.ubuntu_one.clear_faults()

    def test_a_second_login_ends_the_session_of_the_first(self):
        first = self.log_in("jdoe")
        begun = self.world.begin_login()
        answer = self.world.come_back(bring(begun.url, "kim"), f"{begun.cookie}; {first.cookie}")
        second = self.world.login_of(answer)
        self.assertEqual(self.session(second)["name"], "kim")
        self.assertFalse(self.session(first)["logged_in"])

    def test_two_browsers_are_two_sessions(self):
        first, second = self.log_in("jdoe"), self.log_in("jdoe")
        self.assertNotEqual(first.cookie, second.cookie)
        self.assertTrue(self.session(first)["logged_in"])

    def test_nothing_secret_is_logged(self):
        begun = self.world.begin_login()
        self.world.come_back(bring(begun.url, "jdoe"), begun.cookie)
        self.world.ubuntu_one.add_fault("other-signature")
        self.try_login("kim")
        log = self.world.portal_log()
        self.assertIn(self.world.account("jdoe"), log)
        self.assertNotIn("people.example", log)
        self.assertNotIn(begun.cookie.partition("=")[2], log)
        for note in self.world.ubuntu_one.log():
            for name in ("openid.sig", "openid.response_nonce", "openid.return_to"):
                if name in note["fields"]:
                    self.assertNotIn(note["fields"][name], log)


class ReturnPath(LoginCase):
    """No way from here to another site."""

    def test_only_paths_of_the_site(self):
        inside = ["/", "/me", "/admin?domain=ubuntu.com#x", "/a//b", "/%2f%2fevil.example"]
        outside = ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example",
                   "/\t/evil.example", "/\n/evil.example", "evil", "", "javascript:alert(1)",
                   "/\x7f", "/ /evil", "/m\u00e9", "/" + "x" * 4000]
        for path in inside + outside:
            with self.subTest(path):
                answer = self.try_login("jdoe", next_path=path)
                self.world.ubuntu_one.reset()
                if answer.headers["location"] == "/?problem=too-often":
                    self.fail("the limit came first")
                self.assertEqual(answer.headers["location"], path if path in inside else "/me")
                if len(answer.headers["location"]) > 100:
                    break

    def test_another_query_leads_to_ones_own_page(self):
        for query in ("", "?", "?next=/a&next=/b", "?other=1", "?next", "?next=%zz"):
            with self.subTest(query):
                answer = self.world.request("GET", f"/login{query}", self.elsewhere())
                cookie = f"{LOGIN_COOKIE}={cookies_of(answer)[LOGIN_COOKIE]}"
                back = self.world.come_back(bring(answer.headers["location"], "jdoe"), cookie)
                self.assertEqual(back.headers["location"], "/me")


class WhatIsFound(LoginCase):
    """Who is not simply a member is logged in all the same, and told why."""

    portal = ("admins = { boss }", "admin-team = bosses")

    def test_who_is_in_no_team(self):
        self.world.add_person("stranger")
        login = self.log_in("stranger")
        me = self.me(login)
        self.assertEqual((me["name"], me["found_by_login"], me["is_member_of_none"]),
                         ("stranger", "of-no-team", True))
        self.assertEqual([each["team"] for each in me["addresses"]],
                         list(self.world.domains.values()))
        self.assertEqual({(each["state"], each["reason"]) for each in me["addresses"]},
                         {("none", "never-member")})
        self.assertEqual(self.address(login)["next_url"], f"https://launchpad.net/~{TEAM}")
        self.assertNotIn("stranger", self.world.lpalias("list").stdout)

    def test_who_has_not_signed(self):
        self.world.add_person("unsigned", [TEAM], is_ubuntu_coc_signer=False)
        login = self.log_in("unsigned")
        self.assertEqual(self.me(login)["found_by_login"], "coc-not-signed")
        address = self.address(login)
        self.assertEqual((address["state"], address["reason"], address["next_url"]),
                         ("refused", "coc-not-signed", "https://launchpad.net/codeofconduct"))
        self.world.launchpad.set_person("unsigned", is_ubuntu_coc_signer=True)
        self.assertEqual(self.address(self.log_in("unsigned"))["state"], "active")

    def test_who_is_not_valid(self):
        self.world.add_person("invalid", [TEAM], is_valid=False)
        login = self.log_in("invalid")
        self.assertEqual(self.me(login)["found_by_login"], "not-valid")
        self.assertEqual((self.address(login)["reason"], self.address(login)["next_url"]),
                         ("not-valid", "https://launchpad.net/~invalid"))

    def test_who_is_suspended(self):
        self.world.add_person("suspended", [TEAM], suspended=True)
        self.assertEqual(self.me(self.log_in("suspended"))["found_by_login"], "not-valid")

    def test_who_is_banned(self):
        self.world.lpalias("ban", "jdoe", "--reason", "spam")
        login = self.log_in("jdoe")
        me = self.me(login)
        self.assertEqual((me["banned"], me["found_by_login"]), (True, "banned"))
        self.assertEqual((self.address(login)["state"], self.address(login)["reason"]),
                         ("refused", "banned"))
        self.assertNotIn("spam", self.world.request("GET", "/api/me", login=login).body.decode())

    def test_a_renamed_person_keeps_all(self):
        self.log_in("jdoe")
        self.world.launchpad.rename("jdoe", "jane")
        login = self.log_in("jdoe")  # the account of Ubuntu One, which is the same
        me = self.me(login)
        self.assertEqual((self.session(login)["name"], me["name"]), ("jane", "jane"))
        self.assertEqual([each["address"] for each in me["targets"] if each["used"]],
                         ["jdoe@target.example"])
        self.assertEqual((self.address(login)["address"], self.address(login)["state"]),
                         (f"jane@{DOMAIN}", "active"))

    def test_a_renamed_person_sees_until_when_the_old_one_works(self):
        self.log_in("jdoe")
        self.world.start_server()
        self.world.launchpad.rename("jdoe", "jane")
        login = self.log_in("jdoe")
        former = [each for each in self.me(login)["addresses"] if each["kind"] == "former"]
        self.assertEqual({(each["state"], each["reason"]) for each in former}, {("leaving", "renamed")})
        [old] = [each for each in former if each["domain"] == DOMAIN]
        self.assertEqual(old["address"], f"jdoe@{DOMAIN}")
        self.assertGreater(old["grace_end"], old["since"])
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "OK jdoe@target.example")
        answer = self.world.post("/api/me/extension", {"address": old["address"], "extension": "drop"},
                                 login)
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (404, "not-found"))
        self.assertNotIn("former", {each["kind"] for each in self.me(self.log_in("kim"))["addresses"]})

    def test_a_name_that_is_used_again_brings_nothing(self):
        self.log_in("jdoe")
        self.world.launchpad.rename("jdoe", "jane")
        self.world.launchpad.add_person("jdoe", openid="newjdoe", email="new@people.example",
                                        date_created="2026-01-02T03:04:05.000006+00:00")
        self.world.launchpad.add_member(TEAM, "jdoe")
        self.world.ubuntu_one.add_account("new", id="newjdoe", email="new@people.example")
        login = self.log_in("new")
        me = self.me(login)
        self.assertEqual((me["found_by_login"], me["targets"]), ("waits", []))
        for path, body in (("pause", {}), ("targets", {"address": "new@home.example"})):
            answer = self.world.post(f"/api/me/{path}", body, login)
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (409, "not-known"))
        self.assertEqual(self.me(self.log_in("jdoe"))["name"], "jane")

    def test_a_name_that_is_used_again_brings_no_rights(self):
        self.world.domain_keys[DOMAIN] = "admins = { jdoe }"
        self.world.write_config()
        self.world.stop_portal()
        self.world.start_portal()
        for name, wanted in (("jdoe", True), ("new", False)):
            if name == "new":
                self.world.forget_limits()
                self.world.launchpad.rename("jdoe", "jane")
                self.world.launchpad.add_person("jdoe", openid="newjdoe",
                                                date_created="2026-01-02T03:04:05.000006+00:00")
                self.world.ubuntu_one.add_account("new", id="newjdoe")
            session = self.session(self.log_in(name))
            self.assertEqual((session["name"], session["is_admin"]), ("jdoe", wanted))

    def test_nor_that_of_one_who_never_logged_in(self):
        self.world.domain_keys[DOMAIN] = "admins = { jdoe }"
        self.world.write_config()
        self.world.stop_portal()
        self.world.start_portal()
        self.world.launchpad.rename("jdoe", "jane")
        self.world.launchpad.add_person("jdoe", openid="newjdoe",
                                        date_created="2026-01-02T03:04:05.000006+00:00")
        self.world.ubuntu_one.add_account("new", id="newjdoe")
        login = self.log_in("new")
        self.assertEqual(self.me(login)["found_by_login"], "waits")
        self.assertFalse(self.session(login)["is_admin"])

    def test_admins_of_the_portal_are_found_in_their_team(self):
        self.world.launchpad.add_team("bosses", members=["kim"])
        for name, wanted in (("kim", True), ("lee", False)):
            self.assertIs(self.session(self.log_in(name))["is_portal_admin"], wanted)

    def test_the_operators_are_told_of_a_banned_one_once(self):
        self.world.lpalias("ban", "jdoe", "--reason", "spam")
        for _ in range(2):
            self.log_in("jdoe")
        told = self.world.lpalias("history", "--name", "jdoe", "--act", "person.login-refused")
        self.assertEqual(told.stdout.count("login-refused"), 1, told.stdout)


class Problem(LoginCase):
    """No session, and the first page says why."""

    def test_cancelled(self):
        self.assert_problem(self.try_login(""), "cancelled")
        self.assert_logged_in(self.try_login("jdoe"))

    def test_the_provider_cannot(self):
        for name in ("setup-needed", "error"):
            self.world.ubuntu_one.add_fault(name, hits=1)
            self.assert_problem(self.try_login("jdoe"), "other")
        self.assert_logged_in(self.try_login("jdoe"))

    def test_an_answer_that_is_forged(self):
        self.try_login("kim")  # so that there is something to replay
        codes = {"nonce-old": "expired", "nonce-future": "expired"}
        for name in [name for name, each in FAULTS.items() if each.stage in ("signed", "tampered")]:
            with self.subTest(name):
                self.world.ubuntu_one.add_fault(name)
                self.assert_problem(self.try_login("jdoe"), codes.get(name, "refused"))
                self.world.ubuntu_one.clear_faults()
        self.assert_logged_in(self.try_login("jdoe"))
        self.assertNotIn("victim", self.world.portal_log())

    def test_an_answer_by_another_way(self):
        for name, code in (("other-state", "expired"), ("no-state", "expired"),
                           ("fields-in-query", "refused")):
            with self.subTest(name):
                self.world.ubuntu_one.add_fault(name, hits=1)
                self.assert_problem(self.try_login("jdoe"), code)
        self.assert_logged_in(self.try_login("jdoe"))

    def test_an_answer_counts_once(self):
        begun = self.world.begin_login()
        brought = bring(begun.url, "jdoe")
        self.assert_logged_in(self.world.come_back(brought, begun.cookie))
        self.assert_problem(self.world.come_back(brought, begun.cookie), "expired")

    def test_an_answer_belongs_to_the_browser_that_began(self):
        begun, other = self.world.begin_login(), self.world.begin_login()
        brought = bring(begun.url, "jdoe")
        for cookie in ("", other.cookie, f"{begun.cookie}; {begun.cookie}", begun.cookie + "x"):
            self.assert_problem(self.world.come_back(brought, cookie), "expired")
        self.assert_logged_in(self.world.come_back(brought, begun.cookie))

    def test_the_provider_does_not_confirm(self):
        wanted = {"verification-false": "refused"}
        for name in [name for name, each in FAULTS.items()
                     if each.stage == "verification" and name not in ("verification-hangs",
                                                                      "verification-slow")]:
            with self.subTest(name):
                self.world.ubuntu_one.clear_log()
                self.world.ubuntu_one.add_fault(name)
                self.assert_problem(self.try_login("jdoe"), wanted.get(name, "unavailable"))
                self.assertEqual(self.world.ubuntu_one.count("check_authentication"), 1)
                self.world.ubuntu_one.clear_faults()
        self.assert_logged_in(self.try_login("jdoe"))

    def test_no_account_on_launchpad(self):
        self.world.ubuntu_one.add_account("nobody", nickname=None)
        self.assert_problem(self.try_login("nobody"), "no-launchpad")

    def test_too_often(self):
        answer = self.world.request("GET", "/login")
        self.assertEqual(answer.status, 303)
        for _ in range(40):
            answer = self.world.request("GET", "/login")
            if answer.headers["location"] == "/?problem=too-often":
                break
        self.assert_problem(answer, "too-often")
        self.assert_logged_in(self.try_login("jdoe"))  # from another address

    def test_one_person_too_often_from_many_addresses(self):
        for _ in range(40):
            answer = self.try_login("jdoe")
            if answer.headers["location"] != "/me":
                break
        self.assert_problem(answer, "too-often")
        self.assert_logged_in(self.try_login("kim"))

    def test_no_cache(self):
        os.rename(self.world.cache, self.world.cache + ".away")
        self.assert_problem(self.try_login("jdoe"), "unavailable")
        os.rename(self.world.cache + ".away", self.world.cache)
        deadline = time.monotonic() + 30  # it is tried again after a while
        while SESSION_COOKIE not in cookies_of(answer := self.try_login("kim")):
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.3)


class Launchpad(LoginCase):
    """Launchpad is not well."""

    BY_OPENID, TEAMS = "getByOpenIDIdentifier", "super_teams"

    def test_who_is_known_is_logged_in_by_what_is_known(self):
        self.log_in("jdoe")
        self.world.add_person("newbie", [TEAM])
        self.world.launchpad.add_fault("unavailable-html", match=self.BY_OPENID)
        login = self.log_in("jdoe")
        me = self.me(login)
        self.assertEqual((me["name"], me["found_by_login"]), ("jdoe", "cannot-tell"))
        self.assertEqual(self.address(login)["state"], "active")
        self.assertEqual(self.address(login, "kubuntu.org")["reason"], "unknown")
        self.assertEqual(self.world.post("/api/me/pause", {}, login).status, 200)
        self.assert_problem(self.try_login("newbie"), "unavailable")
        self.assertIn("503", self.world.portal_log())

    def test_one_failure_is_passed_over(self):
        for match in (self.BY_OPENID, self.TEAMS):
            self.world.launchpad.add_fault("unavailable-timeout", match=match, hits=1)
        self.assertIsNone(self.me(self.log_in("jdoe"))["found_by_login"])

    def test_answers_that_are_not_understood(self):
        self.log_in("jdoe")
        self.world.ubuntu_one.set_account("jdoe", teams=[])
        for name in ("html-ok", "html-as-json", "empty-body", "json-array", "json-empty-object",
                     "deep-json", "truncated-json", "forbidden", "redirect-other-host",
                     "oversized-body", "partial-content"):
            for match in (self.BY_OPENID, self.TEAMS):
                with self.subTest(name, match=match):
                    self.world.launchpad.add_fault(name, match=match)
                    answer = self.try_login("jdoe")
                    self.assert_logged_in(answer)
                    self.assertEqual(self.me(self.world.login_of(answer))["found_by_login"],
                                     "cannot-tell")
                    self.world.launchpad.clear_faults()
            self.world.forget_limits()

    def test_a_team_that_was_seen_counts_whatever_comes_behind(self):
        self.world.add_person("newbie", [TEAM])
        for number in range(2 * self.world.page_size):
            self.world.launchpad.add_team(f"z-team{number}", members=["newbie"])
        self.world.launchpad.add_fault("html-ok", match="memo=")  # all pages but the first
        self.world.ubuntu_one.set_account("newbie", teams=[])
        self.assertEqual(self.address(self.log_in("newbie"))["state"], "active")
        self.assertIn("no JSON", self.world.portal_log())

    def test_the_providers_word_of_a_team_counts_where_launchpad_is_silent(self):
        self.world.add_person("newbie", [TEAM])
        self.world.launchpad.add_fault("server-error", match=self.TEAMS)
        login = self.log_in("newbie")
        self.assertEqual(self.address(login)["state"], "active")
        self.assertEqual(self.address(login, "lubuntu.me")["state"], "none")

    def test_a_team_that_hides_some_members_of_its_list(self):
        self.world.launchpad.add_fault("hidden-entries", match=self.TEAMS)
        self.world.add_person("newbie", [TEAM])
        self.assertEqual(self.address(self.log_in("newbie"))["state"], "active")

    def test_one_that_hangs_is_given_up(self):
        self.log_in("jdoe")
        self.world.launchpad.add_fault("hang", match=self.BY_OPENID)
        began = time.monotonic()
        login = self.log_in("jdoe")
        self.assertLess(time.monotonic() - began, 60)
        self.assertEqual(self.me(login)["found_by_login"], "cannot-tell")


class Waiting(LoginCase):
    """Somebody else hangs, and nobody here waits but who asked."""

    def served_meanwhile(self):
        """Many others, one after the other, and a whole login."""
        for _ in range(OTHERS):
            self.assertEqual(self.world.request("GET", "/api/session").status, 200)
        self.assertEqual(self.session(self.log_in("kim"))["name"], "kim")

    def begin_waiting(self, name):
        """A login in the background: (thread, answers)."""
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.try_login(name)))
        thread.start()
        self.addCleanup(thread.join)
        return thread, answers

    def test_a_provider_that_hangs(self):
        self.world.ubuntu_one.add_fault("verification-hangs", account="jdoe")
        thread, answers = self.begin_waiting("jdoe")
        self.assertEqual(self.world.ubuntu_one.wait_for(1, "check_authentication"), 1)
        self.served_meanwhile()
        self.assertEqual(answers, [], "the others were slower than the provider's limit")
        thread.join()
        self.assert_problem(answers[0], "unavailable")
        self.assertEqual(self.world.ubuntu_one.count("check_authentication"), 2)  # one each

    def test_a_launchpad_that_hangs(self):
        openid = self.world.launchpad.registry.objects["jdoe"]["openid"]
        self.world.launchpad.add_fault("hang", match=openid)
        _, answers = self.begin_waiting("jdoe")
        self.world.launchpad.wait_for(1, openid)
        self.served_meanwhile()
        self.assertEqual(answers, [])

    def test_a_slow_provider_is_waited_for(self):
        self.world.ubuntu_one.add_fault("verification-slow", seconds=1)
        self.assert_logged_in(self.try_login("jdoe"))

    def test_an_end_leaves_who_waits(self):
        self.world.ubuntu_one.add_fault("verification-hangs", account="jdoe")
        begun = self.world.begin_login()
        brought = bring(begun.url, "jdoe")
        raw = (f"GET {brought.url.removeprefix(self.world.url)} HTTP/1.1\r\n"
               f"Host: {self.world.authority}\r\nCookie: {begun.cookie}\r\n\r\n").encode()
        waiting = threading.Thread(target=self.world.raw_request, args=(raw,))
        waiting.start()
        self.assertEqual(self.world.ubuntu_one.wait_for(1, "check_authentication"), 1)
        self.assertEqual(self.world.stop_portal(), 0)
        waiting.join()


class TwoPortals(LoginCase):
    """Two processes with one database."""

    def test_an_answer_counts_once_in_both(self):
        second = free_inet(self.world)
        begun = self.world.begin_login()
        brought = bring(begun.url, "jdoe")
        path = brought.url.removeprefix(self.world.url)
        first = self.world.request("GET", path, {"Cookie": begun.cookie}, endpoint=second)
        self.assert_logged_in(first)
        self.assert_problem(self.world.request("GET", path, {"Cookie": begun.cookie}), "expired")
        login = Login(f"{SESSION_COOKIE}={cookies_of(first)[SESSION_COOKIE]}", "")
        self.assertTrue(self.session(login)["logged_in"])


def free_inet(world):
    """Starts a second portal of the same site; gives its endpoint."""
    path = os.path.join(world.directory, "second")
    listen, world.listen = world.listen, f"unix:{path}"
    world.write_config()
    world.start_portal()
    world.listen = listen
    world.write_config()
    return path


if __name__ == "__main__":
    tap.main()
