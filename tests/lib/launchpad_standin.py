#!/usr/bin/python3
"""A stand-in for the Launchpad web service: people, teams, paging and every fault a client must survive.

As a class:

    standin = LaunchpadStandIn("tests/lib/ubuntu.json", host="127.0.0.1", port=0, page_size=75)
    standin.start()            # also a context manager: with LaunchpadStandIn(...) as standin:
    standin.root               # "http://127.0.0.1:PORT/1.0"; hosts: 127.0.0.1, ::1, localhost (both)
    standin.control_root       # the same service on a second port; stays open when the first one is refused
    standin.stop()

As a program (one line on stdout, the root, when it listens; ends on SIGTERM and SIGINT):

    /usr/bin/python3 launchpad_standin.py --data FILE [--host H] [--port N] [--page-size N] [--ready-file F]
    /usr/bin/python3 launchpad_standin.py --generate-members N [--team NAME] ...
    # the ready file gets the root on its first line and the control root on its second

Data is a dict or a JSON file with "people": {name: {field: value}}, "teams": {name: {field: value,
"members": [names], "admins": [names], "details": {name: {membership field: value}}}}
and "tokens": {token: {"secret": s, "person": name}} for OAuth, with "consumer" (its key; any if not given) and
"consumer_secret" (empty if not given).
A field is any key of an entry (is_valid, date_created, ...), or "email", "openid", "suspended" (410).
What is not given gets a sensible value: is_valid true, is_ubuntu_coc_signer true for people, a fixed
date_created of its own. A team with "private": true is counted in total_size and never listed.
make_large(team, n) builds data with n people.

Methods, and the same over HTTP as POST /+standin/<method-with-hyphens> with the arguments as a JSON object;
the reply is {"result": ...}, a mistake is 400 with the reason as text:

    add_member(team, name, admin=False, **details)     remove_member(team, name)
    add_person(name, **fields)   add_team(name, members=[], admins=[], **fields)   remove_person(name)
    set_person(name, **fields)   (people and teams)    rename(name, new)
    add_fault(name, match="", path=None, hits="always", **args) -> id      clear_faults()
    log() -> list of requests    count(match="") -> int    clear_log()     wait_for(count, match="", timeout=10)
    fault_names() -> {name: {"text", "kind", "real", "where"}}             reset()   (data, faults and log)

A request in the log: method, path (with query), user_agent, accept_encoding, if_none_match, authorization
(bool), oauth (its parameters but for the signature), host, port, family ("IPv4", "IPv6"), time, status (None until answered), faults (those that hit).
Requests under /+standin/ are never logged and never hit by a fault.

A fault is chosen by `match`, a substring of path and query, or by `path`, which equals the path alone or path
and query. `hits` is "always", one number or a list of numbers; the first matching request is hit 1, and each
fault counts for itself. FAULTS names them all: kind is "fault" (a refresh must call the listing unusable),
"hold" (well-formed, but the losses it shows must not be applied), "logged-in" (a "fault" for a refresh with
credentials, which nobody else may notice) or "benign" (a refresh must succeed); `real` means "fault" or "hold".
`where` says what it can act upon: "any" answer, a "page", a "later-page" (start > 0; a listing of one page is
left alone), an "entry" (one entry, or within a page the one named by the argument `person`, else the first).
Script "always" to see a fault outlive the retries, or hits=[1] to see that a retry heals it.

Redirects and foreign links lead to `foreign_root`, another name of this very server: a client that follows
them gets a good answer, and the log shows it by `host` or `port`.
"""

import argparse
import base64
import collections
import functools
import gzip
import hashlib
import http.server
import json
import os
import re
import select
import signal
import socket
import socketserver
import struct
import sys
import threading
import time
import urllib.parse
import zlib

REDACTED = "tag:launchpad.net:2008:redacted"
VERSIONS = ("1.0", "devel", "beta")
MAXIMUM_SIZE = 300
JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain;charset=utf-8"
HTML_TYPE = "text/html;charset=utf-8"
# The second spelling is an old mistake that the service still understands.
WADL_TYPES = ("application/vnd.sun.wadl+xml", "application/vd.sun.wadl+xml")
WADL_BASE = "https://api.launchpad.test/1.0/"
# What devel describes more of people, written behind the description of their GET.
WADL_PEOPLE_END = '<wadl:representation mediaType="application/vnd.sun.wadl+xml" id="people-wadl"/>\n' \
                  "        </wadl:response>\n      </wadl:method>\n"
WADL_BY_OPENID = f"""\
      <wadl:method id="people-getByOpenIDIdentifier" name="GET">
        <wadl:request>
          <wadl:param style="query" name="ws.op" required="true" fixed="getByOpenIDIdentifier"/>
          <wadl:param style="query" name="identifier" required="true"/>
        </wadl:request>
        <wadl:response>
          <wadl:representation href="{WADL_BASE}#person-full"/>
        </wadl:response>
      </wadl:method>
"""
REVISION = hashlib.sha1(b"stand-in").hexdigest()

# Collections of a person that are always empty here, with the type of entry they would hold.
EMPTY_COLLECTIONS = {
    "deactivated_members": "person",
    "expired_members": "person",
    "gpg_keys": "gpg_key",
    "invited_members": "person",
    "irc_nicknames": "irc_id",
    "jabber_ids": "jabber_id",
    "languages": "language",
    "open_membership_invitations": "team_membership",
    "ppas": "archive",
    "proposed_members": "person",
    "recipes": "source_package_recipe",
    "social_accounts": "social_account",
    "sshkeys": "ssh_key",
    "wiki_names": "wiki_name",
}
FULL_COLLECTIONS = {
    "admins": "person",
    "confirmed_email_addresses": "email_address",
    "members": "person",
    "members_details": "team_membership",
    "memberships_details": "team_membership",
    "participants": "person",
    "sub_teams": "team",
    "super_teams": "team",
}
COLLECTIONS = {**EMPTY_COLLECTIONS, **FULL_COLLECTIONS}
COLLECTION_LINKS = [(f"{name}_collection_link", f"/{name}") for name in COLLECTIONS]

# Links of the service root; the ones that lead somewhere here are "people" and "me".
ROOT_COLLECTIONS = (
    "archives branches bug_trackers bugs builders charm_bases charm_recipes countries cves distributions "
    "git_repositories languages livefses packagesets people polls processors project_groups projects questions "
    "snap_bases snappy_serieses snaps specifications temporary_blobs translation_groups "
    "translation_import_queue_entries"
).split()

# One way of being asked: links start with `base`, and a logged-in caller sees more.
View = collections.namedtuple("View", "base web version logged_in")


def encode(value):
    """Writes JSON as the service does: ASCII only, and no character that HTML could take for markup."""
    plain = json.dumps(value)
    return plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e").encode()


def sort_key(display_name, name):
    """Gives the key by which Launchpad orders people: letters and spaces of the display name, then the name."""
    letters = re.sub(r"[^\w\s]|[\d_]", "", display_name.lower())
    return f"{letters.strip()}, {name}"


def find_wadl():
    """Finds the description of the service that python3-launchpadlib brings along; None when it is absent."""
    for folder in sys.path + ["/usr/lib/python3/dist-packages"]:
        path = os.path.join(folder, "launchpadlib", "testing", "launchpad-wadl.xml")
        if os.path.exists(path):
            return path
    return None


def make_large(team, n):
    """Builds data with one team of n generated people; the same n always gives the same people."""
    given = ("Ada", "Béla", "Chidi", "Dörte", "Émile", "Farah", "Goran", "Hà", "Ingrid", "Jonas", "Keiko", "Łucja")
    people = {
        f"member-{i:06d}": {"display_name": f"{given[i % len(given)]} Generated {i:06d}", "karma": i % 500 + 1}
        for i in range(n)
    }
    return {
        "people": people,
        "teams": {team: {"display_name": f"Generated {team}", "members": list(people)}},
    }


