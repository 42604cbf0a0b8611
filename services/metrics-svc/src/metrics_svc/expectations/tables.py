"""The tables of expectations and of the replies that settle them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class ReplyRow(Table, table=True):
    """An activity that settles expectations, once per contact it is from and once for "any contact"."""

    __tablename__ = "reply"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    occurred_at: datetime = Field(sa_type=_TIME, primary_key=True)
    activity_id: UUID = Field(primary_key=True)


class ExpectationRow(Table, table=True):
    """One expectation, named by the activity that opened it."""

    __tablename__ = "expectation"
    __table_args__ = (
        Index("expectation_by_lane", "tenant", "account_id", "contact_id", "channel", "opened_at"),
        Index("expectation_closed_by", "tenant", "closed_by", postgresql_where=text("closed_by IS NOT NULL")),
        Index(
            "expectation_closed_at",
            "tenant",
            "account_id",
            "closed_at",
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    opened_by: UUID = Field(primary_key=True)
    account_id: UUID
    contact_id: UUID
    channel: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=_TIME)
    forgiven_until: datetime = Field(sa_type=_TIME)
    closed_by: UUID | None
    closed_at: datetime | None = Field(sa_type=_TIME)
