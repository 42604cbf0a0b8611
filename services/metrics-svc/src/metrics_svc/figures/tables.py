"""The tables of figures: marks of what has to be counted again, and buckets by account and group, day and more."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Date, DateTime, Identity, Index, Numeric, Text, text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)


class FigureMarkRow(Table, table=True):
    """An account's day whose figures may have changed; without a day the account's groups may have.

    Marks are only added, by whatever changes something, and removed by the timer that counts again.
    """

    __tablename__ = "figure_mark"
    __table_args__ = (Index("figure_mark_due", "due_at", "mark_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    mark_id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_args=[Identity(always=True)])
    account_id: UUID
    day: date | None = Field(sa_type=Date)
    due_at: datetime = Field(sa_type=_TIME, sa_column_kwargs={"server_default": text("'epoch'")})


class FigureAccountRow(Table, table=True):
    """The group of each scope that an account's figures are in, in the order of SCOPES; empty: in none."""

    __tablename__ = "figure_account"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    members: list[str | None] = Field(sa_type=_TEXTS)


class FigureAccountDayRow(Table, table=True):
    """A measure of one account on one UTC day: how many, and their sum."""

    __tablename__ = "figure_account_day"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    measure: str = Field(sa_type=Text, primary_key=True)
    n: int
    total: Decimal = Field(sa_type=Numeric)


class _GroupBucket(Table):
    """A measure of a group (an owner, a territory, a tier, or all) over the days that begin with ``day``."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index]:  # noqa: N805 (SQLAlchemy calls it with the class)
        """The index of all members of a scope."""
        columns = ("tenant", "scope", "measure", "day")
        return (Index(f"{cls.__tablename__}_by_measure", *columns, postgresql_include=["member", "n", "total"]),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    member: str = Field(sa_type=Text, primary_key=True)
    measure: str = Field(sa_type=Text, primary_key=True)
    day: date = Field(primary_key=True)
    n: int
    total: Decimal = Field(sa_type=Numeric)


class FigureDayRow(_GroupBucket, table=True):
    """Figures of groups on one UTC day: the sums over their accounts."""

    __tablename__ = "figure_day"


class FigureMonthRow(_GroupBucket, table=True):
    """The same by month; ``day`` is its first."""

    __tablename__ = "figure_month"


class FigureQuarterRow(_GroupBucket, table=True):
    """The same by quarter; ``day`` is its first."""

    __tablename__ = "figure_quarter"


class FigureGroupRow(Table, table=True):
    """How many accounts are in a group now."""

    __tablename__ = "figure_group"

    tenant: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    member: str = Field(sa_type=Text, primary_key=True)
    accounts: int


class FigureVersionRow(Table, table=True):
    """How often a part of a tenant's figures has changed, so that what was made of them is known to be right still."""

    __tablename__ = "figure_version"

    tenant: str = Field(sa_type=Text, primary_key=True)
    part: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=BigInteger)
