"""Health of one account: measures, weighted mean, confidence, band, trend. What comes next is `forecast`'s business.

Pure: takes what is known and `as_of`. Times are UTC epoch seconds, scores and measures 0 to 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import exp
from typing import Final
from uuid import UUID

from scoring_svc.caps.rules import Cap
from scoring_svc.ledger.rules import RETURNED_SUM, UNRETURNED_SUM, Balances, Memory
from scoring_svc.overrides.rules import Override
from scoring_svc.scorecards.rules import DAY, MEASURES, Scorecard
from scoring_svc.situation.rules import NOTHING_KNOWN, Situation

NEUTRAL: Final = 50.0
ENGAGEMENT: Final = 3
RESPONSIVENESS: Final = 5
ONE_PIECE: Final = 1.0 + 1e-9
TREND_DAYS: Final = 15


@dataclass(slots=True)
class Reported:
    """What other services report about an account; None where nothing is known. Cadence in days."""

    cadence_days: float = 30.0
    known_since: float | None = None
    last_two_way: float | None = None
    coverage: float | None = None
    coverage_at: float = 0.0
    satisfaction: float | None = None
    satisfaction_at: float = 0.0
    plan: float | None = None
    plan_at: float = 0.0


@dataclass(slots=True)
class Standing:
    """All that a score depends on, besides the scorecard and the time."""

    balances: Balances
    latest: Sequence[Sequence[float]] = field(default_factory=lambda: ((), (), ()))
    reported: Reported = field(default_factory=Reported)


# Per day: its number since 1970, the best score, the last one, and when the best one was.
Day = list[float]
# Tenant and account id as text.
Key = tuple[str, str]


@dataclass(slots=True)
class Account:
    """An account in hand: all that an evaluation needs, and afterwards what it found. Mutable; lives for a batch."""

    tenant: str
    account_id: str
    sequence: int
    band: str | None
    stale: bool
    name: str | None
    tier: str | None
    owner_id: UUID | None
    removed: bool
    value_amount: float | None
    value_currency: str | None
    renewal_at: datetime | None
    reported: Reported
    balances: Balances
    memory: Memory
    days: list[Day]
    measures: list[float | None]
    situation: Situation = NOTHING_KNOWN
    industry: str | None = None
    territory: str | None = None
    recount: bool = False
    recarded: bool = False
    uncapped: float = 50.0
    caps: Sequence[Cap] = ()
    said_caps: Sequence[str] = ()
    override: Override | None = None
    said_override: str | None = None
    pending: float | None = None
    said_score: float | None = None
    said_band: str | None = None
    said_confidence: float | None = None
    waiting: dict[str, float] = field(default_factory=dict)
    score: float = 50.0
    confidence: float = 0.0
    change: float = 0.0
    scorecard: str = ""
    scorecard_version: int = 0
    next_evaluation: float = 0.0

    @property
    def key(self) -> Key:
        """Tenant and account id."""
        return self.tenant, self.account_id

    @property
    def standing(self) -> Standing:
        """What the score depends on."""
        return Standing(self.balances, self.memory.latest, self.reported)


def dimension_score(balance: float, scale: float) -> float:
    """100 / (1 + e^(-B/c)): 50 without evidence, towards 100 or 0 as it piles up."""
    x = balance / scale
    if x >= 0:
        return 100.0 / (1.0 + exp(-x))
    e = exp(x) if x > -700.0 else 0.0
    return 100.0 * e / (1.0 + e)


def responsiveness(returned: float, unreturned: float) -> float | None:
    """Share of our approaches that were answered, drawn towards a half while few; None up to one decayed piece.

    Up to, not below: a lone piece decays below 1 the moment after it is observed, and must not flicker.
    """
    if returned + unreturned <= ONE_PIECE:
        return None
    return 100.0 * (returned + 2.0) / (returned + unreturned + 4.0)


def silence_days(reported: Reported, as_of: float) -> float | None:
    """Days since the last two-way contact; without one, since it is known, once longer than its cadence."""
    if reported.last_two_way is not None:
        return max(0.0, (as_of - reported.last_two_way) / DAY)
    if reported.known_since is None:
        return None
    known_for = (as_of - reported.known_since) / DAY
    return known_for if known_for > reported.cadence_days else None


def engagement(reported: Reported, as_of: float, engaged: float = 75.0) -> float | None:
    """`engaged` while silence is within the cadence, then falling in a line to 0 at three times the cadence."""
    silence = silence_days(reported, as_of)
    if silence is None:
        return None
    cadence = reported.cadence_days
    if silence <= cadence:
        return engaged
    return max(0.0, engaged * (3.0 * cadence - silence) / (2.0 * cadence))


def _valid(value: float, taken_at: float, validity_days: float, as_of: float) -> float | None:
    return value if as_of - taken_at <= validity_days * DAY else None


def measure_values(card: Scorecard, standing: Standing, as_of: float) -> list[float | None]:
    """The eight measures in the order of `MEASURES`; None for what is missing or past its validity."""
    balances, reported = standing.balances, standing.reported
    sums = balances.at(as_of, card.half_lives)
    values: list[float | None] = [
        dimension_score(sums[d], card.scale) if balances.counts[d] > 0 else None for d in (0, 1, 2)
    ]
    values.append(engagement(reported, as_of, card.engaged))
    coverage, satisfaction, plan = reported.coverage, reported.satisfaction, reported.plan
    if coverage is not None:
        coverage = _valid(coverage, reported.coverage_at, card.coverage_validity_days, as_of)
    if satisfaction is not None:
        satisfaction = _valid(satisfaction, reported.satisfaction_at, card.satisfaction_validity_days, as_of)
    if plan is not None:
        plan = _valid(plan, reported.plan_at, card.plan_validity_days, as_of)
    values += (coverage, responsiveness(sums[RETURNED_SUM], sums[UNRETURNED_SUM]), satisfaction, plan)
    return values


def weigh(card: Scorecard, values: Sequence[float | None]) -> tuple[float, float]:
    """The weighted sum of the measures that are present, and their weight."""
    total = present = 0.0
    for weight, value in zip(card.measure_weights, values, strict=True):
        if value is not None:
            total += weight * value
            present += weight
    return total, present


def weighted_score(card: Scorecard, values: Sequence[float | None]) -> float:
    """Weighted mean of the measures that are present; neutral 50 when there is none."""
    total, present = weigh(card, values)
    return min(100.0, total / present) if present else NEUTRAL


def score_at(card: Scorecard, standing: Standing, as_of: float) -> float:
    """The score at any later instant, if nothing happens until then."""
    return weighted_score(card, measure_values(card, standing, as_of))


def confidence(
    card: Scorecard,
    values: Sequence[float | None],
    present: float,
    latest: Sequence[Sequence[float]],
    as_of: float,
) -> float:
    """Weight present over total weight, 0 to 1; a dimension counts fully from three pieces within two half-lives."""
    for index, times in enumerate(latest):
        if values[index] is not None:
            since = as_of - 2.0 * card.half_lives[index]
            recent = len([at for at in times if at >= since])
            if recent < card.enough_evidence:
                present -= card.measure_weights[index] * (1.0 - recent / card.enough_evidence)
    return max(0.0, present / card.total_weight)


def plain_band(card: Scorecard, score: float) -> str:
    """The band of a score that has no past."""
    if score >= card.healthy_from:
        return "healthy"
    return "watch" if score >= card.watch_from else "at-risk"


def band_of(card: Scorecard, score: float, sure: float, previous: str | None) -> str:
    """The band, `unknown` below the least confidence; a band is left only when its edge is passed by the hysteresis."""
    if sure < card.min_confidence:
        return "unknown"
    low, high = band_limits(card, previous)
    if previous is not None and low <= score < high:
        return previous
    return plain_band(card, score)


def band_limits(card: Scorecard, band: str | None) -> tuple[float, float]:
    """The half-open range of scores in which a band stays as it is."""
    slack, infinity = card.hysteresis, float("inf")
    if band == "healthy":
        return card.healthy_from - slack, infinity
    if band == "watch":
        return card.watch_from - slack, card.healthy_from + slack
    if band == "at-risk":
        return -infinity, card.watch_from + slack
    return infinity, infinity  # unknown has no range of its own


def note_score(days: list[Day], score: float, as_of: float) -> None:
    """Take a score into the last fifteen days' best and last, in place; oldest day first."""
    today = as_of // DAY
    if days and days[-1][0] >= today:
        if score >= days[-1][1]:
            days[-1][1], days[-1][3] = score, as_of
        days[-1][2] = score
        return
    days.append([today, score, score, as_of])
    while days[0][0] <= today - TREND_DAYS:
        days.pop(0)


def peak(days: Sequence[Day], as_of: float, window_days: float) -> float | None:
    """The best score within the window, one a day being kept; None when there was none."""
    since = as_of - window_days * DAY
    return max([best for _, best, _, at in days if at > since], default=None)


def change_over(days: Sequence[Day], score: float, as_of: float, span_days: float = 7.0) -> float:
    """Points won or lost against the last score of seven days ago, or the oldest kept that is younger."""
    reference, until = None, as_of // DAY - span_days
    for day, _, last, _ in days:
        if reference is None or day <= until:
            reference = last
    return score - reference if reference is not None else 0.0


def measures_of(values: Sequence[float | None]) -> Mapping[str, float | None]:
    """Measures by name."""
    return dict(zip(MEASURES, values, strict=True))
