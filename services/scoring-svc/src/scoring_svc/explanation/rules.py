"""Points: what each measure and each piece of evidence adds to or takes from a score. Pure; nothing is stored here."""

from collections.abc import Sequence
from dataclasses import dataclass

from scoring_svc.health.rules import (
    NEUTRAL,
    RESPONSIVENESS,
    dimension_score,
    responsiveness,
    weighted_score,
)
from scoring_svc.ledger.rules import RETURNED_SUM, UNRETURNED_SUM, Memory
from scoring_svc.scorecards.rules import RETURNED, UNRETURNED, Scorecard


@dataclass(frozen=True, slots=True)
class Driver:
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


def evidence_points(
    card: Scorecard,
    values: Sequence[float | None],
    sums: Sequence[float],
    counts: Sequence[int],
    *,
    dimension: int,
    kind: str,
    contribution: float,
    decayed_one: float,
) -> float:
    """Score minus the score without this piece.

    `sums` are the five balances at that instant, `contribution` what the piece adds to its dimension then, and
    `decayed_one` what one return or one missing return of its age counts.
    """
    without = list(values)
    without[dimension] = dimension_score(sums[dimension] - contribution, card.scale) if counts[dimension] > 1 else None
    if kind in RETURNED:
        without[RESPONSIVENESS] = responsiveness(sums[RETURNED_SUM] - decayed_one, sums[UNRETURNED_SUM])
    elif kind in UNRETURNED:
        without[RESPONSIVENESS] = responsiveness(sums[RETURNED_SUM], sums[UNRETURNED_SUM] - decayed_one)
    return weighted_score(card, values) - weighted_score(card, without)


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
    half_lives = card.half_lives
    heaviest: list[tuple[float, int, tuple[float, float, float, str, bytes]]] = []
    for dimension, strongest in enumerate(memory.strongest):
        weight = card.measure_weights[dimension]
        for piece in strongest:
            contribution = piece[1] * 2.0 ** ((piece[2] - as_of) / half_lives[dimension])
            heaviest.append((-abs(contribution) * weight, dimension, piece))
    heaviest.sort()
    found = [
        Driver(
            piece[4],
            piece[3],
            piece[2],
            evidence_points(
                card,
                values,
                sums,
                counts,
                dimension=dimension,
                kind=piece[3],
                contribution=piece[1] * 2.0 ** ((piece[2] - as_of) / half_lives[dimension]),
                decayed_one=2.0 ** ((piece[2] - as_of) / half_lives[RETURNED_SUM]),
            ),
        )
        for _, dimension, piece in heaviest[:keep]
    ]
    found.sort(key=lambda driver: (-abs(driver.points), driver.points))
    return found
