"""The tables of accounts and their external ids."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKeyConstraint, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from profile_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AccountRow(Table, table=True):
    """One account."""

    __tablename__ = "account"
    __table_args__ = (
        Index("account_by_name", "tenant", "name", "id"),
        Index("account_by_created_at", "tenant", "created_at", "id"),
        Index("account_by_owner", "tenant", "owner_id", postgresql_where=text("owner_id IS NOT NULL")),
        Index("account_by_parent", "tenant", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    version: int
    created_at: datetime = Field(sa_type=_TIME)
    updated_at: datetime = Field(sa_type=_TIME)
    name: str = Field(sa_type=Text)
    known_since: datetime = Field(sa_type=_TIME)
    status: str = Field(sa_type=Text)
    account_type: str = Field(sa_type=Text)
    tier: str | None = Field(sa_type=Text)
    industry: str | None = Field(sa_type=Text)
    territory: str | None = Field(sa_type=Text)
    country: str | None = Field(sa_type=Text)
    currency: str | None = Field(sa_type=Text)
    parent_id: UUID | None
    owner: str | None = Field(sa_type=Text)
    owner_id: UUID | None
    cadence_days: float | None
    contract_start: date | None
    contract_end: date | None
    renewal_at: datetime | None = Field(sa_type=_TIME)
    value_amount: Decimal | None = Field(sa_type=Numeric)
    value_currency: str | None = Field(sa_type=Text)
    whitespace_amount: Decimal | None = Field(sa_type=Numeric)
    whitespace_currency: str | None = Field(sa_type=Text)
    email_domains: list[str] = Field(sa_type=ARRAY(Text))
    origins: dict[str, Any] = Field(sa_type=JSONB)


class ExternalIdRow(Table, table=True):
    """An account's name in a source system; the key says that one name means one account."""

    __tablename__ = "account_external_id"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "account_id"], ["account.tenant", "account.id"], ondelete="CASCADE"),
        Index("account_external_id_by_account", "tenant", "account_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    external_id: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID
