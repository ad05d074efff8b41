"""The house rules as plain Python: what the cache is to hold after each thing that may happen.

Written from the specification (the rule table, the gate and the rest of docs/architecture.md) and
not from the sources, so that a difference is a mistake of one of the two. Rows are dictionaries with
the fields that cache_dump prints; a table maps keys to rows. Everything is decided by looking at
the tables as they are and collected in a Change, which is then applied or thrown away, as a
changeset is. No clock is read: `now` is told.
"""

import re
from typing import NamedTuple

DAY = 86_400
WEEK = 7 * DAY
MINUTE = 60

# RFC 2142, and the part of the shipped list of reserved names that the test's people are called by.
ROLES = frozenset("postmaster abuse hostmaster security noc support info sales marketing news usenet "
                  "uucp webmaster www ftp".split())
RESERVED = frozenset({"admin", "billing", "council"})
LIVE_OR_WAITING = ("active", "leaving", "pending", "paused")


class DomainRules(NamedTuple):
    """What the configuration says of a domain."""
    team: str
    grace_s: int = 30 * DAY
    rejects_in_grace: bool = False
    reserved: frozenset = frozenset()
    admins: frozenset = frozenset()


class House(NamedTuple):
    """What the configuration says."""
    domains: dict  # name -> DomainRules, in the order of the configuration
    delimiter: str = "+"
    max_removals: int = 10
    max_additions: int = 20


class Seen(NamedTuple):
    """An entry of a listing."""
    valid: bool
    coc: bool
    date: int


class Listing(NamedTuple):
    """A usable listing of a team: pin of the team, people by name."""
    pin: int
    people: dict


class Verdict(NamedTuple):
    """What a rule makes of a name."""
    state: str
    reason: str = ""
    deliver: bool = False


class Outcome(NamedTuple):
    """What a plan does to the own alias of one name in one domain."""
    before: str  # state, "" without a row
    was_live: bool
    verdict: Verdict
    is_changed: bool  # some alias of the person there


def new_person(date=0):
    """Nothing is known but the account."""
    return {"date": date, "banned": False, "paused": False, "banned_s": 0, "paused_s": 0,
            "source": "none", "targets": [], "ban_reason": "", "login": "", "login_name": "",
            "renamed_to": ""}


def new_membership(date=0):
    """Of somebody who was never seen."""
    return {"member": False, "valid": False, "coc": False, "admin": False, "allowed": False,
            "extension": "append", "date": date, "since": 0, "missing_since": 0,
            "invalid_since": 0, "unsigned_since": 0, "live_since": 0, "leaving_since": 0,
            "days": 0, "day": 0, "extras": []}


def used_targets(person):
    """Those of the strongest source that has a proven one."""
    for source in ("operator", "person", "launchpad"):
        found = [address for from_, proven, address in person["targets"]
                 if from_ == source and proven]
        if found:
            return found
    return []


def is_live(alias):
    """It answers with its targets."""
    return alias["state"] == "active" or (alias["state"] == "leaving" and alias["deliver"])


def is_legal_local(name):
    """A dot-atom that mail can reach."""
    return len(name) <= 64 and re.fullmatch(r"[^.]+(\.[^.]+)*", name) is not None


class Change:
    """What is to be put and deleted. Same content is no change, and keeps the row's version."""

    def __init__(self, model):
        self.model = model
        self.rows = {}  # (table, key) -> row or None

    def put(self, table, key, row):
        self.rows[table, key] = row

    def delete(self, table, key):
        self.rows[table, key] = None

    def differs(self, table, key):
        return (table, key) in self.rows and \
            self.rows[table, key] != getattr(self.model, table).get(key)


# ---- the rule table; each rule gives a verdict or None, the first that gives one decides ----

class Case(NamedTuple):
    """A person in a domain."""
    person: dict
    membership: dict
    rules: DomainRules
    now: int
    is_time_trusted: bool


def lack(membership):
    """Why the membership entitles to nothing; admins need not be members once they were live."""
    is_kept = membership["admin"] and membership["live_since"] != 0
    if not membership["member"] and not is_kept:
        return "not-member"
    if not membership["valid"]:
        return "not-valid"
    return "" if membership["coc"] else "coc-not-signed"


def was_live_and_lacks(case):
    return case.membership["live_since"] != 0 and lack(case.membership) != ""


def row_1_banned(case):
    return Verdict("refused", "banned") if case.person["banned"] else None


