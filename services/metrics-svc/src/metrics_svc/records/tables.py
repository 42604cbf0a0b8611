"""The columns that every table of records has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlmodel import Field, SQLModel

_TIME: Any = DateTime(timezone=True)


class RecordColumns(SQLModel):
    """Whose record it is and how its account is named; ``account_id`` is null while nobody has that name."""

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Text)
    revision: int = Field(sa_type=BigInteger)
    account_id: UUID | None
    reference_kind: str = Field(sa_type=Text)
    reference_source: str = Field(sa_type=Text)
    reference_value: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=_TIME)
    author: str = Field(sa_type=Text)
