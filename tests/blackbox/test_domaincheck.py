"""Proof of domain ownership: what the DNS says, and what a domain may do by it, against a real name
server with signed and unsigned zones."""

import json
import os
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import house
import name_server
import tap
from house import DAY_S, DOMAIN, OTHER_DOMAIN, House
from lpalias_world import World, members
from name_server import DNSKEY, SHORT, NameServer, Resolver, Zone

HELD, USAGE, TEMPORARY = 3, 64, 75
PROOF = "verification=6IsURgl2t7"
RECORD = f'"{PROOF}"'
PROOF_KEY = f'proof = "{PROOF}"'


def why_not_here():
    """What keeps these tests from running, or None."""
    return house.why_not_here() or name_server.why_not()


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Answers(unittest.TestCase):
    """What each zone proves: the verdict, and whether the answer was validated."""

    ZONES = {
        "signed.example": (Zone([RECORD]), "seen", True),
        "unsigned.example": (Zone([RECORD], is_signed=False, delegation="none"), "seen", False),
        "island.example": (Zone([RECORD], delegation="none"), "seen", False),
        "split.example": (Zone(['"verif" "" "ication=" "6IsURgl2t7"']), "seen", True),
        "several.example": (Zone(['"v=spf1 -all"', RECORD, '"other"']), "seen", True),
        "other.example": (Zone(['"v=spf1 -all"', '"other"']), "absent", True),
        "longer.example": (Zone([f'"{PROOF}x"', f'" {PROOF}"', f'{RECORD} "x"']), "absent", True),
        "shorter.example": (Zone([f'"{PROOF[:-1]}"', '""']), "absent", True),
        "upper.example": (Zone([f'"{PROOF.upper()}"']), "absent", True),
        "halves.example": (Zone([f'"{PROOF[:5]}"', f'"{PROOF[5:]}"']), "absent", True),
        "none.example": (Zone(), "absent", True),
        "unsigned-none.example": (Zone(is_signed=False, delegation="none"), "absent", False),
        "other-key.example": (Zone([RECORD], delegation="another"), "bogus", False),
        "stripped.example": (Zone([RECORD], is_signed=False), "bogus", False),
        "stripped-none.example": (Zone(is_signed=False), "bogus", False),
        "broken.example": (Zone(has_file=False), "cannot tell", None),
        "elsewhere.example": (Zone(is_served=False), "cannot tell", None),
        "elsewhere-unsigned.example": (Zone(is_served=False, delegation="none"), "cannot tell",
                                       None),
        "broken-unsigned.example": (Zone(has_file=False, delegation="none"), "cannot tell", None),
    }

    @classmethod
    def setUpClass(cls):
        cls.dns = NameServer()
        cls.addClassCleanup(cls.dns.close)
        cls.dns.zones = {name: zone for name, (zone, *_) in cls.ZONES.items()}
        cls.dns.zones["short-lived.example"] = Zone([RECORD], lifetime=SHORT)
        cls.dns.serve()
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        names = [*cls.dns.zones, "no-such-name.example"]
        cls.world.domains = dict.fromkeys(names, "ubuntumembers")
        cls.world.domain_keys = dict.fromkeys(names, PROOF_KEY)
        cls.configure(cls.dns.config())

    @classmethod
    def configure(cls, dns):
        cls.world.top_lines = [dns]
        cls.world.write_config()

    def verify(self, *domains, status=None, after_s=0):
        ran = self.world.lpalias("domain", "verify", "--json", *domains, status=status,
                                 after_s=after_s)
        return {row["domain"]: row for row in json.loads(ran.stdout)}

    def test_each_zone(self):
        self.configure(self.dns.config())
        rows = self.verify(status=HELD)
        wanted = {name: (verdict, is_secure) for name, (_, verdict, is_secure) in self.ZONES.items()}
        wanted["short-lived.example"] = ("seen", True)
        wanted["no-such-name.example"] = ("absent", True)
        self.assertEqual({name: (row["answer"], row["validated"]) for name, row in rows.items()},
                         wanted)
        for row in rows.values():
            self.assertEqual(row["reason"] is None, row["answer"] == "seen", row)
            self.assertEqual(row["proof"], "proven" if row["answer"] == "seen" else "never", row)

    def test_signatures_expire(self):
        self.configure(self.dns.config())
        self.verify("short-lived.example", "signed.example", status=0)
        rows = self.verify("short-lived.example", "signed.example", status=HELD, after_s=30 * DAY_S)
        self.assertEqual(rows["short-lived.example"]["answer"], "bogus")
        self.assertEqual(rows["short-lived.example"]["proof"], "lost")
        self.assertIn("expired", rows["short-lived.example"]["reason"])
        self.assertEqual(rows["signed.example"]["answer"], "seen")
        self.verify("short-lived.example", status=0)

    def check_cannot_tell(self, dns, words, after_s=0):
        """Nothing is known of any domain, and so nothing changes."""
        self.configure(self.dns.config())
        names = ("signed.example", "unsigned.example", "other.example", "stripped.example")
        before = self.verify(*names, status=HELD)
        self.configure(dns)
        for name, row in self.verify(*names, status=TEMPORARY, after_s=after_s).items():
            self.assertEqual(row["answer"], "cannot tell", row)
            self.assertEqual(row["proof"], before[name]["proof"], row)
            self.assertEqual(row["proof_since"], before[name]["proof_since"], row)
            self.assertIn(words, row["reason"], row)

    def test_without_a_trust_anchor_nothing_is_known(self):
        empty = self.dns.path("empty")
        with open(empty, "w", encoding="utf-8") as file:
            file.write("; no anchor\n\n")
        self.check_cannot_tell(self.dns.config(anchors=self.dns.path("absent")), "no trust anchors")
        self.check_cannot_tell(self.dns.config(anchors=empty), "no trust anchor is in")

    def test_what_is_no_trust_anchor_is_none(self):
        with open(self.dns.path("wrong"), "w", encoding="utf-8") as file:
            file.write("this is no record\n")
        self.check_cannot_tell(self.dns.config(anchors=self.dns.path("wrong")), "")

    def test_the_anchor_of_another_root(self):
        with open(self.dns.path("foreign"), "w", encoding="utf-8") as file:
            file.write(f". 60 IN DS {self.dns.ds['another'][0].partition('DS ')[2]}\n")
        self.check_cannot_tell(self.dns.config(anchors=self.dns.path("foreign")), "root")

    def test_a_clock_that_is_wrong_is_not_the_fault_of_the_domain(self):
        self.check_cannot_tell(self.dns.config(), "root", after_s=20 * 365 * DAY_S)

    def test_a_resolver_without_dnssec(self):
        resolver = Resolver(self.dns, is_old=True)
        self.addCleanup(resolver.close)
        self.check_cannot_tell(self.dns.config([resolver.port]), "root")

    def test_of_two_servers_one_is_enough(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            self.configure(self.dns.config([silent.getsockname()[1], self.dns.port]))
            self.verify("signed.example", "unsigned.example", status=0)

    def test_a_resolver_that_validates(self):
        bogus = [name for name, (_, verdict, _) in self.ZONES.items() if verdict == "bogus"]
        resolver = Resolver(self.dns, bogus=bogus)
        self.addCleanup(resolver.close)
        self.configure(self.dns.config([resolver.port]))
        for name, row in self.verify(*bogus, status=HELD).items():
            self.assertEqual(row["answer"], "bogus", name)

    def test_keys_that_cannot_be_fetched_make_nothing_bogus(self):
        resolver = Resolver(self.dns, failing=[DNSKEY])
        self.addCleanup(resolver.close)
        self.configure(self.dns.config([resolver.port]))
        rows = self.verify("signed.example", "unsigned.example", status=TEMPORARY)
        self.assertEqual(rows["signed.example"]["answer"], "cannot tell")
        self.assertIn("DNSKEY of signed.example: the server failed (SERVFAIL)",
                      rows["signed.example"]["reason"])
        self.assertEqual(rows["unsigned.example"]["answer"], "seen")

    def test_the_system_s_resolvers_know_no_root_of_ours(self):
        self.configure(f'dns {{ trust-anchors = "{self.dns.anchors}" timeout = 1s }}')
        self.assertEqual(self.verify("signed.example", status=TEMPORARY)["signed.example"]["answer"],
                         "cannot tell")


class Proved(unittest.TestCase):
    """A name server with one zone to be changed."""

    def setUp(self):
        self.dns = NameServer()
        self.addCleanup(self.dns.close)
        self.zone = self.dns.zones[DOMAIN] = Zone()

    def serve(self, *texts, **properties):
        self.zone.texts = list(texts)
        for name, value in properties.items():
            setattr(self.zone, name, value)
        self.dns.serve()


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Verify(Proved):
    """lpalias domain verify"""

    def setUp(self):
        super().setUp()
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: "ubuntumembers", OTHER_DOMAIN: "kubuntu-members"}
        self.world.top_lines = [self.dns.config()]

    def ask_for(self, text):
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        self.world.domain_keys = {DOMAIN: f'proof = "{quoted}"'}
        self.world.write_config()

    def test_the_line_that_it_shows_is_what_is_missing(self):
        for text in (PROOF, 'a "quoted" \\ and üñusual; text', "x" * 700):
            with self.subTest(text):
                self.ask_for(text)
                self.serve()
                shown = self.world.lpalias("domain", "verify", status=HELD).stdout
                line = next(line for line in shown.splitlines() if " IN TXT " in line)
                owner, _, record = line.partition(" IN TXT ")
                self.assertEqual(owner.strip(), f"{DOMAIN}.")
                self.serve(record)
                shown = self.world.lpalias("domain", "verify").stdout
                self.assertNotIn(" IN TXT ", shown)
                self.assertIn("proven", shown)

    def test_what_is_proven_shows_in_lists(self):
        self.ask_for(PROOF)
        self.serve(RECORD)
        self.world.lpalias("domain", "verify", DOMAIN.upper())
        for command, rows_of in ((("domain", "list"), lambda value: value),
                                 (("status",), lambda value: value["domains"])):
            shown = self.world.lpalias(*command, status=None).stdout
            self.assertIn("PROOF", shown)
            self.assertIn("proven", shown)
            rows = rows_of(json.loads(self.world.lpalias(*command, "--json", status=None).stdout))
            self.assertEqual([row["proof"] for row in rows], ["proven", None])
            self.assertIsNotNone(rows[0]["proof_since"])

    def test_proving_opens_nothing(self):
        self.ask_for(PROOF)
        self.serve(RECORD)
        self.world.lpalias("domain", "verify")
        row = json.loads(self.world.lpalias("domain", "list", "--json").stdout)[0]
        self.assertEqual(row["standing"], "not filled")
        self.world.lpalias("query", "--cache", "alias", f"jdoe@{DOMAIN}", status=TEMPORARY)

    def test_used_wrongly(self):
        self.ask_for(PROOF)
        for domain, words in (("foreign.example", "not in the configuration"),
                              (OTHER_DOMAIN, "no proof is asked of"), ("a b", "is not a domain")):
            ran = self.world.lpalias("domain", "verify", domain, status=USAGE)
            self.assertIn(words, ran.stderr)

    def test_without_any_proof_there_is_nothing_to_ask(self):
        self.world.write_config()
        self.assertIn("No proof is asked", self.world.lpalias("domain", "verify").stdout)

    def test_missing_goes_before_not_known(self):
        self.world.domain_keys = {DOMAIN: PROOF_KEY, OTHER_DOMAIN: PROOF_KEY}
        self.world.write_config()
        self.dns.zones[OTHER_DOMAIN] = Zone(has_file=False)
        self.serve(RECORD)
        self.world.lpalias("domain", "verify", status=TEMPORARY)
        self.serve()
        self.world.lpalias("domain", "verify", status=HELD)


