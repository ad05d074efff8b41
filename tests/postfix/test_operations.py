"""docs/operations.md, tried command by command on a mail relay of its own, with the paths as written.

Each rehearsal begins on a relay that is set up as "install" in the manual leaves it, which is the first
one tried. While a disaster is being mended, somebody goes on sending mail and, as a sender does, tries
again what is put off: none of it may be refused, bounced or lost.
"""

import glob
import os
import shutil
import smtplib
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import manual
import relay_machine
import tap
from postfix_instance import wait_for
from relay_machine import RelayMachine

MANUAL = os.environ.get("LPALIAS_OPERATIONS",
                        os.path.join(os.environ.get("SOURCE_DIR", os.path.join(HERE, "..", "..")), "docs", "operations.md"))
JDOE, JDOE_TARGET, NOBODY = "jdoe@ubuntu.com", "jdoe@home.example", "nobody@ubuntu.com"
SOCKETMAP = "socketmap:unix:/var/spool/postfix/lpalias/lookup:alias"
UNKNOWN, CANNOT_TELL = "550 5.1.1", "451 4.3.0"
OLD_ALIASES = """\
# what the charm has kept until today
ubuntu.com          anything
jdoe@ubuntu.com     jdoe@home.example
ada@kubuntu.org     ada@home.example
press@ubuntu.com    newsroom@press.example
hugo@ubuntu.com     hugo@home.example
grandfather@ubuntu.com  old@home.example
@ubuntu.com         everything@home.example
mark@elsewhere.example  mark@home.example
"""

machine = None
steps = {}


def people():
    teams = {"ubuntumembers": ["jdoe", "kim", "ada", "lee", "mia"], "kubuntu-members": ["ada", "kim"],
             "lubuntu-members": ["lee"]}
    names = {name for members in teams.values() for name in members}
    return {"people": {name: {} for name in names}, "teams": {name: {"members": members} for name, members in teams.items()}}


def run_step(step):
    """One command of the manual, as it stands there. lpaliasd looks for another cache or key once a second
    at most, and nobody types as fast as this: a question is repeated."""
    if step.file:
        os.makedirs(os.path.dirname(step.file), exist_ok=True)
        machine.write(step.file, step.shown)
        return
    is_question = "lpalias query" in step.command or "postmap -q" in step.command
    end = time.monotonic() + (5 if is_question and "|" not in step.command else 0)
    while (fault := fault_of(step)) is not None:
        if time.monotonic() >= end:
            raise AssertionError(f"operations.md:{step.line}: {step.command}: {fault}")
        time.sleep(0.05)


def fault_of(step):
    """None when a command does what the manual says, else what is wrong."""
    ran = machine.run(step.command)
    if ran.status != step.status:
        return f"exit status {ran.status}, not {step.status}\n{ran.stdout}{ran.stderr}{machine.units_log()[-2000:]}"
    if step.shown and not manual.looks_like(step.shown, ran.stdout + ran.stderr):
        return f"the manual shows\n{step.shown}and it is\n{ran.stdout}{ran.stderr}"
    return None


def rcpt(address):
    """Code and enhanced code, or 250."""
    with smtplib.SMTP("127.0.0.1", 25, local_hostname="client.example", timeout=120) as client:
        client.ehlo()
        client.mail("someone@sender.example")
        code, text = client.rcpt(address)
        return "250" if code == 250 else f"{code} {text.decode().split()[0]}"


def setUpModule():
    global machine, steps
    reason = relay_machine.why_not() or lpalias_world.why_not() or (None if "UNITS" in os.environ else "UNITS is not set")
    if reason:
        raise unittest.SkipTest(reason)
    steps = manual.rehearsals(MANUAL)
    machine = RelayMachine(people())
    unittest.addModuleCleanup(machine.close)
    machine.write("/etc/postfix/virtual_alias", OLD_ALIASES)
    machine.must_run("postmap hash:/etc/postfix/virtual_alias")
    machine.must_run("postconf -e 'virtual_alias_maps = hash:/etc/postfix/virtual_alias' 'virtual_alias_domains = ubuntu.com, kubuntu.org'")
    machine.must_run("postfix start")
    for step in steps["install"]:
        run_step(step)
    machine.must_run("lpalias notify -q && /usr/bin/install -d -m 0700 /var/backups/lpalias && lpalias backup /var/backups/lpalias")
    machine.keep()


