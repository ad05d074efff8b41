"""Real mail through a real Postfix, the shipped examples and lpaliasd, to a real mail server.

The files of postfix-examples are used as they are; only the two inet ports are replaced, and the
relative socket path leads into the private queue directory of the test. smtpd, cleanup and
trivial-rewrite run chrooted by master.cf.chroot.
"""

import grp
import os
import pwd
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import postfix_instance
import tap
from lpalias_world import ALERTS, World
from mail_sink import MailSink
from postfix_instance import PostfixInstance, example, postfix_group, wait_for

SENDER = "someone@sender.example"
UNKNOWN = "550 5.1.1"
CANNOT_TELL = "451 4.3.0"


def verdict(reply):
    """Code and enhanced status code of a refusal, or only "250"."""
    return "250" if reply.code == 250 else f"{reply.code} {reply.text.split()[0]}"


class MailCase(unittest.TestCase):
    """Mail sink, Postfix with one example, and a filled lpaliasd behind it; one set per class."""

    piece = "main.cf.socketmap-unix"
    further_pieces = ()

    @classmethod
    def setUpClass(cls):
        reason = postfix_instance.why_not() or lpalias_world.why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.sink = MailSink()
        cls.sink.start()
        cls.addClassCleanup(cls.sink.stop)
        # Postfix first: its queue directory is where the socket goes.
        cls.mta = PostfixInstance(pieces=[example(each)
                                          for each in (cls.piece, *cls.further_pieces)],
                                  master=[example("master.cf.chroot")], chrooted=(),
                                  sink_port=cls.sink.port)
        cls.addClassCleanup(cls.mta.close)
        cls.world = World(socket_directory=cls.mta.socket_directory)
        cls.addClassCleanup(cls.world.close)
        cls.mta.replace.update({"127.0.0.1:10041": f"127.0.0.1:{cls.world.inet_port}",
                                "127.0.0.1:10042": f"127.0.0.1:{cls.world.tcp_port}"})
        policy = os.path.join(cls.mta.socket_directory, "policy")
        cls.world.listeners.append(f'policy = {{ "unix:{policy}" }}')
        cls.world.write_config()
        cls.prepare()
        cls.mta.start()

    @classmethod
    def prepare(cls):
        """Fills the cache and starts the server; a class may do it in another way."""
        cls.world.fill()
        cls.world.start_server()

    def setUp(self):
        self.sink.forget()

    def rcpt(self, address, **options):
        """What Postfix says to RCPT TO, in short."""
        return verdict(self.mta.rcpt(address, **options))

    def deliver(self, address, sender=SENDER):
        """Sends one message, waits until the queue is empty; the envelope recipients it got."""
        sent = self.mta.send(sender, [address], body="The body.\n")
        self.assertEqual(sent.rcpt[address].code, 250, sent)
        self.assertEqual(sent.data.code, 250, sent)
        self.mta.wait_until_idle()
        self.sink.wait_until_written()
        for mail in self.sink.messages():
            self.assertEqual(mail.sender, sender)
            self.assertIn("The body.", mail.body)
        return self.sink.recipients()


class Ways(MailCase):
    """What holds for each of the four ways; run once per example, below."""

    def map_name(self):
        """The map as main.cf has it."""
        return self.mta.postconf("virtual_alias_maps")

    def ask(self, key):
        """Status and output of `postmap -q` run in the queue directory."""
        asked = self.mta.postmap_q(self.map_name(), key, cwd=self.mta.queue)
        return asked.status, asked.stdout.strip(), asked.stderr.strip()

    def test_postmap_hit(self):
        """postmap -q prints the targets of an alias."""
        self.assertEqual(self.ask("jdoe@ubuntu.com"), (0, "jdoe@target.example", ""))

    def test_postmap_miss(self):
        """An unknown name of an open domain: status 1 and no complaint."""
        self.assertEqual(self.ask("nobody@ubuntu.com"), (1, "", ""))

    def test_postmap_foreign(self):
        """A foreign address: the same."""
        self.assertEqual(self.ask("jdoe@foreign.example"), (1, "", ""))

    def test_postmap_cannot_tell(self):
        """An unknown name of a closed domain: status 1 too, but with a complaint."""
        status, out, err = self.ask("nobody@kubuntu.org")
        self.assertEqual((status, out), (1, ""))
        self.assertNotEqual(err, "")

    def test_postfix_check(self):
        """`postfix check` finds nothing to say about the pieces."""
        self.assertEqual(self.mta.check(), [])

    def test_mail(self):
        """Mail arrives, an unknown name is refused, foreign mail flows."""
        self.assertEqual(self.deliver("JDoe@Ubuntu.com"), ["jdoe@target.example"])
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), UNKNOWN)
        self.assertEqual(self.rcpt("somebody@foreign.example"), "250")