class Registry:
    """The people, the teams, and who is a direct member of what. Knows nothing of HTTP."""

    def __init__(self, data):
        self.objects = {}
        self.members = {}
        self.parents = collections.defaultdict(set)
        self.tokens = dict(data.get("tokens", {}))
        self._sorted = {}
        for name, fields in data.get("people", {}).items():
            self.add(name, is_team=False, **fields)
        for name, fields in data.get("teams", {}).items():
            fields = {key: value for key, value in fields.items() if key not in ("members", "admins", "details")}
            self.add(name, is_team=True, **fields)
        for team, fields in data.get("teams", {}).items():
            for member in fields.get("members", []):
                self.join(team, member)
            for member in fields.get("admins", []):
                self.join(team, member, status="Administrator")
            for member, details in fields.get("details", {}).items():
                self.need_team(team)[member].update(details)

    def add(self, name, is_team, **fields):
        """Makes a person or a team; date and identifier are fixed now, so that they outlive a rename."""
        if name in self.objects:
            raise ValueError(f"{name} is there already")
        seed = zlib.crc32(name.encode())
        made = {
            "display_name": name.replace("-", " ").title(),
            "date_created": f"{2005 + seed % 18}-{1 + seed % 12:02d}-{1 + seed % 28:02d}T{seed % 24:02d}:"
                            f"{seed % 60:02d}:{seed // 60 % 60:02d}.{1 + seed % 999999:06d}+00:00",
            "openid": base64.b32encode(struct.pack(">I", seed)).decode().rstrip("="),
            "email": None if is_team else f"{name.strip('.').replace('..', '.')}@people.example",
        }
        made.update(fields, is_team=is_team)
        self.objects[name] = made
        if is_team:
            self.members[name] = {}
        self.changed()

    def changed(self):
        """Forgets every computed listing; each change calls it."""
        self._sorted.clear()

    def need(self, name):
        if name not in self.objects:
            raise ValueError(f"no such person or team: {name}")
        return self.objects[name]

    def need_team(self, name):
        if name not in self.members:
            raise ValueError(f"no such team: {name}")
        return self.members[name]

    def join(self, team, name, status="Approved", **details):
        self.need(name)
        self.need_team(team)[name] = {"status": status, **details}
        self.parents[name].add(team)
        self.changed()

    def leave(self, team, name):
        if self.need_team(team).pop(name, None) is None:
            raise ValueError(f"{name} is not a member of {team}")
        self.parents[name].discard(team)
        self.changed()

    def remove(self, name):
        self.need(name)
        for team in list(self.parents[name]):
            self.leave(team, name)
        for member in list(self.members.get(name, ())):
            self.leave(name, member)
        self.members.pop(name, None)
        del self.objects[name]
        self.changed()

    def rename(self, name, new):
        """Gives a person another name; nothing of the old one stays behind, as on Launchpad."""
        fields = self.need(name)
        if new in self.objects:
            raise ValueError(f"{new} is there already")
        self.objects[new] = fields
        del self.objects[name]
        for team in self.parents.pop(name, set()):
            self.members[team][new] = self.members[team].pop(name)
            self.parents[new].add(team)
        if name in self.members:
            self.members[new] = self.members.pop(name)
            for member in self.members[new]:
                self.parents[member].discard(name)
                self.parents[member].add(new)
        self.changed()

    def hidden(self, name):
        fields = self.objects[name]
        return bool(fields.get("private")) and fields["is_team"]

    def in_order(self, names):
        return sorted(names, key=lambda name: sort_key(self.objects[name]["display_name"], name))

    def participants(self, team):
        """Everybody below a team, directly or through sub-teams, sub-teams included; a circle does no harm."""
        found, waiting = set(), [team]
        while waiting:
            for member in self.members.get(waiting.pop(), ()):
                if member not in found and member != team:
                    found.add(member)
                    if member in self.members:
                        waiting.append(member)
        return found

    def super_teams(self, name):
        found, waiting = set(), [name]
        while waiting:
            for team in self.parents.get(waiting.pop(), ()):
                if team not in found and team != name:
                    found.add(team)
                    waiting.append(team)
        return found

    def listing(self, name, collection):
        """Gives the sorted names of a collection of people or teams, remembered until something changes."""
        key = (name, collection)
        if key not in self._sorted:
            self._sorted[key] = self.in_order(self._names(name, collection))
        return self._sorted[key]

    def _names(self, name, collection):
        direct = self.members.get(name, {})
        if collection == "participants":
            return self.participants(name)
        if collection == "sub_teams":
            return [each for each in self.participants(name) if each in self.members]
        if collection == "super_teams":
            return self.super_teams(name)
        if collection == "admins":
            return [each for each, details in direct.items() if details["status"] == "Administrator"]
        if collection == "memberships_details":
            return self.parents.get(name, ())
        return direct

    # -- entries ----------------------------------------------------------------------------------------------

    def entry(self, name, view):
        """Builds the full representation of a person or a team as this caller may see it."""
        fields = self.objects[name]
        link = f"{view.base}/~{name}"
        kind = "team" if fields["is_team"] else "person"
        entry = {
            "self_link": link,
            "web_link": f"{view.web}~{name}",
            "resource_type_link": f"{view.base}/#{kind}",
            "id": REDACTED,
            "name": name,
            "preferred_email_address_link": self._email_link(name, link, view),
            "team_owner_link": self._owner_link(name, view) if fields["is_team"] else None,
            "archive_link": None,
            "logo_link": f"{link}/logo",
            "mugshot_link": f"{link}/mugshot",
        }
        for key, default in self._defaults(fields).items():
            entry[key] = fields.get(key, default)
        for key, collection in COLLECTION_LINKS:
            entry[key] = link + collection
        if view.version == "devel":
            entry["account_status"] = fields.get("account_status", "Active")
            entry["account_status_history"] = REDACTED
        entry["http_etag"] = etag_of(entry)
        return entry

    @staticmethod
    def _defaults(fields):
        team = fields["is_team"]
        defaults = {
            "display_name": fields["display_name"],
            "is_team": team,
            "is_valid": True,
            "is_ubuntu_coc_signer": not team,
            "is_probationary": not team and fields.get("karma", 100) == 0,
            "karma": 0 if team else 100,
            "private": False,
            "visibility": "Private" if fields.get("private") else "Public",
            "date_created": fields["date_created"],
            "hide_email_addresses": True,
            "description": None,
            "homepage_content": None,
            "time_zone": "UTC",
            "latitude": None,
            "longitude": None,
            "mailing_list_auto_subscribe_policy": "Ask me when I join a team",
        }
        if team:
            policy = fields.get("membership_policy", "Restricted Team")
            defaults.update(
                default_membership_period=None,
                default_renewal_period=None,
                membership_policy=policy,
                subscription_policy=policy,
                renewal_policy="invite them to apply for renewal",
                team_description=None,
            )
        return defaults

    def _owner_link(self, name, view):
        owner = self.objects[name].get("owner")
        if owner is None:
            admins = self.listing(name, "admins") or self.listing(name, "members")
            owner = next((each for each in admins if each not in self.members), name)
        return f"{view.base}/~{owner}"

    def _email_link(self, name, link, view):
        fields = self.objects[name]
        if not view.logged_in or (fields.get("hide_email_addresses", True) and not fields["is_team"]):
            return REDACTED
        return f"{link}/+email/{fields['email']}" if fields["email"] else None

    def membership(self, team, name, view):
        """Builds the representation of one direct membership."""
        details = self.members[team][name]
        link = f"{view.base}/~{team}/+member/{name}"
        changed_by = details.get("last_changed_by")
        entry = {
            "self_link": link,
            "web_link": f"{view.web}~{team}/+member/{name}",
            "resource_type_link": f"{view.base}/#team_membership",
            "team_link": f"{view.base}/~{team}",
            "member_link": f"{view.base}/~{name}",
            "last_changed_by_link": f"{view.base}/~{changed_by}" if changed_by else None,
            "last_change_comment": details.get("last_change_comment"),
            "date_joined": details.get("date_joined", "2020-02-02T12:00:00.000001+00:00"),
            "date_expires": details.get("date_expires"),
            "status": details["status"],
        }
        entry["http_etag"] = etag_of(entry)
        return entry

    def email(self, name, view):
        """Builds the representation of somebody's address, for those who may see it."""
        link = f"{view.base}/~{name}/+email/{self.objects[name]['email']}"
        entry = {
            "self_link": link,
            "web_link": f"{view.web}~{name}/+email/{self.objects[name]['email']}",
            "resource_type_link": f"{view.base}/#email_address",
            "email": self.objects[name]["email"],
            "person_link": f"{view.base}/~{name}",
        }
        entry["http_etag"] = etag_of(entry)
        return entry


def etag_of(entry):
    """The tag of an entry has two halves and carries its own double quotes."""
    return f'"{hashlib.sha1(repr(entry).encode()).hexdigest()}-{REVISION}"'


