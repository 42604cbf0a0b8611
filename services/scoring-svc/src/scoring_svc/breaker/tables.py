"""Storms, the alerts they hold, and which sources are silent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class StormRow(Table, table=True):
    """Alerts held back together; ``cause`` is burst or silence. Open until a person released or discarded them."""

    __tablename__ = "storm"
    __table_args__ = (
        Index("storm_one_open", "tenant", "cause", unique=True, postgresql_where=text("status = 'open'")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    storm_id: UUID = Field(primary_key=True)
    cause: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    began_at: datetime = Field(sa_type=_TIME)
    closed_at: datetime | None = Field(sa_type=_TIME)
    closed_by: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)


class HeldAlertRow(Table, table=True):
    """An alert that nobody outside is told of yet."""

    __tablename__ = "held_alert"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "storm_id"], ["storm.tenant", "storm.storm_id"], ondelete="CASCADE"),
        Index("held_alert_by_storm", "tenant", "storm_id", "alert_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    alert_id: UUID = Field(primary_key=True)
    account_id: UUID
    storm_id: UUID
    held_at: datetime = Field(sa_type=_TIME)


class FeedRow(Table, table=True):
    """Whether a source of a tenant is silent, by the newest that was told of it."""

    __tablename__ = "feed"

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    silent: bool
    told_at: datetime = Field(sa_type=_TIME)
