"""Points: what each measure and each piece of evidence adds to or takes from a score. Pure; nothing is stored here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from scoring_svc.health.rules import (
    NEUTRAL,
    RESPONSIVENESS,
    Reported,
    Standing,
    confidence,
    dimension_score,
    measure_values,
    responsiveness,
    weigh,
    weighted_score,
)
from scoring_svc.ledger.rules import LATEST_KEPT, RETURNED_SUM, UNRETURNED_SUM, Balances, Memory, Piece
from scoring_svc.scorecards.rules import RETURNED, UNRETURNED, Scorecard


class Driver(NamedTuple):
    """A piece of evidence and the points the score owes to it: score with it minus score without it."""

    evidence_id: str
    kind: str
    observed: float
    points: float


def by_loss(points: float) -> tuple[bool, float]:
    """The order in which points are told: losses first, then gains, each by size."""
    return points >= 0, -abs(points)


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
    """The strongest remembered losses and, where there are few, gains, with their exact points; each side by size."""
    half_lives = card.half_lives
    heaviest = []
    for place, strongest in enumerate(memory.strongest):
        # Logarithms order as the decayed contributions do, and cost less.
        dimension, loss = divmod(place, 2)
        now = log2(card.measure_weights[dimension] or 1e-9) - as_of / half_lives[dimension]
        heaviest += [(loss, piece[0] + now, dimension, piece) for piece in strongest]
    heaviest.sort(reverse=True)
    leaving = Leaving(card, values, sums, counts)
    found = []
    for _, _, dimension, (_, worth, observed, kind, evidence_id) in heaviest[:keep]:
        age = observed - as_of
        contribution = worth * 2.0 ** (age / half_lives[dimension])
        points = leaving.points(dimension, kind, contribution, 2.0 ** (age / half_lives[RETURNED_SUM]))
        found.append(Driver(evidence_id, kind, observed, points))
    found.sort(key=lambda driver: by_loss(driver.points))
    return found


@dataclass(frozen=True, slots=True)
class Share:
    """A piece of evidence and its points; unknown kinds have none."""

    piece: Piece
    points: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score taken apart. `values` and `points` in the order of the measures; the points add up to score - 50."""

    score: float
    confidence: float
    values: list[float | None]
    points: list[float]
    evidence: list[Share]


def explain(
    card: Scorecard,
    pieces: Sequence[Piece],
    reported: Reported | None,
    taken: Mapping[int, float | None],
    as_of: float,
) -> Explanation:
    """Take the score at `as_of` apart, from the evidence observed until then.

    `taken` gives measures by index that must be as they were then, for a past in which `reported` is not known.
    """
    balances = Balances(as_of)
    latest: tuple[list[float], ...] = ([], [], [])
    for piece in pieces:
        balances.add(piece, card.half_lives)
        if piece.known:
            latest[piece.dimension].append(piece.observed)
    newest = [sorted(times, reverse=True)[:LATEST_KEPT] for times in latest]
    values = measure_values(card, Standing(balances, newest, reported or Reported()), as_of)
    for index, value in taken.items():
        values[index] = value
    _, present = weigh(card, values)
    leaving = Leaving(card, values, balances.at(as_of, card.half_lives), balances.counts)
    shares = [Share(piece, _points(card, leaving, piece, as_of)) for piece in pieces]
    shares.sort(key=lambda share: by_loss(share.points))
    return Explanation(
        weighted_score(card, values),
        confidence(card, values, present, newest, as_of),
        values,
        measure_points(card, values),
        shares,
    )


def _points(card: Scorecard, leaving: Leaving, piece: Piece, as_of: float) -> float:
    if not piece.known:
        return 0.0
    age = piece.observed - as_of
    contribution = piece.weight * 2.0 ** (age / card.half_lives[piece.dimension])
    return leaving.points(piece.dimension, piece.kind, contribution, 2.0 ** (age / card.half_lives[RETURNED_SUM]))