class Answer:
    """What goes back: a status, extra headers and a body; `wire` replaces plain sending when set."""

    def __init__(self, status, body=b"", content_type=None, headers=()):
        self.status = status
        self.body = body if isinstance(body, bytes) else body.encode()
        self.content_type = content_type
        self.headers = dict(headers)
        self.compressed = None
        self.source = None
        self.wire = None

    def copy(self):
        """A copy that a fault may change while the original stays in the cache."""
        other = Answer(self.status, self.body, self.content_type, self.headers)
        other.compressed = self.compressed
        other.source = self
        return other

    def value(self):
        """Reads the body back as JSON; None when it is none."""
        if self.status != 200 or self.content_type != JSON_TYPE:
            return None
        return json.loads(self.body)

    def set_value(self, value):
        self.set_body(encode(value))

    def set_body(self, body):
        self.body = body
        self.compressed = self.source = None

    def become(self, other):
        self.__dict__.update(other.__dict__)

    def compress(self):
        """Does what a compressing proxy does: the body shrinks and the tag says so. The source keeps the result."""
        if self.compressed is None:
            self.compressed = gzip.compress(self.body, 1, mtime=0)
            if self.source is not None:
                self.source.compressed = self.compressed
        self.body = self.compressed
        self.headers["Content-Encoding"] = "gzip"
        if "ETag" in self.headers:
            self.headers["ETag"] = self.headers["ETag"][:-1] + '-gzip"'

    def head(self, length=None, version="1.1"):
        """Gives the status line and all headers as bytes; length None takes that of the body, -1 leaves it out."""
        reason = http.server.BaseHTTPRequestHandler.responses.get(self.status, ("Strange",))[0]
        lines = [
            f"HTTP/{version} {self.status} {reason}",
            "Server: gunicorn",
            "Vary: Accept",
            "X-Powered-By: Zope (www.zope.org), Python (www.python.org)",
            "X-Content-Type-Options: nosniff",
            "X-Launchpad-Revision: " + REVISION,
            "Strict-Transport-Security: max-age=15552000",
        ]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        if length is None and self.status not in (204, 304):
            length = len(self.body)
        if length is not None and length >= 0:
            lines.append(f"Content-Length: {length}")
        lines += [f"{key}: {value}" for key, value in self.headers.items()]
        return "\r\n".join(lines + ["", ""]).encode()


def plain_text(argument):
    """Reads a text argument of a named operation: as it stands, or as a JSON string, as launchpadlib sends it."""
    try:
        value = json.loads(argument)
    except ValueError:
        return argument
    return value if isinstance(value, str) else argument


def text(status, message, **headers):
    return Answer(status, message, TEXT_TYPE, {key.replace("_", "-"): value for key, value in headers.items()})


def html(status, title):
    body = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Answer(status, body, HTML_TYPE)


def not_found(what, name):
    return text(404, f"Object: <{what} object at 0x7f0123456789>, name: '{name}'")


# -- faults ---------------------------------------------------------------------------------------------------

Fault = collections.namedtuple("Fault", "text kind real where stage act")
FAULTS = {}


def fault(name, about, kind="fault", where="any", stage="answer"):
    """Puts a function into FAULTS. A stage "value" gets the decoded JSON, the others get the answer itself."""

    def register(act):
        FAULTS[name] = Fault(about, kind, kind in ("fault", "hold"), where, stage, act)
        return act

    return register


def answers(name, about, make, kind="fault"):
    """Registers a fault that throws the answer away and gives another one; `make` gets request and arguments."""
    fault(name, about, kind)(lambda answer, request, args: answer.become(make(request, args)))


def sends(name, about, kind="fault"):
    """Registers a fault of the wire: a function of (connection, answer, arguments) that does the sending."""

    def register(send):
        def act(answer, request, args):
            answer.wire = functools.partial(send, answer=answer, args=args)

        fault(name, about, kind, stage="wire")(act)
        return send

    return register


def on_page(name, about, kind="fault", where="page"):
    """Registers a change of a page object; a fault for later pages leaves the first one alone."""

    def register(change):
        def act(value, request, args):
            if not isinstance(value, dict) or "entries" not in value:
                return value
            if where == "later-page" and value["start"] == 0:
                return value
            result = change(value, request, args)
            return value if result is None else result

        fault(name, about, kind, where, "value")(act)
        return change

    return register


def on_entry(name, about, change, kind="fault"):
    """Registers a change of one entry, which stands alone or within a page."""

    def act(value, request, args):
        entry = chosen_entry(value, args.get("person"))
        if entry is not None:
            change(entry, args)
        return value

    fault(name, about, kind, "entry", "value")(act)


def chosen_entry(value, name):
    if not isinstance(value, dict):
        return None
    entries = value.get("entries", [value])
    if name is not None:
        return next((each for each in entries if each.get("name") == name), None)
    people = [each for each in entries if each.get("is_team") is False]
    return next(iter(people + entries), None)


OFFLINE = "Launchpad is offline"
answers("not-found", "404 with a text, as for a name nobody has", lambda r, a: not_found(
    "lp.systemhomes.WebServiceApplication", r.path.rsplit("/", 1)[-1]))
answers("gone", "410 with a text, as for a suspended person", lambda r, a: text(410, "User is suspended: ~somebody"))
answers("redirect-other-host", "301 to the same path on another host name, where a good answer waits",
        lambda r, a: text(301, "", Location=r.foreign + r.target))
answers("redirect-same-host", "302 to another version of the same resource on this host",
        lambda r, a: text(302, "", Location=r.origin + r.target.replace("/1.0/", "/devel/", 1)))
answers("unauthorized", "401 with an OAuth challenge", lambda r, a: text(
    401, "Unknown access token.", WWW_Authenticate=f'OAuth realm="{r.origin}"'))
answers("forbidden", "403 as an HTML page, as for a blocked user agent", lambda r, a: html(403, "Forbidden"))
answers("unavailable-html", "503 as an HTML page without Retry-After", lambda r, a: html(503, OFFLINE))
answers("unavailable-timeout", "503 text RequestExpired with an oops id", lambda r, a: text(
    503, "RequestExpired", X_Lazr_OopsId="OOPS-0123456789abcdef0123456789abcdef"))
answers("unavailable-retry-after", "503 with Retry-After (argument retry_after, seconds or a date)", lambda r, a: text(
    503, "RequestExpired", Retry_After=str(a.get("retry_after", 900))))
answers("too-many-requests", "429 with Retry-After (argument retry_after)", lambda r, a: text(
    429, "Too many requests", Retry_After=str(a.get("retry_after", 60))))
answers("server-error", "500 text with the name of an exception and an oops id", lambda r, a: text(
    500, "AssertionError", X_Lazr_OopsId="OOPS-0123456789abcdef0123456789abcdef"))
answers("bad-gateway", "502 as an HTML page", lambda r, a: html(502, "Proxy Error"))
answers("html-ok", "200 with an HTML page instead of JSON", lambda r, a: html(200, OFFLINE))
answers("html-as-json", "200 with an HTML page that claims to be JSON",
        lambda r, a: Answer(200, html(200, OFFLINE).body, JSON_TYPE))
answers("empty-body", "200 without a single byte of body", lambda r, a: Answer(200, b"", JSON_TYPE))
answers("no-content", "204", lambda r, a: Answer(204))
answers("json-null", "200 with null", lambda r, a: Answer(200, b"null", JSON_TYPE))
answers("json-array", "200 with an empty array", lambda r, a: Answer(200, b"[]", JSON_TYPE))
answers("json-empty-object", "200 with an empty object", lambda r, a: Answer(200, b"{}", JSON_TYPE))
answers("unasked-not-modified", "304 although no tag was sent", lambda r, a: Answer(304, headers={"ETag": '"a-b"'}))
answers("deep-json", "200 with arrays nested very deeply (argument depth)", lambda r, a: Answer(
    200, b'{"entries":' + b"[" * a.get("depth", 100000) + b"]" * a.get("depth", 100000) + b"}", JSON_TYPE))


@fault("partial-content", "206 with the first half of the body")
def _partial(answer, request, args):
    half = len(answer.body) // 2
    headers = {"Content-Range": f"bytes 0-{half - 1}/{len(answer.body)}"}
    answer.become(Answer(206, answer.body[:half], answer.content_type, headers))


def on_body(name, about, change, kind="fault"):
    """Registers a change of the bytes of the body, made before it is compressed."""
    fault(name, about, kind, stage="body")(lambda answer, request, args: answer.set_body(change(answer.body, args)))


