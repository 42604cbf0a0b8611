"""Notification routes."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text, Time, Uuid
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_CLOCK: Any = Time()
_TEXTS: Any = ARRAY(Text)
_IDS: Any = ARRAY(Uuid)


class NotificationRouteRow(Table, table=True):
    """Which alerts go to which channels; author, reason and time are of the last change."""

    __tablename__ = "notification_route"

    tenant: str = Field(sa_type=Text, primary_key=True)
    route_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    channels: list[UUID] = Field(sa_type=_IDS)
    kinds: list[str] = Field(sa_type=_TEXTS)
    rules: list[str] = Field(sa_type=_TEXTS)
    min_severity: str = Field(sa_type=Text)
    tiers: list[str] = Field(sa_type=_TEXTS)
    owners: list[UUID] = Field(sa_type=_IDS)
    time_zone: str = Field(sa_type=Text)
    quiet_from: time | None = Field(sa_type=_CLOCK)
    quiet_to: time | None = Field(sa_type=_CLOCK)
    digest_at: time | None = Field(sa_type=_CLOCK)
    version: int
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
