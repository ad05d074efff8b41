"""Sessions of lpalias-portal: what a cookie is good for, until when, and what no other site can do
with it. Each attack has a control beside it that passes."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from portal_world import Login, PortalWorld, why_not


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class SessionCase(unittest.TestCase):
    """A portal for each case."""

    def setUp(self):
        self.world = PortalWorld(portal=('session-idle = "1h"', 'session-limit = "12h"',
                                         "admins = { boss }", "admin-team = bosses"))
        self.addCleanup(self.world.close)
        self.world.start_portal()

    def session(self, login):
        return self.world.request("GET", "/api/session", login=login).json()

    def is_logged_in(self, login):
        return self.session(login)["logged_in"]


class Session(SessionCase):
    """From login to log out."""

    def test_a_session_says_who_one_is(self):
        login = self.world.log_in()
        self.assertEqual(self.session(login), {
            "logged_in": True, "name": "jdoe", "is_admin": False, "is_portal_admin": False,
            "csrf_token": login.csrf})
        self.assertEqual(self.session(None), {"logged_in": False, "is_admin": False,
                                              "is_portal_admin": False})

    def test_who_has_no_name_on_launchpad(self):
        self.assertIsNone(self.session(self.world.log_in(name=""))["name"])

    def test_admins_are_listed_or_come_by_their_login(self):
        for name, admin, wanted in [("jdoe", False, False), ("boss", False, True),
                                    ("jdoe", True, True), ("", False, False), ("", True, False)]:
            session = self.session(self.world.log_in(name=name, admin=admin))
            self.assertIs(session["is_admin"], wanted)
            self.assertIs(session["is_portal_admin"], wanted)

    def test_a_cookie_that_was_altered_is_none(self):
        login = self.world.log_in()
        self.assertTrue(self.is_logged_in(login))
        for place in (20, len(login.cookie) // 2, len(login.cookie) - 1):
            before = login.cookie[place]
            altered = (login.cookie[:place] + ("A" if before != "A" else "B")
                       + login.cookie[place + 1:])
            self.assertFalse(self.is_logged_in(Login(altered, login.csrf)))
        self.assertFalse(self.is_logged_in(Login(login.cookie[:-4], login.csrf)))
        self.assertFalse(self.is_logged_in(Login(f"{login.cookie}; {login.cookie}", login.csrf)))

    def test_a_session_ends_in_time(self):
        self.assertTrue(self.is_logged_in(self.world.log_in(age_s=3500)))
        self.assertFalse(self.is_logged_in(self.world.log_in(age_s=3601)))

    def test_a_session_that_is_used_goes_on(self):
        answer = self.world.request("GET", "/api/session", login=self.world.log_in(age_s=0))
        self.assertNotIn("set-cookie", answer.headers)
        answer = self.world.request("GET", "/api/session", login=self.world.log_in(age_s=1800))
        cookie = answer.headers["set-cookie"]
        for wanted in ("__Host-lpalias=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"):
            self.assertIn(wanted, cookie)
        self.assertTrue(self.is_logged_in(Login(cookie.partition(";")[0], "")))

    def test_a_stolen_cookie_is_worthless_after_log_out(self):
        login, other = self.world.log_in(), self.world.log_in()
        answer = self.world.request("POST", "/logout", login=login)
        self.assertEqual(answer.status, 204)
        self.assertRegex(answer.headers["set-cookie"], "^__Host-lpalias=;.*Max-Age=0$")
        self.assertFalse(self.is_logged_in(login))
        self.assertTrue(self.is_logged_in(other))

    def test_log_out_everywhere(self):
        login, other = self.world.log_in(), self.world.log_in()
        somebody_else = self.world.log_in(account="https://login.ubuntu.com/+id/XyZ9876")
        self.assertEqual(self.world.request("POST", "/logout/everywhere", login=login).status, 204)
        self.assertFalse(self.is_logged_in(login))
        self.assertFalse(self.is_logged_in(other))
        self.assertTrue(self.is_logged_in(somebody_else))
        self.assertTrue(self.is_logged_in(self.world.log_in()))

    def test_sessions_outlive_the_process_and_hold_for_all_of_them(self):
        login, ended = self.world.log_in(), self.world.log_in()
        self.world.request("POST", "/logout", login=ended)
        self.world.stop_portal()
        self.world.start_portal()
        self.assertTrue(self.is_logged_in(login))
        self.assertFalse(self.is_logged_in(ended))
        path = os.path.join(self.world.directory, "second")
        self.world.listen = f"unix:{path}"
        self.world.write_config()
        self.world.start_portal()
        answer = self.world.request("POST", "/logout", login=login, endpoint=path)
        self.assertEqual(answer.status, 204)
        self.assertFalse(self.is_logged_in(login))

    def test_no_cookie_and_no_token_stands_in_the_log(self):
        login = self.world.log_in()
        self.world.stop_portal()
        self.world.start_portal(options=["-v"])
        self.world.request("POST", "/logout", login=login, headers={"Origin": "https://evil.example"})
        self.world.request("POST", "/logout", login=login)
        self.world.stop_portal()
        for secret in (login.cookie.partition("=")[2], login.csrf):
            self.assertNotIn(secret, self.world.portal_log())


class Forgery(SessionCase):
    """What another site can make a browser send."""

    def test_a_request_from_elsewhere_changes_nothing(self):
        login = self.world.log_in()
        for headers in (
                {"X-CSRF-Token": None},
                {"X-CSRF-Token": ""},
                {"X-CSRF-Token": "A" * 43},
                {"X-CSRF-Token": self.world.log_in().csrf},
                {"Origin": "https://evil.example"},
                {"Origin": "null"},
                {"Origin": self.world.url + ".evil.example"},
                {"Origin": f"https://{self.world.authority}"},
                {"Origin": None, "Sec-Fetch-Site": "cross-site"},
                {"Origin": None, "Sec-Fetch-Site": "same-site"},
                {"Origin": None, "Sec-Fetch-Site": "none"},
                {"Sec-Fetch-Site": "cross-site"},
                {"Origin": None, "Sec-Fetch-Site": None}):
            with self.subTest(headers=headers):
                answer = self.world.request("POST", "/logout", login=login, headers=headers)
                self.assertEqual(answer.status, 403)
                self.assertTrue(self.is_logged_in(login))
        self.assertEqual(self.world.request("GET", "/logout", login=login).status, 405)
        self.assertTrue(self.is_logged_in(login))
        # What a page of ours sends, by browsers new and old.
        self.assertEqual(self.world.request("POST", "/logout", login=login,
                                            headers={"Sec-Fetch-Site": None}).status, 204)


class Rate(SessionCase):
    """Who does too much has to wait, and nobody else."""

    def write(self, login, address):
        return self.world.request("POST", "/logout", login=login,
                                  headers={"X-Forwarded-For": address})

    def test_a_person_and_an_address_have_limits(self):
        logins = [self.world.log_in() for _ in range(150)]
        for number, login in enumerate(logins):
            answer = self.write(login, f"192.0.2.{number}")
            if answer.status != 204:
                break
        self.assertEqual(answer.status, 429)
        self.assertGreaterEqual(number, 60)
        self.assertIn(int(answer.headers["retry-after"]), (1, 2))
        somebody_else = self.world.log_in(account="https://login.ubuntu.com/+id/XyZ9876")
        self.assertEqual(self.write(somebody_else, "192.0.2.200").status, 204)
        self.assertEqual(self.session(self.world.log_in())["logged_in"], True)


if __name__ == "__main__":
    tap.main()
