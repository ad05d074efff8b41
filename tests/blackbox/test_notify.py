"""Notices through the real programs, to a real mail server at the end of the line.

Who is told of what, when again and when not; what the mails look like to a parser that nobody here
wrote; what becomes of a notice that a server does not take.
"""

import email
import email.policy
import json
import os
import pty
import pwd
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import mail_sink
import tap
from lpalias_world import ALERTS, World, why_not
from mail_sink import MailSink, free_port

DAY_S = 86400
ADMINS = "admins@operators.example"
DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"


def reason_to_skip():
    """A sentence what is missing, or None."""
    if mail_sink.program() is None:
        return "smtp-sink is not installed"
    return why_not()


@unittest.skipIf(reason_to_skip(), reason_to_skip() or "")
class NoticeCase(unittest.TestCase):
    """One domain with members that have targets, open; what the sink has got is looked at."""

    PEOPLE = ("jdoe", "kim", "lee")
    sink_options = ()

    def setUp(self):
        self.sink = MailSink(*self.sink_options)
        self.sink.start()
        self.addCleanup(self.sink.stop)
        people = {name: {} for name in self.PEOPLE}
        self.world = World({"people": people, "teams": {TEAM: {"members": list(people)}}},
                           page_size=300)
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: TEAM}
        self.world.domain_keys = {DOMAIN: f'notices = {{ "{ADMINS}" }}'}
        self.world.top_lines = ['refresh { stale-after = "90d" }']
        self.use_server(self.sink.port)
        self.world.make_key()
        self.world.lpalias("refresh", "-q")
        self.world.lpalias("domain", "open", DOMAIN, "--yes")
        self.world.lpalias("notify", "-q", status=None)
        for name in self.PEOPLE:
            self.world.lpalias("target", "set", name, f"{name}@target.example")
        self.forget()

    def forget(self):
        """What waits is handed over and forgotten."""
        self.world.lpalias("notify", "-q", status=None)
        self.sink.wait_until_written()
        self.sink.forget()

    def use_server(self, port, *lines):
        """Another mail server in the configuration."""
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{port}"', *lines]
        self.world.write_config()

    def refresh_twice(self, after_s):
        """Two listings in a row, so that they are believed."""
        self.world.lpalias("refresh", "-q", after_s=after_s)
        self.world.lpalias("refresh", "-q", after_s=after_s + 61)

    def leave(self, name, after_s):
        self.world.launchpad.remove_member(TEAM, name)
        self.refresh_twice(after_s)

    def join(self, name, after_s):
        self.world.launchpad.add_member(TEAM, name)
        self.refresh_twice(after_s)

    def told(self):
        """(recipient, subject) of all mails since the last forget(), sorted."""
        self.sink.wait_until_written()
        return sorted((mail.recipients[0], mail.headers["Subject"])
                      for mail in self.sink.messages())

    def waiting(self):
        """What `lpalias notify --list --json` says."""
        return json.loads(self.world.lpalias("notify", "--list", "--json").stdout)

    def notify(self, status=0, after_s=0):
        """`lpalias notify --json`."""
        return json.loads(self.world.lpalias("notify", "--json", status=status,
                                             after_s=after_s).stdout)