on_body("truncated-json", "200 with the first two thirds of the JSON and an honest length",
        lambda body, args: body[:len(body) * 2 // 3])
on_body("trailing-garbage", "200 with text after the end of the JSON", lambda body, args: body + b"} oops")
on_body("not-utf8", "200 with bytes that are not UTF-8 inside a string",
        lambda body, args: body.replace(b'"display_name": "', b'"display_name": "\xff\xfe\xc0', 1))
on_body("escaped-nul", "200 with an escaped NUL character inside a string",
        lambda body, args: body.replace(b'"display_name": "', b'"display_name": "\\u0000', 1))
on_body("lone-surrogate", "200 with half of a surrogate pair inside a string",
        lambda body, args: body.replace(b'"display_name": "', b'"display_name": "\\ud800', 1))
on_body("raw-utf8", "UTF-8 bytes instead of escapes", lambda body, args: json.dumps(
    json.loads(body), ensure_ascii=False).encode(), kind="benign")
on_body("spaced-json", "JSON with line breaks, indentation and sorted keys", lambda body, args: json.dumps(
    json.loads(body), indent=4, sort_keys=True).encode() + b"\n", kind="benign")


# Page objects that are wrong, or unusual and right.

def next_link_fault(name, about, make, kind="fault"):
    """Registers a fault that rewrites the next link of a page; `make` gets page, request and arguments.

    A page without a next link keeps none, so that the fault is about where the link leads and nothing else.
    """

    @on_page(name, about, kind)
    def change(page, request, args):
        if "next_collection_link" in page:
            page["next_collection_link"] = make(page, request, args)


next_link_fault("next-foreign-host", "the next link names another host, where a good page waits",
                lambda p, r, a: p["next_collection_link"].replace(r.origin, r.foreign, 1))
next_link_fault("next-other-port", "the next link names another port of this host, where a good page waits",
                lambda p, r, a: p["next_collection_link"].replace(r.origin, r.control, 1))
next_link_fault("next-other-scheme", "the next link says https instead of http",
                lambda p, r, a: p["next_collection_link"].replace("http://", "https://", 1))
next_link_fault("next-file-scheme", "the next link is a file URL", lambda p, r, a: "file:///etc/hostname")
next_link_fault("next-other-version", "the next link leaves the version it was asked under",
                lambda p, r, a: p["next_collection_link"].replace("/1.0/", "/devel/", 1))
next_link_fault("next-dot-segments", "the next link leaves the root by dot segments",
                lambda p, r, a: p["next_collection_link"].replace("/1.0/", "/1.0/../devel/", 1))
next_link_fault("next-user-info", "the next link begins like our root, which is the user name at another host",
                lambda p, r, a: p["next_collection_link"].replace(r.origin, f"{r.origin}@{r.foreign[7:]}", 1))
next_link_fault("next-longer-root", "the next link begins like our root and goes on in the same path segment",
                lambda p, r, a: p["next_collection_link"].replace("/1.0/", "/1.0evil/", 1))
next_link_fault("next-relative", "the next link is a path without scheme and host",
                lambda p, r, a: p["next_collection_link"].replace(r.origin, "", 1))
next_link_fault("next-not-a-link", "the next link is some text", lambda p, r, a: "the next page, please")
next_link_fault("next-number", "the next link is a number", lambda p, r, a: 75)
next_link_fault("next-null", "the next link is null although more pages follow", lambda p, r, a: None)
next_link_fault("next-empty", "the next link is an empty string", lambda p, r, a: "")
next_link_fault("next-line-break", "the next link holds a line break and a header",
                lambda p, r, a: p["next_collection_link"] + "\r\nX-Injected: yes")
next_link_fault("next-other-collection", "the next link leads to the listing of another team (argument team)",
                lambda p, r, a: re.sub("/~[^/]*/", f"/~{a.get('team', r.other_team)}/", p["next_collection_link"]))
next_link_fault("next-self", "the next link is the page's own address", lambda p, r, a: r.origin + r.target)


@on_page("next-loop", "the last page leads back to the first one", where="later-page")
def _next_loop(page, request, args):
    page["next_collection_link"] = page.get("next_collection_link", request.origin + request.path)


@on_page("endless-pages", "there is always a next page, with people nobody has seen before")
def _endless(page, request, args):
    start, size = page["start"], request.page_size
    if not page["entries"]:
        page["entries"] = [dict(request.sample, name=f"endless-{start}-{i}") for i in range(size)]
    page["next_collection_link"] = endless_link(request, size, start + size)


@on_page("endless-empty-pages", "there is always a next page, and all but the first are empty")
def _endless_empty(page, request, args):
    if page["start"]:
        page["entries"] = []
    page["next_collection_link"] = endless_link(request, 1, page["start"] + 1)


def endless_link(request, size, start):
    return f"{request.origin}{request.path}?ws.size={size}&memo={start}&ws.start={start}"


@on_page("total-changed", "total_size differs on every page but the first", where="later-page")
def _total_changed(page, request, args):
    page["total_size"] += args.get("by", 1)


def set_page(key, value):
    return lambda page, request, args: page.__setitem__(key, value)


on_page("total-string", "total_size is a string")(lambda p, r, a: p.update(total_size=str(p["total_size"])))
on_page("total-fraction", "total_size is not whole")(lambda p, r, a: p.update(total_size=p["total_size"] + 0.5))
on_page("total-negative", "total_size is -1")(set_page("total_size", -1))
on_page("total-huge", "total_size does not fit into 64 bits")(set_page("total_size", 2 ** 64))
on_page("total-null", "total_size is null")(set_page("total_size", None))
on_page("total-redacted", "total_size is redacted")(set_page("total_size", REDACTED))
on_page("total-missing", "total_size is absent")(lambda p, r, a: p.__delitem__("total_size"))
on_page("total-small", "total_size is less than what is listed; a page without entries is left alone")(
    lambda p, r, a: p.update(total_size=max(len(p["entries"]) - 1, 0)))
on_page("start-string", "start is a string")(lambda p, r, a: p.update(start=str(p["start"])))
on_page("start-missing", "start is absent")(lambda p, r, a: p.__delitem__("start"))
on_page("entries-missing", "entries is absent")(lambda p, r, a: p.__delitem__("entries"))
on_page("entries-null", "entries is null")(set_page("entries", None))
on_page("entries-object", "entries is an object")(set_page("entries", {}))
on_page("entry-null", "one entry is null")(lambda p, r, a: p["entries"].append(None))
on_page("entry-string", "one entry is a string")(lambda p, r, a: p["entries"].append("somebody"))
# Hidden entries look just the same, so a client cannot call the listing wrong; it must not trust it for losses.
on_page("page-lost", "later pages have no entries at all, although total_size counts them", "hold", "later-page")(
    set_page("entries", []))


@on_page("duplicate-name", "the first entry of a later page stood on the page before already", where="later-page")
def _duplicate(page, request, args):
    if page["entries"]:
        page["entries"][0] = request.before(page["start"])


@on_page("empty-team", "a team without anybody: total 0, no entries", kind="hold")
def _empty_team(page, request, args):
    return {"total_size": 0, "start": 0, "entries": [], "resource_type_link": page["resource_type_link"]}


@on_page("unknown-keys", "pages and entries carry keys nobody has heard of", kind="benign")
def _unknown_keys(page, request, args):
    page["etag_of_tomorrow"] = {"nested": [1, 2.5, None, {"deeper": True}]}
    for entry in page["entries"]:
        entry["favourite_colour"] = ["blue", None]


@on_page("fewer-keys", "entries lack the keys that came or went over the years", kind="benign")
def _fewer_keys(page, request, args):
    for entry in page["entries"]:
        for key in ("social_accounts_collection_link", "latitude", "longitude", "homepage_content", "time_zone"):
            entry.pop(key, None)


@on_page("hidden-entries", "total_size counts one entry more than is listed", kind="benign")
def _hidden_entries(page, request, args):
    page["total_size"] += 1


# Each field the client relies on: redacted, of a wrong type, null, absent.
WRONG_VALUES = {
    "name": 42,
    "is_team": "false",
    "is_valid": "yes",
    "is_ubuntu_coc_signer": 1,
    "date_created": "the day before yesterday",
}


def register_field_faults():
    for field, wrong in WRONG_VALUES.items():
        word = field.replace("_", "-").replace("-ubuntu-coc-signer", "-coc-signer")
        ways = {"redacted": REDACTED, "wrong": wrong, "null": None}
        for way, value in ways.items():
            on_entry(f"{way}-{word}", f"{field} is {value!r}",
                     lambda entry, args, f=field, v=value: entry.update({f: args.get("value", v)}))
        on_entry(f"missing-{word}", f"{field} is absent", lambda entry, args, f=field: entry.pop(f, None))


register_field_faults()


# What logged-in callers see of an address.

def set_email(name, about, link, kind="logged-in"):
    on_entry(name, about, lambda entry, args: entry.update(preferred_email_address_link=link(entry)), kind)


def email_of(entry):
    return f"{entry['name']}@shown.example"


set_email("email-redacted", "the preferred address is redacted", lambda e: REDACTED, "benign")
set_email("email-null", "there is no preferred address", lambda e: None, "benign")
set_email("email-encoded", "the link to the address is percent-encoded where it need not be",
          lambda e: f"{e['self_link']}/%2Bemail/{urllib.parse.quote(email_of(e), safe='')}", "benign")
set_email("email-odd", "an address that Launchpad's own rule does not allow",
          lambda e: f"{e['self_link']}/+email/o'brien@shown.example", "benign")
set_email("email-number", "the link to the address is a number", lambda e: 42)
set_email("email-no-link", "an address instead of a link to it", email_of)
set_email("email-foreign-host", "the link to the address leads to another host",
          lambda e: f"https://evil.example/1.0/~{e['name']}/+email/{email_of(e)}")
set_email("email-other-version", "the link to the address leads to another version",
          lambda e: f"{e['self_link'].replace('/1.0/', '/devel/')}/+email/{email_of(e)}")
set_email("email-other-person", "the link leads to the address of somebody else",
          lambda e: f"{e['self_link']}x/+email/{email_of(e)}")
set_email("email-malformed-escape", "a percent sign that encodes nothing in the link to the address",
          lambda e: f"{e['self_link']}/+email/a%4x{email_of(e)}")
set_email("email-line-break", "a line break in the address",
          lambda e: f"{e['self_link']}/+email/{email_of(e)}%0aBcc:x@evil.example")
set_email("email-below", "more of a path behind the address", lambda e: f"{e['self_link']}/+email/{email_of(e)}/x")
set_email("email-query", "a query behind the address", lambda e: f"{e['self_link']}/+email/{email_of(e)}?x=1")
set_email("email-empty", "nothing where the address should be", lambda e: f"{e['self_link']}/+email/")
on_entry("email-missing", "the key of the preferred address is absent",
         lambda entry, args: entry.pop("preferred_email_address_link", None), "logged-in")

on_entry("illegal-name", "name is not a legal Launchpad name (argument value)",
         lambda entry, args: entry.update(name=args.get("value", "../etc/passwd\r\nx")))
on_entry("upper-case-name", "name has upper-case letters, which Launchpad cannot have",
         lambda entry, args: entry.update(name=str(entry["name"]).title()))
on_entry("overlong-name", "name has 5000 letters", lambda entry, args: entry.update(name="a" * 5000))


# Sending: each of these owns the connection for the length of one answer.

@sends("connection-reset", "the connection is reset before the first byte of an answer")
def _reset(connection, answer, args):
    connection.reset()


@sends("connection-closed", "the connection is closed before the first byte of an answer")
def _closed(connection, answer, args):
    connection.close()


@sends("connection-refused", "reset, and every new connection is refused until the faults are cleared")
def _refused(connection, answer, args):
    connection.app.refuse()
    connection.reset()


@sends("reset-mid-body", "the connection is reset after half of the body")
def _reset_mid_body(connection, answer, args):
    connection.send(answer.head() + answer.body[:len(answer.body) // 2])
    connection.reset()


@sends("short-body", "Content-Length promises more than is sent before the connection is closed")
def _short_body(connection, answer, args):
    connection.send(answer.head(length=len(answer.body) + 100) + answer.body)
    connection.close()


@sends("broken-chunk", "chunked, and the second chunk has no legal size")
def _broken_chunk(connection, answer, args):
    answer.headers["Transfer-Encoding"] = "chunked"
    half = answer.body[:len(answer.body) // 2]
    connection.send(answer.head(length=-1) + b"%x\r\n%s\r\nzz\r\n" % (len(half), half))
    connection.close()


@sends("unfinished-chunks", "chunked, and closed before the last chunk")
def _unfinished(connection, answer, args):
    answer.headers["Transfer-Encoding"] = "chunked"
    connection.send(answer.head(length=-1) + b"%x\r\n%s\r\n" % (len(answer.body), answer.body))
    connection.close()


@sends("not-http", "something that is no HTTP answer")
def _not_http(connection, answer, args):
    connection.send(b"* OK IMAP4rev1 ready\r\n" * 3)
    connection.close()


@sends("huge-header", "a header of many megabytes (argument size)")
def _huge_header(connection, answer, args):
    connection.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    connection.flood(b"x" * 65536, args.get("size", 16 << 20))
    connection.close()


@sends("hang", "never answers")
def _hang(connection, answer, args):
    connection.pause(None)
    connection.close()


@sends("hang-after-headers", "sends the headers and half of the body, then nothing")
def _hang_later(connection, answer, args):
    connection.send(answer.head() + answer.body[:len(answer.body) // 2])
    connection.pause(None)
    connection.close()


@sends("trickle", "one byte at a time, too slowly to ever end (argument delay, seconds)")
def _trickle(connection, answer, args):
    connection.send(answer.head())
    for byte in answer.body:
        if connection.pause(args.get("delay", 0.2)):
            break
        connection.send(bytes([byte]))
    connection.close()


@sends("slow-body", "the body comes in pieces (arguments pieces, delay) and is complete", kind="benign")
def _slow_body(connection, answer, args):
    connection.send(answer.head())
    step = len(answer.body) // args.get("pieces", 10) + 1
    for offset in range(0, len(answer.body), step):
        if connection.pause(args.get("delay", 0.02)):
            return
        connection.send(answer.body[offset:offset + step])


@sends("chunked", "chunked transfer encoding instead of a length", kind="benign")
def _chunked(connection, answer, args):
    answer.headers["Transfer-Encoding"] = "chunked"
    step = args.get("step", 1000)
    pieces = [answer.body[i:i + step] for i in range(0, len(answer.body), step)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    connection.send(answer.head(length=-1) + body + b"0\r\n\r\n")


@sends("until-close", "HTTP/1.0: no length, the end of the connection ends the body", kind="benign")
def _until_close(connection, answer, args):
    connection.send(answer.head(length=-1, version="1.0") + answer.body)
    connection.close()


@sends("says-close", "the connection is closed after the answer, which says so", kind="benign")
def _says_close(connection, answer, args):
    answer.headers["Connection"] = "close"
    connection.send(answer.head() + answer.body)
    connection.close()


@sends("silent-close", "the connection is closed after the answer, which does not say so", kind="benign")
def _silent_close(connection, answer, args):
    connection.send(answer.head() + answer.body)
    connection.close()


@sends("oversized-body", "a plain body of very many bytes (argument size)")
def _oversized(connection, answer, args):
    size = args.get("size", 256 << 20)
    answer.headers.pop("Content-Encoding", None)
    connection.send(answer.head(length=size))
    connection.flood(b" " * 65536, size)


@sends("endless-body", "a chunked body that never ends")
def _endless_body(connection, answer, args):
    answer.headers.pop("Content-Encoding", None)
    answer.headers["Transfer-Encoding"] = "chunked"
    connection.send(answer.head(length=-1))
    connection.flood(b"10000\r\n" + b" " * 65536 + b"\r\n", None)
    connection.close()


@functools.lru_cache(maxsize=2)
def bomb(size):
    """Compresses a JSON text that is almost only white space; kept, for it takes a while."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1 << 20)
    parts = [packer.compress(b'{"total_size": 1, "start": 0, "entries": [')]
    parts += [packer.compress(block) for _ in range(size // len(block))]
    parts += [packer.compress(b"]}"), packer.flush()]
    return b"".join(parts)


@fault("gzip-bomb", "few bytes that unpack to very many (argument size)", stage="packed")
def _gzip_bomb(answer, request, args):
    answer.become(Answer(200, bomb(args.get("size", 256 << 20)), JSON_TYPE, {"Content-Encoding": "gzip"}))


@fault("corrupt-gzip", "says gzip and has a broken checksum and a broken middle", stage="packed")
def _corrupt_gzip(answer, request, args):
    packed = bytearray(answer.compressed or gzip.compress(answer.body))
    for i in range(len(packed) // 2, len(packed) // 2 + 16):
        packed[i % len(packed)] ^= 0x5A
    packed[-8:-4] = b"\x00\x01\x02\x03"
    answer.become(Answer(200, bytes(packed), answer.content_type, {"Content-Encoding": "gzip"}))


@fault("truncated-gzip", "says gzip and ends in the middle, with an honest length", stage="packed")
def _truncated_gzip(answer, request, args):
    packed = answer.compressed or gzip.compress(answer.body)
    answer.become(Answer(200, packed[:len(packed) // 2], answer.content_type, {"Content-Encoding": "gzip"}))


@fault("not-gzip", "says gzip and is plain", stage="unpacked")
def _not_gzip(answer, request, args):
    answer.headers["Content-Encoding"] = "gzip"


@fault("never-gzip", "a plain body although gzip was offered", kind="benign", stage="unpacked")
def _never_gzip(answer, request, args):
    """Does its work by its stage, which leaves the packing out."""


class Script:
    """One fault that was asked for: which requests it means and which of those it hits."""

    def __init__(self, number, name, match, path, hits, args):
        if name not in FAULTS:
            raise ValueError(f"no such fault: {name}")
        self.number, self.name, self.match, self.path, self.args = number, name, match, path, args
        self.hits = None if hits == "always" else {hits} if isinstance(hits, int) else set(hits)
        self.seen = 0

    def strikes(self, request):
        """Counts the request if it is meant, and tells whether it is hit."""
        if self.path is not None and self.path not in (request.path, request.target):
            return False
        if self.match not in request.target:
            return False
        self.seen += 1
        return self.hits is None or self.seen in self.hits


# -- one request ----------------------------------------------------------------------------------------------

class Request:
    """A parsed request, and what a fault may want to know of the server."""

    def __init__(self, app, method, target, headers):
        self.app, self.method, self.target, self.headers = app, method, target, headers
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.origin, self.foreign, self.control = app.origin, app.foreign_root, app.control_root

    def header(self, name):
        return self.headers.get(name, "")

    def accepts_gzip(self):
        return any(part.split(";")[0].strip() == "gzip" for part in self.header("Accept-Encoding").split(","))

    def wants_wadl(self):
        return any(kind in self.header("Accept") for kind in WADL_TYPES)

    @property
    def team(self):
        found = re.search("/~([^/?]*)", self.path)
        return urllib.parse.unquote(found.group(1)) if found else ""

    @property
    def other_team(self):
        """Some team that was not asked for."""
        return next((team for team in self.app.registry.members if team != self.team), self.team)

    @property
    def page_size(self):
        return whole(self.query.get("ws.size")) or self.app.page_size

    def view(self):
        return View(f"{self.origin}/1.0", f"{self.foreign}/", "1.0", False)

    @property
    def sample(self):
        """An entry from which a fault can make people that are not there."""
        registry = self.app.registry
        return registry.entry(next(name for name in registry.objects if name not in registry.members), self.view())

    def before(self, start):
        """The entry listed just before an offset of this collection."""
        registry = self.app.registry
        names = registry.listing(self.team, self.path.rsplit("/", 1)[-1])
        return registry.entry(next(n for n in reversed(names[:start]) if not registry.hidden(n)), self.view())


class Service:
    """Turns a request into an answer from the registry. Faults, sockets and threads are not seen here."""

    def __init__(self, registry, page_size):
        self.registry = registry
        self.page_size = page_size
        self.entries = {}
        self.pages = {}
        self.wadl = {}
        self.nonces = set()

    def changed(self, *names):
        """Forgets the answers that a change may have made old; entries only of those who changed."""
        self.pages.clear()
        for name in names:
            for key in [key for key in self.entries if key[0] == name]:
                del self.entries[key]

    def answer(self, request):
        """Answers GET and HEAD; anything else is not allowed, for this is a service to read from."""
        path = urllib.parse.unquote(request.path)
        parts = [part for part in path.split("/") if part]
        vhost = parts[:1] == ["api"]
        if vhost:
            parts = parts[1:]
        if not parts or parts[0] not in VERSIONS:
            return self.web_page(path)
        if request.method not in ("GET", "HEAD"):
            return text(405, "Method Not Allowed", Allow="GET HEAD")
        denied, logged_in = self.authenticate(request)
        if denied:
            return denied
        base = f"{request.foreign}/api" if vhost else request.origin
        view = View(f"{base}/{parts[0]}", f"{request.foreign}/", parts[0], bool(logged_in))
        return self.resource(request, view, parts[1:], logged_in)

    def web_page(self, path):
        """The web site, as seen by a client that was led astray; here it lives on every host name."""
        if path == "/" or path.startswith("/~"):
            return html(200, "Launchpad")
        return not_found("lp.systemhomes.WebServiceApplication", path.strip("/").split("/")[0])

    def authenticate(self, request):
        """Gives (answer that refuses, None) or (None, the person logged in, None when anonymous)."""
        fields = oauth_fields(request.header("Authorization"))
        token = fields.get("oauth_token", "")
        if not token:
            return None, None
        if fields.get("oauth_signature_method") != "PLAINTEXT":
            return text(400, "Only PLAINTEXT signatures are accepted."), None
        known = self.registry.tokens.get(token)
        wrong = f"Unknown access token ({token})." if known is None else self.oauth_problem(known, fields)
        if wrong:
            return text(401, wrong, WWW_Authenticate=f'OAuth realm="{request.origin}"'), None
        return None, known["person"]

    def oauth_problem(self, known, fields):
        """What is wrong with a request of a known token (RFC 5849 3.2, 3.3), or None."""
        if fields.get("oauth_consumer_key") != known.get("consumer", fields.get("oauth_consumer_key")):
            return "Unknown consumer."
        parts = [urllib.parse.quote(each, safe="~") for each in (known.get("consumer_secret", ""), known["secret"])]
        if fields.get("oauth_signature") != "&".join(parts):
            return "Invalid signature."
        once = (fields["oauth_token"], fields.get("oauth_timestamp"), fields.get("oauth_nonce"))
        if once[2] is not None:
            if once in self.nonces or not once[1].isdecimal():
                return "Invalid nonce/timestamp."
            self.nonces.add(once)
        return None

    def resource(self, request, view, parts, logged_in):
        if not parts:
            return self.wadl_or_root(request, view)
        if parts[0] == "people":
            return self.people(request, view, parts[1:], logged_in)
        if parts[0].startswith("~"):
            return self.person(request, view, parts[0][1:], parts[1:])
        if parts[0] in ROOT_COLLECTIONS and len(parts) == 1:
            return self.page(request, view, [], parts[0].removesuffix("s"), None)
        return not_found("lp.systemhomes.WebServiceApplication", parts[0])

    def wadl_or_root(self, request, view):
        if request.wants_wadl():
            return self.description(view)
        root = {f"{name}_collection_link": f"{view.base}/{name}" for name in ROOT_COLLECTIONS}
        root.update(
            people_collection_link=f"{view.base}/people",
            me_link=f"{view.base}/people/+me",
            pillars_link=f"{view.base}/pillars",
            services_link=f"{view.base}/services",
            resource_type_link=f"{view.base}/#service-root",
        )
        return self.conditional(request, Answer(200, encode(root), JSON_TYPE, {"ETag": etag_of(root)}))

    def description(self, view):
        """The WADL document of launchpadlib's own tests, with our address in it."""
        if view.base not in self.wadl:
            path = find_wadl()
            if path is None:
                return text(404, "launchpadlib is not installed, so there is no WADL to serve")
            with open(path, encoding="utf-8") as file:
                document = file.read()
            if view.version == "devel":
                document = document.replace(WADL_PEOPLE_END, WADL_PEOPLE_END + WADL_BY_OPENID, 1)
            document = document.replace(WADL_BASE, view.base + "/").encode()
            kind = WADL_TYPES[0]
            self.wadl[view.base] = Answer(200, document, kind, {"ETag": f'"{hashlib.sha1(document).hexdigest()}"'})
        return self.wadl[view.base].copy()

    def people(self, request, view, rest, logged_in):
        if rest == ["+me"]:
            if logged_in is None:
                return text(401, "You need to be logged in to view this URL.")
            return Answer(303, headers={"Location": f"{view.base}/~{logged_in}"})
        if rest:
            return not_found("lp.registry.model.person.PersonSet", rest[0])
        operation = request.query.get("ws.op")
        if operation == "getByOpenIDIdentifier" and view.version == "devel":
            return self.by_openid(request, view)
        if operation is not None:
            return text(400, f"No such operation: {operation}")
        names = [name for name, fields in self.registry.objects.items() if not fields["is_team"]]
        return self.page(request, view, self.registry.in_order(names), "person", self.entry)

    def by_openid(self, request, view):
        identifier = request.query.get("identifier")
        if identifier is None:
            return text(400, "identifier: Required input is missing.")
        prefix, _, wanted = plain_text(identifier).rpartition("/+id/")
        if prefix != "https://login.launchpad.net":
            return Answer(200, b"null", JSON_TYPE)
        for name, fields in self.registry.objects.items():
            if not fields["is_team"] and fields["openid"] == wanted:
                return Answer(200, self.entry(name, view), JSON_TYPE)
        return Answer(200, b"null", JSON_TYPE)

    def person(self, request, view, name, rest):
        """A person or team, or something below; the checks come in the order of Launchpad's traversal."""
        fields = self.registry.objects.get(name.lower())
        if fields is None or (self.registry.hidden(name.lower()) and not view.logged_in):
            return not_found("lp.systemhomes.WebServiceApplication", "~" + name)
        if fields.get("suspended"):
            return text(410, f"User is suspended: ~{name.lower()}")
        if name != name.lower():
            return Answer(301, headers={"Location": f"{view.web}~{name.lower()}"})
        if not rest:
            return self.person_or_operation(request, view, name)
        if len(rest) == 1 and rest[0] in COLLECTIONS:
            return self.collection(request, view, name, rest[0])
        below = self.below(view, name, rest)
        if below is None:
            return not_found("lp.registry.model.person.Person", rest[0])
        return self.conditional(request, below)

    def below(self, view, name, rest):
        """A membership or an address of somebody; None when there is none to be seen."""
        entry = None
        if len(rest) == 2 and rest[0] == "+member" and rest[1] in self.registry.members.get(name, ()):
            entry = self.registry.membership(name, rest[1], view)
        if len(rest) == 2 and rest[0] == "+email" and self.sees_email(name, view):
            entry = self.registry.email(name, view) if self.registry.objects[name]["email"] == rest[1] else None
        return entry and Answer(200, encode(entry), JSON_TYPE, {"ETag": entry["http_etag"]})

    def sees_email(self, name, view):
        fields = self.registry.objects[name]
        return view.logged_in and not fields.get("hide_email_addresses", True) and bool(fields["email"])

    def person_or_operation(self, request, view, name):
        operation = request.query.get("ws.op")
        if operation == "getMembersByStatus" and name in self.registry.members:
            status = request.query.get("status", "Approved")
            members = self.registry.members[name]
            names = self.registry.in_order(each for each in members if members[each]["status"] == status)
            return self.page(request, view, names, "person", self.entry)
        if operation is not None:
            return text(400, f"No such operation: {operation}")
        body = self.entry(name, view)
        tag = json.loads(body)["http_etag"]
        return self.conditional(request, Answer(200, body, JSON_TYPE, {"ETag": tag}))

    @staticmethod
    def conditional(request, answer):
        """Gives 304 instead when the caller holds this representation; a proxy's suffix on the tag is accepted."""
        given = re.sub('-gzip("?)', r"\1", request.header("If-None-Match"))
        if answer.headers["ETag"] in [tag.strip() for tag in given.split(",")]:
            return Answer(304, headers=answer.headers)
        return answer

    def collection(self, request, view, name, collection):
        kind = COLLECTIONS[collection]
        if collection in EMPTY_COLLECTIONS:
            return self.page(request, view, [], kind, None)
        if collection == "confirmed_email_addresses":
            names = [name] if self.sees_email(name, view) else []
            return self.page(request, view, names, kind, lambda each, v: encode(self.registry.email(each, v)))
        names = self.registry.listing(name, collection)
        if collection == "members_details":
            return self.page(request, view, names, kind, lambda n, v: encode(self.registry.membership(name, n, v)))
        if collection == "memberships_details":
            return self.page(request, view, names, kind, lambda t, v: encode(self.registry.membership(t, name, v)))
        return self.page(request, view, names, kind, self.entry)

    def entry(self, name, view):
        """The encoded entry, from the cache when it was asked for before."""
        key = (name, view)
        if key not in self.entries:
            if len(self.entries) >= 250000:
                self.entries.clear()
            self.entries[key] = encode(self.registry.entry(name, view))
        return self.entries[key]

    def page(self, request, view, names, kind, encoded):
        """Cuts one page out of a listing, with links to its neighbours; remembered as a whole, compressed too."""
        key = (request.target, view)
        if key not in self.pages:
            bad, window = self.window(request, len(names))
            if bad:
                return bad
            size, start, low, high = window
            shown = [name for name in names[low:high] if view.logged_in or not self.registry.hidden(name)]
            page = {"total_size": len(names), "start": start}
            page.update(self.links(request, view, size, start, high - low, high < len(names)))
            page["resource_type_link"] = f"{view.base}/#{kind}-page-resource"
            entries = b", ".join(encoded(name, view) for name in shown)
            body = encode(page)[:-1] + b', "entries": [' + entries + b"]}"
            self.pages[key] = Answer(200, body, JSON_TYPE)
        return self.pages[key]

    def window(self, request, total):
        """Gives (answer that refuses, None) or (None, (size, reported start, first index, index behind the last))."""
        size = whole(request.query.get("ws.size"))
        size = size if size is not None and size > 0 else self.page_size
        if size > MAXIMUM_SIZE:
            return text(400, f'Maximum for "ws.size" parameter is {MAXIMUM_SIZE}.'), None
        start = max(whole(request.query.get("ws.start")) or 0, 0)
        backwards = request.query.get("direction") == "backwards"
        memo = request.query.get("memo") or (str(total) if backwards else str(start))
        if whole(memo) is None:
            return text(400, "Invalid batch: memo is not a number."), None
        edge = min(max(whole(memo), 0), total)
        low, high = (max(edge - size, 0), edge) if backwards else (edge, min(edge + size, total))
        return None, (size, start, low, high)

    @staticmethod
    def links(request, view, size, start, count, more):
        """The links to the next and the previous page, with their keys in the order Launchpad writes them."""
        path = view.base + "/" + request.path.split(f"/{view.version}/", 1)[1]
        own = ("ws.size", "ws.start", "memo", "direction")
        others = sorted((key, value) for key, value in request.query.items() if key not in own)

        def link(*pairs):
            return f"{path}?{urllib.parse.urlencode(others + [('ws.size', size), *pairs])}"

        links = {}
        if more:
            links["next_collection_link"] = link(("memo", start + count), ("ws.start", start + size))
        if start > 0:
            before = max(start - size, 0)
            pairs = [("direction", "backwards"), ("memo", start)] + ([("ws.start", before)] if before else [])
            links["prev_collection_link"] = link(*pairs)
        return links


def oauth_fields(header):
    """Takes an Authorization header apart as Launchpad does: at commas, and what names a realm is dropped."""
    scheme, _, rest = header.partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",") if "realm" not in part]
    return {key: urllib.parse.unquote(value.strip('"')) for key, _, value in pairs if scheme == "OAuth"}


def whole(value):
    """The number a query value stands for; None when it is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


# -- the server -----------------------------------------------------------------------------------------------

class _Connection(http.server.BaseHTTPRequestHandler):
    """One client connection. The standard class reads requests; answers are written in one piece by us."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def setup(self):
        super().setup()
        self.app = self.server.app
        self.app.connections[self.connection] = threading.current_thread()

    def finish(self):
        self.app.connections.pop(self.connection, None)
        try:
            super().finish()
        except OSError:
            pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args):
        """Nothing is printed: the request log is what tests look at."""

    def _serve(self):
        body = self.rfile.read(whole(self.headers.get("Content-Length")) or 0)
        if self.path.startswith("/+standin/"):
            answer = self.app.control(self.command, self.path, body)
        else:
            answer = self.app.handle(self)
        if answer.wire is not None:
            answer.wire(self)
        else:
            self.send(answer.head() + (b"" if self.command == "HEAD" else answer.body))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def send(self, data):
        self.connection.sendall(data)

    def flood(self, block, size):
        """Sends the block again and again: `size` bytes in all, or until the other side has enough of it."""
        while size is None or size > 0:
            if self.app.stopping.is_set():
                raise ConnectionAbortedError
            piece = block if size is None else block[:size]
            self.send(piece)
            size = None if size is None else size - len(piece)

    def pause(self, seconds):
        """Waits, for ever when None. True when the client has gone or the server stops."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.app.stopping.is_set():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return False
            readable, _, _ = select.select([self.connection], [], [], left)
            if readable:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    return True
                self.app.stopping.wait(left)
        return True

    def reset(self):
        """Ends the connection with a reset instead of an orderly close."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.server.abort(self.connection)

    def close(self):
        self.close_connection = True


class _Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One listening socket; all of them share the same stand-in."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, app, host, port):
        self.app = app
        self.aborted = set()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Connection)

    def server_bind(self):
        """Binds without asking the resolver for our own name, which the standard class does."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def abort(self, connection):
        self.aborted.add(connection)

    def shutdown_request(self, request):
        """Skips the orderly end for a connection that is to be reset: close alone makes the reset."""
        if request in self.aborted:
            self.aborted.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """A client that hangs up is everyday life here; anything else is a mistake of ours and is told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class LaunchpadStandIn:
    """The server as a whole: data, faults, log, listening sockets. See the text at the top of this file."""

    def __init__(self, data_path_or_dict, host="127.0.0.1", port=0, page_size=75):
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("the stand-in listens on the loopback only")
        self.host, self.port, self.page_size = host, port, page_size
        self.data = load_data(data_path_or_dict)
        self.lock = threading.RLock()
        self.arrived = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.listeners, self.doors, self.connections = [], [], {}
        self.reset()

    # -- life --------------------------------------------------------------------------------------------------

    def start(self):
        """Listens, and fills in the addresses; gives itself back."""
        self.stopping.clear()
        self.doors = self._listen(self.port)
        self.port = self.doors[0].server_port
        side = self._listen(0)
        self.origin = f"http://{self._shown(self.host)}:{self.port}"
        self.control_root = f"http://{self._shown(self.host)}:{side[0].server_port}"
        foreign = {"127.0.0.1": "localhost", "::1": "localhost", "localhost": "127.0.0.1"}[self.host]
        self.foreign_root = f"http://{foreign}:{self.port}"
        self.root = f"{self.origin}/1.0"
        return self

    @staticmethod
    def _shown(host):
        return f"[{host}]" if ":" in host else host

    def _listen(self, port):
        """Opens one listener for each address of the host, all on the same port."""
        hosts = ["127.0.0.1", "::1"] if self.host == "localhost" else [self.host]
        for _ in range(50):
            opened = []
            try:
                for host in hosts:
                    opened.append(_Listener(self, host, opened[0].server_port if opened else port))
                break
            except OSError:
                for each in opened:
                    each.server_close()
                if port:
                    raise
        else:
            raise OSError("no port is free on all addresses")
        for each in opened:
            threading.Thread(target=each.serve_forever, args=(0.02,), daemon=True).start()
        self.listeners += opened
        return opened

    def refuse(self):
        """Closes the listening sockets of the root, so that new connections are refused."""
        with self.lock:
            doors, self.doors = self.doors, []
        for each in doors:
            self.listeners.remove(each)
            each.shutdown()
            each.server_close()

    def accept_again(self):
        if not self.doors and not self.stopping.is_set() and self.listeners:
            self.doors = self._listen(self.port)

    def stop(self):
        """Ends every connection and waits for the threads behind them."""
        self.stopping.set()
        for each in self.listeners:
            each.shutdown()
            each.server_close()
        self.listeners, self.doors = [], []
        for connection, thread in list(self.connections.items()):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if thread is not threading.current_thread():
                thread.join(5)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    # -- requests ----------------------------------------------------------------------------------------------

    def handle(self, connection):
        """Logs a request, answers it and lets the scripted faults have their way with the answer."""
        request = Request(self, connection.command, connection.path, connection.headers)
        with self.lock:
            struck = [script for script in self.scripts if script.strikes(request)]
            record = self._record(connection, request, struck)
            answer = self.service.answer(request).copy()
            for stage in ("answer", "value", "body"):
                self._apply(stage, struck, answer, request)
            plain = self._apply("unpacked", struck, answer, request)
            if not plain and answer.status == 200 and len(answer.body) > 200 and request.accepts_gzip():
                answer.compress()
            self._apply("packed", struck, answer, request)
            self._apply("wire", struck, answer, request)
            record["status"] = answer.status
            return answer

    def _apply(self, stage, struck, answer, request):
        """Runs the faults of one stage; tells whether there was one."""
        mine = [script for script in struck if FAULTS[script.name].stage == stage]
        for script in mine:
            act = FAULTS[script.name].act
            if stage == "value":
                value = answer.value()
                if value is not None:
                    answer.set_value(act(value, request, script.args))
            else:
                act(answer, request, script.args)
        return bool(mine)

    def _record(self, connection, request, struck):
        family = "IPv6" if connection.connection.family == socket.AF_INET6 else "IPv4"
        record = {
            "method": request.method,
            "path": request.target,
            "user_agent": request.header("User-Agent"),
            "accept": request.header("Accept"),
            "accept_encoding": request.header("Accept-Encoding"),
            "if_none_match": request.header("If-None-Match"),
            "authorization": bool(request.header("Authorization")),
            "oauth": {key: value for key, value in oauth_fields(request.header("Authorization")).items()
                      if key != "oauth_signature"},
            "host": request.header("Host"),
            "port": connection.server.server_port,
            "family": family,
            "time": time.time(),
            "status": None,
            "faults": [script.name for script in struck],
        }
        self.requests.append(record)
        self.arrived.notify_all()
        return record

    CONTROLS = (
        "add_member remove_member add_person add_team remove_person set_person rename add_fault clear_faults log "
        "count clear_log wait_for fault_names reset"
    ).split()

    def control(self, method, target, body):
        """Calls one of our own methods on behalf of another process."""
        name = target.partition("?")[0].removeprefix("/+standin/").replace("-", "_")
        if name not in self.CONTROLS:
            return text(404, f"no such control: {name}; there are {', '.join(self.CONTROLS)}")
        try:
            result = getattr(self, name)(**json.loads(body or b"{}"))
        except (ValueError, TypeError) as error:
            return text(400, str(error))
        return Answer(200, json.dumps({"result": result}), JSON_TYPE)

    # -- control -----------------------------------------------------------------------------------------------

    def reset(self):
        """Goes back to the data it was made with, without faults and with an empty log."""
        with self.lock:
            self.registry = Registry(self.data)
            self.service = Service(self.registry, self.page_size)
            self.clear_log()
            self.clear_faults()

    def add_member(self, team, name, admin=False, **details):
        """Makes somebody a direct member; somebody unknown is made first."""
        with self.lock:
            if name not in self.registry.objects:
                self.registry.add(name, is_team=False)
            self.registry.join(team, name, status="Administrator" if admin else "Approved", **details)
            self.service.changed(team)

    def remove_member(self, team, name):
        with self.lock:
            self.registry.leave(team, name)
            self.service.changed(team)

    def add_person(self, name, **fields):
        with self.lock:
            self.registry.add(name, is_team=False, **fields)
            self.service.changed()

    def add_team(self, name, members=(), admins=(), **fields):
        with self.lock:
            self.registry.add(name, is_team=True, **fields)
            for member in members:
                self.add_member(name, member)
            for member in admins:
                self.add_member(name, member, admin=True)
            self.service.changed(name)

    def remove_person(self, name):
        """Removes a person or a team from everywhere, as a merge does: the name is 404 afterwards."""
        with self.lock:
            self.registry.remove(name)
            self.service.changed(name)

    def set_person(self, name, **fields):
        with self.lock:
            self.registry.need(name).update(fields)
            self.registry.changed()
            self.service.changed(name)

    def rename(self, name, new):
        with self.lock:
            self.registry.rename(name, new)
            self.service.changed()
            self.service.entries.clear()

    def add_fault(self, name, match="", path=None, hits="always", **args):
        with self.lock:
            self.fault_count += 1
            self.scripts.append(Script(self.fault_count, name, match, path, hits, args))
            return self.fault_count

    def clear_faults(self):
        with self.lock:
            self.scripts, self.fault_count = [], 0
        self.accept_again()

    def fault_names(self):
        return {name: {"text": each.text, "kind": each.kind, "real": each.real, "where": each.where}
                for name, each in FAULTS.items()}

    def log(self):
        with self.lock:
            return [dict(record) for record in self.requests]

    def count(self, match=""):
        with self.lock:
            return sum(match in record["path"] for record in self.requests)

    def clear_log(self):
        with self.lock:
            self.requests = []

    def wait_for(self, count, match="", timeout=10):
        """Waits until so many requests have come; gives how many there are, fewer only when time ran out."""
        end = time.monotonic() + timeout
        with self.lock:
            while self.count(match) < count and time.monotonic() < end and not self.stopping.is_set():
                self.arrived.wait(max(end - time.monotonic(), 0))
            return self.count(match)


def load_data(source):
    if isinstance(source, dict):
        return source
    with open(source, encoding="utf-8") as file:
        return json.load(file)


def parse_arguments():
    parser = argparse.ArgumentParser(description="A stand-in for the Launchpad web service, for tests.")
    parser.add_argument("--data", help="JSON file with people and teams")
    parser.add_argument("--generate-members", type=int, metavar="N", help="serve one team of N made-up people")
    parser.add_argument("--team", default="ubuntumembers", help="the name of that team")
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "::1", "localhost"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--page-size", type=int, default=75)
    parser.add_argument("--ready-file", help="gets the root, and the control root below, when all is ready")
    arguments = parser.parse_args()
    if (arguments.data is None) == (arguments.generate_members is None):
        parser.error("give either --data or --generate-members")
    return arguments


def main():
    arguments = parse_arguments()
    ending = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread exists, so that the signal waits for the one place that takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    if arguments.data is not None:
        data = arguments.data
    else:
        data = make_large(arguments.team, arguments.generate_members)
    with LaunchpadStandIn(data, arguments.host, arguments.port, arguments.page_size) as standin:
        print(standin.root, flush=True)
        if arguments.ready_file:
            with open(arguments.ready_file + ".new", "w", encoding="utf-8") as file:
                file.write(f"{standin.root}\n{standin.control_root}\n")
            os.replace(arguments.ready_file + ".new", arguments.ready_file)
        signal.sigwait(ending)


if __name__ == "__main__":
    main()
