"""Fetches listings with src/launchpad from the stand-in Launchpad, over real sockets.

Whatever the stand-in does wrong must end in an unusable listing whose reason names team, URL and
cause, without harm to the other teams; whatever is merely unusual must not disturb.
"""

import contextlib
import datetime
import json
import math
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, os.pardir, "lib")
sys.path.insert(0, LIB)

import launchpad_standin  # noqa: E402
import tap  # noqa: E402
from launchpad_standin import FAULTS, LaunchpadStandIn  # noqa: E402

PROBE = os.environ["FETCH_PROBE"]
DATA = os.path.join(LIB, "ubuntu.json")
SIX = ("ubuntumembers", "kubuntu-members", "lubuntu-members", "edubuntu-members", "ubuntustudio-core",
       "ubuntu-smtp-test")
# The team that faults are aimed at has several pages of ten; the other one must stay untouched.
VICTIM, OTHER = "ubuntumembers", "lubuntu-members"
PAGE_SIZE = 10
ENTRY_URL = f"/1.0/~{VICTIM}"
PAGES_URL = f"{ENTRY_URL}/participants"

TRIED = "tried 2 times"
NOT_A_LINK = "the next link is not a plain absolute URL"
# What the reason must say, for each fault that makes a listing of people unusable.
CAUSES = {
    "not-found": r"answered 404 \(Object: .*name: 'participants'\)$",
    "gone": r"answered 410 \(User is suspended: ~somebody\)$",
    "redirect-other-host": "answered 301$",
    "redirect-same-host": "answered 302$",
    "unauthorized": r"answered 401 \(Unknown access token\.\)$",
    "forbidden": "answered 403$",
    "unavailable-html": f"answered 503, {TRIED}$",
    "unavailable-timeout": rf"answered 503 \(RequestExpired, OOPS-[0-9a-f]+\), {TRIED}$",
    "unavailable-retry-after": r"answered 503 \(RequestExpired\); Retry-After asks for 900 s",
    "too-many-requests": r"answered 429 \(Too many requests\); Retry-After asks for 61 s",
    "server-error": rf"answered 500 \(AssertionError, OOPS-[0-9a-f]+\), {TRIED}$",
    "bad-gateway": f"answered 502, {TRIED}$",
    "html-ok": 'answered 200 with no JSON but "text/html',
    "html-as-json": "no JSON at byte",
    "empty-body": "the body is empty",
    "no-content": "answered 204$",
    "json-null": "no JSON at byte",
    "json-array": "the body is an array, not an object",
    "json-empty-object": "total_size is missing",
    "unasked-not-modified": "answered 304$",
    "deep-json": "no JSON at byte .* depth",
    "partial-content": "answered 206$",
    "truncated-json": "no JSON at byte",
    "trailing-garbage": "no JSON at byte",
    "not-utf8": "no JSON at byte",
    "escaped-nul": "no JSON at byte",
    "lone-surrogate": "no JSON at byte",
    "next-foreign-host": "another host",
    "next-other-port": "another port",
    "next-other-scheme": "another scheme",
    "next-file-scheme": "another scheme",
    "next-other-version": "another path",
    "next-dot-segments": "another path",
    "next-user-info": NOT_A_LINK,
    "next-longer-root": "another path",
    "next-relative": NOT_A_LINK,
    "next-not-a-link": NOT_A_LINK,
    "next-number": "next_collection_link is a number",
    "next-null": "next_collection_link is null",
    "next-empty": NOT_A_LINK,
    "next-line-break": NOT_A_LINK,
    "next-other-collection": "another path",
    "next-self": "leads back to a page before",
    "next-loop": "the next link has no query",
    "endless-pages": "a page after the one at",
    "endless-empty-pages": "entries are listed before the page at 1$",
    "total-changed": "read 3 times: total_size changed from",
    "total-string": "total_size is a string",
    "total-fraction": "total_size is a fraction",
    "total-negative": "total_size is negative",
    "total-huge": "no JSON at byte",
    "total-null": "total_size is null",
    "total-redacted": "total_size is redacted",
    "total-missing": "total_size is missing",
    "total-small": "entries are listed, but total_size is",
    "start-string": "start is a string",
    "start-missing": "start is missing",
    "entries-missing": "entries is missing",
    "entries-null": "entries is null",
    "entries-object": "entries is an object",
    "entry-null": "it is null, not an object",
    "entry-string": "it is a string, not an object",
    "page-lost": "no entry on the page at 10 ",
    "duplicate-name": "read 3 times: .* is listed twice",
    "illegal-name": "name is no Launchpad name",
    "upper-case-name": "name is no Launchpad name",
    "connection-reset": f"network error: .*, {TRIED}$",
    "connection-closed": f"network error: .*, {TRIED}$",
    "connection-refused": f"network error: .*, {TRIED}$",
    "reset-mid-body": f"network error: .*, {TRIED}$",
    "short-body": f"network error: .*, {TRIED}$",
    "broken-chunk": f"network error: .*, {TRIED}$",
    "unfinished-chunks": f"network error: .*, {TRIED}$",
    "not-http": "protocol error: ",
    "huge-header": "(network|protocol) error: ",
    "hang": f"timed out: .*, {TRIED}$",
    "hang-after-headers": f"timed out: .*, {TRIED}$",
    "trickle": f"timed out: .*, {TRIED}$",
    "oversized-body": "the answer is too large$",
    "endless-body": "the answer is too large$",
    "gzip-bomb": "the answer is too large$",
    "corrupt-gzip": "(protocol error: |no JSON at byte)",
    "truncated-gzip": "(protocol error: |no JSON at byte)",
    "not-gzip": "protocol error: ",
}
for field in ("name", "is_team", "is_valid", "is_ubuntu_coc_signer", "date_created"):
    word = field.replace("_", "-").replace("-ubuntu-coc-signer", "-coc-signer")
    CAUSES[f"redacted-{word}"] = f"entry \\d+: {field} is redacted$"
    CAUSES[f"wrong-{word}"] = f"entry \\d+: {field} is (a string|a number|no date)"
    CAUSES[f"null-{word}"] = f"entry \\d+: {field} is null"
    CAUSES[f"missing-{word}"] = f"entry \\d+: {field} is missing$"