class Sender(threading.Thread):
    """Somebody who sends one mail after the other, and each again until it is taken, or refused."""

    def __init__(self, recipient=JDOE):
        super().__init__()
        self.recipient, self.taken, self.refused, self.put_off = recipient, [], [], 0
        self.number, self.ended = 0, threading.Event()

    def __enter__(self):
        self.start()
        self.wait_for_mail(2)
        return self

    def __exit__(self, *error):
        if not any(error):
            self.wait_for_mail(2)  # what comes after all is well again
        self.ended.set()
        self.join()

    def wait_for_mail(self, count, deadline_s=20):
        wanted, end = len(self.taken) + count, time.monotonic() + deadline_s
        while len(self.taken) < wanted:
            if time.monotonic() > end or self.refused:
                said = machine.run(f"lpalias query alias {JDOE}; lpalias query --cache alias {JDOE}; lpalias status")
                raise AssertionError(f"mail is not taken: {self.put_off} times put off, refused: {self.refused}\n"
                                     f"{said.stdout}{said.stderr}{machine.units_log()[-2000:]}{machine.mail_log()[-2000:]}")
            time.sleep(0.02)

    def wait_until_put_off(self, deadline_s=60):
        """Until some mail waits, so that there is something to be lost."""
        before, end = self.put_off, time.monotonic() + deadline_s
        while self.put_off == before:
            if time.monotonic() > end:
                raise AssertionError("no mail is put off")
            time.sleep(0.02)

    def run(self):
        while not self.ended.is_set() and not self.refused:
            self.number += 1
            while not self.send_one(f"mail-{self.number}") and not self.ended.is_set() and not self.refused:
                self.put_off += 1
                self.ended.wait(0.05)

    def send_one(self, subject):
        try:
            with smtplib.SMTP("127.0.0.1", 25, local_hostname="client.example", timeout=120) as client:
                client.sendmail("someone@sender.example", [self.recipient], f"Subject: {subject}\n\ntext\n")
        except smtplib.SMTPRecipientsRefused as refused:
            (code, text), = refused.recipients.values()
            if code >= 500:
                self.refused.append((subject, code, text))
            return False
        except smtplib.SMTPResponseException as refused:
            if refused.smtp_code >= 500:
                self.refused.append((subject, refused.smtp_code, refused.smtp_error))
            return False
        except (OSError, smtplib.SMTPException):
            return False
        self.taken.append(subject)
        return True


