"""Chromium for a test, headless, with a profile of its own and no network but the loopback.

    with Browser(world.url) as browser:
        browser.open("/status")                  # and waits until the page has filled itself
        browser.click("#pause")
        browser.wait_for_text("#messages", "Your addresses are paused.")
        browser.axe()                            # serious and critical findings of axe-core
        browser.check()                          # raises on what nobody expected

What the console shows is kept: errors of scripts, requests that failed, violations of the content
security policy. check(), which also leaving the `with` does, raises if there is any that did not come
inside `with browser.expecting(PATTERN)`.

AXE_CORE is where axe.min.js is; LPALIAS_SCREENSHOTS a directory where screenshot(NAME) leaves
pictures, without it that does nothing.
"""

import base64
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.common.exceptions import (JavascriptException, NoSuchElementException,
                                            StaleElementReferenceException)
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

PATIENCE_S = 60
WIDE, NARROW = (1100, 900), (360, 740)
CHROMIUM = ("chromium", "google-chrome-stable", "google-chrome")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--lang=en-GB",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--force-color-profile=srgb", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def program():
    """The path of a Chromium that can run here, or None: Ubuntu's is a stub that wants a snap."""
    for name in CHROMIUM:
        path = shutil.which(name)
        if path and subprocess.run([path, "--version"], capture_output=True,
                                   check=False).returncode == 0:
            return path
    return None


def why_not():
    """A sentence what is missing, or None."""
    if webdriver is None:
        return "python3-selenium is not installed"
    if shutil.which("chromedriver") is None:
        return "there is no chromedriver, which Ubuntu has in a snap only"
    return None if program() else "there is no Chromium that runs, which Ubuntu has in a snap only"


def axe_path():
    """Where axe-core's script is, or None."""
    path = os.environ.get("AXE_CORE", "")
    return path if os.path.isfile(path) else None


