"""The table of actuals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class KpiActualRow(Table, table=True):
    """What a KPI came to on a day, as one source says."""

    __tablename__ = "kpi_actual"

    tenant: str = Field(sa_type=Text, primary_key=True)
    kpi_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    revision: int = Field(sa_type=BigInteger)
    value: Decimal = Field(sa_type=Numeric)
    recorded_at: datetime = Field(sa_type=_TIME)
    author: str = Field(sa_type=Text)
