"""The registry of this service's tables, and the kit's tables in it; features keep their own tables."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from bellwether_kit.db import (
    DeadLetterColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxStreamColumns,
)


class Table(SQLModel, registry=registry()):
    """What every table of this service derives from: metadata of its own, shared with no other service."""


class Outbox(OutboxColumns, Table, table=True):
    """Events decided and not necessarily published yet."""


class OutboxStream(OutboxStreamColumns, Table, table=True):
    """The last sequence given out per topic and key."""


class Inbox(InboxColumns, Table, table=True):
    """Events whose effects are committed."""


class DeadLetter(DeadLetterColumns, Table, table=True):
    """Records that can't be handled."""


class Idempotency(IdempotencyColumns, Table, table=True):
    """Answers given to requests with an ``Idempotency-Key``."""
