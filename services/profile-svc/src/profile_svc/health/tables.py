"""The table of each account's last published health."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Text
from sqlmodel import Field

from profile_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class HealthRow(Table, table=True):
    """What scoring-svc last said about an account."""

    __tablename__ = "account_health"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "account_id"], ["account.tenant", "account.id"], ondelete="CASCADE"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    score: float
    band: str = Field(sa_type=Text)
    sequence: int = Field(sa_type=BigInteger)
    evaluated_at: datetime = Field(sa_type=_TIME)
