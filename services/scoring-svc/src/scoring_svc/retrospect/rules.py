"""What an account looked like at a past date, by what had been observed before it. Pure; times in UTC epoch seconds.

Only what the ledger knows goes in, a cap by a declined renewal too. The last two-way contact is the last act of the
client's on record; coverage, satisfaction, plan and people are not kept as of the past, and are missing.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from scoring_svc.bgnbd.rules import Buyer
from scoring_svc.caps.rules import CAP_KINDS, caps_in_force
from scoring_svc.health.rules import Reported, Standing, measure_values, weighted_score
from scoring_svc.ledger.rules import Balances, Piece, worth
from scoring_svc.scorecards.rules import DAY, Scorecard
from scoring_svc.situation.rules import NOTHING_KNOWN

PURCHASE: Final = "order-placed"
ACTS: Final = frozenset(
    {
        PURCHASE,
        "advice-sought",
        "call-returned",
        "client-contacted",
        "email-returned",
        "inside-information-shared",
        "introduction-solicited",
        "introduction-unsolicited",
        "invited-early",
        "meeting-held",
        "reference-given",
        "renewal-signed",
    }
)
"""The kinds in which the client does something with us; others are judgements about what it did."""


class Seen(NamedTuple):
    """A piece of evidence as the ledger keeps it; `dimension` as in `dimension_index`."""

    kind: str
    dimension: int
    magnitude: float
    observed: float


class Look(NamedTuple):
    """An account as it looked at a date: score 0 to 100, acts counted, days since the last of them, its purchases.

    `measures` made the score, which goes no higher than `cap` where there is one. `sums` are its pieces' magnitudes,
    decayed, by dimension and kind: times the kinds' weights, the balances.
    """

    score: float
    acts: int
    silence: float
    buyer: Buyer | None
    measures: Sequence[float | None]
    sums: Mapping[tuple[int, str], float]
    cap: float | None


def look(
    card: Scorecard, history: Sequence[Seen], at: float, cadence_days: float, counted: Collection[str] = ACTS
) -> Look | None:
    """What was to be seen of a history, sorted by time, before `at`; None without an act of the kinds `counted`.

    What is observed at `at` itself is not seen yet. The score knows acts of all kinds, whichever are counted.
    """
    before = history[: bisect_left(history, at, key=lambda piece: piece.observed)]
    acts = [piece.observed for piece in before if piece.kind in counted]
    if not acts:
        return None
    balances = Balances(before[0].observed, tally=None)
    sums: defaultdict[tuple[int, str], float] = defaultdict(float)
    for kind, dimension, magnitude, observed in before:
        piece = Piece("", kind, dimension, worth(card, kind, dimension, magnitude), observed)
        balances.add(piece, card.half_lives)
        if piece.known:
            sums[dimension, kind] += magnitude * 2.0 ** ((observed - at) / card.half_lives[dimension])
    contact = max((piece.observed for piece in before if piece.kind in ACTS), default=None)
    standing = Standing(balances, reported=Reported(cadence_days=cadence_days, last_two_way=contact))
    measures = measure_values(card, standing, at)
    cap = _cap(card, before, at)
    score = capped(weighted_score(card, measures), cap)
    return Look(score, len(acts), (at - acts[-1]) / DAY, _buyer(before, at), measures, sums, cap)


def capped(score: float, cap: float | None) -> float:
    """The score, or what caps it."""
    return score if cap is None else min(score, cap)


def _cap(card: Scorecard, before: Sequence[Seen], at: float) -> float | None:
    marks = {piece.kind: piece.observed for piece in before if piece.kind in CAP_KINDS}
    return min((cap.limit for cap in caps_in_force(card, marks, NOTHING_KNOWN, at)), default=None)


def _buyer(before: Sequence[Seen], at: float) -> Buyer | None:
    """The days on which it bought, as BG/NBD counts them: an invoice split in three is one purchase."""
    days = sorted({piece.observed // DAY for piece in before if piece.kind == PURCHASE})
    return Buyer(len(days) - 1, days[-1] - days[0], at / DAY - days[0]) if days else None