class OverUnixSocket(Ways):
    """main.cf.socketmap-unix."""

    def test_absolute_path(self):
        """postmap -q finds the socket by its absolute path from any directory."""
        asked = self.mta.postmap_q(f"socketmap:unix:{self.world.socket_path}:alias",
                                   "jdoe@ubuntu.com", cwd="/")
        self.assertEqual((asked.status, asked.stdout), (0, "jdoe@target.example\n"), asked)

    def test_relative_path_elsewhere(self):
        """The relative path fails outside the queue directory, as the example says."""
        asked = self.mta.postmap_q(self.map_name(), "jdoe@ubuntu.com", cwd="/")
        self.assertEqual(asked.status, 1)
        self.assertIn("No such file or directory", asked.stderr)

    def test_unknown_map(self):
        """A map that does not exist is a configuration error, not an absent address."""
        asked = self.mta.postmap_q(f"socketmap:unix:{self.world.socket_path}:alais",
                                   "jdoe@ubuntu.com")
        self.assertEqual((asked.status, asked.stdout), (1, ""))
        self.assertNotEqual(asked.stderr, "")


class OverProxymap(Ways):
    """main.cf.socketmap-proxy."""
    piece = "main.cf.socketmap-proxy"

    def test_any_directory(self):
        """postmap -q goes through proxymap and needs no queue directory, as the example says."""
        asked = self.mta.postmap_q(self.map_name(), "jdoe@ubuntu.com", cwd="/")
        self.assertEqual((asked.status, asked.stdout), (0, "jdoe@target.example\n"), asked)


class OverInet(Ways):
    """main.cf.socketmap-inet."""
    piece = "main.cf.socketmap-inet"


class OverTcpTable(Ways):
    """main.cf.tcp-table."""
    piece = "main.cf.tcp-table"


del Ways  # only its children are to run


class Delivery(MailCase):
    """What becomes of mail to each kind of address."""

    def test_several_targets(self):
        """An alias with several targets reaches all of them."""
        self.assertEqual(self.deliver("several@ubuntu.com"),
                         ["one@target.example", "three@elsewhere.example", "two@target.example"])

    def test_extension(self):
        """Case does not matter, and the extension goes back onto the target."""
        self.assertEqual([each.lower() for each in self.deliver("JDoe+Tag@Ubuntu.com")],
                         ["jdoe+tag@target.example"])

    def test_extension_on_each_target(self):
        """With several targets it goes onto each of them."""
        self.assertEqual(self.deliver("several+x@ubuntu.com"),
                         ["one+x@target.example", "three+x@elsewhere.example",
                          "two+x@target.example"])

    def test_null_sender(self):
        """A bounce to an alias is delivered like any other mail."""
        self.assertEqual(self.deliver("jdoe@ubuntu.com", sender=""), ["jdoe@target.example"])

    def test_role_address(self):
        """postmaster of a domain of ours reaches the operators."""
        self.assertEqual(self.deliver("postmaster@ubuntu.com"), [ALERTS])

    def test_foreign(self):
        """Mail to others passes unchanged."""
        self.assertEqual(self.deliver("Somebody@Foreign.example"), ["Somebody@Foreign.example"])

    def test_unknown_in_open_domain(self):
        """Known to be absent: refused for good."""
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), UNKNOWN)

    def test_pending_in_open_domain(self):
        """A member without a target is refused for good, too."""
        self.assertEqual(self.rcpt("pending@ubuntu.com"), UNKNOWN)

    def test_closed_domain(self):
        """In a closed domain a live alias is served, everything else has to wait."""
        self.assertEqual(self.deliver("kim@kubuntu.org"), ["kim@target.example"])
        self.assertEqual(self.rcpt("nobody@kubuntu.org"), CANNOT_TELL)
        self.assertEqual(self.rcpt("pending@kubuntu.org"), CANNOT_TELL)

    def test_mixed_recipients(self):
        """One message to a good, an unknown, an undecided and a foreign recipient."""
        sent = self.mta.send(SENDER, ["lee@lubuntu.me", "nobody@lubuntu.me", "nobody@kubuntu.org",
                                      "somebody@foreign.example"])
        self.assertEqual([verdict(reply) for reply in sent.rcpt.values()],
                         ["250", UNKNOWN, CANNOT_TELL, "250"])
        self.mta.wait_until_idle()
        self.sink.wait_until_written()
        self.assertEqual(self.sink.recipients(),
                         ["lee@target.example", "somebody@foreign.example"])

    def test_odd_recipients(self):
        """Odd local parts are unknown users, never an error."""
        for address in ('"a@b"@ubuntu.com', '"c d"@ubuntu.com', "user%other@ubuntu.com",
                        "+tag@ubuntu.com", "j\u00f6e@ubuntu.com", "a+b+c@ubuntu.com"):
            self.assertEqual(self.rcpt(address), UNKNOWN, address)

    def test_smtpd_is_chrooted(self):
        """The smtpd that answers here really runs in the chroot, so it came to the socket there."""
        client = self.mta.session()
        self.addCleanup(client.close)
        roots = {name: os.readlink(f"/proc/{pid}/root")
                 for pid, name in self.mta.processes().items()}
        self.assertEqual(roots["smtpd"], self.mta.queue)
        self.assertEqual(roots["master"], "/")
        self.assertEqual(self.rcpt("jdoe@ubuntu.com"), "250")

    def test_socket_rights(self):
        """The socket is for its owner and the group postfix only."""
        found = os.stat(self.world.socket_path)
        self.assertEqual((oct(found.st_mode & 0o7777), found.st_gid), (oct(0o660), postfix_group()))


