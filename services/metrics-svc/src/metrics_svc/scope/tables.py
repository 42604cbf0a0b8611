"""The table of order days."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Numeric, Text
from sqlmodel import Field

from metrics_svc.tables import Table


class OrderDayRow(Table, table=True):
    """What an account's orders of one UTC day and currency come to, credit notes taken off, and the last of them."""

    __tablename__ = "order_day"

    tenant: str = Field(sa_type=Text, primary_key=True)
    account_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    amount: Decimal = Field(sa_type=Numeric)
    purchases: int
    last_order: UUID
    source: str = Field(sa_type=Text)
