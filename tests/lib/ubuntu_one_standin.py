#!/usr/bin/python3
"""A stand-in for Ubuntu One's login (login.ubuntu.com): OpenID 2.0 with sreg, AX and Launchpad teams, and
every fault and attack a site that relies on it must survive.

What is signed is signed, and what is verified is verified, by the server half of python3-openid, and the
extensions are its own and python3-openid-teams'; only pages, accounts and faults are ours.

As a class:

    standin = UbuntuOneStandIn("tests/lib/ubuntu.json", host="127.0.0.1", port=0)
    standin.start()            # also a context manager: with UbuntuOneStandIn(...) as standin:
    standin.root               # "http://127.0.0.1:PORT"
    standin.endpoint           # what a site is configured with: root + "/+openid"
    standin.identifiers        # and: root + "/+id/"
    standin.stop()

As a program (one line on stdout, the root, when it listens; ends on SIGTERM and SIGINT):

    /usr/bin/python3 ubuntu_one_standin.py --data FILE [--host H] [--port N] [--ready-file F]

Data is a dict or a JSON file, either {"accounts": {name: {"id", "nickname", "email", "fullname", "verified",
"teams", "timezone"}}} or the data of launchpad_standin.py, whose people then have an account of their
Launchpad name, with the same identifier, address, name and teams. What is not given gets a sensible value; a
nickname of None is an account without a Launchpad profile, "active": false an account that is gone.

Who logs in is chosen on the page that a browser sees, one button for each account, or without a browser:
by "auto=NAME" in the query of a request to the endpoint (auto= with nothing behind it cancels), or for all
requests by log_in_as(name). Nobody has a password here.

bring(request_url, account) is such a login without a browser, up to what a browser would take back to the site.

Methods, and the same over HTTP as POST /+standin/<method-with-hyphens> with the arguments as a JSON object;
the reply is {"result": ...}, a mistake is 400 with the reason as text:

    add_account(name, **fields)      set_account(name, **fields)      accounts() -> {name: fields}
    log_in_as(name=None)             the account that needs no page from now on; None: the page again
    add_fault(name, account=None, hits="always", **args) -> id        clear_faults()
    log() -> list of requests        count(mode="") -> int            clear_log()
    wait_for(count, mode="", timeout=10)      fault_names() -> {name: {"text", "stage"}}       reset()

A request in the log: method, path (without query), mode (openid.mode or ""), fields (the openid fields of a
check_authentication), user_agent, status (None until answered), time. Requests under /+standin/ are not logged.

FAULTS names all faults. `account` narrows one to logins of that account; `hits` is "always", one number or a
list: the first login (or verification) that it could strike is number 1. By stage:

    signed         wrong, and truly signed: check_authentication says is_valid:true, so only the site's own
                   check can find it
    tampered       honest when it was signed, changed on its way by whoever holds the browser
    told           true, and less than was asked for: no fault of anybody's
    mode           no assertion at all
    delivery       how it comes to the site
    verification   what check_authentication does
"""

import argparse
import collections
import html
import html.parser
import http.client
import http.server
import json
import logging
import os
import secrets
import select
import signal
import socket
import socketserver
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from openid.extensions import ax, sreg
from openid.message import Message
from openid.server.server import CheckAuthRequest, ProtocolError, Server
from openid.store.memstore import MemoryStore
from openid.store.nonce import mkNonce
from openid_teams import teams

import launchpad_standin

# It tells each answer that it does not confirm, which here are many and wanted.
logging.getLogger("openid").addHandler(logging.NullHandler())
logging.getLogger("openid").propagate = False

XRDS_TYPE = "application/xrds+xml"
SERVICE_TYPES = (
    "http://specs.openid.net/auth/2.0/server",
    ax.AXMessage.ns_uri,
    sreg.ns_uri_1_1,
    teams.teams_uri,
    "http://ns.login.ubuntu.com/2016/openid-macaroon",
)
SIGNON_TYPES = ("http://specs.openid.net/auth/2.0/signon", "http://openid.net/signon/1.1",
                "http://openid.net/signon/1.0")
AX_NAMES = {
    "http://axschema.org/namePerson": "fullname",
    "http://axschema.org/namePerson/friendly": "nickname",
    "http://axschema.org/contact/email": "email",
    "http://axschema.org/timezone": "timezone",
    "http://axschema.org/language/pref": "language",
    "http://ns.login.ubuntu.com/2013/validation/account": "account_verified",
}
# Longer ones are delivered by a form (facts 7.3).
URL_LIMIT = 2047


