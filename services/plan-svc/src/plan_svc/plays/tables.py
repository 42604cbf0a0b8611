"""The table of plays."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, text
from sqlmodel import Field

from plan_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class Play(Table, table=True):
    """A play. Open with ``alert_resolved_at``: its alert is over, it stays because somebody works on it."""

    __tablename__: ClassVar[Any] = "play"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed')", name="play_status"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="play_closed_at"),
        Index(
            "play_one_open",
            "tenant",
            "account_id",
            "play",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("play_by_account", "tenant", "account_id", "opened_at"),
        Index("play_by_age", "tenant", "opened_at", "play_id"),
        Index("play_due", "next_due_at", postgresql_where=text("next_due_at IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    play_id: UUID = Field(primary_key=True)
    account_id: UUID
    play: str = Field(sa_type=Text)
    alert_id: UUID | None = None
    why: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    accountable_id: UUID
    taken_by: UUID | None = None
    taken_at: datetime | None = Field(default=None, sa_type=_TIME)
    opened_at: datetime = Field(sa_type=_TIME)
    closed_at: datetime | None = Field(default=None, sa_type=_TIME)
    close_reason: str | None = Field(default=None, sa_type=Text)
    close_note: str | None = Field(default=None, sa_type=Text)
    alert_resolved_at: datetime | None = Field(default=None, sa_type=_TIME)
    next_due_at: datetime | None = Field(default=None, sa_type=_TIME)
    version: int = 1