ARGUMENTS = {"too-many-requests": {"retry_after": 61}, "gzip-bomb": {"size": 8 << 20}, "oversized-body": {"size": 8 << 20}}
SILENT = ("hang", "hang-after-headers", "trickle")
# Of what makes `~team` unusable there is less: paging does not concern it, nor do flags of people.
NOT_FOR_ENTRIES = ("redacted-is-valid", "wrong-is-valid", "null-is-valid", "missing-is-valid",
                   "redacted-is-coc-signer", "wrong-is-coc-signer", "null-is-coc-signer",
                   "missing-is-coc-signer")
TRANSIENT = ("unavailable-html", "unavailable-timeout", "server-error", "bad-gateway", "connection-reset",
             "connection-closed", "reset-mid-body", "short-body", "broken-chunk", "unfinished-chunks")
# Half of a long name is of no use to anybody, so it is skipped and counted (see below).
SKIPPED = "overlong-name"


def microseconds(text):
    moment = datetime.datetime.fromisoformat(text)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (moment - epoch) // datetime.timedelta(microseconds=1)


def run_probe(root, *teams, **options):
    """Runs fetch_probe to its end and gives {team: listing}."""
    command = [PROBE, root]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    done = subprocess.run(command + list(teams), env=environment, capture_output=True, timeout=120, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"fetch_probe ended with {done.returncode}: {done.stderr.decode()}")
    listings = [json.loads(line) for line in done.stdout.splitlines()]
    if [each["team"] for each in listings] != list(teams):
        raise AssertionError("a listing is missing")
    return {each["team"]: each for each in listings}


@contextlib.contextmanager
def bound_port():
    """A port of the loopback on which nobody listens and which nobody else can take."""
    with socket.socket(socket.AF_INET) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class FetchCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = LaunchpadStandIn(DATA, page_size=75).start()

    @classmethod
    def tearDownClass(cls):
        cls.standin.stop()

    def setUp(self):
        self.standin.reset()

    def fetch(self, *teams, root=None, **options):
        options = {"page_size": PAGE_SIZE, "retry_delay_ms": 1, **options}
        return run_probe(root or self.standin.root, *teams, **options)

    def wanted_people(self, team, standin=None):
        registry = (standin or self.standin).registry
        names = [name for name in registry.participants(team) if name not in registry.members]
        objects = registry.objects
        return [{
            "name": name,
            "date_created_us": microseconds(objects[name]["date_created"]),
            "is_valid": objects[name].get("is_valid", True),
            "is_ubuntu_coc_signer": objects[name].get("is_ubuntu_coc_signer", True),
        } for name in sorted(names)]

    def assert_usable(self, listing, standin=None):
        self.assertTrue(listing["usable"], listing["reason"])
        self.assertIsNone(listing["reason"])
        self.assertIsNone(listing["url"])
        self.assertEqual(listing["people"], self.wanted_people(listing["team"], standin))

    def assert_unusable(self, listing, cause, root=None):
        self.assertFalse(listing["usable"])
        self.assertEqual(listing["people"], [])
        url = f"{root or self.standin.root}/~{listing['team']}"
        self.assertTrue(listing["url"].startswith(url), listing["url"])
        self.assertTrue(listing["reason"].startswith(f"~{listing['team']}: {listing['url']}: "), listing["reason"])
        self.assertRegex(listing["reason"], cause)
        self.assertNotRegex(listing["reason"], "[\r\n]")


