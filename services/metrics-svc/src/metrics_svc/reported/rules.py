"""Which reported figures make sense, and which measures are money or a share. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from metrics_svc.activities.rules import EARLIEST

MONEY = frozenset({"revenue", "profit"})
"""Measures that are amounts in a currency."""

UNITS: Mapping[str, str] = {"share-of-wallet": "percent", "retention": "percent"}
"""Measures whose unit everybody knows."""

OURS = frozenset({"csat", "nps"})
"""Measures that come from survey answers and from nowhere else."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A value of a period, first and last day included; ``unit`` is a currency when it is ``money``."""

    measure: str
    period_start: date
    period_end: date
    value: Decimal
    unit: str
    money: bool


class Refusal(StrEnum):
    """Why a figure is rejected; the values are stable codes."""

    MEASURE_RESERVED = "measure-reserved"
    UNIT_MISMATCH = "unit-mismatch"
    SHARE_OUT_OF_RANGE = "share-out-of-range"
    OUT_OF_ORDER = "period-out-of-order"
    IN_FUTURE = "occurred-in-future"
    TOO_EARLY = "occurred-too-early"


def refusal(figure: Reported, as_of: datetime) -> tuple[Refusal, str] | None:
    """The first rule that a figure breaks and the JSON pointer to the field that breaks it, or None.

    A period may still be running; one that has not begun has no figure.
    """
    return _refused_value(figure) or _refused_period(figure, as_of)


def _refused_value(figure: Reported) -> tuple[Refusal, str] | None:
    if figure.measure in OURS:
        return Refusal.MEASURE_RESERVED, "/measure"
    if figure.measure in MONEY and not figure.money:
        return Refusal.UNIT_MISMATCH, "/value"
    known = UNITS.get(figure.measure)
    if known is not None and figure.unit != known:
        return Refusal.UNIT_MISMATCH, "/money" if figure.money else "/unit"
    if figure.measure == "share-of-wallet" and not 0 <= figure.value <= 100:
        return Refusal.SHARE_OUT_OF_RANGE, "/value"
    return None


def _refused_period(figure: Reported, as_of: datetime) -> tuple[Refusal, str] | None:
    if figure.period_end < figure.period_start:
        return Refusal.OUT_OF_ORDER, "/period_end"
    if figure.period_start < EARLIEST.date():
        return Refusal.TOO_EARLY, "/period_start"
    return (Refusal.IN_FUTURE, "/period_start") if figure.period_start > as_of.date() else None
