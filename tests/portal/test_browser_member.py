"""What a member does from the first login to the last, in Chromium, and what everybody else is told.

Ubuntu One, Launchpad and the mail server are stand-ins or real ones of this machine; the answers of the
addresses are lpaliasd's."""

import glob
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from browser import Browser
from browser_case import BrowserCase, skip_without_browser
from mail_sink import MailSink

TEAM = "ubuntumembers"
ADDRESS = "pending@ubuntu.com"
VOUCHED, NEW = "pending@people.example", "new+box@home.example"


def setUpModule():
    skip_without_browser()
    if not mail_sink.program():
        raise unittest.SkipTest("smtp-sink is not installed")


class MemberCase(BrowserCase):
    @classmethod
    def prepare(cls, world):
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        world.use_sink(cls.sink)
        world.fill()
        world.start_server()

    def card(self, address):
        return self.browser.text(f'#addresses [data-address="{address}"]')

    def answer(self, address=ADDRESS):
        return self.world.ask("alias", address)


class Journey(MemberCase):
    """All of it, one after the other."""

    def test_from_the_first_login_to_the_last(self):
        for step in (self.first_login, self.second_target, self.tags, self.pause, self.mistakes,
                     self.history, self.export, self.log_out, self.erase):
            with self.subTest(step.__name__):
                step()
                self.browser.check()

    def first_login(self):
        self.assertEqual(self.answer(), "NOTFOUND ")
        self.log_in("pending")
        self.assertIn("Logged in as pending", self.browser.text("header"))
        self.assertIn("live since", self.card(ADDRESS))
        self.assertIn(VOUCHED, self.browser.text("#targets"))
        self.assertIn("in use", self.browser.text("#targets"))
        self.assertIn("Log in to the mail server as pending", self.browser.text("#sending"))
        self.assertEqual(self.answer(), f"OK {VOUCHED}")
        self.audit("me")

    def second_target(self):
        self.browser.fill("#new-target", NEW)
        self.browser.click_text("Send the link")
        self.browser.wait_for_text("#messages", f"A link is on its way to {NEW}.")
        self.assertIn("waits for its link to be followed, until",
                      self.browser.text(f'[data-target="{NEW}"]'))
        self.audit("me-waiting")
        link = self.link_mailed_to(self.sink, NEW)
        with Browser(self.world.url) as other:  # which is not logged in
            other.open(link)
            self.assertEqual(self.answer(), f"OK {VOUCHED}")
            other.click_text("Yes, use this mailbox")
            other.wait_for_text("#messages", "Mail goes on to this mailbox")
            self.assertNotIn("#", other.driver.current_url)
            other.open("/status")
            other.open(link)
            with other.expecting("status of 404"):
                other.click_text("Yes, use this mailbox")
                other.wait_for_text("#messages", "This link is not valid")
        self.browser.open("/me")
        self.assertIn("given by you, in use", self.browser.text(f'[data-target="{NEW}"]'))
        self.assertEqual(self.answer(), f"OK {VOUCHED},{NEW}")

    def tags(self):
        select = f'[id="extension-{ADDRESS}"]'
        for policy, wanted in (("drop", f"OK {VOUCHED},{NEW}"), ("refuse", "NOTFOUND "),
                               ("append", None)):
            self.browser.choose(select, policy)
            self.browser.wait_for_text("#messages", "Saved.")
            answer = self.answer("pending+shop@ubuntu.com")
            if wanted:
                self.assertEqual(answer, wanted)
            else:
                self.assertIn("pending+shop@people.example", answer)
        self.browser.open("/me")
        self.assertEqual(self.browser.find(select).get_attribute("value"), "append")

    def pause(self):
        self.browser.click_text("Pause my addresses")
        self.browser.wait_for_text("#messages", "Your addresses are paused.")
        self.assertIn("paused", self.card(ADDRESS))
        self.assertIn("Let mail flow again below", self.card(ADDRESS))
        self.assertEqual(self.answer(), "NOTFOUND ")
        self.audit("me-paused")
        self.browser.click_text("Let mail flow again")
        self.browser.wait_for_text("#messages", "Mail flows again.")
        self.assertIn("live since", self.card(ADDRESS))
        self.assertEqual(self.answer(), f"OK {VOUCHED},{NEW}")

    def mistakes(self):
        self.browser.fill("#new-target", "not an address")
        self.browser.click_text("Send the link")
        self.browser.wait_for_text("#messages", "That is not a mail address.")
        self.assertEqual(self.browser.find("#new-target").get_attribute("aria-invalid"), "true")
        self.audit("me-error")
        for address, why in ((NEW, "That address is there already."),
                             ("kim@ubuntu.com", "That address is one of ours.")):
            with self.browser.expecting("status of 409"):
                self.browser.fill("#new-target", address)
                self.browser.click_text("Send the link")
                self.browser.wait_for_text("#messages", why)
        self.browser.fill("#new-target", "third@home.example")
        self.browser.click_text("Send the link")
        self.browser.wait_for_text("#messages", "A link is on its way")
        self.browser.find('[aria-label="Remove third@home.example"]').click()
        self.browser.wait_for_text("#messages", "third@home.example was removed.")
        self.assertNotIn("third", self.browser.text("#targets"))

    def history(self):
        self.browser.open("/me")
        rows = [each.text for each in self.browser.all("#history tbody tr")]
        for act in ("you paused", "you mail flows again", "you link mailed to a mailbox",
                    "you mail with a tag ubuntu.com is refused", "refresh address waits"):
            self.assertTrue(any(act in row for row in rows), act)
        self.assertFalse([row for row in rows if "jdoe" in row or "kim" in row])

    def export(self):
        os.makedirs(self.browser.downloads, exist_ok=True)
        self.browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
            "behavior": "allow", "downloadPath": self.browser.downloads})
        self.browser.click_text("Download my data")
        self.browser.wait_for(lambda: self.browser_has_file("lpalias.json"), "waited for the file")
        with open(os.path.join(self.browser.downloads, "lpalias.json"), encoding="utf-8") as file:
            held = json.load(file)
        told = json.dumps(held["person"])
        for wanted in (VOUCHED, NEW, ADDRESS.partition("@")[0], "append", "person.pause"):
            self.assertIn(wanted, told)

    def browser_has_file(self, name):
        unfinished = glob.glob(os.path.join(self.browser.downloads, "*.crdownload"))
        return not unfinished and os.path.exists(os.path.join(self.browser.downloads, name))

    def log_out(self):
        self.browser.click_text("Log out")
        self.browser.wait_for_page("/")
        self.browser.wait_for_text("#messages", "You are logged out.")
        self.assertEqual(self.browser.text("nav"), "Start Status")
        self.browser.driver.back()
        self.assertNotIn(VOUCHED, self.browser.driver.page_source)
        # It is sent on to log in.
        self.browser.wait_for(lambda: self.browser.all('button[value="pending"]'),
                              "waited to be sent to Ubuntu One")

    def erase(self):
        self.log_in("pending")
        self.browser.click("#erase")
        self.audit("me-erase")
        with self.browser.expecting("status of 400"):
            self.browser.fill("#erase-name", "somebody")
            self.browser.click_text("Erase my data", "#erase-dialog")
            self.browser.wait_for_text("#messages", "That is not your Launchpad name.")
        self.browser.click("#erase")
        self.browser.fill("#erase-name", "pending")
        self.browser.click_text("Erase my data", "#erase-dialog")
        self.browser.wait_for_page("/")
        self.browser.wait_for_text("#messages", "Your data was erased, and you are logged out.")
        self.assertEqual(self.browser.text("nav"), "Start Status")
        self.assertEqual(self.answer(), "NOTFOUND ")
        shown = json.loads(self.world.lpalias("show", "pending", "--json", "--show-targets").stdout)
        self.assertEqual(shown["targets"], [])


