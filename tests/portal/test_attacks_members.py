"""Members and admins of lpalias-portal who reach for what is somebody else's, and what strangers can find
out. Nobody gets there, and beside each the person whose it is does."""

import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from attack_world import AttackWorld, altered
from mail_sink import MailSink
from portal_world import DESCRIPTION, why_not

NEW = "new@home.example"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&lt;--></title>"


def setUpModule():
    missing = why_not() or (None if mail_sink.program() else "smtp-sink is not installed")
    if missing:
        raise unittest.SkipTest(missing)


class MemberCase(unittest.TestCase):
    """A world and a mail server for each case; kim is the victim."""

    def setUp(self):
        self.sink = MailSink()
        self.sink.start()
        self.addCleanup(self.sink.stop)
        self.world = AttackWorld()
        self.addCleanup(self.world.close)
        self.world.use_sink(self.sink)
        self.world.begin()
        self.sink.forget()
        self.kim, self.lee = self.world.log_in_as("kim"), self.world.log_in_as("lee")

    def tearDown(self):
        self.assertEqual(self.world.secrets_in_logs(), [])

    def act(self, path, body, login, **headers):
        """(status, code or answer) of one POST."""
        answer = self.world.post(path, body, login, headers)
        return answer.status, answer.json().get("error", {}).get("code") or answer.json()

    def targets(self, login):
        me = self.world.request("GET", "/api/me", login=login).json()
        return {each["address"]: each["proof"] for each in me["targets"]}

    def ask_link(self, login, address=NEW):
        """The token of the link that is mailed to address for that login."""
        self.world.remember(address)
        self.sink.forget()
        self.assertEqual(self.act("/api/me/targets", {"address": address}, login), (200, {"proven": False}))
        mail = self.sink.wait_for_recipients({address})[-1]
        token = re.search(r"/confirm#(\S+)", mail.body)[1]
        self.world.remember(token)
        return token

    def confirm(self, token, login=None):
        return self.act("/api/confirm", {"token": token}, login, Origin=self.world.url)


