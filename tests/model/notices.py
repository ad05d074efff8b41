"""Who is told of what: the last column of the rule table, and the alarms, as plain functions.

A fact is a dictionary with the fields of a row of the outbox that cache_dump prints.
"""

from typing import NamedTuple

DAY = 86_400
AGAIN_S = 30 * DAY  # not told twice within
DIGEST_MIN = 6      # so many of a domain in one change: a digest
FOR_PERSON = ("name-refused", "renamed", "leaving", "refused")
KINDS = ("banned", "name-refused", "another-person", "renamed", "leaving", "gone", "refused",
         "active")  # as a digest counts them
NAME_REASONS = ("illegal-local-part", "taken", "reserved")
STALE_S = 6 * 3600
OVERDUE_S = 5 * DAY


class Told(NamedTuple):
    """Something that somebody is to be told."""
    kind: str
    domain: str
    name: str
    reason: str = ""
    detail: str = ""
    recipients: tuple = ()  # the person's proven targets


def kind_of(verdict, before):
    """What is told of an alias that comes from state before ("": none) to that verdict, or ""."""
    if verdict.state == "active":
        return "active" if before != "paused" else ""
    if verdict.state == "leaving":
        return "leaving" if verdict.reason != "renamed" else ""  # told as row 4
    if verdict.state == "gone":
        return "gone" if before == "leaving" else ""
    if verdict.state == "refused":
        if verdict.reason == "banned":
            return "banned"
        return "name-refused" if verdict.reason in NAME_REASONS else "refused"
    return ""


def fact(now, audience, kind, domain, subject="", reason="", detail="", recipients=()):
    return {"at": now, "audience": audience, "kind": kind, "domain": domain, "subject": subject,
            "reason": reason, "detail": detail, "recipients": list(recipients), "overdue": False}


def what_is_due(now, told, sent):
    """(facts, what sent is to be) of a change. sent: (domain, name, word) -> when it was told."""
    facts, after = [], dict(sent)
    for domain in sorted({each.domain for each in told}):
        due = []
        for name in sorted({each.name for each in told if each.domain == domain}):
            happened = [each for each in told if (each.domain, each.name) == (domain, name)]
            due += due_of_name(now, happened, after)
        facts += [fact(now, "person", *each) for each in due
                  if each.kind in FOR_PERSON and each.recipients]
        if len(due) < DIGEST_MIN:
            facts += [fact(now, "admins", *each._replace(recipients=())) for each in due]
        else:
            counts = [(kind, sum(each.kind == kind for each in due)) for kind in KINDS]
            facts.append(fact(now, "admins", "digest", domain, detail=", ".join(
                f"{count} {kind}" for kind, count in counts if count)))
    return facts, after


def due_of_name(now, happened, sent):
    """What is due of all that happened to a name in a domain; sent is brought up to date."""
    due, words = [], set()
    for each in happened:
        word = f"{each.kind}/{each.reason}" if each.reason else each.kind
        if each.kind == "leaving":  # clears the memory of all but leavings
            for key in [key for key in sent if key[:2] == (each.domain, each.name)
                        and not key[2].startswith("leaving")]:
                del sent[key]
        key = (each.domain, each.name, word)
        if word not in words and (key not in sent or now - sent[key] >= AGAIN_S):
            sent[key] = now
            due.append(each)
        words.add(word)
    return due


def alarms_of(now, model):
    """{(domain, word)} of what is wrong now."""
    found = set()
    for domain, rules in model.house.domains.items():
        row, run = model.domain.get(domain), model.run.get(domain)
        plan = model.plan.get(domain)
        if row is not None and row["filled"] and not row["open"]:
            found.add((domain, "closed"))
        if (row is not None and row["held"]) or (plan is not None and not plan["discarded"]):
            found.add((domain, "held"))
        if run is not None and run["outcome"] == "unusable":
            found.add((domain, "source"))
        if run is not None:
            good = run["attempt"] if run["outcome"] == "held" else run["success"]
            if good and now - good > STALE_S:
                found.add((domain, "stale"))
    if any(now - each["at"] > OVERDUE_S for each in model.outbox):
        found.add(("", "overdue"))
    return found


def tell_alarms(now, alarms, known):
    """(facts, known afterwards): at once, then daily, then an all-clear. known: alarm -> last told."""
    facts, after = [], {alarm: at for alarm, at in known.items() if alarm in alarms}
    for domain, word in alarms:
        last = known.get((domain, word))
        if last is None or not 0 <= now - last < DAY:
            facts.append(fact(now, "alerts", "alarm", domain, reason=word))
            after[domain, word] = now
    facts += [fact(now, "alerts", "all-clear", domain, reason=word)
              for domain, word in known if (domain, word) not in alarms]
    return facts, after
