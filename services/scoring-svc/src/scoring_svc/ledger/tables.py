"""The ledger of evidence: what each piece says and what it counts for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, SmallInteger, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class EvidenceRow(Table, table=True):
    """One piece of evidence in its newest revision. Its key is the inbox of the topic `client-evidence`.

    `dimension` is 0 heart, 1 mind, 2 wallet, -1 unknown. `counted` is false until its time has come.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        Index(
            "evidence_by_time",
            "tenant",
            "account_id",
            "dimension",
            "observed_at",
            postgresql_where=text("NOT retracted"),
        ),
        Index(
            "evidence_pending",
            "tenant",
            "account_id",
            "observed_at",
            postgresql_where=text("NOT counted AND NOT retracted"),
        ),
        Index(
            "evidence_of_renewals",
            "tenant",
            "account_id",
            "kind",
            "observed_at",
            postgresql_where=text("kind IN ('renewal-declined', 'renewal-signed')"),
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    evidence_id: UUID = Field(primary_key=True)
    account_id: UUID
    observed_at: datetime = Field(sa_type=_TIME)
    weight: float
    magnitude: float
    revision: int
    dimension: int = Field(sa_type=SmallInteger)
    retracted: bool
    counted: bool
    kind: str = Field(sa_type=Text)
