"""The portal behind the real nginx and the real Apache, with the shipped site files.

Only addresses, ports and paths of the files are replaced, as there is no privileged port and no
/run here. Both are ordinary processes of the test.
"""

import grp
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from lpalias_world import PATIENCE_S
from mail_sink import free_port
from portal_world import Answer, PortalWorld, why_not
from ubuntu_one_standin import bring

os.environ["PATH"] += ":/usr/sbin:/sbin"
SOURCE = os.environ.get("SOURCE_DIR", os.path.join(HERE, "..", ".."))
HOST = "alias.example.org"
APACHE_MODULES = "/usr/lib/apache2/modules"
NGINX = """
daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    scgi_temp_path {directory}/scgi;
    uwsgi_temp_path {directory}/uwsgi;
    include {directory}/site;
}}
"""
APACHE = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/pid
ErrorLog {directory}/error.log
Define APACHE_LOG_DIR {directory}
User {user}
Group {user}
{modules}
Listen 127.0.0.1:{http_port}
Listen 127.0.0.1:{https_port}
Include {directory}/site
"""


def setUpModule():
    if why_not():
        raise unittest.SkipTest(why_not())
    if shutil.which("openssl") is None:
        raise unittest.SkipTest("openssl is not installed")


def example(name):
    with open(os.path.join(SOURCE, "portal-examples", name), encoding="utf-8") as file:
        return file.read()


def replaced(text, replacements):
    """With each of them, which must be there."""
    for old, new in replacements.items():
        if old not in text:
            raise AssertionError(f"the example has no {old}")
        text = text.replace(old, new)
    return text


class Proxied:
    """Portal and proxy. For one kind of proxy a class has `program`, main_file() and site()."""

    @classmethod
    def setUpClass(cls):
        if shutil.which(cls.program) is None:
            raise unittest.SkipTest(f"{cls.program} is not installed")
        cls.directory = tempfile.mkdtemp(prefix="lpalias-proxy-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o755)
        cls.http_port, cls.https_port = free_port(), free_port()
        cls.start_portal()
        cls.make_certificate()
        cls.start_proxy()

    @classmethod
    def start_portal(cls):
        cls.world = PortalWorld()
        cls.addClassCleanup(cls.world.close)
        cls.socket = os.path.join(cls.world.directory, "http")
        cls.world.authority, cls.world.url = HOST, f"https://{HOST}"
        cls.world.listen = f"unix:{cls.socket}"
        cls.world.portal_endpoint = cls.socket
        cls.world.write_config()
        cls.world.fill()
        cls.world.start_portal()
        if os.geteuid() == 0:  # as the socket unit does
            os.chown(cls.socket, -1, grp.getgrnam("www-data").gr_gid)

    @classmethod
    def make_certificate(cls):
        cls.certificate, cls.key = (os.path.join(cls.directory, name) for name in ("certificate", "key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
                        "-keyout", cls.key, "-out", cls.certificate], capture_output=True, check=True)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    @classmethod
    def read(cls, name):
        with open(os.path.join(cls.directory, name), encoding="utf-8") as file:
            return file.read()

    @classmethod
    def start_proxy(cls):
        cls.write("site", cls.site())
        main = cls.write("main", cls.main_file())
        cls.proxy = subprocess.Popen(cls.command(main), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.stop_proxy)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", cls.https_port), PATIENCE_S).close()
                return
            except ConnectionRefusedError:
                if cls.proxy.poll() is not None:
                    raise AssertionError(cls.proxy.stderr.read()) from None
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    @classmethod
    def stop_proxy(cls):
        cls.proxy.terminate()
        cls.proxy.wait(PATIENCE_S)
        cls.proxy.stderr.close()

    # What a browser does.

    def tls(self, alpn=(), source="127.0.0.1"):
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols(list(alpn) or ["http/1.1"])
        raw = socket.create_connection(("127.0.0.1", self.https_port), PATIENCE_S, (source, 0))
        return context.wrap_socket(raw, server_hostname=HOST)

    def request(self, method, path, headers=None, body=None, login=None, source="127.0.0.1"):
        """As PortalWorld.request(), through the proxy, from that address."""
        fields = {}
        if login is not None:
            fields["Cookie"] = login.cookie
            if method != "GET":
                fields |= {"X-CSRF-Token": login.csrf, "Origin": self.world.url, "Sec-Fetch-Site": "same-origin"}
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self.tls(source=source)
        try:
            connection.request(method, path, body, fields | (headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    # The cases.

    def test_pages(self):
        answer = self.request("GET", "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["strict-transport-security"], "max-age=31536000")
        direct = self.world.request("GET", "/")
        self.assertEqual(answer.body, direct.body)
        for name in direct.headers:
            if name not in ("date", "connection", "content-length"):
                self.assertEqual(answer.headers.get(name), direct.headers[name], name)
        again = self.request("GET", "/", {"If-None-Match": answer.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        zipped = self.request("GET", "/", {"Accept-Encoding": "gzip"})
        self.assertNotIn("content-encoding", zipped.headers)

    def test_plain_http_leads_to_https(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_S)
        connection.request("GET", "/status?x=1", headers={"Host": HOST})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.getheader("Location")), (301, f"https://{HOST}/status?x=1"))
        connection.close()

    def test_http_2(self):
        with self.tls(["h2", "http/1.1"]) as client:
            self.assertEqual(client.selected_alpn_protocol(), "h2")
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        ran = subprocess.run(["curl", "-sS", "--http2", "--cacert", self.certificate, "--connect-to",
                              f"{HOST}:443:127.0.0.1:{self.https_port}", "-w", "\n%{http_version} %{http_code}",
                              f"https://{HOST}/api/session"], capture_output=True, text=True, check=False,
                             env={"PATH": os.environ["PATH"]})
        self.assertEqual(ran.stdout.splitlines()[-1], "2 200", ran.stderr)

    def test_old_tls_is_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificate)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", self.https_port), PATIENCE_S) as raw, \
                self.assertRaises(OSError):
            context.wrap_socket(raw, server_hostname=HOST)

    def test_a_session(self):
        login = self.world.log_in()
        self.assertTrue(self.request("GET", "/api/session", login=login).json()["logged_in"])
        answer = self.request("POST", "/logout", login=login)
        self.assertEqual(answer.status, 204)
        for wanted in ("__Host-lpalias=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            self.assertIn(wanted, answer.headers["set-cookie"])
        self.assertFalse(self.request("GET", "/api/session", login=login).json()["logged_in"])

    def come_back(self, brought, cookie):
        """What the browser does with what bring() gave; a form comes from the provider's page."""
        path = brought.url.removeprefix(self.world.url)
        if brought.method == "GET":
            return self.request("GET", path, {"Cookie": cookie})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded",
                   "Origin": self.world.ubuntu_one.root, "Sec-Fetch-Site": "cross-site"}
        return self.request("POST", path, headers, urllib.parse.urlencode(brought.fields))

    def test_a_login_comes_back_by_a_link_and_by_a_form(self):
        for method, fault in (("GET", "by-get"), ("POST", "by-post")):
            with self.subTest(method=method):
                self.world.ubuntu_one.clear_faults()
                self.world.ubuntu_one.add_fault(fault)
                begun = self.request("GET", "/login")
                self.assertEqual(begun.status, 303)
                self.assertIn("SameSite=None", begun.headers["set-cookie"])
                self.assertIn("Secure", begun.headers["set-cookie"])
                brought = bring(begun.headers["location"], "jdoe")
                self.assertEqual(brought.method, method)
                answer = self.come_back(brought, begun.headers["set-cookie"].partition(";")[0])
                self.assertEqual((answer.status, answer.headers["location"]), (303, "/me"), self.world.portal_log())

    def test_another_host_is_not_served(self):
        self.assertIn(self.request("GET", "/", {"Host": "evil.example"}).status, (400, 421))

    def test_long_bodies_are_refused(self):
        login = self.world.log_in()
        self.assertEqual(self.request("POST", "/logout", body=b"x" * 70000, login=login).status, 413)
        self.assertEqual(self.request("POST", "/logout", body=b"x" * 60000, login=login).status, 204)

    def test_paths_are_as_they_came(self):
        for path in ("/static/%2e%2e/%2e%2e/etc/passwd", "/api/nothing/a%2fb", "//evil.example/"):
            answer = self.request("GET", path)
            self.assertIn(answer.status, (400, 404), path)
            self.assertNotIn(b"root:", answer.body)

    def test_limits_count_by_the_address_that_the_proxy_sees(self):
        """Whatever somebody says of himself, he runs into his limit, and a neighbour does not."""
        for number in range(400):
            login = self.world.log_in(account=f"https://login.ubuntu.com/+id/Nr{number}")
            answer = self.request("POST", "/logout", {"X-Forwarded-For": f"192.0.2.{number % 250}"}, login=login,
                                  source="127.0.0.3")
            if answer.status != 204:
                break
        self.assertEqual(answer.status, 429)
        self.assertGreaterEqual(number, 120)
        login = self.world.log_in(account="https://login.ubuntu.com/+id/Neighbour")
        self.assertEqual(self.request("POST", "/logout", login=login, source="127.0.0.4").status, 204)

    def send(self, raw):
        """Bytes over one connection, and what comes until the proxy hangs up or waits for more."""
        with self.tls() as client:
            client.settimeout(1)
            got = b""
            try:
                client.sendall(raw.encode("latin-1"))
                while some := client.recv(65536):
                    got += some
            except (TimeoutError, ConnectionResetError, ssl.SSLError):
                pass
        return got

    def test_no_request_is_hidden_in_another_one(self):
        """The proxy keeps its connections to the portal: what one client hides would be answered to another."""
        login, page = self.world.log_in(), self.request("GET", "/static/site.css").body
        hidden = (f"POST /logout HTTP/1.1\r\nHost: {HOST}\r\nCookie: {login.cookie}\r\nOrigin: {self.world.url}\r\n"
                  f"X-CSRF-Token: {login.csrf}\r\nContent-Length: 0\r\n\r\n")
        for method, fields, body in [
                ("HEAD", f"Content-Length: {len(hidden)}", ""), ("GET", f"Content-Length: {len(hidden)}", ""),
                ("DELETE", f"Content-Length: {len(hidden)}", ""), ("OPTIONS", f"Content-Length: {len(hidden)}", ""),
                ("HEAD", "Transfer-Encoding: chunked", f"{len(hidden):x}\r\n"),
                ("POST", f"Content-Length: {len(hidden)}\r\nTransfer-Encoding: xchunked", ""),
                ("POST", f"Transfer-Encoding : chunked\r\nContent-Length: {len(hidden)}", ""),
                ("POST", f"X: y\r\n Content-Length: 0\r\nContent-Length: {len(hidden)}", ""),
                ("POST", f"Content-Length: {len(hidden)}\nX: y", "")]:
            with self.subTest(method=method, fields=fields):
                end = "\r\n0\r\n\r\n" if body else ""
                self.send(f"{method} /api/session HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n\r\n{body}{hidden}{end}")
                for _ in range(4):
                    self.assertEqual(self.request("GET", "/static/site.css").body, page)
                self.assertTrue(self.request("GET", "/api/session", login=login).json()["logged_in"])
        self.send(hidden)
        self.assertFalse(self.request("GET", "/api/session", login=login).json()["logged_in"])

    def test_the_log_has_no_query(self):
        self.request("GET", "/status?secret=do-not-write", {"Referer": "https://x.example/?secret=do-not-write"})
        end = time.monotonic() + PATIENCE_S
        while "GET /status " not in self.read("lpalias-portal.log"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertNotIn("do-not-write", self.read("lpalias-portal.log"))


class Nginx(Proxied, unittest.TestCase):
    """portal-examples/nginx.conf"""

    program = "nginx"

    @classmethod
    def command(cls, main):
        return ["nginx", "-p", cls.directory, "-e", f"{cls.directory}/error.log", "-c", main]

    @classmethod
    def main_file(cls):
        return NGINX.format(directory=cls.directory)

    @classmethod
    def site(cls):
        text = re.sub(r"(?m)^ *listen \[::\].*\n", "", example("nginx.conf"))
        return replaced(text, {
            "unix:/run/lpalias-portal/http": f"unix:{cls.socket}",
            "listen 80;": f"listen 127.0.0.1:{cls.http_port};",
            "listen 443 ": f"listen 127.0.0.1:{cls.https_port} ",
            "/var/log/nginx": cls.directory,
            "/etc/ssl/certs/alias.example.org.pem": cls.certificate,
            "/etc/ssl/private/alias.example.org.key": cls.key,
        })


class Apache(Proxied, unittest.TestCase):
    """portal-examples/apache.conf"""

    program = "apache2"

    @classmethod
    def command(cls, main):
        return ["apache2", "-D", "FOREGROUND", "-f", main]

    @classmethod
    def main_file(cls):
        # The modules that the file names, and those that Debian enables by itself.
        named = re.search(r"a2enmod (.*)", example("apache.conf"))[1].split()
        modules = ["mpm_event", "authz_core", "alias", *named]
        if "socache_shmcb" not in modules:
            modules.insert(0, "socache_shmcb")
        loads = "\n".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in modules)
        return APACHE.format(directory=cls.directory, modules=loads, user="www-data", http_port=cls.http_port,
                             https_port=cls.https_port)

    @classmethod
    def site(cls):
        return replaced(example("apache.conf"), {
            "unix:/run/lpalias-portal/http": f"unix:{cls.socket}",
            "*:80": f"127.0.0.1:{cls.http_port}",
            "*:443": f"127.0.0.1:{cls.https_port}",
            "/etc/ssl/certs/alias.example.org.pem": cls.certificate,
            "/etc/ssl/private/alias.example.org.key": cls.key,
        })


if __name__ == "__main__":
    tap.main()