class Rehearsals(unittest.TestCase):
    """One for each name in the manual; what has to be so before, or to be seen after, is said here."""

    def setUp(self):
        machine.sink.forget()
        self.log_start = len(machine.mail_log())
        self.addCleanup(machine.go_back)

    def rehearse(self, name):
        for step in steps[name]:
            run_step(step)

    def assert_all_arrived(self, sender, target=JDOE_TARGET):
        """All that was taken is where it should be, once, and nobody got a bounce."""
        self.assertEqual(sender.refused, [])
        end = time.monotonic() + 60
        while not machine.queue_is_empty():
            self.assertLess(time.monotonic(), end, machine.mail_log()[-3000:])
            time.sleep(0.05)
        machine.sink.wait_until_written()
        arrived = [mail.headers["Subject"] for mail in machine.sink.messages() if target in mail.recipients]
        self.assertEqual(sorted(subject for subject in arrived if subject.startswith("mail-")), sorted(sender.taken))
        self.assertNotIn("status=bounced", machine.mail_log()[self.log_start:])
        self.assertNotIn("someone@sender.example", machine.sink.recipients())
        print(f"# {len(sender.taken)} mails arrived, {sender.put_off} times put off", flush=True)

    def assert_right_answers(self):
        self.assertEqual(machine.must_run(f"postmap -q {JDOE} {SOCKETMAP}"), JDOE_TARGET + "\n")
        self.assertEqual((rcpt(JDOE), rcpt("press@ubuntu.com"), rcpt(NOBODY)), ("250", "250", UNKNOWN))
        self.assertEqual(rcpt("someone@foreign.example"), "250")

    # ---- setting up ----

    def test_install(self):
        """setUpModule has gone through it."""
        self.assert_right_answers()
        self.assertEqual(rcpt("kim@ubuntu.com"), UNKNOWN)
        with Sender() as sender:
            pass
        self.assert_all_arrived(sender)

    def test_todays_charm(self):
        self.rehearse("todays-charm")
        with Sender() as sender:
            pass
        self.assert_all_arrived(sender)
        unit = "/etc/systemd/system/lpalias-export."
        ran = subprocess.run(["systemd-analyze", "verify", unit + "service", unit + "timer"], capture_output=True, text=True, check=False)
        about = [line for line in ran.stderr.splitlines() if "lpalias-export" in line and "is not executable" not in line]
        self.assertEqual(about, [])

    # ---- from day to day ----

    def test_member_asks(self):
        self.rehearse("member-asks")

    def test_targets(self):
        self.rehearse("targets")

    def test_function_addresses(self):
        self.rehearse("function-addresses")

    def test_ban(self):
        with Sender("press@ubuntu.com") as sender:
            self.rehearse("ban")
        self.assert_all_arrived(sender, "newsroom@press.example")
        self.assert_right_answers()

    def test_held_plan(self):
        for number in range(30):
            machine.launchpad.add_person(f"new-{number}")
            machine.launchpad.add_member("ubuntumembers", f"new-{number}")
        with Sender() as sender:
            self.rehearse("held-plan")
        self.assert_all_arrived(sender)

    def test_rollback(self):
        machine.launchpad.add_person("newcomer")
        machine.launchpad.add_member("ubuntumembers", "newcomer")
        machine.must_run("lpalias refresh")
        with Sender() as sender:
            self.rehearse("rollback")
        self.assert_all_arrived(sender)
        self.assertIn("newcomer@ubuntu.com", machine.must_run("lpalias list"))
        self.assert_right_answers()

    def test_freeze(self):
        self.rehearse("freeze")

    def test_keys(self):
        with Sender() as sender:
            self.rehearse("keys")
        self.assert_all_arrived(sender)
        self.assert_right_answers()

    def test_backup(self):
        self.rehearse("backup")

    def test_disk_full(self):
        self.put_cache_on_a_small_disk()
        machine.must_run("! cat /dev/zero >/var/lib/lpalias/filler")
        for number in range(15):
            machine.launchpad.add_person(f"new-{number}")
            machine.launchpad.add_member("ubuntumembers", f"new-{number}")
        with Sender() as sender:
            self.rehearse("disk-full")
            os.unlink("/var/lib/lpalias/filler")
            self.rehearse("disk-full-mended")
        self.assert_all_arrived(sender)
        self.assertEqual(sender.put_off, 0)
        self.assertIn("new-14@ubuntu.com", machine.must_run("lpalias list"))
        self.assert_right_answers()

    def put_cache_on_a_small_disk(self):
        machine.must_run("systemctl stop lpaliasd.service && mkdir /mnt/aside && cp -a /var/lib/lpalias/. /mnt/aside/ && "
                         "mount -t tmpfs -o size=4m,mode=2750 tmpfs /var/lib/lpalias")
        self.addCleanup(machine.must_run, "systemctl stop lpaliasd.service && umount /var/lib/lpalias && rm -r /mnt/aside")
        machine.must_run("chown lpalias:lpalias /var/lib/lpalias && chmod 2750 /var/lib/lpalias && "
                         "cp -a --sparse=always /mnt/aside/. /var/lib/lpalias/ && systemctl start lpaliasd.service")

    def test_new_domain(self):
        machine.must_run("lpalias target set lee lee@home.example")
        with Sender() as sender:
            self.rehearse("new-domain")
        self.assert_all_arrived(sender)
        # Postfix takes its time over a reload.
        wait_for(lambda: (rcpt("lee@lubuntu.me"), rcpt("nobody@lubuntu.me")) == ("250", UNKNOWN), what="the new domain")

    def test_remove_domain(self):
        with Sender() as sender:
            self.rehearse("remove-domain")
        self.assert_all_arrived(sender)
        self.assertEqual(machine.run(f"postmap -q ada@kubuntu.org {SOCKETMAP}").status, 1)
        self.assert_right_answers()

    def test_erase(self):
        self.rehearse("erase")
        self.assertEqual(rcpt(JDOE), UNKNOWN)

    def test_upgrade(self):
        self.rehearse("upgrade")

    def test_reload_or_restart(self):
        with Sender() as sender:
            self.rehearse("reload-or-restart")
        self.assert_all_arrived(sender)
        self.assertEqual(sender.put_off, 0)

    def test_log_level(self):
        self.rehearse("log-level")
        machine.must_run("systemctl is-active lpaliasd.service")

    # ---- disasters ----

    def save(self):
        """What an operator has elsewhere."""
        machine.must_run("mkdir -p /srv/saved && rm -f /srv/saved/* && lpalias backup /srv/saved && "
                         "cp -p /etc/lpalias/lpalias.conf /etc/lpalias/keys /srv/saved/")

    def test_lost_machine(self):
        self.save()
        with Sender() as sender:
            machine.must_run("systemctl stop lpaliasd.socket lpaliasd.service && postfix stop")
            for path in ("/etc/lpalias", "/var/lib/lpalias", "/var/backups/lpalias"):
                shutil.rmtree(path)
            # As the packages leave it.
            machine.must_run("mkdir /etc/lpalias && cp /usr/local/units/lpalias.conf /etc/lpalias/ && "
                             "systemd-tmpfiles --create lpalias.conf")
            sender.wait_until_put_off()
            self.rehearse("lost-machine")
        self.assert_all_arrived(sender)
        self.assert_right_answers()

    def test_lost_key_with_copy(self):
        self.save()
        with Sender() as sender:
            os.unlink("/etc/lpalias/keys")
            sender.wait_for_mail(3)  # the running server has them
            self.rehearse("lost-key-with-copy")
        self.assert_all_arrived(sender)
        self.assertEqual(sender.put_off, 0)
        machine.must_run("systemctl restart lpaliasd.service")
        self.assert_right_answers()

    def test_lost_key(self):
        with Sender() as sender:
            os.unlink("/etc/lpalias/keys")
            sender.wait_for_mail(3)
            self.rehearse("lost-key")
        self.assert_all_arrived(sender)
        self.assertFalse(os.path.exists("/srv/rescued"))
        self.assert_right_answers()

    def mend_the_cache(self, damage):
        with Sender() as sender:
            damage("/var/lib/lpalias/data.mdb")
            sender.wait_until_put_off()
            self.assertEqual((rcpt(JDOE), rcpt(NOBODY), rcpt("someone@foreign.example")), (CANNOT_TELL, CANNOT_TELL, "250"))
            self.rehearse("damaged-cache")
        self.assert_all_arrived(sender)
        self.assert_right_answers()

    def test_damaged_cache(self):
        def overwrite(path):
            with open(path, "r+b") as file:
                file.write(os.urandom(os.path.getsize(path)))
        self.mend_the_cache(overwrite)

    def test_deleted_cache(self):
        self.mend_the_cache(os.unlink)

    def test_no_backup(self):
        with Sender() as sender:
            self.rehearse("no-backup")
        self.assert_all_arrived(sender)
        self.assert_right_answers()

    def test_launchpad_gone(self):
        machine.launchpad.add_fault("connection-reset")
        with Sender() as sender:
            self.rehearse("launchpad-gone")
        self.assert_all_arrived(sender)
        self.assertEqual(rcpt("kim@ubuntu.com"), "250")

    def test_wrong_import(self):
        machine.must_run("lpalias backup /var/backups/lpalias")
        machine.write("/srv/wrong", "wrong@ubuntu.com wrong@home.example\n")
        with Sender() as sender:
            self.rehearse("wrong-import")
        self.assert_all_arrived(sender)
        self.assertEqual(rcpt("wrong@ubuntu.com"), UNKNOWN)
        self.assert_right_answers()

    def test_spool(self):
        with Sender() as sender:
            self.rehearse("spool")
        self.assert_all_arrived(sender)
        self.assert_right_answers()

    # ---- the manual itself ----

    def test_none_is_left_out(self):
        """Each name in the manual has its case here."""
        cases = {"disk-full-mended"} | {name.removeprefix("test_").replace("_", "-") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(steps) - cases, set())

    def test_what_is_wrong_is_seen(self):
        for command, status, shown in (("lpalias query alias jdoe@ubuntu.com", 2, ""), ("lpalias frobnicate", 0, ""),
                                       ("lpalias check", 0, "...: fine, 2 domain(s), ... listener(s) and more\n"),
                                       ("lpalias query alias jdoe@ubuntu.com", 0, "jd@home.example\n")):
            with self.subTest(command=command), self.assertRaises(AssertionError):
                run_step(manual.Step(1, command, status, shown))


if __name__ == "__main__":
    if not relay_machine.why_not():
        relay_machine.enter()
    tap.main()
