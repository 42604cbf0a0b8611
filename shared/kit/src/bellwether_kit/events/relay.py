"""Publishing what the outbox holds, in order per key, at least once. One relay per database is active at a time."""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from bellwether_kit.arrays import array
from bellwether_kit.events.announcer import CHANNEL
from bellwether_kit.events.consumer import stop_within
from bellwether_kit.events.envelope import CONTENT_TYPE
from bellwether_kit.events.kafka import new_producer
from bellwether_kit.faults import fault_point
from bellwether_kit.metrics import PUBLISHED

if TYPE_CHECKING:
    from bellwether_kit.settings import KafkaSettings

log = structlog.get_logger(__name__)

PAGE = 2_000
POLL_SECONDS = 0.25
SEND_SECONDS = 15.0
STOP_SECONDS = 3.0
LOOK_SECONDS = 2.0
ABSENT_SECONDS = 10.0
TURN = 250
"""Records that are handed to the producer before others have their turn on the loop."""

_PAGE = """
    SELECT id, topic, key, type, event_id::text, value, NULLIF(headers, '{}') FROM outbox
    WHERE published_at IS NULL AND topic <> ALL(%s) AND id NOT IN (SELECT unnest(CAST(%s::text AS bigint[])))
    ORDER BY id LIMIT %s
"""
"""Not IN a subquery, which is hashed: ALL of a parameter would be gone through for each row."""
_MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(CAST(%s::text AS bigint[]))"

Row = tuple[int, str, str, str, Any, bytes | None, dict[str, str] | None]


