"""Dead letters tried again on a real PostgreSQL: they take effect once, or stay with the new error."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sample.service import SUBSCRIPTIONS, Seen
from sqlalchemy.exc import OperationalError

from bellwether_kit.clock import FixedClock
from bellwether_kit.db import Database
from bellwether_kit.events import Event
from bellwether_kit.events.batches import BatchProcessor
from bellwether_kit.events.envelope import encode
from bellwether_kit.events.replays import Ask, discard, replay_timer, withdraw
from bellwether_kit.testing.databases import address
from bellwether_kit.testing.service import START, Mailbox
from bellwether_kit.timers import fire

THING = UUID(int=1)


def seen(times: int) -> bytes:
    event = Event.of(Seen(account_id=THING, times=times), tenant="acme", subject=str(THING), time=START)
    return encode(event, source="/test", sequence=1, correlation=None, traceparent=None)


def total(mailbox: Mailbox) -> int:
    return sum(row.total for row in mailbox.admin("SELECT total FROM thing"))


def repaired(database: Database) -> BatchProcessor:
    """The processor of a release whose handler takes what the old one could not."""

    async def lenient(uow: Any, events: Any) -> None:
        await SUBSCRIPTIONS[0].handler(  # type: ignore[misc]
            uow, [replace(event, data=type(event.data)(account_id=event.data.account_id, times=5)) for event in events]
        )

    counted = SUBSCRIPTIONS[0]
    rows = (replace(counted, handler=lenient), replace(counted, type="thing.sung.v1", handler=lenient))
    return BatchProcessor(database, rows, consumer="sample")


async def buried(mailbox: Mailbox, *values: bytes) -> list[Any]:
    """The dead letters of records with ``values``, one by one."""
    await mailbox.process(*[mailbox.record("sightings", value, key="acme/x") for value in values])
    letters = mailbox.dead_letters()
    assert len(letters) == len(values)
    return letters


@pytest.mark.parametrize("value", [seen(-1), seen(666), seen(1).replace(b"seen.v1", b"sung.v1")])
async def test_what_was_repaired_takes_effect_once(mailbox: Mailbox, database: Database, value: bytes) -> None:
    [letter] = await buried(mailbox, value)
    timer = replay_timer(repaired(database))
    assert mailbox.ask_replay(letter.id) == {letter.id}
    assert [await fire(database, timer), await fire(database, timer)] == [1, 0]
    assert mailbox.ask_replay(letter.id) == set()
    assert await fire(database, timer) == 0
    assert total(mailbox) == 5
    [after] = mailbox.dead_letters()
    assert (after.replay_outcome, after.replay_tries, after.replay_due_at) == ("done", 1, None)
    assert [(r["asked_by"], r["reason"], r["outcome"], r["error"]) for r in after.replays] == [
        ("tests", "a test", "done", None)
    ]
    assert [row.type for row in mailbox.outbox() if row.topic == "things"] == ["thing.counted.v1"]


async def test_the_record_that_comes_again_after_its_replay_changes_nothing(
    mailbox: Mailbox, database: Database
) -> None:
    value = seen(-1)
    [letter] = await buried(mailbox, value)
    mailbox.ask_replay(letter.id)
    await fire(database, replay_timer(repaired(database)))
    await repaired(database).process([mailbox.record("sightings", value)])
    assert total(mailbox) == 5


async def test_an_unreadable_record_whose_event_had_effect_by_another_since_counts_no_second_time(
    mailbox: Mailbox, database: Database
) -> None:
    value = seen(1).replace(b"seen.v1", b"sung.v1")
    [letter] = await buried(mailbox, value)
    await repaired(database).process([mailbox.record("sightings", value)])
    mailbox.ask_replay(letter.id)
    await fire(database, replay_timer(repaired(database)))
    assert (total(mailbox), mailbox.dead_letters()[0].replay_outcome) == (5, "done")


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (seen(-1), "Poison: seen a negative number of times"),
        (seen(666), "ZeroDivisionError: a bug"),
        (b"garbage", "Malformed: undecodable"),
    ],
)
async def test_what_still_cannot_be_handled_stays_one_dead_letter_and_may_be_asked_for_again(
    mailbox: Mailbox, value: bytes, error: str
) -> None:
    [letter] = await buried(mailbox, value)
    for tries in (1, 2):
        assert mailbox.ask_replay(letter.id) == {letter.id}
        assert await mailbox.fire_timers() == 1
        [after] = mailbox.dead_letters()
        assert (after.replay_outcome, after.replay_tries) == ("failed", tries)
        assert after.replays[-1]["error"].startswith(error)
    assert total(mailbox) == 0
    assert len([row for row in mailbox.outbox() if row.topic == "sightings-dlq"]) == 1
    await mailbox.process(mailbox.record("sightings", value))
    assert len(mailbox.dead_letters()) == (2 if value == b"garbage" else 1)


async def test_a_rehearsal_says_how_it_would_go_and_leaves_nothing(mailbox: Mailbox, database: Database) -> None:
    [letter] = await buried(mailbox, seen(-1))
    said = len(mailbox.outbox())
    mailbox.ask_replay(letter.id, rehearsal=True)
    await mailbox.fire_timers()
    mailbox.ask_replay(letter.id, rehearsal=True)
    await fire(database, replay_timer(repaired(database)))
    [after] = mailbox.dead_letters()
    assert [r["outcome"] for r in after.replays] == ["would-fail", "would-work"]
    assert (total(mailbox), len(mailbox.outbox())) == (0, said)
    await repaired(database).process([mailbox.record("sightings", bytes(letter.value))])
    assert total(mailbox) == 0, "its event is still marked as taken"
    assert mailbox.ask_replay(letter.id) == {letter.id}


async def test_replays_come_one_after_the_other_as_far_apart_as_was_said(
    mailbox: Mailbox, database: Database, clock: FixedClock
) -> None:
    letters = await buried(mailbox, seen(-1), seen(-2), seen(-3))
    ids = [letter.id for letter in letters]
    assert mailbox.ask_replay(*reversed(ids), uuid4(), apart=timedelta(seconds=10)) == set(ids)
    assert mailbox.ask_replay(*ids) == set(), "they wait already"
    timer = replay_timer(repaired(database))
    done = []
    for _ in range(3):
        done.append([await fire(database, timer), await fire(database, timer)])
        clock.advance(timedelta(seconds=10))
    assert done == [[1, 0]] * 3
    assert [row.replays[0]["outcome"] for row in mailbox.dead_letters()] == ["done"] * 3
    assert total(mailbox) == 15


async def test_what_waits_can_be_withdrawn_and_what_is_settled_discarded(mailbox: Mailbox, database: Database) -> None:
    one, two = [letter.id for letter in await buried(mailbox, seen(-1), seen(-2))]
    mailbox.ask_replay(one)
    who = Ask("tests", "never meant", START)
    with psycopg.connect(database.dsn, autocommit=True) as worker:
        assert discard(worker, [one, two], who) == {two}, "what waits for a try is not discarded"
        assert [withdraw(worker, [one, two]), withdraw(worker, [one, two])] == [1, 0]
        assert [discard(worker, [one, two], who), discard(worker, [one, two], who)] == [{one}, set()]
    assert await mailbox.fire_timers() == 0
    assert {row.replays[-1]["reason"] for row in mailbox.dead_letters()} == {"never meant"}
    assert mailbox.ask_replay(one) == {one}


async def test_a_table_that_is_locked_leaves_the_replay_due(
    mailbox: Mailbox, settings_as: Callable[..., Any], database: Database, database_name: str, postgres: str
) -> None:
    [letter] = await buried(mailbox, seen(-1))
    mailbox.ask_replay(letter.id)
    hurried = Database(settings_as("worker", lock_timeout_ms=200), source="/sample-svc", clock=database.clock)
    await hurried.open()
    with psycopg.connect(address(postgres, role="postgres", database=database_name)) as other:
        other.execute("LOCK TABLE thing")
        with pytest.raises(OperationalError, match="lock timeout"):
            await fire(hurried, replay_timer(repaired(hurried)))
    await hurried.close()
    [after] = mailbox.dead_letters()
    assert (after.replay_due_at, after.replay_tries) == (START, 0)
    assert await fire(database, replay_timer(repaired(database))) == 1
    assert total(mailbox) == 5
