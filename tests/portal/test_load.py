"""Very many members at once, while logins hang at Ubuntu One and mail hangs at a mail server: every answer is
the right one, and nobody's is another one's. How fast, says tests/bench/portal."""

import contextlib
import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import connect
from portal_world import LOGIN_COOKIE, PortalWorld, cookies_of, read_answer, why_not
from ubuntu_one_standin import bring

MEMBERS, HANGING, ROUNDS = 200, 50, 3
TEAM = "ubuntumembers"


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class Load(unittest.TestCase):
    """One process, all of them."""

    def setUp(self):
        self.silent = socket.create_server(("127.0.0.1", 0))  # takes connections and never says a word
        self.addCleanup(self.silent.close)
        self.names = [f"m{number:03d}" for number in range(MEMBERS)]
        self.world = PortalWorld({"people": {name: {} for name in self.names},
                                  "teams": {TEAM: {"members": self.names}}}, page_size=300)
        self.addCleanup(self.world.close)
        self.world.domains = {"ubuntu.com": TEAM}
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{self.silent.getsockname()[1]}"']
        self.world.write_config()
        self.world.fill(targets={}, opened=["ubuntu.com"])
        self.world.start_portal()
        self.connections = contextlib.ExitStack()
        self.addCleanup(self.connections.close)

    def address(self, number):
        return {"X-Forwarded-For": f"10.0.{number // 250}.{1 + number % 250}"}

    def go_to_provider(self, number):
        """(what the provider gave the browser, the cookie of the login)."""
        answer = self.world.request("GET", "/login", self.address(number))
        return (bring(answer.headers["location"], self.names[number]),
                f"{LOGIN_COOKIE}={cookies_of(answer)[LOGIN_COOKIE]}")

    def log_in(self, number):
        brought, cookie = self.go_to_provider(number)
        return self.world.login_of(self.world.come_back(brought, cookie, self.address(number)))

    def open(self):
        client = self.connections.enter_context(connect(self.world.portal_endpoint))
        return client, self.connections.enter_context(client.makefile("rb"))

    def send(self, client, method, path, number, headers, body=b""):
        fields = {"Host": self.world.authority, **self.address(number), **headers}
        if method == "POST":
            fields |= {"Content-Type": "application/json", "Content-Length": len(body), "Origin": self.world.url}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        client.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    def hang(self):
        """The streams of logins for which the provider does not answer."""
        self.world.ubuntu_one.add_fault("verification-hangs")
        streams = []
        for number in range(HANGING):
            brought, cookie = self.go_to_provider(number)
            client, stream = self.open()
            self.send(client, "GET", brought.url.removeprefix(self.world.url), number, {"Cookie": cookie})
            streams.append(stream)
        return streams

    def test_everybody_gets_the_own_answer(self):
        logins = [self.log_in(number) for number in range(MEMBERS)]
        hanging = self.hang()
        browsers = [self.open() for _ in logins]
        for number in range(3):
            answer = self.world.post("/api/me/targets", {"address": f"new{number}@home.example"}, logins[number],
                                     self.address(number))
            self.assertEqual(answer.status, 200)
        for turn in range(ROUNDS):
            acts = [("GET", "/api/me"), ("GET", "/api/session"), ("GET", "/static/site.css"),
                    ("POST", ("/api/me/pause", "/api/me/resume")[turn % 2])]
            for method, path in acts:
                for number, (client, _) in enumerate(browsers):  # all ask before anybody is answered
                    self.send(client, method, path, number,
                              {"Cookie": logins[number].cookie, "X-CSRF-Token": logins[number].csrf},
                              b"{}" if method == "POST" else b"")
                for number, (_, stream) in enumerate(browsers):
                    self.check(path, number, read_answer(stream))
        for stream in hanging:
            answer = read_answer(stream)
            self.assertEqual((answer.status, answer.headers["location"]), (303, "/?problem=unavailable"))
        paused = self.world.request("GET", "/api/me", login=logins[-1]).json()["paused"]
        self.assertIs(paused, ROUNDS % 2 == 1)

    def check(self, path, number, answer):
        self.assertEqual(answer.status, 200, (path, answer))
        if path in ("/api/me", "/api/session"):
            self.assertEqual(answer.json()["name"], self.names[number])
        if path == "/api/me":
            self.assertEqual([each["address"] for each in answer.json()["addresses"]],
                             [f"{self.names[number]}@ubuntu.com"])
        self.assertNotIn(self.names[number - 1], json.dumps(answer.body.decode()))


if __name__ == "__main__":
    tap.main()