def accounts_of(data):
    """Gives the accounts of the people of a Launchpad stand-in's data, under their Launchpad names."""
    registry = launchpad_standin.Registry(data)
    return {
        name: {
            "id": fields["openid"],
            "nickname": name,
            "email": fields["email"],
            "fullname": fields["display_name"],
            "verified": True,
            "teams": sorted(team for team in registry.super_teams(name) if not registry.hidden(team)),
            "active": not fields.get("suspended", False),
        }
        for name, fields in registry.objects.items() if not fields["is_team"]
    }


def complete(name, fields):
    """Gives the account with all its fields; an unknown one is a mistake of the test."""
    made = {"id": name.title().replace("-", "")[:7], "nickname": name, "email": f"{name}@people.example",
            "fullname": name.replace("-", " ").title(), "verified": True, "teams": [], "timezone": "UTC",
            "language": "en", "active": True}
    unknown = set(fields) - set(made)
    if unknown:
        raise ValueError(f"an account has no {', '.join(sorted(unknown))}")
    made.update(fields)
    return made


# -- faults ---------------------------------------------------------------------------------------------------

Fault = collections.namedtuple("Fault", "text stage act")
FAULTS = {}


class Login:
    """One assertion on its way: what is signed, what is left out of the signature, how it is delivered."""

    def __init__(self, standin, account, args, return_to):
        self.standin = standin
        self.account = account
        self.args = args  # "openid.x" -> value, before it is signed
        self.withheld = set()  # names of args that are sent without being signed
        self.pairs = None  # [(name, value)], once it is signed
        self.return_to = return_to  # where the browser brings it
        self.method = None  # "GET" or "POST"; None: by length

    def signs_not(self, *starts):
        self.withheld.update(name for name in self.args if name.startswith(starts))

    def change(self, name, value):
        """Changes the value of a field that is signed already, in its place."""
        self.pairs = [(each, value if each == name else old) for each, old in self.pairs]

    def value(self, name):
        return dict(self.pairs)[name]


def fault(name, about, stage):
    """Puts a function into FAULTS: of (login, arguments), or for a verification of (handler, arguments)."""

    def register(act):
        FAULTS[name] = Fault(about, stage, act)
        return act

    return register


def signs(name, about, **fields):
    """Registers a fault that signs other values; each is a function of (login, the honest value)."""

    def act(login, args):
        for field, make in fields.items():
            login.args["openid." + field] = make(login, login.args["openid." + field])

    fault(name, about, "signed")(act)


def claims(name, about, make):
    """Registers a fault that signs another claimed identifier, made of the honest one."""
    signs(name, about, claimed_id=lambda login, value: make(value), identity=lambda login, value: make(value))


def withholds(name, about, *starts):
    """Registers a fault that sends fields with these beginnings without signing them."""
    fault(name, about, "signed")(lambda login, args: login.signs_not(*starts))


def host_of(url):
    return urllib.parse.urlsplit(url).netloc


signs("foreign-endpoint", "op_endpoint is that of another provider",
      op_endpoint=lambda login, value: "https://login.evil.example/+openid")
signs("longer-endpoint", "op_endpoint goes on behind ours", op_endpoint=lambda login, value: value + "/")
claims("claimed-id-other-host", "claimed_id of the same form on another host",
       lambda value: value.replace(host_of(value), "login.evil.example"))
claims("claimed-id-longer-host", "claimed_id on a host that begins like ours",
       lambda value: value.replace(host_of(value), host_of(value) + ".evil.example"))
claims("claimed-id-user-info", "claimed_id with our host as the user name at another one",
       lambda value: value.replace(host_of(value), host_of(value) + "@evil.example"))
claims("claimed-id-other-path", "claimed_id of our host that is no account's",
       lambda value: value.replace("/+id/", "/~"))
claims("claimed-id-dot-segments", "claimed_id that leaves the accounts by dot segments",
       lambda value: value.replace("/+id/", "/+id/../+id/"))
claims("claimed-id-look-alike", "claimed_id whose last letter is Cyrillic", lambda value: value + "\u0430")
claims("claimed-id-fragment", "claimed_id with a fragment", lambda value: value + "#2")
claims("claimed-id-empty", "claimed_id without an id", lambda value: value[:value.index("/+id/") + 5])
signs("identity-differs", "identity is another account than claimed_id", identity=lambda login, value: value + "x")
signs("return-to-altered", "return_to names another page of the site, and it came to ours",
      return_to=lambda login, value: value.replace("?", "/elsewhere?", 1))
