"""Living alerts and the timeline of what happened to each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AlertRow(Table, table=True):
    """One alert. `current` marks the newest of its account and kind, resolved or not.

    `raised_at` is when its present episode began: when it was opened, or reopened last.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_one_unresolved",
            "tenant",
            "account_id",
            "kind",
            unique=True,
            postgresql_where=text("status <> 'resolved'"),
        ),
        Index("alert_one_current", "tenant", "account_id", "kind", unique=True, postgresql_where=text("current")),
        Index("alert_by_opened_at", "tenant", "opened_at", "id"),
        Index("alert_by_raised_at", "tenant", "raised_at"),
        Index("alert_by_priority", "tenant", "priority", "id"),
        Index("alert_pressing", "tenant", "priority", "id", postgresql_where=text("status <> 'resolved'")),
        Index("alert_by_account", "tenant", "account_id", "opened_at", "id"),
        Index("alert_by_owner", "tenant", "owner_id", "priority", "id", postgresql_where=text("status <> 'resolved'")),
        Index(
            "alert_by_assignee",
            "tenant",
            "assignee_id",
            "priority",
            "id",
            postgresql_where=text("status <> 'resolved'"),
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    account_id: UUID
    version: int
    kind: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    current: bool
    episode: int
    firings: int
    priority: float
    opened_at: datetime = Field(sa_type=_TIME)
    raised_at: datetime = Field(sa_type=_TIME)
    last_fired_at: datetime = Field(sa_type=_TIME)
    acknowledged_at: datetime | None = Field(sa_type=_TIME)
    acknowledged_by: str | None = Field(sa_type=Text)
    snoozed_until: datetime | None = Field(sa_type=_TIME)
    resolved_at: datetime | None = Field(sa_type=_TIME)
    resolved_by: str | None = Field(sa_type=Text)
    resolution: str | None = Field(sa_type=Text)
    assignee_id: UUID | None
    owner_id: UUID | None
    reasons: list[dict[str, Any]] = Field(sa_type=JSONB)
    said: dict[str, Any] = Field(sa_type=JSONB)


class AlertChangeRow(Table, table=True):
    """One entry of an alert's timeline: what changed, when, by whom."""

    __tablename__ = "alert_change"
    __table_args__ = (Index("alert_change_streamed", "tenant", "xact", "alert_id", "version"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    alert_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_type=_TIME)
    change: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    detail: dict[str, Any] = Field(sa_type=JSONB)
    xact: int = Field(sa_type=BigInteger)
