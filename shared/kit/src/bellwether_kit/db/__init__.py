"""PostgreSQL: units of work, row security, the kit's tables, migrations and provisioning."""

from bellwether_kit.arrays import array, arrays
from bellwether_kit.db.sessions import utc_text
from bellwether_kit.db.tables import (
    DeadLetterColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxStreamColumns,
)
from bellwether_kit.db.turns import one_at_a_time
from bellwether_kit.db.unit_of_work import Database, UnitOfWork

__all__ = [
    "Database",
    "DeadLetterColumns",
    "IdempotencyColumns",
    "InboxColumns",
    "OutboxColumns",
    "OutboxStreamColumns",
    "UnitOfWork",
    "array",
    "arrays",
    "one_at_a_time",
    "utc_text",
]