signs("return-to-other-host", "return_to names another site",
      return_to=lambda login, value: value.replace(host_of(value), "evil.example", 1))
signs("return-to-more", "return_to has an argument more than the request",
      return_to=lambda login, value: value + "&next=evil")
signs("nonce-old", "response_nonce is of an hour ago",
      response_nonce=lambda login, value: mkNonce(time.time() - 3600))
signs("nonce-future", "response_nonce is of an hour from now",
      response_nonce=lambda login, value: mkNonce(time.time() + 3600))
signs("nonce-malformed", "response_nonce has no time", response_nonce=lambda login, value: "once")
signs("nonce-replayed", "response_nonce is that of the last answer, signed anew",
      response_nonce=lambda login, value: login.standin.last_nonce or value)
withholds("unsigned-nonce", "response_nonce is not signed", "openid.response_nonce")
withholds("unsigned-claimed-id", "claimed_id is not signed", "openid.claimed_id")
withholds("unsigned-identity", "identity is not signed", "openid.identity")
withholds("unsigned-return-to", "return_to is not signed", "openid.return_to")
withholds("unsigned-endpoint", "op_endpoint is not signed", "openid.op_endpoint")
withholds("unsigned-sreg", "nickname, address and their namespace are not signed", "openid.sreg.", "openid.ns.sreg")
withholds("unsigned-sreg-values", "nickname and address are not signed", "openid.sreg.")
withholds("unsigned-sreg-namespace", "the namespace of nickname and address is not signed", "openid.ns.sreg")
withholds("unsigned-ax", "the validation is not signed", "openid.ax.", "openid.ns.ax")
withholds("unsigned-teams", "the teams are not signed", "openid.lp.", "openid.ns.lp")


@fault("other-version", "the answer says OpenID 1.1", "tampered")
def _other_version(login, args):
    login.change("openid.ns", "http://openid.net/signon/1.1")


@fault("added-nickname", "the person unticked the nickname and wrote another one behind (argument nickname)", "tampered")
def _added_nickname(login, args):
    login.pairs = [(name, value) for name, value in login.pairs if name != "openid.sreg.nickname"]
    login.pairs.append(("openid.sreg.nickname", args.get("nickname", "victim")))


@fault("added-alias", "an unsigned second alias for sreg, with another nickname (argument nickname)", "tampered")
def _added_alias(login, args):
    login.pairs += [("openid.ns.s", sreg.ns_uri_1_1), ("openid.s.nickname", args.get("nickname", "victim"))]


@fault("tampered-nickname", "the signed nickname is changed (argument nickname)", "tampered")
def _tampered_nickname(login, args):
    login.change("openid.sreg.nickname", args.get("nickname", "victim"))


@fault("tampered-claimed-id", "claimed_id is another account of ours (argument id)", "tampered")
def _tampered_claimed_id(login, args):
    for name in ("openid.claimed_id", "openid.identity"):
        login.change(name, login.standin.identifiers + args.get("id", "victim7"))


@fault("reordered-signed", "the list of what is signed is in another order", "tampered")
def _reordered(login, args):
    login.change("openid.signed", ",".join(reversed(login.value("openid.signed").split(","))))


@fault("signed-absent", "the list of what is signed names a field that is not there", "tampered")
def _signed_absent(login, args):
    login.change("openid.signed", login.value("openid.signed") + ",sreg.gender")


@fault("duplicate-nickname", "a second nickname behind the first", "tampered")
def _duplicate_nickname(login, args):
    login.pairs.append(("openid.sreg.nickname", "victim"))


@fault("duplicate-claimed-id", "another claimed_id in front of the first", "tampered")
def _duplicate_claimed_id(login, args):
    login.pairs.insert(0, ("openid.claimed_id", login.standin.identifiers + "victim7"))


@fault("line-break", "a line break in the full name forges a signed nickname", "tampered")
def _line_break(login, args):
    login.change("openid.sreg.fullname", "Ann\nsreg.nickname:victim")


@fault("no-signature", "there is no signature", "tampered")
def _no_signature(login, args):
    login.pairs = [(name, value) for name, value in login.pairs if name != "openid.sig"]


