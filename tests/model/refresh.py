"""A refresh: whose listing counts, who is whom, the gate, and what becomes of each name. Written from
the specification, as model.py, whose tables are looked at and not changed.
"""

from typing import NamedTuple

from change import Change
from notices import Told
from rules import DAY, WEEK, fold_listing, new_domain, new_person, used_targets

PLACES = ("active", "leaving", "pending", "paused")  # the name has an alias or waits for one


class Hold(NamedTuple):
    """What of a domain waits, and the figures that made it wait."""
    losses: bool = False
    additions: bool = False
    everything: bool = False
    loss_count: int = 0
    addition_count: int = 0


class RefreshPlan:
    """One refresh of all domains whose listing counts."""

    def __init__(self, model, now, listings, fetched_at):
        self.model, self.now, self.listings, self.fetched_at = model, now, listings, fetched_at
        attempts = [model.run[domain]["attempt"] for domain in listings if domain in model.run]
        last = max(attempts, default=0)
        self.is_time_trusted = last == 0 or 0 <= now - last <= WEEK
        self.outcomes, self.holds = {}, {}  # holds: of the domains that count
        for domain, listing in listings.items():
            self.begin_domain(domain, listing)
        self.renames = self.find_renames()  # date -> (old name, new name)
        self.late_renames = self.find_late_renames()

    def begin_domain(self, domain, listing):
        row = self.model.domain.get(domain, new_domain())
        if listing is None:
            self.outcomes[domain] = "unusable"
            return
        if row["held"]:
            self.outcomes[domain] = "held"
            return
        is_another = row["filled"] != 0 and (row["team"] != self.model.rules(domain).team
                                             or row["pin"] not in (0, listing.pin))
        self.holds[domain] = Hold(everything=not listing.people or is_another)
        self.outcomes[domain] = "held" if self.holds[domain].everything else "applied"

    def find_renames(self):
        """A known name that vanished and the one new name with its date, which nobody else has."""
        holders, dates, known = {}, {}, {}  # date -> names, name -> dates, date -> names
        for domain, hold in self.holds.items():
            for name, seen in self.listings[domain].people.items() if not hold.everything else ():
                holders.setdefault(seen.date, set()).add(name)
                dates.setdefault(name, set()).add(seen.date)
        for name, person in self.model.person.items():
            if not person["renamed_to"]:
                known.setdefault(person["date"], set()).add(name)
        renames = {}
        for date, names in holders.items():
            if len(names) == 1 and len(known.get(date, ())) == 1 and names != known[date]:
                if dates[min(names)] == {date}:  # else the listings contradict each other
                    renames[date] = (*known[date], *names)
        return renames

    def find_late_renames(self):
        """Of earlier refreshes; a domain may have had no listing then."""
        people, renames = self.model.person, {}  # date -> [(old name, new name), ...]
        for name, person in sorted(people.items()):
            heir = people.get(person["renamed_to"])
            if heir is not None and heir["date"] == person["date"] and not heir["renamed_to"]:
                renames.setdefault(person["date"], []).append((name, person["renamed_to"]))
        return renames

    def decide(self):
        """(Change, outcomes)."""
        change, figures = self.plan_people()
        for domain, hold in self.holds.items():
            if not hold.everything:
                self.holds[domain] = self.gate(domain, figures[domain])
        if any(hold != Hold() for hold in self.holds.values()):
            change, figures = self.plan_people()
        for domain, hold in self.holds.items():
            self.finish_domain(change, domain, figures[domain], hold)
        return change, self.outcomes

    # ---- the gate ----

    def gate(self, domain, figures):
        row = self.model.domain.get(domain, new_domain())
        recent = sum(count for at, count in row["losses"] if self.now - at < DAY)
        removals = max((figures.live + recent) * self.model.house.max_removals // 100, 2)
        additions = max(figures.places * self.model.house.max_additions // 100, 20)
        return Hold(figures.losses != 0 and figures.losses + recent > removals,
                    row["filled"] != 0 and figures.additions > additions, False,
                    figures.losses, figures.additions)

    def finish_domain(self, change, domain, figures, hold):
        model, listing = self.model, self.listings[domain]
        row = model.domain.get(domain, new_domain())
        losses = 0 if hold.losses else figures.losses
        is_empty_as_known = not listing.people and row["filled"] != 0 and not figures.held_rows
        if hold.everything or hold.losses or hold.additions:
            if is_empty_as_known:
                change.delete("plan", domain)
                self.outcomes[domain] = "applied"
            else:
                self.keep_plan(change, domain, figures, hold)
        else:
            change.delete("plan", domain)
        if hold.everything or (row["filled"] != 0 and losses == 0):
            return
        if row["filled"] == 0:
            row = dict(row, team=model.rules(domain).team, pin=listing.pin, filled=self.now)
        change.put("domain", domain, dict(row, losses=self.note_losses(row["losses"], losses)))

    def note_losses(self, noted, count):
        """By the hour, of the last day."""
        hour = self.now // 3600
        count += sum(number for at, number in noted if at // 3600 == hour)
        kept = [[at, number] for at, number in noted
                if at // 3600 != hour and self.now - at < DAY]
        return kept + ([[self.now, count]] if count else [])

    def keep_plan(self, change, domain, figures, hold):
        """The newest usable listing's plan; the one that is there stays if it says the same."""
        before = self.model.plan.get(domain)
        names = [row for row, _ in figures.held_rows]
        loss_count = figures.losses if hold.everything else hold.loss_count
        addition_count = figures.additions if hold.everything else hold.addition_count
        plan = {"losses_held": hold.losses, "additions_held": hold.additions,
                "all_held": hold.everything, "discarded": False, "made": self.now,
                "listing": self.now, "pin": self.listings[domain].pin, "losses": loss_count,
                "additions": addition_count, "team": self.model.rules(domain).team,
                "names": names,
                "versions": {row["name"]: versions for row, versions in figures.held_rows}}
        same = ("losses_held", "additions_held", "all_held", "pin", "team", "names", "versions")
        if before is not None and all(before[field] == plan[field] for field in same):
            self.outcomes[domain] = "applied" if before["discarded"] else "held"
            return
        self.outcomes[domain] = "held"
        change.put("plan", domain, plan)

    # ---- people ----

    def plan_people(self):
        """(Change, figures of each domain)."""
        change = Change(self.model)
        figures = {domain: Figures() for domain in self.holds}
        names = {name for domain in self.holds for name in self.listings[domain].people}
        names |= {name for domain, name in self.model.membership if domain in self.holds}
        for name in sorted(names):
            PersonPlan(self, change, figures, name).decide()
        return change, figures


class Figures:
    """What the gate asks of one domain, and the names that wait."""

    def __init__(self):
        self.live = self.places = self.losses = self.additions = 0
        self.held_rows = []  # (row of the plan, versions of the rows it was made for)


class PersonPlan:
    """One name on its way through all domains."""

    def __init__(self, plan, change, figures, name):
        self.plan, self.model, self.change = plan, plan.model, change
        self.figures, self.name = figures, name
        self.seen = {domain: plan.listings[domain].people.get(name) for domain in plan.holds}
        self.before = self.model.person.get(name)
        dates = {seen.date for seen in self.seen.values() if seen is not None}
        self.is_contradicted = len(dates) > 1
        self.is_seen = dates != set()
        self.date = dates.pop() if len(dates) == 1 else (self.before or new_person())["date"]
        self.rename = None if self.is_contradicted else plan.renames.get(self.date)
        if self.rename is not None and name not in self.rename:
            self.rename = None
        self.is_new_name = self.rename is not None and self.rename[1] == name
        self.is_old_name = self.rename is not None and not self.is_new_name
        self.is_another = (self.is_seen and not self.is_contradicted and self.before is not None
                           and self.before["date"] not in (0, self.date))
        self.person = self.identify()
        self.applied = set()  # domains

    def identify(self):
        """Rows 3 and 4: whose name it is."""
        person = dict(self.before or new_person())
        if self.is_contradicted:
            return person
        if self.is_another:
            person = new_person(self.date)
        if self.is_seen:
            person["date"] = self.date
        if self.is_new_name:
            person = self.take_over(person)
        elif self.is_old_name:
            person.update(renamed_to=self.rename[1], login="")
        elif self.is_seen:
            person["renamed_to"] = ""
        return person

    def take_over(self, own):
        person = dict(self.model.person[self.rename[0]], renamed_to="")
        if own["banned"] and not person["banned"]:
            person.update(banned=True, banned_s=own["banned_s"], ban_reason=own["ban_reason"])
        return person

    def is_newer(self, table, key):
        """The row was changed after the fetch began: the listing knows nothing of it."""
        return self.model.version(table, key) > self.plan.fetched_at

    def rename_in(self, domain):
        """The rename that counts there: one of now, or an earlier one that the domain has not seen."""
        if self.rename is not None or self.is_contradicted or self.plan.holds[domain].everything:
            return self.rename
        people, date = self.plan.listings[domain].people, self.person["date"]
        for old, new in self.plan.late_renames.get(date, ()):
            row = self.model.membership.get((domain, old))
            if (new in people and old not in people and row is not None and row["date"] == date
                    and (domain, new) not in self.model.membership):
                return (old, new) if self.name in (old, new) else None
        return None

    def is_touched(self, rename):
        """Somebody has changed rows of either name."""
        return any(self.is_newer("person", name)
                   or any(self.is_newer("membership", (domain, name))
                          or self.is_newer("alias", (domain, name)) for domain in self.plan.listings)
                   for name in rename)

    def is_left(self):
        """Somebody has touched the person, or either name of a rename."""
        gone = self.plan.renames.get(self.before["date"]) if self.before is not None else None
        names = {self.name}
        for rename in (self.rename, gone):
            names |= {*rename} if rename is not None and self.name in rename else set()
        if len(names) == 1:
            return self.is_newer("person", self.name)
        return any(self.is_newer("person", name)
                   or any(self.is_newer("membership", (domain, name)) for domain in self.plan.listings)
                   for name in names)

    def decide(self):
        if self.is_left():
            return
        for domain in self.plan.holds:
            key = (domain, self.name)
            if self.is_newer("membership", key) or self.is_newer("alias", key):
                continue
            if self.seen[domain] is None and key not in self.model.membership:
                continue
            if self.is_contradicted and self.seen[domain] is not None:
                continue  # nobody can tell whose it is
            rename = self.rename_in(domain)
            if rename is not None and rename != self.rename and self.is_touched(rename):
                continue
            self.decide_domain(domain)
        if self.applied:
            self.change.put("person", self.name, self.person)
            self.decide_elsewhere()

    def decide_elsewhere(self):
        """Aliases where no listing counts follow the person as they do after an operator's act."""
        if self.before is None or self.before == self.person:
            return
        for domain in self.model.domain:
            row = self.model.membership.get((domain, self.name))
            if domain not in self.applied and row is not None and row["date"] == self.person["date"]:
                self.model.settle(self.change, domain, self.name, self.person, row, self.plan.now)

    def observe(self, domain):
        """The membership row by what the listing says."""
        seen = self.seen[domain]
        before = self.model.membership.get((domain, self.name))
        now, is_trusted = self.plan.now, self.plan.is_time_trusted
        base = before
        if seen is not None:
            if before is not None and before["date"] != seen.date:
                base = None
            rename = self.rename_in(domain)
            if rename is not None and rename[1] == self.name:
                old = self.model.membership.get((domain, rename[0]))
                if old is not None and old["date"] == seen.date:
                    own = before is not None and before["date"] == seen.date and before["allowed"]
                    base = dict(old, allowed=own)
        row = fold_listing(base, seen, now, is_trusted)
        if seen is None and self.has_heir(domain):
            row["extras"] = []
            if self.rename_in(domain) is not None:
                row.update(member=False, missing_since=0)
        row["admin"] = self.name in self.model.rules(domain).admins
        return row

    def has_heir(self, domain):
        """The account of the row is in the listing under another name, which takes over; also where
        its old name was given to yet another account at once."""
        before = self.model.membership.get((domain, self.name))
        rename = self.plan.renames.get(before["date"]) if before is not None else None
        late = self.rename_in(domain)
        if late is not None and late != self.rename:
            return late[0] == self.name
        return (rename is not None and rename[0] == self.name
                and not self.plan.holds[domain].everything
                and rename[1] in self.plan.listings[domain].people)

    def decide_domain(self, domain):
        hold, figures, key = self.plan.holds[domain], self.figures[domain], (domain, self.name)
        before = self.model.membership.get(key)
        row = self.observe(domain)
        # A row of the account that had the name before, in a domain that the new one is not in.
        is_strangers = (self.seen[domain] is None and before["date"] != self.person["date"])
        if hold.everything:
            if self.seen[domain] is None:
                row.update(member=False)
        elif is_strangers and row["member"]:
            self.change.put("membership", key, dict(
                before, missing_since=row["missing_since"], extras=row["extras"]))
            return
        rename = self.rename_in(domain)
        is_new_name = rename is not None and rename[1] == self.name
        trial = Change(self.model)
        outcome = self.model.settle(trial, domain, self.name, self.person, row, self.plan.now,
                                    self.plan.listings[domain], self.plan.is_time_trusted,
                                    extras_from=rename[0] if is_new_name else "",
                                    has_heir=self.has_heir(domain))
        is_loss, is_addition = self.count(outcome, figures, rename)
        if (hold.everything or (hold.losses and is_loss) or (hold.additions and is_addition)):
            if outcome.is_changed:
                self.hold(domain, outcome)
            return
        self.applied.add(domain)
        if is_new_name:
            trial.told.clear()  # that the name is new is told, and not what is not
        self.change.add(trial)
        if self.seen[domain] is not None:
            self.tell_identity(domain, outcome, key in self.model.alias, rename)

    def tell_identity(self, domain, outcome, has_alias, rename):
        if self.is_another and has_alias:
            self.change.told.append(Told("another-person", domain, self.name))
        if rename is not None and rename[1] == self.name:
            self.change.told.append(Told(
                "renamed", domain, self.name, outcome.verdict.reason,
                f"was {rename[0]}, is {outcome.verdict.state} now",
                tuple(used_targets(self.person))))

    def count(self, outcome, figures, rename):
        """(is a loss, is an addition)"""
        state = outcome.verdict.state
        goes_on = rename is not None and not self.is_another
        is_loss = (outcome.was_live and not goes_on and state not in (outcome.before, "active"))
        is_new_name = rename is not None and rename[1] == self.name
        is_addition = (not is_new_name and outcome.before not in PLACES
                       and state in PLACES)
        figures.live += outcome.was_live
        figures.places += outcome.before in PLACES
        figures.losses += is_loss
        figures.additions += is_addition
        return is_loss, is_addition

    def hold(self, domain, outcome):
        seen, key = self.seen[domain], (domain, self.name)
        row = {"name": self.name, "seen": seen is not None,
               "valid": seen is not None and seen.valid, "coc": seen is not None and seen.coc,
               "date": seen.date if seen is not None else 0, "before": outcome.before,
               "after": outcome.verdict.state, "reason": outcome.verdict.reason}
        self.figures[domain].held_rows.append(
            (row, (self.model.version("alias", key), self.model.version("membership", key))))
