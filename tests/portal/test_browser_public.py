"""The pages that anybody sees, in Chromium: in the light and the dark, on a phone, by keyboard, and
with everything in the address line that should not be there."""

import os
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import browser as chromium
import tap
from browser import NARROW, Browser, Keys
from browser_case import BrowserCase, skip_without_browser
from lpalias_world import DOMAINS
from movable_clock import MovableClock

MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def setUpModule():
    skip_without_browser()
    PublicCase.begin(unittest.addModuleCleanup)


class PublicCase(BrowserCase):
    """One world for all of the classes."""

    @classmethod
    def prepare(cls, world):
        world.fill()
        world.start_server()

    @classmethod
    def setUpClass(cls):
        pass  # it is the module's


class Harness(PublicCase):
    """Its findings are findings: each of them fails when there is reason to."""

    def test_errors_of_scripts(self):
        self.browser.open("/")
        self.browser.run("setTimeout(() => { throw new Error('planted'); })")
        with self.assertRaisesRegex(AssertionError, "planted"):
            self.browser.wait_for(self.browser.check, "an error")

    def test_failed_requests(self):
        self.browser.open("/")
        with self.browser.expecting("status of 404"):
            self.browser.driver.execute_async_script(
                "fetch('/api/nothing').then(() => arguments[0]())")
        self.browser.driver.execute_async_script("fetch('/api/nothing').then(() => arguments[0]())")
        with self.assertRaisesRegex(AssertionError, "404"):
            self.browser.wait_for(self.browser.check, "what failed")

    def test_the_content_security_policy(self):
        self.browser.open("/")
        self.browser.run("""const style = document.createElement("style");
                            style.textContent = "p { color: red }"; document.head.append(style);""")
        with self.assertRaisesRegex(AssertionError, "Content Security Policy"):
            self.browser.wait_for(self.browser.check, "a violation")

    def test_no_network_but_the_loopback(self):
        with self.assertRaisesRegex(Exception, "ERR_NAME_NOT_RESOLVED"):
            self.browser.driver.get("http://launchpad.net/")
        self.browser.driver.get_log("browser")

    @unittest.skipUnless(chromium.axe_path(), "axe-core is not installed: no page is looked at by its rules")
    def test_what_keeps_people_out(self):
        self.browser.open("/status")
        self.browser.run("document.querySelector('h1').style.color = '#ddd';"
                         "document.querySelector('main').append(document.createElement('input'))")
        found = " ".join(self.browser.axe())
        self.assertIn("color-contrast", found)
        self.assertIn("critical label", found)

    def test_what_is_too_wide_or_too_small(self):
        self.browser.show_as(NARROW)
        self.browser.open("/")
        self.assertEqual(self.browser.overflow() + self.browser.small_targets(), [])
        self.browser.run("document.querySelector('h1').style.width = '500px';"
                         "document.querySelector('nav a').style.minHeight = '0'")
        self.assertIn("<h1", self.browser.overflow()[0])
        self.assertIn("<a href", self.browser.small_targets()[0])


class Landing(PublicCase):
    """The page that one comes to."""

    def test_it_tells_what_this_is(self):
        self.browser.open("/")
        text = self.browser.text("main")
        for domain in DOMAINS:
            self.assertIn(domain, text)
        self.assertEqual(self.browser.find("#enter a").get_attribute("href"),
                         self.world.url + "/login?next=/me")
        self.assertEqual(self.browser.text("nav"), "Start Status")
        self.audit("landing")

    def test_with_a_login_it_leads_on(self):
        self.browser.take_session(self.world.log_in())
        self.browser.open("/")
        self.assertEqual(self.browser.text("nav"), "Start My addresses Status")
        self.assertIn("Logged in as jdoe", self.browser.text("header"))
        self.assertEqual(self.browser.text("#enter"), "My addresses")

    def test_each_problem_of_a_login_is_told(self):
        told = set()
        for code in ("cancelled", "refused", "expired", "unavailable", "no-launchpad", "too-often",
                     "other"):
            self.browser.open("/?problem=" + code)
            told.add(self.browser.text("#problem p"))
        self.assertEqual(len(told), 7)
        self.audit("problem")

    def test_what_stands_in_the_address_line_is_not_shown(self):
        self.browser.open("/?problem=other")
        other = self.browser.text("#problem")
        for code in (MARKUP, "title", "__proto__", "constructor", "../state.active", "", "a" * 1000,
                     "javascript:alert(1)"):
            with self.subTest(code=code):
                self.browser.open("/?problem=" + urllib.parse.quote(code))
                self.assertEqual(self.browser.text("#problem"), other)
                self.browser.check()
        self.browser.open("/?next=" + urllib.parse.quote(MARKUP) + "#" + urllib.parse.quote(MARKUP))
        self.assertFalse(self.browser.all("main img, main script"))