class Others(MemberCase):
    """What is somebody else's."""

    def test_targets_and_addresses_of_another_member(self):
        self.assertEqual(self.confirm(self.ask_link(self.kim)), (200, {"done": True}))
        attacks = [("/api/me/targets/remove", {"address": NEW}, (404, "not-found")),
                   ("/api/me/extension", {"address": "kim@ubuntu.com", "extension": "refuse"}, (404, "not-found")),
                   ("/api/me/erase", {"name": "kim"}, (400, "name-mismatch"))]
        before = self.world.facts()
        for path, body, wanted in attacks:
            self.assertEqual(self.act(path, body, self.lee), wanted)
            for added in ({"name": "kim"}, {"account": self.world.account("kim")}, {"id": 1}, {"is_admin": True}):
                for merged in (body | added, added | body):
                    if merged != body:
                        status = self.act(path, merged, self.lee)[0]
                        self.assertEqual(status, 400, (path, merged))
            self.assertEqual(self.act(f"{path}?name=kim&account={self.world.account('kim')}", body, self.lee), wanted)
        for path in ("/api/me/pause", "/api/me/resume"):
            self.assertEqual(self.act(path, {"name": "kim"}, self.lee)[0], 400)
        for path in ("/api/me/kim", "/api/kim", "/api/me/targets/kim", "/api/members/kim"):
            self.assertEqual(self.world.request("GET", path, login=self.lee).status, 404)
        self.assertEqual(self.world.facts(), before)
        for path, body, _ in attacks:
            self.assertEqual(self.act(path, body, self.kim), (200, {"done": True}))
        self.assertNotEqual(self.world.facts(), before)

    def test_history_and_export_are_ones_own(self):
        for path in ("/api/me", "/api/me/export", "/api/me/history", "/api/me?name=kim", "/api/me/export?name=kim",
                     "/api/me/history?before=9000000000000000000", "/api/me/history?before=1"):
            answer = self.world.request("GET", path, {"X-Lpalias-Name": "kim", "X-Remote-User": "kim"}, login=self.lee)
            self.assertEqual(answer.status, 200, path)
            self.assertNotIn(b"kim", answer.body)
        for query in ("name=kim", "before=1&before=2", "before=-1", "before=0", "before=x", "before=99999999999999999999"):
            self.assertEqual(self.world.request("GET", f"/api/me/history?{query}", login=self.lee).status, 400)
        for path in ("/api/me", "/api/me/export", "/api/me/history"):
            self.assertIn(b"kim", self.world.request("GET", path, login=self.kim).body)

    def test_an_admin_of_one_domain_in_another_one(self):
        jdoe, boss = self.world.log_in_as("jdoe"), self.world.log_in_as("boss")
        before = self.world.facts()
        for path, body in [("/api/admin/plans/ubuntu.com/release", {"number": 1}),
                           ("/api/admin/plans/ubuntu.com/discard", {"number": 1})]:
            self.assertEqual(self.act(path, body, jdoe)[0], 404)
        for path in ("/api/admin/members?domain=ubuntu.com", "/api/admin/events?domain=ubuntu.com",
                     "/api/admin/plans/ubuntu.com"):
            self.assertEqual(self.world.request("GET", path, login=jdoe).status, 404)
        for path, body in [("/api/admin/bans", {"name": "kim", "reason": "mine now"}),
                           ("/api/admin/bans/remove", {"name": "kim"})]:
            self.assertEqual(self.act(path, body, jdoe), (403, "not-allowed"))
            self.assertEqual(self.act(path, body, self.kim), (403, "not-allowed"))
        self.assertEqual(self.world.facts(), before)
        self.assertEqual(self.world.request("GET", "/api/admin/members?domain=ubuntu.net", login=jdoe).status, 200)
        self.assertEqual(self.act("/api/admin/bans", {"name": "kim", "reason": "so"}, boss)[0], 200)
        self.assertNotEqual(self.world.facts(), before)

    def test_who_was_banned_with_a_session_and_a_link(self):
        token = self.ask_link(self.kim)
        boss = self.world.log_in_as("boss")
        self.assertEqual(self.act("/api/admin/bans", {"name": "kim", "reason": "so"}, boss)[0], 200)
        before = self.world.facts()
        for path, body in [("/api/me/targets", {"address": "x@home.example"}), ("/api/me/resume", {}),
                           ("/api/me/targets/remove", {"address": "kim@target.example"})]:
            self.assertEqual(self.act(path, body, self.kim), (409, "banned"))
        self.assertNotEqual(self.confirm(token)[0], 200)
        self.assertEqual(self.world.facts(), before)
        self.assertEqual(self.act("/api/admin/bans/remove", {"name": "kim"}, boss)[0], 200)
        self.assertEqual(self.confirm(token), (200, {"done": True}))

    def test_who_was_banned_erases_it_all_and_comes_again(self):
        boss = self.world.log_in_as("boss")
        self.assertEqual(self.act("/api/admin/bans", {"name": "kim", "reason": "so"}, boss)[0], 200)
        self.assertEqual(self.act("/api/me/erase", {"name": "kim"}, self.kim), (200, {"done": True}))
        again = self.world.log_in_as("kim")
        states = {each["state"] for each in self.world.request("GET", "/api/me", login=again).json()["addresses"]}
        self.assertNotIn("active", states)
        self.assertNotIn("pending", states)
        self.assertEqual(self.act("/api/me/targets", {"address": NEW}, again)[1], "banned")
        bans = self.world.request("GET", "/api/admin/bans", login=boss).json()
        self.assertIn("kim", json.dumps(bans))
        # Who was not banned comes again as a member.
        self.assertEqual(self.act("/api/me/erase", {"name": "lee"}, self.lee), (200, {"done": True}))
        self.assertEqual(self.act("/api/me/targets", {"address": NEW}, self.world.log_in_as("lee")),
                         (200, {"proven": False}))