class WhoIsTold(NoticeCase):
    """The column of the rule table, over the members' whole life."""

    def test_joining_leaving_and_coming_back(self):
        gone = "jdoe@target.example"
        self.leave("jdoe", 100)
        subjects = [each for each in self.told()]
        self.assertEqual([who for who, _ in subjects], [ADMINS, gone])
        self.assertEqual(subjects[0][1], f"jdoe@{DOMAIN} is leaving")
        self.assertRegex(subjects[1][1], rf"^Your mail alias jdoe@{DOMAIN} ends on 20\d\d-\d\d-\d\d$")
        self.sink.forget()

        self.join("jdoe", 1000)
        self.assertEqual(self.told(), [(ADMINS, f"jdoe@{DOMAIN} is live")])
        self.sink.forget()

        self.leave("jdoe", 2000)
        self.assertEqual(self.told(), [], "told twice within 30 days")
        self.join("jdoe", 3000)
        self.assertEqual(self.told(), [(ADMINS, f"jdoe@{DOMAIN} is live")])
        self.sink.forget()

        self.leave("jdoe", 31 * DAY_S)
        self.assertEqual([who for who, _ in self.told()], [ADMINS, gone])

    def test_a_lost_flag_is_a_reason_of_its_own(self):
        self.world.launchpad.set_person("kim", is_ubuntu_coc_signer=False)
        self.refresh_twice(100)
        mails = {mail.recipients[0]: mail for mail in self.sink.messages()}
        self.assertEqual(set(mails), {ADMINS, "kim@target.example"})
        text = mails["kim@target.example"].body
        self.assertIn("has not signed the Ubuntu Code of Conduct", " ".join(text.split()))
        self.assertIn("https://launchpad.net/codeofconduct", text)
        self.assertIn(ADMINS, text)
        self.assertNotIn("jdoe", text)

    def test_many_at_once_are_a_digest_that_names_nobody(self):
        names = [f"new{number}" for number in range(6)]
        for name in names:
            self.world.launchpad.add_person(name, is_ubuntu_coc_signer=False)
            self.world.launchpad.add_member(TEAM, name)
        self.world.lpalias("refresh", "-q", after_s=100)
        self.sink.wait_until_written()
        mail, = self.sink.messages()
        self.assertEqual((mail.recipients, mail.headers["Subject"]),
                         ([ADMINS], f"{DOMAIN}: many aliases have changed"))
        self.assertIn("6 refused", mail.body)
        self.assertNotIn("new", mail.headers.as_string())
        self.world.lpalias("refresh", "-q", after_s=200)
        self.assertEqual(len(self.told()), 1)

    def test_admins_without_an_address_of_their_own(self):
        self.world.domain_keys = {}
        self.world.write_config()
        self.leave("jdoe", 100)
        self.assertEqual([who for who, _ in self.told()], [ALERTS, "jdoe@target.example"])

    def test_a_person_with_several_addresses(self):
        self.world.lpalias("target", "set", "jdoe", "a@target.example", "b@target.example")
        self.leave("jdoe", 100)
        self.sink.wait_until_written()
        mails = [mail for mail in self.sink.messages() if mail.recipients != [ADMINS]]
        self.assertEqual(sorted(mail.headers["To"] for mail in mails),
                         ["a@target.example", "b@target.example"])
        for mail in mails:
            self.assertEqual(mail.recipients, [mail.headers["To"]])