class NormalListings(FetchCase):
    def test_six_teams_equal_the_data(self):
        registry = self.standin.registry
        for team, listing in self.fetch(*SIX, page_size=300).items():
            with self.subTest(team=team):
                everybody = registry.participants(team)
                self.assert_usable(listing)
                self.assertEqual(listing["team_date_created_us"],
                                 microseconds(registry.objects[team]["date_created"]))
                self.assertEqual(listing["total_size"], len(everybody))
                self.assertEqual(listing["hidden"], sum(registry.hidden(name) for name in everybody))
                self.assertEqual(listing["subteams"], len(everybody) - listing["hidden"] - len(listing["people"]))
                self.assertEqual((listing["requests"], listing["retries"], listing["overlong"]), (2, 0, 0))
        self.assertEqual(len(self.standin.log()), 2 * len(SIX))

    def test_paging_asks_once_for_each_page(self):
        for page_size in (1, 2, 3, 7, 75):
            with self.subTest(page_size=page_size):
                self.standin.clear_log()
                listings = self.fetch(*SIX, page_size=page_size)
                for team, listing in listings.items():
                    self.assert_usable(listing)
                    pages = math.ceil(listing["total_size"] / page_size)
                    self.assertEqual(self.standin.count(f"/~{team}/participants"), pages)
                    self.assertEqual(listing["requests"], 1 + pages)
                self.assertEqual(len({each["path"] for each in self.standin.log()}), len(self.standin.log()))

    def test_requests_say_who_asks_and_take_gzip(self):
        self.fetch(OTHER)
        for record in self.standin.log():
            self.assertRegex(record["user_agent"], r"^lpalias/\d+\.\d+\.\d+$")
            self.assertEqual(record["accept"], "application/json")
            self.assertEqual(record["accept_encoding"], "gzip")
            self.assertEqual(record["method"], "GET")
            self.assertFalse(record["authorization"])
            self.assertEqual(record["if_none_match"], "")

    def test_an_unknown_team_harms_nobody(self):
        listings = self.fetch(OTHER, "nobody-here", "ada-lindqvist")
        self.assert_usable(listings[OTHER])
        self.assert_unusable(listings["nobody-here"], "answered 404")
        self.assert_unusable(listings["ada-lindqvist"], "it is a person, not a team")

    def test_an_upper_case_team_is_not_followed_to_the_web_site(self):
        self.assert_unusable(self.fetch("UbuntuMembers")["UbuntuMembers"], "answered 301")
        self.assertEqual(len(self.standin.log()), 1)

    def test_a_team_name_with_a_plus_is_asked_for(self):
        self.standin.add_team("a+b.c", members=["iker", "rosa", "wren", "zed+a.b-9"])
        self.assert_usable(self.fetch("a+b.c", page_size=2)["a+b.c"])

    def test_an_empty_team_is_usable(self):
        self.standin.add_team("empty")
        listing = self.fetch("empty")["empty"]
        self.assert_usable(listing)
        self.assertEqual((listing["total_size"], listing["requests"]), (0, 2))

    def test_thousands_of_people(self):
        with LaunchpadStandIn(launchpad_standin.make_large("large", 3000)) as standin:
            listing = self.fetch("large", root=standin.root, page_size=300)["large"]
            self.assert_usable(listing, standin)
            self.assertEqual(listing["requests"], 11)


