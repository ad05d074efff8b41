"""The rule table and what listings say, as plain functions over rows.

Written from the specification (docs/architecture.md, "A refresh") and not from the sources. Rows are
dictionaries with the fields that cache_dump prints. No clock is read: `now` is told.
"""

import re
from typing import NamedTuple

DAY = 86_400
WEEK = 7 * DAY
MINUTE = 60

# RFC 2142, and the part of the shipped list of reserved names that the test's people are called by.
ROLES = frozenset("postmaster abuse hostmaster security noc support info sales marketing news usenet "
                  "uucp webmaster www ftp".split())
RESERVED = frozenset({"admin", "billing", "council", "press", "noreply"})


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
    if not row["member"]:
        row.update(member=True, since=at)
        if not (row["admin"] and row["live_since"] != 0):  # all is new
            row.update(valid=seen.valid, coc=seen.coc, invalid_since=0, unsigned_since=0)
            return row
    row["valid"], row["invalid_since"] = fold_doubt(
        row["valid"], seen.valid, row["invalid_since"], at, is_time_trusted)
    row["coc"], row["unsigned_since"] = fold_doubt(
        row["coc"], seen.coc, row["unsigned_since"], at, is_time_trusted)
    return row


def new_domain(team=""):
    """Of one that no listing has filled."""
    return {"open": False, "opened": 0, "pin": 0, "filled": 0, "held": False, "proof": "never",
            "proof_since": 0, "team": team, "hold_reason": "", "losses": []}
