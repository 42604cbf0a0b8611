"""What is remembered of alerts, so that their events may come twice or in any order."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from plan_svc.tables import Table


class AlertSeen(Table, table=True):
    """The newest event of each alert, by its envelope's sequence: an older one changes nothing."""

    __tablename__: ClassVar[Any] = "alert_seen"
    __table_args__ = (Index("alert_seen_by_account", "tenant", "account_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    alert_id: UUID = Field(primary_key=True)
    account_id: UUID
    sequence: int = Field(sa_type=BigInteger)
    open: bool
    play: str | None = Field(default=None, sa_type=Text)
