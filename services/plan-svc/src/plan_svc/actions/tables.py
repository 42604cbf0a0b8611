"""The table of actions: those of plans and the steps of plays."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from plan_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_IDS: Any = ARRAY(Uuid)


class Action(Table, table=True):
    """One action with its RACI, of one plan or of one play. ``reported_for``: the due date said overdue."""

    __tablename__: ClassVar[Any] = "action"
    __table_args__ = (
        CheckConstraint("num_nonnulls(plan_id, play_id) = 1", name="action_has_one_home"),
        CheckConstraint("cardinality(responsible_ids) >= 1", name="action_has_responsible"),
        CheckConstraint("status IN ('open', 'in-progress', 'blocked', 'done')", name="action_status"),
        Index("action_of_plan", "tenant", "plan_id", "position"),
        Index("action_of_play", "tenant", "play_id", "position"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    action_id: UUID = Field(primary_key=True)
    account_id: UUID
    plan_id: UUID | None = None
    play_id: UUID | None = None
    position: int
    title: str = Field(sa_type=Text)
    why: str = Field(sa_type=Text)
    due_on: date
    accountable_id: UUID
    responsible_ids: list[UUID] = Field(sa_type=_IDS)
    consulted_ids: list[UUID] = Field(sa_type=_IDS)
    informed_ids: list[UUID] = Field(sa_type=_IDS)
    depends_on: list[UUID] = Field(sa_type=_IDS)
    success_measure: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    reported_for: date | None = None
    version: int = 1
    created_at: datetime = Field(sa_type=_TIME)
    updated_at: datetime = Field(sa_type=_TIME)
