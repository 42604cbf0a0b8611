"""The consumer loop: polled batch → processor → explicit offset commit, through rebalances, outages and poison."""

import asyncio
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from bellwether_kit.events.batches import BatchProcessor, is_transient
from bellwether_kit.events.dead_letters import DeadLetterLimit, TooManyDeadLetters
from bellwether_kit.events.kafka import new_consumer, new_inquirer
from bellwether_kit.faults import fault_point
from bellwether_kit.metrics import BATCH_SECONDS, CONSUMED, DEAD_LETTERED

if TYPE_CHECKING:
    from bellwether_kit.settings import KafkaSettings

log = structlog.get_logger(__name__)

LANES = 2
MAX_BATCH = 10_000
"""Records that are polled at once: about 5,000 for each lane's transaction when there is a backlog."""
WORTH_A_LANE = 250
"""Records: below this a transaction of their own costs more than it gives."""
POLL_MS = 200
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 30.0
REVOKE_SECONDS = 8.0
LEAVE_SECONDS = 3.0


class _Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """Stops the loop from taking work while partitions move, and lets what is in hand finish first."""

    def __init__(self) -> None:
        self.in_hand = asyncio.Lock()
        self.generation = 0
        self.committed: dict[TopicPartition, int] = {}
        """By us, since partitions moved last: one that comes back was served by another in between."""
        self.settled = asyncio.Event()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.settled.clear()
        fault_point("in-revoke")
        try:
            async with asyncio.timeout(REVOKE_SECONDS), self.in_hand:
                pass
        except TimeoutError:
            log.warning("consumer.revoked_with_work_in_hand", partitions=len(list(revoked)))
        self.generation += 1
        self.committed.clear()

    async def is_settled(self) -> bool:
        """Whether partitions are ours now; waits one poll interval for it."""
        try:
            async with asyncio.timeout(POLL_MS / 1000):
                return await self.settled.wait()
        except TimeoutError:
            return False

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        log.info("consumer.assigned", partitions=len(list(assigned)))
        self.settled.set()