class Alarms(NoticeCase):
    """At once, daily, all-clear: nothing of it needs a clock of ours."""

    def subjects(self):
        found = [subject for who, subject in self.told() if who == ALERTS]
        self.sink.forget()
        return found

    def test_a_failing_source(self):
        failing = f"lpalias: {DOMAIN} could not be refreshed"
        self.world.launchpad_lines = ["retries = 0"]
        self.world.write_config()
        self.world.launchpad.add_fault("not-found", path=f"/1.0/~{TEAM}")
        self.world.lpalias("refresh", "-q", status=4, after_s=100)
        self.sink.wait_until_written()
        mail, = self.sink.messages()
        self.assertIn(self.world.launchpad.origin, mail.body, "it says why")
        self.assertEqual(self.subjects(), [failing])
        self.world.lpalias("refresh", "-q", status=4, after_s=700)
        self.assertEqual(self.subjects(), [])
        self.world.lpalias("refresh", "-q", status=4, after_s=101 + DAY_S)
        self.assertEqual(self.subjects(), [failing])
        self.world.launchpad.clear_faults()
        self.world.lpalias("refresh", "-q", after_s=700 + DAY_S)
        self.assertEqual(self.subjects(), [f"lpalias: over: {DOMAIN} could not be refreshed"])
        self.world.lpalias("refresh", "-q", after_s=1400 + DAY_S)
        self.assertEqual(self.subjects(), [])

    def test_no_refresh_at_all(self):
        """The timer is dead; another one still runs notify."""
        self.world.top_lines = []
        self.world.write_config()
        self.world.lpalias("notify", "-q", after_s=600)
        self.assertEqual(self.subjects(), [])
        self.world.lpalias("notify", "-q", after_s=30 * DAY_S)
        self.assertEqual(self.subjects(), [f"lpalias: {DOMAIN} is stale"])

    def test_a_closed_domain(self):
        self.world.lpalias("domain", "close", DOMAIN)
        self.world.lpalias("notify", "-q")
        self.assertEqual(self.subjects(), [f"lpalias: {DOMAIN} is closed"])
        self.world.lpalias("domain", "open", DOMAIN, "--yes")
        self.assertEqual(self.notify()["alarms"], 0)
        self.assertEqual(self.subjects(), [f"lpalias: over: {DOMAIN} is closed"])

    def test_a_held_plan(self):
        """An empty team is not believed."""
        self.world.launchpad.add_fault("empty-team", match=f"~{TEAM}/participants")
        self.world.lpalias("refresh", "-q", status=3, after_s=100)
        self.assertEqual(self.subjects(), [f"lpalias: changes of {DOMAIN} wait for you"])

    def test_a_dry_run_tells_nobody(self):
        self.world.lpalias("domain", "close", DOMAIN)
        self.world.lpalias("refresh", "--dry-run", "-q", after_s=100)
        self.assertEqual((self.subjects(), self.waiting()), ([], []))


