"""Holds the stand-in Launchpad to the truth: launchpadlib must take it for the real one.

The description (WADL) that launchpadlib carries says which keys each representation has; paging, tags, errors
and every scripted fault are looked at byte by byte with http.client.
"""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
import xml.etree.ElementTree
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, os.pardir, "lib")
sys.path.insert(0, LIB)

import launchpad_standin  # noqa: E402
import tap  # noqa: E402
from launchpad_standin import FAULTS, REDACTED, LaunchpadStandIn  # noqa: E402

try:
    import lazr.restfulclient.errors
    from launchpadlib.launchpad import Launchpad

    MISSING = None
except ImportError as error:
    MISSING = f"launchpadlib cannot be imported: {error}"

DATA = os.path.join(LIB, "ubuntu.json")
TEAM = "/1.0/~ubuntumembers"
PEOPLE = TEAM + "/participants"
WADL = "{http://research.sun.com/wadl/2006/10}"

# Keys of ours that the description lacks, and the other way round, each with its reason.
DIFFERENCES = {
    "id": "newer than the description of 2021; Launchpad sends it, redacted for nearly everybody",
    "social_accounts_collection_link": "newer than the description of 2021",
}
BOOLEANS = ("hide_email_addresses", "is_probationary", "is_team", "is_ubuntu_coc_signer", "is_valid", "private")
INTEGERS = ("karma", "total_size", "start")
NULLABLE_INTEGERS = ("default_membership_period", "default_renewal_period", "latitude", "longitude")
NULLABLE = ("archive_link", "date_expires", "date_joined", "description", "homepage_content", "last_change_comment",
            "last_changed_by_link", "team_description", "team_owner_link", "preferred_email_address_link")


class Reply:
    """What came back, read from the socket by somebody else than us."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        body = self.body
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        return json.loads(body)


def get(standin, target, method="GET", body=None, timeout=10, port=None, **headers):
    """Asks one question on a connection of its own; a target may be a whole URL."""
    target = target.removeprefix(standin.origin)
    host = "::1" if standin.host == "::1" else "127.0.0.1"
    connection = http.client.HTTPConnection(host, port or standin.port, timeout=timeout)
    try:
        connection.request(method, target, body, {key.replace("_", "-"): value for key, value in headers.items()})
        return Reply(connection.getresponse())
    finally:
        connection.close()


def pages(standin, target):
    """Follows the next links and gives all pages."""
    found = []
    while target is not None:
        found.append(get(standin, target).json())
        target = found[-1].get("next_collection_link")
    return found


def names(pages_or_page):
    several = pages_or_page if isinstance(pages_or_page, list) else [pages_or_page]
    return [entry["name"] for page in several for entry in page["entries"]]


class Case(unittest.TestCase):
    """A stand-in for each class, set back before each test."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.standin = LaunchpadStandIn(DATA, **cls.options).start()

    @classmethod
    def tearDownClass(cls):
        cls.standin.stop()

    def setUp(self):
        self.standin.reset()

    def get(self, target, **more):
        return get(self.standin, target, **more)


