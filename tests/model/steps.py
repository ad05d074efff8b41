"""What may happen: each step does something to the Launchpad, the clock or the cache, and to the
model, and returns words for it, or None when it cannot be done now."""

import json
import signal
import subprocess
import threading

import mail_sink
from launchpad_standin import FAULTS
from lockstep import ADMINS, DOMAINS, NAMES, NO_SERVER, START_S, TEAMS, Difference, Lockstep, iso
from lpalias_world import ALERTS, forget_dead_clocks, program
from rules import DAY

ODD_NAMES = (
    "ada+lists ben+x ben+x+y zoe+home abuse+team sales+eu postmaster sales admin billing council "
    "dot..dot trail. 1+1 a+ " + "x" * 70).split()
EXTRAS = "press chief ada-2 ben+2 first.last chair noreply events".split()
# What takes seconds, or more memory than a test of many steps should move; test_refresh.py has them.
SLOW_FAULTS = {"hang", "hang-after-headers", "trickle", "oversized-body", "endless-body", "gzip-bomb",
               "huge-header", "endless-pages", "endless-empty-pages", "deep-json",
               "connection-refused", "overlong-name"}
# Of a listing of one page.
QUICK_FAULTS = sorted(name for name, fault in FAULTS.items()
                      if fault.kind == "fault" and fault.where != "later-page"
                      and not name.startswith("next-") and name not in SLOW_FAULTS)


