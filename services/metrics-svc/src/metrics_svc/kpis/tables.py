"""The tables of agreed KPIs and of the terms they have had."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_JSON: Any = JSONB


class KpiRow(Table, table=True):
    """A KPI or SLA under its present terms. A closed one is kept, and its code is free again."""

    __tablename__ = "kpi"
    __table_args__ = (
        Index("kpi_open", "tenant", "account_id", "code", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("kpi_by_account", "tenant", "account_id", "kpi_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    kpi_id: UUID = Field(primary_key=True)
    account_id: UUID
    code: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    unit: str = Field(sa_type=Text)
    direction: str = Field(sa_type=Text)
    target: Decimal = Field(sa_type=Numeric)
    target_high: Decimal | None = Field(sa_type=Numeric)
    tolerance: Decimal = Field(sa_type=Numeric)
    owner_id: UUID | None
    agreed_by: UUID | None
    agreed_on: date | None
    valid_from: date
    valid_to: date | None
    stale_after_days: int
    version: int
    author: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
    closed_at: datetime | None = Field(sa_type=_TIME)


class KpiVersionRow(Table, table=True):
    """The terms of a KPI as one person set them."""

    __tablename__ = "kpi_version"

    tenant: str = Field(sa_type=Text, primary_key=True)
    kpi_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    terms: dict[str, Any] = Field(sa_type=_JSON)
    author: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