class ConsumerLoop:
    """Runs one group member until it is asked to stop. ``progressed_at`` is what the watchdog looks at."""

    def __init__(self, settings: "KafkaSettings", processor: BatchProcessor, *, group: str) -> None:
        self._settings = settings
        self._processor = processor
        self._group = group
        self._stopping = asyncio.Event()
        self._limit = DeadLetterLimit()
        self._assignment = _Assignment()
        self._consumer: AIOKafkaConsumer | None = None
        self._inquirer: AIOKafkaConsumer | None = None
        self.progressed_at = time.monotonic()
        self.halted: str | None = None
        self.handled = 0

    def stop(self) -> None:
        """Take no more work; :meth:`run` returns when what is in hand is committed."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until :meth:`stop`, building the client anew after any error of it.

        Returns early, with ``halted`` saying why, when there is more poison than single bad records explain.
        """
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._session()
                failures = 0
            except TooManyDeadLetters as error:
                self.halted = str(error)
                log.critical("consumer.halted", reason=self.halted)
                return
            except (KafkaError, OSError, TimeoutError, RuntimeError) as error:
                failures += 1
                log.warning("consumer.rebuilt", error=repr(error), failures=failures)
                await self._pause(failures)

    async def _session(self) -> None:
        self._assignment = _Assignment()
        consumer, inquirer = new_consumer(self._settings, self._group), new_inquirer(self._settings)
        try:
            async with asyncio.timeout(30):
                await consumer.start()
                await inquirer.start()
            consumer.subscribe(self._processor.topics, listener=self._assignment)
            self._consumer, self._inquirer = consumer, inquirer
            await self._poll(consumer)
        finally:
            self._consumer = self._inquirer = None
            await asyncio.gather(stop_within(consumer, LEAVE_SECONDS), stop_within(inquirer, LEAVE_SECONDS))

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        failures = 0
        while not self._stopping.is_set():
            if not await self._assignment.is_settled():
                continue
            async with self._assignment.in_hand:
                polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_BATCH)
                if not polled:
                    continue
                generation = self._assignment.generation
                try:
                    await self._handle(consumer, polled, generation)
                    failures = 0
                    continue
                except Exception as error:
                    if not is_transient(error):
                        raise
                    failures += 1
                    log.warning("consumer.waits", error=repr(error), failures=failures)
                    self._seek_back(consumer, polled)
                    # Waiting for the database is being alive: there is nothing a restart would mend.
                    self.progressed_at = time.monotonic()
            await self._pause(failures)

    async def _handle(
        self, consumer: AIOKafkaConsumer, polled: dict[TopicPartition, Sequence[Any]], generation: int
    ) -> None:
        count = sum(map(len, polled.values()))
        started = time.perf_counter()
        bad = await self._process(lanes_of(polled))
        BATCH_SECONDS.observe(time.perf_counter() - started)
        CONSUMED.inc(count)
        DEAD_LETTERED.inc(bad)
        fault_point("before-offset-commit")
        await self._commit(consumer, {tp: part[-1].offset + 1 for tp, part in polled.items()}, generation)
        self.handled += count
        self.progressed_at = time.monotonic()
        self._limit.record(good=count - bad, bad=bad)

    async def _process(self, lanes: Sequence[Sequence[Any]]) -> int:
        """Handle lanes side by side, each in its own transaction; gives how many records were dead-lettered.

        All end before an error is raised, and then all are handed over again: what took effect does not do so twice.
        """
        ended = await asyncio.gather(*map(self._processor.process, lanes), return_exceptions=True)
        errors = [error for error in ended if isinstance(error, BaseException)]
        if errors:
            raise next((error for error in errors if not is_transient(error)), errors[0])
        return sum(bad for bad in ended if isinstance(bad, int))

    async def _commit(self, consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int], generation: int) -> None:
        """Commit ``offsets`` unless they belong to an assignment that is gone: its new owner redoes the work."""
        if generation != self._assignment.generation:
            return
        try:
            await consumer.commit(offsets)
            self._assignment.committed.update(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            log.info("consumer.commit_dropped", error=repr(error))

    def _seek_back(self, consumer: AIOKafkaConsumer, polled: dict[TopicPartition, Sequence[Any]]) -> None:
        for tp, records in polled.items():
            if tp in consumer.assignment():
                consumer.seek(tp, records[0].offset)

    async def _pause(self, failures: int) -> None:
        seconds = min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** (failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    @property
    def joined(self) -> bool:
        """Whether a client of ours speaks to the broker at present."""
        return self._consumer is not None

    async def lag(self) -> int | None:
        """Records of our partitions that are not handled yet; None without an assignment."""
        consumer, inquirer = self._consumer, self._inquirer
        if consumer is None or inquirer is None or not consumer.assignment():
            return None
        ends = await inquirer.end_offsets(sorted(consumer.assignment()))
        return sum([int(end) - await self._done_up_to(consumer, tp) for tp, end in ends.items()])

    async def _done_up_to(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
        """The offset of the first record of ``tp`` that is not committed: where it starts, if we polled none yet."""
        done = self._assignment.committed.get(tp)
        return done if done is not None else int(await consumer.position(tp))


def lanes_of(polled: Mapping[TopicPartition, Sequence[Any]]) -> list[list[Any]]:
    """What is to be handled side by side: everything, or two lanes once that is much.

    While one waits for the database, the other one computes. A lane has all topics' partitions of some numbers: topics
    have six or twelve, so that what is said of one account on any of them is in one lane.
    """
    lanes: list[list[Any]] = [[] for _ in range(LANES)]
    few = sum(map(len, polled.values())) < LANES * WORTH_A_LANE
    for tp, records in polled.items():
        lanes[0 if few else tp.partition % LANES] += records
    return [lane for lane in lanes if lane]


async def stop_within(client: Any, seconds: float) -> None:
    """Stop an aiokafka client; one that does not stop in time is left behind, never waited for."""
    try:
        async with asyncio.timeout(seconds):
            await client.stop()
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("kafka.client_left_behind", error=repr(error))
