"""Backtests that were asked for, and what the running ones have seen so far."""

import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_DATE: Any = Date
_REPORT: Any = JSONB(none_as_null=True)


class BacktestRow(Table, table=True):
    """A backtest: what was asked for, how far it is, and its report once it is done.

    `cards` are the scorecards that were in force (or the one that was named) when it was asked for. `position` is the
    last account looked at; `modelled` is null until all were, then counts the dates whose purchases were modelled.
    """

    __tablename__ = "backtest"
    __table_args__ = (Index("backtest_due", "due_at"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    backtest_id: UUID = Field(primary_key=True)
    status: str = Field(sa_type=Text)
    asked: dict[str, Any] = Field(sa_type=JSONB)
    cards: list[dict[str, Any]] = Field(sa_type=JSONB)
    one_in: int
    position: UUID | None
    accounts: int
    modelled: int | None
    author: str = Field(sa_type=Text)
    asked_at: datetime.datetime = Field(sa_type=_TIME)
    finished_at: datetime.datetime | None = Field(sa_type=_TIME)
    due_at: datetime.datetime | None = Field(sa_type=_TIME)
    problem: str | None = Field(sa_type=Text)
    report: dict[str, Any] | None = Field(sa_type=_REPORT)
    draft_id: UUID | None


class BacktestCaseRow(Table, table=True):
    """An account at a date of a running backtest. `repeats`, `last` and `watched` in days: its purchases; `expected`.

    `cap`, `measures` and `sums` are kept for a fit: what the score was limited to, the measures' values, and
    [dimension, kind, decayed magnitude] each.
    """

    __tablename__ = "backtest_case"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "backtest_id"], ["backtest.tenant", "backtest.backtest_id"], ondelete="CASCADE"
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    backtest_id: UUID = Field(primary_key=True)
    day: datetime.date = Field(sa_type=_DATE, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    lost: bool
    score: float
    acts: int
    silence: float
    repeats: int | None
    last: float | None
    watched: float | None
    expected: float | None
    cap: float | None
    measures: list[Any] | None = Field(sa_type=JSONB)
    sums: list[Any] | None = Field(sa_type=JSONB)
