"""How well a ranking by risk foretold what happened: AUC, lift, precision, calibration, and when to say nothing.

Pure. A case is an account at a date. `risk` is any number that is higher the likelier the client is lost; `lost` is
what then happened; `accounts` names each case's account, because an account seen at several dates is not several.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil, sqrt
from typing import Final

FEWEST: Final = 20
"""Of either class at least so many cases, or nothing is concluded."""
SURE: Final = 1.959963984540054
"""Standard errors on either side of a 95 % interval."""
FOLDS: Final = 5
BINS: Final = 10

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
    """What a ranking is worth. `inconclusive` says why nothing may be concluded; None when something may."""

    cases: int
    lost: int
    inconclusive: str | None
    auc: Estimate | None = None
    lift_at_tenth: float | None = None
    precision_at: dict[int, float] | None = None
    brier: float | None = None
    brier_of_base_rate: float | None = None
    calibration: tuple[Bin, ...] = ()


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


def isotonic(risk: Sequence[float], lost: Sequence[bool]) -> tuple[list[float], list[float]]:
    """The rising step function nearest to what happened (pool adjacent violators): where steps begin, their height."""
    blocks: list[list[float]] = []
    for value, group in groupby(sorted(zip(risk, lost, strict=True)), key=lambda case: case[0]):
        outcomes = [was for _, was in group]
        blocks.append([value, float(sum(outcomes)), float(len(outcomes))])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][2] >= blocks[-1][1] * blocks[-2][2]:
            _, hits, cases = blocks.pop()
            blocks[-1][1] += hits
            blocks[-1][2] += cases
    return [start for start, _, _ in blocks], [hits / cases for _, hits, cases in blocks]


def calibrated(risk: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable]) -> list[float]:
    """The chance of loss that each risk stands for, 0 to 1, learnt from other accounts only (five folds)."""
    fold = {account: index % FOLDS for index, account in enumerate(dict.fromkeys(accounts))}
    foretold = [0.0] * len(risk)
    for held in range(FOLDS):
        learnt = [i for i, account in enumerate(accounts) if fold[account] != held]
        if not learnt:
            raise ValueError("calibration needs two accounts at least")
        starts, heights = isotonic([risk[i] for i in learnt], [lost[i] for i in learnt])
        for i, account in enumerate(accounts):
            if fold[account] == held:
                foretold[i] = heights[max(0, bisect_right(starts, risk[i]) - 1)]
    return foretold


def brier(foretold: Sequence[float], lost: Sequence[bool]) -> float:
    """The mean squared error of chances, 0 (clairvoyant) to 1."""
    return sum((p - was) ** 2 for p, was in zip(foretold, lost, strict=True)) / len(lost)


def calibration(foretold: Sequence[float], lost: Sequence[bool]) -> tuple[Bin, ...]:
    """Ten groups of cases (or as many as there are) by rising chance, what was foretold beside what happened."""
    cases = sorted(zip(foretold, lost, strict=True))
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


def judge(
    risk: Sequence[float], lost: Sequence[bool], accounts: Sequence[Hashable], ks: Sequence[int] = (10, 50)
) -> Verdict:
    """All figures of a ranking; none when either class has fewer than twenty accounts."""
    hits = sum(lost)
    of_lost = {account for account, was in zip(accounts, lost, strict=True) if was}
    of_kept = {account for account, was in zip(accounts, lost, strict=True) if not was}
    if len(of_lost) < FEWEST:
        return Verdict(len(lost), hits, TOO_FEW_LOST)
    if len(of_kept) < FEWEST:
        return Verdict(len(lost), hits, TOO_FEW_KEPT)
    area = auc(risk, lost, accounts)
    foretold = calibrated(risk, lost, accounts)
    rate = hits / len(lost)
    return Verdict(
        cases=len(lost),
        lost=hits,
        inconclusive=SPANS_HALF if area.low <= 0.5 <= area.high else None,
        auc=area,
        lift_at_tenth=lift(risk, lost),
        precision_at={k: precision(risk, lost, k) for k in ks if k <= len(lost)},
        brier=brier(foretold, lost),
        brier_of_base_rate=rate * (1.0 - rate),
        calibration=calibration(foretold, lost),
    )
