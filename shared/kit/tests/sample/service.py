"""The smallest service that uses all of the kit: it counts what it hears of a thing and says so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, Row, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from bellwether_kit.db import (
    DeadLetterColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxStreamColumns,
    UnitOfWork,
)
from bellwether_kit.events import Event, Payload, Poison, Received, Subscription, UtcTime, ignored
from bellwether_kit.settings import ServiceSettings, service_config
from bellwether_kit.timers import Timer


class Table(SQLModel, registry=registry()):
    pass


class Outbox(OutboxColumns, Table, table=True):
    pass


class OutboxStream(OutboxStreamColumns, Table, table=True):
    pass


class Inbox(InboxColumns, Table, table=True):
    pass


class DeadLetter(DeadLetterColumns, Table, table=True):
    pass


class Idempotency(IdempotencyColumns, Table, table=True):
    pass


class Thing(Table, table=True):
    tenant: str = Field(sa_type=Text, primary_key=True)
    id: UUID = Field(primary_key=True)
    total: int
    due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True), index=True)


class Counted(Payload):
    """A thing was counted."""

    topic: ClassVar[str] = "things"
    event_type: ClassVar[str] = "thing.counted.v1"
    account_id: UUID
    total: int


class Seen(Payload):
    """A thing was seen."""

    topic: ClassVar[str] = "sightings"
    event_type: ClassVar[str] = "thing.seen.v1"
    account_id: UUID
    times: int
    at: UtcTime | None = None


class SeenHere(msgspec.Struct, frozen=True, kw_only=True):
    account_id: UUID
    times: int


class Settings(ServiceSettings):
    model_config = service_config("BELLWETHER_SAMPLE_")


ADD = text("""
    INSERT INTO thing AS t (tenant, id, total, due_at)
    SELECT tenant, id, sum(times), max(due_at)
    FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:times AS int[]), CAST(:dues AS timestamptz[]))
         AS s(tenant, id, times, due_at)
    GROUP BY tenant, id ORDER BY tenant, id
    ON CONFLICT (tenant, id) DO UPDATE SET total = t.total + EXCLUDED.total, due_at = EXCLUDED.due_at
    RETURNING tenant, id, total
""")


async def count(uow: UnitOfWork, events: Sequence[Received[SeenHere]]) -> None:
    for event in events:
        if event.data.times < 0:
            raise Poison("seen a negative number of times")
        if event.data.times == 666:
            raise ZeroDivisionError("a bug")
    rows = await uow.session.execute(
        ADD,
        {
            "tenants": [e.tenant for e in events],
            "ids": [e.data.account_id for e in events],
            "times": [e.data.times for e in events],
            "dues": [uow.now] * len(events),
        },
    )
    for tenant, id_, total in rows:
        uow.emit(Event.of(Counted(account_id=id_, total=total), tenant=tenant, subject=str(id_), time=uow.now))


async def expire(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    await uow.session.execute(
        text("UPDATE thing SET due_at = NULL WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": [r.id for r in rows]},
    )


SUBSCRIPTIONS = (
    Subscription("sightings", "thing.seen.v1", SeenHere, count),
    ignored("sightings", "thing.missed.v1"),
)
TIMERS = (Timer("expiry", Thing, Thing.due_at, expire),)
