"""What a survey answer is worth, and how answers become CSAT and NPS with their errors. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import sqrt

from metrics_svc.activities.rules import EARLIEST, TOLERANCE

WINDOW = timedelta(days=365)
"""What is said of an account counts the answers of this span."""

NPS = "nps"
METHODS = ("top-2-box", "top-box", "mean", NPS)
"""How an answer is counted: NPS, or one of three ways of CSAT."""

_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Answer:
    """A score on a scale, both ends included, and how it is counted."""

    method: str
    low: int
    high: int
    score: int
    answered_at: datetime


class Refusal(StrEnum):
    """Why an answer is rejected; the values are stable codes."""

    UNKNOWN_METHOD = "unknown-method"
    SCALE_MISMATCH = "scale-mismatch"
    SCORE_OUTSIDE_SCALE = "score-outside-scale"
    IN_FUTURE = "occurred-in-future"
    TOO_EARLY = "occurred-too-early"


def refusal(answer: Answer, as_of: datetime) -> tuple[Refusal, str] | None:
    """The first rule that an answer breaks and the JSON pointer to the field that breaks it, or None.

    NPS is asked from 0 to 10; the two best answers of a scale say something from three answers on.
    """
    if answer.method not in METHODS:
        return Refusal.UNKNOWN_METHOD, "/method"
    steps = answer.high - answer.low
    fits = (answer.low, answer.high) == (0, 10) if answer.method == NPS else steps >= 1 + (answer.method == METHODS[0])
    if not fits:
        return Refusal.SCALE_MISMATCH, "/scale"
    if not answer.low <= answer.score <= answer.high:
        return Refusal.SCORE_OUTSIDE_SCALE, "/score"
    if answer.answered_at > as_of + TOLERANCE:
        return Refusal.IN_FUTURE, "/answered_at"
    return (Refusal.TOO_EARLY, "/answered_at") if answer.answered_at < EARLIEST else None


def worth(answer: Answer) -> Decimal:
    """What an answer counts for: satisfaction from 0 to 1, or 1, 0, -1 for a promoter, passive, detractor of NPS."""
    match answer.method:
        case "nps":
            return Decimal((answer.score >= 9) - (answer.score <= 6))
        case "mean":
            return Decimal(answer.score - answer.low) / (answer.high - answer.low)
        case "top-box":
            return Decimal(answer.score == answer.high)
        case _:
            return Decimal(answer.score >= answer.high - 1)


def counts_from(as_of: datetime) -> datetime:
    """The earliest moment whose answers count: after exactly the span of the window an answer no longer does."""
    return as_of - WINDOW + timedelta(microseconds=1)


def metric(method: str) -> str:
    """The metric that answers of a method make: ``csat`` or ``nps``."""
    return NPS if method == NPS else "csat"


@dataclass(frozen=True, slots=True)
class Figure:
    """CSAT in percent, or NPS from -100 to 100; all but ``n`` are None without answers.

    ``standard_error`` is in the same unit; ``low`` and ``high`` are the ends of the 95 % interval.
    """

    n: int
    value: float | None = None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None


def figure(metric: str, n: int, total: Decimal, squares: Decimal) -> Figure:
    """The figure of ``n`` answers whose worths, and squared worths, sum to ``total`` and ``squares``.

    For NPS these are P - D and P + D times n, so the standard error is 100·sqrt((P + D - (P - D)²)/n); for CSAT by
    boxes it is 100·sqrt(p(1 - p)/n). CSAT has Wilson's interval, NPS the normal one.
    """
    if n == 0:
        return Figure(0)
    mean = total / n
    error = 100 * sqrt(max(Decimal(0), squares / n - mean * mean) / n)
    value = float(100 * mean)
    if metric == NPS:
        reach = _NORMAL_95 * error
        return Figure(n, value, error, max(-100.0, value - reach), min(100.0, value + reach))
    return Figure(n, value, error, *wilson(float(mean), n))


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``n`` answers, in percent (E. B. Wilson, 1927); wide enough for a mean."""
    z = _NORMAL_95
    middle = share + z * z / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 100 / (1 + z * z / n)
    return max(0.0, scale * (middle - reach)), min(100.0, scale * (middle + reach))
