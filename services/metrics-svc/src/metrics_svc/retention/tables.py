"""The tables of a tenant's limits and of the runs that apply them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class RetentionLimitsRow(Table, table=True):
    """One version of a tenant's limits: who made it, when and why. Versions are never edited."""

    __tablename__ = "retention_limits"

    tenant: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(primary_key=True)
    activity_text_days: int | None
    activity_days: int | None
    delivery_days: int
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)


class RetentionRunRow(Table, table=True):
    """One run over a tenant's activities and deliveries: under which limits, how far it came among activities, and in
    how many it took out texts and names, and how many deliveries it removed. One lies ahead.
    """

    __tablename__ = "retention_run"
    __table_args__ = (
        Index("retention_run_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("retention_run_ahead", "tenant", unique=True, postgresql_where=text("finished_at IS NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    run_id: UUID = Field(primary_key=True)
    due_at: datetime | None = Field(sa_type=_TIME)
    started_at: datetime | None = Field(sa_type=_TIME)
    finished_at: datetime | None = Field(sa_type=_TIME)
    version: int | None
    walked_at: datetime | None = Field(sa_type=_TIME)
    walked_to: UUID | None
    texts: int = Field(sa_type=BigInteger)
    names: int = Field(sa_type=BigInteger)
    deliveries: int = Field(sa_type=BigInteger)