class Refusals(MailCase):
    """What holds for both ways to refuse a name before the map of aliases is asked; run below."""

    without_server = None  # what RCPT gets then

    @classmethod
    def prepare(cls):
        super().prepare()
        # Never live and no member any more: gone after two listings.
        for team in ("ubuntumembers", "kubuntu-members"):
            cls.world.launchpad.remove_member(team, "pending")
        for after_s in (120, 240):
            cls.world.lpalias("refresh", after_s=after_s)

    def test_gone(self):
        """A name that is gone says so, with an extension too."""
        for address in ("pending@ubuntu.com", "Pending+tag@Ubuntu.com"):
            reply = self.mta.rcpt(address)
            self.assertEqual(verdict(reply), "550 5.1.6", reply)
            self.assertIn("no longer in use", reply.text)

    def test_the_rest(self):
        """Live, unknown, closed and foreign are as without it."""
        self.assertEqual(self.deliver("jdoe@ubuntu.com"), ["jdoe@target.example"])
        self.sink.forget()
        self.assertEqual(self.deliver("somebody@foreign.example"), ["somebody@foreign.example"])
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), UNKNOWN)
        self.assertEqual(self.rcpt("pending@kubuntu.org"), CANNOT_TELL)

    def test_postfix_check(self):
        """`postfix check` finds nothing to say about the pieces."""
        self.assertEqual(self.mta.check(), [])

    def test_without_server(self):
        """Without lpaliasd every recipient has to wait."""
        self.world.kill_server()
        try:
            for address in ("jdoe@ubuntu.com", "pending@ubuntu.com", "somebody@foreign.example"):
                self.assertEqual(self.rcpt(address), self.without_server, address)
        finally:
            self.world.start_server()
            wait_for(lambda: self.rcpt("jdoe@ubuntu.com") == "250", 30,
                     "Postfix to find the server")


class AccessMap(Refusals):
    """main.cf.access."""
    further_pieces = ("main.cf.access",)
    without_server = "451 4.3.5"


class Policy(Refusals):
    """main.cf.policy."""
    further_pieces = ("main.cf.policy",)
    without_server = CANNOT_TELL


del Refusals  # only its children are to run


class ServerLost(MailCase):
    """The server goes and comes back while Postfix runs; each case leaves it running."""

    def server_is_back(self):
        """Starts the server and waits until a running Postfix has found it again."""
        self.world.start_server()
        wait_for(lambda: self.rcpt("jdoe@ubuntu.com") == "250", 30, "Postfix to find the server")

    def test_killed(self):
        """A killed server is a temporary error for everybody, never "user unknown"."""
        self.assertEqual(self.rcpt("jdoe@ubuntu.com"), "250")  # smtpd holds a connection now
        self.world.kill_server()
        try:
            for address in ("jdoe@ubuntu.com", "nobody@ubuntu.com", "jdoe+tag@ubuntu.com"):
                self.assertEqual(self.rcpt(address), CANNOT_TELL, address)
        finally:
            self.server_is_back()
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), UNKNOWN)

    def test_restarted(self):
        """After a restart the running Postfix finds the new server without a reload."""
        self.assertEqual(self.rcpt("jdoe@ubuntu.com"), "250")
        self.assertEqual(self.world.stop_server(), 0)
        self.server_is_back()
        self.assertEqual(self.deliver("several@ubuntu.com"),
                         ["one@target.example", "three@elsewhere.example", "two@target.example"])


