"""A team, its domain and the stand-in Launchpad, for tests of the house rules: short names for what
they do over and over. Time goes on by `after_s`, which only grows."""

import json
import os

from lpalias_world import World

DOMAIN, TEAM = "ubuntu.com", "ubuntumembers"
OTHER_DOMAIN, OTHER_TEAM = "kubuntu.org", "kubuntu-members"
DAY_S = 86_400


class House:
    """A world with one domain or two; every member has a target, every domain is open."""

    def __init__(self, names, others=(), top=(), domain_keys=""):
        people = {name: {} for name in (*names, *others)}
        teams = {TEAM: {"members": list(names)}}
        if others:
            teams[OTHER_TEAM] = {"members": list(others)}
        self.world = World({"people": people, "teams": teams}, page_size=300)
        self.launchpad = self.world.launchpad
        self.now_s = 0
        self.world.domains = {DOMAIN: TEAM}
        if others:
            self.world.domains[OTHER_DOMAIN] = OTHER_TEAM
        self.world.domain_keys = {DOMAIN: domain_keys}
        self.world.top_lines = list(top)
        self.world.write_config()
        self.world.make_key()
        self.refresh()
        for name in sorted({*names, *others}):
            self.run("target", "set", name, f"{name.replace('+', '-')}@home.example")
        self.run("domain", "open", "--all", "--yes")
        self.world.settle(self.now_s)

    def close(self):
        self.world.close()

    def run(self, *arguments, status=0, stdin=""):
        """lpalias at this time."""
        return self.world.lpalias(*arguments, status=status, stdin=stdin, after_s=self.now_s)

    def json(self, *arguments, status=0):
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def pass_s(self, seconds):
        self.now_s += seconds

    def refresh(self, status=0, after_s=61):
        """A refresh a minute later; the report of the first domain."""
        self.pass_s(after_s)
        return self.json("refresh", status=status)["domains"][0]

    def twice(self, status=0):
        """What one listing alone does not prove."""
        self.refresh(status=None)
        return self.refresh(status=status)

    def alias(self, name, domain=DOMAIN):
        """The row of `lpalias list`, or None."""
        rows = self.json("list")
        return next((row for row in rows if row["address"] == f"{name}@{domain}"), None)

    def state(self, name, domain=DOMAIN):
        """ "active", "leaving not-member", ..., or None."""
        row = self.alias(name, domain)
        return row and " ".join(filter(None, (row["state"], row["reason"])))

    def answer(self, address, status=0):
        """What Postfix would get from the map of aliases."""
        return self.run("query", "--cache", "alias", address, status=status).stdout.strip()

    def join(self, *names, team=TEAM):
        for name in names:
            self.launchpad.add_person(name)
            self.launchpad.add_member(team, name)

    def leave(self, *names, team=TEAM):
        for name in names:
            self.launchpad.remove_member(team, name)

    def generation(self):
        return self.json("status", status=None)["generation"]

    def log_of(self, act):
        """Needs lpalias history."""
        return [event for event in self.json("history") if event["act"] == act]


def why_not_here():
    """What keeps these tests from running, or None."""
    return None if os.access(os.environ.get("LPALIAS", ""), os.X_OK) else "LPALIAS is not set"
