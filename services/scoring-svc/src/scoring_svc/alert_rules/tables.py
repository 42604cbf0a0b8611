"""The table of a tenant's own thresholds for alert rules."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class AlertRuleRow(Table, table=True):
    """One version of a rule's configuration; the highest is in force, the others are its history."""

    __tablename__ = "alert_rule"

    tenant: str = Field(sa_type=Text, primary_key=True)
    rule: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(primary_key=True)
    configuration: dict[str, Any] = Field(sa_type=JSONB)
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
