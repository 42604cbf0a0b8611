"""The tables of what was replaced."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Float, Identity, Index, Numeric, Text, Uuid
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_IDS: Any = ARRAY(Uuid)


class ActivityRevisionRow(Table, table=True):
    """What an activity said before it was replaced, as far as evidence depends on it; texts are not kept."""

    __tablename__ = "activity_revision"
    __table_args__ = (Index("activity_revision_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    activity_id: UUID = Field(primary_key=True)
    entry: int = Field(sa_type=BigInteger, primary_key=True, sa_column_args=[Identity(always=True)])
    account_id: UUID | None
    revision: int = Field(sa_type=BigInteger)
    type: str = Field(sa_type=Text)
    direction: str | None = Field(sa_type=Text)
    outcome: str | None = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=_TIME)
    starts_at: datetime | None = Field(sa_type=_TIME)
    recorded_at: datetime = Field(sa_type=_TIME)
    contact_ids: list[UUID] = Field(sa_type=_IDS)
    owner_id: UUID | None
    amount: Decimal | None = Field(sa_type=Numeric)
    kind: str | None = Field(sa_type=Text)
    magnitude: float | None = Field(sa_type=Float)
    until: datetime = Field(sa_type=_TIME)
    why: str = Field(sa_type=Text)
    author: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)


class EvidenceRevisionRow(Table, table=True):
    """A revision of evidence that stood until it was replaced or retracted; ``because_of`` are activities."""

    __tablename__ = "evidence_revision"
    __table_args__ = (Index("evidence_revision_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    evidence_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    account_id: UUID
    kind: str = Field(sa_type=Text)
    magnitude: float = Field(sa_type=Float)
    observed_at: datetime = Field(sa_type=_TIME)
    source: str = Field(sa_type=Text)
    contact_ids: list[UUID] = Field(sa_type=_IDS)
    owner_id: UUID | None
    activity_ids: list[UUID] = Field(sa_type=_IDS)
    until: datetime = Field(sa_type=_TIME)
    why: str = Field(sa_type=Text)
    because_of: list[UUID] = Field(sa_type=_IDS)
    author: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
