"""lpalias lint against the postconf of the real Postfix: the shipped examples are clean, and each fault
put into them is found by its check and by no other."""

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import DOMAINS, World
from postfix_instance import SYSTEM_PATH, example

USAGE, CONFIG, TEMPORARY = 64, 78, 75
OURS = "socketmap:unix:lpalias/lookup:alias"
SRS = "sender_canonical_maps = socketmap:unix:srs:forward"
SUBMISSION = """submission inet n - y - - smtpd
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  # a comment does not end it
  -o { smtpd_sender_restrictions = %s }
"""


def read(name):
    with open(example(name), encoding="utf-8") as file:
        return file.read()


@unittest.skipIf(os.geteuid() != 0, "the rights of the user postfix need root")
class Lint(unittest.TestCase):
    """A private configuration of Postfix and a running lpaliasd."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        os.chmod(cls.directory, 0o755)
        cls.queue = os.path.join(cls.directory, "spool")
        cls.sockets = os.path.join(cls.queue, "lpalias")
        os.makedirs(cls.sockets)
        os.chown(cls.sockets, 0, grp.getgrnam("postfix").gr_gid)
        os.chmod(cls.sockets, 0o2750)
        cls.world = World(socket_directory=cls.sockets)
        cls.addClassCleanup(cls.world.close)
        cls.world.start_server()

    def configure(self, piece="main.cf.socketmap-unix", main="", master="", change=None):
        """Writes main.cf and master.cf, `main` behind the shipped piece, where {old: new} is changed."""
        text = "\n".join(["compatibility_level = 3.6", f"queue_directory = {self.queue}",
                          "myhostname = mx.relay.example", read(piece), SRS, main])
        text = text.replace("10041", str(self.world.inet_port)).replace("10042", str(self.world.tcp_port))
        for old, new in (change or {}).items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.write("main.cf", text)
        self.write("master.cf", read("master.cf.chroot") + master)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.utime(path, (1, 1))  # Postfix waits for a file that is only just written

    def lint(self, *arguments, status=None):
        """[(check, found, change)]"""
        ran = self.world.lpalias("lint", "--json", *(arguments or ("--config-directory", self.directory)),
                                 status=status)
        found = json.loads(ran.stdout)["findings"]
        self.assertEqual(ran.status, 1 if found else 0, ran)
        return [(each["check"], each["found"], each["change"]) for each in found]

    def check(self, wanted, *words, **configuration):
        """The findings are of exactly the wanted checks, and say the words."""
        self.configure(**configuration)
        found = self.lint()
        self.assertEqual([check for check, *_ in found], wanted, found)
        for word in words:
            self.assertIn(word, "\n".join(" ".join(each) for each in found))

    def test_the_examples_are_clean(self):
        for piece in ("main.cf.socketmap-unix", "main.cf.socketmap-proxy", "main.cf.socketmap-inet",
                      "main.cf.tcp-table"):
            with self.subTest(piece=piece):
                self.check([], piece=piece)
        for further in ("access", "policy", "submission"):
            master = read("master.cf.submission") if further == "submission" else ""
            with self.subTest(further=further):
                self.check([], main=read(f"main.cf.{further}"), master=master)
        self.assertEqual(self.world.lpalias("lint", "--config-directory", self.directory).stdout,
                         "fine: 14 checks found nothing\n")

    def test_a_missing_map(self):
        self.check(["map-missing"], f"virtual_alias_maps = {OURS}", change={OURS: "hash:/etc/virtual"})
        self.check(["map-missing"], "socketmap:unix:other/lookup:alias", "no listener there",
                   change={OURS: "socketmap:unix:other/lookup:alias"})

    def test_a_map_of_another_protocol_or_name(self):
        tcp, inet = f"tcp:127.0.0.1:{self.world.inet_port}", f"socketmap:inet:127.0.0.1:{self.world.tcp_port}:alias"
        self.check(["map-protocol"], "speaks socketmap", change={OURS: tcp})
        self.check(["map-protocol"], "speaks tcp_table", change={OURS: inet})
        self.check(["map-protocol"], 'should ask "alias"',
                   change={OURS: "socketmap:unix:lpalias/lookup:domain"})

    def test_a_table_type_that_postfix_does_not_know(self):
        fake = os.path.join(self.directory, "bin")
        os.makedirs(fake, exist_ok=True)
        self.addCleanup(shutil.rmtree, fake)
        self.configure()
        # The real postconf, without one of its types.
        path = os.path.join(fake, "postconf")
        real = shutil.which("postconf", path=SYSTEM_PATH)
        with open(path, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\n{real} "$@" | grep -v "^socketmap$"\n')
        os.chmod(path, 0o755)
        before = os.environ["PATH"]
        os.environ["PATH"] = fake + ":" + before
        self.addCleanup(os.environ.__setitem__, "PATH", before)
        found = self.lint()
        self.assertEqual([check for check, *_ in found], ["map-type"])
        self.assertIn("tcp:", found[0][2])

    def test_a_map_that_answers_before_ours(self):
        table = os.path.join(self.directory, "virtual")
        before = {OURS: f"hash:{table}, {OURS}"}
        for text, wanted in [("jdoe@ubuntu.com else@where.example\nubuntu.com x\n", ["map-order"]),
                             ("jdoe@where.example else@where.example\n", [])]:
            self.write("virtual", text)
            subprocess.run(["postmap", "-c", self.directory, "hash:" + table], check=True,
                           env={"PATH": SYSTEM_PATH}, timeout=60, stderr=subprocess.DEVNULL)
            self.check(wanted, *(["1 key(s)"] if wanted else []), change=before)
        self.check(["map-order"], "cannot be listed", change={OURS: f"regexp:/no/such, {OURS}"})
        self.check([], change={OURS: f"{OURS}, hash:{table}"})

    def test_a_proxy_that_may_not_ask(self):
        piece = "main.cf.socketmap-proxy"
        self.check(["map-proxy"], "proxy_read_maps", piece=piece, main="proxy_read_maps = hash:/etc/aliases")
        self.check([], piece=piece, main="proxy_read_maps = $virtual_alias_maps")

    def test_the_access_map_behind_what_permits(self):
        access = "check_recipient_access socketmap:unix:lpalias/lookup:access"
        self.check([], main=f"smtpd_recipient_restrictions = {access}, permit_mynetworks, reject")
        self.check(["access-order"], "smtp/inet", "behind permit_mynetworks",
                   main=f"smtpd_recipient_restrictions = permit_mynetworks, {access}, reject")
        self.check(["access-order"], "submission/inet", master=SUBMISSION.replace(
            "smtpd_sender_restrictions", "smtpd_relay_restrictions") % ("permit_mynetworks, " + access))

    def test_a_path_that_the_chroot_hides(self):
        absolute = f"socketmap:unix:{self.sockets}/lookup:alias"
        self.check(["socket-chroot"], "smtpd, cleanup", f"main.cf: {OURS}", change={OURS: absolute})
        self.check([], change={OURS: "proxy:" + absolute})
        self.check(["socket-chroot"], "outside of it: cleanup",
                   change={OURS: "socketmap:unix:/lpalias/lookup:alias"},
                   master="other unix n - n - 0 cleanup\n")

    def test_a_socket_outside_of_the_queue_directory(self):
        with World() as other:
            self.configure(change={OURS: f"socketmap:unix:{other.socket_path}:alias"})
            other.start_server()
            os.chmod(other.socket_path, 0o666)
            ran = other.lpalias("lint", "--config-directory", self.directory, status=1)
            self.assertRegex(ran.stdout, r"^socket-chroot: .*\n    change: .*below .*proxy:socketmap:unix:")

    def test_a_socket_that_the_user_postfix_cannot_reach(self):
        self.configure()
        self.addCleanup(os.chmod, self.sockets, 0o2750)
        for path, mode, wanted in [(self.world.socket_path, 0o600, "may not write to"),
                                   (self.sockets, 0o2700, "may not enter")]:
            before = os.stat(path).st_mode & 0o7777
            os.chmod(path, mode)
            found = self.lint()
            os.chmod(path, before)
            self.assertEqual([check for check, *_ in found], ["socket-rights"])
            self.assertIn(wanted, found[0][1])
        os.rename(self.world.socket_path, self.world.socket_path + ".away")
        found = self.lint()
        os.rename(self.world.socket_path + ".away", self.world.socket_path)
        self.assertIn("start lpaliasd", found[0][2])

    def test_a_domain_in_another_class(self):
        for parameter in ("mydestination", "relay_domains", "virtual_mailbox_domains"):
            self.check(["domain-class"], f"ubuntu.com is in {parameter}",
                       main=f"one = Ubuntu.com\n{parameter} = mx.example, $one")
        self.check(["domain-class"], "ubuntu.net is in relay_domains", main="relay_domains = net")

    def test_domains_that_are_not_listed(self):
        self.check(["domain-list"], "kubuntu.org is not listed", change={"kubuntu.org,": ""})
        domains = "virtual_alias_domains = ubuntu.com, kubuntu.org, lubuntu.me, edubuntu.org,\n" \
                  "    ubuntustudio.com, ubuntu.net"
        self.check(["domain-list"], "every domain of all mail", change={domains: ""})
        self.check(["domain-list"] * len(DOMAINS), "but asked of lpaliasd",
                   change={domains: "virtual_alias_domains = socketmap:unix:lpalias/lookup:domain"})

    def test_another_delimiter(self):
        self.check(["delimiter"], "recipient_delimiter = +", change={"recipient_delimiter = +": ""})
        self.check(["delimiter"], change={"recipient_delimiter = +": "recipient_delimiter = +-"})

    def test_the_sender_login_trap(self):
        maps = "smtpd_sender_login_maps = socketmap:unix:lpalias/lookup:sender\n"
        for trap in ("reject_sender_login_mismatch", "reject_known_sender_login_mismatch"):
            self.check(["sender-login"], "smtp/inet: " + trap,
                       main=f"{maps}smtpd_sender_restrictions = permit_mynetworks, {trap}")
            self.check([], main=f"smtpd_sender_restrictions = {trap}")  # there is no map of ours
            self.check([], main=maps, master=SUBMISSION % trap)  # only who is logged in comes so far
        self.check([], main=maps + "smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch")

    def test_unlisted_senders(self):
        self.check(["unlisted-sender"], main="smtpd_reject_unlisted_sender = yes")
        self.check(["unlisted-sender"], "submission/inet", master=SUBMISSION % "reject_unlisted_sender")

    def test_no_srs(self):
        self.check(["srs"], change={SRS: ""})
        self.check([], change={SRS: "smtpd_milters = unix:postsrsd/milter"})
        self.check([], change={SRS: "sender_canonical_maps = tcp:localhost:10001"})

    def test_files_in_place_of_programs(self):
        self.configure(change={OURS: f"socketmap:unix:{self.sockets}/lookup:alias"},
                       main="queue_directory = ${root}/spool\nroot = $(top)\ntop = " + self.directory)
        plain = subprocess.run(["postconf", "-c", self.directory, "-n"], capture_output=True, text=True,
                               env={"PATH": SYSTEM_PATH}, timeout=60, check=True).stdout
        self.assertIn("${root}/spool", plain)
        self.write("printed", plain)
        printed = os.path.join(self.directory, "printed")
        master = os.path.join(self.directory, "master.cf")
        found = self.lint("--postconf", printed, "--master", master)
        self.assertEqual([check for check, *_ in found], ["socket-chroot"])
        self.assertEqual(found, self.lint())
        ran = self.world.lpalias("lint", "--postconf", "-", stdin=plain)
        self.assertIn("not known who runs chrooted", ran.stderr)

    def test_what_cannot_be_read(self):
        missing = os.path.join(self.directory, "missing")
        for arguments, status in [
                (("--config-directory", missing), TEMPORARY), (("--postconf", missing), TEMPORARY),
                (("--postconf", "/dev/null"), USAGE), (("surplus",), USAGE),
                (("--postconf", "/dev/null", "--config-directory", missing), USAGE)]:
            ran = self.world.lpalias("lint", *arguments, status=status)
            self.assertEqual(ran.stdout, "", arguments)
            self.assertNotEqual(ran.stderr, "", arguments)

    def test_what_postconf_says(self):
        """Its own last words, and only these."""
        ran = self.world.lpalias("lint", "--config-directory", os.path.join(self.directory, "missing"), status=TEMPORARY)
        self.assertRegex(ran.stderr, r"^lpalias: postconf failed with status 1: .*missing/main\.cf: No such file or directory\n$")


if __name__ == "__main__":
    tap.main()
