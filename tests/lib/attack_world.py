"""A portal with somebody to attack, and with a memory for what must stand in no log.

    with AttackWorld() as world:
        world.begin()                         # filled cache, verbose portal
        before = world.facts()
        ... the attack ...
        world.facts() == before               # nothing came of it
        world.secrets_in_logs() -> []

`kim` and `lee` are members, `jdoe` too and admin of ubuntu.net, `boss` is admin of all; `mallory` has an
account and is in no team. Whatever goes through request() leaves its secrets behind: cookies, tokens, and
what the person's browser brings from the login provider. Each request comes from an address of its own,
so that limits are met only by who looks for them. Each answer is looked at for the headers that keep
it out of frames, caches and scripts.
"""

import contextlib
import json
import re
import subprocess
import unittest
import urllib.parse

import ubuntu_one_standin
from lpalias_world import PATIENCE_S, TARGETS, members, program
from portal_world import SESSION_COOKIE, PortalWorld, cookies_of

EVIL = "https://evil.example"
HEADERS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "same-origin",
           "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin"}
POLICY = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'",
          "frame-ancestors 'none'", "require-trusted-types-for 'script'")


def people():
    """The members of every portal test, and who belongs to none of them."""
    data = members()
    data["people"] |= {"mallory": {}, "boss": {}}
    return data


def header_problem(path, answer):
    """What an answer lacks of what each one has to say, or None."""
    for name, value in HEADERS.items():
        if answer.headers.get(name) != value:
            return f"{answer.status} {path}: {name} is {answer.headers.get(name)}"
    policy = answer.headers.get("content-security-policy", "")
    if "unsafe" in policy or not all(each in policy for each in POLICY):
        return f"{answer.status} {path}: the policy is {policy}"
    is_page = answer.status in (200, 304) and not path.startswith(("/api/", "/login", "/logout"))
    kept = answer.headers.get("cache-control")
    bare = answer.headers.get("connection") == "close" and answer.status in (400, 411, 413, 417, 501)
    if not is_page and not bare and kept != "no-store":
        return f"{answer.status} {path}: may be kept: {kept}"
    return None


def altered(text, place):
    """The same with another letter at that place."""
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1:]


class AttackWorld(PortalWorld):
    """See the top of the file."""

    def __init__(self, data=None, *arguments, portal=(), **options):
        self.secrets = set()
        self.requests = 0
        super().__init__(people() if data is None else data, *arguments,
                         portal=("admins = { boss }", *portal), **options)
        self.domain_keys = {"ubuntu.net": "admins = { jdoe }"}
        self.write_config()
        for addresses in TARGETS.values():
            self.secrets.update(addresses)
        for account in self.ubuntu_one.accounts().values():
            self.secrets.update({account["email"], account["fullname"]})

    def begin(self, **options):
        """Filled, and served."""
        self.fill()
        return self.start_portal(**options)

    def start_portal(self, options=(), **others):
        return super().start_portal(options=[*options, "-v"], **others)

    # What is so.

    def facts(self):
        """All that the cache holds, in clear, but for notices: those come and go with the mail."""
        ran = subprocess.run([program("CACHE_DUMP"), self.cache, self.key_file],
                             input=" ".join(self.domains) + "\n", capture_output=True, text=True,
                             check=True, timeout=PATIENCE_S)
        return {table: rows for table, rows in json.loads(ran.stdout).items()
                if table not in ("generation", "outbox", "sent")}

    def is_logged_in(self, login):
        """Whether a cookie is good for anything."""
        return self.request("GET", "/api/session", login=login).json()["logged_in"]

    def name_of(self, login):
        """Whom a cookie is taken for."""
        return self.request("GET", "/api/session", login=login).json().get("name")

    # Secrets.

    def remember(self, *secrets):
        """What has to stay out of the logs; nobody could tell a short one from a word."""
        self.secrets.update(secret for secret in secrets if secret and len(secret) > 8)

    def _remember_request(self, path, headers, body, login):
        cookies = (headers or {}).get("Cookie") or ""
        self.remember(*(pair.partition("=")[2] for pair in cookies.split("; ")),
                      (headers or {}).get("X-CSRF-Token"))
        if login is not None:
            self.remember(login.cookie.partition("=")[2], login.csrf)
        form = urllib.parse.parse_qsl(path.partition("?")[2])
        if body[:1] not in (b"{", b""):
            form += urllib.parse.parse_qsl(body.decode("latin-1"))
        self.remember(*(value for name, value in form
                        if name == "state" or re.search("sig$|assoc_handle$|nonce$|email|fullname",
                                                        name)))

    def request(self, method, path, headers=None, body=b"", login=None, endpoint=None):
        self._remember_request(path, headers, body, login)
        self.requests += 1
        address = f"192.0.{2 + self.requests // 250}.{1 + self.requests % 250}"
        headers = {"X-Forwarded-For": address} | (headers or {})
        answer = super().request(method, path, headers, body, login, endpoint)
        problem = header_problem(path, answer)
        if problem:
            raise AssertionError(problem)
        self.remember(*cookies_of(answer).values())
        location = urllib.parse.urlsplit(answer.headers.get("location", ""))
        self._remember_request("?" + location.query, None, b"", None)
        if answer.headers.get("content-type") == "application/json" and answer.body:
            self.remember(answer.json().get("csrf_token"))
        return answer

    def secrets_in_logs(self):
        """Those that stand in the portal's log, as they are or encoded for a URL."""
        logs = self.portal_log()
        return sorted(secret for secret in self.secrets
                      if secret in logs or urllib.parse.quote(secret, safe="") in logs)

    # Logins of an attacker.

    def bring(self, begun, name):
        """What the provider gives the browser of `name` for the login that was begun."""
        return ubuntu_one_standin.bring(begun.url, name)

    def outcome(self, answer):
        """"logged in", the code of a problem, or the status."""
        if cookies_of(answer).get(SESSION_COOKIE):
            return "logged in"
        problem = re.fullmatch(r"/\?problem=([a-z-]+)", answer.headers.get("location", ""))
        return problem[1] if problem else answer.status


class AttackCase(unittest.TestCase):
    """One world for all cases of a class; after each, no log holds a secret."""

    portal = ()

    @classmethod
    def setUpClass(cls):
        cls.world = AttackWorld(portal=cls.portal)
        cls.addClassCleanup(cls.world.close)
        cls.world.begin()

    def tearDown(self):
        self.assertEqual(self.world.secrets_in_logs(), [])

    @contextlib.contextmanager
    def nothing_changes(self):
        """Whatever happens meanwhile leaves the cache as it was."""
        before = self.world.facts()
        yield
        self.assertEqual(self.world.facts(), before)
