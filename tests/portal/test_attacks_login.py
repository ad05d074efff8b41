"""Attacks on the login of lpalias-portal. None gets what its attacker wants: nobody is logged in, and the
cache stays as it is. Beside each stands the same thing done honestly, which works."""

import os
import re
import sys
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
import ubuntu_one_standin
from attack_world import AttackCase
from portal_world import LOGIN_COOKIE, SESSION_COOKIE, Login, cookies_of, why_not

# Faults that are none: the person tells less, or the answer comes another way.
HONEST = {"no-nickname", "no-email", "no-teams", "empty-teams", "email-unverified", "by-post", "by-get",
          "verification-slow"}
REFUSED = {"refused", "expired", "unavailable", "other", "cancelled"}


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class LoginCase(AttackCase):
    """What the cases share."""

    def setUp(self):
        self.world.ubuntu_one.reset()
        self.names = iter(["kim", "lee", "jdoe", "several", "pending", "filler-a", "filler-b"] * 50)

    def somebody(self):
        """The next person, as nobody may log in very often."""
        return next(self.names)

    def assert_fails(self, answer):
        self.assertIn(self.world.outcome(answer), REFUSED, self.world.portal_log()[-2000:])
        self.assertEqual(answer.status, 303)
        self.assertRegex(answer.headers["location"], r"^/\?problem=[a-z-]+$")

    def assert_works(self, name=None):
        name = name or self.somebody()
        login = self.world.log_in_as(name)
        self.assertEqual(self.world.name_of(login), name)
        return login

    def two_portals(self):
        """A second process on the same state; returns where it listens."""
        path = os.path.join(self.world.directory, "second")
        if not os.path.exists(path):
            first = self.world.listen
            self.world.listen = f"unix:{path}"
            self.world.write_config()
            self.world.start_portal()
            self.world.listen = first
            self.world.write_config()
        return path

    def come_back(self, brought, cookie, endpoint=None):
        """come_back() at one of several processes."""
        path = brought.url.removeprefix(self.world.url)
        return self.world.request("GET", path, {"Cookie": cookie}, endpoint=endpoint)


class Assertions(LoginCase):
    """Answers that the provider did not give, or not so, or not to us."""

    def test_each_fault_of_the_provider_or_of_the_browser(self):
        attacks = sorted(set(ubuntu_one_standin.FAULTS) - HONEST)
        self.assertGreater(len(attacks), 45)
        for name in [self.somebody() for _ in range(7)]:
            self.assert_works(name)  # an answer that can be replayed, and all that a login changes
        with self.nothing_changes():
            for fault in attacks:
                with self.subTest(fault=fault):
                    person = self.somebody()
                    self.world.ubuntu_one.add_fault(fault, account=person)
                    self.assert_fails(self.world.try_log_in_as(person))
                    self.world.ubuntu_one.clear_faults()
                    self.assert_works(person)

    def test_what_is_no_fault_is_none(self):
        for fault in sorted(HONEST - {"verification-slow"}):
            with self.subTest(fault=fault):
                self.world.ubuntu_one.add_fault(fault)
                self.assert_works()
                self.world.ubuntu_one.clear_faults()

    def test_a_victims_nickname_and_address_written_behind_the_answer(self):
        """The provider was told to keep them back, so that nothing else is wrong with the answer."""
        for fault in ("no-nickname", "no-email", "no-teams"):
            self.world.ubuntu_one.add_fault(fault, account="mallory")
        for added in ("openid.sreg.nickname=kim", "openid.sreg.email=kim@people.example",
                      "openid.x.nickname=kim&openid.ns.x=http://openid.net/extensions/sreg/1.1",
                      "openid.lp.is_member=ubuntumembers"):
            with self.subTest(added=added):
                begun = self.world.begin_login()
                brought = self.world.bring(begun, "mallory")
                before = len(self.world.portal_log())
                self.assert_fails(self.world.come_back(
                    brought._replace(url=f"{brought.url}&{added}"), begun.cookie))
                self.assertIn("is refused: unsigned-attribute: ", self.world.portal_log()[before:])
        login = self.world.log_in_as("mallory")
        self.assertEqual(self.world.name_of(login), "mallory")

    def test_parameters_that_come_twice(self):
        for field in ("openid.mode", "openid.claimed_id", "openid.identity", "openid.sig",
                      "openid.signed", "openid.return_to", "openid.response_nonce", "state"):
            with self.subTest(field=field):
                begun = self.world.begin_login()
                brought = self.world.bring(begun, self.somebody())
                fields = dict(urllib.parse.parse_qsl(brought.url.partition("?")[2]))
                again = urllib.parse.urlencode({field: fields[field]})
                for url in (f"{brought.url}&{again}", brought.url.replace("?", f"?{again}&", 1)):
                    self.assert_fails(self.world.come_back(brought._replace(url=url), begun.cookie))
        self.assert_works()

    def test_return_to_that_is_altered_on_its_way(self):
        for old, new in [("/login/return?state=", "/login/return?State="),
                         ("/login/return?state=", "/login/return?state=x"),
                         ("openid.return_to=http%3A", "openid.return_to=https%3A"),
                         ("openid.return_to=http%3A%2F%2Flocalhost",
                          "openid.return_to=http%3A%2F%2F127.0.0.1")]:
            with self.subTest(new=new):
                begun = self.world.begin_login()
                brought = self.world.bring(begun, self.somebody())
                self.assertIn(old, brought.url)
                self.assert_fails(self.world.come_back(
                    brought._replace(url=brought.url.replace(old, new, 1)), begun.cookie))
        self.assert_works()


