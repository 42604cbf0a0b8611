"""The tables of accounts' standing and of the bets on people."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Float, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_NUMBERS: Any = ARRAY(Numeric)
_IN_JEOPARDY = text("jeopardy > 0")


class StandingRow(Table, table=True):
    """How an account stands: its evidence balance over each of WINDOWS, and what puts it in jeopardy and why.

    It is computed again when it is due: a day later, or at once when the account's figures change.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("standing_due", "due_at"),
        Index("standing_in_jeopardy", "tenant", text("jeopardy DESC"), "account_id", postgresql_where=_IN_JEOPARDY),
        Index(
            "standing_in_jeopardy_by_owner",
            "tenant",
            "owner_id",
            text("jeopardy DESC"),
            "account_id",
            postgresql_where=_IN_JEOPARDY,
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=_TIME)
    owner_id: UUID | None
    territory: str | None = Field(sa_type=Text)
    tier: str | None = Field(sa_type=Text)
    removed: bool = Field(sa_column_kwargs={"server_default": text("true")})
    balances: list[Decimal] = Field(sa_type=_NUMBERS, sa_column_kwargs={"server_default": text("'{}'")})
    jeopardy: float = Field(sa_type=Float, sa_column_kwargs={"server_default": text("0")})
    reasons: list[dict[str, Any]] = Field(sa_type=JSONB, sa_column_kwargs={"server_default": text("'[]'")})
    computed_at: datetime | None = Field(sa_type=_TIME)


class BetRow(Table, table=True):
    """The balances of the accounts of an owner or a territory (or of all) over the last ``days``.

    ``mean`` is per account, ``low`` and ``high`` its 95 % interval (null for one account); ``kinds`` is the evidence
    that lifts it most above that of all.
    """

    __tablename__ = "bet"

    tenant: str = Field(sa_type=Text, primary_key=True)
    scope: str = Field(sa_type=Text, primary_key=True)
    days: int = Field(primary_key=True)
    member: str = Field(sa_type=Text, primary_key=True)
    accounts: int
    mean: float = Field(sa_type=Float)
    low: float | None = Field(sa_type=Float)
    high: float | None = Field(sa_type=Float)
    kinds: list[dict[str, Any]] = Field(sa_type=JSONB, sa_column_kwargs={"server_default": text("'[]'")})
    computed_at: datetime = Field(sa_type=_TIME)


class BetDueRow(Table, table=True):
    """When the bets on a tenant's people are computed next; null: when a balance changes."""

    __tablename__ = "bet_due"
    __table_args__ = (Index("bet_due_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    due_at: datetime | None = Field(sa_type=_TIME)