class Mails(NoticeCase):
    """What a mail is to the outside."""

    def raw(self, mail):
        """The message as the parser of the standard library reads it, without smtp-sink's part."""
        text = mail.headers.as_string()
        text = text[text.index("\nDate: ") + 1:]
        return email.message_from_bytes(text.encode("utf-8", "surrogateescape"),
                                        policy=email.policy.default)

    @staticmethod
    def content(message):
        """smtp-sink ends its dumps with an empty line."""
        return message.get_content().rstrip("\n") + "\n"

    def one(self):
        self.sink.wait_until_written()
        mails = [mail for mail in self.sink.messages() if mail.recipients == [ADMINS]]
        self.assertEqual(len(mails), 1)
        return self.raw(mails[0]), mails[0]

    def template(self, name, text):
        """A text of the operator's own in place of a built-in one."""
        directory = os.path.join(self.world.directory, "texts")
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, name), "wb") as file:
            file.write(text)
        self.use_server(self.sink.port, f'templates = "{directory}"')
        return os.path.join(directory, name)

    def test_headers(self):
        self.leave("jdoe", 100)
        message, mail = self.one()
        self.assertFalse(message.defects)
        self.assertEqual(mail.sender, "", "a bounce could come back")
        self.assertEqual(message["From"].addresses[0].addr_spec, ALERTS)
        self.assertEqual(message["To"].addresses[0].addr_spec, ADMINS)
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertEqual(message.get_content_type(), "text/plain")
        self.assertEqual(message.get_content_charset(), "utf-8")
        self.assertRegex(message["Message-ID"], r"^<[0-9a-f]{32}@operators\.example>$")
        self.assertIsNotNone(message["Date"].datetime)
        self.assertEqual(sorted(message.keys()),
                         sorted(["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted",
                                 "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]))

    def test_sender_of_the_envelope(self):
        self.use_server(self.sink.port, "null-sender = false", 'from = "robot@operators.example"')
        self.leave("jdoe", 100)
        message, mail = self.one()
        self.assertEqual(mail.sender, "robot@operators.example")
        self.assertEqual(message["From"].addresses[0].addr_spec, "robot@operators.example")

    def test_a_text_of_the_operator_in_any_script(self):
        self.template("leaving.admins.txt",
                      "Subject: {name} geht, trüb – ありがとう\n\nZoë: {{} {address}\n".encode())
        self.leave("jdoe", 100)
        message, _ = self.one()
        self.assertFalse(message.defects)
        self.assertEqual(message["Subject"], "jdoe geht, trüb – ありがとう")
        self.assertEqual(self.content(message), f"Zoë: {{}} jdoe@{DOMAIN}\n")

    def test_no_text_makes_a_header(self):
        """Line breaks and encoded words in an operator's text stay text."""
        self.template("leaving.admins.txt",
                      b"Subject: a\rBcc: x@target.example\r\n\r\nb\r\n.\r\n..\r\nMAIL FROM:<x>\r\n")
        self.leave("jdoe", 100)
        message, mail = self.one()
        self.assertEqual(mail.recipients, [ADMINS])
        self.assertIsNone(message["Bcc"])
        self.assertEqual(message["Subject"], "a Bcc: x@target.example")
        self.assertEqual(self.content(message), "b\n.\n..\nMAIL FROM:<x>\n")

    def test_a_broken_text(self):
        path = self.template("leaving.admins.txt", b"Subject: {oops}\n\nx\n")
        ran = self.world.lpalias("check", status=78)
        self.assertIn(f"{path}: line 1: unknown placeholder {{oops}}", ran.stderr)
        self.world.launchpad.remove_member(TEAM, "jdoe")
        self.world.lpalias("refresh", "-q", after_s=100)
        ran = self.world.lpalias("refresh", "-q", after_s=200)
        self.assertIn("unknown placeholder", ran.stderr)
        self.assertEqual(self.one()[0]["Subject"], f"jdoe@{DOMAIN} is leaving")
        os.unlink(path)
        self.world.lpalias("check")

    def test_a_test_mail(self):
        self.world.lpalias("notify", "--send-test", "me@target.example")
        self.assertEqual(self.told(), [("me@target.example", "lpalias: a test")])
        self.use_server(free_port())
        ran = self.world.lpalias("notify", "--send-test", "me@target.example", status=1)
        self.assertNotIn("me@target.example", ran.stdout + ran.stderr)

    def test_a_test_mail_stands_alone(self):
        for option in ("--list", "--json", "-q"):
            with self.subTest(option=option):
                self.world.lpalias("notify", "--send-test", "me@target.example", option, status=64)
        self.assertEqual(self.told(), [])

    @unittest.skipUnless(os.geteuid() == 0, "only root takes on the owner of the cache")
    def test_a_test_mail_reads_no_more_than_a_real_run(self):
        password_file = os.path.join(self.world.directory, "password")
        with open(password_file, "w", encoding="utf-8") as file:
            file.write("secret\n")
        os.chmod(password_file, 0o600)
        self.use_server(self.sink.port, 'user = "lpalias"', f'password-file = "{password_file}"')
        os.chown(self.world.cache, pwd.getpwnam("nobody").pw_uid, -1)
        ran = self.world.lpalias("notify", "--send-test", "me@target.example", status=1)
        self.assertIn(f"cannot open {password_file}: Permission denied", ran.stderr)

    def test_a_large_text_goes_as_it_is(self):
        body = "".join(f"{number} " + "x" * 3000 + "\n" for number in range(10))
        self.template("leaving.admins.txt", f"Subject: large\n\n{body}".encode())
        self.leave("jdoe", 100)
        message, _ = self.one()
        self.assertEqual(message.get_content().split(), body.split())


class Servers(NoticeCase):
    """What becomes of a notice when the server is not there, or says no."""

    def test_a_terminal_sees_how_far_a_long_run_is(self):
        self.use_server(free_port())
        for after_s, name in ((100, "jdoe"), (300, "kim")):
            self.leave(name, after_s)
        with MailSink("-w", "1") as slow:
            self.use_server(slow.port)
            master, slave = pty.openpty()
            self.addCleanup(os.close, master)
            said = subprocess.run(self.world.lpalias_command("notify", is_wrapped=False),
                                  stdout=subprocess.PIPE, stderr=slave, check=True, timeout=60)
            os.close(slave)
            shown = os.read(master, 65536).decode()
        self.assertIn(" mails handed over", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), shown)
        self.assertIn(" mail(s) handed over, 0 notice(s) waiting", said.stdout.decode())

    def test_a_server_that_is_down_and_comes_back(self):
        self.use_server(free_port())
        self.world.launchpad.remove_member(TEAM, "jdoe")
        self.world.lpalias("refresh", "-q", after_s=100)
        ran = self.world.lpalias("refresh", after_s=200)  # its status says nothing of mail
        self.assertEqual(len(ran.stderr.splitlines()), 1, ran.stderr)
        self.assertIn("2 notice(s) wait", ran.stderr)
        self.assertNotIn("target.example", ran.stdout + ran.stderr)
        before = self.waiting()
        self.assertEqual([each["attempts"] for each in before], [0, 0])
        result = self.notify(status=1, after_s=300)
        self.assertEqual((result["available"], result["waiting"]), (False, 2))
        self.assertEqual(self.waiting(), before, "a server that is away counts for no notice")
        self.use_server(self.sink.port)
        self.assertEqual(self.notify(after_s=400)["mails"], 2)
        self.assertEqual([who for who, _ in self.told()], [ADMINS, "jdoe@target.example"])
        self.assertEqual(self.waiting(), [])

    def other_sink(self, *options):
        sink = MailSink(*options)
        sink.start()
        self.addCleanup(sink.stop)
        return sink

    def put_two_into_the_outbox(self):
        self.use_server(free_port())
        self.leave("jdoe", 100)
        self.assertEqual(len(self.waiting()), 2)

    def test_a_server_that_defers(self):
        """4xx: 1 minute, doubled each time up to 4 hours."""
        self.put_two_into_the_outbox()
        self.use_server(self.other_sink("-r", "rcpt").port)
        now_s, attempts = 1000, 0
        for delay_s in [60 * 2 ** number for number in range(8)] + [14400, 14400]:
            result = self.notify(after_s=now_s)
            attempts += 1
            self.assertEqual((result["deferred"], result["waiting"]), (2, 2))
            self.assertEqual([each["attempts"] for each in self.waiting()], [attempts] * 2)
            early = self.notify(after_s=now_s + delay_s - 15)
            self.assertEqual((early["deferred"], early["available"]), (0, True))
            now_s += delay_s + 15
        self.use_server(self.sink.port)
        self.assertEqual(self.notify(after_s=now_s)["mails"], 2)

    def test_a_server_that_refuses(self):
        """5xx: daily, told after 5 days, given up with an event after 30."""
        self.put_two_into_the_outbox()
        for command in ("rcpt", "data"):
            self.use_server(self.other_sink("-f", command).port)
            day_s = DAY_S if command == "rcpt" else 2 * DAY_S + 10
            result = self.world.lpalias("notify", "--json", status=4, after_s=day_s)
            self.assertEqual(json.loads(result.stdout)["refused"], 2)
            self.assertIn("notice leaving of ubuntu.com for person: the server answered 500",
                          result.stderr)
            self.assertNotIn("@", result.stderr)
            self.assertEqual(self.notify(after_s=day_s + DAY_S - 15)["refused"], 0)
        self.notify(status=4, after_s=6 * DAY_S)
        overdue = {each["kind"]: each["overdue"] for each in self.waiting()}
        self.assertEqual(overdue, {"leaving": True, "alarm": False})
        alarms = [each["reason"] for each in self.waiting() if each["kind"] == "alarm"]
        self.assertIn("overdue", alarms)
        result = self.notify(status=4, after_s=31 * DAY_S)
        self.assertEqual(result["dropped"], 2)
        self.assertNotIn("leaving", [each["kind"] for each in self.waiting()])

    def test_what_says_nothing_of_a_mail_counts_for_none(self):
        self.put_two_into_the_outbox()
        before = self.waiting()
        for options in (("-f", "connect"), ("-r", "connect"), ("-f", "helo,ehlo"), ("-r", "mail"),
                        ("-f", "mail"), ("-q", "mail"), ("-Q", "mail")):
            with self.subTest(options=options):
                self.use_server(self.other_sink(*options).port, 'timeout = "5s"')
                result = self.notify(status=1, after_s=1000)
                self.assertEqual((result["available"], result["mails"]), (False, 0))
                self.assertEqual(self.waiting(), before)

    def test_a_mail_that_ends_the_connection_does_not_block_the_others(self):
        self.put_two_into_the_outbox()
        now_s = 1000
        for tried, option, command in ((1, "-q", "rcpt"), (2, "-Q", "data"), (3, "-q", ".")):
            with self.subTest(option=option, command=command):
                self.use_server(self.other_sink(option, command).port, 'timeout = "5s"')
                result = self.notify(status=1, after_s=now_s)
                self.assertEqual((result["available"], result["deferred"]), (False, 1))
                attempts = sorted(each["attempts"] for each in self.waiting())
                self.assertEqual(sum(attempts), tried)
                self.assertLessEqual(attempts[1] - attempts[0], 1, "always the same one")
                now_s += 30
        self.use_server(self.sink.port)
        self.assertEqual(self.notify(after_s=now_s + 300)["mails"], 2)

    def test_a_server_that_hangs(self):
        self.put_two_into_the_outbox()
        self.use_server(self.other_sink("-H", "60").port, 'timeout = "500ms"')
        self.assertFalse(self.notify(status=1, after_s=1000)["available"])

    def test_one_hands_over_at_a_time(self):
        self.put_two_into_the_outbox()
        self.use_server(self.sink.port)
        lock = os.path.join(self.world.cache, "notify.lock")
        holder = subprocess.Popen(["flock", lock, "sh", "-c", "echo held; read end"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.assertEqual(holder.stdout.readline(), b"held\n")
            self.assertIn("another process", self.world.lpalias("notify", status=5).stderr)
            ran = self.world.lpalias("refresh", "-q", after_s=300)
            self.assertEqual(ran.stderr, "")
            self.assertEqual(self.told(), [])
        finally:
            holder.communicate(b"\n")
        self.world.lpalias("notify", "-q", after_s=300)
        self.assertEqual(len(self.told()), 2)

    def test_without_the_keys_the_admins_are_told(self):
        self.put_two_into_the_outbox()
        self.use_server(self.sink.port)
        shutil.move(self.world.key_file, self.world.key_file + ".away")
        ran = self.world.lpalias("notify", "--json", status=1)
        self.assertEqual(json.loads(ran.stdout)["unopened"], 1)
        self.assertIn("no person can be told", ran.stderr)
        self.assertEqual([who for who, _ in self.told()], [ADMINS])
        shutil.move(self.world.key_file + ".away", self.world.key_file)
        self.world.lpalias("notify", "-q")
        self.assertEqual([who for who, _ in self.told()], [ADMINS, "jdoe@target.example"])

    def test_nobody_reads_an_address(self):
        """Recipients stand neither in the lists nor in the clear in the cache."""
        self.put_two_into_the_outbox()
        for arguments in (("--list",), ("--list", "--json")):
            ran = self.world.lpalias("notify", *arguments)
            self.assertNotIn("target.example", ran.stdout + ran.stderr)
        self.assertIn("leaving", self.world.lpalias("notify", "--list").stdout)
        with open(os.path.join(self.world.cache, "data.mdb"), "rb") as file:
            self.assertIsNone(re.search(rb"target\.example", file.read()))

    def test_a_login_needs_a_file_that_is_closed(self):
        path = os.path.join(self.world.directory, "password")
        with open(path, "w", encoding="ascii") as file:
            file.write("secret-word\n")
        self.put_two_into_the_outbox()
        self.use_server(self.other_sink("-a").port, 'user = "robot"', f'password-file = "{path}"')
        os.chmod(path, 0o644)
        ran = self.world.lpalias("notify", status=1)
        self.assertIn("so others may use it", ran.stderr)
        os.chmod(path, 0o640)
        self.assertEqual(self.notify(after_s=300)["mails"], 2)


if __name__ == "__main__":
    tap.main()
