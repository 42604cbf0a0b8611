"""The table of runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class RescoringRunRow(Table, table=True):
    """A walk through all accounts of a tenant in the order of their ids; `position` is the last one looked at.

    Of an audit, `drift` is the widest difference found between balances kept and summed anew, `drifted` in how many
    accounts it was too wide.
    """

    __tablename__ = "rescoring_run"
    __table_args__ = (
        Index("rescoring_run_due", "next_at"),
        Index(
            "rescoring_run_running",
            "tenant",
            text("(cause = 'audit')"),
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    cause: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    scorecard_id: UUID | None
    accounts: int
    looked_at: int
    rescored: int
    drift: float
    drifted: int
    started_by: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=_TIME)
    ended_by: str | None = Field(sa_type=Text)
    ended_at: datetime | None = Field(sa_type=_TIME)
    position: UUID | None
    next_at: datetime | None = Field(sa_type=_TIME)
