"""A metric as a fraction of sums, what it comes to, and how it runs over time. Pure.

Which metrics there are stands in ``metrics``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Literal

from metrics_svc.figures.rules import DAY, MONTH_DAYS, Interval, Period, after, start_of


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a formula: how many (``n``) or the sum (``total``) of a measure, times ``weight``.

    ``earlier``: over the previous period instead.
    """

    measure: str
    of: Literal["n", "total"] = "n"
    weight: float = 1.0
    earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric is the sum of ``over`` divided by that of ``under``, plus ``shift``.

    ``monthly`` divides by accounts and months instead; without either it is a plain sum. ``counted`` are the measures
    whose count is the metric's n. ``has_error``: its parts are known one by one, so that it has a standard error.
    """

    code: str
    timing: Literal["leading", "lagging"]
    unit: str
    up_is_good: bool
    formula: str
    over: tuple[Term, ...]
    under: tuple[Term, ...] = ()
    counted: tuple[str, ...]
    monthly: bool = False
    shift: float = 0.0
    has_error: bool = False

    @property
    def measures(self) -> tuple[str, ...]:
        """Every measure the metric is made of."""
        return tuple(dict.fromkeys([*(term.measure for term in (*self.over, *self.under)), *self.counted]))

    @property
    def looks_back(self) -> bool:
        """Whether its value depends on the period before."""
        return any(term.earlier for term in self.under)


@dataclass(frozen=True, slots=True)
class Sum:
    """A measure over a period: how many, and their sum."""

    n: int = 0
    total: float = 0.0


Sums = Mapping[str, Sum]
"""Sums by measure; what is missing is 0."""

_NOTHING = Sum()


@dataclass(frozen=True, slots=True)
class Value:
    """What a metric comes to; None where there is nothing to divide by."""

    value: float | None
    n: int
    standard_error: float | None = None


def value(metric: Metric, sums: Sums, earlier: Sums, account_months: float) -> Value:
    """What a metric comes to in a period.

    ``earlier`` are the sums of the period before; ``account_months`` is the number of accounts times the months.
    """
    over = _total(metric.over, sums, earlier)
    under = account_months if metric.monthly else _total(metric.under, sums, earlier) if metric.under else 1.0
    squares = _total(metric.over, sums, earlier, power=2) if metric.has_error else 0.0
    n = sum([sums[measure].n for measure in metric.counted if measure in sums])
    return valued(metric, over, under, squares, n)


def valued(metric: Metric, over: float, under: float, squares: float, n: int) -> Value:
    """What a metric comes to, given both sides of its fraction, the sum of squared parts, and its n.

    The standard error is that of a mean of n parts: of a share sqrt(p (1 - p) / n), of a net promoter score with
    shares P and D of parts 100 and -100 it is 100 sqrt((P + D - (P - D)^2) / n).
    """
    if under <= 0:
        return Value(None, n)
    worth = over / under
    error = sqrt(max(0.0, squares / n - worth**2) / n) if metric.has_error and n else None
    return Value(worth + metric.shift, n, error)


def _total(terms: Iterable[Term], sums: Sums, earlier: Sums, power: int = 1) -> float:
    found = 0.0
    for term in terms:
        measured = (earlier if term.earlier else sums).get(term.measure, _NOTHING)
        found += term.weight**power * (measured.n if term.of == "n" else measured.total)
    return found


def added(sums: Iterable[Sums]) -> Sums:
    """The sums of several intervals together."""
    found: dict[str, Sum] = {}
    for part in sums:
        for measure, more in part.items():
            known = found.get(measure, _NOTHING)
            found[measure] = Sum(known.n + more.n, known.total + more.total)
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric over time: each interval by its first day, the whole period, and the period before."""

    points: Sequence[tuple[date, Value]]
    total: Value
    previous: Value


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a period: sums by the first day of their interval, and the same of the period before.

    Where no metric looks back, the period before may be one sum, by None.
    """

    period: Period
    interval: Interval
    accounts: int
    points: Mapping[date, Sums]
    earlier: Mapping[date | None, Sums]

    def account_months(self, within: Period) -> float:
        """Accounts times months of a stretch."""
        return self.accounts * within.days / MONTH_DAYS


def series(metrics: Sequence[Metric], read: Read) -> list[Measured]:
    """Metrics over a period and the one before.

    Against the interval before it is set only what is a whole interval after a whole one that was read.
    """
    points = list(read.period.points(read.interval))
    now, then = added(read.points.values()), added(read.earlier.values())
    months, months_before = read.account_months(read.period), read.account_months(read.period.previous)
    placed = [(point, start_of(read.interval, point.start), read.account_months(point)) for point in points]
    found = []
    for metric in metrics:
        before = _before if metric.looks_back else _never
        run = [
            (point.start, value(metric, read.points.get(start, {}), before(point, start, read), account_months))
            for point, start, account_months in placed
        ]
        found.append(Measured(run, value(metric, now, then, months), value(metric, then, {}, months_before)))
    return found


def _before(point: Period, start: date, read: Read) -> Sums:
    """The sums of the interval before a whole one, if all of it was read."""
    first = start_of(read.interval, start - DAY)
    if point != Period(start, after(read.interval, start)) or first < read.period.previous.start:
        return {}
    return added([read.points.get(first, {}), read.earlier.get(first, {})])


def _never(*_: object) -> Sums:
    return {}


def change(now: float | None, before: float | None) -> float | None:
    """By how much a value changed; None where one of them is missing."""
    return None if now is None or before is None else now - before


def met(metric: Metric, now: float | None, target: float | None) -> bool | None:
    """Whether a value reaches its target, the way that is good; None without either."""
    if now is None or target is None:
        return None
    return now >= target if metric.up_is_good else now <= target