class Faults(FetchCase):
    def options(self, name):
        """A silent server costs a timeout each time; all others get as long as a loaded machine needs."""
        return {"retries": 1, "limit": 1 << 20, "timeout_ms": 1500 if name in SILENT else 60000}

    def check_fault(self, name, cause, **where):
        self.standin.reset()
        self.standin.add_fault(name, **where, **ARGUMENTS.get(name, {}))
        listings = self.fetch(VICTIM, OTHER, **self.options(name))
        self.assert_unusable(listings[VICTIM], cause)
        if name != "connection-refused":
            self.assert_usable(listings[OTHER])
        self.assertTrue(any(each["faults"] for each in self.standin.log()), "the fault never hit")
        for record in self.standin.log():
            self.assertEqual(record["host"], self.standin.origin.removeprefix("http://"))
            self.assertEqual(record["port"], self.standin.port)
            self.assertRegex(record["path"], r"^/1\.0/~[a-z-]+(/participants\?|$)")

    def test_every_fault_has_a_cause_here(self):
        real = {name for name, fault in FAULTS.items() if fault.real}
        self.assertEqual(real - set(CAUSES), {SKIPPED, "empty-team"})

    def test_a_fault_of_a_page_makes_it_unusable(self):
        for name, cause in CAUSES.items():
            with self.subTest(fault=name):
                self.check_fault(name, cause, match=PAGES_URL)

    def test_a_fault_of_the_team_makes_it_unusable(self):
        for name, cause in CAUSES.items():
            if FAULTS[name].where not in ("any", "entry") or name in NOT_FOR_ENTRIES or name in SILENT:
                continue
            with self.subTest(fault=name):
                changed = {"not-found": "answered 404", "json-empty-object": "is_team is missing"}
                cause = changed.get(name, cause.removeprefix(r"entry \d+: "))
                self.check_fault(name, cause, path=ENTRY_URL)

    def test_a_fault_of_the_last_page_makes_it_unusable(self):
        last = (len(self.standin.registry.participants(VICTIM)) - 1) // PAGE_SIZE * PAGE_SIZE
        for name in ("truncated-json", "html-ok", "short-body", "wrong-name", "truncated-gzip", "not-found",
                     "redacted-is-valid"):
            with self.subTest(fault=name):
                self.check_fault(name, CAUSES[name], match=f"{PAGES_URL}?ws.size={PAGE_SIZE}&memo={last}&")

    def test_what_is_merely_unusual_does_not_disturb(self):
        for name, fault in FAULTS.items():
            if fault.real:
                continue
            with self.subTest(fault=name):
                self.standin.reset()
                self.standin.add_fault(name)
                for listing in self.fetch(VICTIM, OTHER, "kubuntu-members").values():
                    self.assert_usable(listing)
                    self.assertEqual(listing["retries"], 0)

    def test_an_empty_listing_is_left_to_others_to_hold(self):
        self.standin.add_fault("empty-team", match=PAGES_URL)
        listing = self.fetch(VICTIM)[VICTIM]
        self.assertTrue(listing["usable"])
        self.assertEqual((listing["people"], listing["total_size"]), ([], 0))

    def test_an_overlong_name_is_skipped_and_counted(self):
        self.standin.add_fault(SKIPPED, match=f"{PAGES_URL}?ws.size={PAGE_SIZE}", hits=[1])
        listing = self.fetch(VICTIM)[VICTIM]
        self.assertTrue(listing["usable"], listing["reason"])
        self.assertEqual(listing["overlong"], 1)
        self.assertEqual(len(listing["people"]), len(self.wanted_people(VICTIM)) - 1)
        self.standin.reset()
        self.check_fault(SKIPPED, "the answer is about ~aaa", path=ENTRY_URL)

    def test_pages_have_a_limit(self):
        self.assert_unusable(self.fetch(VICTIM, page_limit=2)[VICTIM], "there are more than 2 pages")
        self.assertEqual(self.standin.count(PAGES_URL), 2)


