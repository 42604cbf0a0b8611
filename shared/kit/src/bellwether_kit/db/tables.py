"""The kit's tables as mixins: each service makes them its own in its registry. Their SQL lives beside their use."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Identity, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

_TIME: Any = DateTime(timezone=True)


class OutboxColumns(SQLModel):
    """Events that were decided and not necessarily published yet; ``value`` holds the exact bytes."""

    __tablename__: ClassVar[Any] = "outbox"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index]:  # noqa: N805 (SQLAlchemy calls it with the class)
        """The index of what is not published yet: small, however long the table grows."""
        return (Index("ix_outbox_unpublished", "id", postgresql_where=text("published_at IS NULL")),)

    id: int = Field(default=None, sa_type=BigInteger, sa_column_args=(Identity(always=True),), primary_key=True)
    event_id: UUID = Field(unique=True)
    tenant: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    sequence: int = Field(sa_type=BigInteger)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    headers: dict[str, str] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=_TIME)
    published_at: datetime | None = Field(default=None, sa_type=_TIME)


class OutboxStreamColumns(SQLModel):
    """The last sequence given out per topic and key. Its row lock makes the order of ids the order of commits."""

    __tablename__: ClassVar[Any] = "outbox_stream"

    tenant: str = Field(sa_type=Text, primary_key=True)
    topic: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    sequence: int = Field(sa_type=BigInteger)


class InboxColumns(SQLModel):
    """Events whose effects are committed, by consumer."""

    __tablename__: ClassVar[Any] = "inbox"

    consumer: str = Field(sa_type=Text, primary_key=True)
    event_id: UUID = Field(primary_key=True)
    received_at: datetime = Field(sa_type=_TIME, index=True)


class DeadLetterColumns(SQLModel):
    """Records that can't be handled, whole, with the reason, and what became of trying them again.

    ``timestamp`` is the record's, in milliseconds since 1970. ``replay_due_at`` is set while a replay is asked for and
    not tried; ``replay_outcome`` is that of the last try; ``replays`` has an object for each try, oldest first.
    """

    __tablename__: ClassVar[Any] = "dead_letter"

    id: UUID = Field(primary_key=True)
    consumer: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    partition: int
    offset: int = Field(sa_type=BigInteger)
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    headers: dict[str, str] = Field(sa_type=JSONB)
    error_type: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=_TIME)
    timestamp: int | None = Field(default=None, sa_type=BigInteger)
    replay_asked_at: datetime | None = Field(default=None, sa_type=_TIME)
    replay_asked_by: str | None = Field(default=None, sa_type=Text)
    replay_reason: str | None = Field(default=None, sa_type=Text)
    replay_due_at: datetime | None = Field(default=None, sa_type=_TIME, index=True)
    replay_rehearsal: bool = False
    replay_outcome: str | None = Field(default=None, sa_type=Text)
    replay_tries: int = 0
    replays: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)


class IdempotencyColumns(SQLModel):
    """Answers that were given to a request with an ``Idempotency-Key``."""

    __tablename__: ClassVar[Any] = "idempotency"

    tenant: str = Field(sa_type=Text, primary_key=True)
    route: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    request_hash: str = Field(sa_type=Text)
    status: int
    headers: dict[str, str] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=_TIME, index=True)


KIT_TABLES = ("outbox", "outbox_stream", "inbox", "dead_letter", "idempotency")