class Links(MemberCase):
    """A link proves one mailbox for one account, once."""

    def test_guessed(self):
        token = self.ask_link(self.kim)
        before = self.world.facts()
        wrong = ["", " ", "A" * len(token), token[:-1], token + "A", token.lower(), token.swapcase(), f" {token}",
                 f"{token}\n", "%00", "' OR 1=1 --", "../" * 20, "\u0430" * 43, "x" * 60000,
                 *(altered(token, place) for place in range(0, len(token), 6))]
        for guess in wrong:
            self.assertEqual(self.confirm(guess), (404, "link-invalid"), guess[:50])
        for body in ({}, {"token": None}, {"token": 1}, {"token": [token]}, {"token": {"a": token}},
                     {"token": token, "account": "x"}, {"token": token, "address": "evil@home.example"}, [token], token):
            self.assertEqual(self.act("/api/confirm", body, None, Origin=self.world.url)[0], 400, body)
        answer = self.world.request("POST", "/api/confirm", {"Content-Type": "application/json", "Origin": self.world.url},
                                    b'{"token":"x","token":"' + token.encode() + b'"}')
        self.assertEqual(answer.status, 400)
        self.assertEqual(self.world.facts(), before)
        self.assertEqual(self.confirm(token), (200, {"done": True}))

    def test_a_mail_scanner_fetches_it(self):
        token = self.ask_link(self.kim)
        before = self.world.facts()
        for _ in range(3):
            for method in ("GET", "HEAD", "OPTIONS"):
                for path in ("/confirm", f"/confirm?token={token}", f"/confirm?{token}"):
                    self.assertLess(self.world.request(method, path).status, 500)
                for path in ("/api/confirm", f"/api/confirm?token={token}"):
                    self.assertEqual(self.world.request(method, path).status, 405)
        for content_type in ("application/x-www-form-urlencoded", "text/plain", None):
            answer = self.world.request("POST", "/api/confirm", {"Content-Type": content_type, "Origin": self.world.url},
                                        f"token={token}".encode())
            self.assertEqual(answer.status, 415)
        self.assertEqual(self.world.facts(), before)
        self.assertEqual(self.targets(self.kim)[NEW], "waiting")
        self.assertEqual(self.confirm(token), (200, {"done": True}))
        self.assertEqual(self.targets(self.kim)[NEW], "proven")

    def test_used_twice(self):
        token = self.ask_link(self.kim)
        self.assertEqual(self.confirm(token), (200, {"done": True}))
        self.assertEqual(self.act("/api/me/targets/remove", {"address": NEW}, self.kim)[0], 200)
        before = self.world.facts()
        for login in (None, self.kim, self.lee):
            self.assertEqual(self.confirm(token, login), (404, "link-invalid"))
        self.assertEqual(self.world.facts(), before)
        self.assertEqual(self.confirm(self.ask_link(self.kim)), (200, {"done": True}))

    def test_followed_by_another_member(self):
        token = self.ask_link(self.kim)
        before = self.targets(self.lee)
        self.assertEqual(self.confirm(token, self.lee), (200, {"done": True}))  # the mailbox is proven, whoever reads it
        self.assertEqual(self.targets(self.lee), before)
        self.assertEqual(self.targets(self.kim)[NEW], "proven")

    def test_of_an_account_that_was_erased(self):
        token = self.ask_link(self.kim)
        self.assertEqual(self.act("/api/me/erase", {"name": "kim"}, self.kim), (200, {"done": True}))
        before = self.world.facts()
        self.assertEqual(self.confirm(token), (404, "link-invalid"))
        again = self.world.log_in_as("kim")
        self.assertEqual(self.confirm(token), (404, "link-invalid"))
        self.assertNotIn(NEW, self.targets(again))
        self.assertNotIn(NEW, json.dumps(before))
        self.assertEqual(self.confirm(self.ask_link(again)), (200, {"done": True}))

    def test_taken_back(self):
        token = self.ask_link(self.kim)
        self.assertEqual(self.act("/api/me/targets/remove", {"address": NEW}, self.kim), (200, {"done": True}))
        self.assertEqual(self.confirm(token), (404, "link-invalid"))
        self.assertNotIn(NEW, self.targets(self.kim))


