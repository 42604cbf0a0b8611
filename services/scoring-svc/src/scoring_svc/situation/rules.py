"""The situation of one account as rules and caps look at it. Pure; times are UTC epoch seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Situation:
    """What other services say of an account beside its measures.

    `champions` are active, `champions_lost` have gone; `opposing_vetoes` are active detractors with a veto.
    `thread_share` is the share of influence (0 to 100) that hangs by a single thread, `overdue` since when each late
    action of a plan in force is late, oldest first; `whitespace` what the account could still buy, in its currency.
    """

    champions: int = 0
    champions_lost: int = 0
    opposing_vetoes: int = 0
    thread_share: float | None = None
    overdue: Sequence[float] = ()
    whitespace: float | None = None

    @property
    def champion_gone(self) -> bool:
        """Whether a champion has left and nobody has taken the place."""
        return self.champions_lost > 0 and self.champions == 0


NOTHING_KNOWN = Situation()
HISTORY_KEPT: Final = timedelta(days=180)
"""How long what was known of an account is kept after something else is known."""
MOST_OVERDUE: Final = 100
"""More late actions of one plan than this say nothing more."""


def thread_share(said: float | None, people: int | None) -> float | None:
    """The share as it was said; else an even share of each person who is known; None when nobody is."""
    if said is not None:
        return said
    return 100.0 / people if people else None


def overdue_days(said: Sequence[date] | None, count: int, measured_on: date) -> list[date]:
    """The due dates of late actions as they were said; else as late as the count can mean: due the day before."""
    if said is not None:
        return sorted(said)[:MOST_OVERDUE]
    return [measured_on - timedelta(days=1)] * min(count, MOST_OVERDUE)


def late_since(due_on: date) -> float:
    """The instant at which an action due on a day is late: the day's end in UTC."""
    return datetime.combine(due_on + timedelta(days=1), time(), UTC).timestamp()
