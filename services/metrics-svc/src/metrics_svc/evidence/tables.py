"""The table of evidence."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Float, Index, SmallInteger, Text, Uuid
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_IDS: Any = ARRAY(Uuid)


class EvidenceRow(Table, table=True):
    """One piece of evidence in its latest revision; ``retracted_for`` is null while it stands."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index("evidence_by_account", "tenant", "account_id", "observed_at", "evidence_id"),
        Index("evidence_by_time", "tenant", "observed_at", "evidence_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    evidence_id: UUID = Field(primary_key=True)
    account_id: UUID
    rule: str = Field(sa_type=Text)
    anchor: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    family: str = Field(sa_type=Text)
    dimension: str = Field(sa_type=Text)
    polarity: int = Field(sa_type=SmallInteger)
    magnitude: float = Field(sa_type=Float)
    observed_at: datetime = Field(sa_type=_TIME)
    recorded_at: datetime = Field(sa_type=_TIME)
    revision: int
    source: str = Field(sa_type=Text)
    contact_ids: list[UUID] = Field(sa_type=_IDS)
    owner_id: UUID | None
    activity_ids: list[UUID] = Field(sa_type=_IDS)
    retracted_for: str | None = Field(sa_type=Text)
    withdrawn_by: str | None = Field(sa_type=Text)
