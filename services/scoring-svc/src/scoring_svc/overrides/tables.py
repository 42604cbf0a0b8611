"""Overrides: one in force per account at most, and all there ever were."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class OverrideRow(Table, table=True):
    """A score or a band that a person set, why, and until when; `ended_at` is null while it is in force."""

    __tablename__ = "health_override"
    __table_args__ = (
        Index(
            "health_override_one",
            "tenant",
            "account_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("health_override_by_time", "tenant", "account_id", "set_at", "id"),
        Index("health_override_expiring", "tenant", "expires_at", postgresql_where=text("ended_at IS NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    account_id: UUID
    score: float | None
    band: str | None = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=_TIME)
    expires_at: datetime = Field(sa_type=_TIME)
    ended_at: datetime | None = Field(sa_type=_TIME)
    ended_by: str | None = Field(sa_type=Text)
