"""The tables of connections and of what proves them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKeyConstraint, Index, LargeBinary, Text
from sqlmodel import Field

from metrics_svc.tables import Table

_TIME: Any = DateTime(timezone=True)
_TEXTS: Any = ARRAY(Text)


class ConnectionRow(Table, table=True):
    """A source system that may deliver to a tenant; ``source`` is the name its activities are kept under."""

    __tablename__ = "connection"
    __table_args__ = (Index("connection_named", "connection_id", unique=True),)

    tenant: str = Field(sa_type=Text, primary_key=True)
    connection_id: UUID = Field(primary_key=True)
    adapter: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    own_domains: list[str] = Field(sa_type=_TEXTS)
    version: int
    created_at: datetime = Field(sa_type=_TIME)
    created_by: str = Field(sa_type=Text)
    disabled_at: datetime | None = Field(sa_type=_TIME)


class ConnectionSecretRow(Table, table=True):
    """What proves a delivery: a secret, sealed, or an ingest key, of which a digest is kept."""

    __tablename__ = "connection_secret"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "connection_id"], ["connection.tenant", "connection.connection_id"], ondelete="CASCADE"
        ),
        Index("connection_secret_named", "connection_id"),
    )

    tenant: str = Field(sa_type=Text, primary_key=True)
    connection_id: UUID = Field(primary_key=True)
    secret_id: UUID = Field(primary_key=True)
    sealed: bytes | None = Field(sa_type=LargeBinary)
    digest: bytes | None = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=_TIME)
    created_by: str = Field(sa_type=Text)
