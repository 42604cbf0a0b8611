"""Weights of a scorecard fitted to what happened, by one logistic regression about the scorecard there is. Pure.

The chance that an account stays is taken for a logistic function of g · (s + Σ d_j · ds/dw_j): the score as it is,
and how it would move with each weight. The d_j are shrunk towards 0, so that few cases propose the scorecard that
there is. It is one Gauss-Newton step; whether it was a good one, later dates say.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from math import sqrt
from typing import Final, NamedTuple

from scoring_svc.health.rules import dimension_score, weigh, weighted_score
from scoring_svc.retrospect.rules import capped
from scoring_svc.scorecards.rules import DIMENSIONS, MEASURES, Scorecard

FIRM: Final = 100.0
"""By how much the column of the score is stretched, so that shrinking hardly touches it."""
LARGEST_WORTH: Final = 10.0
LARGEST_WEIGHT: Final = 100.0
SEEN_BY: Final = 20
"""Accounts that must have evidence of a kind before its weight is touched."""


class Past(NamedTuple):
    """An account at a date, as `retrospect` saw it, and what became of it."""

    account: Hashable
    lost: bool
    measures: Sequence[float | None]
    sums: Mapping[tuple[int, str], float]
    cap: float | None = None


class Weight(NamedTuple):
    """A weight of a scorecard: of a kind of evidence, or of one of the `MEASURES`."""

    of: str
    name: str


class Table(NamedTuple):
    """What a regression takes: standardised columns, the first the score; `spreads` turn coefficients back."""

    weights: Sequence[Weight]
    rows: Sequence[Sequence[float]]
    spreads: Sequence[float]


def split(dates: Sequence[date], horizon_days: int) -> tuple[list[date], list[date]]:
    """Dates to learn from and later ones to try it on: what came of the first was known before the second.

    As many as can be of both; in doubt more to learn from. Both are empty when dates lie too close together.
    """
    best: tuple[list[date], list[date]] = ([], [])
    for count in range(1, len(dates)):
        until = dates[count - 1] + timedelta(days=horizon_days)
        later = [day for day in dates if day >= until]
        if later and min(count, len(later)) >= min(map(len, best)):
            best = list(dates[:count]), later
    return best


def table(card: Scorecard, cases: Sequence[Past]) -> Table:
    """The cases as a regression takes them; weights that nothing tells of are left out."""
    weights = _weights(cases)
    raw = [_slopes(card, case, weights) for case in cases]
    means = [sum(column) / len(raw) for column in zip(*raw, strict=True)]
    spreads = [
        sqrt(sum((value - mean) ** 2 for value in column) / len(raw))
        for column, mean in zip(zip(*raw, strict=True), means, strict=True)
    ]
    kept = [0, *(place for place in range(1, len(means)) if spreads[place] > 0.0)]
    stretched = [FIRM if place == 0 else 1.0 for place in kept]
    scaled = [(spreads[place] or 1.0) / by for place, by in zip(kept, stretched, strict=True)]
    rows = [[(row[p] - means[p]) / by for p, by in zip(kept, scaled, strict=True)] for row in raw]
    return Table([weights[place - 1] for place in kept[1:]], rows, scaled)


def _weights(cases: Sequence[Past]) -> list[Weight]:
    seen = Counter(kind for _, kind in {(case.account, kind) for case in cases for _, kind in case.sums})
    kinds = sorted(kind for kind, accounts in seen.items() if accounts >= SEEN_BY)
    present = [any(case.measures[place] is not None for case in cases) for place in range(len(MEASURES))]
    measures = [name for name, is_there in zip(MEASURES, present, strict=True) if is_there]
    return [*(Weight("kind", kind) for kind in kinds), *(Weight("measure", name) for name in measures)]


def _slopes(card: Scorecard, case: Past, weights: Sequence[Weight]) -> list[float]:
    """The score, and by how much it moves with each weight: not at all while it is capped."""
    _, present = weigh(card, case.measures)
    score = weighted_score(card, case.measures)
    if case.cap is not None and score > case.cap:
        return [case.cap, *(0.0 for _ in weights)]
    moves: dict[Weight, float] = {}
    for (dimension, kind), amount in case.sums.items():
        value = case.measures[dimension] or 0.0
        share = card.measure_weights[dimension] / present if present else 0.0
        steep = share * value * (1.0 - value / 100.0) / card.scale
        moves[Weight("kind", kind)] = moves.get(Weight("kind", kind), 0.0) + steep * amount
    for name, measure in zip(MEASURES, case.measures, strict=True):
        if measure is not None and present:
            moves[Weight("measure", name)] = (measure - score) / present
    return [score, *(moves.get(weight, 0.0) for weight in weights)]


def proposed(card: Scorecard, fitted: Table, coefficients: Sequence[float]) -> Scorecard | None:
    """The scorecard that a regression's coefficients stand for; None when the score foretells nothing, or wrongly.

    Kinds move by tenths, measures by halves, and neither beyond the largest unless it was there already.
    """
    by_unit = [coefficient / spread for coefficient, spread in zip(coefficients, fitted.spreads, strict=True)]
    if by_unit[0] <= 0.0:
        return None
    kinds, measures = dict(card.kind_weights), dict(zip(MEASURES, card.measure_weights, strict=True))
    for weight, move in zip(fitted.weights, by_unit[1:], strict=True):
        by = move / by_unit[0]
        if weight.of == "kind":
            kinds[weight.name] = _moved(kinds[weight.name], by, 0.1, -LARGEST_WORTH, LARGEST_WORTH)
        else:
            measures[weight.name] = _moved(measures[weight.name], by, 0.5, 0.0, LARGEST_WEIGHT)
    if not any(measures.values()):
        return None
    return replace(card, kind_weights=kinds, measure_weights=tuple(measures[name] for name in MEASURES))


def _moved(value: float, by: float, step: float, lowest: float, highest: float) -> float:
    """A weight and its move, in whole steps; as it was when it moves by less than half a step."""
    if abs(by) < step / 2.0:
        return value
    reached = max(min(lowest, value), min(max(highest, value), value + by))
    return round(round(reached / step) * step, 6)


def score_under(card: Scorecard, case: Past) -> float:
    """The score that a case would have had by other weights; half-lives and scale must be those it was seen with."""
    balances = [0.0] * len(DIMENSIONS)
    seen = [False] * len(DIMENSIONS)
    for (dimension, kind), amount in case.sums.items():
        weight = card.kind_weights.get(kind, 0.0)
        balances[dimension] += weight * amount
        seen[dimension] = seen[dimension] or weight != 0.0
    values = list(case.measures)
    for place, balance in enumerate(balances):
        values[place] = dimension_score(balance, card.scale) if seen[place] else None
    return capped(weighted_score(card, values), case.cap)
