"""What members do on their pages, by the API: each act with its rights and its errors, from a real login
on, with mail that a real mail server has taken. Every answer is held against docs/openapi.json."""

import json
import os
import re
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from lpalias_world import PATIENCE_S
from mail_sink import MailSink
from movable_clock import MovableClock
from portal_world import ACCOUNT, PortalWorld, cookies_of, why_not

DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"
DAY_S = 86400
NEW = "new@home.example"
ACTS = [("targets", {"address": NEW}), ("targets/remove", {"address": NEW}), ("pause", {}),
        ("resume", {}), ("extension", {"address": f"jdoe@{DOMAIN}", "extension": "drop"}),
        ("erase", {"name": "jdoe"})]


def setUpModule():
    missing = why_not() or (None if mail_sink.program() else "smtp-sink is not installed")
    if missing:
        raise unittest.SkipTest(missing)


class MemberCase(unittest.TestCase):
    """A filled cache, a portal, a server and a mail server for each case; jdoe is logged in."""

    def setUp(self):
        self.sink = MailSink()
        self.sink.start()
        self.addCleanup(self.sink.stop)
        self.world = PortalWorld()
        self.addCleanup(self.world.close)
        self.world.use_sink(self.sink)
        self.world.fill()
        self.sink.forget()
        self.start()
        self.login = self.world.log_in_as("jdoe")

    def start(self):
        self.world.start_portal()

    def me(self, login=None):
        return self.world.request("GET", "/api/me", login=login or self.login).json()

    def act(self, path, body, login=None, **options):
        """(status, code or answer) of one POST below /api/me."""
        answer = self.world.post(f"/api/me/{path}", body, login or self.login, **options)
        return answer.status, answer.json().get("error", {}).get("code") or answer.json()

    def add(self, address, login=None):
        return self.act("targets", {"address": address}, login)

    def remove(self, address):
        return self.act("targets/remove", {"address": address})

    def confirm(self, token, headers=None):
        """(status, code or answer), as the page does it for somebody who is not logged in."""
        answer = self.world.post("/api/confirm", {"token": token},
                                 headers={"Origin": self.world.url} | (headers or {}))
        return answer.status, answer.json().get("error", {}).get("code") or answer.json()

    def tokens(self, address, count=1):
        """Those of the links in all mails to that address, once so many have come."""
        end = time.monotonic() + PATIENCE_S
        while True:
            self.sink.wait_until_written()
            mails = [mail for mail in self.sink.messages() if address in mail.recipients]
            if len(mails) >= count:
                break
            self.assertLess(time.monotonic(), end, self.world.portal_log())
            time.sleep(0.02)
        return [re.search(re.escape(f"{self.world.url}/confirm#") + r"(\S+)", mail.body)[1]
                for mail in mails]

    def targets(self, login=None):
        return {each["address"]: (each["source"], each["proof"], each["used"])
                for each in self.me(login)["targets"]}

    def state(self, login=None, domain=DOMAIN):
        return next(each["state"] for each in self.me(login)["addresses"]
                    if each["domain"] == domain)

    DONE = (200, {"done": True})
    MAILED = (200, {"proven": False})


