"""What scoring keeps of an account from profile-svc's events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AccountRow(Table, table=True):
    """One account as profile-svc last described it; `version` is theirs."""

    __tablename__ = "account"
    __table_args__ = (
        Index("account_by_owner", "tenant", "owner_id"),
        Index("account_by_parent", "tenant", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("account_by_value", "tenant", "value_amount", "account_id"),
        Index("account_by_industry", "tenant", "industry", "account_id"),
        Index("account_by_territory", "tenant", "territory", "account_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    version: int
    removed: bool
    name: str = Field(sa_type=Text)
    tier: str | None = Field(sa_type=Text)
    owner_id: UUID | None
    cadence_days: float | None
    value_amount: float
    value_currency: str | None = Field(sa_type=Text)
    renewal_at: datetime | None = Field(sa_type=_TIME)
    known_since: datetime | None = Field(sa_type=_TIME)
    whitespace: float | None
    parent_id: UUID | None
    industry: str | None = Field(sa_type=Text)
    territory: str | None = Field(sa_type=Text)
