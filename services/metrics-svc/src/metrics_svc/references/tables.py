"""The tables of the names that accounts go by, and of what people said about such a name."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AccountReferenceRow(Table, table=True):
    """A name of an account: its id, an external id, or an e-mail domain (``source`` is empty but for external).

    Only a domain can be several accounts'. A released name finds nothing, and remembers whose it was; ``stem`` is
    what a domain has in common with its sisters.
    """

    __tablename__ = "account_reference"
    __table_args__ = (
        Index("account_reference_by_account", "tenant", "account_id"),
        Index(
            "account_reference_of_one",
            "tenant",
            "kind",
            "source",
            "value",
            unique=True,
            postgresql_where=text("kind <> 'domain'"),
        ),
        Index("account_reference_by_value", "tenant", "value"),
        Index("account_reference_by_stem", "tenant", "stem", postgresql_where=text("stem IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    claimed_at: datetime = Field(sa_type=_TIME)
    released: bool
    stem: str | None = Field(sa_type=Text)


class ReferenceWordRow(Table, table=True):
    """A person's word about a name: whose it is, or that it is nobody's (no account). It outlives all news.

    An undone word finds nothing; it stays until its activities went back. ``due_at`` says that some are left.
    """

    __tablename__ = "reference_word"
    __table_args__ = (Index("reference_word_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    value: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID | None
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    said_at: datetime = Field(sa_type=_TIME)
    undone: bool
    due_at: datetime | None = Field(sa_type=_TIME)