class ConfigurationMistake(MailCase):
    """A domain is in virtual_alias_domains and in the cache, but misspelt in lpalias.conf."""

    @classmethod
    def prepare(cls):
        cls.world.fill()
        cls.world.domains["lubuntu.mee"] = cls.world.domains.pop("lubuntu.me")
        cls.world.write_config()
        cls.world.start_server()

    def test_live_alias(self):
        """What worked before goes on working."""
        self.assertEqual(self.deliver("lee@lubuntu.me"), ["lee@target.example"])

    def test_unknown_name(self):
        """What is not found cannot be told any more: 451, not 550."""
        self.assertEqual(self.rcpt("nobody@lubuntu.me"), CANNOT_TELL)

    def test_other_domain(self):
        """The other domains do not notice."""
        self.assertEqual(self.deliver("jdoe@ubuntu.com"), ["jdoe@target.example"])
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), UNKNOWN)


class CacheMissing(MailCase):
    """The server runs, but there never was a refresh."""

    @classmethod
    def prepare(cls):
        cls.world.make_key()
        cls.world.start_server()

    def test_foreign_mail_flows(self):
        """Mail for others is delivered."""
        self.assertEqual(self.deliver("somebody@foreign.example"), ["somebody@foreign.example"])

    def test_our_mail_waits(self):
        """Mail for a domain of ours has to wait, whoever it is for."""
        for address in ("jdoe@ubuntu.com", "nobody@ubuntu.com", "lee@lubuntu.me"):
            self.assertEqual(self.rcpt(address), CANNOT_TELL, address)


class CacheArrives(MailCase):
    """The server runs before the first refresh, which then comes."""

    @classmethod
    def prepare(cls):
        cls.world.make_key()
        cls.world.start_server()

    def test_first_refresh(self):
        """Aliases are served after the first refresh, without a restart of anything."""
        self.world.lpalias("refresh")
        self.world.lpalias("target", "set", "jdoe", "jdoe@target.example")
        wait_for(lambda: self.rcpt("jdoe@ubuntu.com") == "250", 30, "the new cache")
        self.assertEqual(self.deliver("jdoe@ubuntu.com"), ["jdoe@target.example"])
        self.assertEqual(self.rcpt("nobody@ubuntu.com"), CANNOT_TELL)  # the domain is closed


class NotRoot(MailCase):
    """The server runs as a user of its own in a directory 2750 user:postfix."""

    @classmethod
    def prepare(cls):
        uid = unused_id()
        cls.uid = uid
        cls.world.fill()
        cls.world.give_to(uid, uid)
        os.chown(cls.mta.socket_directory, uid, postfix_group())
        os.chmod(cls.mta.socket_directory, 0o2750)
        cls.world.start_server(prefix=["setpriv", f"--reuid={uid}", f"--regid={uid}",
                                       "--clear-groups", "--"])

    def test_not_root(self):
        """The process really is that user and no other."""
        with open(f"/proc/{self.world.process.pid}/status", encoding="utf-8") as file:
            lines = dict(line.rstrip("\n").split(":", 1) for line in file)
        for name in ("Uid", "Gid"):
            self.assertEqual(set(lines[name].split()), {str(self.uid)}, name)

    def test_socket_rights(self):
        """The socket belongs to that user, has the group postfix and the mode 0660."""
        found = os.stat(self.world.socket_path)
        self.assertEqual((found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)),
                         (self.uid, postfix_group(), oct(0o660)))

    def test_chrooted_postfix_reaches_it(self):
        """Postfix comes to the socket and mail arrives."""
        self.assertEqual(self.deliver("jdoe@ubuntu.com"), ["jdoe@target.example"])


def unused_id():
    """A number that is neither a user nor a group of this machine."""
    taken = {each.pw_uid for each in pwd.getpwall()} | {each.gr_gid for each in grp.getgrall()}
    return next(number for number in range(61000, 62000) if number not in taken)


if __name__ == "__main__":
    tap.main()
