"""What test cases with a browser share: one world and one browser for all cases of a class, a fresh
start for each of them, and audit(), which looks at a page in all the ways that people do.

    class Status(BrowserCase):
        @classmethod
        def prepare(cls, world):
            world.fill()

        def test_it(self):
            self.browser.open("/status")
            self.audit("status")
"""

import re
import unittest

import browser as chromium
import portal_world
from browser import NARROW, WIDE, Browser
from portal_world import PortalWorld


def skip_without_browser():
    """For setUpModule()."""
    for reason in (portal_world.why_not(), chromium.why_not()):
        if reason:
            raise unittest.SkipTest(reason)


class BrowserCase(unittest.TestCase):
    """See the top of the file."""

    portal = ()

    @classmethod
    def make_world(cls):
        """The world of the class, before prepare()."""
        return PortalWorld(portal=cls.portal)

    @classmethod
    def prepare(cls, world):
        """Fills it; the portal is started afterwards."""
        world.fill()

    @classmethod
    def setUpClass(cls):
        cls.begin(cls.addClassCleanup)

    @classmethod
    def begin(cls, at_end):
        """Makes the world and the browser; at_end(function) has it called when they are done with."""
        cls.world = cls.make_world()
        at_end(cls.world.close)
        cls.prepare(cls.world)
        cls.world.start_portal()
        cls.browser = Browser(cls.world.url)
        at_end(cls.browser.close)

    def setUp(self):
        self.browser.forget()
        self.browser.show_as(WIDE)

    def tearDown(self):
        self.browser.check()

    def audit(self, name):
        """No text is missing or half made, nothing keeps anybody out: in the light and the dark, on
        a wide screen and on a phone, where nobody has to scroll sideways or to aim."""
        browser = self.browser
        findings = []
        for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (NARROW, "dark"), (NARROW, "light")):
            browser.show_as(size, scheme)
            look = f'{name}-{"narrow" if size == NARROW else "wide"}-{scheme}'
            browser.screenshot(look)
            found = [*browser.overflow(), *(browser.small_targets() if size == NARROW else [])]
            if chromium.axe_path() and (size, scheme) != (NARROW, "dark"):
                # In the dark only the colours are others, and they are so at any width.
                found += browser.axe(["color-contrast"] if scheme == "dark" else None)
            findings += [f"{look}: {each}" for each in found]
        browser.show_as(WIDE)
        self.assertEqual("\n".join(findings), "")
        text = browser.text("body")
        self.assertNotRegex(text, r"[{}]|undefined|\[object")
        self.assertNotRegex(text, r"\b(me|admin|event|state|reason|error|problem|status)\.[a-z]+")

    # What a person does.

    def log_in(self, name, browser=None):
        """Logs in from the first page, by a click at the stand-in of Ubuntu One."""
        browser = browser or self.browser
        browser.open("/")
        browser.click_text("Log in with Ubuntu One", "main")
        browser.wait_for(lambda: browser.all(f'button[value="{name}"]'), "waited for Ubuntu One")
        browser.click(f'button[value="{name}"]')
        browser.wait_for_page("/me")

    def link_mailed_to(self, sink, address):
        """The link in the last mail to that address, read as a person reads it."""
        sink.wait_for_recipients({address})
        sink.wait_until_written()
        mail = [each for each in sink.messages() if address in each.recipients][-1]
        return re.search(re.escape(self.world.url) + r"/confirm#\S+", mail.body)[0]