@unittest.skipIf(MISSING, MISSING)
class LaunchpadlibTest(Case):
    """The client library of Launchpad itself reads our answers."""

    options = {"page_size": 3}

    def setUp(self):
        super().setUp()
        self.cache = tempfile.TemporaryDirectory()
        self.addCleanup(self.cache.cleanup)
        self.lp = Launchpad.login_anonymously("stand-in test", self.standin.origin + "/", self.cache.name)

    def test_person(self):
        person = self.lp.people["bela-kovacs"]
        self.assertEqual("Béla Kovács", person.display_name)
        self.assertIs(False, person.is_team)
        self.assertIs(True, person.is_valid)
        self.assertEqual(951, person.karma)
        self.assertEqual(REDACTED, self.get("/1.0/~bela-kovacs").json()["preferred_email_address_link"])
        self.assertIsNone(person.team_owner)

    def test_dates(self):
        made = self.lp.people["ubuntumembers"].date_created
        self.assertEqual((2005, 184201), (made.year, made.microsecond))
        made = self.lp.people["ingrid"].date_created
        self.assertEqual((30, 0), (made.minute, made.microsecond), "no fraction when there is none")

    def test_markup_survives_the_escapes(self):
        self.assertEqual("Iker & Sons <smtp>", self.lp.people["iker"].display_name)
        self.assertNotRegex(self.get("/1.0/~iker").body, b"[&<>]")

    def test_team_and_owner(self):
        team = self.lp.people["ubuntumembers"]
        self.assertTrue(team.is_team)
        self.assertEqual("Restricted Team", team.membership_policy)
        self.assertEqual("ada-lindqvist", team.team_owner.name)

    def test_participants_in_pages_of_three(self):
        team = self.lp.people["ubuntumembers"]
        before = self.standin.count("participants")
        found = [person.name for person in team.participants]
        self.assertEqual(names(self.get(PEOPLE + "?ws.size=300").json()), found)
        self.assertEqual(14, self.standin.count("participants") - before - 1)
        self.assertEqual(len(found) + 1, len(team.participants), "one entry is hidden and counted")

    def test_participants_by_index(self):
        people = self.lp.people["lubuntu-members"].participants
        self.assertEqual([person.name for person in people][1:4], [person.name for person in people[1:4]])

    def test_members_are_direct(self):
        found = {person.name for person in self.lp.people["ubuntumembers"].members}
        self.assertIn("example-core-dev", found)
        self.assertNotIn("keiko", found)

    def test_other_collections(self):
        team = self.lp.people["ubuntumembers"]
        self.assertEqual(["ada-lindqvist"], [each.name for each in team.admins])
        self.assertEqual({"example-core-dev", "example-motu", "kubuntu-members", "edubuntu-members"},
                         {each.name for each in team.sub_teams})
        self.assertEqual({"example-core-dev", "example-motu", "ubuntumembers"},
                         {each.name for each in self.lp.people["keiko"].super_teams})
        for name in ("proposed_members", "invited_members", "expired_members", "deactivated_members"):
            self.assertEqual([], list(getattr(team, name)), name)
        self.assertEqual([], list(self.lp.people["keiko"].participants))

    def test_memberships(self):
        details = {each.member_link.split("~")[1]: each for each in self.lp.people["ubuntumembers"].members_details}
        self.assertEqual("Administrator", details["ada-lindqvist"].status)
        self.assertEqual("ingrid", details["ada-lindqvist"].last_changed_by.name)
        self.assertEqual(2031, details["ada-lindqvist"].date_expires.year)
        self.assertEqual("Approved", details["iker"].status)
        self.assertIsNone(details["iker"].date_expires)
        self.assertEqual({"ubuntumembers", "ubuntu-smtp-test"},
                         {each.team.name for each in self.lp.people["iker"].memberships_details})
        self.assertEqual("iker", self.lp.load(self.standin.root + "/~ubuntumembers/+member/iker").member.name)

    def test_named_operation(self):
        found = self.lp.people["ubuntumembers"].getMembersByStatus(status="Administrator")
        self.assertEqual(["ada-lindqvist"], [each.name for each in found])

    def test_nobody_is_not_found(self):
        for name in ("nobody-here", "example-hidden-council"):
            with self.assertRaises((KeyError, lazr.restfulclient.errors.NotFound)):
                self.lp.people[name].display_name
        with self.assertRaises(lazr.restfulclient.errors.NotFound):
            self.lp.load(self.standin.root + "/~nobody-here")

    def test_suspended_is_an_error(self):
        with self.assertRaises(lazr.restfulclient.errors.ClientError) as caught:
            self.lp.load(self.standin.root + "/~mallory-banned")
        self.assertEqual(410, caught.exception.response.status)

    def test_refresh_uses_the_tag(self):
        person = self.lp.people["keiko"]
        person.display_name
        self.standin.clear_log()
        person.lp_refresh()
        self.assertEqual([304], [record["status"] for record in self.standin.log()])
        self.standin.set_person("keiko", display_name="Keiko Changed")
        person.lp_refresh()
        self.assertEqual("Keiko Changed", person.display_name)


class Description:
    """Reads from the WADL which keys a representation has, and the values an enumerated one may take."""

    def __init__(self, document):
        self.keys = {}
        for part in xml.etree.ElementTree.fromstring(document).iter(WADL + "representation"):
            if part.get("id"):
                self.keys[part.get("id")] = {each.get("name"): each for each in part.findall(WADL + "param")}


