"""The way from a post to its alert, hop by hop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles

from rich.console import Console
from rich.table import Table

SLOWEST = 0.01


class AlertsMissing(RuntimeError):
    """Posts that should have led to an alert did not, or not in time."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """The moments of one post and of the alert that it led to; seconds since 1970.

    ``told`` is when its evidence could be read on its topic, ``taken`` when scoring-svc's transaction began, ``judged``
    when that wrote the alert's event, ``alerted`` when the alert could be read on its topic.
    """

    planned: float
    sent: float
    answered: float
    told: float
    taken: float
    judged: float
    alerted: float

    @property
    def milliseconds(self) -> float:
        """From the moment at which it was to be posted until the alert could be read."""
        return 1_000 * (self.alerted - self.planned)

    def hops(self) -> dict[str, float]:
        """Milliseconds of each part of the way; they sum up to all of it.

        A part is negative where the next was done first: evidence may be read before the post's answer.
        """
        moments = {
            "post waits for our client": self.sent,
            "post until answered, committed": self.answered,
            "until evidence is readable": self.told,
            "until scoring takes it": self.taken,
            "until the alert is written": self.judged,
            "until it is committed and readable": self.alerted,
        }
        before, found = self.planned, {}
        for name, moment in moments.items():
            found[name] = 1_000 * (moment - before)
            before = moment
        return found


@dataclass(frozen=True, slots=True)
class Hop:
    """Milliseconds of one part of the way, and which part of all it is: on the whole, and of the slowest 1 %."""

    median: float
    p99: float
    share: float
    share_of_slowest: float


def p99(values: Sequence[float]) -> float:
    """The 99th percentile of two values or more."""
    return quantiles(values, n=100)[98]


def complete(expected: Iterable[str], *found: Mapping[str, object]) -> None:
    """Raise AlertsMissing unless each of the ``found`` knows every one of ``expected``."""
    wanted = set(expected)
    missing = sorted(key for key in wanted if not all(key in each for each in found))
    if missing:
        raise AlertsMissing(f"{len(missing)} of {len(wanted)} posts led to no alert in time, {missing[0]} is one")


def parts(reactions: Sequence[Reaction]) -> dict[str, Hop]:
    """What each part of the way takes, in the order of the way."""
    by_length = sorted(reactions, key=lambda one: one.milliseconds)
    whole = [one.hops() for one in by_length]
    slowest = whole[-max(1, round(SLOWEST * len(whole))) :]
    return {
        name: Hop(
            median(hops[name] for hops in whole),
            p99([hops[name] for hops in whole]),
            _share(name, whole),
            _share(name, slowest),
        )
        for name in whole[0]
    }


def _share(name: str, found: Sequence[Mapping[str, float]]) -> float:
    return fmean(hops[name] for hops in found) / fmean(sum(hops.values()) for hops in found)


def show(found: Mapping[str, Hop]) -> None:
    """Print the parts of the way."""
    table = Table("hop", "median, ms", "p99, ms", "of all", "of the slowest 1 %", show_edge=False)
    for name, hop in found.items():
        figures = (f"{hop.median:.1f}", f"{hop.p99:.1f}", f"{hop.share:.0%}", f"{hop.share_of_slowest:.0%}")
        table.add_row(name, *figures)
    Console(width=None if Console().is_terminal else 120).print(table)
