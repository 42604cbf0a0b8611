"""Breaks of pattern: the share of refusals now against the account's own share before. Pure; days since 1970, UTC.

One-sided exact test of Fisher: the chance of at least as many negatives among the recent pieces if recent and earlier
ones were drawn from one urn. Exact, because a handful of pieces is all that most accounts have in a month.
"""

from collections.abc import Mapping, Sequence
from math import exp, lgamma
from typing import Final, NamedTuple

BASE_DAYS: Final = 180
LONGEST_WINDOW: Final = 60
DAYS_KEPT: Final = BASE_DAYS + LONGEST_WINDOW
NOTHING: Final = 1e-17
"""A part so small of a sum changes no digit of it."""


class Shares(NamedTuple):
    """Negative pieces and all pieces, lately and before."""

    recent_negatives: int
    recent: int
    base_negatives: int
    base: int


def shares(tally: Mapping[int, Sequence[int]], today: int, window_days: int) -> Shares:
    """The pieces of the last `window_days` days, today included, and of the 180 days before them."""
    since, start = today - window_days, today - window_days - BASE_DAYS
    recent_negatives = recent = base_negatives = base = 0
    for day, (negatives, pieces) in tally.items():
        if since < day <= today:
            recent_negatives, recent = recent_negatives + negatives, recent + pieces
        elif start < day <= since:
            base_negatives, base = base_negatives + negatives, base + pieces
    return Shares(recent_negatives, recent, base_negatives, base)


def recent_pieces(tally: Mapping[int, Sequence[int]], today: int, window_days: int) -> int:
    """How many pieces the last `window_days` days have, today included."""
    days = filter(None, map(tally.get, range(today - window_days + 1, today + 1)))
    return sum(pieces for _, pieces in days)


def chance(found: Shares) -> float:
    """The probability, 0 to 1, of that many recent negatives or more by chance; 1 where there is no past to compare.

    The likeliest number in the tail is worked out, its neighbours follow from it one by one until they add nothing:
    an account with thousands of pieces takes no longer than the width of the distribution.
    """
    if not found.recent or not found.base or not found.recent_negatives:
        return 1.0
    drawn, total = found.recent, found.recent + found.base
    negatives = found.recent_negatives + found.base_negatives
    spare = total - negatives - drawn  # of the pieces that are not negative, those that are not drawn; may be below 0
    least, most = max(found.recent_negatives, -spare), min(negatives, drawn)
    peak = min(max(least, (drawn + 1) * (negatives + 1) // (total + 2)), most)
    tail = at = 1.0
    for k in range(peak, most):
        at *= (negatives - k) * (drawn - k) / ((k + 1) * (spare + k + 1))
        tail += at
        if at < NOTHING * tail:
            break
    at = 1.0
    for k in range(peak, least, -1):
        at *= k * (spare + k) / ((negatives - k + 1) * (drawn - k + 1))
        tail += at
        if at < NOTHING * tail:
            break
    return min(1.0, tail * exp(_ways(negatives, peak) + _ways(total - negatives, drawn - peak) - _ways(total, drawn)))


def _ways(n: int, k: int) -> float:
    """The logarithm of n over k, for 0 <= k <= n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def forget(tally: dict[int, list[int]], today: int) -> None:
    """Drop, in place, days that no window reaches any more."""
    if tally and min(tally) <= today - DAYS_KEPT:
        for day in [day for day in tally if day <= today - DAYS_KEPT]:
            del tally[day]
