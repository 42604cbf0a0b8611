"""The table of buying days."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class BuyingDayRow(Table, table=True):
    """A day on which an account bought, and its last purchase of that day."""

    __tablename__ = "buying_day"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    last_at: datetime = Field(sa_type=_TIME)
    last_order: UUID
    source: str = Field(sa_type=Text)