class Steps(Lockstep):
    """One run that takes random steps."""

    def step(self):
        """One step; its words."""
        words = None
        while words is None:
            self.is_refresh = False
            if self.queue:
                words = self.queue.pop(0)()
            else:
                words = self.random.choices(*zip(*WEIGHTS))[0](self)
        return words

    def pass_time(self):
        seconds = self.random.choices(
            [30, 59, 60, 61, 600, 3600, DAY, 3 * DAY], [1, 1, 1, 2, 5, 2, 3, 1])[0]
        self.now += seconds
        return f"{seconds} s pass"

    def jump(self):
        seconds = self.random.choice([8 * DAY, 7 * DAY, 7 * DAY + 1, -3600, -DAY, -9 * DAY,
                                      400 * DAY, 1])
        self.now = max(self.now + seconds, START_S - 10 * DAY)
        return f"the clock jumps by {seconds} s"

    def days_go_by(self):
        """A refresh on each of some days."""
        days = self.random.choice([2, 4, 8, 25, 35])
        for _ in range(days):
            self.queue += [self.pass_a_day, self.refresh]
        return f"{days} days go by"

    def pass_a_day(self):
        self.now += DAY + self.random.choice([-600, 0, 600])
        return "a day passes"

    def join(self):
        team = self.pick(TEAMS)
        count = self.random.choices([1, 2, 3], [5, 2, 1])[0]
        names = [self.some_name(team) for _ in range(count)]
        for name in names:
            if name not in self.accounts:
                self.make_account(name)
            self.add_member(team, name)
        return f"{' '.join(names)} join ~{team}"

    def some_name(self, team):
        known = [name for name in self.accounts if name not in self.teams[team]]
        if known and self.random.random() < 0.6:
            return self.random.choice(sorted(known))
        return self.random.choice(ODD_NAMES if self.random.random() < 0.4 else NAMES)

    def many_join(self):
        team = self.pick(TEAMS)
        names = [f"n{number}" for number in self.random.sample(range(60),
                                                               self.random.choice([19, 22, 40]))]
        for name in names:
            if name not in self.accounts:
                self.make_account(name)
            self.add_member(team, name)
        return f"{len(names)} join ~{team}"

    def leave(self):
        team = self.pick(TEAMS)
        count = self.random.choices([1, 2, 3, 6], [8, 3, 2, 1])[0]
        names = self.random.sample(sorted(self.teams[team]), min(count, len(self.teams[team])))
        for name in names:
            self.remove_member(team, name)
        return f"{' '.join(names)} leave ~{team}" if names else None

    def all_leave(self):
        team = self.pick(TEAMS)
        gone = sorted(self.teams[team])
        for name in gone:
            self.remove_member(team, name)

        def come_back():
            for name in gone:
                if name in self.accounts:
                    self.add_member(team, name)
            return f"all come back to ~{team}"

        if self.random.random() < 0.7:
            self.queue += [self.refresh, self.pass_time, self.refresh, come_back]
        return f"all leave ~{team}"

    def change_flag(self):
        name = self.pick(self.accounts)
        if name is None:
            return None
        flag = self.random.choice(["valid", "coc"])
        self.set_flags(name, **{flag: not getattr(self.accounts[name], flag)})
        return f"{name}: {flag} {getattr(self.accounts[name], flag)}"

    def rename(self):
        name = self.pick(self.accounts)
        new = self.random.choice(NAMES + ODD_NAMES)
        if name is None or new in self.accounts:
            return None
        self.accounts[new] = self.accounts.pop(name)
        for members in self.teams.values():
            if name in members:
                members.remove(name)
                members.add(new)
        self.launchpad.rename(name, new)
        return f"{name} is renamed to {new}"

    def reuse(self):
        """The account of a name goes, and another one takes the name."""
        name = self.pick(self.accounts)
        if name is None:
            return None
        teams = [team for team in TEAMS if name in self.teams[team]]
        self.remove_account(name)
        self.make_account(name)
        for team in self.random.sample(TEAMS, self.random.randrange(3)) + teams[:1]:
            self.add_member(team, name)
        return f"{name} is another account now, was in {' '.join(teams)}"

    def rename_and_reuse(self):
        words = self.rename()
        if words is None:
            return None
        old = words.partition(" ")[0]
        self.make_account(old)
        for team in self.random.sample(TEAMS, self.random.randrange(1, 3)):
            self.add_member(team, old)
        return f"{words}, another account takes the old name"

    def twin(self):
        """A second account with the date of another, which should not be and must do no harm."""
        name, other = self.pick(self.accounts), self.random.choice(NAMES)
        if name is None or other in self.accounts:
            return None
        self.make_account(other, self.accounts[name].date)
        self.add_member(self.pick(TEAMS), other)
        return f"{other} has the date of {name}"

    def another_pin(self):
        team = self.pick(TEAMS)
        self.launchpad.set_person(team, date_created=self.new_pin(team))
        return f"~{team} is another team now"

    def another_team(self):
        domain = self.pick(self.rules)
        team = self.random.choice([DOMAINS[domain].team, self.pick(TEAMS)])
        self.rules[domain] = self.rules[domain]._replace(team=team)
        self.write_config()
        return f"the configuration gives {domain} ~{team}"

    def other_rules(self):
        """The configuration of a domain changes; what follows is the next refresh's matter."""
        domain = self.pick(self.rules)
        rules = self.rules[domain]
        name = self.random.choice(NAMES)
        field = self.random.choice(["grace_s", "rejects_in_grace", "reserved", "admins"])
        value = {"grace_s": self.random.choice([0, 3 * DAY, 5 * DAY, 30 * DAY]),
                 "rejects_in_grace": not rules.rejects_in_grace,
                 "reserved": rules.reserved ^ {name}, "admins": rules.admins ^ {name}}[field]
        self.rules[domain] = rules._replace(**{field: value})
        self.write_config()
        self.unsettled.add(domain)
        return f"{domain}: {field} is {value} now"

    # Refreshes.

    def refresh(self):
        self.run("refresh", "-q", wanted=self.model.refresh(self.now, self.listings()))
        self.unsettled -= {domain for domain, run in self.model.run.items()
                           if run["outcome"] == "applied" and domain not in self.model.plan}
        return "refresh"

    def refresh_faulty(self):
        """One team's listing is unusable."""
        team, name = self.pick(TEAMS), self.random.choice(QUICK_FAULTS)
        if not self.teams[team]:
            return None
        listings = self.listings()
        for domain, rules in self.rules.items():
            if rules.team == team:
                listings[domain] = None
        path = f"/1.0/~{team}" if FAULTS[name].where == "any" and self.random.random() < 0.3 else None
        where = {"path": path} if path else {"match": f"~{team}/participants"}
        if FAULTS[name].where == "entry":  # a name without a letter has no upper case
            where["person"] = max(self.teams[team])
            if not where["person"][0].isalpha():
                return None
        self.launchpad.add_fault(name, **where)
        try:
            self.run("refresh", "-q", wanted=self.model.refresh(self.now, listings))
        finally:
            self.launchpad.clear_faults()
        return f"refresh with {name} of ~{team}"

    def refresh_skewed(self):
        """A team's listing says of one person what is not so, this once."""
        team = self.pick(TEAMS)
        name = self.pick(self.teams[team])
        if name is None or len(self.teams[team]) == 1:
            return None
        field = self.random.choice(["absent", "is_valid", "is_ubuntu_coc_signer", "name",
                                    "date_created"])
        listings = self.listings()
        seen = self.accounts[name].seen()
        skewed, value = seen, None
        new_name = name
        if field == "absent":
            skewed = None
            self.launchpad.remove_member(team, name)
        elif field == "is_valid":
            value = not seen.valid
            skewed = seen._replace(valid=value)
        elif field == "is_ubuntu_coc_signer":
            value = not seen.coc
            skewed = seen._replace(coc=value)
        elif field == "name":
            new_name = value = self.random.choice(NAMES)
            if value in self.accounts:
                return None
        else:
            date = self.new_date()
            value = iso(date)
            skewed = seen._replace(date=date)
        for domain, rules in self.rules.items():
            if rules.team == team:
                del listings[domain].people[name]
                if skewed is not None:
                    listings[domain].people[new_name] = skewed
        if field != "absent":
            word = field.replace("_", "-").replace("is-ubuntu-", "is-")
            self.launchpad.add_fault(f"wrong-{word}", match=f"~{team}/participants", person=name,
                                     value=value)
        try:
            self.run("refresh", "-q", wanted=self.model.refresh(self.now, listings))
        finally:
            self.launchpad.clear_faults()
            if field == "absent":
                self.launchpad.add_member(team, name)
        return f"refresh with {name} in ~{team} skewed: {field} {value}"

    def refresh_overtaken(self):
        """An operator does something while the teams are being fetched."""
        fetched_at, listings = self.model.generation, self.listings()
        asked, go_on = threading.Event(), threading.Event()
        service = self.launchpad.service
        answer = service.answer

        def wait(request):
            asked.set()
            go_on.wait(120)
            return answer(request)

        service.answer = wait
        words = None
        try:
            with subprocess.Popen(self.command("refresh", "-q"), env=self.clock(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    if not asked.wait(120):
                        raise Difference("refresh asks nobody")
                    while words is None:
                        words = self.random.choice(ACTS)(self)
                finally:
                    go_on.set()
                status = process.wait()
        finally:
            service.answer = answer
        self.is_refresh = True
        wanted = self.model.refresh(self.now, listings, fetched_at)
        if status != wanted:
            raise Difference(f"refresh: exit status {status}, the model says {wanted}")
        return f"refresh, meanwhile {words}"

    def refresh_killed(self):
        """kill -9 at a random moment: the cache is as before or as after."""
        self.is_refresh = True
        stages = [self.copy_model()]
        for _ in self.model.refresh_by_steps(self.now, self.listings()):
            stages.append(self.copy_model())
        self.said = ""
        with subprocess.Popen(self.command("refresh", "-q"), env=self.clock(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(self.random.uniform(0, 0.04))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
        forget_dead_clocks()
        subprocess.run([program("CACHE_DUMP"), "--settle", self.world.cache], check=True)
        dumped = json.dumps(self.dump())
        found = []
        for number, model in enumerate(stages):
            found = self.differences(json.loads(dumped), model)
            if not found:
                self.model = model
                return f"refresh killed: {number} of {len(stages) - 1} parts were done"
        raise Difference("killed between two states; to the last:\n" + "\n".join(found))

    def notify(self):
        """The mail server takes everything: one mail of each fact to each recipient."""
        if mail_sink.program() is None:
            return None
        if self.sink is None:
            self.sink = mail_sink.MailSink()
            self.sink.start()
        facts = self.model.notify(self.now)
        wanted = [address for fact in facts for address in self.recipients_of(fact)]
        self.world.notify = [f'smtp = "smtp://127.0.0.1:{self.sink.port}"']
        self.world.write_config()
        self.run("notify", "-q", wanted=0)
        self.world.notify = NO_SERVER
        self.world.write_config()
        self.model.generation += len(wanted)  # each is noted by itself
        self.sink.wait_until_written()
        if self.sink.recipients() != sorted(wanted):
            raise Difference(f"mails to {self.sink.recipients()}, model {sorted(wanted)}")
        self.sink.forget()
        return f"notify: {len(wanted)} mails"

    @staticmethod
    def recipients_of(fact):
        if fact["audience"] == "admins":
            return ADMINS.get(fact["domain"], [ALERTS])
        return [ALERTS] if fact["audience"] == "alerts" else fact["recipients"]

    # Operators.

    def known_name(self):
        return self.pick({*self.model.person, *(NAMES if self.random.random() < 0.1 else ())})

    def target_set(self):
        name = self.known_name()
        if name is None:
            return None
        word = name.replace("+", "-").strip(".").replace("..", ".")[:40]
        addresses = [f"{word}@{place}.example"
                     for place in self.random.sample(["home", "work", "club"],
                                                     self.random.choice([1, 1, 2]))]
        if self.random.random() < 0.03:
            addresses.append("loop@kubuntu.org")
        self.run("target", "set", name, *addresses,
                 wanted=self.model.set_targets(self.now, name, addresses))
        return f"target set {name} {' '.join(addresses)}"

    def target_clear(self):
        name = self.known_name()
        if name is None:
            return None
        self.run("target", "clear", name, wanted=self.model.set_targets(self.now, name, []))
        return f"target clear {name}"

    def domain_open(self):
        domain = self.pick(self.rules)
        self.run("domain", "open", domain, "--yes", wanted=self.model.set_open(self.now, domain, True))
        return f"domain open {domain}"

    def domain_close(self):
        domain = self.pick(self.rules)
        self.run("domain", "close", domain, wanted=self.model.set_open(self.now, domain, False))
        return f"domain close {domain}"

    def plan_release(self):
        held = [name for name, row in self.model.domain.items() if row["held"]]
        domain = self.pick({*self.model.plan, *held}) or self.pick(self.rules)
        self.run("plan", "release", domain, wanted=self.model.release_plan(self.now, domain))
        return f"plan release {domain}"

    def plan_discard(self):
        domain = self.pick(self.model.plan)
        if domain is None:
            return None
        self.run("plan", "discard", domain, wanted=self.model.discard_plan(self.now, domain))
        return f"plan discard {domain}"

    def rollback(self):
        """Whatever it decides must be allowed, and is then what the model goes on from."""
        domain = self.pick(self.rules)
        self.run("rollback", domain, "--yes", "--json", wanted=None)
        dumped = self.dump()
        tables = self.tables(dumped)
        if dumped["generation"] != self.model.generation:
            if not tables["domain"][domain]["held"]:
                raise Difference(f"{domain} is not held after the roll-back\n{self.said}")
            generation = json.loads(self.said.partition("\nlpalias:")[0])["refresh_generation"]
            found = list(self.model.objections(domain, generation, tables))
            if found:
                raise Difference("\n".join(found) + "\n" + self.said)
            self.model.adopt(tables, dumped["generation"])
        return f"rollback {domain}"

    def verify(self):
        """The cache agrees with itself, but for names that an act has given or taken a head, a
        reservation or a rule, and that no listing has come by since."""
        if self.unsettled:
            return None
        self.run("verify", wanted=int(self.model.waits_for_listing(self.now)))
        return "verify"

    def ban(self):
        name = self.known_name() or self.random.choice(NAMES)
        reason = self.random.choice(["spam", "abuse"])
        self.run("ban", name, "--reason", reason, wanted=self.model.ban(self.now, name, reason))
        return f"ban {name}"

    def unban(self):
        banned = [name for name, person in self.model.person.items() if person["banned"]]
        name = self.pick(banned) or self.known_name()
        if name is None:
            return None
        self.run("unban", name, wanted=self.model.unban(self.now, name))
        return f"unban {name}"

    def pause(self):
        name = self.known_name()
        if name is None:
            return None
        self.run("pause", name, wanted=self.model.pause(self.now, name, True))
        return f"pause {name}"

    def resume(self):
        paused = [name for name, person in self.model.person.items() if person["paused"]]
        name = self.pick(paused) or self.known_name()
        if name is None:
            return None
        self.run("resume", name, wanted=self.model.pause(self.now, name, False))
        return f"resume {name}"

    def erase(self):
        name = self.known_name()
        if name is None:
            return None
        self.run("erase", "--yes", name, wanted=self.model.erase(self.now, name))
        return f"erase {name}"

    def some_address(self):
        """(domain, local): one that stands somewhere, or might."""
        domain = self.pick(self.rules)
        stands = [local for there, local in self.model.alias if there == domain]
        local = self.random.choice([self.random.choice(EXTRAS), self.random.choice(NAMES),
                                    self.random.choice(ODD_NAMES), self.pick(stands) or "press"])
        return domain, local if ".." not in local and not local.endswith(".") else "press"

    def add_extra(self):
        name, (domain, local) = self.known_name(), self.some_address()
        if name is None:
            return None
        if self.random.random() < 0.7:
            local = self.random.choice(EXTRAS)
        self.run("alias", "add", f"{local}@{domain}", "--for", name,
                 wanted=self.model.add_extra(self.now, domain, local, name))
        return f"alias add {local}@{domain} --for {name}"

    def add_static(self):
        domain, local = self.some_address()
        targets = self.random.sample(["one@home.example", "two@home.example"],
                                     self.random.choice([1, 2]))
        self.run("alias", "add", f"{local}@{domain}",
                 *(word for target in targets for word in ("--target", target)),
                 wanted=self.model.put_static(self.now, domain, local, targets))
        return f"alias add {local}@{domain} to {' '.join(targets)}"

    def alias_remove(self):
        others = [key for key, alias in self.model.alias.items() if alias["kind"] != "member"]
        is_any = self.random.random() < 0.2 or not others
        domain, local = self.some_address() if is_any else self.random.choice(sorted(others))
        self.run("alias", "remove", f"{local}@{domain}",
                 wanted=self.model.remove_alias(self.now, domain, local))
        return f"alias remove {local}@{domain}"

    def refused_address(self):
        refused = [key for key, alias in self.model.alias.items() if alias["state"] == "refused"
                   and ".." not in key[1] and key[1][-1] != "." and len(key[1]) <= 64]
        is_any = self.random.random() < 0.2 or not refused
        return self.some_address() if is_any else self.random.choice(sorted(refused))

    def alias_allow(self):
        domain, local = self.refused_address()
        self.run("alias", "allow", f"{local}@{domain}",
                 wanted=self.model.allow(self.now, domain, local, True))
        return f"alias allow {local}@{domain}"

    def alias_disallow(self):
        allowed = [key for key, row in self.model.membership.items() if row["allowed"]]
        domain, local = self.random.choice(sorted(allowed)) if allowed else self.some_address()
        self.run("alias", "allow", f"{local}@{domain}", "--withdraw",
                 wanted=self.model.allow(self.now, domain, local, False))
        return f"alias allow {local}@{domain} --withdraw"

    def alias_set(self):
        domain, local = self.some_address()
        policy = self.random.choice(["append", "drop", "refuse"])
        self.run("alias", "set", f"{local}@{domain}", "--extension", policy,
                 wanted=self.model.set_extension(self.now, domain, local, policy))
        return f"alias set {local}@{domain} {policy}"

    def reserve(self):
        domain, local = self.some_address()
        self.run("reserve", f"{local}@{domain}", wanted=self.model.reserve(self.now, domain, local))
        return f"reserve {local}@{domain}"


WEIGHTS = (
    (Steps.refresh, 30), (Steps.refresh_faulty, 3), (Steps.refresh_skewed, 4),
    (Steps.refresh_killed, 3), (Steps.refresh_overtaken, 3), (Steps.notify, 1),
    (Steps.pass_time, 22), (Steps.jump, 1), (Steps.other_rules, 0.7),
    (Steps.days_go_by, 0.5), (Steps.join, 6), (Steps.many_join, 0.4), (Steps.leave, 4),
    (Steps.all_leave, 0.4), (Steps.change_flag, 4), (Steps.rename, 3),
    (Steps.reuse, 2), (Steps.rename_and_reuse, 1), (Steps.twin, 0.3),
    (Steps.another_pin, 0.3), (Steps.another_team, 0.4), (Steps.target_set, 9),
    (Steps.target_clear, 2), (Steps.domain_open, 0.5), (Steps.domain_close, 0.3),
    (Steps.plan_release, 2), (Steps.plan_discard, 1), (Steps.ban, 1),
    (Steps.rollback, 0.7), (Steps.verify, 1),
    (Steps.unban, 1), (Steps.pause, 1.5), (Steps.resume, 1.5), (Steps.erase, 0.5),
    (Steps.add_extra, 3), (Steps.add_static, 1), (Steps.alias_remove, 1.5),
    (Steps.alias_allow, 1.5), (Steps.alias_disallow, 0.5), (Steps.alias_set, 0.7),
    (Steps.reserve, 1),
)

# What an operator may do while a refresh fetches.
ACTS = (Steps.target_set, Steps.target_clear, Steps.ban, Steps.unban,
        Steps.pause, Steps.resume, Steps.add_extra, Steps.alias_remove,
        Steps.alias_allow, Steps.erase, Steps.plan_release,
        Steps.plan_discard, Steps.domain_open, Steps.rollback)
