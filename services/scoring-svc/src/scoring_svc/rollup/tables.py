"""How a tenant rolls health up."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class RollUpPolicyRow(Table, table=True):
    """A policy that a person put in force; the highest version holds."""

    __tablename__ = "roll_up_policy"

    tenant: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(primary_key=True)
    policy: str = Field(sa_type=Text)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
