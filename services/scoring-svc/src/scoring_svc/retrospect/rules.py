"""What an account looked like at a past date, by what had been observed before it. Pure; times in UTC epoch seconds.

Only what the ledger knows goes in. The last two-way contact is the last act of the client's on record; coverage,
satisfaction and plan are not kept as of the past, and are missing.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from scoring_svc.bgnbd.rules import Buyer
from scoring_svc.health.rules import Reported, Standing, score_at
from scoring_svc.ledger.rules import Balances, Piece, worth
from scoring_svc.scorecards.rules import DAY, Scorecard

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
    """An account as it looked at a date: score 0 to 100, acts of the client, days since the last, its purchases."""

    score: float
    acts: int
    silence: float
    buyer: Buyer | None


def look(card: Scorecard, history: Sequence[Seen], at: float, cadence_days: float) -> Look | None:
    """What was to be seen of a history, sorted by time, before `at`; None without an act of the client.

    What is observed at `at` itself is not seen yet.
    """
    before = history[: bisect_left(history, at, key=lambda piece: piece.observed)]
    acts = [piece.observed for piece in before if piece.kind in ACTS]
    if not acts:
        return None
    balances = Balances(before[0].observed, tally=None)
    for kind, dimension, magnitude, observed in before:
        weight = worth(card, kind, dimension, magnitude)
        balances.add(Piece("", kind, dimension, weight, observed), card.half_lives)
    reported = Reported(cadence_days=cadence_days, last_two_way=acts[-1])
    score = score_at(card, Standing(balances, reported=reported), at)
    return Look(score, len(acts), (at - acts[-1]) / DAY, _buyer(before, at))


def _buyer(before: Sequence[Seen], at: float) -> Buyer | None:
    """The days on which it bought, as BG/NBD counts them: an invoice split in three is one purchase."""
    days = sorted({piece.observed // DAY for piece in before if piece.kind == PURCHASE})
    return Buyer(len(days) - 1, days[-1] - days[0], at / DAY - days[0]) if days else None
