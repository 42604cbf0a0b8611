"""The table of verdicts on alerts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)


class AlertVerdictRow(Table, table=True):
    """What a person says of an alert; `rules` are all that were ever among its reasons."""

    __tablename__ = "alert_verdict"

    tenant: str = Field(sa_type=Text, primary_key=True)
    alert_id: UUID = Field(primary_key=True)
    verdict: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=_TIME)
    rules: list[str] = Field(sa_type=_TEXTS)