class Elsewhere(PublicCase):
    """Pages of members for those who are none, and no page at all."""

    def test_no_page(self):
        with self.browser.expecting("status of 404"):
            self.browser.open("/nothing/here", is_ready=False)
        self.assertIn("There is nothing here.", self.browser.text("body"))
        self.audit("nothing")

    def test_a_link_without_its_end(self):
        self.browser.open("/confirm")
        self.assertIn("not complete", self.browser.text("#messages"))
        self.assertFalse(self.browser.find("#confirm").is_displayed())
        self.audit("confirm-incomplete")

    def test_a_link_that_is_nothing(self):
        for token in ("A" * 43, MARKUP, "%00%ff", "x" * 3000):
            with self.subTest(token=token):
                self.browser.open("/status")  # a new fragment alone loads nothing
                self.browser.open("/confirm#" + urllib.parse.quote(token))
                self.assertEqual(self.browser.path(), "/confirm")
                with self.browser.expecting("status of 40[04]"):
                    self.browser.click("#confirm")
                    self.browser.wait_for_text("#messages", "This link is not valid")
        self.assertFalse(self.browser.all("main img, main script"))
        self.audit("confirm-invalid")

    def test_without_a_server_it_is_told(self):
        self.browser.open("/confirm#" + "A" * 43)
        self.world.stop_portal()
        try:
            with self.browser.expecting("ERR_CONNECTION_REFUSED"):
                self.browser.click("#confirm")
                self.browser.wait_for_text("#messages", "The server cannot be reached")
        finally:
            self.world.start_portal()

    def test_administration_is_not_for_members(self):
        self.browser.take_session(self.world.log_in())
        self.browser.open("/admin")
        self.assertIn("You may not do that.", self.browser.text("#messages"))
        self.assertNotIn("Administration", self.browser.text("nav"))
        self.audit("admin-refused")


class Status(PublicCase):
    """The public page of figures."""

    def test_figures(self):
        self.browser.open("/status")
        rows = {row.text.split()[0]: row.text for row in self.browser.all("#domains tbody tr")}
        self.assertEqual(set(rows), set(DOMAINS))
        self.assertRegex(rows["ubuntu.com"], r"ubuntu.com 4 \d+ (seconds|minutes) ago")
        self.assertEqual(self.browser.text("#server"), "answered")
        self.assertEqual([each.text for each in self.browser.all("#charts strong")],
                         ["Live addresses", "Lookups a minute", "Duration of a refresh in seconds"])
        self.audit("status-new")


@unittest.skipIf(MovableClock.why_not(), MovableClock.why_not() or "")
class Charts(BrowserCase):
    """Drawn of what was noted every five minutes."""

    def test_charts(self):
        self.world.stop_portal()
        clock = MovableClock(self.world.directory)
        self.world.start_portal(prefix=clock.prefix)
        for count in range(1, 4):
            while len(self.world.request("GET", "/status.json").json()["samples"]) < count:
                clock.forward(6)
            self.world.lpalias("ban" if count == 1 else "unban", "kim",
                               *(["--reason", "x"] if count == 1 else []), status=None)
            clock.forward(300)
        self.browser.open("/status")
        self.assertEqual(self.browser.text("#server"), "not known")
        labels = [each.get_attribute("aria-label") for each in self.browser.all("#charts svg")]
        self.assertRegex(labels[0], r"^Live addresses: lowest \d+, highest \d+, now \d+\.$")
        self.assertEqual(len(labels), 2, labels)  # nobody counts lookups here
        self.audit("status")


class Keyboard(PublicCase):
    """Nobody needs a mouse to come in."""

    def test_the_way_in(self):
        self.browser.open("/")
        self.browser.press(Keys.TAB)
        self.assertEqual(self.browser.focused().text, "Skip to the content")
        self.browser.assert_focus_is_seen()
        self.browser.press(Keys.ENTER)
        self.assertEqual(self.browser.focused().get_attribute("id"), "content")
        self.browser.tab_to("#enter a")
        self.browser.open("/")
        for wanted in (".skip", ".site a", "nav a", "nav a[href='/status']", "#account a", "#enter a"):
            self.browser.tab_to(wanted, limit=1)


    def test_nothing_moves(self):
        for path in ("/", "/status", "/me", "/admin"):
            self.browser.take_session(self.world.log_in(name="boss"))
            self.browser.open(path)
            self.assertEqual(self.browser.run("""
                return [...document.querySelectorAll("*")].filter((each) =>
                  parseFloat(getComputedStyle(each).transitionDuration) > 0
                  || getComputedStyle(each).animationName !== "none").length"""), 0)

    def test_a_browser_knows_nothing_of_another(self):
        self.browser.take_session(self.world.log_in())
        with Browser(self.world.url) as other:
            other.open("/")
            self.assertEqual(other.text("nav"), "Start Status")


if __name__ == "__main__":
    tap.main()
