"""Batches on a real PostgreSQL: once each, poison alone, transient errors change nothing."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from sample.service import Counted, Seen
from sqlalchemy.exc import OperationalError

from bellwether_kit.db import Database
from bellwether_kit.events import Event
from bellwether_kit.events.batches import BatchProcessor, is_transient
from bellwether_kit.events.envelope import MAX_EVENT_BYTES, encode
from bellwether_kit.ids import uuid7
from bellwether_kit.testing import ServiceUnderTest
from bellwether_kit.testing.databases import address
from bellwether_kit.testing.service import START, Mailbox

A, B = UUID(int=1), UUID(int=2)


def seen(times: int, thing: UUID = A, tenant: str = "acme") -> Event:
    return Event.of(Seen(account_id=thing, times=times), tenant=tenant, subject=str(thing), time=START)


def value(event: Event) -> bytes:
    return encode(event, source="/test", sequence=1, correlation=None, traceparent=None)


def totals(mailbox: Mailbox) -> dict[tuple[str, UUID], int]:
    return {(row.tenant, row.id): row.total for row in mailbox.admin("SELECT * FROM thing")}


async def test_a_batch_takes_effect_once_however_often_it_is_delivered(mailbox: Mailbox) -> None:
    await mailbox.deliver(seen(1), seen(2), seen(4, B), times=3)
    assert totals(mailbox) == {("acme", A): 3, ("acme", B): 4}
    assert [o.data["total"] for o in mailbox.outbox()] == [3, 4]


async def test_an_event_twice_in_one_batch_counts_once_and_keeps_its_place(mailbox: Mailbox) -> None:
    first = seen(1)
    await mailbox.deliver(first, seen(2), first)
    assert totals(mailbox) == {("acme", A): 3}


async def test_a_poison_event_is_dead_lettered_alone_and_once(mailbox: Mailbox) -> None:
    bad = seen(-1)
    records = [mailbox.record("sightings", value(e), key="acme/x") for e in (seen(1), bad, seen(2), seen(4))]
    assert await mailbox.process(*records) == 1
    assert await mailbox.process(*records) == 0
    assert totals(mailbox) == {("acme", A): 7}
    (letter,) = mailbox.dead_letters()
    assert (letter.error_type, letter.error) == ("Poison", "seen a negative number of times")
    assert bytes(letter.value) == value(bad)
    (copy,) = [o for o in mailbox.outbox() if o.topic == "sightings-dlq"]
    assert copy.headers["dlq_original_topic"] == "sightings"
    assert copy.headers["dlq_consumer"] == "sample"
    assert copy.headers["dlq_original_offset"] == str(records[1].offset)


async def test_a_bug_is_tried_again_and_then_dead_lettered(mailbox: Mailbox) -> None:
    await mailbox.deliver(seen(1), seen(666), seen(2))
    assert totals(mailbox) == {("acme", A): 3}
    assert [row.error_type for row in mailbox.dead_letters()] == ["ZeroDivisionError"]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x00\xff not json", "undecodable"),
        (b"[]", "undecodable"),
        (b'{"specversion":"1.0"}', "undecodable"),
        (value(seen(1)).replace(b'"1.0"', b'"0.3"'), "undecodable"),
        (value(seen(1)).replace(b'"times":1', b'"times":"one"'), "schema-invalid"),
        (value(seen(1)).replace(b"thing.seen.v1", b"thing.sung.v1"), "unknown-type"),
        (b'{"x":"' + b"a" * MAX_EVENT_BYTES + b'"}', "oversized"),
    ],
)
async def test_garbage_is_dead_lettered_with_its_reason_and_the_rest_goes_on(
    mailbox: Mailbox, raw: bytes, reason: str
) -> None:
    records = [mailbox.record("sightings", v, key="acme/x") for v in (value(seen(1)), raw, value(seen(2)))]
    assert await mailbox.process(*records) == 1
    assert await mailbox.process(*records) == 0  # what comes again, as where a group is set back, halts nobody
    assert totals(mailbox) == {("acme", A): 3}
    (letter,) = mailbox.dead_letters()
    assert letter.error_type == reason


async def test_tombstones_and_ignored_types_pass_without_a_word(mailbox: Mailbox) -> None:
    missed = value(seen(1)).replace(b"thing.seen.v1", b"thing.missed.v1")
    await mailbox.process(mailbox.record("sightings", None), mailbox.record("sightings", missed))
    assert (totals(mailbox), mailbox.dead_letters()) == ({}, [])


async def test_binary_mode_is_read_too(mailbox: Mailbox) -> None:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(uuid7()).encode()),
        ("ce_type", b"thing.seen.v1"),
        ("ce_source", b"/test"),
        ("ce_time", b"2026-03-02T09:00:00Z"),
        ("ce_tenantid", b"acme"),
        ("ce_sequence", b"4"),
        ("content-type", b"application/json"),
    ]
    data = msgspec.json.encode(Seen(account_id=A, times=5))
    await mailbox.process(mailbox.record("sightings", data, headers=headers))
    assert totals(mailbox) == {("acme", A): 5}


async def test_sequences_are_dense_per_key_and_follow_the_order_of_emission(mailbox: Mailbox) -> None:
    for times in range(1, 4):
        await mailbox.deliver(seen(times), seen(times, B), seen(times, A, "umbrella"))
    rows = mailbox.outbox(Counted.event_type)
    by_key = {key: [r.sequence for r in rows if r.key == key] for key in {r.key for r in rows}}
    assert by_key == {f"acme/{A}": [1, 2, 3], f"acme/{B}": [1, 2, 3], f"umbrella/{A}": [1, 2, 3]}
    envelope = msgspec.json.decode(rows[-1].value or b"")
    assert envelope["sequence"] == 3
    assert envelope["specversion"] == "1.0"
    assert envelope["partitionkey"] == rows[-1].key


async def test_a_table_that_stays_locked_is_transient_changes_nothing_and_can_be_tried_again(
    mailbox: Mailbox, settings_as: Callable[..., Any], service: ServiceUnderTest, postgres: str, database_name: str
) -> None:
    database = Database(settings_as("worker", lock_timeout_ms=200), source="/sample-svc")
    await database.open()
    processor = BatchProcessor(database, service.subscriptions, consumer=service.name)
    record = mailbox.record("sightings", value(seen(1)))
    with psycopg.connect(address(postgres, role="postgres", database=database_name)) as other:
        other.execute("LOCK TABLE thing")
        with pytest.raises(OperationalError) as locked:
            await processor.process([record])
    assert is_transient(locked.value)
    assert (totals(mailbox), mailbox.dead_letters()) == ({}, [])
    await processor.process([record])
    assert totals(mailbox) == {("acme", A): 1}
    await database.close()


def test_what_speaks_of_the_surroundings_is_transient_and_a_bug_is_not() -> None:
    assert is_transient(TimeoutError())
    assert is_transient(OperationalError("", {}, Exception("server closed the connection")))
    assert not is_transient(ZeroDivisionError())
