"""What is known of people and plans, each by its own id, and what that comes to per account."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, DateTime, Index, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_DATES: Any = ARRAY(Date)


class StakeholderRow(Table, table=True):
    """A person at a client by opaque id, as stakeholder-svc last described them; `version` is theirs."""

    __tablename__ = "stakeholder"
    __table_args__ = (Index("stakeholder_by_account", "tenant", "account_id", postgresql_where=text("NOT removed")),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    stakeholder_id: UUID = Field(primary_key=True)
    account_id: UUID
    version: int
    removed: bool
    active: bool
    veto: bool
    sentiment: str = Field(sa_type=Text)


class PlanStateRow(Table, table=True):
    """A plan as plan-svc last reported it: whether it is in force, and when its late actions were due."""

    __tablename__ = "plan_state"
    __table_args__ = (Index("plan_state_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    plan_id: UUID = Field(primary_key=True)
    account_id: UUID
    active: bool
    overdue: list[date] = Field(sa_type=_DATES)
    measured_at: datetime = Field(sa_type=_TIME)


class SituationRow(Table, table=True):
    """What people, plans and coverage come to for one account; evaluation reads it with the account."""

    __tablename__ = "situation"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    champions: int
    champions_lost: int
    opposing_vetoes: int
    thread_share: float | None
    thread_at: datetime | None = Field(sa_type=_TIME)
    overdue: list[date] = Field(sa_type=_DATES)


class SituationHistoryRow(Table, table=True):
    """What was known of an account from `at` on, until the next row of it; `forget_at` is null of what stands.

    `copied` marks what stood when history began to be kept: what was before it is not known.
    """

    __tablename__ = "situation_history"
    __table_args__ = (
        Index(
            "situation_history_standing",
            "tenant",
            "account_id",
            unique=True,
            postgresql_where=text("forget_at IS NULL"),
        ),
        Index("situation_history_forgotten", "forget_at", postgresql_where=text("forget_at IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=_TIME, primary_key=True)
    champions: int
    champions_lost: int
    opposing_vetoes: int
    thread_share: float | None
    overdue: list[date] = Field(sa_type=_DATES)
    copied: bool
    forget_at: datetime | None = Field(sa_type=_TIME)
