"""The table of deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class InboundDeliveryRow(Table, table=True):
    """One delivery as it came, until it is worked and its body forgotten; then what became of it.

    ``due_at`` is when it is to be worked (null: it is not), ``forget_at`` when its body, then its row, goes.
    """

    __tablename__ = "inbound_delivery"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "connection_id"], ["connection.tenant", "connection.connection_id"], ondelete="CASCADE"
        ),
        Index("inbound_delivery_once", "tenant", "connection_id", "nonce", unique=True),
        Index("inbound_delivery_by_time", "tenant", "received_at", "delivery_id"),
        Index("inbound_delivery_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("inbound_delivery_forgotten", "forget_at", postgresql_where=text("forget_at IS NOT NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    delivery_id: UUID = Field(primary_key=True)
    connection_id: UUID
    nonce: bytes | None = Field(sa_type=LargeBinary)
    received_at: datetime = Field(sa_type=_TIME)
    status: str = Field(sa_type=Text)
    body: bytes | None = Field(sa_type=LargeBinary)
    counts: dict[str, int] = Field(sa_type=JSONB)
    unread: list[dict[str, Any]] = Field(sa_type=JSONB)
    rejected: list[dict[str, Any]] = Field(sa_type=JSONB)
    reason: str | None = Field(sa_type=Text)
    worked_at: datetime | None = Field(sa_type=_TIME)
    due_at: datetime | None = Field(sa_type=_TIME)
    forget_at: datetime | None = Field(sa_type=_TIME)
