"""The table of reported figures."""

from datetime import date
from decimal import Decimal

from sqlalchemy import Index, Numeric, Text, text
from sqlmodel import Field

from metrics_svc.records.tables import RecordColumns
from metrics_svc.tables import Table


class ReportedFigureRow(RecordColumns, Table, table=True):
    """One measure of one period, both ends included. ``unit`` is a currency when it is ``money``."""

    __tablename__ = "reported_figure"
    __table_args__ = (
        Index("reported_figure_by_account", "tenant", "account_id", "period_end", "id"),
        Index("reported_figure_by_time", "tenant", "period_end", "id"),
        Index(
            "reported_figure_unmatched",
            "tenant",
            "reference_kind",
            "reference_source",
            "reference_value",
            postgresql_where=text("account_id IS NULL"),
        ),
    )

    measure: str = Field(sa_type=Text)
    period_start: date
    period_end: date
    value: Decimal = Field(sa_type=Numeric)
    unit: str = Field(sa_type=Text)
    money: bool