class Relay:
    """Holds the database's relay lock and publishes page after page; without the lock it stands by."""

    def __init__(self, settings: "KafkaSettings", dsn: str, *, source: str) -> None:
        self._settings = settings
        self._dsn = dsn
        self._source = source.encode()
        self._stopping = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._absent: dict[str, float] = {}
        self.published = 0
        self.leads = False

    def stop(self) -> None:
        """Finish the page in hand and return from :meth:`run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish until :meth:`stop`; a lost database or broker only makes it wait."""
        while not self._stopping.is_set():
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                    await self._lead(db)
            except (psycopg.Error, OSError) as error:
                self.leads = False
                log.warning("relay.database_away", error=repr(error))
                await self._rest(1.0)
        await self._drop_producer()

    async def _lead(self, db: psycopg.AsyncConnection[Any]) -> None:
        while not self._stopping.is_set():
            row = await (await db.execute("SELECT pg_try_advisory_lock(hashtext('bellwether-relay'))")).fetchone()
            if row and row[0]:
                break
            await self._rest(1.0)
        self.leads = not self._stopping.is_set()
        await db.execute(f"LISTEN {CHANNEL}")
        while not self._stopping.is_set():
            try:
                if not await self.publish(db):
                    await _listen(db)
            except (KafkaError, TimeoutError, OSError) as error:
                # A producer that failed once may never recover (aiokafka #1017): a new one reads the unsent rows.
                log.warning("relay.producer_rebuilt", error=repr(error))
                await self._drop_producer()
                await self._rest(1.0)

    async def publish(self, db: psycopg.AsyncConnection[Any]) -> int:
        """Send the unsent rows, oldest first, and mark those that every replica has; gives how many were sent.

        Goes on from page to page while there is more: as a page is sent, the one before is marked and the next one
        read. Rows for a topic that the broker does not have, or hides from us, wait for it; they hold up no other.
        """
        count = 0
        sent: list[int] = []
        rows = await self._read(db, ())
        while rows:
            following = asyncio.create_task(self._mark_and_read(db, sent, rows))
            try:
                sent, failure = await self._send_page(rows)
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError):
                    following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                raise
            ahead = await following
            count += len(sent)
            complete = len(sent) == len(rows)  # else what was read ahead would overtake what was left behind
            rows = ahead if complete and not self._stopping.is_set() else []
            if rows:
                await db.execute("SELECT")  # the lock is ours while its connection answers: no other relay publishes
            else:
                await self._mark(db, sent)
            if failure is not None:
                raise failure
        return count

    async def _mark_and_read(
        self, db: psycopg.AsyncConnection[Any], sent: Sequence[int], in_hand: Sequence[Row]
    ) -> Sequence[Row]:
        """What comes after the page in hand: nothing, for now, where that one was not full."""
        await self._mark(db, sent)
        return await self._read(db, [row[0] for row in in_hand]) if len(in_hand) == PAGE else ()

    async def _read(self, db: psycopg.AsyncConnection[Any], in_hand: Sequence[int]) -> Sequence[Row]:
        """The oldest unsent rows but those in hand. Never those after an id: a lower one may be committed later."""
        left_out = [topic for topic, until in self._absent.items() if until > time.monotonic()]
        async with db.cursor(binary=True) as cursor:
            await cursor.execute(_PAGE, [left_out, array(in_hand), PAGE])
            return await cursor.fetchall()

    async def _mark(self, db: psycopg.AsyncConnection[Any], sent: Sequence[int]) -> None:
        if sent:
            await db.execute(_MARK, [array(sent)])
            self.published += len(sent)
            PUBLISHED.inc(len(sent))

    async def _send_page(self, rows: Sequence[Row]) -> tuple[list[int], BaseException | None]:
        """The ids of those rows that every replica has, and what the first other one failed with."""
        producer = await self._ready_producer()
        topics = await self._present(producer, {row[1] for row in rows})
        rows = [row for row in rows if row[1] in topics]
        futures = []
        async with asyncio.timeout(SEND_SECONDS):
            for place, row in enumerate(rows):
                if place % TURN == 0:
                    await asyncio.sleep(0)
                futures.append(await self._send(producer, row))
            results = await asyncio.gather(*futures, return_exceptions=True)
        fault_point("after-produce")
        return _prefix_per_key(rows, results)

    async def _present(self, producer: AIOKafkaProducer, topics: Collection[str]) -> set[str]:
        """Those of ``topics`` that the broker has; the others are left out for a while.

        Raises where it has none of them: then the producer may be to blame, and a new one must look.
        """
        found = await asyncio.gather(*(_is_there(producer, topic) for topic in topics))
        present = {topic for topic, there in zip(topics, found, strict=True) if there}
        for topic in set(topics) - present:
            log.error("relay.topic_missing", topic=topic)
            self._absent[topic] = time.monotonic() + ABSENT_SECONDS
        if not present:
            raise UnknownTopicOrPartitionError
        return present

    async def _send(self, producer: AIOKafkaProducer, row: Row) -> "asyncio.Future[Any]":
        _, topic, key, type_, event_id, value, extra = row
        if extra:
            headers = [(name, text.encode()) for name, text in extra.items()]
        else:
            headers = [
                ("content-type", CONTENT_TYPE.encode()),
                ("ce_id", str(event_id).encode()),
                ("ce_type", type_.encode()),
                ("ce_source", self._source),
                ("ce_specversion", b"1.0"),
            ]
        sent: asyncio.Future[Any]
        try:
            sent = await producer.send(topic, value=value, key=key.encode(), headers=headers)
        except MessageSizeTooLargeError as error:  # raised here and not by the future: only this row's stream must wait
            sent = asyncio.get_running_loop().create_future()
            sent.set_exception(error)
        return sent

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = new_producer(self._settings)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await producer.start()
            except BaseException:
                await stop_within(producer, STOP_SECONDS)
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await stop_within(producer, STOP_SECONDS)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return


async def _listen(db: psycopg.AsyncConnection[Any]) -> None:
    """Wait for a word that there is more, for one poll interval at the most."""
    async for _ in db.notifies(timeout=POLL_SECONDS, stop_after=1):
        return


async def _is_there(producer: AIOKafkaProducer, topic: str) -> bool:
    """Ask the client's own metadata first, then the broker for a moment; ``send`` would wait much longer."""
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return bool(await producer.partitions_for(topic))
    except TopicAuthorizationFailedError:
        log.warning("relay.topic_forbidden", topic=topic)
        return False
    except (TimeoutError, UnknownTopicOrPartitionError):
        return False


def _prefix_per_key(rows: Sequence[Row], results: Sequence[Any]) -> tuple[list[int], BaseException | None]:
    """The ids that may be marked: per topic and key, those before the first failure; and the first failure."""
    broken: set[tuple[str, str]] = set()
    sent: list[int] = []
    failure: BaseException | None = None
    for row, result in zip(rows, results, strict=True):
        stream = row[1], row[2]
        if isinstance(result, BaseException):
            broken.add(stream)
            failure = failure or result
        elif stream not in broken:
            sent.append(row[0])
    return sent, failure
