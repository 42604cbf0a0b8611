"""What a service has left to do, as its database tells it, and the gauges that say so."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.metrics import (
    CONSUMER_LAG,
    DEAD_LETTERS_OPEN,
    OUTBOX_OLDEST,
    OUTBOX_UNSENT,
    REACHABLE,
    TIMERS_DUE,
)
from bellwether_kit.timers import Timer, count_due

_LEFT = text("""
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
        (SELECT count(*) FROM dead_letter WHERE replay_outcome IS NULL OR replay_outcome NOT IN ('done', 'discarded'))
    FROM outbox WHERE published_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Workload:
    """Rows: events not published, timers due, dead letters open. ``outbox_oldest``: age in seconds, 0 without any."""

    outbox_unsent: int
    outbox_oldest: float
    dead_letters_open: int
    timers_due: int


async def work_left(database: Database, timers: Sequence[Timer]) -> Workload:
    """Count it; raises what the database raises."""
    async with database.read(None) as session:
        unsent, oldest, dead = (await session.execute(_LEFT)).one()
    return Workload(unsent, max(0.0, oldest), dead, await count_due(database, timers))


def show(left: Workload | None, lag: int | None, *, broker: bool) -> None:
    """Set the gauges; ``left`` and ``lag`` are None where nobody could tell."""
    REACHABLE.labels("postgres").set(left is not None)
    REACHABLE.labels("kafka").set(broker)
    if left is not None:
        OUTBOX_UNSENT.set(left.outbox_unsent)
        OUTBOX_OLDEST.set(left.outbox_oldest)
        DEAD_LETTERS_OPEN.set(left.dead_letters_open)
        TIMERS_DUE.set(left.timers_due)
    if lag is not None:
        CONSUMER_LAG.set(lag)
