"""Cookies that were stolen, altered, made up, or that are over. None logs in, and the cookie that they are
made of does."""

import base64
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from attack_world import AttackCase, AttackWorld, altered
from movable_clock import MovableClock
from portal_world import LOGIN_COOKIE, SESSION_COOKIE, Login, cookies_of, program, why_not

HOUR_S = 3600


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class Stolen(AttackCase):
    """A copy of a cookie, after its owner has done something about it."""

    def use(self, login):
        """Every way of using it fails."""
        world = self.world
        self.assertFalse(world.is_logged_in(login))
        self.assertEqual(world.request("GET", "/api/me", login=login).status, 401)
        self.assertEqual(world.request("GET", "/api/me/export", login=login).status, 401)
        self.assertEqual(world.post("/api/me/pause", {}, login).status, 401)
        self.assertEqual(world.request("POST", "/logout/everywhere", login=login).status, 401)

    def test_after_log_out(self):
        login, other = self.world.log_in_as("kim"), self.world.log_in_as("kim")
        self.assertTrue(self.world.is_logged_in(login))
        self.assertEqual(self.world.request("POST", "/logout", login=login).status, 204)
        with self.nothing_changes():
            self.use(login)
        self.assertTrue(self.world.is_logged_in(other))
        # A new login is no new life of the old one.
        self.world.log_in_as("kim")
        self.use(login)

    def test_after_log_out_everywhere(self):
        stolen, own, other = [self.world.log_in_as(name) for name in ("kim", "kim", "lee")]
        self.assertEqual(self.world.request("POST", "/logout/everywhere", login=own).status, 204)
        for login in (stolen, own):
            self.use(login)
        again = self.world.log_in_as("kim")
        self.assertTrue(self.world.is_logged_in(again))
        self.assertTrue(self.world.is_logged_in(other))
        self.use(stolen)

    def test_after_a_restart_it_is_still_worthless(self):
        login, other = self.world.log_in_as("kim"), self.world.log_in_as("kim")
        self.world.request("POST", "/logout", login=login)
        self.world.stop_portal()
        self.world.start_portal()
        self.use(login)
        self.assertTrue(self.world.is_logged_in(other))

    def test_after_the_account_was_erased(self):
        stolen, own = self.world.log_in_as("filler-a"), self.world.log_in_as("filler-a")
        self.assertTrue(self.world.is_logged_in(stolen))
        self.assertEqual(self.world.post("/api/me/erase", {"name": "filler-a"}, own).status, 200)
        for login in (stolen, own):
            self.use(login)


class MadeUp(AttackCase):
    """Cookies that the portal has not made, or not so."""

    def setUp(self):
        self.login = self.world.log_in_as("kim") if not hasattr(type(self), "kim") else type(self).kim
        type(self).kim = self.login
        self.value = self.login.cookie.partition("=")[2]

    def tearDown(self):
        self.assertTrue(self.world.is_logged_in(self.login))  # the one that all are made of
        super().tearDown()

    def assert_none(self, cookie):
        self.assertFalse(self.world.is_logged_in(Login(cookie, self.login.csrf)), cookie[:60])

    def test_altered_at_each_place(self):
        for place in range(0, len(self.value), 3):
            self.assert_none(f"{SESSION_COOKIE}={altered(self.value, place)}")

    def test_bits_that_base64_does_not_use(self):
        """Another text of the same bytes would be a second cookie of one session."""
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
            if last != self.value[-1]:
                self.assert_none(f"{SESSION_COOKIE}={self.value[:-1]}{last}")

    def test_truncated_and_longer(self):
        for length in [*range(0, len(self.value), 7), len(self.value) - 1]:
            self.assert_none(f"{SESSION_COOKIE}={self.value[:length]}")
        for added in ("A", "=", "==", "%00", " A", "A" * 4000):
            self.assert_none(f"{SESSION_COOKIE}={self.value}{added}")
        self.assert_none(f"{SESSION_COOKIE}=A{self.value}")
        self.assert_none(f'{SESSION_COOKIE}="{self.value}"')

    def test_another_name(self):
        for name in ("lpalias", "__Secure-lpalias", "__host-lpalias", "__Host-Lpalias", LOGIN_COOKIE,
                     f"x{SESSION_COOKIE}", f"{SESSION_COOKIE}x", f"{SESSION_COOKIE} ", f"\t{SESSION_COOKIE}"):
            self.assert_none(f"{name}={self.value}")
        begun = self.world.begin_login()
        self.assert_none(f"{SESSION_COOKIE}={begun.cookie.partition('=')[2]}")

    def test_two_of_them(self):
        other = self.world.log_in_as("mallory").cookie
        for cookie in (f"{self.login.cookie}; {other}", f"{other}; {self.login.cookie}",
                       f"{self.login.cookie}; {self.login.cookie}", f"{SESSION_COOKIE}=; {self.login.cookie}"):
            self.assert_none(cookie)
        # Others beside it do no harm.
        self.assertTrue(self.world.is_logged_in(Login(f"a=b; {self.login.cookie}; {SESSION_COOKIE}2=c", "")))

    def test_halves_of_two(self):
        other = self.world.log_in_as("kim").cookie.partition("=")[2]
        for place in range(32, min(len(other), len(self.value)), 40):
            self.assert_none(f"{SESSION_COOKIE}={self.value[:place]}{other[place:]}")

    def test_of_another_site_with_the_same_program(self):
        state = os.path.join(self.world.directory, "other-state")
        ran = subprocess.run([program("SESSION_PROBE"), state, self.world.account("kim"), "kim", "admin", "0"],
                             capture_output=True, text=True, check=True)
        self.assert_none(ran.stdout.split()[0])
        login = self.world.log_in(account=self.world.account("kim"), name="kim")
        self.assertTrue(self.world.is_logged_in(login))

    def test_made_of_what_is_known(self):
        for plain in (b"", b"\x00" * 200, b'{"name":"boss","admin":true}', b"\x02" + b"A" * 300):
            text = base64.urlsafe_b64encode(plain).decode().rstrip("=")
            self.assert_none(f"{SESSION_COOKIE}={text}")
        for text in ("boss", "../../etc/passwd", "%00", "\xff\xfe", "{}"):
            self.assert_none(f"{SESSION_COOKIE}={text}")

    def test_it_says_nothing_to_who_has_it(self):
        sealed = base64.urlsafe_b64decode(self.value + "=" * (-len(self.value) % 4))
        for known in (b"kim", b"people.example", b"+id/"):
            self.assertNotIn(known, sealed)


