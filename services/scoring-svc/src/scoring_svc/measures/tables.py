"""Measures that other services took, newest per account."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class MeasureRow(Table, table=True):
    """What is reported about an account; null where nothing is. `touch_sequence` orders reports of touches."""

    __tablename__ = "measure"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    last_two_way_at: datetime | None = Field(sa_type=_TIME)
    touch_at: datetime | None = Field(sa_type=_TIME)
    touch_sequence: int | None = Field(sa_type=BigInteger)
    coverage: float | None
    coverage_at: datetime | None = Field(sa_type=_TIME)
    satisfaction: float | None
    satisfaction_at: datetime | None = Field(sa_type=_TIME)
    plan: float | None
    plan_at: datetime | None = Field(sa_type=_TIME)
