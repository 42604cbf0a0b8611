"""The table of accounts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Float, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_KEY: Any = Text(collation="C")


class AccountRow(Table, table=True):
    """What this service keeps of an account. Its row lock guards all that is derived for the account.

    ``due_at`` is the earliest deadline of the account; ``anew_at`` says when everything since ``anew_from`` has to
    be derived anew (new rules, another country); ``satisfaction_due_at`` is when its oldest survey answer that counts
    no longer does.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("account_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("account_anew", "anew_at", postgresql_where=text("anew_at IS NOT NULL")),
        Index(
            "account_satisfaction_due",
            "satisfaction_due_at",
            postgresql_where=text("satisfaction_due_at IS NOT NULL"),
        ),
        Index("account_by_name", "tenant", "name_key", postgresql_where=text("name_key IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    version: int
    name: str | None = Field(sa_type=Text)
    name_key: str | None = Field(sa_type=_KEY)
    country: str | None = Field(sa_type=Text)
    owner_id: UUID | None
    tier: str | None = Field(sa_type=Text)
    territory: str | None = Field(sa_type=Text)
    cadence_days: float | None = Field(sa_type=Float)
    removed: bool
    due_at: datetime | None = Field(sa_type=_TIME)
    anew_at: datetime | None = Field(sa_type=_TIME)
    anew_from: datetime | None = Field(sa_type=_TIME)
    satisfaction_due_at: datetime | None = Field(sa_type=_TIME)
