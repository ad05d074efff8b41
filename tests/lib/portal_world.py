"""lpalias-portal for a test: a World with a portal section, a stand-in of Ubuntu One, the process,
and requests to it.

    with PortalWorld() as world:
        world.fill()
        world.start_portal()
        login = world.log_in_as("jdoe")     # by way of the stand-ins of Ubuntu One and Launchpad
        world.request("GET", "/api/me", login=login).json() -> {"name": "jdoe", ...}

Both stand-ins, `ubuntu_one` and `launchpad`, know the same people, and take faults. The portal finds
`lpalias` by PATH, as it does when installed. use_sink() lets mail go to a MailSink.

The programs come from the environment: LPALIAS, LPALIAS_PORTAL, and SESSION_PROBE for log_in(),
which makes a session out of nothing. An answer that is not as docs/openapi.json describes it is an
error. Change `portal` (a list of configuration lines) and call write_config().
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
from typing import NamedTuple

import ubuntu_one_standin
from lpalias_world import (PATIENCE_S, World, connect, members, program, with_inherited,
                           wrapper)
from mail_sink import free_port
from openapi import Description

DESCRIPTION = Description()
SESSION_COOKIE, LOGIN_COOKIE = "__Host-lpalias", "__Host-lpalias-login"
ACCOUNT = "https://login.ubuntu.com/+id/AbC1234"


def why_not():
    """A sentence what is missing, or None."""
    for name in ("LPALIAS", "LPALIAS_PORTAL", "SESSION_PROBE"):
        if program(name) is None:
            return f"{name} is not set"
    return None


class Answer(NamedTuple):
    """One answer; header names are in lower case, one that comes twice has its values in a list."""
    status: int
    headers: dict
    body: bytes

    def json(self):
        """The body, read."""
        return json.loads(self.body)


class Login(NamedTuple):
    """What a browser holds that is logged in."""
    cookie: str
    csrf: str


class Begun(NamedTuple):
    """What a browser holds that was sent to the login provider."""
    url: str     # at the provider
    cookie: str  # of this login


def cookies_of(answer):
    """The cookies that an answer sets: {name: value}; "" takes one away."""
    lines = answer.headers.get("set-cookie", [])
    pairs = [line.partition(";")[0] for line in ([lines] if isinstance(lines, str) else lines)]
    return dict(pair.split("=", 1) for pair in pairs)


def read_answer(stream, has_body=True):
    """The next answer of a binary stream, or None when the other end hung up before its end."""
    first = stream.readline()
    if not first.endswith(b"\n"):
        return None
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n"):
        if not line.endswith(b"\n"):
            return None
        name, _, value = line.decode("latin-1").partition(":")
        name, value = name.lower(), value.strip()
        if name in headers:
            before = headers[name]
            value = (before if isinstance(before, list) else [before]) + [value]
        headers[name] = value
    length = int(headers.get("content-length", 0)) if has_body else 0
    body = stream.read(length)
    return Answer(int(first.split()[1]), headers, body) if len(body) == length else None


class PortalWorld(World):
    """See the top of the file."""

    def __init__(self, data=None, *arguments, portal=(), **options):
        data = members() if data is None else data
        self.ubuntu_one = ubuntu_one_standin.UbuntuOneStandIn(data).start()
        self.portal_port = free_port()
        self.portal_endpoint = self.portal_port  # or the path of a unix socket
        self.authority = f"localhost:{self.portal_port}"
        self.url = f"http://{self.authority}"
        self.portal = list(portal)
        self.listen = f"inet:127.0.0.1:{self.portal_port}"
        self.portals = []
        super().__init__(data, *arguments, **options)
        self.state = os.path.join(self.directory, "state")
        self.portal_log_path = os.path.join(self.directory, "portal.log")
        self.write_config()

    def write_config(self):
        self.top_lines = [line for line in self.top_lines if not line.startswith("portal ")]
        state = os.path.join(self.directory, "state")
        self.top_lines.append(f'portal {{ listen = "{self.listen}" url = "{self.url}" '
                              f'state = "{state}" '
                              f'openid-endpoint = "{self.ubuntu_one.endpoint}" '
                              f'openid-identifiers = "{self.ubuntu_one.identifiers}" '
                              f'{" ".join(self.portal)} }}')
        super().write_config()

    def close(self):
        try:
            while self.portals:
                process = self.portals.pop()
                process.kill()
                process.wait()
        finally:
            self.ubuntu_one.stop()
            super().close()

    # The process.

    def start_portal(self, options=(), sockets=(), environment=None, deadline_s=PATIENCE_S,
                     prefix=()):
        """Starts lpalias-portal in the foreground and waits until it says that it is ready; its
        messages stand in portal_log_path. `prefix` is put before the command. Returns the
        process."""
        log = open(self.portal_log_path, "ab")
        start = log.tell()
        with log:
            command = [*prefix, *wrapper(), program("LPALIAS_PORTAL"), "-c", self.config_file, *options]
            command, passed = with_inherited(command, sockets) if sockets else (command, [])
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       pass_fds=passed,
                                       env=os.environ | {"PATH": self.path()} | (environment or {}))
            for fd in passed:
                os.close(fd)
        self.portals.append(process)
        end = time.monotonic() + deadline_s
        while "ready" not in self.portal_log()[start:]:
            if process.poll() is not None:
                raise RuntimeError(f"lpalias-portal ended with {process.returncode}\n"
                                   + self.portal_log()[start:])
            if time.monotonic() > end:
                raise TimeoutError(f"lpalias-portal is not ready\n{self.portal_log()[start:]}")
            time.sleep(0.01)
        return process

    @staticmethod
    def path():
        """PATH of an installation: lpalias is found by its name."""
        return os.path.dirname(program("LPALIAS")) + ":" + os.environ["PATH"]

    def use_sink(self, sink):
        """Mail goes to that MailSink; before start_portal()."""
        self.notify = [f'smtp = "smtp://127.0.0.1:{sink.port}"']
        self.write_config()

    def stop_portal(self, process=None, deadline_s=PATIENCE_S):
        """SIGTERM to that one, or the last one started; returns its exit status."""
        process = process or self.portals[-1]
        self.portals.remove(process)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def portal_log(self):
        """All that lpalias-portal has written so far."""
        try:
            with open(self.portal_log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    # Requests.

    def request(self, method, path, headers=None, body=b"", login=None, endpoint=None):
        """One request over a connection of its own. With a login it is what a page of the site
        would send; `headers` come on top, and None takes one away."""
        fields = {"Host": self.authority, "Connection": "close"}
        if login is not None:
            fields["Cookie"] = login.cookie
            if method not in ("GET", "HEAD"):
                fields |= {"X-CSRF-Token": login.csrf, "Origin": self.url,
                           "Sec-Fetch-Site": "same-origin"}
        if body or method not in ("GET", "HEAD"):
            fields["Content-Length"] = str(len(body))
        fields |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items()
                       if value is not None)
        raw = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        answer = self.raw_request(raw, has_body=method != "HEAD", endpoint=endpoint)
        if answer is None:
            raise EOFError(f"{method} {path}: hung up on without an answer")
        problem = DESCRIPTION.problem(method, path, answer)
        if problem:
            raise AssertionError(f"docs/openapi.json: {problem}")
        return answer

    def post(self, path, body, login=None, headers=None, **options):
        """A POST of JSON, as a page of the site sends it."""
        return self.request("POST", path, {"Content-Type": "application/json", **(headers or {})},
                            json.dumps(body).encode(), login, **options)

    def raw_request(self, raw, has_body=True, endpoint=None):
        """The first answer to those bytes; None: hung up without one."""
        with connect(endpoint or self.portal_endpoint) as client, \
                client.makefile("rb") as stream:
            try:
                client.sendall(raw)
                return read_answer(stream, has_body)
            except (ConnectionResetError, BrokenPipeError):
                return None

    # Logins.

    def add_person(self, name, teams=(), **fields):
        """Somebody new to Launchpad (fields of its stand-in), with an account of Ubuntu One."""
        self.launchpad.add_person(name, **fields)
        for team in teams:
            self.launchpad.add_member(team, name)
        made = self.launchpad.registry.objects[name]
        self.ubuntu_one.add_account(name, id=made["openid"], email=made["email"], teams=list(teams))

    def begin_login(self, next_path="/me", headers=None):
        """GET /login up to where the browser is sent to."""
        answer = self.request("GET", "/login?" + urllib.parse.urlencode({"next": next_path}),
                              headers)
        if answer.status != 303 or not answer.headers["location"].startswith(
                self.ubuntu_one.endpoint):
            raise AssertionError(f"/login: {answer}")
        return Begun(answer.headers["location"],
                     f"{LOGIN_COOKIE}={cookies_of(answer)[LOGIN_COOKIE]}")

    def come_back(self, brought, cookie, headers=None):
        """What the browser does with what ubuntu_one_standin.bring() gave: the portal's answer. The
        form of a POST comes from another site, so only the login cookie comes along."""
        path = brought.url.removeprefix(self.url)
        if brought.method == "GET":
            return self.request("GET", path, {"Cookie": cookie} | (headers or {}))
        form = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self.ubuntu_one.root, "Sec-Fetch-Site": "cross-site"}
        return self.request("POST", path, form | (headers or {}),
                            urllib.parse.urlencode(brought.fields).encode())

    def try_log_in_as(self, name, next_path="/me", headers=None):
        """The last answer of a whole login: 303 to next_path, or to the first page with a problem.
        With name "" the person cancels."""
        begun = self.begin_login(next_path, headers)
        return self.come_back(ubuntu_one_standin.bring(begun.url, name), begun.cookie, headers)

    def login_of(self, answer):
        """The Login of an answer that begins a session, as a page would hold it."""
        if not cookies_of(answer).get(SESSION_COOKIE):
            raise AssertionError(f"not logged in: {answer}\n{self.portal_log()}")
        cookie = f"{SESSION_COOKIE}={cookies_of(answer)[SESSION_COOKIE]}"
        session = self.request("GET", "/api/session", login=Login(cookie, "")).json()
        return Login(cookie, session["csrf_token"])

    def log_in_as(self, name, next_path="/me"):
        """Somebody who has logged in by way of both stand-ins."""
        return self.login_of(self.try_log_in_as(name, next_path))

    def account(self, name):
        """The claimed identifier of somebody."""
        return self.ubuntu_one.identifiers + self.ubuntu_one.accounts()[name]["id"]

    def log_in(self, account=ACCOUNT, name="jdoe", admin=False, age_s=0):
        """Somebody who has logged in so many seconds ago."""
        ran = subprocess.run([program("SESSION_PROBE"), self.state, account, name,
                              "admin" if admin else "member", str(age_s)],
                             capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        return Login(*ran.stdout.split())

    def forget_limits(self):
        """Everybody may do everything again: another database of the portal, in which they stand.
        Sessions are over by that."""
        self.stop_portal()
        for name in ("data.mdb", "lock.mdb"):
            os.unlink(os.path.join(self.state, name))
        self.start_portal()

    def listening_socket(self, path=None):
        """A socket that listens where the configuration says, to be handed over."""
        listening = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        listening.bind(path or ("127.0.0.1", self.portal_port))
        listening.listen(16)
        return listening
