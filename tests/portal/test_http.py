"""lpalias-portal as an HTTP server: what every answer says, and that nobody's request, however long,
slow or strange, does harm or holds up others."""

import contextlib
import os
import select
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, connect
from portal_world import PortalWorld, read_answer, why_not

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())


class PortalCase(unittest.TestCase):
    """One portal for all cases of a class."""

    portal = ()

    @classmethod
    def setUpClass(cls):
        cls.world = PortalWorld(portal=cls.portal)
        cls.addClassCleanup(cls.world.close)
        cls.world.start_portal()

    def request(self, *arguments, **options):
        return self.world.request(*arguments, **options)

    def open(self):
        client = connect(self.world.portal_endpoint)
        self.addCleanup(client.close)
        return client

    def assert_others_are_answered(self):
        begin = time.monotonic()
        self.assertEqual(self.request("GET", "/api/session").status, 200)
        return time.monotonic() - begin


class Answers(PortalCase):
    """What all answers have in common."""

    def test_what_libevent_answers_has_them_too(self):
        for status, raw in [(400, b"no HTTP at all, whatever it is\r\n\r\n"),
                            (501, b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n"),
                            (413, b"POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n"
                                  + b"x" * 70000),
                            (417, b"POST / HTTP/1.1\r\nContent-Length: 7\r\nExpect: x\r\n\r\n")]:
            with self.subTest(status=status):
                answer = self.world.raw_request(raw)
                self.check_headers(answer)
                self.assertEqual((answer.status, answer.headers["connection"]), (status, "close"))

    def test_expect_100_continue(self):
        head = (f"POST /logout HTTP/1.1\r\nHost: {self.world.authority}\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\nConnection: close\r\n\r\n")
        with self.open() as client, client.makefile("rb") as stream:
            client.sendall(head.encode())
            self.assertEqual(read_answer(stream), (100, {}, b""))
            client.sendall(b"{}")
            answer = read_answer(stream)
            self.assertEqual(answer.status, 401)
            self.check_headers(answer)

    def check_headers(self, answer):
        for name, value in ALWAYS.items():
            self.assertEqual(answer.headers.get(name), value, name)
        policy = answer.headers["content-security-policy"]
        for wanted in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'",
                       "base-uri 'none'"):
            self.assertIn(wanted, policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("permissions-policy", answer.headers)

    def test_every_answer_has_the_security_headers(self):
        login = self.world.log_in()
        for wanted, arguments, options in [
            (200, ("GET", "/"), {}),
            (200, ("HEAD", "/"), {}),
            (200, ("GET", "/static/site.css"), {}),
            (200, ("GET", "/api/session"), {}),
            (401, ("POST", "/logout"), {}),
            (403, ("POST", "/logout"), {"login": login, "headers": {"X-CSRF-Token": None}}),
            (404, ("GET", "/nothing"), {}),
            (404, ("GET", "/api/nothing"), {}),
            (405, ("POST", "/"), {}),
            (405, ("DELETE", "/api/session"), {}),
            (421, ("GET", "/"), {"headers": {"Host": "evil.example"}}),
            (204, ("POST", "/logout"), {"login": login}),
        ]:
            with self.subTest(wanted=wanted, arguments=arguments):
                answer = self.request(*arguments, **options)
                self.assertEqual(answer.status, wanted)
                self.check_headers(answer)
                self.assertNotIn("strict-transport-security", answer.headers)

    def test_errors_are_json_below_api_and_pages_elsewhere(self):
        answer = self.request("GET", "/api/nothing")
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.json()["error"]["code"], "not-found")
        answer = self.request("GET", "/<script>alert(1)</script>")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        self.assertNotIn(b"script", answer.body)

    def test_what_is_personal_is_kept_by_nobody(self):
        self.assertEqual(self.request("GET", "/api/session").headers["cache-control"], "no-store")
        self.assertEqual(self.request("GET", "/nothing").headers["cache-control"], "no-store")
        self.assertEqual(self.request("GET", "/").headers["cache-control"], "no-cache")

    def test_a_file_is_sent_again_only_when_it_changed(self):
        first = self.request("GET", "/static/site.css")
        self.assertTrue(first.body)
        for known, status in [(first.headers["etag"], 304), (f'W/"x", {first.headers["etag"]}', 304),
                              ('"other"', 200)]:
            answer = self.request("GET", "/static/site.css", {"If-None-Match": known})
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.body, b"" if status == 304 else first.body)

    def test_head_is_get_without_the_body(self):
        for path in ("/", "/api/session", "/nothing", "/api/nothing"):
            got, head = self.request("GET", path), self.request("HEAD", path)
            self.assertEqual(head.status, got.status)
            for each in (got, head):
                each.headers.pop("date")
            self.assertEqual(head.headers, got.headers)
            raw = f"HEAD {path} HTTP/1.1\r\nHost: {self.world.authority}\r\nConnection: close\r\n\r\n"
            with self.open() as client, client.makefile("rb") as stream:
                client.sendall(raw.encode())
                self.assertTrue(stream.read().endswith(b"\r\n\r\n"))

    def test_methods(self):
        for method, status in [("TRACE", 405), ("OPTIONS", 405), ("PUT", 405), ("PATCH", 405),
                               ("DELETE", 405)]:
            answer = self.request(method, "/api/session", {"X-Secret": "do-not-repeat"})
            self.assertEqual(answer.status, status, method)
            self.assertEqual(answer.headers["allow"], "GET, HEAD")
            self.assertNotIn(b"do-not-repeat", answer.body)
        self.assertEqual(self.request("CONNECT", "evil.example:443").status, 404)
        self.assertIn(self.request("FOO", "/").status, (400, 501))

    def test_paths_that_play_tricks_lead_nowhere(self):
        for path in ("/..", "/../", "/../etc/passwd", "/static/../../etc/passwd", "/static/..",
                     "/static/%2e%2e/%2e%2e/etc/passwd", "/static/%2e%2e%2fsite.css", "//",
                     "//evil.example/", "/static//site.css", "/static/./site.css",
                     "/static/site.css/", "/static/site.css%00", "/static/site.css%00.html",
                     "/static/%73ite.css", "/static\\site.css", "/index.html", "/./", "/%2f",
                     "/%00", "/api/session/", "/api/session;x", "/API/session",
                     "http://evil.example/", "https://evil.example/api/session", "*", "/#x",
                     f"http://localhost:{self.world.portal_port}/api/session"):
            with self.subTest(path=path):
                answer = self.request("GET", path)
                self.assertIn(answer.status, (400, 404))
                self.assertNotIn(b"root:", answer.body)
        self.assertEqual(self.request("GET", "/?next=//evil.example").status, 200)

    def test_only_our_host_is_served(self):
        for host in (None, "", "evil.example", "localhost", f"{self.world.authority}.evil.example",
                     f"evil.example:{self.world.portal_port}"):
            self.assertEqual(self.request("GET", "/", {"Host": host}).status, 421, host)
        twice = (f"GET / HTTP/1.1\r\nHost: {self.world.authority}\r\nHost: {self.world.authority}\r\n"
                 "Connection: close\r\n\r\n")
        self.assertEqual(self.world.raw_request(twice.encode()).status, 421)


