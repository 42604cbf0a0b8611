"""What KPI terms make sense, which actuals are taken, and how an actual stands against its target. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from metrics_svc.activities.rules import EARLIEST

Direction = Literal["higher", "lower", "range"]


class Rag(StrEnum):
    """How a KPI stands: as agreed, within the tolerance, beyond it, or not known."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is agreed: at least ``target`` (higher), at most (lower), or from ``target`` to ``target_high`` (range).

    ``tolerance`` is in the KPI's unit. The days of ``valid_from`` and ``valid_to`` are included.
    """

    direction: Direction
    target: Decimal
    target_high: Decimal | None = None
    tolerance: Decimal = Decimal(0)
    valid_from: date
    valid_to: date | None = None
    stale_after_days: int = 45


class Refusal(StrEnum):
    """Why terms or an actual are refused; the values are stable codes."""

    RANGE_MISMATCH = "range-mismatch"
    OUT_OF_ORDER = "period-out-of-order"
    IN_FUTURE = "occurred-in-future"
    TOO_EARLY = "occurred-too-early"
    OUTSIDE_VALIDITY = "outside-validity"


def refused_terms(terms: Terms) -> tuple[Refusal, str] | None:
    """The first rule that terms break and the JSON pointer to the field that breaks it, or None."""
    if (terms.direction == "range") != (terms.target_high is not None):
        return Refusal.RANGE_MISMATCH, "/target_high"
    if terms.target_high is not None and terms.target_high < terms.target:
        return Refusal.RANGE_MISMATCH, "/target_high"
    if terms.valid_from < EARLIEST.date():
        return Refusal.TOO_EARLY, "/valid_from"
    if terms.valid_to is not None and terms.valid_to < terms.valid_from:
        return Refusal.OUT_OF_ORDER, "/valid_to"
    return None


def refused_actual(terms: Terms, day: date, as_of: datetime) -> tuple[Refusal, str] | None:
    """Why there can't be an actual of a day, and the JSON pointer to it; None when there can."""
    if day < EARLIEST.date():
        return Refusal.TOO_EARLY, "/date"
    if day > as_of.date():
        return Refusal.IN_FUTURE, "/date"
    if day < terms.valid_from or (terms.valid_to is not None and day > terms.valid_to):
        return Refusal.OUTSIDE_VALIDITY, "/date"
    return None


def shortfall(terms: Terms, value: Decimal) -> Decimal:
    """How far a value lies on the wrong side of its target, in the KPI's unit; 0 when it is as agreed."""
    low = None if terms.direction == "lower" else terms.target
    high = terms.target if terms.direction == "lower" else terms.target_high
    below = low - value if low is not None else Decimal(0)
    above = value - high if high is not None else Decimal(0)
    return max(below, above, Decimal(0))


def colour(terms: Terms, value: Decimal) -> Rag:
    """Green as agreed, amber within the tolerance (its edge included), red beyond."""
    missing = shortfall(terms, value)
    if missing == 0:
        return Rag.GREEN
    return Rag.AMBER if missing <= terms.tolerance else Rag.RED


def standing(terms: Terms, latest: tuple[date, Decimal] | None, as_of: date) -> Rag:
    """How a KPI stands on a day; grey without an actual, or when the latest is too old to say anything."""
    if latest is None or (as_of - latest[0]).days > terms.stale_after_days:
        return Rag.GREY
    return colour(terms, latest[1])