@unittest.skipIf(why_not_here(), why_not_here() or "")
class NeverProven(Proved):
    """A domain is filled only after its TXT record has been seen."""

    def setUp(self):
        super().setUp()
        self.world = World(members())
        self.addCleanup(self.world.close)
        self.world.domains = {DOMAIN: "ubuntumembers", OTHER_DOMAIN: "kubuntu-members"}
        self.world.domain_keys = {DOMAIN: PROOF_KEY}
        self.world.top_lines = [self.dns.config()]
        self.world.write_config()
        self.world.make_key()

    def refresh(self, *options, status=0):
        ran = self.world.lpalias("refresh", "--json", *options, status=status)
        return json.loads(ran.stdout)["domains"], ran.stderr

    def generation(self):
        return json.loads(self.world.lpalias("status", "--json", status=HELD).stdout)["generation"]

    def addresses(self):
        rows = json.loads(self.world.lpalias("list", "--json").stdout)
        return {row["address"].partition("@")[2] for row in rows}

    def test_it_stays_empty_and_the_refresh_says_so(self):
        self.serve('"other"')
        domains, complaint = self.refresh(status=HELD)
        self.assertEqual([domain["outcome"] for domain in domains], ["held", "applied"])
        self.assertIn("has not been seen yet", domains[0]["reason"])
        self.assertIn(f"lpalias domain verify {DOMAIN}", complaint)
        self.assertEqual(self.addresses(), {OTHER_DOMAIN})

    def test_bogus_does_not_fill(self):
        self.serve(RECORD, delegation="another")
        self.assertEqual(self.refresh(status=HELD)[0][0]["outcome"], "held")
        self.assertEqual(self.addresses(), {OTHER_DOMAIN})

    def test_a_name_server_that_is_down_does_not_fill(self):
        self.serve(RECORD)
        self.dns.stop()
        self.world.top_lines = [self.dns.config(timeout="1s")]
        self.world.write_config()
        domains, complaint = self.refresh(status=HELD)
        self.assertIn(f"{DOMAIN}: cannot tell whether its TXT record is there: no answer", complaint)
        self.assertEqual([domain["outcome"] for domain in domains], ["held", "applied"])
        self.assertEqual(self.addresses(), {OTHER_DOMAIN})

    def test_it_is_filled_when_the_record_comes(self):
        self.serve()
        self.refresh(status=HELD)
        self.serve(RECORD)
        self.assertEqual(self.refresh()[0][0]["outcome"], "applied")
        self.assertEqual(self.addresses(), {DOMAIN, OTHER_DOMAIN})

    def test_a_dry_run_writes_nothing_down(self):
        self.serve()
        self.refresh(status=HELD)
        self.serve(RECORD)
        before = self.generation()
        self.assertEqual(self.refresh("--dry-run", status=HELD)[0][0]["outcome"], "held")
        self.assertEqual(self.generation(), before)

    def test_only_the_domains_refreshed_are_asked_for(self):
        self.serve(RECORD)
        self.refresh("--domain", OTHER_DOMAIN)
        rows = json.loads(self.world.lpalias("domain", "list", "--json").stdout)
        self.assertEqual([row["proof"] for row in rows], ["never", None])


