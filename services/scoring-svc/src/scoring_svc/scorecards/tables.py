"""The table of scorecard versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class ScorecardRow(Table, table=True):
    """One version of a scorecard; only what differs from the documented defaults is kept."""

    __tablename__ = "scorecard"

    tenant: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(primary_key=True)
    state: str = Field(sa_type=Text)
    configuration: dict[str, Any] = Field(sa_type=JSONB)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
