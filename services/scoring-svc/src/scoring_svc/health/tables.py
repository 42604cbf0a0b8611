"""The state of every account's health, and its history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Float, Index, LargeBinary, Text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_FLOATS: Any = ARRAY(Float)
_TEXTS: Any = ARRAY(Text)


class AccountHealthRow(Table, table=True):
    """One account's health as last evaluated; its lock serialises all that happens to the account.

    `state` (MessagePack, see the store) holds the balances and the memory of recent evidence, which no statement
    looks into. `stale` asks for the memory to be read from the ledger anew.
    """

    __tablename__ = "account_health"
    __table_args__ = (
        Index("account_health_due", "next_evaluation_at"),
        # Every evaluation writes every index: what is looked for less often is carried by these two.
        *(
            Index(
                f"account_health_by_{key}",
                "tenant",
                "band",
                key,
                "account_id",
                postgresql_include=["tier", "confidence", "changed_at"],
            )
            for key in ("score", "change")
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    next_evaluation_at: datetime | None = Field(sa_type=_TIME)
    evaluated_at: datetime | None = Field(sa_type=_TIME)
    score: float | None
    change: float | None
    confidence: float | None
    sequence: int = Field(sa_type=BigInteger)
    scorecard_version: int
    stale: bool
    band: str | None = Field(sa_type=Text)
    scorecard: str = Field(sa_type=Text)
    state: bytes | None = Field(sa_type=LargeBinary)
    changed_at: datetime | None = Field(sa_type=_TIME)
    tier: str | None = Field(sa_type=Text)


class HealthHistoryRow(Table, table=True):
    """Health at the instants at which it changed; `measures` in the order of the scorecard's.

    `uncapped_score` is what the measures alone come to (null in history older than caps), `caps` what held it down.
    """

    __tablename__ = "health_history"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=_TIME, primary_key=True)
    score: float
    confidence: float
    scorecard_version: int
    band: str = Field(sa_type=Text)
    scorecard: str = Field(sa_type=Text)
    measures: list[float | None] = Field(sa_type=_FLOATS)
    uncapped_score: float | None
    caps: list[str] = Field(sa_type=_TEXTS)