class Retries(FetchCase):
    def test_one_transient_fault_is_healed(self):
        for name in TRANSIENT:
            for where in ({"path": ENTRY_URL}, {"match": PAGES_URL}, {"match": f"&memo={PAGE_SIZE}&"}):
                with self.subTest(fault=name, **where):
                    self.standin.reset()
                    self.standin.add_fault(name, hits=[1], **where)
                    listings = self.fetch(VICTIM, OTHER)
                    self.assert_usable(listings[VICTIM])
                    self.assert_usable(listings[OTHER])
                    struck = [each for each in self.standin.log() if each["faults"]]
                    self.assertEqual(len(struck), 1)

    def test_silence_is_retried(self):
        self.standin.add_fault("hang", match=PAGES_URL, hits=[1])
        listing = self.fetch(VICTIM, timeout_ms=2000)[VICTIM]
        self.assert_usable(listing)
        self.assertGreaterEqual(listing["retries"], 1)

    def test_retries_are_counted(self):
        self.standin.add_fault("bad-gateway", match=PAGES_URL, hits=[1, 2, 3])
        listing = self.fetch(OTHER, VICTIM, retries=3, page_size=300)[VICTIM]
        self.assert_usable(listing)
        self.assertEqual((listing["requests"], listing["retries"]), (5, 3))
        self.standin.reset()
        self.standin.add_fault("bad-gateway", match=PAGES_URL)
        listing = self.fetch(VICTIM, retries=3)[VICTIM]
        self.assert_unusable(listing, "answered 502, tried 4 times$")
        self.assertEqual((listing["requests"], listing["retries"]), (5, 3))

    def test_what_is_wrong_is_asked_once(self):
        for name in ("not-found", "html-ok", "truncated-json", "redirect-same-host", "next-null", "wrong-name"):
            with self.subTest(fault=name):
                self.standin.reset()
                self.standin.add_fault(name, match=PAGES_URL)
                self.assert_unusable(self.fetch(VICTIM)[VICTIM], CAUSES[name])
                self.assertEqual(self.standin.count(PAGES_URL), 1)

    def test_retry_after_is_honoured(self):
        for name in ("unavailable-retry-after", "too-many-requests"):
            with self.subTest(fault=name):
                self.standin.reset()
                self.standin.add_fault(name, match=PAGES_URL, hits=[1], retry_after=1)
                self.assert_usable(self.fetch(VICTIM, page_size=300)[VICTIM])
                first, second = [each["time"] for each in self.standin.log() if PAGES_URL in each["path"]]
                self.assertGreater(second - first, 0.9)

    def test_a_long_retry_after_is_not_waited_for(self):
        self.standin.add_fault("unavailable-retry-after", match=PAGES_URL, hits=[1], retry_after=900)
        self.assert_unusable(self.fetch(VICTIM)[VICTIM], "Retry-After asks for 900 s, more than the 60 s we wait$")
        self.assertEqual(self.standin.count(PAGES_URL), 1)

    def test_a_retry_after_beyond_the_whole_time_is_not_waited_for(self):
        self.standin.add_fault("unavailable-retry-after", match=PAGES_URL, hits=[1], retry_after=30)
        self.assert_unusable(self.fetch(VICTIM, total_ms=25000)[VICTIM], "; no time is left to try again$")
        self.assertEqual(self.standin.count(PAGES_URL), 1)

    def test_a_table_that_moved_once_is_read_again(self):
        for name in ("total-changed", "duplicate-name"):
            with self.subTest(fault=name):
                self.standin.reset()
                self.standin.add_fault(name, match=f"{PAGES_URL}?ws.size={PAGE_SIZE}&memo={PAGE_SIZE}&", hits=[1])
                listing = self.fetch(VICTIM)[VICTIM]
                self.assert_usable(listing)
                self.assertEqual(listing["retries"], 0)
                first_page = f"{PAGES_URL}?ws.size={PAGE_SIZE}"
                asked = [each["path"] for each in self.standin.log()]
                self.assertEqual(asked.count(first_page), 2)
                self.assertEqual(asked.count(ENTRY_URL), 1)

    def test_a_table_that_keeps_moving_is_given_up(self):
        self.standin.add_fault("duplicate-name", match=PAGES_URL)
        listing = self.fetch(VICTIM)[VICTIM]
        self.assert_unusable(listing, CAUSES["duplicate-name"])
        self.assertEqual([each["path"] for each in self.standin.log()].count(f"{PAGES_URL}?ws.size={PAGE_SIZE}"), 3)


