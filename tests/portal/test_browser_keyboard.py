"""The whole way of a member without a mouse, in Chromium: by Tab, Enter, Space and arrows, on a phone's
screen and on a wide one, where the focus can be seen at each stop and is never lost."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from browser import NARROW, WIDE, Keys
from browser_case import skip_without_browser
from test_admin import A, B, hold_plans, open_house
from test_browser_member import ADDRESS, NEW, VOUCHED, MemberCase


def setUpModule():
    skip_without_browser()
    if not mail_sink.program():
        raise unittest.SkipTest("smtp-sink is not installed")


class KeyboardCase(MemberCase):
    def press(self, selector, key=Keys.ENTER):
        """Goes to an element and presses a key on it."""
        self.browser.tab_to(selector)
        self.browser.press(key)

    def assert_focus(self, selector):
        """The focus stays, or comes, there."""
        self.browser.wait_for(
            lambda: self.browser.run("return document.activeElement.matches(arguments[0])", selector),
            f"waited for the focus on {selector}")
        self.browser.assert_focus_is_seen()


class Member(KeyboardCase):
    """As in the journey with a mouse."""

    def test_all_of_it(self):
        self.way(WIDE)

    def way(self, size):
        self.browser.show_as(size)
        for step in (self.come_in, self.add_a_target, self.remove_it, self.choose, self.pause,
                     self.take_it_along, self.erase):
            with self.subTest(step.__name__):
                step()
                self.browser.check()

    def come_in(self):
        self.browser.open("/")
        self.press(".skip")
        self.assertEqual(self.browser.focused().get_attribute("id"), "content")
        self.press("#enter a")
        self.browser.wait_for(lambda: self.browser.all('button[value="pending"]'), "Ubuntu One")
        for _ in range(20):
            self.browser.press(Keys.TAB)
            if self.browser.focused().get_attribute("value") == "pending":
                break
        self.browser.press(Keys.ENTER)
        self.browser.wait_for_page("/me")
        self.assertIn("live since", self.card(ADDRESS))

    def add_a_target(self):
        self.browser.tab_to("#new-target")
        self.browser.press("wrong", Keys.ENTER)
        self.browser.wait_for_text("#messages", "That is not a mail address.")
        self.assert_focus("#new-target")
        self.browser.press(*[Keys.BACKSPACE] * 5, NEW, Keys.ENTER)
        self.browser.wait_for_text("#messages", f"A link is on its way to {NEW}.")
        link = self.link_mailed_to(self.sink, NEW)
        self.browser.open(link)
        self.press("#confirm", Keys.SPACE)
        self.browser.wait_for_text("#messages", "Done.")
        self.browser.wait_for(lambda: self.browser.focused().get_attribute("id") == "content",
                              "waited for the focus")  # its button is gone
        self.press('nav a[href="/me"]')
        self.browser.wait_for_page("/me")
        self.assertEqual(self.answer(), f"OK {VOUCHED},{NEW}")

    def remove_it(self):
        self.press(f'[aria-label="Remove {NEW}"]')
        self.browser.wait_for_text("#messages", f"{NEW} was removed.")
        self.assert_focus("#new-target")

    def choose(self):
        select = f'[id="extension-{ADDRESS}"]'
        self.browser.tab_to(select, back=True)
        self.browser.press(Keys.ARROW_DOWN)
        self.browser.wait_for_text("#messages", "Saved.")
        self.assert_focus(select)
        self.assertEqual(self.answer("pending+shop@ubuntu.com"), f"OK {VOUCHED}")

    def pause(self):
        self.press("#pause", Keys.SPACE)
        self.browser.wait_for_text("#messages", "Your addresses are paused.")
        self.assert_focus("#pause")
        self.browser.press(Keys.SPACE)
        self.browser.wait_for_text("#messages", "Mail flows again.")
        self.assert_focus("#pause")

    def take_it_along(self):
        self.browser.tab_to('[download="lpalias.json"]')

    def erase(self):
        self.press("#erase")
        self.assert_focus("#erase-name")
        self.browser.press(Keys.ESCAPE)
        self.assert_focus("#erase")
        self.browser.press(Keys.ENTER)
        self.press("#erase-dialog [data-close]", Keys.SPACE)
        self.assert_focus("#erase")
        self.browser.press(Keys.ENTER)
        for _ in range(6):  # nothing behind the dialog is come to
            self.browser.press(Keys.TAB)
            self.assertTrue(self.browser.run("""
                const { activeElement: now, body } = document;
                return now === body || now.closest("#erase-dialog") !== null"""))
        self.browser.tab_to("#erase-name")
        self.browser.press("pending", Keys.ENTER)
        self.browser.wait_for_page("/")
        self.browser.wait_for_text("#messages", "Your data was erased")
        self.assertEqual(self.answer(), "NOTFOUND ")


class MemberOnAPhone(Member):
    def test_all_of_it(self):
        self.way(NARROW)


class Admin(KeyboardCase):
    """Held changes, bans and search."""

    @classmethod
    def make_world(cls):
        return open_house()

    @classmethod
    def prepare(cls, world):
        hold_plans(world)

    def test_all_of_it(self):
        self.browser.take_session(self.world.log_in(name="boss"))
        self.browser.open("/admin")
        show = f'[aria-label="Show the held change of {A}"]'
        self.press(show)
        self.assert_focus("#plan-title")
        self.press("#plan-dialog [data-close]")
        self.assert_focus(show)
        self.browser.press(Keys.ENTER)
        self.browser.tab_to("#plan-rows")
        self.press("#plan-release")
        self.browser.wait_for_text("#messages", f"The change of {A} was applied.")
        self.assertEqual(self.browser.focused().get_attribute("id"), "content")
        self.press(f'[aria-label="Show the held change of {B}"]')
        self.press("#plan-discard")
        self.browser.wait_for_text("#messages", f"The change of {B} was discarded.")
        self.browser.tab_to("#search-text")
        self.browser.press("kim", Keys.ENTER)
        self.browser.wait_for_text("#members", f"kim@{A}")
        self.assert_focus("#search-text, #member-search button")
        self.browser.tab_to("#ban-name")
        self.browser.press("kim", Keys.TAB, "spam", Keys.ENTER)
        self.browser.wait_for_text("#messages", "kim is banned.")
        self.press('[aria-label="Lift the ban of kim"]', Keys.SPACE)
        self.browser.wait_for_text("#messages", "The ban of kim was lifted.")
        self.assertEqual(self.browser.focused().get_attribute("id"), "content")
        self.browser.check()


if __name__ == "__main__":
    tap.main()
