"""The table of activities."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Float, Index, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_IDS: Any = ARRAY(Uuid)


class ActivityRow(Table, table=True):
    """One activity in its latest revision; ``account_id`` is null while no account is known by its reference.

    ``placed_by`` is who gave it to its account by hand (or to none): then the reference no longer decides.
    """

    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_by_time", "tenant", "occurred_at", "activity_id"),
        Index("activity_by_account", "tenant", "account_id", "occurred_at", "activity_id"),
        Index(
            "activity_that_asks",
            "tenant",
            "account_id",
            "asked_contact",
            "type",
            "occurred_at",
            postgresql_where=text("asked_contact IS NOT NULL"),
        ),
        Index("activity_by_meeting", "tenant", "meeting_id", postgresql_where=text("meeting_id IS NOT NULL")),
        Index(
            "activity_unmatched",
            "tenant",
            "reference_kind",
            "reference_source",
            "reference_value",
            postgresql_where=text("account_id IS NULL AND placed_by IS NULL"),
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    activity_id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Text)
    external_id: str = Field(sa_type=Text)
    revision: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    direction: str | None = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=_TIME)
    recorded_at: datetime = Field(sa_type=_TIME)
    starts_at: datetime | None = Field(sa_type=_TIME)
    updated_at: datetime | None = Field(sa_type=_TIME)
    account_id: UUID | None
    placed_by: str | None = Field(sa_type=Text)
    reference_kind: str = Field(sa_type=Text)
    reference_source: str = Field(sa_type=Text)
    reference_value: str = Field(sa_type=Text)
    contact_ids: list[UUID] = Field(sa_type=_IDS)
    owner_id: UUID | None
    asks_reply: bool | None = Field(sa_type=Boolean)
    asked_contact: UUID | None
    meeting_id: UUID | None
    thread: str | None = Field(sa_type=Text)
    in_reply_to: str | None = Field(sa_type=Text)
    amount: Decimal | None = Field(sa_type=Numeric)
    currency: str | None = Field(sa_type=Text)
    subject: str | None = Field(sa_type=Text)
    attributes: dict[str, Any] = Field(sa_type=JSONB)
    kind: str | None = Field(sa_type=Text)
    magnitude: float | None = Field(sa_type=Float)
    note: str | None = Field(sa_type=Text)
    author: str | None = Field(sa_type=Text)