class Replay(LoginCase):
    """An answer counts once, whoever takes it."""

    def test_a_nonce_in_two_processes(self):
        second = self.two_portals()
        self.assert_works()
        self.world.ubuntu_one.add_fault("nonce-replayed")
        for endpoint in (second, None):
            begun = self.world.begin_login()
            brought = self.world.bring(begun, self.somebody())
            self.assertEqual(self.world.outcome(self.come_back(brought, begun.cookie, endpoint)),
                             "refused")
        self.assertIn("the nonce was used before", self.world.portal_log())
        self.world.ubuntu_one.clear_faults()
        begun = self.world.begin_login()
        brought = self.world.bring(begun, self.somebody())
        self.assertEqual(self.world.outcome(self.come_back(brought, begun.cookie, second)),
                         "logged in")

    def test_an_answer_in_two_processes_one_after_the_other(self):
        second = self.two_portals()
        begun = self.world.begin_login()
        brought = self.world.bring(begun, self.somebody())
        self.assertEqual(self.world.outcome(self.come_back(brought, begun.cookie)), "logged in")
        for endpoint in (None, second):
            self.assert_fails(self.come_back(brought, begun.cookie, endpoint))

    def test_an_answer_in_two_processes_at_once(self):
        second = self.two_portals()
        for _ in range(5):
            begun = self.world.begin_login()
            brought = self.world.bring(begun, self.somebody())
            outcomes = []

            def take(endpoint):
                answer = self.come_back(brought, begun.cookie, endpoint)
                outcomes.append(self.world.outcome(answer))

            threads = [threading.Thread(target=take, args=(endpoint,))
                       for endpoint in (None, second, None, second)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(outcomes), ["expired"] * 3 + ["logged in"])