class Proof(MemberCase):
    """A target is used once its link was followed."""

    def test_the_link_is_followed(self):
        login = self.world.log_in_as("pending")
        self.assertEqual(self.targets(login),
                         {"pending@people.example": ("person", "proven", True)})
        self.world.start_server()
        self.assertEqual(self.add(NEW, login), self.MAILED)
        waiting = next(each for each in self.me(login)["targets"] if each["address"] == NEW)
        self.assertEqual((waiting["proof"], waiting["used"]), ("waiting", False))
        expires = time.mktime(time.strptime(waiting["expires"], "%Y-%m-%dT%H:%M:%SZ"))
        self.assertAlmostEqual(expires - time.mktime(time.gmtime()), DAY_S, delta=PATIENCE_S)
        [token] = self.tokens(NEW)
        for _ in range(3):  # a scanner fetches it, and a browser does not send what is behind "#"
            self.assertEqual(self.world.request("GET", "/confirm").status, 200)
        self.assertEqual(self.world.ask("alias", f"pending@{DOMAIN}"), "OK pending@people.example")
        self.assertEqual(self.confirm(token), self.DONE)
        self.assertEqual(self.world.ask("alias", f"pending@{DOMAIN}"),
                         f"OK pending@people.example,{NEW}")
        self.assertEqual(self.targets(login)[NEW], ("person", "proven", True))
        self.assertEqual(self.confirm(token), (404, "link-invalid"))
        self.assertEqual(self.add(NEW, login), (409, "target-known"))

    def test_an_operators_targets_are_stronger(self):
        self.assertEqual(self.add(NEW), self.MAILED)
        self.assertEqual(self.confirm(self.tokens(NEW)[0]), self.DONE)
        self.assertEqual(self.targets()[NEW], ("person", "proven", False))
        self.assertEqual(self.targets()["jdoe@target.example"], ("operator", "proven", True))

    def test_links_that_are_none(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), "\u00e9" * 43):
            self.assertEqual(self.confirm(wrong), (404, "link-invalid"), wrong)
        self.assertEqual(self.confirm(token), self.DONE)

    def test_a_link_is_not_followed_for_another_site(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        for headers in ({"Origin": "https://evil.example"}, {"Origin": None},
                        {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(self.confirm(token, headers), (403, "csrf"))
        answer = self.world.request("GET", f"/api/confirm?token={token}")
        self.assertEqual(answer.status, 405)
        self.assertEqual(self.confirm(token), self.DONE)

    def test_only_the_last_link_counts(self):
        self.assertEqual(self.add(NEW), self.MAILED)
        first = self.tokens(NEW)[0]
        self.assertEqual(self.add(NEW), self.MAILED)
        self.assertEqual(len(self.me()["targets"]), 2)  # the operator's, and one that waits
        [second] = [token for token in self.tokens(NEW, 2) if token != first]
        self.assertEqual(self.confirm(first), (404, "link-invalid"))
        self.assertEqual(self.confirm(second), self.DONE)

    def test_one_that_waits_is_taken_away(self):
        self.assertEqual(self.remove(NEW), (404, "not-found"))
        self.add(NEW)
        [token] = self.tokens(NEW)
        self.assertEqual(self.remove(NEW), self.DONE)
        self.assertNotIn(NEW, self.targets())
        self.assertEqual(self.confirm(token), (404, "link-invalid"))

    def test_those_that_wait_count(self):
        for number in range(5):
            self.assertEqual(self.add(f"n{number}@home.example"), self.MAILED)
        self.login = self.another_login()
        self.assertEqual(self.add("n5@home.example"), (409, "target-too-many"))
        self.assertEqual(self.remove("n0@home.example"), self.DONE)
        self.assertEqual(self.add("n5@home.example"), self.MAILED)

    def test_one_whose_key_was_retired_does_not_count(self):
        for number in range(5):
            self.assertEqual(self.add(f"n{number}@home.example"), self.MAILED)
        tokens = [self.tokens(f"n{number}@home.example")[0] for number in range(2)]
        self.login = self.another_login()
        self.world.lpalias("key", "rotate")
        self.assertEqual(self.add("n5@home.example"), (409, "target-too-many"))
        with open(self.world.key_file, encoding="ascii") as file:
            old = file.readlines()[-1].split()[0]
        self.world.lpalias("key", "retire", old)
        self.assertNotIn("waiting", {proof for _, proof, _ in self.targets().values()})
        self.assertEqual(self.add("n0@home.example"), self.MAILED)  # asked for again
        self.assertEqual(self.add("n5@home.example"), self.MAILED)
        self.assertEqual([self.targets().get(f"n{number}@home.example", ("", "", ""))[1]
                          for number in range(6)], ["waiting", "", "", "", "", "waiting"])
        held = self.world.request("GET", "/api/me/export", login=self.login).json()
        self.assertEqual(sorted(str(each["address"]) for each in held["portal"]["waiting_targets"]),
                         ["None"] * 4 + ["n0@home.example", "n5@home.example"])
        self.assertEqual(self.confirm(tokens[0]), (404, "link-invalid"))  # there is a newer one
        self.assertEqual(self.confirm(tokens[1]), self.DONE)  # a link needs no key

    def another_login(self):
        """With limits that begin anew, but for what waits."""
        self.world.stop_portal()
        self.world.start_portal(environment=self.later(4000))
        return self.world.log_in(self.world.account("jdoe"), "jdoe", age_s=-4000)

    def later(self, seconds):
        if MovableClock.why_not():
            self.skipTest(MovableClock.why_not())
        clock = MovableClock(self.world.directory)
        clock.forward(seconds)
        return dict(word.split("=", 1) for word in clock.prefix[1:])

    def test_a_link_is_worth_nothing_after_a_day(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        self.world.stop_portal()
        self.world.start_portal(environment=self.later(DAY_S + 60))
        self.assertEqual(self.confirm(token), (404, "link-invalid"))

    def test_a_link_of_yesterday_evening_still_counts(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        self.world.stop_portal()
        self.world.start_portal(environment=self.later(DAY_S - 600))
        self.assertEqual(self.confirm(token), self.DONE)

    def test_what_ubuntu_one_vouches_for_needs_no_link(self):
        login = self.world.log_in_as("pending")
        vouched = "pending@people.example"
        self.assertEqual(self.act("targets/remove", {"address": vouched}, login), self.DONE)
        self.assertEqual((self.targets(login), self.state(login)), ({}, "pending"))
        self.assertEqual(self.add(vouched, login), (200, {"proven": True}))
        self.assertEqual(self.state(login), "active")
        self.assertEqual(self.add(vouched, self.login), self.MAILED)  # it is not jdoe's

    def test_somebody_elses_address_is_answered_like_any_other(self):
        for address in ("kim@target.example", "nobody@target.example"):
            self.assertEqual(self.add(address), self.MAILED)

    def test_addresses_that_cannot_be(self):
        self.assertEqual(self.add("@"), (400, "target-invalid"))
        self.assertEqual(self.add("a@b@c"), (400, "target-invalid"))
        self.assertEqual(self.add(f"kim@{DOMAIN}"), (409, "target-ours"))
        self.assertEqual(self.add(f"kim+x@{DOMAIN.upper()}"), (409, "target-ours"))

    def test_addresses_that_cannot_be_in_other_ways(self):
        self.assertEqual(self.add("x" * 400 + "@home.example"), (400, "target-invalid"))
        self.assertEqual(self.add("a@home.example\r\nBcc: b@home.example"), (400, "target-invalid"))
        self.assertEqual(self.act("targets", {}), (400, "bad-request"))
        self.assertEqual(self.act("targets", {"address": NEW, "name": "kim"}), (400, "bad-request"))
        self.assertEqual(self.act("targets", {"address": 1}), (400, "bad-request"))

    def test_mails_are_limited_by_person(self):
        answers = [self.add(f"n{number}@home.example") for number in range(6)]
        self.assertEqual(answers[4], self.MAILED)
        self.assertEqual(answers[5], (429, "too-often"))
        answer = self.world.post("/api/me/targets", {"address": NEW}, self.login)
        self.assertGreater(int(answer.headers["retry-after"]), 0)
        self.assertEqual(self.act("pause", {}), self.DONE)  # only that is limited
        self.assertEqual(self.add(NEW, self.world.log_in_as("kim")), self.MAILED)

    def test_mails_are_limited_by_mailbox_whoever_asks(self):
        logins = [self.world.log_in_as(name) for name in ("kim", "lee", "several", "pending")]
        self.assertEqual([self.add(NEW, login)[0] for login in logins], [200, 200, 200, 429])

    def test_nothing_of_it_is_logged(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        self.confirm(token)
        self.confirm(token)
        for secret in (token, NEW, "home.example", self.login.csrf):
            self.assertNotIn(secret, self.world.portal_log())


class Rights(MemberCase):
    """Who may not."""

    def test_nobody_without_a_login(self):
        for path in ("", "/history", "/export"):
            self.assertEqual(self.world.request("GET", f"/api/me{path}").status, 401)
        for path, body in ACTS:
            answer = self.world.post(f"/api/me/{path}", body, headers={"Origin": self.world.url})
            self.assertEqual(answer.status, 401, path)

    def test_nothing_from_another_site(self):
        for path, body in ACTS:
            for headers in ({"X-CSRF-Token": None}, {"X-CSRF-Token": "x" * 43},
                            {"Origin": "https://evil.example"}):
                self.assertEqual(self.act(path, body, headers=headers), (403, "csrf"), path)
        self.assertTrue(self.world.request("GET", "/api/session", login=self.login).json()["logged_in"])

    def test_nothing_but_json(self):
        for path, body in ACTS:
            answer = self.world.request("POST", f"/api/me/{path}", {"Content-Type": "text/plain"},
                                        json.dumps(body).encode(), self.login)
            self.assertEqual(answer.status, 415, path)

    def test_who_is_not_known_changes_nothing(self):
        self.world.add_person("stranger")
        login = self.world.log_in_as("stranger")
        for path, body in ACTS[:-1]:
            self.assertEqual(self.act(path, body, login), (409, "not-known"), path)
        self.assertEqual(self.act("erase", {"name": "stranger"}, login), self.DONE)

    def test_who_is_banned_changes_nothing(self):
        self.world.lpalias("ban", "jdoe", "--reason", "spam")
        for path, body in ACTS[:-1]:
            self.assertEqual(self.act(path, body), (409, "banned"), path)
        self.assertEqual(self.world.request("GET", "/api/me/export", login=self.login).status, 200)
        self.assertNotIn("spam", self.world.request("GET", "/api/me/history",
                                                    login=self.login).body.decode())
        self.assertEqual(self.act("erase", {"name": "jdoe"}), self.DONE)
        self.assertTrue(json.loads(self.world.lpalias("show", "jdoe", "--json").stdout)["banned_since"])

    def test_a_name_is_no_right(self):
        """A session of another account with the same name is nobody here."""
        login = self.world.log_in(ACCOUNT, "jdoe")
        self.assertEqual(self.targets(login), {})
        self.assertEqual(self.act("pause", {}, login), (409, "not-known"))
        self.assertEqual(self.world.request("GET", "/api/me/history", login=login).json()["events"], [])
        self.assertIsNone(self.world.request("GET", "/api/me/export", login=login).json()["person"])


class Choices(MemberCase):
    """What one may choose."""

    def test_pause_and_resume(self):
        self.world.start_server()
        self.assertEqual(self.act("pause", {}), self.DONE)
        self.assertEqual((self.me()["paused"], self.state()), (True, "paused"))
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "NOTFOUND ")
        self.assertEqual(self.act("pause", {}), self.DONE)
        self.assertEqual(self.act("resume", {}), self.DONE)
        self.assertEqual((self.me()["paused"], self.state()), (False, "active"))
        self.assertEqual(self.world.ask("alias", f"jdoe@{DOMAIN}"), "OK jdoe@target.example")
        self.assertEqual(self.act("pause", {"for": "ever"}), (400, "bad-request"))

    def test_what_a_tag_does(self):
        self.world.start_server()
        for policy, wanted in (("append", "OK jdoe+tag@target.example"),
                               ("drop", "OK jdoe@target.example"), ("refuse", "NOTFOUND ")):
            choice = {"address": f"jdoe@{DOMAIN}", "extension": policy}
            self.assertEqual(self.act("extension", choice), self.DONE)
            self.assertEqual(self.world.ask("alias", f"jdoe+tag@{DOMAIN}"), wanted)
            self.assertEqual({each["extension"] for each in self.me()["addresses"]
                              if each["address"] == f"jdoe@{DOMAIN}"}, {policy})

    def test_whose_tags_one_has_no_say_in(self):
        for address in (f"kim@{DOMAIN}", f"nobody@{DOMAIN}", "jdoe@elsewhere.example", "jdoe", ""):
            self.assertEqual(self.act("extension", {"address": address, "extension": "drop"}),
                             (404, "not-found"), address)
        self.assertEqual(self.act("extension", {"address": f"jdoe@{DOMAIN}", "extension": "x"}),
                         (400, "bad-request"))

    def test_the_login_name_is_shown(self):
        self.assertEqual(self.me()["login_name"], "jdoe")
        self.world.lpalias("login", "set", "jdoe", "john")
        self.assertEqual(self.me()["login_name"], "john")

    def test_a_leaving_one_says_until_when(self):
        self.world.launchpad.remove_member(TEAM, "jdoe")
        for after_s in (100, 200):
            self.world.lpalias("refresh", after_s=after_s)
        [address] = [each for each in self.me()["addresses"] if each["domain"] == DOMAIN]
        self.assertEqual((address["state"], address["reason"]), ("leaving", "not-member"))
        self.assertGreater(address["grace_end"], address["since"])


class OwnData(MemberCase):
    """History, export, erasure."""

    def test_the_history_is_ones_own_and_comes_in_pages(self):
        self.world.post("/api/me/pause", {}, self.world.log_in_as("kim"))
        for _ in range(28):
            self.act("pause", {})
            self.act("resume", {})
        pages = [self.history("")]
        while (before := pages[-1]["next_before"]) is not None:
            pages.append(self.history(f"?before={before}"))
        self.assertEqual({len(page["events"]) for page in pages[:-1]}, {50})
        events = [event for page in pages for event in page["events"]]
        self.assertEqual({event["subject"] for event in events}, {"jdoe"})
        self.assertEqual({event["actor"] for event in pages[0]["events"]}, {"person"})
        numbers = [event["sequence"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers), reverse=True))
        acts = [event["act"] for event in events if event["act"].startswith("person.")]
        self.assertEqual((acts[0], acts.count("person.pause"), acts.count("person.resume")),
                         ("person.resume", 28, 28))
        for query in ("before=x", "before=-1", "before=0", "name=kim"):
            answer = self.world.request("GET", f"/api/me/history?{query}", login=self.login)
            self.assertEqual(answer.status, 400, query)

    def history(self, query):
        return self.world.request("GET", f"/api/me/history{query}", login=self.login).json()

    def test_the_export_holds_all_and_no_secret(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        answer = self.world.request("GET", "/api/me/export", login=self.login)
        held = answer.json()
        self.assertIn("jdoe@target.example", json.dumps(held["person"]))
        self.assertEqual(held["portal"]["login"], self.world.account("jdoe"))
        self.assertEqual([each["address"] for each in held["portal"]["waiting_targets"]], [NEW])
        self.assertEqual(held["portal"]["session"]["address"], "jdoe@people.example")
        for secret in (token, self.login.csrf, self.login.cookie.partition("=")[2]):
            self.assertNotIn(secret, answer.body.decode())
        self.assertNotIn("kim", answer.body.decode())

    def test_erasing_needs_the_name(self):
        for name in ("", "kim", "JDOE", "jdoe "):
            self.assertEqual(self.act("erase", {"name": name}), (400, "name-mismatch"), name)
        self.assertEqual(self.act("erase", {}), (400, "bad-request"))
        self.assertEqual(self.state(), "active")

    def test_erasing_forgets_all_and_ends_all_sessions(self):
        other = self.world.log_in_as("jdoe")
        self.add(NEW)
        [token] = self.tokens(NEW)
        answer = self.world.post("/api/me/erase", {"name": "jdoe"}, self.login)
        self.assertEqual((answer.status, answer.json()), self.DONE)
        self.assertEqual(cookies_of(answer), {"__Host-lpalias": ""})
        for login in (self.login, other):
            self.assertEqual(self.world.request("GET", "/api/me", login=login).status, 401)
        self.assertEqual(self.confirm(token), (404, "link-invalid"))
        person = json.loads(self.world.lpalias("show", "jdoe", "--json", "--show-targets").stdout)
        self.assertEqual((person["targets"], person["login_identifier"]), ([], None))
        again = self.world.log_in_as("jdoe")  # a member who comes again begins anew
        self.assertEqual(self.targets(again), {"jdoe@people.example": ("person", "proven", True)})
        self.assertEqual(self.world.request("GET", "/api/session", login=self.login).json()["logged_in"],
                         False)

    def test_a_renamed_one_types_the_name_of_now(self):
        self.world.launchpad.rename("jdoe", "jane")
        login = self.world.log_in_as("jdoe")
        self.assertEqual(self.act("erase", {"name": "jdoe"}, login), (400, "name-mismatch"))
        self.assertEqual(self.act("erase", {"name": "jane"}, login), self.DONE)

    def test_a_renamed_one_is_led_to_the_name_of_now(self):
        self.world.add_person("ada", ["ubuntumembers"], is_valid=False)
        before = self.world.log_in_as("ada")
        self.world.launchpad.rename("ada", "ida")
        self.world.log_in_as("ada")  # in another browser
        me = self.world.request("GET", "/api/me", login=before).json()
        self.assertEqual({each["next_url"] for each in me["addresses"] if each["reason"] == "not-valid"},
                         {"https://launchpad.net/~ida"})


class Trouble(MemberCase):
    """What is ill is said to be, and nothing else is."""

    def test_no_cache(self):
        away = self.world.cache + ".away"
        os.rename(self.world.cache, away)
        for path in ("", "/history", "/export"):
            self.assertEqual(self.world.request("GET", f"/api/me{path}", login=self.login).status, 503)
        for path, body in ACTS:
            self.assertEqual(self.act(path, body), (503, "cannot-tell"), path)
        self.assertTrue(self.world.request("GET", "/api/session",
                                           login=self.login).json()["logged_in"])
        os.rename(away, self.world.cache)
        end = time.monotonic() + PATIENCE_S
        while self.world.request("GET", "/api/me", login=self.login).status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)

    def test_no_keys(self):
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.assertEqual(self.act("pause", {}), (503, "cannot-tell"))
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.assertEqual(self.act("pause", {}), self.DONE)

    def test_a_link_outlives_a_cache_that_cannot_be_read(self):
        self.add(NEW)
        [token] = self.tokens(NEW)
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.assertEqual(self.confirm(token), (503, "cannot-tell"))
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.assertEqual(self.confirm(token), self.DONE)


class Mail(MemberCase):
    """Who takes the mail is somebody else's problem."""

    def start(self):
        """A mail server that takes connections and never says a word."""
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.silent.close)
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{self.silent.getsockname()[1]}"']
        self.world.write_config()
        self.world.start_portal()

    def test_a_mail_server_that_hangs_slows_nobody(self):
        self.silent.settimeout(PATIENCE_S)
        self.assertEqual(self.add(NEW), self.MAILED)
        connection, _ = self.silent.accept()  # by now it hangs
        with connection:
            for _ in range(30):
                self.assertEqual(self.world.request("GET", "/api/me", login=self.login).status, 200)
            self.assertEqual(self.add("second@home.example"), self.MAILED)
            self.assertEqual(self.act("pause", {}), self.DONE)
        self.silent.settimeout(0.2)

    def test_without_the_program_the_timer_does_it(self):
        self.world.stop_portal()
        self.world.use_sink(self.sink)
        self.world.start_portal(environment={"PATH": "/nonexistent"})
        self.assertEqual(self.add(NEW), self.MAILED)
        end = time.monotonic() + PATIENCE_S  # a process beside the portal says it
        while "cannot run lpalias notify" not in self.world.portal_log():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.world.lpalias("notify", "-q")
        self.assertEqual(self.confirm(self.tokens(NEW)[0]), self.DONE)


if __name__ == "__main__":
    tap.main()