def row_6_grace_over(case):
    since = case.membership["leaving_since"]
    days_wanted = min(case.rules.grace_s // DAY, 20)
    is_over = (was_live_and_lacks(case) and since != 0 and case.is_time_trusted
               and case.now - since >= case.rules.grace_s
               and case.membership["days"] >= days_wanted)
    return Verdict("gone", "grace-over") if is_over else None


def row_5_leaving(case):
    if not was_live_and_lacks(case):
        return None
    reason = lack(case.membership)
    if reason == "not-member" and case.person["renamed_to"]:
        reason = "renamed"
    delivers = (not case.rules.rejects_in_grace and not case.person["paused"]
                and used_targets(case.person) != [])
    return Verdict("leaving", reason, delivers)


def left_before_live(case):
    return Verdict("gone", "not-member") if lack(case.membership) == "not-member" else None


def row_7_refused(case):
    reason = lack(case.membership)
    return Verdict("refused", reason) if reason else None


def row_8_paused(case):
    return Verdict("paused", "paused") if case.person["paused"] else None


def row_9_pending(case):
    return Verdict("pending", "no-target") if not used_targets(case.person) else None


def row_10_active(case):
    return Verdict("active")


# 6 is asked before 5, as it says of a leaving name that it has left.
TABLE = (row_1_banned, row_6_grace_over, row_5_leaving, left_before_live, row_7_refused,
         row_8_paused, row_9_pending, row_10_active)


def judge(case):
    """First match wins."""
    return next(verdict for verdict in (rule(case) for rule in TABLE) if verdict is not None)


# ---- what listings say ----

def fold_doubt(believed, said, doubt_s, at, is_time_trusted):
    """(believed, doubt) of one "yes" after a listing: a "no" counts when two in a row, a minute or
    more apart, say so; under a clock that cannot be trusted it begins anew."""
    if said or not believed:
        return said, 0
    if doubt_s == 0 or at < doubt_s or not is_time_trusted:
        return True, at
    return (True, doubt_s) if at - doubt_s < MINUTE else (False, 0)


def fold_listing(before, seen, at, is_time_trusted):
    """The membership row (None: none) after a listing in which the name was seen or (None) not."""
    row = dict(before or new_membership())
    if seen is None:
        if row["member"]:
            row["member"], row["missing_since"] = fold_doubt(
                True, False, row["missing_since"], at, is_time_trusted)
        return row
    row["missing_since"] = 0
    row["date"] = seen.date
    if not row["member"]:  # all is new
        row.update(member=True, since=at, valid=seen.valid, coc=seen.coc, invalid_since=0,
                   unsigned_since=0)
        return row
    row["valid"], row["invalid_since"] = fold_doubt(
        row["valid"], seen.valid, row["invalid_since"], at, is_time_trusted)
    row["coc"], row["unsigned_since"] = fold_doubt(
        row["coc"], seen.coc, row["unsigned_since"], at, is_time_trusted)
    return row


class Model:
    """The cache as it is to be, and what may happen to it. Every act gives the exit status."""

    TABLES = ("alias", "person", "membership", "domain", "plan")

    def __init__(self, house):
        self.house = house
        self.alias, self.person, self.membership = {}, {}, {}
        self.domain, self.plan, self.run = {}, {}, {}
        self.versions = {}  # (table, key) -> number of the change that put it last
        self.generation = 0

    # ---- changes ----

    def apply(self, change):
        """Applies what differs; True if something did."""
        changed = [key for key in change.rows if change.differs(*key)]
        if not changed:
            return False
        self.generation += 1
        for table, key in changed:
            row = change.rows[table, key]
            if row is None:
                getattr(self, table).pop(key, None)
                self.versions.pop((table, key), None)
            else:
                getattr(self, table)[key] = row
                self.versions[table, key] = self.generation
        return True

    def version(self, table, key):
        return self.versions.get((table, key), 0)

    def rules(self, domain):
        return self.house.domains[domain]

    # ---- row 2: names ----

    def is_role(self, name):
        return name in ROLES

    def is_known(self, domain, name, listing):
        return ((domain, name) in self.alias or (domain, name) in self.membership
                or (listing is not None and name in listing.people))

    def why_unfit(self, domain, name, listing):
        """Why the name cannot be anybody's own alias there, "" if it can."""
        alias = self.alias.get((domain, name))
        heads = [name[:at] for at in range(1, len(name)) if name[at] == self.house.delimiter]
        if not is_legal_local(name):
            return "illegal-local-part"
        if (self.is_role(name) or (alias is not None and alias["kind"] != "member")
                or any(self.is_role(head) or self.is_known(domain, head, listing)
                       for head in heads)):
            return "taken"
        if name in RESERVED or name in self.rules(domain).reserved:
            return "reserved"
        return ""

    # ---- one person in one domain ----

    def settle(self, change, domain, name, person, membership, now, listing=None,
               is_time_trusted=False):
        """Puts the membership row and the aliases that follow from it; an Outcome."""
        key = (domain, name)
        before = self.membership.get(key)
        alias = self.alias.get(key)
        is_others = alias is not None and alias["kind"] != "member"
        is_another = before is not None and before["date"] != membership["date"]
        membership = dict(membership)
        unfit = self.why_unfit(domain, name, listing)
        self.count_day(membership, now, listing, is_time_trusted)
        standing = judge(Case(person, membership, self.rules(domain), now, is_time_trusted))
        is_refused = unfit != "" and not self.may_have(
            name, unfit, person, membership, alias, is_another)
        own = (Verdict("refused", unfit) if is_refused
               else self.stay_gone(alias, standing, person, membership, is_another))
        is_changed = False
        for extra in membership["extras"]:
            row = self.alias.get((domain, extra))
            if row is not None and row["kind"] == "extra":
                verdict = self.stay_gone(row, standing, person, membership, is_another)
                is_changed |= self.put_alias(change, domain, extra, "extra", name, row, verdict,
                                             person, row["extension"], now)
        for extra in before["extras"] if is_another else ():
            row = self.alias.get((domain, extra))
            if row is not None and row["kind"] == "extra":
                is_changed |= self.put_alias(change, domain, extra, "extra", name, row,
                                             Verdict("gone", "another-person"), person,
                                             row["extension"], now)
        if not is_others or (membership["allowed"] and alias["state"] == "gone"):
            is_changed |= self.put_alias(change, domain, name, "member", name, alias, own, person,
                                         membership["extension"], now)
        self.note_standing(membership, standing, not is_refused or membership["extras"] != [], now)
        change.put("membership", key, membership)
        return Outcome(alias["state"] if alias is not None and not is_others else "",
                       alias is not None and not is_others and is_live(alias), own, is_changed)

    def may_have(self, name, unfit, person, membership, alias, is_another):
        """Row 2's exceptions: who was accepted under the name before keeps it, and an operator may
        allow it; a role, a name that no mail reaches and another's alias are out of the question."""
        is_others = alias is not None and alias["kind"] != "member"
        if person["banned"] and unfit != "taken":
            return True  # row 1 comes first, and says "banned"
        if unfit == "illegal-local-part" or self.is_role(name):
            return False
        if is_others and not (membership["allowed"] and alias["state"] == "gone"):
            return False
        if membership["allowed"]:
            return True
        if alias is None or is_others or is_another:
            return False
        return (alias["state"] in ("active", "leaving", "paused")
                or (alias["state"] == "pending" and membership["live_since"] != 0))

    @staticmethod
    def stay_gone(alias, standing, person, membership, is_another):
        """A name that is gone stays so, for its reason, until the person is entitled again."""
        if (alias is None or alias["state"] != "gone" or is_another or person["banned"]
                or lack(membership) == ""):
            return standing
        return Verdict("gone", alias["reason"])

    @staticmethod
    def count_day(membership, now, listing, is_time_trusted):
        """Another day on which a usable listing says that somebody who was live lacks something."""
        if (listing is not None and is_time_trusted and membership["live_since"] != 0
                and lack(membership) != "" and membership["day"] != now // DAY):
            membership["day"] = now // DAY
            membership["days"] += 1

    @staticmethod
    def note_standing(membership, standing, has_alias, now):
        """Since when live and leaving."""
        if standing.state in ("gone", "refused"):
            membership["live_since"] = 0
        elif standing.state == "active" and membership["live_since"] == 0 and has_alias:
            membership["live_since"] = now
        if standing.state != "leaving":
            membership.update(leaving_since=0, days=0, day=0)
        elif membership["leaving_since"] == 0:
            membership["leaving_since"] = now

    @staticmethod
    def put_alias(change, domain, local, kind, owner, before, verdict, person, extension, now):
        """True if the row is another than before."""
        is_same_state = before is not None and before["state"] == verdict.state
        row = {"kind": kind, "state": verdict.state, "reason": verdict.reason,
               "deliver": verdict.deliver, "extension": extension, "owner": owner,
               "since": before["since"] if is_same_state else now, "targets": []}
        if is_live(row):
            row["targets"] = used_targets(person)
        change.put("alias", (domain, local), row)
        return row != before

    # ---- a refresh ----

    def refresh(self, now, listings):
        """listings: per configured domain a Listing, or None for an unusable one. The status."""
        plan = RefreshPlan(self, now, listings)
        change, outcomes = plan.decide()
        self.apply(change)
        self.note_runs(now, outcomes)
        return 4 if "unusable" in outcomes.values() else 3 if "held" in outcomes.values() else 0

    def note_runs(self, now, outcomes):
        for domain, outcome in outcomes.items():
            success = self.run.get(domain, {"success": 0})["success"]
            self.run[domain] = {"outcome": outcome, "attempt": now,
                                "success": now if outcome == "applied" else success}

    # ---- what operators do ----

    def settle_everywhere(self, change, name, person, now):
        """What follows from a person's row in all domains; a row of another account waits."""
        change.put("person", name, person)
        for domain in self.domain:
            membership = self.membership.get((domain, name))
            if membership is not None and membership["date"] == person["date"]:
                self.settle(change, domain, name, person, membership, now)

    def set_targets(self, now, name, addresses):
        """target set, and target clear with none."""
        if name not in self.person:
            return 2
        if any(address.rpartition("@")[2] in self.house.domains for address in addresses):
            return 1
        person = dict(self.person[name])
        others = [target for target in person["targets"] if target[0] != "operator"]
        person["targets"] = [["operator", True, address] for address in addresses] + others
        person["source"] = next((source for source, proven, _ in person["targets"] if proven),
                                "none")
        change = Change(self)
        if person["targets"] != self.person[name]["targets"]:
            self.settle_everywhere(change, name, person, now)
        self.apply(change)
        return 0

    def set_open(self, domain, is_open):
        """domain open and close."""
        if domain not in self.domain:
            return 2
        change = Change(self)
        row = dict(self.domain[domain], open=is_open)
        if is_open:
            row["opened"] = self.generation + 1  # again, if it was open: whatever went before
        change.put("domain", domain, row)
        self.apply(change)
        return 0

    def discard_plan(self, domain):
        if domain not in self.plan:
            return 2
        change = Change(self)
        change.put("plan", domain, dict(self.plan[domain], discarded=True))
        self.apply(change)
        return 0

    def release_plan(self, now, domain):
        """What the plan says is believed at once, for names whose rows are as they were."""
        change = Change(self)
        domain_row = dict(self.domain.get(domain, {"held": False}))
        if domain_row["held"]:
            domain_row.update(held=False, hold_reason="")
            change.put("domain", domain, domain_row)
        plan = self.plan.get(domain)
        if plan is None:
            return 0 if self.apply(change) else 2
        for row in plan["names"]:
            key = (domain, row["name"])
            if plan["versions"][row["name"]] == (self.version("alias", key),
                                                 self.version("membership", key)):
                self.release_name(change, now, domain, row)
        if plan["all_held"]:
            change.put("domain", domain, dict(
                self.domain.get(domain) or new_domain(), team=plan["team"], pin=plan["pin"],
                held=False, hold_reason=""))
        change.delete("plan", domain)
        self.apply(change)
        return 0

    def release_name(self, change, now, domain, row):
        name = row["name"]
        before = self.membership.get((domain, name))
        person = self.person.get(name)
        if not row["seen"]:
            if before is None:
                return
            membership = dict(before, member=False, missing_since=0)
            if person is None or person["date"] != before["date"]:
                person = new_person(before["date"])  # nothing of who has the name now
            self.settle(change, domain, name, person, membership, now)
            return
        if person is None or person["date"] != row["date"]:
            is_preset = person is not None and person["date"] == 0
            person = dict(person, date=row["date"]) if is_preset else new_person(row["date"])
            change.put("person", name, person)
        membership = (dict(before) if before is not None and before["date"] == row["date"]
                      else new_membership(row["date"]))
        if not membership["member"]:
            membership["since"] = now
        membership.update(member=True, valid=row["valid"], coc=row["coc"], missing_since=0,
                          invalid_since=0, unsigned_since=0)
        self.settle(change, domain, name, person, membership, now)


def new_domain():
    """Of one that no listing has filled."""
    return {"open": False, "opened": 0, "pin": 0, "filled": 0, "held": False, "proof": "never",
            "proof_since": 0, "team": "", "hold_reason": "", "losses": []}


class Hold(NamedTuple):
    """What of a domain waits, and the figures that made it wait."""
    losses: bool = False
    additions: bool = False
    everything: bool = False
    loss_count: int = 0
    addition_count: int = 0


class RefreshPlan:
    """One refresh of all domains whose listing counts."""

    def __init__(self, model, now, listings):
        self.model, self.now, self.listings = model, now, listings
        attempts = [model.run[domain]["attempt"] for domain in listings if domain in model.run]
        last = max(attempts, default=0)
        self.is_time_trusted = last == 0 or 0 <= now - last <= WEEK
        self.outcomes, self.holds = {}, {}  # holds: of the domains that count
        for domain, listing in listings.items():
            self.begin_domain(domain, listing)
        self.renames = self.find_renames()  # date -> (old name, new name)

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
        holders, known = {}, {}  # date -> names
        for domain, hold in self.holds.items():
            for name, seen in self.listings[domain].people.items() if not hold.everything else ():
                holders.setdefault(seen.date, set()).add(name)
        for name, person in self.model.person.items():
            if not person["renamed_to"]:
                known.setdefault(person["date"], set()).add(name)
        renames = {}
        for date, names in holders.items():
            if len(names) == 1 and len(known.get(date, ())) == 1 and names != known[date]:
                renames[date] = (*known[date], *names)
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
        self.is_applied = False

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

    def decide(self):
        for domain in self.plan.holds:
            key = (domain, self.name)
            if self.seen[domain] is None and key not in self.model.membership:
                continue
            if self.is_contradicted and self.seen[domain] is not None:
                continue  # nobody can tell whose it is
            self.decide_domain(domain)
        if self.is_applied:
            self.change.put("person", self.name, self.person)

    def observe(self, domain):
        """The membership row by what the listing says."""
        seen, listing = self.seen[domain], self.plan.listings[domain]
        before = self.model.membership.get((domain, self.name))
        now, is_trusted = self.plan.now, self.plan.is_time_trusted
        base = before
        if seen is not None:
            if before is not None and before["date"] != seen.date:
                base = None
            if self.is_new_name:
                old = self.model.membership.get((domain, self.rename[0]))
                base = old if old is not None and old["date"] == seen.date else base
        row = fold_listing(base, seen, now, is_trusted)
        if seen is None and self.is_old_name and self.rename[1] in listing.people:
            row.update(member=False, missing_since=0, extras=[])
        row["admin"] = self.name in self.model.rules(domain).admins
        return row

    def decide_domain(self, domain):
        hold, figures, key = self.plan.holds[domain], self.figures[domain], (domain, self.name)
        before = self.model.membership.get(key)
        row = self.observe(domain)
        # A row of the account that had the name before, in a domain that the new one is not in.
        is_strangers = (self.seen[domain] is None and before["date"] != self.person["date"])
        person = new_person(before["date"]) if is_strangers else self.person
        if hold.everything:
            if self.seen[domain] is None:
                row.update(member=False)
        elif is_strangers and row["member"]:
            self.change.put("membership", key, dict(before, missing_since=row["missing_since"]))
            return
        trial = Change(self.model)
        outcome = self.model.settle(trial, domain, self.name, person, row, self.plan.now,
                                    self.plan.listings[domain], self.plan.is_time_trusted)
        is_loss, is_addition = self.count(outcome, figures)
        if (hold.everything or (hold.losses and is_loss) or (hold.additions and is_addition)):
            if outcome.is_changed:
                self.hold(domain, outcome)
            return
        self.is_applied = True
        self.change.rows.update(trial.rows)

    def count(self, outcome, figures):
        """(is a loss, is an addition)"""
        state = outcome.verdict.state
        goes_on = self.rename is not None and not self.is_another
        is_loss = (outcome.was_live and not goes_on and state not in (outcome.before, "active"))
        is_addition = (not self.is_new_name and outcome.before not in LIVE_OR_WAITING
                       and state in LIVE_OR_WAITING)
        figures.live += outcome.was_live
        figures.places += outcome.before in LIVE_OR_WAITING
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