@fault("other-signature", "the signature is another one", "tampered")
def _other_signature(login, args):
    login.change("openid.sig", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")


def leaves_out(name, about, *fields):
    """Registers a login that tells less than it was asked."""

    def act(login, args):
        for field in fields:
            login.args.pop("openid." + field, None)

    fault(name, about, "told")(act)


leaves_out("no-nickname", "no nickname, as without a Launchpad profile", "sreg.nickname", "ax.value.nickname.1")
leaves_out("no-email", "the person unticked the address", "sreg.email", "ax.value.email.1")
leaves_out("no-teams", "no word of teams", "lp.is_member", "ns.lp")


@fault("empty-teams", "lp.is_member is there and empty", "told")
def _empty_teams(login, args):
    login.args["openid.lp.is_member"] = ""


@fault("email-unverified", "the account has not proven its address", "told")
def _email_unverified(login, args):
    for name in login.args:
        if login.args[name] == "token_via_email":
            login.args[name] = "no"


# These answer the request without an assertion; StandIn.answer() looks for them.
fault("cancel", "the person would not", "mode")(None)
fault("setup-needed", "the provider has to ask the person first", "mode")(None)
fault("error", "the provider could not do it (argument error, its words)", "mode")(None)


@fault("by-post", "by a form that submits itself", "delivery")
def _by_post(login, args):
    login.method = "POST"


@fault("by-get", "by a redirect, however long it is", "delivery")
def _by_get(login, args):
    login.method = "GET"


@fault("other-state", "to the login of another browser (argument state)", "delivery")
def _other_state(login, args):
    parts = urllib.parse.urlsplit(login.return_to)
    login.return_to = parts._replace(query="state=" + args.get("state", "c29tZWJvZHkgZWxzZQ")).geturl()


@fault("no-state", "without the argument of return_to", "delivery")
def _no_state(login, args):
    login.return_to = login.return_to.partition("?")[0]


@fault("fields-in-query", "by a form whose URL holds a nickname too", "delivery")
def _fields_in_query(login, args):
    login.method = "POST"
    login.return_to += "&openid.sreg.nickname=victim"


@fault("replayed-answer", "the whole last answer, its signature included", "delivery")
def _replayed_answer(login, args):
    login.pairs = login.standin.last_pairs or login.pairs


def replies(name, about, status, body, **headers):
    """Registers a fault of a verification that replies something else."""
    fault(name, about, "verification")(lambda handler, args: handler.reply(
        status, body, "text/plain;charset=utf-8", {key.replace("_", "-"): value for key, value in headers.items()}))


replies("verification-false", "says is_valid:false", 200, "is_valid:false\nns:http://specs.openid.net/auth/2.0\n")
replies("verification-garbage", "says something else", 200, "<html>is_valid:true</html>\n")
replies("verification-both", "says false and true", 200, "is_valid:false\nis_valid:true\n")
replies("verification-cut", "the last line has no end", 200, "is_valid:true")
replies("verification-empty", "says nothing", 200, "")
replies("verification-server-error", "500, with the words of a yes", 500, "is_valid:true\n")
replies("verification-bad-request", "400, as for a request that is none", 400, "error:no\nmode:error\n")
replies("verification-redirect", "302 to a page that says yes", 302, "", Location="/+standin-yes")


@fault("verification-hangs", "never replies", "verification")
def _hangs(handler, args):
    handler.pause(None)
    handler.close_connection = True


@fault("verification-closed", "closes the connection without a reply", "verification")
def _closed(handler, args):
    handler.close_connection = True


@fault("verification-slow", "replies honestly after a while (argument seconds)", "verification")
def _slow(handler, args):
    if not handler.pause(args.get("seconds", 5)):
        handler.honest_verification()


class Script:
    """A fault that a test has asked for, and how often it could have struck."""

    def __init__(self, number, name, account, hits, args):
        if name not in FAULTS:
            raise ValueError(f"no such fault: {name}; there are {', '.join(sorted(FAULTS))}")
        self.number, self.name, self.account, self.args = number, name, account, args
        self.hits = {hits} if isinstance(hits, int) else hits if hits == "always" else set(hits)
        self.seen = 0

    def strikes(self, stages, account):
        """Whether it strikes this login; to be asked once for each."""
        if FAULTS[self.name].stage not in stages or self.account not in (None, account):
            return False
        self.seen += 1
        return self.hits == "always" or self.seen in self.hits


# -- pages ----------------------------------------------------------------------------------------------------

STYLE = """body{font:1rem/1.5 sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem}
button{font:inherit;display:block;width:100%;margin:.5rem 0;padding:.6rem;text-align:left}"""


def page(title, body):
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">\n'
            f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style></head>\n"
            f"<body><main><h1>{html.escape(title)}</h1>\n{body}\n</main></body></html>\n")