class Limits(PortalCase):
    """Too long, too slow, too many."""

    portal = ('request-timeout = "1s"', "connection-limit = 100")

    def test_what_is_no_http_is_refused(self):
        for raw in (b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01" * 40,
                    b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\x00" * 200 + b"\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
                    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"):
            with self.subTest(raw=raw[:40]):
                answer = self.world.raw_request(raw)
                self.assertTrue(answer is None or 400 <= answer.status < 600)
                self.assert_others_are_answered()

    def test_long_headers_are_refused(self):
        short = self.request("GET", "/", {"X-Long": "a" * 10000})
        self.assertEqual(short.status, 200)
        for raw in (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 40000 + b"\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
                    b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n\r\n"):
            answer = self.world.raw_request(raw)
            self.assertTrue(answer is None or answer.status in (400, 413), answer)

    def test_long_bodies_are_refused(self):
        self.assertEqual(self.request("POST", "/logout", body=b"x" * 60000).status, 401)
        answer = self.request("POST", "/logout", body=b"x" * 70000)
        self.assertEqual(answer.status, 413)
        self.assertEqual(answer.headers["connection"], "close")
        # What is announced and never comes is not waited for longer than anything else.
        with self.open() as client, client.makefile("rb") as stream:
            client.sendall(f"POST /logout HTTP/1.1\r\nHost: {self.world.authority}\r\n"
                           "Content-Length: 10000000000\r\n\r\n".encode())
            self.assertIn(stream.readline()[9:12], (b"", b"413"))

    def test_chunked_bodies_are_refused(self):
        head = (f"POST /logout HTTP/1.1\r\nHost: {self.world.authority}\r\nConnection: close\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        small = head + b"5\r\nhello\r\n0\r\n\r\n"
        self.assertEqual(self.world.raw_request(small).status, 411)
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        answer = self.world.raw_request(head + chunk * 10 + b"0\r\n\r\n")
        self.assertTrue(answer is None or answer.status == 413, answer)
        answer = self.world.raw_request(head + b"ffffffffffffffff\r\nx")
        self.assertTrue(answer is None or answer.status in (400, 413), answer)

    def send_slowly(self, client, prefix, stop):
        """A byte every now and then, so that no read of the server comes back empty for long."""
        try:
            client.sendall(prefix)
            while not stop.is_set():
                client.sendall(b"a")
                time.sleep(0.05)
        except OSError:
            pass

    def test_a_slow_sender_is_cut_off_and_holds_up_nobody(self):
        stop = threading.Event()
        self.addCleanup(stop.set)
        prefixes = [b"G", b"GET / HTTP/1.1\r\nX: ",
                    b"POST /logout HTTP/1.1\r\nContent-Length: 60000\r\n\r\n"]
        clients = [self.open() for _ in range(30)]
        for place, client in enumerate(clients):
            threading.Thread(target=self.send_slowly, daemon=True,
                             args=(client, prefixes[place % len(prefixes)], stop)).start()
        for _ in range(10):
            self.assert_others_are_answered()
        for client in clients:  # the end comes, although each goes on sending
            client.settimeout(PATIENCE_S)
            try:
                self.assertEqual(client.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_who_says_nothing_is_cut_off(self):
        with self.open() as client:
            self.assertEqual(client.recv(1), b"")

    def test_a_slow_reader_is_cut_off_and_holds_up_nobody(self):
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.world.portal_port))
        client.settimeout(PATIENCE_S)
        one = f"GET / HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode()
        wanted = 20000

        def send():
            with contextlib.suppress(OSError):  # hung up on while the kernel still takes it
                client.sendall(one * wanted)

        threading.Thread(target=send, daemon=True).start()
        ended = select.poll()
        ended.register(client, 0)  # an end that comes without our reading anything
        while not ended.poll(50):
            self.assert_others_are_answered()
        got = bytearray()
        try:
            while some := client.recv(65536):
                got += some
        except ConnectionResetError:
            pass
        self.assertLess(got.count(b"HTTP/1.1 200"), wanted)

    def test_a_connection_serves_many_requests_also_when_they_come_together(self):
        one = f"GET /api/session HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode()
        with self.open() as client, client.makefile("rb") as stream:
            client.sendall(one * 20)
            for _ in range(20):
                self.assertEqual(read_answer(stream).status, 200)
            client.sendall(one)
            self.assertEqual(read_answer(stream).status, 200)

    def test_requests_that_come_in_pieces_are_whole(self):
        raw = f"GET /api/session HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode()
        with self.open() as client, client.makefile("rb") as stream:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for place in range(len(raw)):
                client.sendall(raw[place:place + 1])
            self.assertEqual(read_answer(stream).status, 200)


class ConnectionLimit(PortalCase):
    """At the limit, who rests makes room; who is served does not, and more wait."""

    portal = ("connection-limit = 3",)

    def ask(self, client):
        client.sendall(f"GET /api/session HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode())

    def assert_answered(self, client):
        with client.makefile("rb") as stream:
            self.assertEqual(read_answer(stream).status, 200)

    def test_the_longest_resting_one_makes_room(self):
        clients = [self.open() for _ in range(2)]
        for client in (*clients, clients[0]):  # the second one rests the longest
            self.ask(client)
            self.assert_answered(client)
        late = self.open()
        self.ask(late)
        self.assert_answered(late)
        self.assertEqual(clients[1].recv(1), b"")
        self.ask(clients[0])
        self.assert_answered(clients[0])

    def test_who_comes_when_none_rests_waits_for_his_turn(self):
        clients = [self.open() for _ in range(3)]
        for client in clients:
            client.sendall(b"GET /")
        late = self.open()
        self.ask(late)
        late.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            late.recv(1)
        late.settimeout(PATIENCE_S)
        clients[0].close()
        self.assert_answered(late)

    def test_at_the_limit_nobody_rests(self):
        clients = [self.open() for _ in range(3)]
        for client in clients:
            client.sendall(b"GET /api")
        late = self.open()
        self.ask(late)
        clients[0].sendall(f"/session HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode())
        self.assert_answered(clients[0])
        self.assertEqual(clients[0].recv(1), b"")
        self.assert_answered(late)


class StartAndStop(unittest.TestCase):
    """The process around the server."""

    def setUp(self):
        self.world = PortalWorld()
        self.addCleanup(self.world.close)

    def test_requests_at_hand_are_answered_before_the_end(self):
        process = self.world.start_portal()
        raw = f"GET /api/session HTTP/1.1\r\nHost: {self.world.authority}\r\n\r\n".encode()
        resting = connect(self.world.portal_port)
        half = connect(self.world.portal_port)
        with resting, half, resting.makefile("rb") as first, half.makefile("rb") as second:
            resting.sendall(raw)
            self.assertEqual(read_answer(first).status, 200)
            half.sendall(raw[:20])
            # The server has seen the half one when it answers another that came behind it.
            self.world.request("GET", "/api/session")
            process.terminate()
            self.assertEqual(first.read(), b"")
            half.sendall(raw[20:])
            answer = read_answer(second)
            self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
            self.assertEqual(second.read(), b"")
        self.world.portals.remove(process)
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_the_service_manager_is_told(self):
        path = os.path.join(self.world.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(PATIENCE_S)
            self.world.start_portal(environment={"NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", manager.recv(4096))
            self.assertEqual(self.world.stop_portal(), 0)
            self.assertIn(b"STOPPING=1", manager.recv(4096))

    def test_a_unix_socket(self):
        path = os.path.join(self.world.directory, "portal")
        self.world.listen = f"unix:{path}"
        self.world.write_config()
        self.world.start_portal()
        self.assertEqual(self.world.request("GET", "/", endpoint=path).status, 200)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)
        self.assertEqual(self.world.stop_portal(), 0)
        self.assertFalse(os.path.exists(path))

    def test_sockets_that_are_handed_over(self):
        path = os.path.join(self.world.directory, "handed-over")
        for listen, listening in [
                (self.world.listen, self.world.listening_socket()),
                (f"unix:{path}", self.world.listening_socket(path))]:
            endpoint = path if "unix" in listen else self.world.portal_port
            self.world.listen = listen
            self.world.write_config()
            with listening:
                self.world.start_portal(sockets=[listening])
                self.assertEqual(self.world.request("GET", "/", endpoint=endpoint).status, 200)
                self.assertEqual(self.world.stop_portal(), 0)
                connect(endpoint).close()  # it still listens

    def test_https_is_remembered_by_browsers(self):
        self.world.url = "https://alias.example.org"
        self.world.authority = "alias.example.org"
        self.world.write_config()
        self.world.start_portal()
        self.assertEqual(self.world.request("GET", "/").headers["strict-transport-security"],
                         "max-age=31536000")

    def test_without_a_portal_section_there_is_no_portal(self):
        self.world.top_lines = []
        super(PortalWorld, self.world).write_config()
        with self.assertRaisesRegex(RuntimeError, "ended with 78\n.*no portal section"):
            self.world.start_portal()

    def test_a_wrong_configuration(self):
        with open(self.world.config_file, "a", encoding="utf-8") as file:
            file.write("portal {\n")
        with self.assertRaisesRegex(RuntimeError, "ended with 78\n"):
            self.world.start_portal()

    def test_a_state_directory_that_is_open_to_others_is_refused(self):
        os.mkdir(self.world.state)
        os.chmod(self.world.state, 0o755)
        with self.assertRaisesRegex(RuntimeError, r"ended with 71\n(.*\n)*.*open to others"):
            self.world.start_portal()


if __name__ == "__main__":
    tap.main()
