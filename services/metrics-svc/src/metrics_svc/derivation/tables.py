"""The tables of derivation rules and of deadlines."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class DeadlineRow(Table, table=True):
    """A moment at which time alone changes what an expectation, a meeting or a silence is evidence of.

    The account's own ``due_at`` is the earliest of them: the timer claims accounts, because the account's row
    is the lock under which everything about it is derived.
    """

    __tablename__ = "deadline"
    __table_args__ = (Index("deadline_due", "tenant", "account_id", "due_at"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    subject_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=_TIME)


class DerivationRulesRow(Table, table=True):
    """One version of a tenant's rules: from when it holds, who made it and why. Versions are never edited."""

    __tablename__ = "derivation_rules"

    tenant: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(primary_key=True)
    applies_from: datetime = Field(sa_type=_TIME)
    policy: dict[str, Any] = Field(sa_type=JSONB)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