def login_page(token, realm, accounts):
    buttons = "\n".join(
        f'<button name="account" value="{html.escape(name)}"><strong>{html.escape(fields["fullname"])}</strong> '
        f'{html.escape(fields["nickname"] or "without a Launchpad profile")}</button>'
        for name, fields in accounts.items() if fields["active"])
    return page("Ubuntu One (stand-in)",
                f"<p>Log in to {html.escape(realm)} as</p>\n"
                f'<form method="post" action="/{token}/+decide">\n{buttons}\n'
                f'<button name="cancel" value="1">Cancel</button>\n</form>')


def self_submitting_page(action, pairs):
    fields = "\n".join(f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
                       for name, value in pairs)
    return page("Logging in",
                f'<form id="answer" method="post" action="{html.escape(action)}" accept-charset="UTF-8" '
                f'enctype="application/x-www-form-urlencoded">\n{fields}\n'
                f"<button>Continue</button>\n</form>\n"
                f'<script>document.getElementById("answer").submit();</script>')


def xrds(endpoint, types, local_id=None):
    lines = "".join(f"<Type>{each}</Type>" for each in types)
    local = f"<LocalID>{local_id}</LocalID>" if local_id else ""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">'
            f'<XRD><Service priority="0">{lines}<URI>{endpoint}</URI>{local}</Service></XRD></xrds:XRDS>\n')


# -- the server -----------------------------------------------------------------------------------------------

