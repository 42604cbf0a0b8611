"""Draining a topic of evidence by processes of their own: the events, the contestants, and how fast they are."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

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
    """Processes of one consumer group, whose output goes to one log; they end with the context of `draining`."""

    def __init__(self, bootstrap: str, group: str, processes: Sequence[subprocess.Popen[bytes]], log: Path) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self.processes = processes
        self._log = log

    async def until(self, count: int) -> tuple[int, float]:
        """Wait until so many records are committed: how many it were then, and the time of ``perf_counter``.

        Raises RuntimeError, with what the log says last, once one of the processes failed.
        """
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            while True:
                offsets = await admin.list_consumer_group_offsets(self._group)
                done = sum(o.offset for tp, o in offsets.items() if tp.topic == TOPIC)
                if done >= count:
                    return done, time.perf_counter()
                if any(process.poll() for process in self.processes):
                    raise RuntimeError(f"{self._group} failed: {self._log.read_text()[-2_000:]}")
                await asyncio.sleep(0.05)
        finally:
            await admin.close()


@contextmanager
def draining(
    stack: Stack, command: list[str], group: str, environments: Sequence[Mapping[str, str]] = ({},)
) -> Iterator[Drain]:
    """``command`` from the beginning of the topic on, as one process for each of ``environments``."""
    bootstrap = stack.layout.kafka_bootstrap
    asyncio.run(rewind(bootstrap, group))
    log = stack.home.logs / f"bench-{group}.log"
    with log.open("ab") as said:
        processes = [
            subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
            for environment in environments
        ]
    try:
        yield Drain(bootstrap, group, processes, log)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()


def ours(stack: Stack, total: int, *, workers: int = 1) -> Measured:
    """Scoring workers on an empty, migrated database; from their start until all is committed."""
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
        for port in free_ports(workers)
    ]
    started = time.perf_counter()
    with draining(stack, [sys.executable, "-m", "scoring_svc.worker"], "scoring", environments) as drain:
        return _from_start(drain, started, total)


def floor(stack: Stack, total: int) -> Measured:
    """The floor on empty tables; from its start until all is committed."""
    started = time.perf_counter()
    with draining(stack, _program(stack, "floor"), "floor") as drain:
        return _from_start(drain, started, total)


def per_message(stack: Stack, total: int) -> Measured:
    """The contestant that takes one message at a time on empty tables; until ``total`` messages are committed.

    Timed from its first commit on: of a slice its start would be a good part, and that is not what is compared.
    """
    with draining(stack, _program(stack, "per_message"), "per-message") as drain:
        first, began = asyncio.run(drain.until(1))
        done, ended = asyncio.run(drain.until(total))
        return (done - first) / (ended - began), [memory(process.pid) for process in drain.processes]


def _from_start(drain: Drain, started: float, total: int) -> Measured:
    done, ended = asyncio.run(drain.until(total))
    return done / (ended - started), [memory(process.pid) for process in drain.processes]


def _program(stack: Stack, name: str) -> list[str]:
    """The command of a program in this folder, whose tables are empty then."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute(f"DROP TABLE IF EXISTS {name}_ledger, {name}_account")
    words = ["--bootstrap", layout.kafka_bootstrap, "--dsn", layout.postgres_url, "--topic", TOPIC]
    return [sys.executable, str(HERE / f"{name}.py"), *words, "--group", name.replace("_", "-")]
