"""lpalias, the operator's command: every command as it is meant to be used and as it is not, exit
statuses, refreshes over time with a moved clock, and that no target shows where none was asked for."""

import fcntl
import json
import os
import pty
import pwd
import re
import shutil
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import ALERTS, DOMAINS, TARGETS, World, program, why_not

UBUNTU = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib", "ubuntu.json")
USAGE, TEMPORARY, CONFIG = 64, 75, 78
STATES = {"active", "leaving", "pending", "refused", "paused", "gone"}


def run_after(world, seconds, *arguments, status=0):
    """Runs lpalias with the clock moved on."""
    return world.lpalias(*arguments, status=status, after_s=seconds)


def run_on_terminal(world, answer, *arguments):
    """Runs lpalias on a terminal of its own, where `answer` is typed; (status, what stood there)."""
    master, slave = pty.openpty()
    command = [program("LPALIAS"), "-c", world.config_file, *arguments]
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        os.write(master, answer.encode())
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:
            pass  # the other side is closed
        process.wait(60)
    os.close(master)
    return process.returncode, shown.decode()


def generation(world):
    return json.loads(world.lpalias("status", "--json", status=None).stdout)["generation"]


def aliases(world, *arguments):
    """{address: row} of lpalias list --json."""
    rows = json.loads(world.lpalias("list", "--json", *arguments).stdout)
    return {row["address"]: row for row in rows}


class Usage(unittest.TestCase):
    """What can be said without a cache."""

    WRONG = [
        (),
        ("--unknown",),
        ("refersh",),
        ("domain",),
        ("domain", "opne", "ubuntu.com"),
        ("refresh", "--domian", "ubuntu.com"),
        ("refresh", "surplus"),
        ("refresh", "--domain"),
        ("refresh", "--domain", "foreign.example"),
        ("refresh", "--domain", "no domain"),
        ("query",),
        ("query", "alias"),
        ("query", "--cache", "--socket", "inet:127.0.0.1:1", "alias", "key"),
        ("query", "--socket", "nonsense", "alias", "key"),
        ("explain",),
        ("explain", "--map", "virtual", "a@ubuntu.com"),
        ("postfix-config", "surplus"),
        ("postfix-config", "--way", "carrier-pigeon"),
        ("postfix-config", "--queue-directory", "spool"),
        ("explain", "a@ubuntu.com", "b@ubuntu.com"),
        ("list", "--state", "happy"),
        ("list", "--kind", "odd"),
        ("list", "--domain", "no domain"),
        ("show",),
        ("domain", "open"),
        ("domain", "open", "--all", "ubuntu.com", "--yes"),
        ("domain", "open", "ubuntu.com"),
        ("domain", "remove", "ubuntu.com"),
        ("domain", "close"),
        ("target", "set", "jdoe"),
        ("target", "set", "jdoe", "--stdin", "a@target.example"),
        ("target", "clear"),
        ("import", "file"),
        ("import", "--format", "xml", "file"),
        ("import", "--format", "csv"),
        ("check", "surplus"),
        ("key",),
        ("key", "generate", "surplus"),
        ("key", "rotate", "surplus"),
        ("key", "retire"),
        ("key", "retire", "first"),
        ("key", "check", "surplus"),
        ("backup",),
        ("backup", "a", "b"),
        ("restore",),
        ("restore", "file"),
        ("cache",),
        ("cache", "upgrade", "surplus"),
    ]
    COMMANDS = ["refresh", "status", "query", "explain", "postfix-config", "list", "show", "domain list", "domain open",
                "domain close", "domain remove", "target set", "target clear", "import", "export", "export-person", "check", "lint",
                "key generate", "key rotate", "key retire", "key check", "backup", "restore",
                "cache upgrade", "help", "domain verify", "plan show", "plan release",
                "plan discard", "ban", "unban", "pause", "resume", "alias add", "alias remove",
                "alias allow", "alias set", "login set", "reserve", "erase", "rollback", "history", "verify",
                "notify"]

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)

    def test_wrong_use_is_64_and_says_so(self):
        for arguments in self.WRONG:
            with self.subTest(arguments=arguments):
                ran = self.world.lpalias(*arguments, status=USAGE)
                self.assertEqual(ran.stdout, "")
                self.assertNotEqual(ran.stderr, "")
        self.assertFalse(os.path.exists(self.world.cache), "wrong use made a cache")

    def test_check_and_key_generate_in_json(self):
        said = json.loads(self.world.lpalias("check", "--json").stdout)
        self.assertEqual(said, {"file": self.world.config_file, "domains": len(self.world.domains), "listeners": 3})
        self.world.lpalias("check", "--json", "--keys", status=USAGE)
        path = os.path.join(self.world.directory, "json-keys")
        said = json.loads(self.world.lpalias("key", "generate", "--json", "--file", path).stdout)
        self.assertEqual(said, {"key_file": path})
        self.assertTrue(os.path.exists(path))

    def test_a_misspelt_command_is_guessed(self):
        self.assertIn('did you mean "refresh"', self.world.lpalias("refersh", status=USAGE).stderr)
        self.assertIn('did you mean "domain open"',
                      self.world.lpalias("domain", "opne", status=USAGE).stderr)
        self.assertNotIn("did you mean", self.world.lpalias("xyzzyx", status=USAGE).stderr)

    def test_help_and_version(self):
        everything = self.world.lpalias("--help").stdout
        for command in self.COMMANDS:
            with self.subTest(command=command):
                words = command.split()
                self.assertIn(f"\n  {command}", everything)
                by_option = self.world.lpalias(*words, "--help").stdout
                self.assertTrue(by_option.startswith(f"Usage: lpalias {command}"), by_option)
                self.assertEqual(self.world.lpalias("help", *words).stdout, by_option)
        self.assertIn("domain close", self.world.lpalias("help", "domain").stdout)
        self.assertRegex(self.world.lpalias("--version").stdout, r"^lpalias \d+\.\d+\.\d+\n$")

    def test_a_command_without_cache_says_so_and_makes_none(self):
        self.world.lpalias("key", "generate")
        for arguments in [("status",), ("list",), ("show", "jdoe"), ("domain", "list"),
                          ("domain", "open", "ubuntu.com", "--yes"), ("domain", "close", "ubuntu.com"),
                          ("target", "set", "jdoe", "a@target.example"), ("target", "clear", "jdoe"),
                          ("refresh", "--dry-run"), ("key", "rotate"), ("key", "check"),
                          ("backup", "file"), ("cache", "upgrade")]:
            with self.subTest(arguments=arguments):
                ran = self.world.lpalias(*arguments, status=1)
                self.assertIn("there is no cache", ran.stderr)
                self.assertEqual(ran.stdout, "")
        self.assertFalse(os.path.exists(self.world.cache))
        self.world.lpalias("query", "--cache", "alias", "jdoe@ubuntu.com", status=TEMPORARY)
        self.assertEqual(self.world.lpalias("query", "--cache", "alias", "abuse@ubuntu.com").stdout,
                         ALERTS + "\n")

    def test_the_key_file_is_never_overwritten(self):
        path = os.path.join(self.world.directory, "other-keys")
        self.world.lpalias("key", "generate", "--file", path)
        with open(path, "rb") as file:
            before = file.read()
        self.assertEqual(os.stat(path).st_mode & 0o7777, 0o640)
        self.assertIn("exists", self.world.lpalias("key", "generate", "--file", path, status=1).stderr)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_check(self):
        self.assertIn("fine", self.world.lpalias("check").stdout)
        keys = self.world.lpalias("check", "--keys").stdout
        self.assertIn("recipient-delimiter", keys)
        self.world.server.append("  idle-limit = yes\n  nonsense = 1")
        self.world.write_config()
        self.addCleanup(self.world.write_config)
        self.addCleanup(self.world.server.clear)
        ran = self.world.lpalias("check", status=CONFIG)
        self.assertIn("idle-limit", ran.stderr)
        self.assertIn("nonsense", ran.stderr)
        self.world.lpalias("refresh", status=CONFIG)
        self.assertEqual(self.world.lpalias("check", "--keys").stdout, keys)


