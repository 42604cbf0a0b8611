"""Health by its definition, slowly: a straight sum over what stands, in decimals. Shares no code with the service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from uuid import UUID

WORTH = {
    "call-unreturned": "-2",
    "call-returned": "1",
    "email-unreturned": "-0.5",
    "email-returned": "1",
    "client-contacted": "0.5",
    "meeting-declined": "-3",
    "meeting-held": "2",
    "advice-sought": "4",
    "not-invited": "-5",
    "order-placed": "1.5",
    "renewal-signed": "6",
    "scope-reduced": "-4",
}
HALF_LIFE = {"heart": 60, "mind": 120, "wallet": 180}
WEIGHTS = {
    "heart": 20,
    "mind": 15,
    "wallet": 20,
    "engagement": 20,
    "coverage": 10,
    "responsiveness": 5,
    "satisfaction": 5,
    "plan": 5,
}
VALID_DAYS = {"coverage": 90, "satisfaction": 180, "plan": 60}
HALF = Decimal("0.5")


@dataclass
class Told:
    """What was told of one account: the day it is known since, its cadence in days, contact, and values by measure."""

    cadence: int = 30
    contact: datetime | None = None
    values: dict[str, tuple[datetime, float]] = field(default_factory=dict)

    def report(self, measure: str, at: datetime, value: float) -> None:
        """Keep the newest value of a measure."""
        known = self.values.get(measure)
        if known is None or at >= known[0]:
            self.values[measure] = at, value


@dataclass
class Standing:
    """The newest revision of every piece of evidence, whatever the order in which they were told."""

    newest: dict[UUID, tuple[tuple[int, bool], Any]] = field(default_factory=dict)

    def hear(self, said: Any) -> None:
        """Take in a recorded piece, or a retraction (which has no kind)."""
        gone = not hasattr(said, "kind")
        order = said.revision, gone
        known = self.newest.get(said.evidence_id)
        if known is None or known[0] < order:
            self.newest[said.evidence_id] = order, said

    def of(self, account_id: UUID) -> list[Any]:
        """What stands for an account."""
        return [said for (_, gone), said in self.newest.values() if not gone and said.account_id == account_id]


@dataclass(frozen=True)
class Health:
    """Score, confidence, and the measures there are."""

    score: float
    confidence: float
    measures: Mapping[str, float]


def days(span: timedelta) -> Decimal:
    """A span in days, exactly to the microsecond."""
    return Decimal(span // timedelta(microseconds=1)) / Decimal(86_400_000_000)


def health(pieces: Iterable[Any], told: Told, at: datetime) -> Health:
    """What the account's health is at an instant."""
    with localcontext() as context:
        context.prec = 60
        seen = [piece for piece in pieces if piece.observed_at <= at]
        counted = [piece for piece in seen if piece.kind in WORTH]
        found = _dimensions(counted, at) | _answered(counted, at) | _reported(told, at)
        weight = sum(WEIGHTS[name] for name in found)
        score = sum((WEIGHTS[name] * value for name, value in found.items()), Decimal(0)) / weight if found else 50
        return Health(float(score), float(_sure(counted, found, at)), {name: float(v) for name, v in found.items()})


def _dimensions(pieces: list[Any], at: datetime) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for piece in pieces:
        decay = HALF ** (days(at - piece.observed_at) / HALF_LIFE[piece.dimension])
        worth = Decimal(WORTH[piece.kind]) * Decimal(piece.magnitude) * decay
        sums[piece.dimension] = sums.get(piece.dimension, Decimal(0)) + worth
    return {name: 100 / (1 + (-balance / 6).exp()) for name, balance in sums.items()}


def _answered(pieces: list[Any], at: datetime) -> dict[str, Decimal]:
    answered = asked = Decimal(0)
    for piece in pieces:
        if piece.kind in {"call-returned", "email-returned", "call-unreturned", "email-unreturned"}:
            decay = HALF ** (days(at - piece.observed_at) / 60)
            asked += decay
            answered += 0 if piece.kind.endswith("unreturned") else decay
    # A lone piece counts one at its own instant only: that is not enough.
    return {} if asked <= 1 + Decimal("1e-9") else {"responsiveness": 100 * (answered + 2) / (asked + 4)}


def _reported(told: Told, at: datetime) -> dict[str, Decimal]:
    found = {
        name: Decimal(value) for name, (when, value) in told.values.items() if at - when <= timedelta(VALID_DAYS[name])
    }
    if told.contact is not None:
        silence = max(Decimal(0), days(at - told.contact))
        falling = 75 * (3 * told.cadence - silence) / (2 * told.cadence)
        found["engagement"] = min(Decimal(75), max(Decimal(0), falling))
    return found


def _sure(pieces: list[Any], found: Mapping[str, Decimal], at: datetime) -> Decimal:
    present = Decimal(0)
    for name in found:
        share = Decimal(1)
        if name in HALF_LIFE:
            recent = [p for p in pieces if p.dimension == name and at - p.observed_at <= timedelta(2 * HALF_LIFE[name])]
            share = Decimal(min(3, len(recent))) / 3
        present += WEIGHTS[name] * share
    return present / sum(WEIGHTS.values())


def band(score: float, confidence: float, before: str | None) -> str:
    """The band, which is left only when its edge is passed by three points."""
    if confidence < 0.15:
        return "unknown"
    edges = {"healthy": (67.0, 101.0), "watch": (37.0, 73.0), "at-risk": (-1.0, 43.0)}
    low, high = edges.get(before or "", (1.0, 0.0))
    if low <= score < high and before is not None:
        return before
    return "healthy" if score >= 70 else "watch" if score >= 40 else "at-risk"
