"""Draining a topic of evidence by processes of their own: the events, the contestants, and how fast they are."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from evidence import records
from rich.progress import track
from stacks import memory

from bellwether.engines.ports import free_ports
from bellwether.home import repository_root
from bellwether.stack import Stack
from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision

TOPIC = "client-evidence"
HERE = Path(__file__).parent

Measured = tuple[float, list[float]]
"""Events/s of all processes together, and the MiB that each of them held at the end."""


async def fill(bootstrap: str, count: int, accounts: int) -> None:
    """Put the events on the topic, and make the topics that those beside us produce to."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(f"{TOPIC}-{name}", 6, 1) for name in ("floor", "per-message")])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, compression_type="lz4")
    await producer.start()
    for key, value in track(records(count, accounts), total=count, description="Producing events"):
        await producer.send(TOPIC, value, key=key)
    await producer.stop()


async def rewind(bootstrap: str, group: str) -> None:
    """Let ``group`` start at the beginning again."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(TOPIC, p) for p in range(12)]
    consumer.assign(partitions)
    await consumer.commit(dict.fromkeys(partitions, 0))
    await consumer.stop()


class Drain:
    """Processes of one consumer group, just started, and the log of all that they say; see `draining`."""

    def __init__(
        self, bootstrap: str, group: str, processes: Sequence[subprocess.Popen[bytes]], log: IO[bytes]
    ) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._processes = processes
        self._log = log
        self.started = time.perf_counter()

    async def until(self, count: int, *, members: int = 1) -> tuple[int, float]:
        """Wait until so many records are committed and so many members share the partitions.

        Gives how many records it were then, and the time of ``perf_counter``. Raises RuntimeError, with what they
        said last, once one of the processes failed.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            while True:
                done = await self._committed(admin)
                if done >= count and (members == 1 or await self._members(admin) == members):
                    return done, time.perf_counter()
                self._check()
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    def held(self) -> list[float]:
        """MiB of memory that each of the processes holds."""
        return [memory(process.pid) for process in self._processes]

    def end(self) -> None:
        """Ask the processes to end, and make them."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()

    async def _committed(self, admin: AIOKafkaAdminClient) -> int:
        offsets = await admin.list_consumer_group_offsets(self._group)
        return sum(o.offset for tp, o in offsets.items() if tp.topic == TOPIC)

    async def _members(self, admin: AIOKafkaAdminClient) -> int:
        """Members of a group that is not just sharing its partitions out; 0 of one that is."""
        (answer,) = await admin.describe_consumer_groups([self._group])
        _, _, state, _, _, members, *_ = answer.groups[0]
        return len(members) if state == "Stable" else 0

    def _check(self) -> None:
        if any(process.poll() for process in self._processes):
            size = self._log.seek(0, os.SEEK_END)
            self._log.seek(max(0, size - 2_000))
            raise RuntimeError(f"{self._group} failed: {self._log.read().decode(errors='replace')}")


@contextmanager
def draining(
    stack: Stack, command: list[str], group: str, environments: Sequence[Mapping[str, str]] = ({},)
) -> Iterator[Drain]:
    """``command`` from the beginning of the topic on, as one process for each of ``environments``."""
    asyncio.run(rewind(stack.layout.kafka_bootstrap, group))
    with TemporaryFile() as log:
        processes = [subprocess.Popen(command, env=os.environ | e, stdout=log, stderr=log) for e in environments]
        drain = Drain(stack.layout.kafka_bootstrap, group, processes, log)
        try:
            yield drain
        finally:
            drain.end()


def scoring_workers(stack: Stack, count: int = 1) -> AbstractContextManager[Drain]:
    """So many scoring workers on an empty, migrated database."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS scoring WITH (FORCE)")
    provision(layout.postgres_url, "scoring")
    upgrade(layout.database_url("scoring", "owner"), repository_root() / "services/scoring-svc/migrations")
    environments = [
        {
            "BELLWETHER_KAFKA_BOOTSTRAP": layout.kafka_bootstrap,
            "BELLWETHER_SCORING_DATABASE_URL": layout.database_url("scoring", "worker"),
            "BELLWETHER_SCORING_WORKER_PORT": str(port),
            "BELLWETHER_LOG_LEVEL": "warning",
        }
        for port in free_ports(count)
    ]
    return draining(stack, [sys.executable, "-m", "scoring_svc.worker"], "scoring", environments)


def ours(stack: Stack, total: int) -> Measured:
    """One scoring worker; from its start until all is committed."""
    with scoring_workers(stack) as drain:
        return _from_start(drain, total)


def floor(stack: Stack, total: int) -> Measured:
    """The floor on empty tables; from its start until all is committed."""
    with draining(stack, _program(stack, "floor"), "floor") as drain:
        return _from_start(drain, total)


def per_message(stack: Stack, total: int) -> Measured:
    """The contestant that takes one message at a time on empty tables; until ``total`` messages are committed.

    Timed from its first commit on: of a slice its start would be a good part, and that is not what is compared.
    """
    with draining(stack, _program(stack, "per_message"), "per-message") as drain:
        first, began = asyncio.run(drain.until(1))
        done, ended = asyncio.run(drain.until(total))
        return (done - first) / (ended - began), drain.held()


def _from_start(drain: Drain, total: int) -> Measured:
    done, ended = asyncio.run(drain.until(total))
    return done / (ended - drain.started), drain.held()


def _program(stack: Stack, name: str) -> list[str]:
    """The command of a program in this folder, whose tables are empty then."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute(f"DROP TABLE IF EXISTS {name}_ledger, {name}_account")
    words = ["--bootstrap", layout.kafka_bootstrap, "--dsn", layout.postgres_url, "--topic", TOPIC]
    return [sys.executable, str(HERE / f"{name}.py"), *words, "--group", name.replace("_", "-")]
