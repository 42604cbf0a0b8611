"""Dead letters that are tried again because a person asked: by the consumer's own worker, and not over Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import Row, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from bellwether_kit.db.tables import DeadLetterColumns
from bellwether_kit.db.unit_of_work import UnitOfWork
from bellwether_kit.events.batches import BatchProcessor, is_transient
from bellwether_kit.events.envelope import Malformed
from bellwether_kit.faults import fault_point
from bellwether_kit.timers import Timer

log = structlog.get_logger(__name__)

_TRIED = text("""
    UPDATE dead_letter SET replay_due_at = NULL, replay_outcome = :outcome, replay_tries = replay_tries + 1,
        replays = replays || jsonb_build_object('asked_at', replay_asked_at, 'asked_by', replay_asked_by,
            'reason', replay_reason, 'ended_at', clock_timestamp(), 'outcome', CAST(:outcome AS text),
            'error', CAST(:error AS text))
    WHERE id = :id
""")

_ASK = """
    WITH open AS MATERIALIZED (
        SELECT id, received_at, topic, partition, "offset" FROM dead_letter
        WHERE id = ANY(%(ids)s) AND replay_due_at IS NULL AND replay_outcome IS DISTINCT FROM 'done'
        FOR UPDATE
    ), placed AS (
        SELECT id, row_number() OVER (ORDER BY topic, partition, "offset", received_at) - 1 AS place FROM open
    )
    UPDATE dead_letter AS d SET replay_asked_at = %(now)s, replay_asked_by = %(by)s, replay_reason = %(reason)s,
        replay_rehearsal = %(rehearsal)s, replay_due_at = %(now)s + placed.place * %(apart)s
    FROM placed WHERE placed.id = d.id
    RETURNING d.id
"""
_WITHDRAW = "UPDATE dead_letter SET replay_due_at = NULL WHERE id = ANY(%(ids)s) AND replay_due_at IS NOT NULL"
_DISCARD = """
    UPDATE dead_letter SET replay_asked_at = %(now)s, replay_asked_by = %(by)s, replay_reason = %(reason)s,
        replay_outcome = 'discarded',
        replays = replays || jsonb_build_object('asked_at', %(now)s::timestamptz, 'asked_by', %(by)s::text,
            'reason', %(reason)s::text, 'ended_at', clock_timestamp(), 'outcome', 'discarded')
    WHERE id = ANY(%(ids)s) AND replay_due_at IS NULL
        AND (replay_outcome IS NULL OR replay_outcome NOT IN ('done', 'discarded'))
    RETURNING id
"""


class _Table(SQLModel, registry=registry()):
    """Of the kit alone: a service's own table of the same name lies in the service's registry."""


class _DeadLetter(DeadLetterColumns, _Table, table=True):
    """What the timer reads, in whichever service it runs."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as a dead letter keeps it, in the form in which the Kafka client hands records out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @classmethod
    def of(cls, row: Any) -> "Stored":
        """The record of a row of ``dead_letter``; those from before timestamps were kept have 0."""
        headers = [(name, value.encode()) for name, value in row.headers.items()]
        return cls(row.topic, row.partition, row.offset, row.timestamp or 0, row.key, row.value, headers)


class _Rehearsed(Exception):
    """Undoes what a rehearsal did, once it worked."""


def replay_timer(processor: BatchProcessor) -> Timer:
    """The timer that tries dead letters whose replay is due, each in one transaction with its outcome."""

    async def again(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            await _try(processor, uow, row)

    return Timer("dead-letters", _DeadLetter, _DeadLetter.replay_due_at, again, batch=1)


async def _try(processor: BatchProcessor, uow: UnitOfWork, row: Row[Any]) -> None:
    """Handle the row's record and note how it went; raises what is transient, and the row stays due."""
    outcome, error = "done", None
    try:
        async with uow.attempt():
            await processor.redo(uow, Stored.of(row), was_taken=row.error_type not in Malformed.KINDS)
            fault_point("in-replay")
            if row.replay_rehearsal:
                raise _Rehearsed  # noqa: TRY301 (raising is how an attempt is undone)
    except _Rehearsed:
        outcome = "would-work"
    except Exception as problem:
        if is_transient(problem):
            raise
        outcome = "would-fail" if row.replay_rehearsal else "failed"
        error = f"{type(problem).__name__}: {problem}"[:2_000].replace("\x00", "")
    await uow.session.execute(_TRIED, {"id": row.id, "outcome": outcome, "error": error})
    log.info(
        "dead_letter.tried",
        dead_letter=str(row.id),
        outcome=outcome,
        error=error,
        asked_by=row.replay_asked_by,
        reason=row.replay_reason,
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """Who wants dead letters tried again, or discarded, and why; ``at`` is by the clock that workers go by."""

    by: str
    reason: str
    at: datetime


def ask(
    connection: psycopg.Connection[Any],
    ids: Sequence[UUID],
    who: Ask,
    *,
    apart: timedelta = timedelta(),
    rehearsal: bool = False,
) -> set[UUID]:
    """Have dead letters tried again, ``apart`` from each other in the order of their records.

    A ``rehearsal`` is undone once it is known how it goes. Gives the ids that were asked for: those that are done, that
    wait for a try already, or that nobody knows are left as they are. ``connection`` is that of the worker's role.
    """
    more = {"apart": apart, "rehearsal": rehearsal}
    return _change(connection, _ASK, ids, who, more)


def withdraw(connection: psycopg.Connection[Any], ids: Sequence[UUID]) -> int:
    """Take back what was asked for and not tried yet; gives how many there were."""
    return connection.execute(_WITHDRAW, {"ids": list(ids)}).rowcount


def discard(connection: psycopg.Connection[Any], ids: Sequence[UUID], who: Ask) -> set[UUID]:
    """Settle that dead letters will not be tried; gives those that were open. They may be asked for again."""
    return _change(connection, _DISCARD, ids, who, {})


def _change(
    connection: psycopg.Connection[Any], statement: str, ids: Sequence[UUID], who: Ask, more: Mapping[str, object]
) -> set[UUID]:
    given = {"ids": list(ids), "by": who.by, "reason": who.reason, "now": who.at}
    with connection.transaction():
        return {row[0] for row in connection.execute(statement, given | dict(more)).fetchall()}