class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection: finds the page, or hands the request to the stand-in."""

    protocol_version = "HTTP/1.1"
    server_version = "Apache"
    sys_version = ""

    def log_message(self, *arguments):
        pass

    @property
    def standin(self):
        return self.server.standin

    def do_GET(self):
        self.dispatch(b"")

    def do_POST(self):
        self.dispatch(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def dispatch(self, body):
        path, _, query = self.path.partition("?")
        self.url_path, self.record = urllib.parse.unquote(path), None
        self.form = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if self.url_path.startswith("/+standin/"):
            return self.reply(*self.standin.control(self.url_path.removeprefix("/+standin/"), body))
        if self.command == "POST":
            self.form.update(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        self.record = self.standin.record(self)
        return self.route(self.url_path.strip("/").split("/"))

    def route(self, parts):
        standin = self.standin
        if parts == [""]:
            return self.discoverable(xrds(standin.endpoint, SERVICE_TYPES), "/+xrds", "Ubuntu One (stand-in)")
        if parts == ["+xrds"]:
            return self.reply(200, xrds(standin.endpoint, SERVICE_TYPES), XRDS_TYPE)
        if parts == ["+openid"]:
            return self.endpoint()
        if parts == ["+standin-yes"]:
            return self.reply(200, "is_valid:true\n", "text/plain")
        if parts[0] == "+id" and len(parts) in (2, 3):
            return self.identity_page(parts[1], parts[2:])
        if len(parts) == 2 and parts[1] == "+decide":
            return self.decide(parts[0])
        return self.reply(404, page("Not found", ""))

    def identity_page(self, identifier, rest):
        account = self.standin.account_of(identifier)
        if account is None or not account["active"] or rest not in ([], ["+xrds"]):
            return self.reply(404, page("Not found", ""))
        own = self.standin.identifiers + identifier
        document = xrds(self.standin.endpoint, SIGNON_TYPES, own)
        if rest:
            return self.reply(200, document, XRDS_TYPE)
        return self.discoverable(document, f"/+id/{identifier}/+xrds", account["fullname"])

    def discoverable(self, document, location, title):
        if XRDS_TYPE in self.headers.get("Accept", ""):
            return self.reply(200, document, XRDS_TYPE)
        return self.reply(200, page(title, ""), headers={"X-XRDS-Location": self.standin.root + location})

    def endpoint(self):
        """+openid: requests of a browser and of a site alike."""
        auto = self.form.pop("auto", None)
        try:
            request = self.standin.decode(self.form)
            if request is None:
                return self.reply(200, page("This is an OpenID endpoint", ""))
            if isinstance(request, CheckAuthRequest):
                return self.verification(request)
            if request.mode == "associate":
                return self.reply(*self.standin.handle(request))
        except ProtocolError as error:
            return self.protocol_error(error)
        if request.immediate:
            return self.deliver(self.standin.unanswered(request, "setup_needed"))
        name = self.standin.chosen if auto is None else auto
        if name is None:
            return self.reply(303, "", headers={"Location": f"/{self.standin.keep(request)}/+decide"})
        return self.answer(request, name or None)

    def protocol_error(self, error):
        if error.hasReturnTo():
            return self.reply(302, "", headers={"Location": error.encodeToURL()})
        return self.reply(400, error.encodeToKVForm(), "text/plain;charset=utf-8")

    def decide(self, token):
        request = self.standin.kept(token)
        if request is None:
            return self.reply(400, page("Invalid OpenID transaction", ""))
        if self.command == "GET":
            return self.reply(200, login_page(token, request.trust_root, self.standin.accounts()))
        if "cancel" not in self.form and "account" not in self.form:
            return self.reply(400, page("Choose an account", ""))
        self.standin.kept(token, drop=True)
        return self.answer(request, None if "cancel" in self.form else self.form["account"])

    def answer(self, request, name):
        try:
            self.deliver(self.standin.answer(request, name))
        except ValueError as error:
            self.reply(400, page("Cannot log in", html.escape(str(error))))

    def deliver(self, login):
        url = login.return_to + ("&" if "?" in login.return_to else "?") + urllib.parse.urlencode(login.pairs)
        method = login.method or ("POST" if len(url) > URL_LIMIT else "GET")
        if method == "GET":
            self.reply(302, "", headers={"Location": url})
        else:
            self.reply(200, self_submitting_page(login.return_to, login.pairs))

    def verification(self, request):
        self.check = request
        script = self.standin.verification_fault(self.form)
        if script is None:
            return self.honest_verification()
        return FAULTS[script.name].act(self, script.args)

    def honest_verification(self):
        self.reply(*self.standin.handle(self.check))

    def reply(self, status, body, content_type="text/html;charset=utf-8", headers=None):
        data = body.encode() if isinstance(body, str) else body
        if self.record is not None:
            self.record["status"] = status
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def pause(self, seconds):
        """Waits, for ever when None. True when the client has gone or the server stops."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.standin.stopping.is_set():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return False
            readable, _, _ = select.select([self.connection], [], [], left)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return True
            if readable:
                self.standin.stopping.wait(left)
        return True


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, standin, host, port):
        self.standin = standin
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self):
        """Binds without asking the resolver for our own name, which the standard class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        """A client that hangs up is everyday life here; anything else is a mistake of ours and is told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class UbuntuOneStandIn:
    """The provider as a whole. See the text at the top of this file."""

    def __init__(self, data_path_or_dict, host="127.0.0.1", port=0):
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError("the stand-in listens on the loopback only")
        data = launchpad_standin.load_data(data_path_or_dict)
        self.data = data["accounts"] if "accounts" in data else accounts_of(data)
        self.host, self.port = host, port
        self.lock = threading.RLock()
        self.arrived = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.listener = None

    # -- life --------------------------------------------------------------------------------------------------

    def start(self):
        """Listens, and fills in the addresses; gives itself back."""
        self.stopping.clear()
        self.listener = _Listener(self, self.host, self.port)
        self.port = self.listener.server_port
        self.root = f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
        self.endpoint = self.root + "/+openid"
        self.identifiers = self.root + "/+id/"
        self.reset()
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        self.stopping.set()
        self.listener.shutdown()
        self.listener.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    # -- OpenID ------------------------------------------------------------------------------------------------

    def decode(self, form):
        with self.lock:
            return self.server.decodeRequest(form)

    def handle(self, request):
        """associate and check_authentication: status, body and type of the reply."""
        with self.lock:
            reply = self.server.encodeResponse(self.server.handleRequest(request))
        return reply.code, reply.body, "text/plain;charset=utf-8"

    def keep(self, request):
        """Remembers a request while its person looks at the page; gives the name of the page."""
        token = secrets.token_urlsafe(12)
        with self.lock:
            self.requests_kept[token] = request
        return token

    def kept(self, token, drop=False):
        with self.lock:
            return self.requests_kept.pop(token, None) if drop else self.requests_kept.get(token)

    def answer(self, request, name):
        """Makes the answer to a checkid_setup: of the account of that name, or of nobody when None."""
        with self.lock:
            if name is not None and not self.need(name)["active"]:
                raise ValueError(f"{name} is not active")
            mode = next(iter(self.struck(("mode",), name)), None)
            if name is None or (mode is not None and mode.name == "cancel"):
                return self.unanswered(request, "cancel")
            if mode is not None and mode.name == "error":
                return self.unanswered(request, "error", error=mode.args.get("error", "no\nluck"))
            if mode is not None:
                return self.unanswered(request, "setup_needed")
            return self.assertion(request, name)

    @staticmethod
    def unanswered(request, mode, **fields):
        login = Login(None, None, None, request.return_to)
        login.pairs = [("openid.ns", "http://specs.openid.net/auth/2.0"), ("openid.mode", mode)]
        login.pairs += [("openid." + key, value) for key, value in fields.items()]
        return login

    def assertion(self, request, name):
        account = self._accounts[name]
        response = request.answer(True, identity=self.identifiers + account["id"])
        self.extend(request, response, account)
        login = Login(self, account, dict(response.fields.toPostArgs()), request.return_to)
        self.apply(("signed", "told"), name, login)
        unsigned = [(key, login.args[key]) for key in login.args if key in login.withheld]
        response.fields = Message.fromPostArgs(
            {key: value for key, value in login.args.items() if key not in login.withheld})
        signed = self.server.signatory.sign(response).fields.toPostArgs()
        login.pairs = list(signed.items()) + unsigned
        honest = list(login.pairs)
        self.apply(("tampered", "delivery"), name, login)
        self.last_nonce, self.last_pairs = login.args["openid.response_nonce"], honest
        return login

    @staticmethod
    def extend(request, response, account):
        """Adds what was asked for by sreg, AX and teams, as far as the account has it."""
        values = {key: account[key] for key in ("fullname", "nickname", "email", "timezone", "language")
                  if account[key] is not None}
        sreg_request = sreg.SRegRequest.fromOpenIDRequest(request)
        if sreg_request.wereFieldsRequested():
            response.addExtension(sreg.SRegResponse.extractResponse(sreg_request, values))
        if account["email"] is not None:
            values["account_verified"] = "token_via_email" if account["verified"] else "no"
        ax_request = ax.FetchRequest.fromOpenIDRequest(request)
        if ax_request is not None:
            ax_response = ax.FetchResponse(ax_request)
            for attribute in ax_request.iterAttrs():
                if AX_NAMES.get(attribute.type_uri) in values:
                    ax_response.addValue(attribute.type_uri, values[AX_NAMES[attribute.type_uri]])
            response.addExtension(ax_response)
        teams_request = teams.TeamsRequest.fromOpenIDRequest(request)
        if teams_request.wereTeamsRequested() and account["nickname"] is not None:
            response.addExtension(teams.TeamsResponse.extractResponse(teams_request, account["teams"]))

    def struck(self, stages, name):
        return [script for script in self.scripts if script.strikes(stages, name)]

    def apply(self, stages, name, login):
        for script in self.struck(stages, name):
            FAULTS[script.name].act(login, script.args)

    def verification_fault(self, form):
        """The fault for this check_authentication, if one is scripted for its account."""
        identifier = form.get("openid.claimed_id", "").rpartition("/")[2]
        with self.lock:
            name = next((each for each, fields in self._accounts.items() if fields["id"] == identifier), None)
            return next(iter(self.struck(("verification",), name)), None)

    # -- control -----------------------------------------------------------------------------------------------

    CONTROLS = ("add_account set_account accounts log_in_as add_fault clear_faults log count clear_log wait_for "
                "fault_names reset").split()

    def control(self, name, body):
        """Calls one of our own methods on behalf of another process: status, body and type of the reply."""
        name = name.replace("-", "_")
        if name not in self.CONTROLS:
            return 404, f"no such control: {name}; there are {', '.join(self.CONTROLS)}", "text/plain"
        try:
            result = getattr(self, name)(**json.loads(body or b"{}"))
        except (ValueError, TypeError) as error:
            return 400, str(error), "text/plain;charset=utf-8"
        return 200, json.dumps({"result": result}), "application/json"

    def reset(self):
        """Goes back to the accounts it was made with: nobody logged in, no faults, an empty log."""
        with self.lock:
            self._accounts = {name: complete(name, fields) for name, fields in self.data.items()}
            self.server = Server(MemoryStore(), self.endpoint)
            self.chosen = None
            self.requests_kept = {}
            self.last_nonce = self.last_pairs = None
            self.clear_log()
            self.clear_faults()

    def need(self, name):
        if name not in self._accounts:
            raise ValueError(f"no such account: {name}")
        return self._accounts[name]

    def account_of(self, identifier):
        with self.lock:
            return next((each for each in self._accounts.values() if each["id"] == identifier), None)

    def accounts(self):
        with self.lock:
            return {name: dict(fields) for name, fields in self._accounts.items()}

    def add_account(self, name, **fields):
        with self.lock:
            if name in self._accounts:
                raise ValueError(f"{name} is there already")
            self._accounts[name] = complete(name, fields)

    def set_account(self, name, **fields):
        with self.lock:
            self._accounts[name] = complete(name, {**self.need(name), **fields})

    def log_in_as(self, name=None):
        with self.lock:
            if name is not None:
                self.need(name)
            self.chosen = name

    def add_fault(self, name, account=None, hits="always", **args):
        with self.lock:
            self.fault_count += 1
            self.scripts.append(Script(self.fault_count, name, account, hits, args))
            return self.fault_count

    def clear_faults(self):
        with self.lock:
            self.scripts, self.fault_count = [], 0

    @staticmethod
    def fault_names():
        return {name: {"text": each.text, "stage": each.stage} for name, each in FAULTS.items()}

    def record(self, handler):
        """Notes a request; gives the note, so that its status can be filled in."""
        mode = handler.form.get("openid.mode", "")
        note = {
            "method": handler.command,
            "path": handler.url_path,
            "mode": mode,
            "fields": dict(handler.form) if mode == "check_authentication" else {},
            "user_agent": handler.headers.get("User-Agent"),
            "status": None,
            "time": time.time(),
        }
        with self.lock:
            self.requests.append(note)
            self.arrived.notify_all()
        return note

    def log(self):
        with self.lock:
            return [dict(note) for note in self.requests]

    def count(self, mode=""):
        with self.lock:
            return sum(mode in note["mode"] for note in self.requests)

    def clear_log(self):
        with self.lock:
            self.requests = []

    def wait_for(self, count, mode="", timeout=10):
        """Waits until so many requests have come; gives how many there are, fewer only when time ran out."""
        end = time.monotonic() + timeout
        with self.lock:
            while self.count(mode) < count and time.monotonic() < end and not self.stopping.is_set():
                self.arrived.wait(max(end - time.monotonic(), 0))
            return self.count(mode)


