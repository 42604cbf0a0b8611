"""One service as its tests see it: what it is made of, and how events get into and out of it without a broker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from fastapi import FastAPI
from psycopg.rows import namedtuple_row

from bellwether_kit.clock import FixedClock
from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.events import Event, Payload, Subscription
from bellwether_kit.events.batches import BatchProcessor
from bellwether_kit.events.envelope import encode
from bellwether_kit.events.replays import Ask, ask, replay_timer
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.databases import EMPTYING
from bellwether_kit.timers import Timer, fire


@dataclass(frozen=True)
class ServiceUnderTest:
    """The parts of a service that its tests put together."""

    name: str
    migrations: Path
    settings: type[ServiceSettings]
    create_app: Callable[..., FastAPI]
    subscriptions: Sequence[Subscription] = ()
    timers: Sequence[Timer] = ()


@dataclass(frozen=True)
class Outgoing:
    """One row of the outbox; ``data`` is the event's data (None for a tombstone), ``value`` the whole record."""

    topic: str
    type: str
    tenant: str
    key: str
    sequence: int
    data: dict[str, Any] | None
    value: bytes | None
    headers: dict[str, str]


@dataclass(frozen=True)
class Record:
    """A Kafka record as the client hands it out, for feeding the batch processor."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Mailbox:
    """Feeds records to a service's real batch processor and reads what it left in its tables."""

    def __init__(self, service: ServiceUnderTest, database: Database, admin_dsn: str, clock: FixedClock) -> None:
        self._service = service
        self._database = database
        self._admin_dsn = admin_dsn
        self._clock = clock
        self._processor = BatchProcessor(database, service.subscriptions, consumer=service.name)
        self._offset = 0

    def record(
        self, topic: str, value: bytes | None, *, key: str = "", headers: Sequence[tuple[str, bytes]] = ()
    ) -> Record:
        """A record at the next offset of partition 0."""
        self._offset += 1
        return Record(topic, 0, self._offset, 0, key.encode(), value, headers)

    async def process(self, *records: Record) -> int:
        """Give ``records`` to the processor as one batch; gives how many were dead-lettered."""
        return await self._processor.process(records)

    async def deliver(
        self, *entries: Payload | Event, tenant: str = "acme", subject: str | None = None, times: int = 1
    ) -> None:
        """Deliver events (payloads get an envelope of their own) in one batch, the same batch ``times`` times."""
        records = self.records(*entries, tenant=tenant, subject=subject)
        for _ in range(times):
            await self._processor.process(records)

    def records(self, *entries: Payload | Event, tenant: str = "acme", subject: str | None = None) -> list[Record]:
        """The records of events (payloads get an envelope of their own)."""
        events = [e if isinstance(e, Event) else self._event(e, tenant, subject) for e in entries]
        return [
            self.record(
                e.topic,
                encode(e, source="/test", sequence=e.sequence or i, correlation=None, traceparent=None),
                key=e.key,
            )
            for i, e in enumerate(events, 1)
        ]

    def start_over(self) -> None:
        """Leave the database without a row, as before the first record, and the clock where it began."""
        self._offset = 0
        self._clock.set(START)
        self.admin("; ".join(row.statement for row in self.admin(EMPTYING)))

    def _event(self, data: Payload, tenant: str, subject: str | None) -> Event:
        subject = subject or str(getattr(data, "account_id", ""))
        return Event.of(data, tenant=tenant, subject=subject, time=self._clock.now())

    async def fire_timers(self) -> int:
        """Fire every timer, that of replays too, until nothing is due; gives how many rows fired.

        Raises when rows stay due.
        """
        return await fire_until_quiet(self._database, (*self._service.timers, replay_timer(self._processor)))

    def admin(self, statement: str, *args: Any) -> list[Any]:
        """Rows (as named tuples) of a statement run as superuser, who sees all."""
        with psycopg.connect(self._admin_dsn, autocommit=True, row_factory=namedtuple_row) as connection:
            cursor = connection.execute(statement, args or None)
            return cursor.fetchall() if cursor.description else []

    def outbox(self, type_: str | None = None) -> list[Outgoing]:
        """What was emitted so far, in order; ``type_`` selects one event type."""
        rows = self.admin("SELECT topic, type, tenant, key, sequence, value, headers FROM outbox ORDER BY id")
        return [_outgoing(row) for row in rows if type_ in (None, row.type)]

    def ask_replay(self, *ids: UUID, **how: Any) -> set[UUID]:
        """Ask for dead letters to be tried again when timers fire next; gives those that were asked for."""
        with psycopg.connect(self._database.dsn, autocommit=True) as worker:
            return ask(worker, ids, Ask("tests", "a test", self._clock.now()), **how)

    def dead_letters(self) -> list[Any]:
        """The rows of ``dead_letter`` in order of offset."""
        return self.admin('SELECT * FROM dead_letter ORDER BY "offset"')


async def fire_until_quiet(database: Database, timers: Sequence[Timer]) -> int:
    """Fire timers until nothing is due; gives how many rows fired. Raises AssertionError when rows stay due."""
    fired = 0
    for timer in timers:
        for _ in range(100):
            count = await fire(database, timer)
            fired += count
            if not count:
                break
        else:
            raise AssertionError(f"timer {timer.name} leaves its rows due")
    return fired


def _outgoing(row: Any) -> Outgoing:
    data = None
    if row.value is not None and row.type != "dead-letter":
        data = msgspec.json.decode(row.value)["data"]
    return Outgoing(row.topic, row.type, row.tenant, row.key, row.sequence, data, row.value, row.headers)


START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
"""Where a test's clock starts: a Monday morning."""
