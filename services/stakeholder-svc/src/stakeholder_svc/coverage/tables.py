"""The tables of coverage: what was last said per account, and what each tenant requires."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from stakeholder_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)


class CoverageRow(Table, table=True):
    """The coverage last said of an account. ``due_at`` is set when it must be assessed anew."""

    __tablename__: ClassVar[Any] = "coverage"
    __table_args__ = (Index("coverage_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    coverage: float
    missing_roles: list[str] = Field(sa_type=_TEXTS)
    people: int
    thread_share: float | None
    assessed_at: datetime = Field(sa_type=_TIME)
    due_at: datetime | None = Field(default=None, sa_type=_TIME)


class PolicyRow(Table, table=True):
    """The roles a tenant requires; no row means the defaults."""

    __tablename__: ClassVar[Any] = "coverage_policy"
    __table_args__ = (CheckConstraint("cardinality(required_roles) >= 1", name="coverage_policy_roles"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    required_roles: list[str] = Field(sa_type=_TEXTS)
    reason: str = Field(sa_type=Text)
    changed_by: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
    version: int
