"""The judge of a fault run: looks from outside, by HTTP, SQL and topics, and says what of the promise was broken."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faults import projections, state, wire
from faults.evidence import Evidence, Verdict


@dataclass(frozen=True)
class Finding:
    """How often an invariant was looked at, and where it did not hold."""

    name: str
    checked: int
    violations: list[str]


async def judged(evidence: Evidence) -> list[Finding]:
    """Every invariant."""
    return [await asyncio.to_thread(_found, name, look, evidence) for name, look in LOOKS.items()]


def _found(name: str, look: Callable[[Evidence], Verdict], evidence: Evidence) -> Finding:
    return Finding(name, *look(evidence))


LOOKS: Final[dict[str, Callable[[Evidence], Verdict]]] = {
    "I1 I2  a row per taken activity": state.rows_of_posts,
    "I1 I2  accounts and people as said": projections.edited,
    "I3     evidence as from scratch": state.derived,
    "I3 I10 ledger equals evidence": state.ledgers,
    "I3     what is taken back is so": state.retractions,
    "I4     scores by plain sum": state.scores,
    "I4     nothing for an audit to mend": state.audits,
    "I5     one living alert": state.alerts,
    "I5     told once": wire.told,
    "I6     outbox and topics agree": wire.published,
    "I6     published once in calm": wire.published_once,
    "I7     order per key": wire.ordered,
    "I8     nothing committed undone": wire.committed,
    "I9     poison kept once": wire.poison,
    "I9     tried again changes nothing": wire.replays,
    "I10    accounts everywhere alike": projections.accounts,
    "I10    people and coverage alike": projections.people,
    "I10    contacts alike": projections.contacts,
    "I10    healths and alerts alike": projections.healths,
    "I11    tenants apart": wire.tenants,
    "I12 I13 work goes on in time": wire.recovered,
    "I12    at rest in the end": wire.at_rest,
    "I13    stops end well": wire.stops,
    "I13    refusals say when": wire.refusals,
    "I14    sizes as before": wire.sizes,
}
