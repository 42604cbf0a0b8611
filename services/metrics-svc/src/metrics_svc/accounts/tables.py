"""The tables of accounts and of the references by which sources name them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Float, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AccountRow(Table, table=True):
    """What this service keeps of an account. Its row lock guards all that is derived for the account.

    ``due_at`` is the earliest deadline of the account; ``anew_at`` says when everything since ``anew_from`` has to
    be derived anew (new rules, another country).
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("account_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("account_anew", "anew_at", postgresql_where=text("anew_at IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    version: int
    name: str | None = Field(sa_type=Text)
    country: str | None = Field(sa_type=Text)
    owner_id: UUID | None
    tier: str | None = Field(sa_type=Text)
    territory: str | None = Field(sa_type=Text)
    cadence_days: float | None = Field(sa_type=Float)
    removed: bool
    due_at: datetime | None = Field(sa_type=_TIME)
    anew_at: datetime | None = Field(sa_type=_TIME)
    anew_from: datetime | None = Field(sa_type=_TIME)


class AccountReferenceRow(Table, table=True):
    """A name of an account: its id, an external id, or an e-mail domain (``source`` is empty but for external).

    A released name finds nothing, and remembers whose it was until another account claims it.
    """

    __tablename__ = "account_reference"
    __table_args__ = (Index("account_reference_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID
    claimed_at: datetime = Field(sa_type=_TIME)
    released: bool