class Uniform(MemberCase):
    """Nobody learns from an answer who is a member, or which mailbox is whose."""

    def assert_same(self, path, bodies, login, **headers):
        """The answers to all of them are the same to the byte, but for the date."""
        answers = []
        for body in bodies:
            answer = self.world.post(path, body, login, headers)
            answer.headers.pop("date", None)
            answers.append(answer)
        self.assertEqual([answer for answer in answers if answer != answers[0]], [])
        return answers[0].status

    def test_whose_target_it_is(self):
        status = self.assert_same("/api/me/targets", [{"address": address} for address in (
            "kim@target.example", "nobody@target.example", "kim@people.example")], self.lee)
        self.assertEqual(status, 200)
        status = self.assert_same("/api/me/targets/remove", [{"address": address} for address in (
            "several@target.example", "nobody@home.example", "jdoe@target.example")], self.lee)
        self.assertEqual(status, 404)
        # Of one's own it is told.
        self.assertEqual(self.confirm(self.ask_link(self.lee))[0], 200)
        self.assertEqual(self.act("/api/me/targets", {"address": NEW}, self.lee), (409, "target-known"))

    def test_which_address_exists(self):
        for path, more in (("/api/me/targets", {}), ("/api/me/extension", {"extension": "drop"})):
            status = self.assert_same(path, [{"address": address} | more for address in (
                "kim@ubuntu.com", "nobody-of-that-name@ubuntu.com", "mallory@ubuntu.com")], self.lee)
            self.assertIn(status, (404, 409))
        self.assertEqual(self.act("/api/me/extension", {"address": "lee@lubuntu.me", "extension": "drop"}, self.lee),
                         (200, {"done": True}))

    def test_links_that_are_none_and_those_that_were(self):
        used = self.ask_link(self.kim)
        self.assertEqual(self.confirm(used)[0], 200)
        dropped = self.ask_link(self.kim, "other@home.example")
        self.act("/api/me/targets/remove", {"address": "other@home.example"}, self.kim)
        status = self.assert_same("/api/confirm", [{"token": token} for token in (used, dropped, "x" * 43, "")], None,
                                  Origin=self.world.url)
        self.assertEqual(status, 404)

    def test_what_a_stranger_sees(self):
        for path in ("/status.json", "/api/session", "/", "/status", "/admin", "/me"):
            answer = self.world.request("GET", path)
            for name in (b"kim", b"jdoe", b"several", b"target.example", b"people.example"):
                self.assertNotIn(name, answer.body, path)
        mallory = self.world.log_in_as("mallory")
        for method, path in sorted(DESCRIPTION.operations()):
            if method == "GET":
                answer = self.world.request("GET", path.replace("{domain}", "ubuntu.com"), login=mallory)
                for name in (b"kim", b"jdoe", b"target.example"):
                    self.assertNotIn(name, answer.body, path)
        self.assertIn(b"kim", self.world.request("GET", "/api/me", login=self.kim).body)


class Markup(MemberCase):
    """Text of others stays text: JSON that no browser takes for a page."""

    def setUp(self):
        super().setUp()
        self.boss = self.world.log_in_as("boss")

    def test_everywhere(self):
        world = self.world
        world.ubuntu_one.set_account("filler-a", fullname=MARKUP)
        world.launchpad.set_person("filler-a", display_name=MARKUP)
        filler = world.log_in_as("filler-a")
        self.assertEqual(self.act("/api/admin/bans", {"name": "mallory", "reason": MARKUP}, self.boss)[0], 200)
        for body in ({"name": MARKUP, "reason": "x"}, {"name": "mallory", "reason": "a\r\nb"},
                     {"name": "mallory\u0000", "reason": "x"}, {"name": "../x", "reason": "x"}):
            self.assertEqual(self.act("/api/admin/bans", body, self.boss)[0], 400, body)
        world.lpalias("pause", "lee", status=None)
        seen = 0
        for login in (filler, self.kim, self.boss, None):
            for method, path in sorted(DESCRIPTION.operations()):
                if method == "GET":
                    seen += self.look(path.replace("{domain}", "ubuntu.com"), login)
        self.assertGreaterEqual(seen, 2)  # bans and events

    def look(self, path, login):
        """1 when the text is there. request() has looked at nosniff and the policy."""
        answer = self.world.request("GET", path, login=login)
        self.assertEqual(answer.headers["content-type"], "application/json")
        text = json.dumps(answer.json(), ensure_ascii=False)
        self.assertNotIn(b"\n", answer.body)
        return int(json.dumps(MARKUP)[1:-1] in text)

    def test_what_is_asked_for_is_not_repeated(self):
        quoted = "%3Cscript%3Ealert(1)%3C/script%3E"
        for path in (f"/?problem={quoted}", f"/{quoted}", f"/me?{quoted}", f"/login/return?openid.error={quoted}",
                     f"/api/{quoted}", f"/api/admin/members?search={quoted}", f"/api/admin/plans/{quoted}",
                     f"/api/admin/events?domain={quoted}", f"/static/{quoted}", f"/login?next=/{quoted}"):
            for login in (None, self.boss):
                answer = self.world.request("GET", path, {"User-Agent": MARKUP, "Referer": MARKUP}, login=login)
                self.assertNotIn(b"<script>alert", answer.body)
                self.assertNotIn(b"alert(1)", answer.body.replace(b" ", b""))
                self.assertNotRegex(answer.headers.get("location", ""), r"^/.*alert|<script")
        self.assertEqual(self.world.request("GET", "/api/admin/members?search=kim", login=self.boss).status, 200)


if __name__ == "__main__":
    tap.main()
