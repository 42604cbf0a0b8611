"""The tables of survey answers, and of the satisfaction last said of an account."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Float, Index, Numeric, Text, text
from sqlmodel import Field

from metrics_svc.records.tables import RecordColumns
from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class SurveyResponseRow(RecordColumns, Table, table=True):
    """One answer to one question. ``worth`` is what it counts for: satisfaction 0 to 1, or -1, 0, 1 for NPS."""

    __tablename__ = "survey_response"
    __table_args__ = (
        Index("survey_response_by_account", "tenant", "account_id", "answered_at", "id"),
        Index("survey_response_by_time", "tenant", "answered_at", "id"),
        Index(
            "survey_response_unmatched",
            "tenant",
            "reference_kind",
            "reference_source",
            "reference_value",
            postgresql_where=text("account_id IS NULL"),
        ),
    )

    external_id: str = Field(sa_type=Text)
    answered_at: datetime = Field(sa_type=_TIME)
    method: str = Field(sa_type=Text)
    question: str | None = Field(sa_type=Text)
    scale_low: int
    scale_high: int
    score: int
    worth: Decimal = Field(sa_type=Numeric)
    respondent_id: UUID | None


class SatisfactionRow(Table, table=True):
    """The figure last said of an account, so that it is said again only when it changes."""

    __tablename__ = "satisfaction"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    metric: str = Field(sa_type=Text, primary_key=True)
    method: str | None = Field(sa_type=Text)
    value: float | None = Field(sa_type=Float)
    standard_error: float | None = Field(sa_type=Float)
    n: int
    measured_at: datetime = Field(sa_type=_TIME)
