"""The projection of accounts. Nothing here is ours to change."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Text
from sqlmodel import Field

from stakeholder_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AccountRow(Table, table=True):
    """What stakeholder-svc keeps of an account; ``removed_at`` is set once it is gone."""

    __tablename__: ClassVar[Any] = "account"

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    removed_at: datetime | None = Field(default=None, sa_type=_TIME)


class AccountExternalIdRow(Table, table=True):
    """An account's name in a source system. While a name moves between accounts, two may have it for a moment."""

    __tablename__: ClassVar[Any] = "account_external_id"
    __table_args__ = (Index("account_external_id_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    external_id: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
