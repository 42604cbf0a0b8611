"""The table of targets."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DateTime, Float, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class TargetRow(Table, table=True):
    """One version of a target; ``value`` is null where it was taken back. Versions are never edited."""

    __tablename__ = "target"

    tenant: str = Field(sa_type=Text, primary_key=True)
    metric: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    member: str = Field(sa_type=Text, primary_key=True)
    applies_from: date = Field(primary_key=True)
    version: int = Field(primary_key=True)
    value: float | None = Field(sa_type=Float)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_type=_TIME)
