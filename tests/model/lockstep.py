"""A Launchpad, the real programs and the model, side by side: what the steps are made of."""

import collections
import datetime
import glob
import json
import os
import random
import subprocess

from lpalias_world import World, program
from model import Model
from rules import DAY, DomainRules, House, Listing, Seen

START_S = 1_767_225_600  # 2026-01-01

DOMAINS = {
    "ubuntu.com": DomainRules("ubuntumembers"),
    "kubuntu.org": DomainRules("kubuntu-members", 3 * DAY, True, frozenset({"xia", "gus"}),
                               frozenset({"ada", "ben"})),
    "lubuntu.me": DomainRules("lubuntu-members", 0, admins=frozenset({"carl"})),
    "edubuntu.org": DomainRules("kubuntu-members", 5 * DAY),
}
ADMINS = {"kubuntu.org": ["one@operators.example", "two@operators.example"]}
NO_SERVER = ['smtp = "smtp://127.0.0.1:1"']
TEAMS = ("ubuntumembers", "kubuntu-members", "lubuntu-members", "another-team")
NAMES = (
    "ada ben carl dora ed fay gus hal ivy jo kay lee mia ned ola pam quin ray sue tom uma vic wim xia "
    "yan zoe ann bob cleo dan").split()


class Account:
    """A person on Launchpad."""

    def __init__(self, date, valid=True, coc=True):
        self.date, self.valid, self.coc = date, valid, coc

    def seen(self):
        return Seen(self.valid, self.coc, self.date)


