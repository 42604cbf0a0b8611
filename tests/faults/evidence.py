"""What a fault run leaves for the judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from records import Record

from bellwether.stack import Stack
from faults import journal
from faults.disturb import Fault
from faults.world import Place, Sink, rows

SERVICES: Final = ("metrics", "scoring", "plan", "profile", "stakeholder")
Verdict = tuple[int, list[str]]
"""How much was looked at, and what of it broke the promise."""


@dataclass
class Evidence:
    """All that the judge goes by."""

    stack: Stack
    told: journal.Account
    faults: Sequence[Fault]
    poison: Sequence[Place]
    sink: Sink
    records: list[Record]
    baseline: dict[str, int]
    calm: dict[str, int]
    """Of each service the last id in its outbox when all faults were over: what came later, nothing disturbed."""
    restless: list[str]
    """What did not come to rest in the end, in words."""


def connections(stack: Stack) -> dict[str, int]:
    """How many sessions each role has."""
    counted = "SELECT usename, count(*) FROM pg_stat_activity WHERE usename IS NOT NULL GROUP BY usename"
    return {str(name): int(count) for name, count in rows(stack, "postgres", counted)}


def last_events(stack: Stack) -> dict[str, int]:
    """The last id in the outbox of each service, 0 for an empty one."""
    return {name: int(rows(stack, name, "SELECT coalesce(max(id), 0) FROM outbox")[0][0]) for name in SERVICES}