class Filled(unittest.TestCase):
    """Questions about a filled cache that is not changed."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.fill()

    def test_query_from_the_cache(self):
        ask = lambda *keys, status: self.world.lpalias("query", "--cache", *keys, status=status)
        self.assertEqual(ask("alias", "jdoe@ubuntu.com", status=0).stdout, "jdoe@target.example\n")
        self.assertEqual(ask("alias", "jdoe@ubuntu.com", "KIM+x@ubuntu.com", status=0).stdout,
                         "jdoe@ubuntu.com\tjdoe@target.example\nKIM+x@ubuntu.com\tkim+x@target.example\n")
        self.assertEqual(ask("alias", "nobody@ubuntu.com", status=2).stdout, "")
        self.assertEqual(ask("alias", "jdoe@ubuntu.com", "nobody@ubuntu.com", status=2).stdout,
                         "jdoe@ubuntu.com\tjdoe@target.example\n")
        ask("alias", "nobody@kubuntu.org", "nobody@ubuntu.com", status=TEMPORARY)
        self.assertEqual(ask("domain", "Ubuntu.com", status=0).stdout, "ubuntu.com\n")
        self.assertIn("no map", ask("nomap", "x", status=1).stderr)

    def test_query_through_the_server(self):
        self.assertIn("cannot reach", self.world.lpalias("query", "alias", "x@y.example", status=1).stderr)
        self.world.start_server()
        self.addCleanup(self.world.stop_server)
        ask = self.world.lpalias
        self.assertEqual(ask("query", "alias", "jdoe@ubuntu.com").stdout, "jdoe@target.example\n")
        self.assertEqual(ask("query", "alias", "jdoe@ubuntu.com", "ubuntu.com").stdout,
                         "jdoe@ubuntu.com\tjdoe@target.example\nubuntu.com\tubuntu.com\n")
        ask("query", "alias", "nobody@ubuntu.com", status=2)
        ask("query", "alias", "nobody@ubuntu.com", "nobody@kubuntu.org", status=TEMPORARY)
        ask("query", "nomap", "nobody@ubuntu.com", status=1)
        for address in (f"inet:127.0.0.1:{self.world.inet_port}", f"unix:{self.world.socket_path}"):
            self.assertEqual(ask("query", "--socket", address, "domain", "ubuntu.com").stdout,
                             "ubuntu.com\n")
        # Not a socketmap server: it hangs up.
        ask("query", "--socket", f"inet:127.0.0.1:{self.world.tcp_port}", "alias", "jdoe@ubuntu.com",
            status=1)

    def test_query_is_not_deceived_by_another_protocol(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def greet():
                with server.accept()[0] as client:
                    client.sendall(b"220 mail.example ESMTP\r\n")
                    client.recv(1024)
            thread = threading.Thread(target=greet)
            thread.start()
            ran = self.world.lpalias("query", "--socket", f"inet:127.0.0.1:{server.getsockname()[1]}",
                                     "alias", "jdoe@ubuntu.com", status=1)
            thread.join()
        self.assertIn("speaks no socketmap", ran.stderr)

    def test_explain(self):
        for key, status, answer, outcome in [
                ("jdoe@ubuntu.com", 0, "found: 1 target", "250"),
                ("JDoe+tag@ubuntu.com", 0, "found: 1 target", "250"),
                ("postmaster@ubuntu.com", 0, "found: 1 target", "250"),
                ("pending@ubuntu.com", 2, "NOTFOUND", "550 5.1.1"),
                ("nobody@ubuntu.com", 2, "NOTFOUND", "550 5.1.1"),
                ("pending@kubuntu.org", TEMPORARY, "TEMP", "451 4.3.0"),
                ("nobody@foreign.example", 2, "NOTFOUND", "not ours"),
                ('"john doe"@ubuntu.com', 2, "NOTFOUND", "550 5.1.1"),
                ("ubuntu.com", 0, "found: ubuntu.com", "takes mail"),
                ("foreign.example", 2, "NOTFOUND", "not a domain")]:
            with self.subTest(key=key):
                text = self.world.lpalias("explain", key, status=status).stdout
                self.assertRegex(text, rf"(?s)^ 1\. .*\nAnswer: {re.escape(answer)}.*\nSMTP: .*{outcome}")
                self.assertNotIn("@target.example", text)
        shown = self.world.lpalias("explain", "--show-targets", "several@ubuntu.com").stdout
        self.assertIn(",".join(TARGETS["several"]), shown)
        self.assertIn("3 target", self.world.lpalias("explain", "several@ubuntu.com").stdout)
        # The better reply of another map is not kept back.
        self.assertIn("\nAccess: ", self.world.lpalias("explain", "pending@ubuntu.com", status=2).stdout)
        for address, status in (("nobody@ubuntu.com", 2), ("pending@kubuntu.org", TEMPORARY)):
            self.assertNotIn("Access", self.world.lpalias("explain", address, status=status).stdout)

    def test_explain_as_json(self):
        def explained(*words, status=0):
            return json.loads(self.world.lpalias("explain", "--json", *words, status=status).stdout)
        said = explained("several@ubuntu.com")
        self.assertEqual((said["key"], said["answer"], said["value"], said["target_count"],
                          said["access"]), ("several@ubuntu.com", "found", None, 3, None))
        self.assertEqual(said["smtp"], "RCPT gets 250")
        self.assertGreater(len(said["steps"]), 1)
        self.assertNotIn("@target.example", json.dumps(said))
        said = explained("--show-targets", "several@ubuntu.com")
        self.assertEqual(said["value"], ",".join(TARGETS["several"]))
        said = explained("--map", "sender", "jdoe@ubuntu.com")
        self.assertEqual((said["value"], said["target_count"]), ("jdoe", None))
        said = explained("pending@ubuntu.com", status=2)
        self.assertEqual((said["answer"], said["value"], said["target_count"]),
                         ("absent", None, None))
        self.assertIn("550 5.1.1", said["access"])
        self.assertEqual(explained("pending@kubuntu.org", status=TEMPORARY)["answer"],
                         "cannot-tell")

    def test_explain_each_map(self):
        for name, key, status, answer, outcome in [
                ("domain", "ubuntu.com", 0, "found: ubuntu.com", "takes mail"),
                ("domain", "jdoe@ubuntu.com", 2, "NOTFOUND", "nothing of the kind"),
                ("recipient", "jdoe@ubuntu.com", 0, "found: OK", "250"),
                ("recipient", "pending@ubuntu.com", 2, "NOTFOUND", "550 5.1.1"),
                ("recipient", "pending@kubuntu.org", TEMPORARY, "TEMP", "451 4.3.0"),
                ("recipient", "ubuntu.com", 2, "NOTFOUND", "nothing of the kind"),
                ("sender", "JDoe+tag@ubuntu.com", 0, "found: jdoe", "any other login gets 553 5.7.1"),
                ("sender", "pending@ubuntu.com", 0, "found: !nobody", "nobody may send as it"),
                ("sender", "postmaster@ubuntu.com", 2, "NOTFOUND", "no login owns it"),
                ("sender", "nobody@kubuntu.org", TEMPORARY, "TEMP", "451 4.3.0"),
                ("sender", "a@foreign.example", 2, "NOTFOUND", "not ours"),
                ("access", "pending@ubuntu.com", 0, "found: 550 5.1.1 ", "RCPT gets this reply"),
                ("access", "jdoe@ubuntu.com", 2, "NOTFOUND", "the map alias decides"),
                ("access", "pending@kubuntu.org", 2, "NOTFOUND", "the map alias decides")]:
            with self.subTest(map=name, key=key):
                text = self.world.lpalias("explain", "--map", name, key, status=status).stdout
                self.assertRegex(text, rf"(?s)^ 1\. .*\nAnswer: {re.escape(answer)}.*\nSMTP: .*{outcome}")

    def test_postfix_config(self):
        both = 'socketmap = { "inet:[::1]:10041", "unix:/var/spool/postfix/lpalias/lookup" }'
        tables = ('tcp-table "inet:127.0.0.1:10042" { map = alias }',
                  'tcp-table "inet:127.0.0.1:10043" { map = access }')
        for listeners, arguments, aliases, access, policy in [
                ([both], (), "socketmap:unix:lpalias/lookup:alias", "socketmap:unix:lpalias/lookup:access", None),
                ([both], ("--way", "inet"), "socketmap:inet:[::1]:10041:alias",
                 "socketmap:inet:[::1]:10041:access", None),
                ([both], ("--way", "proxy"), "proxy:socketmap:unix:/var/spool/postfix/lpalias/lookup:alias",
                 "proxy:socketmap:unix:/var/spool/postfix/lpalias/lookup:access", None),
                ([both], ("--queue-directory", "/var/spool/postfix/"), "socketmap:unix:lpalias/lookup:alias",
                 "socketmap:unix:lpalias/lookup:access", None),
                # Outside the queue directory only proxymap comes to it.
                ([both], ("--queue-directory", "/var/spool/postfix-out"),
                 "proxy:socketmap:unix:/var/spool/postfix/lpalias/lookup:alias",
                 "proxy:socketmap:unix:/var/spool/postfix/lpalias/lookup:access", None),
                (tables, (), "tcp:127.0.0.1:10042", "tcp:127.0.0.1:10043", None),
                (tables[:1], (), "tcp:127.0.0.1:10042", None, None),
                ([both, *tables], (), "socketmap:unix:lpalias/lookup:alias",
                 "socketmap:unix:lpalias/lookup:access", None),
                ([both, 'policy = { "unix:/run/p", "unix:/var/spool/postfix/lpalias/policy" }'], (),
                 "socketmap:unix:lpalias/lookup:alias", "socketmap:unix:lpalias/lookup:access",
                 "unix:lpalias/policy"),
                ([both, 'policy = { "inet:[::1]:10044" }'], (), "socketmap:unix:lpalias/lookup:alias",
                 "socketmap:unix:lpalias/lookup:access", "inet:[::1]:10044")]:
            with self.subTest(listeners=listeners, arguments=arguments), World() as world:
                world.listeners = listeners
                world.write_config()
                text = world.lpalias("postfix-config", *arguments).stdout
                for domain in world.domains:
                    self.assertRegex(text, rf"(?m)^    {re.escape(domain)},?$")
                self.assertIn(f"\nvirtual_alias_maps =\n    {aliases}\n", text)
                self.assertIn("\nrecipient_delimiter = +\n", text)
                lines = f"\nsmtpd_recipient_restrictions =\n    check_recipient_access {access}\n"
                self.assertEqual(lines in text, access is not None, text)
                lines = (f"\n#smtpd_recipient_restrictions =\n"
                         f"#    check_policy_service {{ {policy}, default_action=DUNNO }}\n")
                self.assertEqual(lines in text, policy is not None, text)
                if access is not None and not access.startswith("tcp"):
                    sender = access.replace(":access", ":sender")
                    self.assertIn(f"\n#smtpd_sender_login_maps =\n#    {sender}\n", text)
                    shown = world.lpalias("postfix-config", *arguments, "--submission").stdout
                    self.assertIn(f"\nsmtpd_sender_login_maps =\n    {sender}\n", shown)

    def test_postfix_config_without_a_listener(self):
        for listeners in ([], ['socketmap = { "inet:127.0.0.1:0" }'],
                          ['tcp-table "inet:127.0.0.1:10042" { map = access }']):
            with World() as world:
                world.listeners = listeners
                world.write_config()
                ran = world.lpalias("postfix-config", status=1)
                self.assertEqual(ran.stdout, "")
                self.assertIn("no listener that serves the map alias", ran.stderr)

    def test_query_each_map(self):
        for way in ((), ("--cache",)):
            if not way:
                self.world.start_server()
                self.addCleanup(self.world.stop_server)
            ask = lambda name, key, status=0: self.world.lpalias("query", *way, name, key,
                                                                 status=status).stdout
            self.assertEqual(ask("recipient", "jdoe@ubuntu.com"), "OK\n")
            self.assertEqual(ask("sender", "jdoe+tag@ubuntu.com"), "jdoe\n")
            self.assertEqual(ask("sender", "pending@ubuntu.com"), "!nobody\n")
            self.assertRegex(ask("access", "pending@ubuntu.com"), r"^550 5\.1\.1 .*\n$")
            ask("access", "jdoe@ubuntu.com", status=2)
            ask("sender", "nobody@kubuntu.org", status=TEMPORARY)

    def test_list(self):
        everything = aliases(self.world)
        self.assertEqual(everything["jdoe@ubuntu.com"]["state"], "active")
        self.assertEqual(everything["jdoe@ubuntu.com"]["owner"], "jdoe")
        self.assertEqual(everything["several@ubuntu.com"]["target_count"], 3)
        self.assertEqual(everything["pending@ubuntu.com"]["reason"], "no-target")
        self.assertEqual(set(aliases(self.world, "--domain", "UBUNTU.net")), {"jdoe@ubuntu.net"})
        self.assertEqual({row["state"] for row in aliases(self.world, "--state", "pending").values()},
                         {"pending"})
        self.assertEqual(aliases(self.world, "--kind", "static"), {})
        lines = self.world.lpalias("list").stdout.splitlines()
        self.assertEqual(len(lines), len(everything) + 1)
        self.assertRegex(lines[0], r"^ADDRESS +KIND +STATE +REASON +SINCE +OWNER +TARGETS$")
        self.assertIn("one@target.example, two@target.example",
                      self.world.lpalias("list", "--show-targets").stdout)

    def test_show(self):
        person = json.loads(self.world.lpalias("show", "JDoe", "--json").stdout)
        self.assertEqual((person["name"], person["target_count"], person["target_source"]),
                         ("jdoe", 1, "operator"))
        self.assertEqual([row["domain"] for row in person["domains"]], ["ubuntu.com", "ubuntu.net"])
        self.assertTrue(person["domains"][0]["membership"]["is_valid"])
        self.assertEqual(person["domains"][0]["alias"]["state"], "active")
        self.assertRegex(self.world.lpalias("show", "jdoe").stdout,
                         r"(?s)created +\d{4}-\d\d-\d\dT.*targets +1\n.*ubuntu\.com +yes +yes +yes +- +active")
        alias = json.loads(self.world.lpalias("show", "several@ubuntu.com", "--json", "--show-targets").stdout)
        self.assertEqual(alias["targets"], TARGETS["several"])
        self.assertIn("jdoe@target.example",
                      self.world.lpalias("show", "jdoe@ubuntu.com", "--show-targets").stdout)
        for unknown in ("nobody", "nobody@ubuntu.com", "jdoe@foreign.example", "odd@"):
            self.world.lpalias("show", unknown, status=2)

    def test_status(self):
        status = json.loads(self.world.lpalias("status", "--json").stdout)
        self.assertEqual(status["cache"], self.world.cache)
        self.assertRegex(status["id"], "^[0-9a-f]{32}$")
        domains = {row["domain"]: row for row in status["domains"]}
        self.assertEqual(list(domains), list(DOMAINS))
        self.assertEqual(domains["ubuntu.com"]["standing"], "open")
        self.assertEqual(domains["kubuntu.org"]["standing"], "closed")
        self.assertEqual(domains["ubuntu.com"]["states"]["active"], 4)
        self.assertEqual(set(domains["ubuntu.com"]["states"]), STATES)
        self.assertEqual(domains["ubuntu.com"]["outcome"], "applied")
        text = self.world.lpalias("status").stdout
        self.assertIn(status["id"], text)
        self.assertRegex(text, r"\nubuntu\.com +ubuntumembers +open +- +4 ")

    def test_domain_list(self):
        rows = json.loads(self.world.lpalias("domain", "list", "--json").stdout)
        self.assertEqual([row["domain"] for row in rows], list(DOMAINS))
        self.assertRegex(self.world.lpalias("domain", "list").stdout,
                         r"\nkubuntu\.org +kubuntu-members +closed +- +1 +1 +0\n")

    def test_control_bytes_never_reach_the_terminal(self):
        for arguments in [("show", "a\x1b[31m"), ("show", "a\x1b@ubuntu.com"), ("explain", "a\x1b@ubuntu.com"),
                          ("query", "--cache", "alias", "a\x1b@ubuntu.com"), ("list", "--state", "\x1b"),
                          ("refresh", "--domain", "\x1b"), ("\x1bcommand",)]:
            ran = self.world.lpalias(*arguments, status=None)
            self.assertNotIn("\x1b", ran.stdout + ran.stderr, arguments)
            self.assertNotEqual(ran.status, 0)

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.run([program("LPALIAS"), "-c", self.world.config_file, "list"],
                                 stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"cannot write", run.stderr)

    def test_json_is_stable(self):
        for arguments in [("list",), ("show", "jdoe"), ("domain", "list")]:
            runs = {self.world.lpalias(*arguments, "--json").stdout for _ in range(2)}
            self.assertEqual(len(runs), 1)

    def test_no_target_shows_unless_asked_for(self):
        targets = [target for some in TARGETS.values() for target in some]
        for arguments in [("list",), ("list", "--json"), ("show", "jdoe"), ("show", "jdoe", "--json"),
                          ("show", "jdoe@ubuntu.com"), ("status",), ("status", "--json"),
                          ("explain", "jdoe@ubuntu.com"), ("domain", "list"),
                          ("refresh", "--dry-run"), ("refresh", "--dry-run", "--json")]:
            ran = self.world.lpalias(*arguments)
            for target in targets:
                self.assertNotIn(target, ran.stdout + ran.stderr, arguments)
        with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
            data = file.read()
        self.assertIn(b"several", data)
        for target in targets:
            self.assertNotIn(target.encode(), data)

    def test_without_keys_all_but_targets_can_be_seen(self):
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.addCleanup(os.rename, self.world.key_file + ".away", self.world.key_file)
        self.assertIsNone(aliases(self.world)["jdoe@ubuntu.com"]["target_count"])
        self.assertRegex(self.world.lpalias("show", "jdoe").stdout, r"targets +\?\n")
        self.world.lpalias("status")
        self.assertIn("key generate", self.world.lpalias("refresh", status=1).stderr)


class Changing(unittest.TestCase):
    """Commands that change the cache, each with one of its own."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def test_open_close_remove(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        opened = self.world.lpalias("domain", "open", "Ubuntu.COM", "--yes").stdout
        self.assertIn("0 active, 7 pending, 0 static (unmatched)", opened)
        self.world.lpalias("query", "--cache", "alias", "nobody@ubuntu.com", status=2)
        self.world.lpalias("domain", "close", "ubuntu.com")
        self.world.lpalias("query", "--cache", "alias", "nobody@ubuntu.com", status=TEMPORARY)
        self.assertIn("already closed", self.world.lpalias("domain", "close", "ubuntu.com").stdout)
        self.world.lpalias("domain", "open", "foreign.example", "--yes", status=2)
        self.assertIn("configuration",
                      self.world.lpalias("domain", "remove", "ubuntu.net", "--yes", status=1).stderr)
        self.world.lpalias("domain", "open", "--all", "--yes")
        rows = json.loads(self.world.lpalias("domain", "list", "--json").stdout)
        self.assertEqual({row["standing"] for row in rows}, {"open"})
        del self.world.domains["ubuntu.net"]
        self.world.write_config()
        self.assertIn("not configured", self.world.lpalias("domain", "list").stdout)
        self.world.lpalias("domain", "remove", "ubuntu.net", "--yes")
        self.assertNotIn("ubuntu.net", self.world.lpalias("domain", "list").stdout)
        self.world.lpalias("query", "--cache", "alias", "jdoe@ubuntu.net", status=2)

    def test_a_terminal_is_asked(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        status, shown = run_on_terminal(self.world, "n\n", "domain", "open", "ubuntu.com")
        self.assertEqual(status, 1, shown)
        self.assertIn("Open ubuntu.com?", shown)
        self.world.lpalias("query", "--cache", "alias", "nobody@ubuntu.com", status=TEMPORARY)
        status, shown = run_on_terminal(self.world, "y\n", "domain", "open", "ubuntu.com")
        self.assertEqual(status, 0, shown)
        self.assertIn("7 pending", shown)
        self.world.lpalias("query", "--cache", "alias", "nobody@ubuntu.com", status=2)

    def test_progress_is_for_terminals(self):
        self.world.make_key()
        status, shown = run_on_terminal(self.world, "", "refresh")
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, r"\r\x1b\[K~ubuntumembers 3/7")
        self.assertNotIn("\r", self.world.lpalias("refresh").stderr)
        status, shown = run_on_terminal(self.world, "", "refresh", "-q")
        # That nobody takes the notices of this world is wrong, and told.
        wrong = [line for line in shown.splitlines() if "notice(s) wait" not in line]
        self.assertEqual((status, wrong), (0, []))

    def test_domains_as_json(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        run = lambda *words, **more: json.loads(self.world.lpalias("domain", *words, "--json",
                                                                   **more).stdout)
        said = run("open", "--yes", "ubuntu.com", "lubuntu.me")
        self.assertEqual([(each["domain"], each["changed"]) for each in said],
                         [("ubuntu.com", True), ("lubuntu.me", True)])
        self.assertEqual(said[-1]["generation"], generation(self.world))
        said = run("close", "ubuntu.com", "nowhere.example", status=2)
        self.assertEqual([(each["domain"], each["changed"]) for each in said],
                         [("ubuntu.com", True)])
        self.assertFalse(run("close", "ubuntu.com")[0]["changed"])

    def test_targets(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        set_targets = lambda *words, **more: self.world.lpalias("target", "set", *words, **more)
        self.assertIn("changed", set_targets("JDoe", "a@target.example", "b@target.example").stdout)
        before = generation(self.world)
        self.assertIn("nothing changed",
                      set_targets("jdoe", "a@target.example", "b@target.example").stdout)
        self.assertEqual(generation(self.world), before)
        set_targets("kim", "--stdin", stdin="one@target.example\ntwo@target.example\n")
        self.assertEqual(aliases(self.world)["kim@ubuntu.com"]["target_count"], 2)
        set_targets("nobody", "a@target.example", status=2)
        for wrong in ("no-address", "jdoe@ubuntu.com", "kim+x@UBUNTU.com"):
            ran = set_targets("jdoe", wrong, status=1)
            self.assertNotIn(wrong, ran.stderr)
        set_targets("jdoe", *(f"t{i}@target.example" for i in range(6)), status=1)
        set_targets("kim", "--stdin", stdin="", status=1)
        self.world.lpalias("target", "clear", "jdoe")
        self.assertEqual(aliases(self.world)["jdoe@ubuntu.com"]["state"], "pending")
        said = json.loads(set_targets("--json", "jdoe", "a@target.example").stdout)
        self.assertEqual(said, {"name": "jdoe", "changed": True,
                                "generation": generation(self.world)})
        said = json.loads(self.world.lpalias("target", "clear", "jdoe", "--json").stdout)
        self.assertTrue(said["changed"])
        self.world.lpalias("target", "clear", "nobody", status=2)

    @unittest.skipUnless(os.getuid() == 0, "only root is asked who called sudo")
    def test_the_audit_log_names_the_operator(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        self.world.lpalias("target", "set", "jdoe", "jdoe@target.example")
        os.environ["SUDO_USER"] = "mallory"
        self.addCleanup(os.environ.pop, "SUDO_USER")
        self.world.lpalias("target", "set", "kim", "kim@target.example")
        with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
            data = file.read()
        self.assertIn(b"operator:root", data)
        self.assertIn(b"operator:mallory", data)

    def test_a_dry_run_changes_nothing(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        self.world.launchpad.add_person("newcomer")
        self.world.launchpad.add_member("ubuntumembers", "newcomer")

        def state():
            with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
                data = file.read()
            return data, sorted(os.listdir(self.world.cache))

        before = state()
        dry = json.loads(self.world.lpalias("refresh", "--dry-run", "--json").stdout)
        self.assertTrue(dry["changed"] and dry["dry_run"])
        self.assertEqual(dry["domains"][0]["states"]["pending"], 8)
        self.assertIn("nothing was written", self.world.lpalias("refresh", "--dry-run").stdout)
        self.world.lpalias("import", "--format", "csv", "--dry-run", "-",
                           stdin="jdoe@ubuntu.com,a@target.example\n")
        self.assertEqual(state(), before)
        self.assertEqual(json.loads(self.world.lpalias("refresh", "--json").stdout)["generation"],
                         dry["generation"] + 1)

    def test_one_refresh_at_a_time(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        with open(os.path.join(self.world.cache, "refresh.lock"), "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertIn("another refresh", self.world.lpalias("refresh", status=5).stderr)
            self.world.lpalias("refresh", "--dry-run")
        self.world.lpalias("refresh")

    def test_an_unusable_team_is_4_and_named(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        self.world.launchpad.add_fault("not-found", match="~kubuntu-members")
        ran = self.world.lpalias("refresh", status=4)
        self.assertRegex(ran.stderr, r"(?m)^lpalias: kubuntu\.org: unusable: ~kubuntu-members: http://.*404")
        self.assertRegex(ran.stdout, r"(?m)^kubuntu\.org .* unusable$")
        self.assertRegex(ran.stdout, r"(?m)^ubuntu\.com .* applied$")
        self.assertEqual(self.world.lpalias("refresh", "-q", status=4).stdout, "")
        self.world.lpalias("refresh", "--domain", "ubuntu.com")
        report = json.loads(self.world.lpalias("refresh", "--json", status=4).stdout)
        self.assertIn("404", report["domains"][1]["reason"])
        status = self.world.lpalias("status", status=4)
        self.assertRegex(status.stdout, r"(?m)^kubuntu\.org: ~kubuntu-members: http")
        self.world.launchpad.clear_faults()
        self.world.lpalias("refresh")
        self.world.lpalias("status")

    def test_an_empty_team_is_held(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        self.world.launchpad.remove_member("lubuntu-members", "lee")
        self.assertIn("held", self.world.lpalias("refresh", status=3).stderr)
        self.world.lpalias("status", status=3)
        self.world.launchpad.add_fault("not-found", match="~kubuntu-members")
        self.world.lpalias("refresh", status=4)

    def test_a_domain_that_was_never_refreshed_shows_in_the_status(self):
        self.world.make_key()
        self.world.lpalias("refresh", "--domain", "ubuntu.com")
        status = json.loads(self.world.lpalias("status", "--json", status=4).stdout)
        standings = {row["domain"]: row["standing"] for row in status["domains"]}
        self.assertEqual((standings["ubuntu.com"], standings["kubuntu.org"]), ("closed", "not filled"))

    def test_import_of_a_virtual_table(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        table = os.path.join(self.world.directory, "virtual")
        with open(table, "w", encoding="utf-8") as file:
            file.write("# old aliases\n"
                       "ubuntu.com  anything\n"
                       "jdoe@ubuntu.com  jdoe@target.example,\n"
                       "    second@target.example\n"
                       "press@ubuntu.com press@target.example\n"
                       "press@foreign.example press@target.example\n"
                       "root someone@target.example\n"
                       "kim@ubuntu.com kim@ubuntu.com\n"
                       "alone@ubuntu.com\n")
        ran = self.world.lpalias("import", "--format", "virtual", table, status=4)
        self.assertIn("rows read: 6 = matched 1 + static 1 + refused 4\n", ran.stdout)
        self.assertIn("declare a domain: 1\n", ran.stdout)
        self.assertEqual(re.findall(rf"(?m)^{re.escape(table)}:(\d+): .", ran.stderr),
                         ["6", "7", "8", "9"])
        self.assertNotIn("@target.example", ran.stdout + ran.stderr)
        got = aliases(self.world)
        self.assertEqual((got["jdoe@ubuntu.com"]["state"], got["jdoe@ubuntu.com"]["target_count"]),
                         ("active", 2))
        self.assertEqual((got["press@ubuntu.com"]["kind"], got["press@ubuntu.com"]["owner"]),
                         ("static", None))
        before = generation(self.world)
        self.world.lpalias("import", "--format", "virtual", table, status=4)
        self.assertEqual(generation(self.world), before, "the same import twice")

    def test_import_of_comma_separated_values(self):
        self.world.make_key()
        self.world.lpalias("refresh")
        ran = self.world.lpalias("import", "--format", "csv", "--json", "-", stdin=(
            "address,targets\r\n"
            "jdoe@ubuntu.com,jdoe@target.example\r\n"
            'several@ubuntu.com,"one@target.example; two@target.example",three@target.example\r\n'
            "info@ubuntu.com,info@target.example\r\n"
            '"broken"@ubuntu.com,x@target.example\r\n'), status=4)
        sums = json.loads(ran.stdout)
        self.assertEqual((sums["rows"], sums["matched"], sums["static"], sums["refused"]), (4, 2, 0, 2))
        self.assertEqual(aliases(self.world)["several@ubuntu.com"]["target_count"], 3)
        self.assertIn("standard input:4: ", ran.stderr)

    def test_static_import_needs_no_refresh(self):
        self.world.make_key()
        rows = "press@ubuntu.com,press@target.example\n"
        self.world.lpalias("import", "--format", "csv", "-", stdin=rows, status=4)
        self.assertIn("static 1", self.world.lpalias("import", "--format", "csv", "--static", "-",
                                                     stdin=rows).stdout)
        self.assertEqual(self.world.lpalias("query", "--cache", "alias", "press@ubuntu.com").stdout,
                         "press@target.example\n")
        opened = self.world.lpalias("domain", "open", "ubuntu.com", "--yes").stdout
        self.assertIn("no refresh has filled it", opened)

    def test_files_that_cannot_be_read(self):
        self.world.make_key()
        self.world.lpalias("import", "--format", "csv", "/nonexistent", status=1)
        self.assertIn("NUL", self.world.lpalias("import", "--format", "csv", "-", stdin="a\0b",
                                                status=1).stderr)

    @unittest.skipUnless(os.getuid() == 0, "only root takes on another user")
    def test_root_becomes_the_owner_of_the_cache(self):
        owner = pwd.getpwnam("daemon")
        self.world.make_key()
        self.world.lpalias("refresh")
        self.world.give_to(owner.pw_uid, owner.pw_gid)
        secret = os.path.join(self.world.directory, "secret.csv")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("jdoe@ubuntu.com,jdoe@target.example\n")
        os.chmod(secret, 0o600)
        self.world.lpalias("import", "--format", "csv", secret)
        self.world.lpalias("refresh")
        self.world.lpalias("list")
        owners = {os.stat(os.path.join(self.world.cache, name)).st_uid
                  for name in os.listdir(self.world.cache)}
        self.assertEqual(owners, {owner.pw_uid})
        other = os.path.join(self.world.directory, "other-keys")
        self.world.lpalias("key", "generate", "--file", other)
        self.assertEqual((os.stat(other).st_uid, os.stat(other).st_gid), (0, owner.pw_gid))


@unittest.skipUnless(shutil.which("faketime"), "faketime is not installed")
class QueryJson(unittest.TestCase):
    """Answers as JSON; the targets only when they are asked for."""

    def test_of_the_cache(self):
        with World() as world:
            world.fill()
            keys = ("jdoe@ubuntu.com", "nobody@ubuntu.com", "nobody@kubuntu.org")
            ran = world.lpalias("query", "--cache", "--json", "alias", *keys, status=TEMPORARY)
            answers = json.loads(ran.stdout)
            self.assertEqual([answer["key"] for answer in answers], list(keys))
            self.assertEqual([answer["status"] for answer in answers], ["OK", "NOTFOUND", "TEMP"])
            self.assertIsNone(answers[0]["text"])
            for target in TARGETS["jdoe"]:
                self.assertNotIn(target, ran.stdout)
            shown = json.loads(world.lpalias("query", "--cache", "--json", "--show-targets",
                                             "alias", keys[0]).stdout)
            self.assertEqual(shown[0]["text"], ",".join(TARGETS["jdoe"]))


class OverTime(unittest.TestCase):
    """Refreshes of a Launchpad that looks like the real one, with the clock moved on."""

    def setUp(self):
        self.world = World(data=UBUNTU, page_size=10)
        self.addCleanup(self.world.close)
        self.world.make_key()

    def states(self):
        return {address: row["state"] for address, row in aliases(self.world).items()}

    def test_first_second_and_third_refresh(self):
        self.world.lpalias("refresh")
        states = self.states()
        for address, wanted in [("iker@ubuntu.com", "pending"), ("keiko@ubuntu.com", "pending"),
                                ("gone-gregor@ubuntu.com", "refused"),
                                ("ines-unsigned@ubuntu.com", "refused"),
                                ("double..dot@ubuntu.com", "refused"),
                                ("postmaster@ubuntu.com", "refused"),
                                ("yael@lubuntu.me", "pending")]:
            self.assertEqual(states.get(address), wanted, address)
        self.assertFalse([address for address in states if address.startswith("example-")])
        self.world.lpalias("target", "set", "iker", "iker@target.example")
        self.world.lpalias("domain", "open", "--all", "--yes")

        self.world.launchpad.remove_member("ubuntumembers", "iker")
        self.world.launchpad.add_person("newcomer")
        self.world.launchpad.add_member("ubuntumembers", "newcomer")
        second = json.loads(run_after(self.world, 61, "refresh", "--json").stdout)
        self.assertEqual(second["domains"][0]["doubted"], 1)
        states = self.states()
        self.assertEqual(states["newcomer@ubuntu.com"], "pending")
        self.assertEqual(states["iker@ubuntu.com"], "active", "one listing proves no departure")
        self.assertIn("missing since", self.world.lpalias("show", "iker").stdout)

        too_early = json.loads(run_after(self.world, 90, "refresh", "--json").stdout)
        self.assertEqual(self.states()["iker@ubuntu.com"], "active")
        third = json.loads(run_after(self.world, 130, "refresh", "--json").stdout)
        self.assertEqual(third["domains"][0]["lost"], 1)
        self.assertGreater(third["generation"], too_early["generation"])
        states = self.states()
        self.assertEqual(states["iker@ubuntu.com"], "leaving")
        self.assertEqual(states["iker@ubuntu.net"], "active")
        self.assertEqual(self.world.lpalias("query", "--cache", "alias", "iker@ubuntu.com").stdout,
                         "iker@target.example\n")

        for seconds in (200, 300):
            nothing = json.loads(run_after(self.world, seconds, "refresh", "--json").stdout)
            self.assertFalse(nothing["changed"])
            self.assertEqual(nothing["generation"], third["generation"])
        self.assertEqual(self.states(), states)


@unittest.skipIf(why_not(), why_not() or "")
class Names(unittest.TestCase):
    """Launchpad names may hold what mail takes for an extension."""

    def test_an_extension_stays_its_owners(self):
        """Nobody gets jdoe+lists@ by naming an account so, and jdoe does not lose it."""
        world = World({"people": {"jdoe": {}}, "teams": {"ubuntumembers": {"members": ["jdoe"]}}})
        self.addCleanup(world.close)
        world.domains = {"ubuntu.com": "ubuntumembers"}
        world.write_config()
        world.fill({"jdoe": ["jdoe@target.example"]}, opened=("ubuntu.com",))
        world.start_server()
        world.launchpad.add_person("jdoe+lists")
        world.launchpad.add_member("ubuntumembers", "jdoe+lists")
        for change in (("refresh",), ("target", "set", "jdoe+lists", "evil@elsewhere.example")):
            world.lpalias(*change)
            self.assertEqual(world.ask("alias", "jdoe+lists@ubuntu.com"),
                             "OK jdoe+lists@target.example")
        listed = json.loads(world.lpalias("list", "--state", "refused", "--json").stdout)
        self.assertEqual([(row["owner"], row["reason"]) for row in listed],
                         [("jdoe+lists", "taken")])

    def test_a_leaver_without_targets_is_unknown(self):
        """And no trouble of the server's."""
        world = World()
        self.addCleanup(world.close)
        world.fill()
        world.start_server()
        world.launchpad.remove_member("ubuntumembers", "jdoe")
        for seconds in (100, 200):
            world.lpalias("refresh", after_s=seconds)
        self.assertEqual(world.ask("alias", "jdoe@ubuntu.com"), "OK jdoe@target.example")
        world.lpalias("target", "clear", "jdoe")
        self.assertEqual(world.ask("alias", "jdoe@ubuntu.com"), "NOTFOUND ")
        self.assertNotIn("level=error", world.server_log())


if __name__ == "__main__":
    tap.main()
