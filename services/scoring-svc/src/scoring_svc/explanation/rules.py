"""Points: what each measure and each piece of evidence adds to or takes from a score. Pure; nothing is stored here."""

from collections.abc import Sequence
from typing import NamedTuple

from scoring_svc.health.rules import (
    NEUTRAL,
    RESPONSIVENESS,
    dimension_score,
    responsiveness,
    weigh,
)
from scoring_svc.ledger.rules import RETURNED_SUM, UNRETURNED_SUM, Memory
from scoring_svc.scorecards.rules import RETURNED, UNRETURNED, Scorecard


class Driver(NamedTuple):
    """A piece of evidence and the points the score owes to it: score with it minus score without it."""

    evidence_id: bytes
    kind: str
    observed: float
    points: float


def measure_points(card: Scorecard, values: Sequence[float | None]) -> list[float]:
    """Points of each measure against neutral 50; a missing measure has 0. Their sum is score - 50."""
    present = sum(w for w, v in zip(card.measure_weights, values, strict=True) if v is not None)
    return [
        w * (v - NEUTRAL) / present if v is not None else 0.0 for w, v in zip(card.measure_weights, values, strict=True)
    ]


class Leaving:
    """Answers what a score would be without one piece of evidence; built once per score, asked per piece.

    `sums` are the five balances at the instant of the score, `counts` the pieces per dimension.
    """

    __slots__ = ("_card", "_counts", "_present", "_score", "_sums", "_total", "_values")

    def __init__(
        self,
        card: Scorecard,
        values: Sequence[float | None],
        sums: Sequence[float],
        counts: Sequence[int],
    ) -> None:
        self._card, self._values, self._sums, self._counts = card, values, sums, counts
        self._total, self._present = weigh(card, values)
        self._score = self._total / self._present if self._present else NEUTRAL

    def points(self, dimension: int, kind: str, contribution: float, decayed_one: float) -> float:
        """Score minus the score without this piece.

        `contribution` is what the piece adds to its dimension at that instant, `decayed_one` what one return or one
        missing return of its age counts.
        """
        balance = self._sums[dimension] - contribution
        left = dimension_score(balance, self._card.scale) if self._counts[dimension] > 1 else None
        total, present = self._swap(self._total, self._present, dimension, left)
        if kind in RETURNED or kind in UNRETURNED:
            returned, unreturned = self._sums[RETURNED_SUM], self._sums[UNRETURNED_SUM]
            if kind in RETURNED:
                returned -= decayed_one
            else:
                unreturned -= decayed_one
            rate = responsiveness(returned, unreturned)
            total, present = self._swap(total, present, RESPONSIVENESS, rate)
        return self._score - (total / present if present else NEUTRAL)

    def _swap(self, total: float, present: float, index: int, value: float | None) -> tuple[float, float]:
        """The weighted sum and the weight present with another value for one measure."""
        weight, before = self._card.measure_weights[index], self._values[index]
        if before is not None:
            total -= weight * before
            present -= weight
        return (total, present) if value is None else (total + weight * value, present + weight)


def drivers(
    card: Scorecard,
    values: Sequence[float | None],
    sums: Sequence[float],
    counts: Sequence[int],
    memory: Memory,
    as_of: float,
    keep: int = 3,
) -> list[Driver]:
    """The strongest remembered pieces with their exact points, biggest effect first, a loss before an equal gain."""
    heaviest = []
    for dimension, strongest in enumerate(memory.strongest):
        half_life, weight = card.half_lives[dimension], card.measure_weights[dimension]
        for _, worth, observed, kind, evidence_id in strongest[:keep]:
            contribution = worth * 2.0 ** ((observed - as_of) / half_life)
            heaviest.append((abs(contribution) * weight, contribution, dimension, observed, kind, evidence_id))
    heaviest.sort(reverse=True)
    leaving = Leaving(card, values, sums, counts)
    found = []
    for _, contribution, dimension, observed, kind, evidence_id in heaviest[:keep]:
        decayed_one = 2.0 ** ((observed - as_of) / card.half_lives[RETURNED_SUM])
        points = leaving.points(dimension, kind, contribution, decayed_one)
        found.append(Driver(evidence_id, kind, observed, points))
    found.sort(key=lambda driver: (-abs(driver.points), driver.points))
    return found
