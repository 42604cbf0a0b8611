"""The table of outcomes."""

import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Index, Text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_DATE: Any = Date


class OutcomeRow(Table, table=True):
    """What became of an account on a day: `churned`, `reduced`, `renewed` or `grew`."""

    __tablename__ = "outcome"
    __table_args__ = (Index("outcome_by_date", "tenant", "happened_on", "account_id", "kind"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text, primary_key=True)
    happened_on: datetime.date = Field(sa_type=_DATE, primary_key=True)
    author: str = Field(sa_type=Text)
    recorded_at: datetime.datetime = Field(sa_type=_TIME)