class Told(MemberCase):
    """Whoever has no address is told why, and what to do about it."""

    def assert_told(self, name, found, card, href=None, address=None):
        self.log_in(name)
        self.assertIn(found, self.browser.text("#found"))
        shown = self.card(address or f"{name}@ubuntu.com")
        for wanted in card:
            self.assertIn(wanted, shown)
        if href:
            links = [each.get_attribute("href") for each in self.browser.all("#addresses a")]
            self.assertIn(href, links)
        self.audit(f"me-{name}")

    def test_who_is_in_no_team(self):
        self.world.add_person("stranger")
        self.assert_told("stranger", "in none of the teams",
                         ["not yours", "You are not in ~ubuntumembers.", "how to join"],
                         f"https://launchpad.net/~{TEAM}")
        self.assertIn("Members of these teams", self.browser.text("#none"))
        self.assertEqual(len(self.browser.all("#addresses li")), len(self.world.domains))
        self.assertFalse(self.browser.find("#choices").is_displayed())

    def test_who_has_not_signed(self):
        self.world.add_person("unsigned", [TEAM], is_ubuntu_coc_signer=False)
        self.assert_told("unsigned", "Code of Conduct is not signed",
                         ["refused", "Sign it on Launchpad"], "https://launchpad.net/codeofconduct")
        self.world.launchpad.set_person("unsigned", is_ubuntu_coc_signer=True)
        self.browser.forget()
        self.log_in("unsigned")
        self.assertIn("live since", self.card("unsigned@ubuntu.com"))

    def test_who_is_not_valid(self):
        self.world.add_person("invalid", [TEAM], is_valid=False)
        self.assert_told("invalid", "not active", ["refused", "Set a preferred mail address"],
                         "https://launchpad.net/~invalid")

    def test_who_is_banned(self):
        self.world.lpalias("ban", "several", "--reason", "a secret reason")
        self.assert_told("several", "banned from having addresses",
                         ["refused", "Ask the operators of this service."])
        self.assertNotIn("secret", self.browser.driver.page_source)

    def test_who_goes_by_another_name(self):
        self.log_in("lee")
        self.browser.forget()
        self.world.launchpad.rename("lee", "leonie")
        self.log_in("lee")
        self.assertIn("Logged in as leonie", self.browser.text("header"))
        self.assertIn("live since", self.card("leonie@lubuntu.me"))
        self.assertIn("lee@target.example", self.browser.text("#targets"))
        old = self.card("lee@lubuntu.me")
        self.assertIn("You go by another name on Launchpad now", old)
        self.assertIn("mail still arrives until", old)
        self.assertEqual([len(self.browser.all(f'[data-address="{name}@lubuntu.me"] select'))
                          for name in ("leonie", "lee")], [1, 0])

    def test_whose_name_changes_meanwhile(self):
        """The session has the name of its login; the account goes by the one of now."""
        self.world.forget_limits()  # so many have logged in before
        self.world.add_person("ada", [TEAM])
        self.log_in("ada")
        self.world.launchpad.rename("ada", "ida")
        with Browser(self.world.url) as other:
            self.log_in("ada", other)
        self.browser.open("/me")
        self.browser.click("#erase")
        self.assertIn("Launchpad name, ida,", self.browser.text("#erase-label"))
        self.browser.fill("#erase-name", "ida")
        self.browser.click_text("Erase my data", "#erase-dialog")
        self.browser.wait_for_page("/")
        self.browser.wait_for_text("#messages", "Your data was erased")

    def test_who_left_the_team(self):
        self.world.launchpad.remove_member(TEAM, "kim")
        for after_s in (100, 200):  # it is believed when it is seen again
            self.world.lpalias("refresh", after_s=after_s)
        self.log_in("kim")
        shown = self.card("kim@ubuntu.com")
        self.assertIn("leaving", shown)
        self.assertIn("mail still arrives until", shown)
        self.assertIn("Join the team again", shown)

    def test_who_asks_too_often(self):
        """The mails to one mailbox are limited, whoever asks for them."""
        self.log_in("jdoe")
        told = ""
        with self.browser.expecting("status of 429"):
            while "too often" not in told:
                self.browser.fill("#new-target", "often@home.example")
                self.browser.click("#add-target button")
                told = self.browser.wait_for(lambda: self.browser.text("#messages"), "an answer")
        self.assertRegex(told, r"^That was too often. Try again in \d+ seconds.$")

    def test_who_cancels(self):
        self.browser.open("/")
        self.browser.click_text("Log in with Ubuntu One", "main")
        self.browser.wait_for(lambda: self.browser.all('[name="cancel"]'), "waited for Ubuntu One")
        self.browser.click('[name="cancel"]')
        self.browser.wait_for_page("/")
        self.assertIn("The login was cancelled at Ubuntu One.", self.browser.text("#problem"))

    def test_whose_answer_comes_as_a_form(self):
        fault = self.world.ubuntu_one.add_fault("by-post", account="jdoe")
        self.assertTrue(fault)
        try:
            self.log_in("jdoe")
        finally:
            self.world.ubuntu_one.clear_faults()
        self.assertIn("Logged in as jdoe", self.browser.text("header"))

    def test_who_comes_for_a_page_is_led_there_after_the_login(self):
        self.browser.driver.get(self.world.url + "/me")
        self.browser.wait_for(lambda: self.browser.all('button[value="jdoe"]'), "waited for Ubuntu One")
        self.browser.click('button[value="jdoe"]')
        self.browser.wait_for_page("/me")
        self.assertIn("live since", self.card("jdoe@ubuntu.com"))

    def test_whose_session_ends_meanwhile(self):
        self.log_in("jdoe")
        with Browser(self.world.url) as other:
            self.log_in("jdoe", other)
            other.click_text("Log out everywhere")
            other.wait_for_page("/")
        with self.browser.expecting("status of 401"):
            self.browser.click("#pause")
            self.browser.wait_for(lambda: self.browser.all('button[value="jdoe"]'),
                                  "waited to be sent to log in")
        self.assertNotEqual(self.answer("jdoe@ubuntu.com"), "NOTFOUND ")


if __name__ == "__main__":
    tap.main()
