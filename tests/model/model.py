"""What the cache is to hold after each thing that may happen, as plain Python.

Written from the specification (the rule table, the gate and the rest of docs/architecture.md) and
not from the sources, so that a difference is a mistake of one of the two. A table maps keys to rows.
Everything is decided by looking at the tables as they are and collected in a Change, which is then
applied or thrown away, as a changeset is. No clock is read: `now` is told.
"""

from change import Change, Outcome
from notices import AGAIN_S, Told, alarms_of, kind_of, tell_alarms, what_is_due
from refresh import RefreshPlan
from rules import (DAY, RESERVED, ROLES, Case, Verdict, is_legal_local, is_live, judge, lack,
                   new_domain, new_membership, new_person, used_targets)


def known_targets(person):
    """Where the person is told; of a banned one nobody looks."""
    return () if person["banned"] else tuple(used_targets(person))


class Model:
    """The cache as it is to be, and what may happen to it. Every act gives the exit status."""

    TABLES = ("alias", "person", "membership", "domain", "plan")

    def __init__(self, house):
        self.house = house
        self.alias, self.person, self.membership = {}, {}, {}
        self.domain, self.plan, self.run = {}, {}, {}
        self.outbox = []  # facts that wait
        self.sent = {}    # (domain, name, word) -> when it was told
        self.alarms = {}  # (domain, word) -> when it was told; those that were there last time
        self.versions = {}  # (table, key) -> number of the change that put it last
        self.refreshes = {}  # generation -> {(table, key): row before it, or None}
        self.generation = 0

    # ---- changes ----

    def apply(self, change, now):
        """Applies what differs, and tells; True if something did."""
        changed = [key for key in change.rows if change.differs(*key)]
        facts, sent = what_is_due(now, change.told, self.sent)
        if change.forgets_told:
            sent = {key: at for key, at in sent.items() if now - at <= AGAIN_S}
        if not changed and not facts and sent == self.sent and not change.is_noted:
            return False
        self.generation += 1
        self.outbox, self.sent = self.outbox + facts, sent
        for table, key in changed:
            row = change.rows[table, key]
            if row is None:
                getattr(self, table).pop(key, None)
                self.versions.pop((table, key), None)
            else:
                getattr(self, table)[key] = row
                self.versions[table, key] = self.generation
        for key in change.written:
            self.versions[key] = self.generation
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
               is_time_trusted=False, new_extra=None, extras_from="", has_heir=False):
        """Puts the membership row and the aliases that follow from it; an Outcome."""
        key = (domain, name)
        before = self.membership.get(key)
        alias = self.alias.get(key)
        is_others = alias is not None and alias["kind"] != "member"
        is_another = before is not None and before["date"] != membership["date"]
        membership = dict(membership)
        if person["date"] != membership["date"]:  # still the row of who had the name before
            person = new_person(membership["date"])
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
            if extra == new_extra:
                is_changed |= self.put_alias(change, domain, extra, "extra", name, row, standing,
                                             person, "append", now)
            elif self.is_extra_of(row, name, extras_from):
                verdict = self.stay_gone(row, standing, person, membership, is_another)
                is_changed |= self.put_alias(change, domain, extra, "extra", name, row, verdict,
                                             person, row["extension"], now)
        for extra in before["extras"] if is_another and not has_heir else ():
            row = self.alias.get((domain, extra))
            if self.is_extra_of(row, name):
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

    @staticmethod
    def is_extra_of(row, *names):
        """Not one that went on under another name, although an old list still holds it."""
        return row is not None and row["kind"] == "extra" and row["owner"] in names

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
        is_told = not is_same_state or (verdict.state == "refused"
                                        and before["reason"] != verdict.reason)
        what = kind_of(verdict, before["state"] if before is not None else "")
        if is_told and what:
            change.told.append(Told(what, domain, owner, verdict.reason,
                                    recipients=known_targets(person)))
        row = {"kind": kind, "state": verdict.state, "reason": verdict.reason,
               "deliver": verdict.deliver, "extension": extension, "owner": owner,
               "since": before["since"] if is_same_state else now, "targets": []}
        if is_live(row):
            row["targets"] = used_targets(person)
        change.put("alias", (domain, local), row)
        return row != before

    # ---- a refresh ----

    def refresh(self, now, listings, fetched_at=None):
        """listings: per configured domain a Listing, or None for an unusable one. fetched_at: the
        generation when the fetch began, if something has happened since. The status."""
        for _ in self.refresh_by_steps(now, listings, fetched_at):
            pass
        outcomes = [self.run[domain]["outcome"] for domain in listings]
        return 4 if "unusable" in outcomes else 3 if "held" in outcomes else 0

    def refresh_by_steps(self, now, listings, fetched_at=None):
        """Stops after each thing that is written by itself."""
        plan = RefreshPlan(self, now, listings,
                           self.generation if fetched_at is None else fetched_at)
        change, outcomes = plan.decide()
        change.forgets_told = plan.is_time_trusted
        before = {(table, key): getattr(self, table).get(key) for table, key in change.rows
                  if change.differs(table, key)}
        if self.apply(change, now):
            self.refreshes = {**self.refreshes, self.generation: before}
        yield
        self.note_runs(now, outcomes)
        yield
        self.forget_gone(now)
        yield
        self.look_for_alarms(now)
        yield

    def forget_gone(self, now):
        """Row 6: the targets of who is gone somewhere, has nothing else and is entitled to nothing
        anywhere, and notices to them that wait."""
        change = Change(self)
        here = {row["owner"] for row in self.alias.values() if row["state"] != "gone"}
        here |= {name for (_, name), row in self.membership.items()
                 if row["member"] and row["valid"] and row["coc"]}
        gone = {local for (_, local), row in self.alias.items()
                if row["kind"] == "member" and row["state"] == "gone"}
        names = {name for name in gone - here
                 if name in self.person and self.person[name]["targets"]}
        for name in names:
            change.put("person", name, dict(self.person[name], targets=[], source="none"))
        if self.apply(change, now):
            theirs = self.addresses_of(names)
            self.outbox = [each for each in self.outbox if each["audience"] != "person"
                           or (each["domain"], each["subject"]) not in theirs]

    def addresses_of(self, names):
        """(domain, name or local part) of all that may be said of them."""
        return ({(domain, name) for domain in (*self.domain, "") for name in names}
                | {key for key, row in self.alias.items() if row["owner"] in names})

    def look_for_alarms(self, now):
        alarms = alarms_of(now, self)
        facts, known = tell_alarms(now, alarms, self.alarms)
        overdue = [each["overdue"] or now - each["at"] > 5 * DAY for each in self.outbox]
        if facts or overdue != [each["overdue"] for each in self.outbox]:
            self.generation += 1
        self.outbox = [dict(each, overdue=flag)
                       for each, flag in zip(self.outbox, overdue)] + facts
        self.alarms = known

    def notify(self, now):
        """lpalias notify, with a mail server that takes all: what is handed over."""
        self.look_for_alarms(now)
        handed, self.outbox = self.outbox, []
        return handed

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
        self.apply(change, now)
        return 0

    def set_open(self, now, domain, is_open):
        """domain open and close."""
        if domain not in self.domain:
            return 2
        change = Change(self)
        row = dict(self.domain[domain], open=is_open)
        if is_open:
            row["opened"] = self.generation + 1  # again, if it was open: whatever went before
        change.put("domain", domain, row)
        self.apply(change, now)
        return 0

    def discard_plan(self, now, domain):
        if domain not in self.plan:
            return 2
        change = Change(self)
        change.put("plan", domain, dict(self.plan[domain], discarded=True))
        self.apply(change, now)
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
            return 0 if self.apply(change, now) else 2
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
        self.apply(change, now)
        return 0

    def release_name(self, change, now, domain, row):
        name = row["name"]
        before = self.membership.get((domain, name))
        person = self.person.get(name)
        if not row["seen"]:
            if before is None:
                return
            membership = dict(before, member=False, missing_since=0)
            self.settle(change, domain, name, person, membership, now)
            return
        if person is None or person["date"] != row["date"]:
            is_preset = person is not None and person["date"] == 0
            if person is not None and not is_preset:
                change.told.append(Told("another-person", domain, name))
            person = dict(person, date=row["date"]) if is_preset else new_person(row["date"])
            change.put("person", name, person)
        membership = (dict(before) if before is not None and before["date"] == row["date"]
                      else new_membership(row["date"]))
        if not membership["member"]:
            membership["since"] = now
        membership.update(member=True, valid=row["valid"], coc=row["coc"], missing_since=0,
                          invalid_since=0, unsigned_since=0)
        self.settle(change, domain, name, person, membership, now)

    def waits_for_listing(self, now):
        """Some member's alias is not what follows from the rows as they are now, or an extra that
        was gone is another's while the list of who had it still holds it."""
        trial, is_listed_wrong = Change(self), False
        for (domain, name), row in self.membership.items():
            if row["date"] == self.person[name]["date"]:
                self.settle(trial, domain, name, self.person[name], row, now)
                is_listed_wrong |= not all(self.is_extra_of(self.alias.get((domain, extra)), name)
                                           for extra in row["extras"])
        return is_listed_wrong or any(trial.differs(*key) for key in trial.rows
                                      if key[0] == "alias")

    # ---- roll-back: what it must and must not do, not how ----

    def objections(self, domain, generation, after):
        """What is wrong with the tables after a roll-back of that refresh in the domain."""
        before = self.refreshes[generation]
        for table in ("alias", "membership", "plan", "domain", "person"):
            rows, now = after[table], getattr(self, table)
            for key in {*rows, *now}:
                allowed = [now.get(key)]
                if table == "domain" and key == domain:
                    continue
                if table == "plan" and key == domain:
                    allowed = [None]
                elif (table, key) in before and (table == "person" or key[0] == domain):
                    allowed = self.may_become(table, key, before[table, key], generation)
                if not any(self.is_same(table, rows.get(key), row) for row in allowed):
                    yield f"{table} {key}: {rows.get(key)}, allowed {allowed}"

    @staticmethod
    def is_same(table, row, other):
        """But for times, and a plan's versions, which no dump has."""
        if row is None or other is None or table == "plan":
            return (row is None) == (other is None)
        ignored = ("since", "live_since", "leaving_since", "days", "day", "missing_since",
                   "invalid_since", "unsigned_since")
        return all(row.get(field) == other.get(field) for field in row if field not in ignored)

    def may_become(self, table, key, before, generation):
        """What was changed since stays; what depends on nothing else goes back."""
        now = getattr(self, table).get(key)
        if table == "person":
            return [now, before] if self.version(table, key) in (0, generation) else [now]
        if table == "membership":
            return [now, before]  # listings that came since may have changed it, too
        if self.version(table, key) not in (0, generation):
            return [now]
        return [before] if self.stands_alone(key, before, generation) else [now, before]

    def stands_alone(self, key, before, generation):
        """A member's alias of which nothing but the row itself and its membership is changed."""
        domain, name = key
        membership = self.membership.get(key)
        old = self.refreshes[generation].get(("membership", key), membership)
        return (membership is not None and old is not None and before is not None
                and before["kind"] == "member" and before["owner"] == name
                and not membership["extras"] and not old["extras"]
                and self.version("membership", key) <= generation
                and self.version("person", name) < generation)

    def adopt(self, tables, generation):
        """What a roll-back made of the tables is taken as it is."""
        for table in self.TABLES:
            rows, now = tables[table], getattr(self, table)
            for key in {*rows, *now}:
                row = rows.get(key)
                if row == {field: value for field, value in (now.get(key) or {}).items()
                           if field != "versions"}:
                    continue
                if row is None:
                    del now[key]
                    self.versions.pop((table, key), None)
                else:
                    now[key] = row
                    self.versions[table, key] = generation
        self.generation = generation

    # ---- what operators do to people and aliases; 1: refused, 2: nothing of that name ----

    def change_person(self, now, name, **fields):
        """Fields of a person's row, and what follows."""
        change = Change(self)
        self.settle_everywhere(change, name, dict(self.person.get(name) or new_person(), **fields),
                               now)
        self.apply(change, now)
        return 0

    def ban(self, now, name, reason):
        """Also of somebody who is not known yet."""
        person = self.person.get(name) or new_person()
        return self.change_person(now, name, banned=True, ban_reason=reason,
                                  banned_s=person["banned_s"] if person["banned"] else now)

    def unban(self, now, name):
        """Who is known by the ban alone is unknown again."""
        if name not in self.person:
            return 2
        person = self.person[name]
        if person["banned"] and person["date"] == 0:
            change = Change(self)
            change.delete("person", name)
            self.apply(change, now)
            return 0
        return self.change_person(now, name, banned=False, banned_s=0, ban_reason="")

    def pause(self, now, name, is_paused):
        """pause and resume."""
        if name not in self.person:
            return 2
        if self.person[name]["paused"] == is_paused:
            return 0
        return self.change_person(now, name, paused=is_paused, paused_s=now if is_paused else 0)

    def is_held_address(self, domain, local, alias):
        """Somebody has it or may still be written to under it."""
        membership = self.membership.get((domain, local))
        return (alias["state"] in ("active", "leaving", "paused")
                or (alias["state"] == "pending" and membership is not None
                    and membership["live_since"] != 0))

    @staticmethod
    def is_reservation(alias):
        return (alias["kind"], alias["state"], alias["reason"]) == ("static", "refused", "reserved")

    def is_bad_name(self, domain, local):
        """No legal local part, a role, or an address with extension of a known name."""
        heads = [local[:at] for at in range(1, len(local)) if local[at] == self.house.delimiter]
        return (not is_legal_local(local) or self.is_role(local)
                or any(self.is_role(head) or self.is_known(domain, head, None) for head in heads))

    def reserve(self, now, domain, local):
        alias = self.alias.get((domain, local))
        if alias is not None and self.is_reservation(alias):
            return 0
        if alias is not None and (alias["kind"] != "member"
                                  or self.is_held_address(domain, local, alias)):
            return 1
        if self.is_bad_name(domain, local):
            return 1
        change = Change(self)
        self.ensure_domain(change, domain)
        change.put("alias", (domain, local), self.static_row(now, "refused", "reserved", []))
        self.apply(change, now)
        return 0

    def ensure_domain(self, change, domain):
        if domain not in self.domain:
            change.put("domain", domain, new_domain(self.rules(domain).team))

    @staticmethod
    def static_row(now, state, reason, targets):
        return {"kind": "static", "state": state, "reason": reason, "deliver": False,
                "extension": "drop", "owner": "", "since": now, "targets": targets}

    def put_static(self, now, domain, local, targets):
        """alias add --target; targets outside of our domains."""
        alias = self.alias.get((domain, local))
        if alias is None:
            if (domain, local) in self.membership or self.is_bad_name(domain, local):
                return 1
        elif self.is_reservation(alias) or (alias["kind"] != "static" and alias["state"] != "gone"):
            return 1
        row = self.static_row(now, "active", "", targets)
        if alias is not None and alias["kind"] == "static" and alias["state"] == "active":
            row["since"] = alias["since"]
        change = Change(self)
        self.ensure_domain(change, domain)
        change.put("alias", (domain, local), row)
        self.apply(change, now)
        return 0

    def add_extra(self, now, domain, local, name):
        """alias add --for"""
        if name not in self.person:
            return 2
        key, person = (domain, local), self.person[name]
        alias, membership = self.alias.get(key), self.membership.get((domain, name))
        if alias is not None:
            is_own = alias["kind"] == "extra" and alias["owner"] == name
            if is_own and alias["state"] != "gone" and alias["extension"] == "append":
                return 0
            if not is_own or alias["state"] != "gone":
                return 1
        if (key in self.membership or self.is_bad_name(domain, local) or local in RESERVED
                or local in self.rules(domain).reserved):
            return 1
        if (membership is None or membership["date"] != person["date"]
                or not (membership["member"] or membership["admin"])
                or len(membership["extras"]) >= 3):
            return 1
        change = Change(self)
        self.settle(change, domain, name, person,
                    dict(membership, extras=[*membership["extras"], local]), now, new_extra=local)
        self.apply(change, now)
        return 0

    def tombstone(self, now, alias, owner):
        return dict(alias, state="gone", reason="removed", deliver=False, targets=[], owner=owner,
                    since=alias["since"] if alias["state"] == "gone" else now)

    def remove_alias(self, now, domain, local):
        key = (domain, local)
        alias = self.alias.get(key)
        if alias is None:
            return 2
        if alias["kind"] == "member":
            return 1
        change = Change(self)
        if self.is_reservation(alias):
            change.delete("alias", key)
        elif alias["state"] != "gone":
            membership = self.membership.get((domain, alias["owner"]))
            if alias["kind"] == "extra" and membership is not None:
                extras = [extra for extra in membership["extras"] if extra != local]
                self.settle(change, domain, alias["owner"], self.person[alias["owner"]],
                            dict(membership, extras=extras), now)
            change.put("alias", key, self.tombstone(now, alias, alias["owner"]))
        self.apply(change, now)
        return 0

    def allow(self, now, domain, local, is_allowed):
        """alias allow, and its withdrawal."""
        membership, alias = self.membership.get((domain, local)), self.alias.get((domain, local))
        if membership is None:
            return 1
        if membership["allowed"] == is_allowed:
            return 0
        if is_allowed and (not is_legal_local(local) or self.is_role(local)
                           or (alias is not None and alias["kind"] != "member"
                               and alias["state"] != "gone")):
            return 1
        change = Change(self)
        self.settle(change, domain, local, self.person[local],
                    dict(membership, allowed=is_allowed), now)
        self.apply(change, now)
        return 0

    def set_extension(self, now, domain, local, policy):
        alias = self.alias.get((domain, local))
        if alias is None:
            return 2
        if alias["state"] == "gone" or self.is_reservation(alias):
            return 1
        change = Change(self)
        if alias["extension"] == policy:
            return 0
        if alias["kind"] == "member":
            membership = dict(self.membership[domain, local], extension=policy)
            self.settle(change, domain, local, self.person[local], membership, now)
        else:
            change.put("alias", (domain, local), dict(alias, extension=policy))
        self.apply(change, now)
        return 0

    def erase(self, now, name):
        """All but what Launchpad says, tombstones of extras, and that there is a ban."""
        if name not in self.person:
            return 2
        old, change = self.person[name], Change(self)
        person = dict(new_person(old["date"]), banned=old["banned"], banned_s=old["banned_s"])
        theirs = self.addresses_of({name})
        is_known = False
        for domain in self.domain:
            membership = self.membership.get((domain, name))
            is_known |= membership is not None
            if membership is not None and membership["date"] == person["date"]:
                self.settle(change, domain, name, person,
                            dict(membership, extras=[], extension="append", live_since=0), now)
        for key, alias in self.alias.items():
            if alias["kind"] == "extra" and alias["owner"] == name:
                change.put("alias", key, self.tombstone(now, alias, ""))
        if is_known or person["banned"]:
            change.put("person", name, person)
            change.written.add(("person", name))
        else:
            change.delete("person", name)
        change.told.clear()
        change.is_noted = True
        self.apply(change, now)
        self.outbox = [each for each in self.outbox
                       if (each["domain"], each["subject"]) not in theirs]
        self.sent = {key: at for key, at in self.sent.items() if key[:2] not in theirs}
        return 0
