"""The table of plans."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, Index, Numeric, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from plan_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_MONEY: Any = Numeric
_LIST: Any = ARRAY(Text)
_DATES: Any = ARRAY(Date)


class Plan(Table, table=True):
    """A plan with its figures. ``next_due_at`` is when an action of it must be said overdue."""

    __tablename__: ClassVar[Any] = "plan"
    __table_args__ = (
        CheckConstraint("years BETWEEN 1 AND 3", name="plan_years"),
        CheckConstraint("status IN ('draft', 'active', 'closed')", name="plan_status"),
        Index("plan_by_account", "tenant", "account_id"),
        Index("plan_by_age", "tenant", "created_at", "plan_id"),
        Index("plan_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    plan_id: UUID = Field(primary_key=True)
    account_id: UUID
    title: str = Field(sa_type=Text)
    starts_on: date
    years: int = Field(sa_type=SmallInteger)
    goals: list[str] = Field(sa_type=_LIST)
    status: str = Field(sa_type=Text)
    revenue_mining: Decimal | None = Field(default=None, sa_type=_MONEY)
    revenue_farming: Decimal | None = Field(default=None, sa_type=_MONEY)
    revenue_currency: str | None = Field(default=None, sa_type=Text)
    actions_total: int = 0
    actions_done: int = 0
    actions_overdue: int = 0
    overdue_since: list[date] = Field(default_factory=list, sa_type=_DATES)
    progress: float = 0.0
    measured_at: datetime | None = Field(default=None, sa_type=_TIME)
    next_due_at: datetime | None = Field(default=None, sa_type=_TIME)
    version: int = 1
    created_at: datetime = Field(sa_type=_TIME)
    updated_at: datetime = Field(sa_type=_TIME)