class Limits(FetchCase):
    def test_four_at_a_time_and_one_end_for_all(self):
        self.standin.add_fault("hang")
        listings = self.fetch(*SIX, total_ms=3000)
        self.assertEqual(len(self.standin.log()), 4)
        for listing in listings.values():
            self.assert_unusable(listing, "took longer than 3 s for all teams; 0 of 0 entries were read$")
        self.assertEqual([listing["requests"] for listing in listings.values()], [1, 1, 1, 1, 0, 0])

    def test_the_end_for_all_leaves_finished_teams_alone(self):
        self.standin.add_fault("hang", match=f"{PAGES_URL}?ws.size={PAGE_SIZE}&memo")
        listings = self.fetch(VICTIM, OTHER, total_ms=3000)
        self.assert_usable(listings[OTHER])
        self.assert_unusable(listings[VICTIM], r"took longer than 3 s for all teams; \d+ of \d+ entries were read$")

    def test_a_body_is_limited_after_decompression(self):
        listing = self.fetch(VICTIM, limit=20000)[VICTIM]
        self.assert_unusable(listing, "the answer is too large$")
        self.assertEqual(listing["retries"], 0)


class Addresses(FetchCase):
    def test_both_families_are_spoken(self):
        for host, family in (("127.0.0.1", "IPv4"), ("::1", "IPv6")):
            with self.subTest(host=host), LaunchpadStandIn(DATA, host=host) as standin:
                self.assert_usable(self.fetch(VICTIM, root=standin.root)[VICTIM], standin)
                self.assertEqual({each["family"] for each in standin.log()}, {family})

    def test_after_silence_the_other_family_is_tried(self):
        with LaunchpadStandIn(DATA, host="localhost") as standin:
            standin.add_fault("hang", match=PAGES_URL, hits=[1])
            listing = self.fetch(VICTIM, root=standin.root, timeout_ms=2000, page_size=300)[VICTIM]
            self.assert_usable(listing, standin)
            asked = [each for each in standin.log() if PAGES_URL in each["path"]]
            self.assertTrue(asked[0]["faults"])
            self.assertNotEqual(asked[0]["family"], asked[1]["family"])

    def test_a_name_with_both_families_of_which_one_is_closed(self):
        with LaunchpadStandIn(DATA, host="127.0.0.1") as standin:
            root = standin.root.replace("127.0.0.1", "localhost")
            # Links come back under the address, so the listing ends there; that it got so far is the point.
            listing = self.fetch(VICTIM, root=root)[VICTIM]
            self.assert_unusable(listing, "another host", root)
            self.assertEqual({each["family"] for each in standin.log()}, {"IPv4"})

    def test_a_root_that_refuses_connections(self):
        with bound_port() as port:
            root = f"http://127.0.0.1:{port}/1.0"
            for listing in self.fetch(*SIX, root=root, retries=2).values():
                self.assert_unusable(listing, "network error: .*, tried 3 times$", root)
                self.assertEqual(listing["retries"], 2)

    def test_a_root_that_cannot_be_resolved(self):
        root = "http://nowhere.invalid/1.0"
        listing = self.fetch(VICTIM, root=root, retries=0)[VICTIM]
        self.assert_unusable(listing, "network error: .*nowhere.invalid", root)

    def test_a_root_that_speaks_no_tls(self):
        root = self.standin.root.replace("http://", "https://")
        listing = self.fetch(VICTIM, root=root)[VICTIM]
        self.assert_unusable(listing, "TLS error: ", root)
        self.assertEqual(listing["retries"], 0)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed, so there is no certificate to refuse")
    def test_a_certificate_nobody_vouches_for(self):
        with tempfile.TemporaryDirectory() as folder, self.tls_server(folder) as port:
            root = f"https://127.0.0.1:{port}/1.0"
            self.assert_unusable(self.fetch(VICTIM, root=root)[VICTIM], "TLS error: .*certificate", root)

    @contextlib.contextmanager
    def tls_server(self, folder):
        """Greets one client with a certificate of its own making for the right address."""
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        def greet(listener):
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=greet, args=(listener,), daemon=True)
            thread.start()
            yield listener.getsockname()[1]
            thread.join(10)


class Progress(FetchCase):
    def test_each_page_is_reported(self):
        total = len(self.standin.registry.participants(VICTIM))
        hidden = sum(map(self.standin.registry.hidden, self.standin.registry.participants(VICTIM)))
        environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        done = subprocess.run([PROBE, self.standin.root, "--page-size", str(PAGE_SIZE), "--progress", VICTIM],
                              env=environment, capture_output=True, text=True, timeout=120, check=True)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), math.ceil(total / PAGE_SIZE))
        self.assertEqual(lines[-1], f"{VICTIM} {total - hidden} {total}")
        seen = [int(re.fullmatch(rf"{VICTIM} (\d+) {total}", line).group(1)) for line in lines]
        self.assertEqual(seen, sorted(set(seen)))


if __name__ == "__main__":
    tap.main()
