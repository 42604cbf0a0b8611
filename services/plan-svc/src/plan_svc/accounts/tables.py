"""The projection of accounts. Nothing here is ours to change."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field

from plan_svc.tables import Table


class Account(Table, table=True):
    """What plan-svc keeps of an account; ``removed_at`` is set once it is gone."""

    __tablename__: ClassVar[Any] = "account"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    tier: str | None = Field(default=None, sa_type=Text)
    owner_id: UUID | None = None
    version: int = Field(sa_type=BigInteger)
    removed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