def iso(date_us):
    """A date_created as Launchpad writes it."""
    moment = datetime.datetime.fromtimestamp(date_us // 1_000_000, datetime.timezone.utc)
    return moment.replace(microsecond=date_us % 1_000_000).isoformat(timespec="microseconds")


class Difference(AssertionError):
    """The real cache is not what the model says."""


class Lockstep:
    """One run: a Launchpad, the real programs, and the model."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = START_S
        self.rules = dict(DOMAINS)
        self.accounts, self.teams, self.pins = {}, {team: set() for team in TEAMS}, {}
        self.dates = 0
        self.queue = []  # steps that are to come before any other
        self.unsettled = set()  # domains with a new configuration that no refresh has gone by yet
        self.world = World({"people": {}, "teams": {}}, page_size=300)
        self.launchpad = self.world.launchpad
        self.model = Model(House(self.rules))
        self.probe = self.sink = None
        self.said = ""  # by the last command
        self.is_refresh = False  # this step
        self.environment = dict(
            os.environ, TZ="UTC", FAKETIME_DONT_FAKE_MONOTONIC="1",
            LD_PRELOAD=glob.glob("/usr/lib/*/faketime/libfaketime.so.1")[0])
        for team in TEAMS:
            self.launchpad.add_team(team, date_created=self.new_pin(team))
        self.write_config()
        self.world.make_key()
        for name in self.random.sample(NAMES, 20):
            self.make_account(name)
        for team in TEAMS[:3]:
            size = self.random.choice([10, 10, 10, 10, 0])
            for name in self.random.sample(sorted(self.accounts), size):
                self.add_member(team, name)

    def close(self):
        if self.probe is not None:
            self.probe.stdin.close()
            self.probe.wait()
            self.probe.stdout.close()
        if self.sink is not None:
            self.sink.stop()
        self.world.close()

    def write_config(self):
        self.world.domains = {name: rules.team for name, rules in self.rules.items()}
        self.world.domain_keys = {
            name: f'grace = "{rules.grace_s}s"'
                  f' during-grace = {"reject" if rules.rejects_in_grace else "deliver"}'
                  + "".join(f' {key} = {{ {", ".join(sorted(words))} }}' for key, words in
                            (("reserved", rules.reserved), ("admins", rules.admins)) if words)
                  + (f' notices = {{ {", ".join(ADMINS[name])} }}' if name in ADMINS else "")
            for name, rules in self.rules.items()}
        self.world.launchpad_lines = ["  retries = 0"]
        self.world.write_config()

    # ---- Launchpad ----

    def new_date(self):
        self.dates += 1
        return (1_262_304_000 + self.dates) * 1_000_000 + self.random.randrange(1_000_000)

    def new_pin(self, team):
        self.pins[team] = self.new_date()
        return iso(self.pins[team])

    def make_account(self, name, date=None):
        self.accounts[name] = Account(date or self.new_date(), self.random.random() < 0.9,
                                      self.random.random() < 0.9)
        account = self.accounts[name]
        self.launchpad.add_person(name, date_created=iso(account.date), is_valid=account.valid,
                                  is_ubuntu_coc_signer=account.coc)

    def remove_account(self, name):
        del self.accounts[name]
        for members in self.teams.values():
            members.discard(name)
        self.launchpad.remove_person(name)

    def add_member(self, team, name):
        if name not in self.teams[team]:
            self.teams[team].add(name)
            self.launchpad.add_member(team, name)

    def remove_member(self, team, name):
        self.teams[team].remove(name)
        self.launchpad.remove_member(team, name)

    def set_flags(self, name, **flags):
        """valid, coc"""
        vars(self.accounts[name]).update(flags)
        self.launchpad.set_person(name, is_valid=self.accounts[name].valid,
                                  is_ubuntu_coc_signer=self.accounts[name].coc)

    def listings(self):
        """What each domain's listing says now."""
        return {domain: Listing(self.pins[rules.team],
                                {name: self.accounts[name].seen()
                                 for name in self.teams[rules.team]})
                for domain, rules in self.rules.items()}

    # ---- the real programs ----

    def command(self, *arguments):
        return [program("LPALIAS"), "-c", self.world.config_file, *arguments]

    def clock(self):
        moment = datetime.datetime.fromtimestamp(self.now, datetime.timezone.utc)
        return dict(self.environment, FAKETIME=moment.strftime("%Y-%m-%d %H:%M:%S"))

    def run(self, *arguments, wanted):
        """A command that is to end with the status that the model gave (None: whichever)."""
        ran = subprocess.run(self.command(*arguments), env=self.clock(), capture_output=True,
                             text=True, timeout=120, check=False)
        self.said = ran.stdout + ran.stderr
        self.is_refresh = self.is_refresh or arguments[0] == "refresh"
        if wanted is not None and ran.returncode != wanted:
            raise Difference(f"exit status {ran.returncode}, the model says {wanted}\n{self.said}")

    def dump(self):
        """What the real cache holds, as tables."""
        if self.probe is None:
            self.probe = subprocess.Popen(
                [program("CACHE_DUMP"), self.world.cache, self.world.key_file],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.probe.stdin.write(" ".join(self.rules) + "\n")
        self.probe.stdin.flush()
        line = self.probe.stdout.readline()
        if not line:
            raise Difference("cache_dump ended")
        return json.loads(line)

    # ---- comparing ----

    KEYS = {"alias": ("domain", "local"), "person": ("name",), "membership": ("domain", "name"),
            "domain": ("domain",), "plan": ("domain",), "run": ("domain",)}

    @classmethod
    def tables(cls, dumped):
        """Rows by their keys, as the model has them."""
        tables = {}
        for table, fields in cls.KEYS.items():
            rows = {}
            for row in dumped[table]:
                key = tuple(row.pop(field) for field in fields)
                rows[key if len(key) > 1 else key[0]] = row
            tables[table] = rows
        tables["sent"], tables["alarms"] = {}, {}
        for row in dumped["sent"]:
            if row["name"] == "!":
                tables["alarms"][row["domain"], row["word"]] = row["last"]
            else:
                tables["sent"][row["domain"], row["name"], row["word"]] = row["last"]
        return tables

    @staticmethod
    def fact_words(facts):
        """Counted, as two may be the same; what an alarm says beyond its kind is left out."""
        return collections.Counter(
            " ".join(f"{field}={value}" for field, value in sorted(fact.items())
                     if field != "detail" or fact["audience"] != "alerts") for fact in facts)

    @classmethod
    def row_differences(cls, table, real, wanted):
        for key in sorted({*real, *wanted}, key=str):
            have, want = real.get(key), wanted.get(key)
            if have is None or want is None:
                yield f"{table} {key}: real {have}, model {want}"
                continue
            want = {field: value for field, value in want.items() if field != "versions"}
            for field in sorted({*have, *want}):
                yield from cls.field_differences(f"{table} {key} {field}", have.get(field),
                                                 want.get(field))

    @staticmethod
    def field_differences(where, have, want):
        """Of a list only what is not in both."""
        if have == want:
            return
        if isinstance(have, list) and isinstance(want, list):
            have, want = ([item for item in have if item not in want] or "the same",
                          [item for item in want if item not in have] or "the same")
        yield f"{where}: real {have!r}, model {want!r}"

    def differences(self, dumped, model):
        tables = self.tables(dumped)
        found = [line for table in self.KEYS
                 for line in self.row_differences(table, tables[table], getattr(model, table))]
        real, wanted = self.fact_words(dumped["outbox"]), self.fact_words(model.outbox)
        found += [f"outbox, real only: {words}" for words in (real - wanted).elements()]
        found += [f"outbox, model only: {words}" for words in (wanted - real).elements()]
        for table in ("sent", "alarms"):
            real, wanted = tables[table], getattr(model, table)
            found += [f"{table} {key}: real {real.get(key)}, model {wanted.get(key)}"
                      for key in {*real, *wanted} if real.get(key) != wanted.get(key)]
        # A refresh also forgets old undo and events, which are neither dumped nor in the model.
        is_more = self.is_refresh and dumped["generation"] == model.generation + 1
        if dumped["generation"] != model.generation and not is_more:
            found.append(f"generation: real {dumped['generation']}, model {model.generation}")
        return found

    def compare(self):
        dumped = self.dump()
        generation = dumped["generation"]
        found = self.differences(dumped, self.model)
        if found:
            raise Difference("\n".join(found) + "\n" + self.said)
        self.model.generation = generation

    def pick(self, names):
        names = sorted(names)
        return self.random.choice(names) if names else None

    def copy_model(self):
        copy = Model(self.model.house)
        for name, value in vars(self.model).items():
            setattr(copy, name, dict(value) if isinstance(value, dict) else value)  # rows never change
        return copy
