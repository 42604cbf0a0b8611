"""Where records go that can't be handled: a row with the whole record, and a copy on ``<topic>-dlq``."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec
from sqlalchemy import text

from bellwether_kit.db.unit_of_work import UnitOfWork
from bellwether_kit.events.outbox import RawRecord
from bellwether_kit.faults import fault_point

_INSERT = text("""
    INSERT INTO dead_letter
        (id, consumer, topic, partition, "offset", timestamp, key, value, headers, error_type, error, received_at)
    SELECT id, :consumer, topic, partition, "offset", timestamp, key, value, CAST(headers AS jsonb), error_type, error,
        clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]),
                CAST(:timestamps AS bigint[]), CAST(:keys AS bytea[]), CAST(:values AS bytea[]),
                CAST(:headers AS text[]), CAST(:error_types AS text[]), CAST(:errors AS text[]))
         AS d(id, topic, partition, "offset", timestamp, key, value, headers, error_type, error)
    ON CONFLICT DO NOTHING
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A Kafka record with the reason why it can't be handled."""

    record: Any
    error_type: str
    error: str

    def id(self, consumer: str) -> UUID:
        """The same for every delivery of the record to ``consumer``, so that it is dead-lettered once."""
        r = self.record
        return uuid5(NAMESPACE_OID, f"{consumer}/{r.topic}/{r.partition}/{r.offset}/{r.timestamp}")


class TooManyDeadLetters(RuntimeError):
    """More poison than single bad records explain: the consumer stops, so that a person looks."""


class DeadLetterLimit:
    """Counts poison among the last 1,000 records: more than 10 of them, or 20 in a row, is too much."""

    def __init__(self, *, window: int = 1_000, share: float = 0.01, in_a_row: int = 20) -> None:
        self._recent: deque[bool] = deque(maxlen=window)
        self._most = int(window * share)
        self._in_a_row = in_a_row
        self._run = 0

    def record(self, *, good: int, bad: int) -> None:
        """Count a batch; raises :class:`TooManyDeadLetters` past the limit."""
        self._recent.extend([False] * good + [True] * bad)
        self._run = self._run + bad if not good else bad
        if self._run >= self._in_a_row or sum(self._recent) > self._most:
            raise TooManyDeadLetters(f"{sum(self._recent)} dead letters in the last {len(self._recent)} records")


def _text_headers(record: Any) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in record.headers}


async def bury(uow: UnitOfWork, consumer: str, rejected: Sequence[Rejected]) -> int:
    """Store ``rejected`` in the unit of work and emit their copies, each once however often it is delivered.

    Gives how many were not there yet.
    """
    if not rejected:
        return 0
    fault_point("in-dead-letter")
    by_id = {item.id(consumer): item for item in rejected}
    records = [item.record for item in by_id.values()]
    stored = await uow.session.execute(
        _INSERT,
        {
            "consumer": consumer,
            "ids": list(by_id),
            "topics": [r.topic for r in records],
            "partitions": [r.partition for r in records],
            "offsets": [r.offset for r in records],
            "timestamps": [r.timestamp for r in records],
            "keys": [r.key for r in records],
            "values": [r.value for r in records],
            "headers": [msgspec.json.encode(_text_headers(r)).decode() for r in records],
            "error_types": [item.error_type for item in by_id.values()],
            "errors": [item.error[:2_000].replace("\x00", "") for item in by_id.values()],
        },
    )
    fresh = sorted(stored.scalars())
    uow.emit(*(_copy(id_, by_id[id_], consumer) for id_ in fresh))
    return len(fresh)


def _copy(id_: UUID, item: Rejected, consumer: str) -> RawRecord:
    record = item.record
    return RawRecord(
        id_,
        f"{record.topic}-dlq",
        (record.key or b"").decode(errors="replace").replace("\x00", ""),
        record.value,
        _text_headers(record)
        | {
            "dlq_original_topic": record.topic,
            "dlq_original_partition": str(record.partition),
            "dlq_original_offset": str(record.offset),
            "dlq_original_timestamp": str(record.timestamp),
            "dlq_consumer": consumer,
            "dlq_error_type": item.error_type,
            "dlq_error": item.error[:2_000].replace("\x00", ""),
        },
    )
