"""The tables of last contacts and of contacts per day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class TouchRow(Table, table=True):
    """The last contacts with one person, or with anybody of the account (the row of "nobody")."""

    __tablename__ = "touch"
    __table_args__ = (Index("touch_by_contact", "tenant", "contact_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    last_outbound_at: datetime | None = Field(sa_type=_TIME)
    last_inbound_at: datetime | None = Field(sa_type=_TIME)
    last_two_way_at: datetime | None = Field(sa_type=_TIME)


class TouchDayRow(Table, table=True):
    """How many contacts an account had on a day, and how many of them were two-way."""

    __tablename__ = "touch_day"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    contacts: int
    two_way: int