class Browsers(LoginCase):
    """The answer to one browser in another one."""

    def test_an_attackers_answer_in_a_victims_browser(self):
        begun = self.world.begin_login()
        brought = self.world.bring(begun, "mallory")
        victim = self.world.log_in_as("kim")
        others = self.world.begin_login()
        for cookie in (None, "", victim.cookie, others.cookie, f"{victim.cookie}; {others.cookie}",
                       f"{LOGIN_COOKIE}=", f"{LOGIN_COOKIE}={'A' * 43}",
                       f"{begun.cookie}; {others.cookie}"):  # planted beside the victim's own
            with self.subTest(cookie=cookie):
                answer = self.world.come_back(brought, cookie)
                self.assert_fails(answer)
                self.assertNotIn(SESSION_COOKIE, cookies_of(answer))
        self.assertEqual(self.world.name_of(victim), "kim")
        # It is good in the attacker's own.
        self.assertEqual(self.world.outcome(self.world.come_back(brought, begun.cookie)), "logged in")

    def test_a_victims_answer_in_an_attackers_browser(self):
        begun = self.world.begin_login()
        brought = self.world.bring(begun, "kim")
        own = self.world.begin_login()
        for cookie in (None, own.cookie, self.world.log_in_as("mallory").cookie):
            self.assert_fails(self.world.come_back(brought, cookie))
        # Nor in a login that the attacker has begun: what is signed names the victim's.
        state = dict(urllib.parse.parse_qsl(
            urllib.parse.urlsplit(dict(urllib.parse.parse_qsl(own.url))["openid.return_to"]).query))
        swapped = re.sub(r"\?state=[^&]*", "?state=" + state["state"], brought.url, count=1)
        self.assertNotEqual(swapped, brought.url)
        self.assert_fails(self.world.come_back(brought._replace(url=swapped), own.cookie))
        self.assertEqual(self.world.outcome(self.world.come_back(brought, begun.cookie)), "logged in")

    def test_a_session_that_was_planted_before_the_login(self):
        planted = self.world.log_in_as("mallory")
        begun = self.world.begin_login()
        answer = self.world.come_back(self.world.bring(begun, "kim"), f"{planted.cookie}; {begun.cookie}")
        login = self.world.login_of(answer)
        self.assertEqual(self.world.name_of(login), "kim")
        self.assertNotEqual(login.cookie, planted.cookie)
        self.assertNotEqual(login.csrf, planted.csrf)
        self.assertFalse(self.world.is_logged_in(planted))
        self.assertEqual(self.world.request("POST", "/logout", login=Login(login.cookie, planted.csrf)).status,
                         403)
        self.assertTrue(self.world.is_logged_in(login))
        # Each login is a session of its own, and one that nobody planted lives on.
        other = self.world.log_in_as("kim")
        self.assertNotEqual(other.csrf, login.csrf)
        self.assertTrue(self.world.is_logged_in(login))

    def test_cookies_are_for_this_site_and_no_script(self):
        begin = self.world.request("GET", "/login")
        end = self.world.try_log_in_as("kim")
        for answer, name, same_site in [(begin, LOGIN_COOKIE, "None"), (end, SESSION_COOKIE, "Lax")]:
            lines = answer.headers["set-cookie"]
            line = next(each for each in ([lines] if isinstance(lines, str) else lines)
                        if each.startswith(name + "="))
            attributes = {part.strip().lower() for part in line.split(";")[1:]}
            self.assertLessEqual({"path=/", "secure", "httponly", f"samesite={same_site.lower()}"},
                                 attributes)
            self.assertFalse([each for each in attributes if each.startswith("domain")])
            self.assertTrue(name.startswith("__Host-"))


def where(base, location):
    """The site where a browser goes to (WHATWG URL): it drops tabs and line ends, and reads "\\" as "/"."""
    cleaned = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    return urllib.parse.urlsplit(urllib.parse.urljoin(base, cleaned))