@unittest.skipIf(why_not_here(), why_not_here() or "")
class LostProof(Proved):
    """Lost later, the domain is frozen: refreshes stop, all else goes on."""

    def setUp(self):
        super().setUp()
        self.serve(RECORD)
        self.house = House(["ann", "ben"], ["kim"], top=[self.dns.config()], domain_keys=PROOF_KEY)
        self.addCleanup(self.house.close)

    def proof(self):
        return self.house.json("domain", "list")[0]["proof"]

    def lose(self):
        self.serve()
        self.assertIn("frozen", self.house.refresh(status=HELD)["reason"])
        self.assertEqual(self.proof(), "lost")

    def test_refreshes_stop(self):
        self.lose()
        self.house.leave("ann")
        self.house.join("newcomer")
        self.house.join("kay", team=house.OTHER_TEAM)
        self.house.twice(status=HELD)
        self.assertEqual(self.house.state("ann"), "active")
        self.assertIsNone(self.house.state("newcomer"))
        self.assertEqual(self.house.state("kay", OTHER_DOMAIN), "pending no-target")

    def test_mail_and_the_operator_s_acts_go_on(self):
        self.lose()
        self.assertEqual(self.house.answer(f"ann@{DOMAIN}"), "ann@home.example")
        self.house.run("target", "set", "ann", "new@home.example")
        self.assertEqual(self.house.answer(f"ann@{DOMAIN}"), "new@home.example")
        self.house.world.import_static({f"press@{DOMAIN}": ["press@home.example"]})
        self.assertEqual(self.house.answer(f"press@{DOMAIN}"), "press@home.example")
        self.house.run("ban", "ben", "--reason", "spam")
        self.assertEqual(self.house.state("ben"), "refused banned")
        self.house.run("pause", "ann")
        self.assertEqual(self.house.state("ann"), "paused paused")
        self.house.run("erase", "ann", "--yes")
        self.assertEqual(self.house.state("ann"), "pending no-target")
        self.house.run("domain", "close", DOMAIN)
        self.house.run("query", "--cache", "alias", f"nobody@{DOMAIN}", status=TEMPORARY)
        self.house.run("domain", "open", DOMAIN, "--yes")
        self.assertEqual(self.proof(), "lost")

    def test_it_goes_on_when_the_record_is_back(self):
        self.lose()
        self.house.join("newcomer")
        self.serve(RECORD)
        self.assertEqual(self.house.refresh()["outcome"], "applied")
        self.assertEqual(self.proof(), "proven")
        self.assertEqual(self.house.state("newcomer"), "pending no-target")

    def test_a_held_plan_waits_for_the_proof(self):
        self.house.join(*(f"new{number}" for number in range(21)))
        self.house.refresh(status=HELD)
        self.lose()
        ran = self.house.run("plan", "release", DOMAIN, status=3)
        self.assertIn("frozen", ran.stderr)
        self.assertIsNone(self.house.state("new0"))
        self.serve(RECORD)
        self.house.refresh(status=HELD)
        self.house.run("plan", "release", DOMAIN)
        self.assertEqual(self.house.state("new0"), "pending no-target")

    def test_bogus_is_a_loss(self):
        self.serve(RECORD, delegation="another")
        self.assertIn("frozen", self.house.refresh(status=HELD)["reason"])
        self.assertEqual(self.proof(), "lost")

    def test_trouble_changes_nothing(self):
        before = self.house.generation()
        self.serve(has_file=False)
        self.assertEqual(self.house.refresh()["outcome"], "applied")
        self.dns.stop()
        self.house.world.top_lines = [self.dns.config(timeout="1s")]
        self.house.world.write_config()
        self.assertEqual(self.house.refresh()["outcome"], "applied")
        self.assertEqual(self.proof(), "proven")
        self.assertEqual(self.house.generation(), before)

    def test_the_same_answer_makes_no_generation(self):
        before = self.house.generation()
        self.house.run("domain", "verify")
        self.assertEqual(self.house.generation(), before)
        self.lose()
        before = self.house.generation()
        self.house.run("domain", "verify", status=HELD)
        self.house.refresh(status=HELD)
        self.assertEqual(self.house.generation(), before)

    def test_without_the_key_there_is_no_check(self):
        self.lose()
        self.house.join("newcomer")
        self.house.world.domain_keys = {}
        self.house.world.write_config()
        self.house.refresh()
        self.assertEqual(self.house.state("newcomer"), "pending no-target")
        self.assertIsNone(self.proof())


if __name__ == "__main__":
    tap.main()
