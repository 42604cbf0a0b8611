"""Channels and their sealed secrets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKeyConstraint, Index, LargeBinary, Text, text
from sqlmodel import Field

from scoring_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)


class ChannelRow(Table, table=True):
    """Where alerts may be sent. Of chats ``address`` names the host only: the whole is their secret.

    A removed channel keeps its row for the deliveries that name it.
    """

    __tablename__ = "channel"
    __table_args__ = (
        Index("channel_named", "tenant", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    channel_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    address: str | None = Field(sa_type=Text)
    recipients: list[str] = Field(sa_type=_TEXTS)
    version: int
    author: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=_TIME)
    disabled_at: datetime | None = Field(sa_type=_TIME)
    removed_at: datetime | None = Field(sa_type=_TIME)


class ChannelSecretRow(Table, table=True):
    """A secret of a channel, sealed."""

    __tablename__ = "channel_secret"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "channel_id"], ["channel.tenant", "channel.channel_id"], ondelete="CASCADE"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    channel_id: UUID = Field(primary_key=True)
    secret_id: UUID = Field(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=_TIME)
    created_by: str = Field(sa_type=Text)
