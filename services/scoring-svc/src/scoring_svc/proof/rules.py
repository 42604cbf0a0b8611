"""How well a ranking by risk foretold what happened: AUC, lift, precision, calibration, and when to say nothing.

Pure. A case is an account at a date. `risk` is any number that is higher the likelier the client is lost; `lost` is
what then happened; `accounts` names each case's account, because an account seen at several dates is not several.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, exp, log, sqrt
from typing import Final, NamedTuple

FEWEST: Final = 10
"""Of either class at least so many accounts, or nothing is concluded."""
SURE: Final = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""
BINS: Final = 10
CURVE_POINTS: Final = 100
NEWTON_STEPS: Final = 30
RIDGE: Final = 1e-9

TOO_FEW_LOST: Final = "too-few-lost"
TOO_FEW_KEPT: Final = "too-few-kept"
SPANS_HALF: Final = "interval-spans-one-half"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of alike calibrated risk: how many, what was foretold on average, and the share that was lost."""

    cases: int
    foretold: float
    lost: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a ranking is worth. `inconclusive` says why nothing may be concluded from it; None when something may.

    Brier scores (0 is clairvoyant) are of the `foretold` cases, whose chances were learnt from earlier ones; that of
    the base rate foretells for everybody the share that was lost earlier.
    """

    inconclusive: str | None
    auc: Estimate
    lift_at_tenth: float
    precision_at: dict[int, float]
    foretold: int
    brier: float | None
    brier_of_base_rate: float | None
    calibration: tuple[Bin, ...]
    curve: tuple[tuple[float, float], ...]


class Learnt(NamedTuple):
    """What chance of loss a risk stands for: logistic in the risk; and `rate`, the share of all that was lost."""

    middle: float
    spread: float
    height: float
    slope: float
    rate: float

    def chance(self, risk: float) -> float:
        """The chance of loss, 0 to 1."""
        return _logistic(self.height + self.slope * (risk - self.middle) / self.spread)


def midranks(values: Sequence[float]) -> list[float]:
    """The rank of each value from 1, that of equal values their mean."""
    ranks = [0.0] * len(values)
    before = 0
    for _, group in groupby(sorted(range(len(values)), key=values.__getitem__), key=values.__getitem__):
        equal = list(group)
        for index in equal:
            ranks[index] = before + (len(equal) + 1) / 2
        before += len(equal)
    return ranks


def placements(risk: Sequence[float], lost: Sequence[bool]) -> list[float]:
    """Of each case the share of the other class that it is on the right side of; ties count a half.

    The mean over the lost, and over the kept, is the AUC (Sun and Xu 2014). Needs a case of each class.
    """
    overall = midranks(risk)
    count = {True: sum(lost), False: len(lost) - sum(lost)}
    within: dict[int, float] = {}
    for side in (True, False):
        indices = [index for index, was in enumerate(lost) if was is side]
        within |= dict(zip(indices, midranks([risk[index] for index in indices]), strict=True))
    return [
        (overall[i] - within[i]) / count[False] if was else 1.0 - (overall[i] - within[i]) / count[True]
        for i, was in enumerate(lost)
    ]


def auc(risk: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable]) -> Estimate:
    """The chance that a lost client was ranked as riskier than one that stayed, 0 to 1.

    Interval of DeLong et al. (1988), which for accounts seen more than once becomes that of Obuchowski (1997).
    Needs two accounts of each class.
    """
    value, spread = _mean_and_spread(placements(risk, lost), lost, accounts)
    return Estimate(value, max(0.0, value - SURE * spread), min(1.0, value + SURE * spread))


def advantage(
    risk: Sequence[float], other: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable]
) -> Estimate:
    """By how much one ranking's AUC is above another's on the same cases, -1 to 1; their errors go together."""
    ours, theirs = placements(risk, lost), placements(other, lost)
    value, spread = _mean_and_spread([a - b for a, b in zip(ours, theirs, strict=True)], lost, accounts)
    return Estimate(value, value - SURE * spread, value + SURE * spread)


def _mean_and_spread(
    placed: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable]
) -> tuple[float, float]:
    """The mean over the lost and its standard error, the deviations of an account taken together."""
    m = sum(lost)
    n = len(lost) - m
    value = sum(p for p, was in zip(placed, lost, strict=True) if was) / m
    deviations: dict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0.0])
    of_lost: set[Hashable] = set()
    of_kept: set[Hashable] = set()
    for place, was, account in zip(placed, lost, accounts, strict=True):
        deviations[account][not was] += place - value
        (of_lost if was else of_kept).add(account)
    variance = _corrected(len(of_lost)) * sum(a * a for a, _ in deviations.values()) / m**2
    variance += _corrected(len(of_kept)) * sum(b * b for _, b in deviations.values()) / n**2
    variance += 2.0 * _corrected(len(deviations)) * sum(a * b for a, b in deviations.values()) / (m * n)
    return value, sqrt(max(0.0, variance))


def _corrected(count: int) -> float:
    return count / (count - 1)


def precision(risk: Sequence[float], lost: Sequence[bool], k: int) -> float:
    """The share of the lost among the `k` riskiest, 0 to 1; of equal risks at the edge each counts for its part."""
    left, hits = float(k), 0.0
    order = sorted(range(len(risk)), key=risk.__getitem__, reverse=True)
    for _, group in groupby(order, key=risk.__getitem__):
        equal = [lost[index] for index in group]
        taken = min(1.0, left / len(equal))
        hits += taken * sum(equal)
        left -= len(equal)
        if left <= 0:
            break
    return hits / k


def lift(risk: Sequence[float], lost: Sequence[bool], share: float = 0.1) -> float:
    """How many times more often clients are lost among the riskiest `share` than among all."""
    return precision(risk, lost, ceil(share * len(risk))) * len(lost) / sum(lost)


def learnt(risk: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable]) -> Learnt | None:
    """What cases that are over tell of the chances of later ones; None when they are too few.

    Platt's scaling (1999), by Newton's method: two numbers, so that a few dozen losses can teach them. His targets,
    just off 0 and 1, keep the curve finite where losses and the rest are apart.
    """
    if too_few(lost, accounts) is not None:
        return None
    hits, cases = sum(lost), len(lost)
    middle = sum(risk) / cases
    spread = sqrt(sum((r - middle) ** 2 for r in risk) / cases) or 1.0
    places = [(r - middle) / spread for r in risk]
    targets = [(hits + 1.0) / (hits + 2.0) if was else 1.0 / (cases - hits + 2.0) for was in lost]
    height, slope = log(hits / (cases - hits)), 0.0
    for _ in range(NEWTON_STEPS):
        chances = [_logistic(height + slope * x) for x in places]
        steep = [p * (1.0 - p) + RIDGE for p in chances]
        misses = [t - p for t, p in zip(targets, chances, strict=True)]
        up, along = sum(misses), sum(m * x for m, x in zip(misses, places, strict=True))
        a, b = sum(steep), sum(w * x for w, x in zip(steep, places, strict=True))
        c = sum(w * x * x for w, x in zip(steep, places, strict=True))
        wide = a * c - b * b or 1.0  # where all risks are alike there is no slope
        height, slope = height + (c * up - b * along) / wide, slope + (a * along - b * up) / wide
    return Learnt(middle, spread, height, slope, hits / cases)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-min(700.0, max(-700.0, x))))


def brier(foretold: Sequence[float], lost: Sequence[bool]) -> float:
    """The mean squared error of chances, 0 (clairvoyant) to 1."""
    return sum((p - was) ** 2 for p, was in zip(foretold, lost, strict=True)) / len(lost)


def calibration(foretold: Sequence[float], lost: Sequence[bool]) -> tuple[Bin, ...]:
    """Ten groups of cases (or as many as there are) by rising chance, what was foretold beside what happened."""
    # Never by what happened: cases of one chance that an edge parts must stay a fair sample on either side.
    cases = sorted(zip(foretold, lost, strict=True), key=lambda case: case[0])
    edges = [round(len(cases) * i / BINS) for i in range(BINS + 1)]
    groups = [cases[start:end] for start, end in pairwise(edges) if end > start]
    return tuple(
        Bin(len(group), sum(p for p, _ in group) / len(group), sum(was for _, was in group) / len(group))
        for group in groups
    )


def curve(risk: Sequence[float], lost: Sequence[bool]) -> list[tuple[float, float]]:
    """The ROC curve: share of the kept against share of the lost among the riskiest, from (0, 0) to (1, 1)."""
    m = sum(lost)
    n = len(lost) - m
    points, hits, misses = [(0.0, 0.0)], 0, 0
    order = sorted(range(len(risk)), key=risk.__getitem__, reverse=True)
    for _, group in groupby(order, key=risk.__getitem__):
        for index in group:
            hits += lost[index]
            misses += not lost[index]
        points.append((misses / n, hits / m))
    return points


def too_few(lost: Sequence[bool], accounts: Sequence[Hashable]) -> str | None:
    """Why nothing may be concluded from so few accounts; None when there are enough of either class."""
    if len({account for account, was in zip(accounts, lost, strict=True) if was}) < FEWEST:
        return TOO_FEW_LOST
    if len({account for account, was in zip(accounts, lost, strict=True) if not was}) < FEWEST:
        return TOO_FEW_KEPT
    return None


def judge(
    risk: Sequence[float],
    lost: Sequence[bool],
    accounts: Sequence[Hashable],
    past: Sequence[Learnt | None],
    ks: Sequence[int] = (10, 50),
) -> Verdict:
    """All figures of a ranking of cases that are not too few; `past` is what was learnt before each of them."""
    area = auc(risk, lost, accounts)
    known = [(p.chance(r), p.rate, was) for r, was, p in zip(risk, lost, past, strict=True) if p is not None]
    chances, rates, came = [c for c, _, _ in known], [r for _, r, _ in known], [was for _, _, was in known]
    return Verdict(
        inconclusive=SPANS_HALF if area.low <= 0.5 <= area.high else None,
        auc=area,
        lift_at_tenth=lift(risk, lost),
        precision_at={k: precision(risk, lost, k) for k in ks if k <= len(lost)},
        foretold=len(known),
        brier=brier(chances, came) if known else None,
        brier_of_base_rate=brier(rates, came) if known else None,
        calibration=calibration(chances, came),
        curve=tuple(thinned(curve(risk, lost))),
    )


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A curve of at most about a hundred points, the first and the last among them."""
    every = ceil(len(points) / CURVE_POINTS)
    return [(round(x, 4), round(y, 4)) for x, y in (*points[:-1:every], points[-1])]
