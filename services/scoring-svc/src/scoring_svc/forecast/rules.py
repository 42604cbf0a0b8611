"""What time alone will do to a score: when to look again, when a threshold is crossed, when an account enters at-risk.

Pure. Times are UTC epoch seconds.
"""

from collections.abc import Iterable, Sequence
from math import log2
from typing import Final

from scoring_svc.caps.rules import Cap
from scoring_svc.health.rules import (
    ENGAGEMENT,
    ONE_PIECE,
    RESPONSIVENESS,
    Standing,
    measure_values,
    score_at,
    weigh,
    weighted_score,
)
from scoring_svc.ledger.rules import RETURNED_SUM, UNRETURNED_SUM
from scoring_svc.scorecards.rules import DAY, Scorecard

LOOK_AHEAD: Final = DAY
_TO_THE_MILLISECOND: Final = 0.001
_JUST_AFTER: Final = 0.001
# A dimension is the logistic function of x = B/c, in hundredths. A day takes the part 1 - 2^(-1/h) of x, and x times
# the slope is at most 0.224.
_STEEPEST: Final = 22.4
# ... and over the day x itself shrinks, so that its start is not quite the steepest place.
_MARGIN: Final = 1.02


def fastest_drift(card: Scorecard, values: Sequence[float | None], present: float, cadence: float) -> float:
    """No score moves more points than this in a day by time alone, validities apart."""
    weights = card.measure_weights
    if not present:
        return 0.0
    moving = 0.0
    for index in (0, 1, 2):
        if values[index] is not None:
            moving += weights[index] * _STEEPEST * card.daily_loss[index] * _MARGIN
    if values[ENGAGEMENT] is not None:
        moving += weights[ENGAGEMENT] * card.engaged / (2.0 * cadence)
    if values[RESPONSIVENESS] is not None:
        moving += weights[RESPONSIVENESS] * 50.0 * card.daily_loss[RETURNED_SUM]
    return moving / present


def own_deadlines(card: Scorecard, standing: Standing) -> list[float]:
    """Instants at which a measure appears, ends or loses confidence; past ones may be among them."""
    reported, instants = standing.reported, []
    if reported.last_two_way is None and reported.known_since is not None:
        instants.append(reported.known_since + reported.cadence_days * DAY)
    for value, taken_at, days in (
        (reported.coverage, reported.coverage_at, card.coverage_validity_days),
        (reported.satisfaction, reported.satisfaction_at, card.satisfaction_validity_days),
        (reported.plan, reported.plan_at, card.plan_validity_days),
    ):
        if value is not None:
            instants.append(taken_at + days * DAY)
    for times, half_life in zip(standing.latest, card.half_lives, strict=False):
        if times:
            instants.append(times[-1] + 2.0 * half_life)
    asked = standing.balances.sums[RETURNED_SUM] + standing.balances.sums[UNRETURNED_SUM]
    if asked > 0:
        instants.append(standing.balances.landmark + card.half_lives[RETURNED_SUM] * log2(asked / ONE_PIECE))
    return instants


def next_evaluation(
    card: Scorecard,
    standing: Standing,
    values: Sequence[float | None],
    mean: tuple[float, float],
    as_of: float,
    *,
    thresholds: Iterable[float],
    deadlines: Iterable[float],
) -> float:
    """The earliest instant at which time alone can change band, rule or validity: at most a day ahead.

    `mean` is the score and the weight of the measures present. `deadlines` are instants known in closed form, after
    which (not at which) something is different. A threshold that the drift of a day can reach is found by bisection,
    to the millisecond and on its far side.
    """
    limit = as_of + LOOK_AHEAD
    for instant in deadlines:
        if as_of < instant + _JUST_AFTER < limit:
            limit = instant + _JUST_AFTER
    score, present = mean
    reach = fastest_drift(card, values, present, standing.reported.cadence_days)
    for threshold in thresholds:
        if -reach <= score - threshold <= reach:
            limit = crossing(card, standing, threshold, as_of, limit)
    return limit


def crossing(card: Scorecard, standing: Standing, threshold: float, start: float, end: float) -> float:
    """The first instant in (start, end] on the other side of the threshold by bisection; `end` when there is none."""
    above = score_at(card, standing, start) >= threshold
    if (score_at(card, standing, end) >= threshold) == above:
        return end
    low, high = start, end
    while high - low > _TO_THE_MILLISECOND:
        middle = (low + high) / 2.0
        if (score_at(card, standing, middle) >= threshold) == above:
            low = middle
        else:
            high = middle
    return high


def time_to_risk(
    card: Scorecard,
    standing: Standing,
    band: str,
    as_of: float,
    caps: Sequence[Cap] = (),
    horizon_days: int = 365,
) -> float | None:
    """When the account enters at-risk if nothing happens, by bisection; None if not within the horizon.

    Looked at in steps of a day, and longer ones over which no drift could bring the score to the edge.

    `caps` are those in force. One that lies below the edge puts the account at risk now, however soon it ends by
    itself; one that lies above never decides: what crosses the edge then is the score of the measures.
    """
    if band == "at-risk":
        return as_of
    # A healthy account passes through watch, which it leaves only below its edge less the hysteresis.
    edge = card.watch_from - (0.0 if band == "unknown" else card.hysteresis)
    score, safe = _safe_until(card, standing, edge, as_of)
    if min([score, *(cap.limit for cap in caps)]) < edge:
        return as_of
    # Just before and just after, since what is below the edge before may be above it after.
    jumps = sorted(at for instant in own_deadlines(card, standing) for at in (instant, instant + _JUST_AFTER))
    start, horizon = as_of, as_of + horizon_days * DAY
    while start < horizon:
        end = min(horizon, max(safe, start + DAY), next((jump for jump in jumps if jump > start), horizon))
        score, safe = _safe_until(card, standing, edge, end)
        if score < edge:
            return crossing(card, standing, edge, start, end)
        start = end
    return None


def _safe_until(card: Scorecard, standing: Standing, edge: float, at: float) -> tuple[float, float]:
    """The score at an instant, and until when drift alone can't bring it below the edge, validities apart."""
    values = measure_values(card, standing, at)
    score, (_, present) = weighted_score(card, values), weigh(card, values)
    reach = fastest_drift(card, values, present, standing.reported.cadence_days)
    return score, at + (score - edge) / reach * DAY if reach else float("inf")
