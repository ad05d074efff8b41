"""What is to be put, deleted and told, collected before it is applied or thrown away."""

from typing import NamedTuple

from rules import Verdict


class Outcome(NamedTuple):
    """What a plan does to the own alias of one name in one domain."""
    before: str  # state, "" without a row
    was_live: bool
    verdict: Verdict
    is_changed: bool  # some alias of the person there


class Change:
    """What is to be put and deleted. Same content is no change, and keeps the row's version."""

    def __init__(self, model):
        self.model = model
        self.rows = {}  # (table, key) -> row or None
        self.told = []  # what somebody is to be told of it
        self.written = set()  # (table, key) of rows that count as changed even if nothing differs
        self.is_noted = False  # in the audit log, whether or not a row differs
        self.forgets_told = False  # what was told long ago

    def put(self, table, key, row):
        self.rows[table, key] = row

    def delete(self, table, key):
        self.rows[table, key] = None

    def add(self, other):
        """Takes over what another change puts and tells."""
        self.rows.update(other.rows)
        self.told += other.told

    def differs(self, table, key):
        return (table, key) in self.rows and \
            self.rows[table, key] != getattr(self.model, table).get(key)
