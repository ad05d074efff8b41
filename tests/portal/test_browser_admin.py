"""What admins do on their page, in Chromium, and that no text that comes from elsewhere becomes markup."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from browser import NARROW
from browser_case import BrowserCase, skip_without_browser
from test_admin import A, B, HOME, NEWCOMERS, hold_plans, open_house

MARKUP = '<img src=x onerror="alert(1)"><b>bold</b>'


def setUpModule():
    skip_without_browser()


class AdminCase(BrowserCase):
    """Two domains, each with a change that is held; boss is an admin of the portal, anna of ubuntu.com."""

    @classmethod
    def make_world(cls):
        return open_house()

    @classmethod
    def prepare(cls, world):
        hold_plans(world)

    def come_as(self, name):
        self.browser.take_session(self.world.log_in(name=name))
        self.browser.open("/admin")

    def row(self, domain):
        """What the line of a domain says."""
        return next(row.text for row in self.browser.all("#domains tbody tr")
                    if row.text.startswith(domain))

    def rows(self, part):
        return [" ".join(each.text.split()) for each in self.browser.all(f"#{part} tbody tr")]

    def search(self, name="", domain="", state="", reason=""):
        """The addresses that a search shows."""
        self.browser.fill("#search-text", name)
        self.browser.choose("#search-domain", domain)
        self.browser.choose("#search-state", state)
        self.browser.choose("#search-reason", reason)
        self.browser.run("document.getElementById('members').replaceChildren()")
        self.browser.click_text("Search")
        self.browser.wait_for(lambda: self.browser.all("#members > *"), "waited for the members")
        return [each.text for each in self.browser.all("#members tbody th")]

    def show_plan(self, domain):
        self.browser.click(f'[aria-label="Show the held change of {domain}"]')
        self.browser.wait_for(lambda: self.browser.all("#plan-dialog[open]"), "waited for the dialog")


class Journey(AdminCase):
    """Everything that an admin of the portal does."""

    def test_from_the_figures_to_the_event_log(self):
        for step in (self.figures, self.members, self.look_at_a_plan, self.release, self.discard,
                     self.outdated, self.bans, self.notices, self.events):
            with self.subTest(step.__name__):
                step()
                self.browser.check()

    def figures(self):
        self.come_as("boss")
        self.assertIn("Administration", self.browser.text("nav"))
        self.assertIn("live 3", self.row(A))
        self.assertIn("live 2", self.row(B))
        self.assertIn("open", self.row(A))
        self.assertIn(f"0 would stop, {NEWCOMERS} would come", self.row(A))

    def members(self):
        everybody = [f"anna@{A}", f"jdoe@{A}", f"kim@{A}", f"ben@{B}", f"jdoe@{B}"]
        self.assertEqual(sorted(self.search()), sorted(everybody))
        self.assertEqual(self.search("ann"), [f"anna@{A}"])
        self.assertEqual(sorted(self.search("jdoe")), [f"jdoe@{B}", f"jdoe@{A}"])
        self.assertEqual(self.search("jdoe", A), [f"jdoe@{A}"])
        self.assertEqual(self.search("", B, "active"), [f"ben@{B}", f"jdoe@{B}"])
        self.assertEqual(self.search("", "", "refused"), [])
        self.assertEqual(self.browser.text("#members"), "Nobody found.")
        self.search()
        self.audit("admin")

    def look_at_a_plan(self):
        self.show_plan(A)
        self.assertIn(f"Held change of {A}", self.browser.text("#plan-title"))
        self.assertIn(f"{NEWCOMERS} names would come", self.browser.text("#plan-reason"))
        rows = self.rows("plan-rows")
        self.assertEqual(len(rows), NEWCOMERS)
        self.assertRegex(rows[0], "^new00-u waiting no address to go on to$")
        self.audit("admin-plan")
        self.browser.click_text("Close", "#plan-dialog")
        self.assertFalse(self.browser.all("#plan-dialog[open]"))

    def release(self):
        self.show_plan(A)
        self.browser.click("#plan-release")
        self.browser.wait_for_text("#messages", f"The change of {A} was applied.")
        self.assertIn(f"waiting {NEWCOMERS}", self.row(A))
        self.assertTrue(self.row(A).endswith("none"), self.row(A))  # nothing is held any more
        self.assertEqual(len(self.search("new", A, "pending")), NEWCOMERS)

    def discard(self):
        self.show_plan(B)
        self.browser.click("#plan-discard")
        self.browser.wait_for_text("#messages", f"The change of {B} was discarded.")
        self.assertEqual(self.search("new", B), [])

    def outdated(self):
        """Somebody else decides while one looks."""
        self.world.launchpad.add_person("later")
        self.world.launchpad.add_member("kubuntu-members", "later")
        self.world.lpalias("refresh", status=None)
        self.browser.open("/admin")
        self.show_plan(B)
        self.world.launchpad.add_person("latest")
        self.world.launchpad.add_member("kubuntu-members", "latest")
        self.world.lpalias("refresh", status=None)
        with self.browser.expecting("status of 409"):
            self.browser.click("#plan-release")
            self.browser.wait_for_text("#messages", "It has changed meanwhile.")
        self.assertEqual(self.search("late", B), [])

    def bans(self):
        self.assertIn("Nobody is banned.", self.browser.text("#bans"))
        self.browser.fill("#ban-name", "kim")
        self.browser.fill("#ban-reason", f"spam {MARKUP}")
        self.browser.click_text("Ban")
        self.browser.wait_for_text("#messages", "kim is banned.")
        self.assertIn(f"spam {MARKUP}", self.browser.text("#bans"))
        self.assertEqual(self.search("", "", "refused"), [f"kim@{A}"])
        self.assertEqual(self.search(reason="banned"), [f"kim@{A}"])
        self.assertIn("banned", self.browser.text("#members"))
        self.audit("admin-ban")
        with self.browser.expecting("status of 400"):
            self.browser.fill("#ban-name", "no name!")
            self.browser.fill("#ban-reason", "x")
            self.browser.click_text("Ban")
            self.browser.wait_for_text("#messages", "This request was not understood.")
        self.browser.click('[aria-label="Lift the ban of kim"]')
        self.browser.wait_for_text("#messages", "The ban of kim was lifted.")
        self.assertIn("Nobody is banned.", self.browser.text("#bans"))
        self.assertEqual(self.search("kim", A, "active"), [f"kim@{A}"])

    def notices(self):
        self.browser.open("/admin")
        self.assertTrue(self.rows("notices"))

    def events(self):
        self.browser.open("/admin")
        newest = self.rows("events")
        acts = " ".join(newest)
        for wanted in ("person.ban", "person.unban", "plan.discard"):
            self.assertIn(wanted, acts)
        self.assertTrue([row for row in newest if "person.ban" in row and "boss" in row
                         and MARKUP in row], newest[:5])
        self.browser.click_text("Show older ones", "#events")
        self.browser.wait_for(lambda: len(self.rows("events")) > len(newest), "waited for older ones")
        while self.browser.all("#events > button"):
            count = len(self.rows("events"))
            self.browser.click("#events > button")
            self.browser.wait_for(lambda: len(self.rows("events")) > count, "waited for older ones")
        self.assertEqual(len(self.rows("events")),
                         len(json.loads(self.world.lpalias("history", "--json").stdout)))


class Rights(AdminCase):
    """Each sees what is theirs."""

    def test_an_admin_of_one_domain(self):
        self.come_as("anna")
        self.assertEqual([row.split()[0] for row in self.rows("domains")], [A])
        self.assertEqual({each.rpartition("@")[2] for each in self.search()}, {A})
        self.assertFalse(self.browser.find("#bans-section").is_displayed())

    def test_nobody_who_is_not_logged_in(self):
        self.browser.driver.get(self.world.url + "/admin")
        self.browser.wait_for(lambda: self.browser.all('button[value="jdoe"]'),
                              "waited for Ubuntu One")


# Puts markup into each text of each answer of the API, as if all of them came from somebody else.
PLANT = """
const real = window.fetch;
function plant(value) {
  if (typeof value === "string")
    return /^\\d{4}-/.test(value) ? value : value + MARKUP;
  if (Array.isArray(value)) return value.map(plant);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) =>
    [name, name === "csrf_token" ? each : plant(each)]));
}
window.fetch = async (path, ...given) => {
  const answer = await real(path.replaceAll(encodeURIComponent(MARKUP), ""), ...given);
  const body = JSON.stringify(plant(await answer.json()));
  return new Response(body, { status: answer.status, headers: { "Content-Type": "application/json" } });
};
"""


class Markup(AdminCase):
    """Whatever the texts are: they are shown as they are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.lpalias("ban", "kim", "--reason", MARKUP)
        cls.browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
            "source": f"(() => {{ const MARKUP = {json.dumps(MARKUP)}; {PLANT} }})()"})

    def assert_shown(self, least):
        self.assertGreaterEqual(self.browser.text("body").count(MARKUP), least)
        self.assertFalse(self.browser.all("img, b, main script, [onerror]"))
        self.browser.check()

    def test_administration(self):
        self.come_as("boss")
        self.assert_shown(50)
        self.search()
        self.assert_shown(60)
        self.browser.run("document.querySelector('#domains button').click()")
        self.browser.wait_for(lambda: self.browser.all("#plan-dialog[open]"), "waited for the dialog")
        self.assert_shown(60)
        self.assertIn(MARKUP, self.browser.text("#plan-dialog"))
        self.browser.show_as(NARROW)
        self.assertEqual(self.browser.overflow(), [])

    def test_members(self):
        self.browser.take_session(self.world.log_in_as("jdoe"))
        self.browser.open("/me")
        for part in ("header", "#addresses", "#targets", "#sending", "#history"):
            self.assertIn(MARKUP, self.browser.text(part), part)
        self.assert_shown(20)

    def test_public_pages(self):
        for path in ("/", "/status"):
            self.browser.open(path)
            self.assertIn(MARKUP, self.browser.text("#domains"))
            self.assert_shown(2)

    def test_errors(self):
        self.browser.open("/confirm#x")
        with self.browser.expecting("status of 404"):
            self.browser.click("#confirm")
            self.browser.wait_for_text("#messages", MARKUP)
        self.assert_shown(1)


if __name__ == "__main__":
    tap.main()