class Browser:
    """See the top of the file."""

    def __init__(self, url, size=WIDE):
        self.url = url
        self.width = size[0]
        self.profile = tempfile.mkdtemp(prefix="lpalias-browser-")
        self.downloads = os.path.join(self.profile, "downloads")
        options = webdriver.ChromeOptions()
        options.binary_location = program()
        for option in (*OPTIONS, f"--user-data-dir={self.profile}"):
            options.add_argument(option)
        options.add_experimental_option("prefs", {"download.default_directory": self.downloads})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = None
        try:
            self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")),
                                           options=options)
            self.driver.set_script_timeout(PATIENCE_S)
            self.show_as(size)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check()
        finally:
            self.close()

    def close(self):
        """Ends it; its profile goes with it."""
        if self.driver is not None:
            self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    # How it looks at the page.

    def show_as(self, size=WIDE, scheme="light", motion="no-preference"):
        """The size of the screen, and what the person behind it prefers."""
        self.width, height = size
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": self.width, "height": height, "deviceScaleFactor": 1, "mobile": size == NARROW})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion}]})

    def screenshot(self, name):
        """Leaves the whole page as NAME.png, if a directory is given for that."""
        directory = os.environ.get("LPALIAS_SCREENSHOTS")
        if not directory:
            return
        os.makedirs(directory, exist_ok=True)
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot",
                                            {"captureBeyondViewport": True})
        with open(os.path.join(directory, name + ".png"), "wb") as file:
            file.write(base64.b64decode(taken["data"]))

    # What went wrong.

    def _problems(self):
        # Other sites, the stand-in of Ubuntu One, need have no icon.
        icon = re.compile(rf"(?!{re.escape(self.url)}/)\S+/favicon.ico ")
        return [f'{entry["source"]}: {entry["message"]}' for entry in self.driver.get_log("browser")
                if entry["level"] in ("SEVERE", "WARNING") and not icon.match(entry["message"])]

    def check(self):
        """Raises if something went wrong that was not expected."""
        if problems := self._problems():
            raise AssertionError("in the browser:\n" + "\n".join(problems))

    @contextlib.contextmanager
    def expecting(self, pattern):
        """What is wrong inside has to match, and something has to."""
        self.check()
        yield
        problems = self.wait_for(self._problems, f"waited for {pattern}")
        unexpected = [each for each in problems if not re.search(pattern, each)]
        if unexpected:
            raise AssertionError(f"expected {pattern}, not\n" + "\n".join(unexpected))

    # Pages.

    def run(self, script, *arguments):
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def open(self, path, is_ready=True):
        """Goes to a path of the site, or a whole URL, and waits until the page is filled."""
        self.driver.get(urllib.parse.urljoin(self.url, path))
        if is_ready:
            self.wait_for_page()

    def path(self):
        """The path and query it is at, or the whole URL when that is elsewhere."""
        url = self.driver.current_url
        return url[len(self.url):] if url.startswith(self.url + "/") else url

    def wait_for(self, condition, what):
        """Waits until condition() is true, and returns what it gave."""
        end = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(NoSuchElementException, StaleElementReferenceException,
                                     JavascriptException):
                if found := condition():
                    return found
            if time.monotonic() > end:
                raise TimeoutError(f"{what}, at {self.path()}:\n{self.text('body')}\n"
                                   + "\n".join(self._problems()))
            time.sleep(0.02)

    def wait_for_page(self, path=None):
        """Waits until it is at that path (without its query) and the page has filled itself."""
        self.wait_for(lambda: self.run(
            'return (arguments[0] === null || location.pathname === arguments[0])'
            ' && document.documentElement.dataset.ready === "yes"', path), f"waited for {path}")

    # Elements, by CSS selector.

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """What a person reads there, in one line; of all that match."""
        return " ".join(" ".join(each.text.split()) for each in self.all(selector))

    def wait_for_text(self, selector, wanted):
        """Waits until that text stands there, and returns all of it."""
        return self.wait_for(lambda: wanted in (found := self.text(selector)) and found,
                             f'waited for "{wanted}" in {selector}')

    def click(self, selector):
        self.find(selector).click()

    def click_text(self, wanted, inside="body"):
        """Presses the button, or follows the link, that reads so."""
        for each in self.all(f"{inside} :is(a, button)"):
            if each.is_displayed() and each.text.strip() == wanted:
                each.click()
                return
        raise NoSuchElementException(f'no "{wanted}" in {inside}')

    def fill(self, selector, value):
        field = self.find(selector)
        field.clear()
        field.send_keys(value)

    def choose(self, selector, value):
        """Takes the option of that value."""
        self.find(f'{selector} option[value="{value}"]').click()

    # The keyboard.

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def tab_to(self, selector, back=False, limit=80):
        """Presses Tab until the element has the focus, which at each stop must be seen."""
        for _ in range(limit):
            if back:
                ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(
                    Keys.SHIFT).perform()
            else:
                self.press(Keys.TAB)
            self.assert_focus_is_seen()
            if self.run("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"Tab does not come to {selector}")

    def assert_focus_is_seen(self):
        """What has the focus has an outline and lies inside of the screen."""
        seen = self.run("""
            const element = document.activeElement;
            if (element === document.body || element === null) return null;
            const style = getComputedStyle(element);
            const box = element.getBoundingClientRect();
            return { name: element.outerHTML.slice(0, 200), outline: style.outlineStyle,
                     width: parseFloat(style.outlineWidth),
                     inside: box.bottom > 0 && box.top < innerHeight && box.right > 0
                             && box.left < innerWidth && box.width > 0 };""")
        if seen and (seen["outline"] == "none" or seen["width"] < 2 or not seen["inside"]):
            raise AssertionError(f"the focus is not seen: {seen}")

    # Who is logged in.

    def take_session(self, login):
        """Has that session (a Login) from now on."""
        name, _, value = login.cookie.partition("=")
        self.driver.execute_cdp_cmd("Network.setCookie", {
            "url": self.url + "/", "name": name, "value": value, "path": "/", "secure": True,
            "httpOnly": True, "sameSite": "Lax"})

    def forget(self):
        """As if it had never been here."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    # What keeps people out.

    def axe(self, rules=None):
        """The serious and critical findings of axe-core on the page as it is now, as lines; of all
        rules, or of those named."""
        self.check()
        if not self.run("return typeof axe === 'object'"):
            with open(axe_path(), encoding="utf-8") as file:
                self.run(file.read() + "\nwindow.axe = axe;")
        found = self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            const runOnly = arguments[0] === null ? {} : { runOnly: arguments[0] };
            axe.run(document, { resultTypes: ["violations"], ...runOnly })
               .then(({ violations }) => done(violations), (error) => done(String(error)));""", rules)
        if isinstance(found, str):
            raise RuntimeError(found)
        return [f'{rule["impact"]} {rule["id"]}: {node["html"]} {node["failureSummary"]}'
                for rule in found if rule["impact"] in ("serious", "critical")
                for node in rule["nodes"]]

    def overflow(self):
        """What is wider than the screen, as lines; without it nobody has to scroll sideways."""
        return self.run("""
            const [width] = arguments;  // a phone's browser makes the page as wide as what is in it
            if (document.scrollingElement.scrollWidth <= width) return [];
            return [...document.body.querySelectorAll("*")]
              .filter((each) => each.getBoundingClientRect().right > width + 1)
              .map((each) => each.outerHTML.slice(0, 200));""", self.width)

    def small_targets(self, least_px=44):
        """Buttons, links of the navigation and fields that a finger would miss, as lines."""
        return self.run("""
            return [...document.querySelectorAll("button, .button, nav a, .site a, select, input")]
              .filter((each) => each.getClientRects().length > 0
                      && each.getBoundingClientRect().height < arguments[0] - 0.5)
              .map((each) => each.getBoundingClientRect().height + " " + each.outerHTML.slice(0, 200));
            """, least_px)