@unittest.skipIf(MISSING, MISSING)
class DescriptionTest(Case):
    """Every representation has the keys and types of the description; DIFFERENCES explains what is left."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reply = get(cls.standin, "/1.0/", Accept="application/vnd.sun.wadl+xml")
        cls.document, cls.kind = reply.body, reply.headers["Content-Type"]
        cls.description = Description(cls.document)

    def check(self, value, representation, optional=()):
        declared = self.description.keys[representation]
        extra = set(value) - set(declared) - set(DIFFERENCES)
        missing = set(declared) - set(value) - set(optional)
        self.assertEqual((set(), set()), (extra, missing), representation)
        for key in set(value) & set(declared):
            self.check_type(key, value[key], declared[key])

    def check_type(self, key, value, parameter):
        options = [each.get("value") for each in parameter.findall(WADL + "option")]
        if key in BOOLEANS:
            self.assertIs(bool, type(value), key)
        elif key in INTEGERS:
            self.assertIs(int, type(value), key)
        elif key in NULLABLE_INTEGERS:
            self.assertTrue(value is None or type(value) is int, key)
        elif key == "entries":
            self.assertIs(list, type(value))
        elif value is None:
            self.assertIn(key, NULLABLE)
        else:
            self.assertIs(str, type(value), key)
            self.check_text(key, value, parameter, options)

    def check_text(self, key, value, parameter, options):
        if options:
            self.assertIn(value, options, key)
        if parameter.get("type") == "xsd:dateTime":
            self.assertRegex(value, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$", key)
        if key.endswith("_link") and value != REDACTED:
            self.assertRegex(value, "^http://", key)
        link = parameter.find(WADL + "link")
        if link is not None and key == "self_link":
            self.assertTrue(value.startswith(self.standin.root + "/"), value)

    def test_every_person_and_team(self):
        for name, fields in self.standin.registry.objects.items():
            if not fields.get("suspended") and not fields.get("private"):
                entry = self.get(f"/1.0/~{name}").json()
                kind = "team" if fields["is_team"] else "person"
                self.check(entry, f"{kind}-full")
                self.assertEqual(f"{self.standin.root}/#{kind}", entry["resource_type_link"])

    def test_every_key_of_the_table_is_needed(self):
        entry = self.get("/1.0/~keiko").json()
        for key in DIFFERENCES:
            self.assertIn(key, entry)
            self.assertNotIn(key, self.description.keys["person-full"])

    def test_entries_of_pages_are_full(self):
        for entry in self.get(PEOPLE + "?ws.size=300").json()["entries"]:
            self.check(entry, "team-full" if entry["is_team"] else "person-full")

    def test_memberships(self):
        for target in (TEAM + "/members_details", "/1.0/~iker/memberships_details"):
            for entry in self.get(target).json()["entries"]:
                self.check(entry, "team_membership-full")
                self.assertEqual(entry, self.get(entry["self_link"]).json())

    def test_pages(self):
        neighbours = ("entry_links", "next_collection_link", "prev_collection_link")
        for key in [key for key in self.get(TEAM).json() if key.endswith("_collection_link")]:
            page = self.get(self.get(TEAM).json()[key]).json()
            kind = page["resource_type_link"].split("#")[1].removesuffix("-resource")
            if key not in DIFFERENCES:
                self.check(page, kind, neighbours)
                declared = self.description.keys["team-full"][key].find(WADL + "link").get("resource_type")
                self.assertEqual(declared, page["resource_type_link"], key)

    def test_first_and_middle_page(self):
        self.check(self.get(PEOPLE + "?ws.size=5").json(), "person-page", ("entry_links", "prev_collection_link"))
        self.check(self.get(PEOPLE + "?ws.size=5&ws.start=5").json(), "person-page", ("entry_links",))

    def test_service_root(self):
        self.check(self.get("/1.0/").json(), "service-root-json")

    def test_email_address(self):
        header = oauth("reader-token", "reader-secret")
        link = self.get("/1.0/~bela-kovacs", Authorization=header).json()["preferred_email_address_link"]
        self.check(self.get(link, Authorization=header).json(), "email_address-full")

    def test_the_description_names_us(self):
        self.assertEqual("application/vnd.sun.wadl+xml", self.kind)
        self.assertIn(f'base="{self.standin.root}/"'.encode(), self.document)
        self.assertNotIn(b"api.launchpad", self.document)


class PagingTest(Case):
    def test_default_size_and_shape(self):
        page = self.get(PEOPLE).json()
        self.assertEqual((42, 0), (page["total_size"], page["start"]))
        self.assertEqual(41, len(page["entries"]))
        self.assertNotIn("next_collection_link", page)
        self.assertNotIn("prev_collection_link", page)

    def test_links_have_launchpads_shape(self):
        page = self.get(PEOPLE + "?ws.size=3").json()
        base = self.standin.root + "/~ubuntumembers/participants?ws.size=3"
        self.assertEqual(base + "&memo=3&ws.start=3", page["next_collection_link"])
        second = self.get(page["next_collection_link"]).json()
        self.assertEqual(base + "&direction=backwards&memo=3", second["prev_collection_link"])
        third = self.get(second["next_collection_link"]).json()
        self.assertEqual(base + "&direction=backwards&memo=6&ws.start=3", third["prev_collection_link"])
        self.assertEqual([0, 3, 6], [page["start"], second["start"], third["start"]])

    def test_forwards_and_backwards_agree(self):
        there = pages(self.standin, PEOPLE + "?ws.size=4")
        back, link = [there[-1]], there[-1]["prev_collection_link"]
        while link:
            back.insert(0, self.get(link).json())
            link = back[0].get("prev_collection_link")
        self.assertEqual([names(page) for page in there], [names(page) for page in back])
        self.assertEqual(names(self.get(PEOPLE).json()), names(there))

    def test_memo_decides_and_start_is_reported(self):
        everybody = self.get(PEOPLE).json()
        page = self.get(PEOPLE + "?ws.size=2&memo=4&ws.start=7").json()
        self.assertEqual((7, names(everybody)[4:6]), (page["start"], names(page)))

    def test_sizes(self):
        for size in ("0", "-3", "many", ""):
            self.assertEqual(41, len(self.get(PEOPLE + "?ws.size=" + size).json()["entries"]), size)
        self.assertEqual(200, self.get(PEOPLE + "?ws.size=300").status)
        reply = self.get(PEOPLE + "?ws.size=301")
        self.assertEqual(400, reply.status)
        self.assertRegex(reply.body, b'"ws.size".*300')
        self.assertEqual(400, self.get(PEOPLE + "?memo=x").status)

    def test_beyond_the_end(self):
        page = self.get(PEOPLE + "?ws.start=1000").json()
        self.assertEqual([], page["entries"])
        self.assertNotIn("next_collection_link", page)

    def test_other_keys_come_first(self):
        page = self.get(TEAM + "?ws.op=getMembersByStatus&status=Approved&ws.size=2").json()
        query = page["next_collection_link"].split("?")[1]
        self.assertEqual("status=Approved&ws.op=getMembersByStatus&ws.size=2&memo=2&ws.start=2", query)

    def test_hidden_entry_makes_a_page_short(self):
        for page in pages(self.standin, PEOPLE + "?ws.size=6"):
            self.assertEqual(42, page["total_size"])
        self.assertNotIn("example-hidden-council", names(pages(self.standin, PEOPLE)))
        self.assertIn("rosa", names(pages(self.standin, PEOPLE)), "whoever is below it is listed")

    def test_order(self):
        key = launchpad_standin.sort_key
        self.assertEqual("quentin th, q", key("_Quentin_ 7th", "q"))
        self.assertEqual(", 0x1234", key("1234", "0x1234"))
        entries = self.get(PEOPLE).json()["entries"]
        keys = [key(entry["display_name"], entry["name"]) for entry in entries]
        self.assertEqual(sorted(keys), keys)
        direct = [entry["member_link"].split("~")[1] for entry in self.get(TEAM + "/members_details").json()["entries"]]
        self.assertEqual([n for n in names(self.get(TEAM + "/members").json())], direct)

    def test_a_join_between_two_pages_shifts_them(self):
        first = self.get(PEOPLE + "?ws.size=5").json()
        self.standin.add_member("ubuntumembers", "aaa-first")
        second = self.get(first["next_collection_link"]).json()
        self.assertEqual(names(first)[-1], names(second)[0])
        self.assertEqual(first["total_size"] + 1, second["total_size"])

    def test_empty_team_and_circle(self):
        self.standin.add_team("nobody-in-it")
        page = self.get("/1.0/~nobody-in-it/participants").json()
        self.assertEqual((0, 0, []), (page["total_size"], page["start"], page["entries"]))
        self.standin.add_member("example-motu", "example-core-dev")
        self.assertNotIn("example-motu", names(self.get("/1.0/~example-motu/participants").json()))

    def test_large_team(self):
        with LaunchpadStandIn(launchpad_standin.make_large("crowd", 1000)) as crowd:
            found = names(pages(crowd, "/1.0/~crowd/participants?ws.size=300"))
        self.assertEqual((1000, 1000), (len(found), len(set(found))))


class AnswerTest(Case):
    def test_statuses(self):
        for target, status in {
            "/1.0/~nobody": 404, "/2.0/~keiko": 404, "/1.0/~keiko/nothing": 404, "/1.0/~mallory-banned": 410,
            "/1.0/~mallory-banned/members": 410, "/1.0/~keiko?ws.op=fly": 400, "/1.0/people/+me": 401, "/1.0": 200,
            "/devel/~keiko": 200, "/beta/~keiko": 200, "/1.0/~zed%2Ba.b-9": 200, "/1.0/~zed+a.b-9": 200,
            "/api/1.0/~keiko": 200,
        }.items():
            self.assertEqual(status, self.get(target).status, target)

    def test_not_found_is_text(self):
        reply = self.get("/1.0/~nobody")
        self.assertTrue(reply.headers["Content-Type"].startswith("text/plain"))
        self.assertRegex(reply.body.decode(), "^Object: <.*>, name: '~nobody'$")

    def test_upper_case_leads_to_another_host(self):
        reply = self.get("/1.0/~Keiko")
        self.assertEqual((301, self.standin.foreign_root + "/~keiko"), (reply.status, reply.headers["Location"]))
        self.assertNotEqual(self.standin.foreign_root, self.standin.origin)
        self.assertTrue(self.get("/~keiko").headers["Content-Type"].startswith("text/html"))

    def test_wrong_method(self):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            reply = self.get("/1.0/~keiko", method=method)
            self.assertEqual((405, True), (reply.status, "GET" in reply.headers["Allow"]))

    def test_head_has_no_body(self):
        reply = self.get("/1.0/~keiko", method="HEAD")
        self.assertEqual((200, b""), (reply.status, reply.body))

    def test_versions_stay_in_their_links(self):
        self.assertEqual(self.standin.origin + "/devel/~keiko", self.get("/devel/~keiko").json()["self_link"])
        self.assertEqual("Active", self.get("/devel/~keiko").json()["account_status"])
        self.assertNotIn("account_status", self.get("/1.0/~keiko").json())
        self.assertTrue(self.get("/api/1.0/~keiko").json()["self_link"].endswith("/api/1.0/~keiko"))

    def test_tags(self):
        reply = self.get("/1.0/~keiko")
        tag = reply.headers["ETag"]
        self.assertRegex(tag, '^"[0-9a-f]{40}-[0-9a-f]{40}"$')
        self.assertEqual(tag, reply.json()["http_etag"])
        packed = self.get("/1.0/~keiko", Accept_Encoding="gzip").headers["ETag"]
        self.assertEqual(tag[:-1] + '-gzip"', packed)
        for spelling in (tag, packed, tag + "-gzip"):
            again = self.get("/1.0/~keiko", If_None_Match=spelling)
            self.assertEqual((304, b""), (again.status, again.body))
        self.assertEqual(200, self.get("/1.0/~keiko", If_None_Match='"other"').status)
        self.standin.set_person("keiko", is_valid=False)
        self.assertEqual(200, self.get("/1.0/~keiko", If_None_Match=tag).status)
        self.assertIsNone(self.get(PEOPLE).headers["ETag"], "a collection has none")

    def test_gzip_only_when_offered(self):
        self.assertIsNone(self.get(PEOPLE).headers["Content-Encoding"])
        plain, packed = self.get(PEOPLE), self.get(PEOPLE, Accept_Encoding="deflate, gzip")
        self.assertEqual("gzip", packed.headers["Content-Encoding"])
        self.assertLess(len(packed.body), len(plain.body))
        self.assertEqual(plain.json(), packed.json())

    def test_openid_only_in_devel(self):
        identifier = self.standin.registry.objects["keiko"]["openid"]
        query = "people?ws.op=getByOpenIDIdentifier&identifier=" + urllib.parse.quote(
            "https://login.launchpad.net/+id/" + identifier)
        self.assertEqual("keiko", self.get("/devel/" + query).json()["name"])
        self.assertEqual("keiko", self.get("/devel/people?ws.op=getByOpenIDIdentifier&identifier=" + urllib.parse.quote(
            json.dumps("https://login.launchpad.net/+id/" + identifier))).json()["name"])
        self.assertIsNone(self.get("/devel/" + query + "x").json())
        self.assertEqual(400, self.get("/1.0/" + query).status)

    def test_logged_in_callers_see_shown_addresses(self):
        header = oauth("reader-token", "reader-secret")
        seen = self.get("/1.0/~bela-kovacs", Authorization=header).json()
        self.assertEqual(seen["self_link"] + "/+email/bela@kovacs.example", seen["preferred_email_address_link"])
        self.assertEqual(REDACTED, self.get("/1.0/~keiko", Authorization=header).json()["preferred_email_address_link"])
        self.assertEqual(401, self.get("/1.0/~keiko", Authorization=oauth("reader-token", "wrong")).status)
        self.assertEqual(200, self.get("/1.0/~keiko", Authorization=oauth("", "")).status)
        self.assertEqual(303, self.get("/1.0/people/+me", Authorization=header).status)

    def test_keep_alive(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.standin.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", "/1.0/~keiko")
        connection.getresponse().read()
        first = connection.sock
        connection.request("GET", "/1.0/~nobody")
        connection.getresponse().read()
        self.assertIs(first, connection.sock)


def oauth(token, secret):
    return (f'OAuth realm="https://api.launchpad.net/", oauth_consumer_key="t", oauth_token="{token}", '
            f'oauth_signature_method="PLAINTEXT", oauth_signature="%26{secret}"')


class ControlTest(Case):
    def control(self, command, /, **arguments):
        reply = self.get("/+standin/" + command, method="POST", body=json.dumps(arguments))
        self.assertEqual(200, reply.status, reply.body)
        return reply.json()["result"]

    def test_members_come_and_go(self):
        self.control("add-member", team="ubuntumembers", name="newcomer", admin=True)
        self.assertIn("newcomer", names(self.get(PEOPLE).json()))
        self.assertIn("newcomer", names(self.get(TEAM + "/admins").json()))
        self.control("remove-member", team="ubuntumembers", name="newcomer")
        self.assertNotIn("newcomer", names(self.get(PEOPLE).json()))
        self.assertEqual("newcomer", self.get("/1.0/~newcomer").json()["name"])

    def test_fields(self):
        self.get(PEOPLE)
        self.control("set-person", name="wren", is_valid=False, is_ubuntu_coc_signer=False,
                     date_created="2001-01-01T00:00:00+00:00")
        entry = next(each for each in self.get(PEOPLE).json()["entries"] if each["name"] == "wren")
        self.assertEqual((False, False, "2001-01-01T00:00:00+00:00"),
                         (entry["is_valid"], entry["is_ubuntu_coc_signer"], entry["date_created"]))

    def test_rename_keeps_the_person(self):
        before = self.get("/1.0/~wren").json()
        self.control("rename", name="wren", new="jenny-wren")
        self.assertEqual(404, self.get("/1.0/~wren").status)
        self.assertEqual(before["date_created"], self.get("/1.0/~jenny-wren").json()["date_created"])
        self.assertIn("jenny-wren", names(self.get(PEOPLE).json()))
        self.control("rename", name="example-motu", new="example-universe")
        self.assertIn("keiko", names(self.get("/1.0/~example-universe/members").json()))
        self.assertIn("keiko", names(self.get(PEOPLE).json()))

    def test_reused_name_is_somebody_else(self):
        self.control("rename", name="wren", new="jenny-wren")
        self.control("add-person", name="wren", date_created="2024-01-01T00:00:00+00:00")
        self.assertEqual("2024-01-01T00:00:00+00:00", self.get("/1.0/~wren").json()["date_created"])

    def test_removal_and_reset(self):
        self.control("remove-person", name="wren")
        self.assertNotIn("wren", names(self.get(PEOPLE).json()))
        self.control("add-fault", name="server-error")
        self.control("reset")
        self.assertIn("wren", names(self.get(PEOPLE).json()))

    def test_log(self):
        self.get(PEOPLE, User_Agent="tester/1", Accept_Encoding="gzip")
        self.get("/1.0/~nobody")
        log = self.control("log")
        self.assertEqual([PEOPLE, "/1.0/~nobody"], [record["path"] for record in log])
        self.assertEqual(["GET", "tester/1", "gzip", "IPv4", 200],
                         [log[0][key] for key in ("method", "user_agent", "accept_encoding", "family", "status")])
        self.assertEqual(404, log[1]["status"])
        self.assertEqual(1, self.control("count", match="participants"))
        self.assertEqual(2, self.control("wait-for", count=2))
        self.control("clear-log")
        self.assertEqual(0, self.control("count"))

    def test_mistakes_are_told(self):
        for name, arguments in (("rename", {"name": "no-such", "new": "x"}), ("add-fault", {"name": "no-such"}),
                                ("add-member", {"team": "keiko", "name": "x"}), ("add-member", {})):
            reply = self.get("/+standin/" + name, method="POST", body=json.dumps(arguments))
            self.assertEqual(400, reply.status, name)
        self.assertEqual(404, self.get("/+standin/stop", method="POST").status)

    def test_fault_names(self):
        self.assertEqual(set(FAULTS), set(self.control("fault-names")))


# Pages of three, asked for the second page of the listing, show every fault its full effect.
SECOND = PEOPLE + "?ws.size=3&memo=3&ws.start=3"
SMALL = {"gzip-bomb": {"size": 4 << 20}, "oversized-body": {"size": 4 << 20}, "huge-header": {"size": 1 << 20},
         "trickle": {"delay": 5}, "deep-json": {"depth": 20000}}
SILENT = ("hang", "hang-after-headers", "trickle")
BROKEN = (OSError, http.client.HTTPException, ValueError, zlib.error, EOFError, RecursionError)


def unusable(reply, root, page_before):
    """Says why a careful reader would refuse this as the second page of three; None when it would not."""
    if reply.status != 200:
        return f"status {reply.status}"
    page = reply.json()
    if not isinstance(page, dict) or type(page.get("total_size")) is not int or type(page.get("start")) is not int:
        return "no page object"
    if page["total_size"] != page_before["total_size"] or not isinstance(page.get("entries"), list):
        return "no good total or entries"
    link = page.get("next_collection_link")
    path = re.escape(root) + r"/~ubuntumembers/participants\?[!-~]*"
    if not isinstance(link, str) or not re.fullmatch(path, link) or link.endswith(SECOND):
        return "no good next link"
    return unusable_entries(page, names(page_before))


def unusable_entries(page, names_before):
    for entry in page["entries"]:
        if not isinstance(entry, dict):
            return "an entry that is none"
        flags = [type(entry.get(key)) for key in ("is_team", "is_valid", "is_ubuntu_coc_signer")]
        texts = [type(entry.get(key)) for key in ("name", "date_created")]
        if flags + texts != [bool, bool, bool, str, str]:
            return "a field of a wrong type"
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]{0,200}", entry["name"]) or entry["name"] in names_before:
            return "a name that is not legal or was there before"
        if not re.match(r"\d{4}-\d\d-\d\dT", entry["date_created"]):
            return "no date"
    return None if page["entries"] else "no entries"


# Real faults that the second page alone does not show; each of them has a test of its own.
SEEN_BY_OTHER_MEANS = {"endless-pages", "next-loop", "escaped-nul", "lone-surrogate"}


class FaultTest(Case):
    options = {"page_size": 3}

    def setUp(self):
        super().setUp()
        self.first = self.get(PEOPLE).json()
        self.second = self.get(SECOND).json()

    def ask(self, name):
        """One question under a fault; what a reader makes of it, as text, or None when all is well."""
        offered = {} if name == "never-gzip" else {"Accept_Encoding": "gzip"}
        try:
            reply = self.get(SECOND, timeout=0.3 if name in SILENT else 10, **offered)
            if name == "endless-body":
                return "read to its end"
            return unusable(reply, self.standin.root, self.first)
        except BROKEN as error:
            return f"{type(error).__name__}: {error}"

    def test_every_fault_shows_and_every_variation_does_not(self):
        for name, each in FAULTS.items():
            if name == "endless-body":
                continue
            with self.subTest(name):
                self.standin.clear_faults()
                self.standin.add_fault(name, match="participants", **SMALL.get(name, {}))
                found = self.ask(name)
                self.assertEqual([name], self.standin.log()[-1]["faults"])
                self.standin.clear_faults()
                if name not in SEEN_BY_OTHER_MEANS and name != "hidden-entries":
                    self.assertEqual(each.real, found is not None, f"{name}: {found}")
                self.assertIsNone(self.ask("none"), "all is well again")

    def test_odd_characters(self):
        """Python reads these two; a stricter reader does not."""
        for name, start in (("escaped-nul", "\0"), ("lone-surrogate", "\ud800")):
            self.standin.clear_faults()
            self.standin.add_fault(name)
            self.assertTrue(self.get(SECOND).json()["entries"][0]["display_name"].startswith(start))

    def last_page(self):
        return PEOPLE + "?ws.size=3&memo=39&ws.start=39"

    def test_table(self):
        for name, each in FAULTS.items():
            self.assertRegex(name, "^[a-z0-9]+(-[a-z0-9]+)*$")
            self.assertTrue(each.text and each.kind in ("fault", "hold", "logged-in", "benign"))
            self.assertEqual(each.kind in ("fault", "hold"), each.real)
            self.assertIn(each.where, ("any", "page", "later-page", "entry"))

    def test_hits_are_counted_for_each_fault(self):
        self.standin.add_fault("server-error", match="keiko", hits=[2, 4])
        self.standin.add_fault("gone", path="/1.0/~iker", hits=1)
        self.assertEqual([200, 500, 200, 500, 200], [self.get("/1.0/~keiko").status for _ in range(5)])
        self.assertEqual([410, 200], [self.get("/1.0/~iker").status for _ in range(2)])

    def test_path_matches_exactly(self):
        self.standin.add_fault("server-error", path=TEAM)
        self.assertEqual([500, 200], [self.get(TEAM).status, self.get(PEOPLE).status])
        self.standin.add_fault("bad-gateway", path=SECOND)
        self.assertEqual([200, 502], [self.get(PEOPLE).status, self.get(SECOND).status])

    def test_retry_after(self):
        for name, status in (("unavailable-retry-after", 503), ("too-many-requests", 429)):
            self.standin.clear_faults()
            self.standin.add_fault(name, retry_after=7)
            reply = self.get(PEOPLE)
            self.assertEqual((status, "7"), (reply.status, reply.headers["Retry-After"]))

    def test_unavailable_without_retry_after(self):
        self.standin.add_fault("unavailable-html", hits=1)
        self.standin.add_fault("unavailable-timeout", hits=2)
        first, second = self.get(PEOPLE), self.get(PEOPLE)
        self.assertEqual(["text/html;charset=utf-8", None], [first.headers[k] for k in ("Content-Type", "Retry-After")])
        self.assertEqual((503, b"RequestExpired", None), (second.status, second.body, second.headers["Retry-After"]))
        self.assertTrue(second.headers["X-Lazr-OopsId"].startswith("OOPS-"))

    def test_challenge(self):
        self.standin.add_fault("unauthorized")
        self.assertTrue(self.get(PEOPLE).headers["WWW-Authenticate"].startswith("OAuth realm="))

    def test_foreign_links_lead_somewhere(self):
        """A client that follows them would be served, and the log would tell on it."""
        self.standin.add_fault("next-foreign-host", hits=1)
        link = urllib.parse.urlsplit(self.get(PEOPLE).json()["next_collection_link"])
        self.assertNotEqual(urllib.parse.urlsplit(self.standin.root).hostname, link.hostname)
        self.standin.clear_faults()
        self.standin.add_fault("next-other-port", hits=1)
        link = urllib.parse.urlsplit(self.get(PEOPLE).json()["next_collection_link"])
        self.assertNotEqual(self.standin.port, link.port)
        reply = self.get(f"{link.path}?{link.query}", port=link.port)
        self.assertEqual((200, link.port), (reply.status, self.standin.log()[-1]["port"]))

    def test_total_changes_on_the_second_page_only(self):
        self.standin.add_fault("total-changed")
        self.assertEqual(self.first, self.get(PEOPLE).json())
        self.assertEqual(self.first["total_size"] + 1, self.get(SECOND).json()["total_size"])

    def test_duplicate_stands_on_both_pages(self):
        self.standin.add_fault("duplicate-name")
        self.assertEqual(names(self.get(PEOPLE).json())[-1], names(self.get(SECOND).json())[0])

    def test_field_faults_hit_the_one_named(self):
        self.standin.add_fault("redacted-is-valid", person="anouk-d")
        values = {entry["name"]: entry["is_valid"] for entry in self.get(SECOND).json()["entries"]}
        self.assertEqual(REDACTED, values.pop("anouk-d"))
        self.assertEqual({True}, set(values.values()))
        self.assertEqual(REDACTED, self.get("/1.0/~anouk-d").json()["is_valid"])

    def test_endless_pages_go_on(self):
        for name, fresh in (("endless-pages", True), ("endless-empty-pages", False)):
            self.standin.clear_faults()
            self.standin.add_fault(name)
            seen, target = [], PEOPLE + "?ws.size=20"
            for _ in range(9):
                page = self.get(target).json()
                seen += names(page)
                target = page["next_collection_link"]
            self.assertEqual(len(seen), len(set(seen)))
            self.assertEqual(fresh, len(seen) > 42)

    def test_loops_close(self):
        self.standin.add_fault("next-self")
        self.assertEqual(self.standin.origin + SECOND, self.get(SECOND).json()["next_collection_link"])
        self.standin.clear_faults()
        self.standin.add_fault("next-loop")
        self.assertEqual(self.standin.origin + PEOPLE, self.get(self.last_page()).json()["next_collection_link"])

    def test_endless_body_goes_on(self):
        self.standin.add_fault("endless-body")
        with socket.create_connection(("127.0.0.1", self.standin.port), timeout=10) as client:
            client.sendall(f"GET {PEOPLE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            read = 0
            while read < 8 << 20:
                read += len(client.recv(1 << 20))

    def test_bomb_is_small_and_unpacks_large(self):
        self.standin.add_fault("gzip-bomb", size=16 << 20)
        reply = self.get(PEOPLE)
        self.assertEqual("gzip", reply.headers["Content-Encoding"])
        self.assertLess(len(reply.body), 100000)
        self.assertGreater(len(gzip.decompress(reply.body)), 16 << 20)

    def test_refused_until_cleared(self):
        self.standin.add_fault("connection-refused")
        with self.assertRaises(ConnectionError):
            self.get(PEOPLE)
        with self.assertRaises(ConnectionRefusedError):
            self.get(PEOPLE)
        control = int(self.standin.control_root.rsplit(":", 1)[1])
        self.assertEqual(200, self.get("/+standin/clear-faults", method="POST", port=control).status)
        self.assertEqual(200, self.get(PEOPLE).status)

    def test_reset_is_a_reset(self):
        self.standin.add_fault("connection-reset")
        with self.assertRaises(ConnectionResetError):
            self.get(PEOPLE)
        self.standin.clear_faults()
        self.standin.add_fault("connection-closed")
        with self.assertRaises(http.client.RemoteDisconnected):
            self.get(PEOPLE)

    def test_stop_ends_a_hanging_request(self):
        other = LaunchpadStandIn(DATA).start()
        other.add_fault("hang")
        ended = threading.Event()

        def ask():
            try:
                get(other, PEOPLE)
            except OSError:
                ended.set()

        thread = threading.Thread(target=ask)
        thread.start()
        self.assertEqual(1, other.wait_for(1))
        other.stop()
        thread.join(10)
        self.assertTrue(ended.is_set())


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


class HostTest(unittest.TestCase):
    @unittest.skipUnless(has_ipv6(), "no IPv6 on the loopback")
    def test_ipv6(self):
        with LaunchpadStandIn(DATA, host="::1") as standin:
            self.assertEqual(f"http://[::1]:{standin.port}/1.0", standin.root)
            link = get(standin, PEOPLE + "?ws.size=2").json()["next_collection_link"]
            self.assertTrue(link.startswith(standin.root + "/"))
            self.assertEqual("IPv6", standin.log()[0]["family"])

    @unittest.skipUnless(has_ipv6(), "no IPv6 on the loopback")
    def test_both_families(self):
        with LaunchpadStandIn(DATA, host="localhost") as standin:
            for address in ("127.0.0.1", "::1"):
                connection = http.client.HTTPConnection(address, standin.port, timeout=10)
                connection.request("GET", "/1.0/~keiko")
                self.assertEqual(200, connection.getresponse().status)
                connection.close()
            self.assertEqual(["IPv4", "IPv6"], [record["family"] for record in standin.log()])

    def test_loopback_only(self):
        with self.assertRaises(ValueError):
            LaunchpadStandIn(DATA, host="0.0.0.0")


class ProgramTest(unittest.TestCase):
    def run_program(self, *arguments):
        program = subprocess.Popen([sys.executable, os.path.join(LIB, "launchpad_standin.py"), *arguments],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program, program.stdout.readline().strip()

    def ask(self, root, target):
        address = urllib.parse.urlsplit(root)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("GET", target)
        return Reply(connection.getresponse())

    def test_one_line_and_an_orderly_end(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            program, root = self.run_program("--data", DATA, "--page-size", "4")
            self.assertRegex(root, r"^http://127\.0\.0\.1:\d+/1\.0$")
            self.assertEqual(4, len(self.ask(root, PEOPLE).json()["entries"]))
            program.send_signal(number)
            self.assertEqual("", program.stdout.read())
            self.assertEqual(0, program.wait(10))

    def test_generated_members_and_ready_file(self):
        with tempfile.TemporaryDirectory() as folder:
            ready = os.path.join(folder, "ready")
            _, root = self.run_program("--generate-members", "500", "--team", "crowd", "--ready-file", ready)
            self.assertEqual(500, self.ask(root, "/1.0/~crowd/participants").json()["total_size"])
            with open(ready, encoding="utf-8") as file:
                first, second = file.read().split()
        self.assertEqual(root, first)
        self.assertEqual(200, self.ask(second, "/+standin/log").status)


if __name__ == "__main__":
    tap.main()
