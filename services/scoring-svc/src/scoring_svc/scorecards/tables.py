"""The table of scorecard versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class ScorecardRow(Table, table=True):
    """One version of a scorecard; only what differs from the documented defaults is kept.

    `revision` counts the changes of the row, `version` those of what is in force under the name.
    """

    __tablename__ = "scorecard"
    __table_args__ = (
        UniqueConstraint("tenant", "name", "version", name="scorecard_version"),
        Index("scorecard_in_force", "tenant", "name", unique=True, postgresql_where=text("state = 'published'")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    version: int
    state: str = Field(sa_type=Text)
    revision: int
    segment: dict[str, Any] = Field(sa_type=JSONB)
    configuration: dict[str, Any] = Field(sa_type=JSONB)
    author: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
    reason: str | None = Field(sa_type=Text)
    published_by: str | None = Field(sa_type=Text)
    published_at: datetime | None = Field(sa_type=_TIME)
    retired_by: str | None = Field(sa_type=Text)
    retired_at: datetime | None = Field(sa_type=_TIME)