class Redirects(LoginCase):
    """A login ends on this site, whatever the link said that began it."""

    def test_next_leads_nowhere_else(self):
        host = self.world.authority
        for sent in ("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
                     "https:evil.example", "https://evil.example/", "http:///evil.example",
                     "javascript:alert(1)", "data:text/html,x", "evil.example", "@evil.example",
                     f".evil.example", f":1@evil.example", f"http://{host}@evil.example/",
                     f"http://{host}.evil.example/", "/\t/evil.example", "\t//evil.example",
                     " //evil.example", "/ /evil.example", "/me\r\nLocation: //evil.example",
                     "/me\nSet-Cookie: a=b", "/me\r\n\r\n<script>alert(1)</script>", "/\u2044evil.example",
                     "/\uff0fevil.example", "/\u2028/evil.example", "/me\x00", "/" + "a" * 5000, ""):
            for encoded in (urllib.parse.quote(sent, safe=""),
                            urllib.parse.quote(urllib.parse.quote(sent, safe=""), safe="")):
                self.assert_stays(f"/login?next={encoded}")
        for query in ("next=/me&next=//evil.example", "next=//evil.example&next=/me", "next=%2", "next=%ff%fe",
                      "Next=//evil.example", "next[]=//evil.example", "return_to=//evil.example", "%6eext=/x"):
            self.assert_stays(f"/login?{query}")
        answer = self.world.try_log_in_as(self.somebody(), "/me?tab=history")
        self.assertEqual(answer.headers["location"], "/me?tab=history")

    def assert_stays(self, path):
        """Wherever the login leads to is here: what it holds until then is looked at, too."""
        with self.subTest(path=path[:80]):
            answer = self.world.request("GET", path)
            self.assertEqual(answer.status, 303)
            self.assertEqual(where(self.world.url, answer.headers["location"]).netloc,
                             urllib.parse.urlsplit(self.world.ubuntu_one.root).netloc)
            self.assertNotIn("evil", answer.headers["location"])
            self.assertEqual(set(cookies_of(answer)), {LOGIN_COOKIE})
            cookie = f"{LOGIN_COOKIE}={cookies_of(answer)[LOGIN_COOKIE]}"
            brought = ubuntu_one_standin.bring(answer.headers["location"], self.somebody())
            end = self.world.come_back(brought, cookie)
            self.assertEqual(end.status, 303)
            self.assertEqual(where(self.world.url, end.headers["location"]).netloc, self.world.authority)
            self.assertIn("logged in", self.world.outcome(end))
            self.assertLessEqual(set(cookies_of(end)), {LOGIN_COOKIE, SESSION_COOKIE})

    def test_next_at_the_end_counts_for_nothing(self):
        for added in ("next=//evil.example", "next=https%3A%2F%2Fevil.example", "return_path=//evil.example"):
            begun = self.world.begin_login()
            brought = self.world.bring(begun, self.somebody())
            answer = self.world.come_back(brought._replace(url=f"{brought.url}&{added}"), begun.cookie)
            self.assertEqual((self.world.outcome(answer), answer.headers["location"]), ("logged in", "/me"))

    def test_host_is_not_where_the_browser_is_sent(self):
        for headers in ({"Host": "evil.example"}, {"Host": f"{self.world.authority}@evil.example"},
                        {"Host": f"evil.example\r\nHost: {self.world.authority}"},
                        {"Host": f"{self.world.authority}\r\nHost: evil.example"}):
            answer = self.world.request("GET", "/login", headers)
            self.assertEqual((answer.status, answer.headers.get("location")), (421, None), headers)
        for headers in ({"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "gopher"},
                        {"X-Original-URL": "//evil.example"}, {"X-Rewrite-URL": "/logout"},
                        {"Forwarded": "host=evil.example"}, {"X-HTTP-Method-Override": "POST"}):
            answer = self.world.request("GET", "/login", headers)
            self.assertEqual(answer.status, 303)
            self.assertNotIn("evil", answer.headers["location"])
            sent = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["location"]).query))
            self.assertTrue(sent["openid.return_to"].startswith(self.world.url + "/login/return?state="))
            self.assertEqual(sent["openid.realm"], self.world.url)


if __name__ == "__main__":
    tap.main()
