"""Notifications: what is to be sent, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class NotificationRow(Table, table=True):
    """News of an alert for a channel. Status waiting, sent, given-up, or overtaken by the end of the alert."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("notification_once", "tenant", "alert_id", "episode", "channel_id", "change", unique=True),
        Index("notification_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("notification_forgotten", "forget_at", postgresql_where=text("forget_at IS NOT NULL")),
        Index("notification_by_channel", "tenant", "channel_id", "notification_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    notification_id: UUID = Field(primary_key=True)
    channel_id: UUID
    route_id: UUID | None
    alert_id: UUID
    account_id: UUID
    episode: int
    change: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    digest: bool
    said: dict[str, Any] = Field(sa_type=JSONB)
    status: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=_TIME)
    first_due_at: datetime = Field(sa_type=_TIME)
    due_at: datetime | None = Field(sa_type=_TIME)
    attempts: int
    answer: int | None
    problem: str | None = Field(sa_type=Text)
    finished_at: datetime | None = Field(sa_type=_TIME)
    forget_at: datetime | None = Field(sa_type=_TIME)
