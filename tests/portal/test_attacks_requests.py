"""Requests to lpalias-portal that another site, another program or a proxy in between makes of them. None
does anything, and beside each stands the honest one, which does."""

import json
import os
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from attack_world import EVIL, AttackCase, AttackWorld, header_problem
from lpalias_world import connect
from mail_sink import MailSink
from portal_world import DESCRIPTION, Answer, Login, read_answer, why_not

ROUTES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "portal", "routes.c")
HELD = 3
NEWCOMERS = 25  # more than a refresh adds by itself
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
         "text/plain; application/json", "application/jsonp", "application/x-json", "", None)


def setUpModule():
    missing = why_not() or (None if mail_sink.program() else "smtp-sink is not installed")
    if missing:
        raise unittest.SkipTest(missing)


class Forgery(unittest.TestCase):
    """Every request that changes something, sent by another site with the victim's cookies."""

    def setUp(self):
        self.sink = MailSink()
        self.sink.start()
        self.addCleanup(self.sink.stop)
        self.world = AttackWorld()
        self.addCleanup(self.world.close)
        self.world.use_sink(self.sink)
        self.world.begin()
        self.logins = {name: self.world.log_in_as(name) for name in ("kim", "lee", "boss", "jdoe")}
        self.members = [self.world.log_in_as(name) for name in ("several", "filler-a", "filler-b")]

    def tearDown(self):
        self.assertEqual(self.world.secrets_in_logs(), [])

    def hold_plans(self):
        """Newcomers of two teams wait for somebody to say yes."""
        for team in ("ubuntumembers", "lubuntu-members"):
            for number in range(NEWCOMERS):
                name = f"new{number:02d}-{team[0]}"
                self.world.launchpad.add_person(name)
                self.world.launchpad.add_member(team, name)
        self.world.lpalias("refresh", status=HELD)

    def plan_number(self, domain):
        answer = self.world.request("GET", f"/api/admin/plans/{domain}", login=self.logins["boss"])
        return answer.json()["number"]

    def link_token(self):
        """Of a link that kim has asked for."""
        answer = self.world.post("/api/me/targets", {"address": "link@home.example"}, self.logins["kim"])
        self.assertEqual(answer.status, 200)
        mail = self.sink.wait_for_recipients({"link@home.example"})[-1]
        token = re.search(r"/confirm#(\S+)", mail.body)[1]
        self.world.remember(token)
        return token

    def honest(self):
        """[(described path, path, who, body)] of all that can be done, in an order that works."""
        kim, boss = "kim", "boss"
        of_plan = [(f"/api/admin/plans/{{domain}}/{act}", f"/api/admin/plans/{domain}/{act}", boss,
                    {"number": self.plan_number(domain)})
                   for act, domain in (("release", "ubuntu.com"), ("discard", "lubuntu.me"))]
        return [
            *of_plan,
            *[(path, path, who, body) for path, who, body in [
                ("/api/confirm", kim, {"token": self.link_token()}),
                ("/api/me/targets", kim, {"address": "new@home.example"}),
                ("/api/me/targets/remove", kim, {"address": "link@home.example"}),
                ("/api/me/extension", kim, {"address": "kim@ubuntu.com", "extension": "drop"}),
                ("/api/me/pause", kim, {}),
                ("/api/me/resume", kim, {}),
                ("/api/me/erase", "lee", {"name": "lee"}),
                ("/api/admin/bans", boss, {"name": "mallory", "reason": "spam"}),
                ("/api/admin/bans/remove", boss, {"name": "mallory"}),
                ("/logout", "jdoe", {}),
                ("/logout/everywhere", boss, {}),
            ]]]

    def forgeries(self, login):
        """What another site, or an old browser, makes of the headers: each is one attack."""
        stolen = self.logins["jdoe" if login is not self.logins["jdoe"] else "kim"].csrf
        return [
            {"X-CSRF-Token": None}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "A" * 43},
            {"X-CSRF-Token": stolen}, {"X-CSRF-Token": login.csrf + "A"}, {"X-CSRF-Token": login.csrf[:-1]},
            {"X-CSRF-Token": f"{login.csrf}\r\nX-CSRF-Token: {stolen}"},
            {"X-CSRF-Token": None, "Cookie": f"{login.cookie}; X-CSRF-Token={login.csrf}"},
            {"Origin": EVIL}, {"Origin": "null"}, {"Origin": ""}, {"Origin": self.world.url + ".evil.example"},
            {"Origin": self.world.url + "/"}, {"Origin": self.world.url.upper()},
            {"Origin": f"{self.world.url}\r\nOrigin: {EVIL}"}, {"Origin": f"{self.world.url} {EVIL}"},
            {"Origin": None, "Referer": self.world.url + "/me", "Sec-Fetch-Site": None},
            {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": ""}, {"Origin": None, "Sec-Fetch-Site": "cross-site"},
            {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "X-CSRF-Token": None},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site", "X-CSRF-Token": None},
            {"Origin": None, "Sec-Fetch-Site": None, "X-CSRF-Token": None},
        ]

    def state(self):
        """All that an attack could have changed."""
        return self.world.facts(), [self.world.is_logged_in(login) for login in self.logins.values()]

    def test_every_write(self):
        self.hold_plans()
        acts = self.honest()
        described = {path for method, path in DESCRIPTION.operations() if method == "POST"}
        self.assertEqual({act[0] for act in acts}, described)
        before = self.state()
        for _, path, who, body in acts:
            self.attack(path, self.logins[who], body)
        self.assertEqual(self.state(), before)
        for _, path, who, body in acts:
            with self.subTest(honest=path):
                answer = self.world.post(path, body, self.logins[who])
                self.assertIn(answer.status, (200, 204), answer)
        after = self.state()
        self.assertNotEqual(after[0], before[0])
        self.assertEqual(after[1], [True, False, False, False])

    def attack(self, path, login, body):
        """Each is refused, and says so; what came of it is looked at when all are done."""
        for headers in self.forgeries(login):
            with self.subTest(path=path, headers=headers):
                answer = self.world.post(path, body, login, headers)
                self.assertEqual((answer.status, answer.json()["error"]["code"]), (403, "csrf"))
        query = urllib.parse.urlencode({**{key: str(value) for key, value in body.items()},
                                        "csrf_token": login.csrf})
        for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"X-HTTP-Method-Override": "POST"}),
                                ("PUT", {}), ("DELETE", {}), ("PATCH", {}), ("OPTIONS", {})):
            with self.subTest(path=path, method=method):
                answer = self.world.request(method, f"{path}?{query}", headers, login=login)
                # Of bans one can have a list by the same path.
                self.assertEqual(answer.status, 200 if path == "/api/admin/bans" and method in ("GET", "HEAD")
                                 else 405)
        if path.startswith("/api/"):
            self.attack_by_form(path, login, body)

    def attack_by_form(self, path, login, body):
        """What a form can send is not read, even if all else were right. Of each person, as few
        proofs may be asked for in an hour."""
        bodies = [(content_type, json.dumps(body)) for content_type in FORMS]
        bodies += [(content_type, urllib.parse.urlencode(body)) for content_type in FORMS[:2]]
        for (content_type, sent), member in zip(bodies, self.members * 4):
            with self.subTest(path=path, content_type=content_type):
                sender = login if path.startswith("/api/admin/") else member
                answer = self.world.request("POST", path, {"Content-Type": content_type}, sent.encode(), sender)
                self.assertEqual((answer.status, answer.json()["error"]["code"]), (415, "media-type"))

    def test_no_write_is_forgotten(self):
        with open(ROUTES, encoding="utf-8") as file:
            table = set(re.findall(r'\{"([A-Z]+)", "([^"]+)"', file.read()))
        login = {("GET", "/login")}  # and its return, which a browser's form has to reach
        self.assertEqual(table - login, DESCRIPTION.operations())
        self.assertFalse([row for row in table if row[0] not in ("GET", "POST")])

    def test_a_link_followed_by_another_site_without_a_session(self):
        token = self.link_token()
        before = self.world.facts()
        for headers in ({}, {"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Origin": self.world.url, "Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(self.world.post("/api/confirm", {"token": token}, headers=headers).status, 403)
        self.assertEqual(self.world.facts(), before)
        answer = self.world.post("/api/confirm", {"token": token}, headers={"Origin": self.world.url})
        self.assertEqual(answer.status, 200)
        self.assertNotEqual(self.world.facts(), before)


class Frames(AttackCase):
    """No answer of any kind may stand in a frame, be guessed to be another type, or be kept."""

    def test_each_kind_of_answer(self):
        kim = self.world.log_in_as("kim")
        etag = self.world.request("GET", "/").headers["etag"]
        limited = {"X-Forwarded-For": "198.51.100.1", "Origin": self.world.url}
        kinds = [
            (200, "GET", "/", {}, None), (304, "GET", "/", {"If-None-Match": etag}, None),
            (200, "GET", "/static/site.css", {}, None), (200, "GET", "/api/me", {}, kim),
            (303, "GET", "/login", {}, None), (303, "GET", "/login/return", {}, None),
            (303, "POST", "/login/return", {}, None), (204, "POST", "/logout", {}, kim),
            (401, "GET", "/api/me", {}, None), (403, "GET", "/api/admin/bans", {}, self.world.log_in_as("lee")),
            (404, "GET", "/%3Cscript%3E", {}, None), (404, "GET", "/api/none", {}, None),
            (405, "PUT", "/api/session", {}, None), (405, "POST", "/", {}, None),
            (415, "POST", "/api/confirm", {"Origin": self.world.url}, None),
            (421, "GET", "/", {"Host": "evil.example"}, None), (200, "GET", "/status.json", {}, None),
        ]
        for status, method, path, headers, login in kinds:
            with self.subTest(method=method, path=path):  # request() looks at the headers of each
                self.assertEqual(self.world.request(method, path, headers, login=login).status, status)
        while self.world.request("POST", "/api/confirm", limited).status != 429:
            pass
        for raw in (b"none\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000):
            answer = self.world.raw_request(raw)
            self.assertGreaterEqual(answer.status, 400)
            self.assertIsNone(header_problem("/", answer))
        # The check above can fail.
        self.assertIsNotNone(header_problem("/", Answer(200, {"x-frame-options": "SAMEORIGIN"}, b"")))

    def test_what_cannot_be_done_now(self):
        kim = self.world.log_in_as("kim")
        os.rename(self.world.key_file, self.world.key_file + ".away")
        try:
            self.assertEqual(self.world.post("/api/me/pause", {}, kim).status, 503)
        finally:
            os.rename(self.world.key_file + ".away", self.world.key_file)
        self.assertEqual(self.world.post("/api/me/pause", {}, kim).status, 200)


class Smuggling(AttackCase):
    """A request that ends at one place for a proxy and at another one for us hides a second one."""

    def setUp(self):
        self.kim = self.world.log_in_as("kim")
        host = f"Host: {self.world.authority}\r\n"
        self.hidden = (f"POST /logout HTTP/1.1\r\n{host}Cookie: {self.kim.cookie}\r\nOrigin: {self.world.url}\r\n"
                       f"X-CSRF-Token: {self.kim.csrf}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.host = host

    def send(self, raw):
        """All that comes back until the other end hangs up."""
        with connect(self.world.portal_endpoint) as client:
            got = b""
            try:
                client.sendall(raw.encode("latin-1"))
                while some := client.recv(65536):
                    got += some
            except ConnectionResetError:
                pass
        return got

    def test_two_ends(self):
        hidden, size = self.hidden, len(self.hidden)
        for name, method, fields, body in [
                ("length and chunks", "POST", f"Content-Length: {size + 5}\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
                ("chunks and length", "POST", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
                ("chunks alone", "POST", "Transfer-Encoding: chunked", "0\r\n\r\n"),
                ("two lengths", "POST", f"Content-Length: 0\r\nContent-Length: {size}", ""),
                ("two lengths, the other way", "POST", f"Content-Length: {size}\r\nContent-Length: 0", ""),
                ("two lengths in one", "POST", f"Content-Length: 0, {size}", ""),
                ("twice the same length", "POST", "Content-Length: 0\r\nContent-Length: 0", ""),
                ("a sign", "POST", "Content-Length: +0", ""), ("hexadecimal", "POST", "Content-Length: 0x0", ""),
                ("a space before the colon", "POST", f"Content-Length : {size}", ""),
                ("and of chunks", "POST", "Transfer-Encoding : chunked\r\nContent-Length: 5", "0\r\n\r\n"),
                ("a tab", "POST", "Transfer-Encoding:\tchunked", "0\r\n\r\n"),
                ("a vertical tab", "POST", "Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
                ("another coding", "POST", "Transfer-Encoding: xchunked\r\nContent-Length: 0", ""),
                ("two codings", "POST", "Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
                ("two headers of codings", "POST", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                 "0\r\n\r\n"),
                ("an extension of a chunk", "POST", "Transfer-Encoding: chunked", "0;a=b\r\n\r\n"),
                ("a signed chunk", "POST", "Transfer-Encoding: chunked", "-0\r\n\r\n"),
                ("a hexadecimal chunk", "POST", "Transfer-Encoding: chunked", "0x0\r\n\r\n"),
                ("trailers", "POST", "Transfer-Encoding: chunked", "0\r\nX: y\r\n\r\n"),
                ("a name of another kind", "POST", "Content-Length\x00: 0", ""),
                ("no name", "POST", ": x\r\nContent-Length: 0", ""),
                ("a length that was folded", "POST", f"Content-Length:\r\n {size}", ""),
                ("a line end in a header", "POST", f"X: y\rContent-Length: {size}\r\nContent-Length: 0", ""),
                ("the body of a HEAD", "HEAD", f"Content-Length: {size}", ""),
                ("the chunks of a HEAD", "HEAD", "Transfer-Encoding: chunked", f"{size:x}\r\n"),
                ("the body of a TRACE", "TRACE", f"Content-Length: {size}", "")]:
            with self.subTest(name=name):
                raw = f"{method} /api/session HTTP/1.1\r\n{self.host}{fields}\r\n\r\n{body}{hidden}"
                got = self.send(raw)
                self.assertEqual(got.count(b"HTTP/1.1 "), 1, got)
                self.assertRegex(got[:12], rb"HTTP/1.1 4[01][0-9]")
                self.assertIn(b"Connection: close", got)
                self.assertTrue(self.world.is_logged_in(self.kim))

    def test_a_body_is_no_request(self):
        for method in ("POST", "GET", "PUT"):
            raw = (f"{method} /api/session HTTP/1.1\r\n{self.host}Connection: close\r\n"
                   f"Content-Length: {len(self.hidden)}\r\n\r\n{self.hidden}")
            got = self.send(raw)
            self.assertEqual(got.count(b"HTTP/1.1 "), 1, got)
            self.assertTrue(self.world.is_logged_in(self.kim))

    def test_a_fold_is_the_header_before(self):
        raw = (f"GET /api/session HTTP/1.1\r\nX: y\r\n Host: evil.example\r\n Cookie: {self.kim.cookie}\r\n"
               f"{self.host}Connection: close\r\n\r\n")
        got = self.send(raw)
        self.assertIn(b'"logged_in":false', got)

    def test_one_behind_the_other_is_two(self):
        one = f"GET /api/session HTTP/1.1\r\n{self.host}\r\n"
        got = self.send(one + self.hidden)
        self.assertEqual(got.count(b"HTTP/1.1 "), 2)
        self.assertFalse(self.world.is_logged_in(self.kim))


class Paths(AttackCase):
    """The rights of a path cannot be had by writing it another way."""

    def test_what_a_member_may_not_see(self):
        kim, boss = self.world.log_in_as("kim"), self.world.log_in_as("boss")
        for honest in ("/api/admin/bans", "/api/admin/events", "/api/admin/members", "/api/admin/domains",
                       "/api/admin/notices"):
            self.assertEqual(self.world.request("GET", honest, login=kim).status, 403)
            self.assertEqual(self.world.request("GET", honest, login=boss).status, 200)
        for path in ("/api/me/../admin/bans", "/api/./admin/bans", "//api/admin/bans", "/api//admin/bans",
                     "/api/admin/bans/", "/API/ADMIN/BANS", "/api/admin/bans%00", "/api/admin/bans;x=y",
                     "/api/admin/%62ans", "/api%2fadmin%2fbans", "/api/admin/bans%3f", "/api/admin/bans.json",
                     "/static/../api/admin/bans", "/static/%2e%2e/api/admin/bans", "\\api\\admin\\bans",
                     f"{self.world.url}/api/admin/bans", f"http://evil.example/api/admin/bans", "/api/admin/bans#x",
                     "/api/me/%2e%2e/admin/bans", "/api/session/../admin/bans", "/api/admin/bans%20"):
            for login in (kim, boss):
                with self.subTest(path=path):
                    answer = self.world.request("GET", path, login=login)
                    self.assertIn(answer.status, (400, 404))
                    self.assertNotIn(b"bans", answer.body)

    def test_another_domain_by_another_spelling(self):
        jdoe, boss = self.world.log_in_as("jdoe"), self.world.log_in_as("boss")
        for domain in ("ubuntu.com", "UBUNTU.COM", "ubuntu.com.", "ubuntu%2ecom", "ubuntu.net%2f..%2fubuntu.com",
                       "ubuntu.net%00ubuntu.com", "ubuntu.net/../ubuntu.com", "%75buntu.com", "ubuntu.com%20",
                       "..", "%2e%2e", "none.example", "%ff", "a" * 2000):
            for act in ("release", "discard"):
                with self.subTest(domain=domain[:40]):
                    answer = self.world.post(f"/api/admin/plans/{domain}/{act}", {"number": 1}, jdoe)
                    self.assertEqual(answer.status, 404)
            self.assertEqual(self.world.request("GET", f"/api/admin/plans/{domain}", login=jdoe).status, 404)
        for query in ("domain=ubuntu.com", "domain=UBUNTU.COM", "domain=ubuntu.com.",
                      "domain=ubuntu.net&domain=ubuntu.com", "domain=ubuntu.net%00"):
            for list_of in ("members", "events"):
                answer = self.world.request("GET", f"/api/admin/{list_of}?{query}", login=jdoe)
                self.assertIn(answer.status, (400, 404), (query, list_of))
        for path in ("members", "members?domain=", "members?search=", "members?search=kim", "events",
                     "domains", "notices"):
            self.assertNotIn(b"ubuntu.com", self.world.request("GET", f"/api/admin/{path}", login=jdoe).body)
            self.assertIn(b"ubuntu", self.world.request("GET", f"/api/admin/{path}", login=boss).body)
        self.assertEqual(self.world.request("GET", "/api/admin/members?domain=ubuntu.net", login=jdoe).status, 200)
        self.assertEqual(self.world.request("GET", "/api/admin/members?domain=ubuntu.com", login=boss).status, 200)


class Limits(AttackCase):
    """Whoever says to be many is one."""

    ADDRESS_WRITES, ADDRESS_LOGINS = 120, 30

    def write(self, forwarded):
        """A write that needs no login: the link does not exist."""
        return self.world.post("/api/confirm", {"token": "x" * 43},
                               headers={"Origin": self.world.url, "X-Forwarded-For": forwarded}).status

    def count_until_limit(self, forwarded, most, act):
        for number in range(2 * most):
            if act(forwarded(number)) == 429:
                return number
        return None

    def test_addresses_that_the_client_writes_itself(self):
        """The proxy's word is the last one; what its client wrote stands before it."""
        for network, forwarded in [("198.51.100.1", lambda number: f"192.0.2.{number % 250}, 198.51.100.1"),
                                   ("198.51.100.2", lambda number: f"127.0.0.1, 10.{number}.0.1,198.51.100.2"),
                                   ("198.51.100.3", lambda number: f"192.0.2.{number % 250}\r\nX-Forwarded-For: 198.51.100.3"),
                                   ("2001:db8:1:2::1", lambda number: f"2001:db8:1:2::{number + 1:x}")]:
            with self.subTest(network=network):
                reached = self.count_until_limit(forwarded, self.ADDRESS_WRITES, self.write)
                self.assertIsNotNone(reached)
                self.assertGreaterEqual(reached, self.ADDRESS_WRITES)
                self.assertEqual(self.write(network), 429)
        self.assertEqual(self.write("198.51.100.9"), 404)
        self.assertEqual(self.write("2001:db8:1:3::1"), 404)

    def test_logins_of_one_address(self):
        def begin(forwarded):
            answer = self.world.request("GET", "/login", {"X-Forwarded-For": forwarded})
            self.assertEqual(answer.status, 303)
            return 429 if answer.headers["location"] == "/?problem=too-often" else 303

        reached = self.count_until_limit(lambda number: f"192.0.2.{number}, 203.0.113.1", self.ADDRESS_LOGINS, begin)
        self.assertIsNotNone(reached)
        self.assertGreaterEqual(reached, self.ADDRESS_LOGINS)
        self.assertEqual(begin("203.0.113.2"), 303)

    def test_logins_of_one_person_from_everywhere(self):
        outcomes = [self.world.outcome(self.world.try_log_in_as("filler-a")) for _ in range(25)]
        self.assertEqual(outcomes[:20], ["logged in"] * 20)
        self.assertEqual(outcomes[-1], "too-often")
        self.assertEqual(self.world.outcome(self.world.try_log_in_as("filler-b")), "logged in")

    def test_writes_of_one_person_from_everywhere(self):
        login, other = self.world.log_in_as("kim"), self.world.log_in_as("lee")
        reached = self.count_until_limit(
            lambda number: None, 60,
            lambda _: self.world.post("/api/me/targets/remove", {"address": "none@home.example"}, login).status)
        self.assertIsNotNone(reached)
        self.assertGreaterEqual(reached, 60)
        self.assertEqual(self.world.post("/api/me/targets/remove", {"address": "none@home.example"}, other).status, 404)

    def test_long_reads_of_one_person(self):
        """Each goes through the whole log, and there is one thread."""
        for path in ("history", "export"):
            name = {"history": "kim", "export": "lee"}[path]
            login, other = self.world.log_in_as(name), self.world.log_in_as("several")
            reached = self.count_until_limit(
                lambda number: None, 20, lambda _: self.world.request("GET", f"/api/me/{path}", login=login).status)
            self.assertIsNotNone(reached)
            self.assertGreaterEqual(reached, 20)
            self.assertEqual(self.world.request("GET", f"/api/me/{path}", login=other).status, 200)
            self.assertEqual(self.world.request("GET", "/api/me", login=login).status, 200)


if __name__ == "__main__":
    tap.main()
