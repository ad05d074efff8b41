"""Logins through the whole of it: the portal, a stand-in Ubuntu One whose signatures are python3-openid's,
and a stand-in Launchpad. What a login brings, and every way in which it does not work."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from portal_world import LOGIN_COOKIE, SESSION_COOKIE, PortalWorld, cookies_of, why_not
from ubuntu_one_standin import bring


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

    def me(self, login):
        return self.world.request("GET", "/api/me", login=login).json()

    def assert_problem(self, answer, code):
        self.assertEqual((answer.status, answer.headers["location"]), (303, f"/?problem={code}"),
                         self.world.portal_log())
        self.assertNotIn(SESSION_COOKIE, cookies_of(answer))


class Honest(LoginCase):
    """Nobody does anything wrong."""

    def test_a_login(self):
        answer = self.world.try_log_in_as("jdoe", "/me?x=1")
        self.assertEqual((answer.status, answer.headers["location"]), (303, "/me?x=1"))
        self.assertEqual(cookies_of(answer)[LOGIN_COOKIE], "")
        login = self.world.login_of(answer)
        session = self.world.request("GET", "/api/session", login=login).json()
        self.assertEqual((session["logged_in"], session["name"]), (True, "jdoe"))


if __name__ == "__main__":
    tap.main()