@unittest.skipIf(MovableClock.why_not(), MovableClock.why_not() or "")
class Expiry(unittest.TestCase):
    """Cookies end by themselves: an hour unused, twelve hours used all the time."""

    def setUp(self):
        self.world = AttackWorld(portal=('session-idle = "1h"', 'session-limit = "12h"'))
        self.addCleanup(self.world.close)
        self.clock = MovableClock(self.world.directory)
        self.world.begin(prefix=self.clock.prefix)

    def tearDown(self):
        self.assertEqual(self.world.secrets_in_logs(), [])

    def go_on(self, login):
        """The login of a browser that has used it: with the new cookie, if there came one."""
        answer = self.world.request("GET", "/api/session", login=login)
        cookie = cookies_of(answer).get(SESSION_COOKIE)
        return Login(f"{SESSION_COOKIE}={cookie}", login.csrf) if cookie else login

    def test_unused(self):
        login = self.world.log_in_as("kim")
        self.clock.forward(HOUR_S - 60)
        self.assertTrue(self.world.is_logged_in(login))  # this copy is not used by its browser
        self.clock.forward(120)
        self.assertFalse(self.world.is_logged_in(login))
        self.assertEqual(self.world.post("/api/me/pause", {}, login).status, 401)
        self.assertEqual(self.world.request("GET", "/api/me", login=login).status, 401)

    def test_used_all_the_time(self):
        first = login = self.world.log_in_as("kim")
        for _ in range(14):  # 11 h 40 min
            self.clock.forward(50 * 60)
            login = self.go_on(login)
            self.assertTrue(self.world.is_logged_in(login))
        self.assertFalse(self.world.is_logged_in(first))
        self.clock.forward(19 * 60)
        login = self.go_on(login)
        self.assertTrue(self.world.is_logged_in(login))
        self.clock.forward(2 * 60)
        self.assertFalse(self.world.is_logged_in(login))

    def test_a_renewed_one_is_the_same_session(self):
        stolen = login = self.world.log_in_as("kim")
        self.clock.forward(50 * 60)
        login = self.go_on(login)
        self.assertNotEqual(login.cookie, stolen.cookie)
        self.assertTrue(self.world.is_logged_in(stolen))
        self.assertEqual(self.world.request("POST", "/logout", login=login).status, 204)
        self.assertFalse(self.world.is_logged_in(stolen))

    def test_a_login_that_takes_too_long(self):
        begun, other = self.world.begin_login(), self.world.begin_login()
        brought = self.world.bring(begun, "kim")
        answer = self.world.come_back(self.world.bring(other, "kim"), other.cookie)
        self.assertEqual(self.world.outcome(answer), "logged in")
        self.clock.forward(16 * 60)
        self.assertEqual(self.world.outcome(self.world.come_back(brought, begun.cookie)), "expired")

    def test_of_the_future(self):
        """Made by who has set the clock on, to be good for longer."""
        account = self.world.account("kim")
        self.assertTrue(self.world.is_logged_in(self.world.log_in(account, "kim", age_s=30)))
        for age_s in (-HOUR_S, -24 * HOUR_S, -(2 ** 40)):
            self.assertFalse(self.world.is_logged_in(self.world.log_in(account, "kim", age_s=age_s)))


if __name__ == "__main__":
    tap.main()