Brought = collections.namedtuple("Brought", "method url fields")


class _AnswerForm(html.parser.HTMLParser):
    """Reads the form of a page that submits itself."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields = None, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.action = attrs["action"]
        elif tag == "input":
            self.fields.append((attrs["name"], attrs["value"]))


def bring(request_url, account=None):
    """Does what a browser does with the URL of a request until it would come back to the site.

    Gives (method, url, fields): a URL to get, or a URL to post the fields to. With account "" the person
    cancels; with None whoever log_in_as() has chosen is logged in.
    """
    if account is not None:
        request_url += "&" + urllib.parse.urlencode({"auto": account})
    parts = urllib.parse.urlsplit(request_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if response.status == 302:
        return Brought("GET", response.headers["Location"], [])
    form = _AnswerForm(body)
    if response.status != 200 or form.action is None:
        raise ValueError(f"no answer but {response.status}: {body}")
    return Brought("POST", form.action, form.fields)


def parse_arguments():
    parser = argparse.ArgumentParser(description="A stand-in for Ubuntu One's login, for tests.")
    parser.add_argument("--data", required=True, help="JSON file with accounts, or with people and teams of Launchpad")
    parser.add_argument("--host", default="127.0.0.1", choices=("127.0.0.1", "::1", "localhost"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", help="gets the root when all is ready")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    ending = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread exists, so that the signal waits for the one place that takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    with UbuntuOneStandIn(arguments.data, arguments.host, arguments.port) as standin:
        print(standin.root, flush=True)
        if arguments.ready_file:
            with open(arguments.ready_file + ".new", "w", encoding="utf-8") as file:
                file.write(standin.root + "\n")
            os.replace(arguments.ready_file + ".new", arguments.ready_file)
        signal.sigwait(ending)


if __name__ == "__main__":
    main()
