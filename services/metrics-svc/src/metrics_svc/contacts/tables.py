"""The table of contact aliases."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)


class ContactAliasRow(Table, table=True):
    """A contact id as computed from an external id, and the stakeholder it belongs to; null: of somebody erased.

    Who was erased on request is so for ever (``claimed_at`` is infinity).
    """

    __tablename__ = "contact_alias"
    __table_args__ = (Index("contact_alias_by_contact", "tenant", "contact_id"),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    alias_id: UUID = Field(primary_key=True)
    contact_id: UUID | None
    claimed_at: datetime = Field(sa_type=_TIME)
