"""The tables of erasures: who asked for them and what they came to, and whom they replace by whom while they run."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class ErasureRow(Table, table=True):
    """One erasure. Its id is a hash of the name it was asked for by; nothing else of that name is kept.

    ``walked_to`` is the last activity that was looked at, ``due_at`` is set while something is left to do.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        Index("erasure_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("erasure_by_time", "tenant", "requested_at", "erasure_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    erasure_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=Text)
    account_id: UUID | None
    state: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    requested_at: datetime = Field(sa_type=_TIME)
    finished_at: datetime | None = Field(sa_type=_TIME)
    activities: int = Field(sa_type=BigInteger)
    evidence: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    walked_to: UUID
    due_at: datetime | None = Field(sa_type=_TIME)


class ErasurePersonRow(Table, table=True):
    """An id that is being replaced by a random one everywhere. The row goes when that is done."""

    __tablename__ = "erasure_person"

    tenant: str = Field(sa_type=Text, primary_key=True)
    erasure_id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(primary_key=True)
    stand_in: UUID
