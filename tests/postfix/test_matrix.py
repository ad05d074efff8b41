"""What RCPT gets: each kind of name x state of its domain x health of the cache x map or policy in
use x way to lpaliasd, on a real Postfix whose main.cf is what `lpalias postfix-config` prints.

One table says what is wanted; the loops below it make a case of each condition of the cache, way and
smtpd service. All states are made by the real programs. In each case mail to others flows.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import lpalias_world
import postfix_instance
import tap
from lpalias_world import ALERTS, World, socketmap_ask
from mail_sink import MailSink, free_port
from postfix_instance import PostfixInstance, postfix_group, wait_for

SENDER = "someone@sender.example"
TAKEN = "250"
UNKNOWN = "550 5.1.1"
GONE = "550 5.1.6"
PAUSED = "550 5.2.1"
CANNOT_TELL = "451 4.3.0"
FOREIGN = "somebody@foreign.example"

# What is wanted of each address where the map of aliases (with or without that of domains) or of
# recipients is asked alone, and where access is asked first, over its map or as a policy.
WANTED = {
    # An open domain.
    "active@open.example": (TAKEN, TAKEN),
    "Active+Tag@Open.Example": (TAKEN, TAKEN),
    "leaving@open.example": (TAKEN, TAKEN),
    "pending@open.example": (UNKNOWN, UNKNOWN),
    "refused@open.example": (UNKNOWN, UNKNOWN),
    "banned@open.example": (UNKNOWN, UNKNOWN),
    "paused@open.example": (UNKNOWN, PAUSED),
    "paused+tag@open.example": (UNKNOWN, PAUSED),
    "gone@open.example": (UNKNOWN, GONE),
    "Gone@Open.Example": (UNKNOWN, GONE),
    "press@open.example": (TAKEN, TAKEN),
    "postmaster@open.example": (TAKEN, TAKEN),
    "nobody@open.example": (UNKNOWN, UNKNOWN),
    '"a b"@open.example': (UNKNOWN, UNKNOWN),
    # Open, and mail to who is leaving is refused.
    "active@strict.example": (TAKEN, TAKEN),
    "leaving@strict.example": (UNKNOWN, UNKNOWN),
    "gone@strict.example": (UNKNOWN, GONE),
    # Open, with a catch-all.
    "active@catch.example": (TAKEN, TAKEN),
    "gone@catch.example": (UNKNOWN, GONE),
    "paused@catch.example": (UNKNOWN, PAUSED),
    "banned@catch.example": (UNKNOWN, UNKNOWN),
    "nobody@catch.example": (TAKEN, TAKEN),
    # Closed: what is live is served, of the rest nothing is known.
    "active@closed.example": (TAKEN, TAKEN),
    "leaving@closed.example": (TAKEN, TAKEN),
    "press@closed.example": (TAKEN, TAKEN),
    "postmaster@closed.example": (TAKEN, TAKEN),
    "pending@closed.example": (CANNOT_TELL, CANNOT_TELL),
    "refused@closed.example": (CANNOT_TELL, CANNOT_TELL),
    "banned@closed.example": (CANNOT_TELL, CANNOT_TELL),
    "paused@closed.example": (CANNOT_TELL, CANNOT_TELL),
    "gone@closed.example": (CANNOT_TELL, CANNOT_TELL),
    "nobody@closed.example": (CANNOT_TELL, CANNOT_TELL),
    # In the cache, and not in the server's configuration any more.
    "active@left.example": (TAKEN, TAKEN),
    "leaving@left.example": (TAKEN, TAKEN),
    "postmaster@left.example": (TAKEN, TAKEN),
    "paused@left.example": (CANNOT_TELL, CANNOT_TELL),
    "gone@left.example": (CANNOT_TELL, CANNOT_TELL),
    "nobody@left.example": (CANNOT_TELL, CANNOT_TELL),
    # Configured, and not in the cache yet.
    "active@unseen.example": (CANNOT_TELL, CANNOT_TELL),
    "postmaster@unseen.example": (TAKEN, TAKEN),
    # Not ours.
    FOREIGN: (TAKEN, TAKEN),
    "gone@foreign.example": (TAKEN, TAKEN),
}
# Answered from the configuration, whatever the cache.
FROM_MEMORY = re.compile("postmaster@|.*@foreign.example|\"")
# Answered without opening a target.
WITHOUT_KEYS = re.compile(FROM_MEMORY.pattern + "|nobody@catch")


def wanted_when_well(address, column):
    return WANTED[address][column]


def wanted_without_cache(address, column):
    """Of what is ours nothing can be told, and above all nothing is said against it."""
    return WANTED[address][column] if FROM_MEMORY.match(address) else CANNOT_TELL


def wanted_without_keys(address, column):
    """Only what would have been delivered needs a key."""
    wanted = WANTED[address][column]
    return CANNOT_TELL if wanted == TAKEN and not WITHOUT_KEYS.match(address) else wanted


CONDITIONS = {"well": wanted_when_well, "no_cache": wanted_without_cache,
              "no_keys": wanted_without_keys}
WAYS = ("unix", "proxy", "tcp-table")
# The smtpd services, and the column of the table above.
SERVICES = {"alias": 0, "domain": 0, "recipient": 0, "access": 1, "policy": 1}
DOMAINS = ("open.example", "strict.example", "catch.example", "closed.example", "left.example",
           "unseen.example")
PEOPLE = ("active", "leaving", "pending", "refused", "banned", "paused", "gone")
DAY_S = 86_400


def verdict(reply):
    """Code and enhanced status code of a refusal, or only "250"."""
    return TAKEN if reply.code == 250 else f"{reply.code} {reply.text.split()[0]}"


class Mta:
    """A Postfix that comes to lpaliasd one way, with an smtpd for each service."""

    def __init__(self, way, sink_port):
        self.way = way
        self.ports = {service: free_port() for service in SERVICES}
        self.directory = tempfile.TemporaryDirectory(prefix="lpalias-matrix-")
        self.main, self.master = (os.path.join(self.directory.name, name)
                                  for name in ("main.cf", "master.cf"))
        self.policy_socket = None
        self.postfix = PostfixInstance(pieces=[self.main], master=[self.master],
                                       settings={"smtpd_hard_error_limit": "1000"},
                                       sink_port=sink_port)
        self.policy_socket = os.path.join(self.postfix.socket_directory, "policy")
        self.lookup_socket = os.path.join(self.postfix.socket_directory, "lookup")

    def close(self):
        self.postfix.close()
        self.directory.cleanup()

    def start(self, world):
        """Takes main.cf from `lpalias postfix-config`, where the policy lines are comments."""
        printed = world.lpalias("postfix-config", "--way", self.way, "--queue-directory",
                                self.postfix.queue).stdout
        policy = re.search(r"^#smtpd_recipient_restrictions =\n#    (check_policy_service .*)$",
                           printed, re.M).group(1)
        alias = re.search(r"^virtual_alias_maps =\n    (.*)$", printed, re.M).group(1)

        def table(name):
            if self.way == "tcp-table":
                return f"tcp:127.0.0.1:{TCP_PORTS[name]}"
            return f"{alias.removesuffix(':alias')}:{name}"

        with open(self.main, "w", encoding="utf-8") as file:
            file.write(printed)
            # proxymap opens what stands in main.cf only: hence the last line.
            file.write(f"matrix_policy = {policy}\nmatrix_domain = {table('domain')}\n"
                       f"relay_recipient_maps = {table('recipient')}\n"
                       f"matrix_domains = {' '.join(DOMAINS)}\n"
                       f"proxy_read_maps = {self.postfix_default('proxy_read_maps')} "
                       f"$matrix_domain\n")
        as_relay = ("-o virtual_alias_domains= -o virtual_alias_maps= "
                    "-o relay_domains=$matrix_domains")
        options = {
            "alias": "-o smtpd_recipient_restrictions=",
            "access": "",
            "policy": "-o smtpd_recipient_restrictions=$matrix_policy",
            "domain": "-o smtpd_recipient_restrictions= -o rewrite_service_name=domain-rewrite",
            "recipient": f"-o smtpd_recipient_restrictions= -o rewrite_service_name=relay-rewrite "
                         f"{as_relay}",
        }
        with open(self.master, "w", encoding="utf-8") as file:
            file.writelines(f"127.0.0.1:{self.ports[service]} inet n - y - - smtpd {option}\n"
                            for service, option in options.items())
            file.write(f"relay-rewrite unix - - y - - trivial-rewrite {as_relay}\n"
                       f"domain-rewrite unix - - y - - trivial-rewrite "
                       f"-o virtual_alias_domains=$matrix_domain\n")
        self.postfix.start()

    @staticmethod
    def postfix_default(name):
        """The value that Postfix has built in."""
        return subprocess.run(["postconf", "-c", "/dev/null", "-dh", name], capture_output=True,
                              env={"PATH": postfix_instance.SYSTEM_PATH}, text=True,
                              check=True).stdout.strip()

    def rcpt(self, service, addresses):
        """{address: reply to RCPT}, in one session."""
        client = self.postfix.session(self.ports[service])
        try:
            # pylint: disable=protected-access
            self.postfix._docmd(client, f"MAIL FROM:<{SENDER}>")
            return {each: self.postfix._docmd(client, f"RCPT TO:<{each}>") for each in addresses}
        finally:
            self.postfix._leave(client)


MTAS, TCP_PORTS = {}, {}
WORLD = SINK = None
PRESENT = "well"


def setUpModule():
    # pylint: disable=global-statement
    global WORLD, SINK
    reason = postfix_instance.why_not() or lpalias_world.why_not()
    if reason:
        raise unittest.SkipTest(reason)
    SINK = MailSink()
    SINK.start()
    unittest.addModuleCleanup(SINK.stop)
    for way in WAYS:
        MTAS[way] = Mta(way, SINK.port)
        unittest.addModuleCleanup(MTAS[way].close)
    TCP_PORTS.update({name: free_port() for name in ("alias", "domain", "access", "recipient")})
    WORLD = make_world()
    unittest.addModuleCleanup(WORLD.close)
    make_states(WORLD)
    for mta in MTAS.values():
        mta.start(WORLD)
    WORLD.domains.pop("left.example")
    WORLD.write_config()
    WORLD.start_server()


def make_world():
    """The people are in the teams of all domains but the last."""
    people = {name: {} for name in PEOPLE}
    people["refused"] = {"is_ubuntu_coc_signer": False}
    teams = {domain.partition(".")[0]: {"members": list(PEOPLE)} for domain in DOMAINS}
    world = World({"people": people, "teams": teams}, page_size=300)
    world.domains = {domain: domain.partition(".")[0] for domain in DOMAINS[:-1]}
    world.domain_keys = {domain: 'grace = "1d"' for domain in DOMAINS}
    world.domain_keys["strict.example"] += " during-grace = reject"
    world.domain_keys["catch.example"] += f' catch-all = "{ALERTS}"'
    beside = os.path.join(world.directory, "sockets")
    os.mkdir(beside)
    os.chown(beside, 0, postfix_group())
    os.chmod(beside, 0o2750)
    lookups = [os.path.join(beside, "lookup"), MTAS["unix"].lookup_socket]
    world.socket_path = lookups[0]
    quoted = [f'"unix:{path}"' for path in lookups]
    policies = [f'"unix:{mta.policy_socket}"' for mta in MTAS.values()]
    world.listeners = [
        f"socketmap = {{ {', '.join(quoted)} }}",
        f"policy = {{ {', '.join(policies)} }}",
        *(f'tcp-table "inet:127.0.0.1:{port}" {{ map = {name} }}'
          for name, port in TCP_PORTS.items()),
    ]
    world.write_config()
    return world


def make_states(world):
    """Brings everybody into the state of that name, as time goes by."""
    now_s = 0

    def run(*arguments, status=0):
        world.lpalias(*arguments, status=status, after_s=now_s)

    def refresh_twice():
        nonlocal now_s
        for _ in range(2):
            now_s += 61
            run("refresh")

    run("key", "generate")
    run("refresh")
    for name in ("active", "leaving", "banned", "paused", "gone"):
        run("target", "set", name, f"{name}@target.example")
    world.import_static({f"press@{domain}": ["press@target.example"] for domain in DOMAINS[:-1]})
    for domain in ("open.example", "strict.example", "catch.example", "left.example"):
        run("domain", "open", domain, "--yes")
    run("ban", "banned", "--reason", "spam")
    run("pause", "paused")
    for name in ("gone", "leaving"):
        for team in world.domains.values():
            world.launchpad.remove_member(team, name)
        refresh_twice()
        if name == "gone":
            now_s += 2 * DAY_S
            refresh_twice()
    world.domains["unseen.example"] = "unseen"
    world.write_config()


def wait_for_answer(beginning):
    """Until the server has looked around."""
    wait_for(lambda: WORLD.ask("alias", "active@open.example").startswith(beginning), 60, beginning)


def change_condition(condition):
    """Makes the cache ill in that way, or well."""
    # pylint: disable=global-statement
    global PRESENT
    if condition == PRESENT:
        return
    data = os.path.join(WORLD.cache, "data.mdb")
    changes = {"no_cache": [(data, data + ".away")],
               "no_keys": [(WORLD.key_file, WORLD.key_file + ".away")], "well": []}
    for there, away in changes[PRESENT]:
        os.replace(away, there)
    for there, away in changes[condition]:
        os.replace(there, away)
    if "no_keys" in (condition, PRESENT):  # a server keeps the keys that it has
        WORLD.stop_server()
        WORLD.start_server()
    PRESENT = condition
    wait_for_answer("OK" if condition == "well" else "TEMP")


class Matrix(unittest.TestCase):
    """A case for each condition, way and service: made below."""

    def check(self, condition, way, service):
        change_condition(condition)
        mta = MTAS[way]
        wanted = {address: CONDITIONS[condition](address, SERVICES[service]) for address in WANTED}
        got = {address: verdict(reply) for address, reply in mta.rcpt(service, WANTED).items()}
        self.assertEqual(got, wanted)
        self.check_foreign_mail(mta, service)

    def check_foreign_mail(self, mta, service):
        """Not only RCPT: it arrives."""
        SINK.forget()
        sent = mta.postfix.send(SENDER, [FOREIGN], port=mta.ports[service])
        self.assertEqual(sent.data.code, 250, sent)
        mta.postfix.wait_until_idle()
        SINK.wait_until_written()
        self.assertEqual(SINK.recipients(), [FOREIGN])


class States(unittest.TestCase):
    """That the table is about what it says."""

    def test_each_name_is_in_the_state_of_that_name(self):
        change_condition("well")
        rows = json.loads(WORLD.lpalias("list", "--json").stdout)
        states = {row["address"]: (row["state"], row["reason"] or "") for row in rows}
        for domain in DOMAINS[:-1]:
            wanted = {"active": ("active", ""), "leaving": ("leaving", "not-member"),
                      "pending": ("pending", "no-target"), "paused": ("paused", "paused"),
                      "refused": ("refused", "coc-not-signed"), "banned": ("refused", "banned"),
                      "gone": ("gone", "grace-over"), "press": ("active", "")}
            self.assertEqual({name: states[f"{name}@{domain}"] for name in wanted}, wanted, domain)


class Text(unittest.TestCase):
    """The words of the replies."""

    def setUp(self):
        change_condition("well")

    def test_a_ban_looks_like_a_name_that_nobody_ever_had(self):
        for service in SERVICES:
            replies = MTAS["unix"].rcpt(service, ["banned@open.example", "nobody@open.example"])
            banned, nobody = (reply.text.replace(address, "ADDRESS")
                              for address, reply in replies.items())
            self.assertEqual(banned, nobody, service)

    def test_replies_name_nothing_but_the_address(self):
        for service in ("access", "policy"):
            for address in ("gone@open.example", "paused@open.example"):
                reply = MTAS["unix"].rcpt(service, [address])[address]
                self.assertNotIn("target.example", reply.text)
                self.assertEqual(reply.text.count("@"), 1, reply)

    def test_postfix_check_finds_nothing(self):
        for way, mta in MTAS.items():
            self.assertEqual(mta.postfix.check(), [], way)

    def test_lint_misses_only_what_is_not_ours(self):
        for way, mta in MTAS.items():
            lint = WORLD.lpalias("lint", "--json", "--config-directory", mta.postfix.config, status=1)
            checks = [finding["check"] for finding in json.loads(lint.stdout)["findings"]]
            self.assertEqual(checks, ["srs"], (way, lint))

    def test_an_unknown_map_is_a_mistake_of_the_configuration(self):
        self.assertEqual(socketmap_ask(WORLD.socket_path, "senders", "a@open.example"),
                         "PERM no such map")


def add_cases():
    """The order of the names keeps the cases of a condition together."""
    for number, condition in enumerate(CONDITIONS):
        for way in WAYS:
            for service in SERVICES:
                def case(self, condition=condition, way=way, service=service):
                    self.check(condition, way, service)
                name = f"{number}_{condition}_{way}_{service}".replace("-", "_")
                setattr(Matrix, f"test_{name}", case)


add_cases()

if __name__ == "__main__":
    tap.main()
