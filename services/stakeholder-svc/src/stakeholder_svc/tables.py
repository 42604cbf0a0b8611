"""The registry of stakeholder-svc's tables, and the kit's tables in it. Each feature adds its own."""

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
    """What every table of this service derives from."""


class Outbox(OutboxColumns, Table, table=True):
    """Events on their way to Kafka."""


class OutboxStream(OutboxStreamColumns, Table, table=True):
    """The last sequence of each key."""


class Inbox(InboxColumns, Table, table=True):
    """Events that were handled."""


class DeadLetter(DeadLetterColumns, Table, table=True):
    """Records that could not be handled."""


class Idempotency(IdempotencyColumns, Table, table=True):
    """Answers to requests that carried a key."""
