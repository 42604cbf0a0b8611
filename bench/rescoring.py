"""Rescoring drain: a scoring worker against the floor, in turn, each from process start to lag 0."""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from evidence import records
from results import keep
from rich.progress import track
from stacks import memory, running

from bellwether.engines.ports import free_ports
from bellwether.home import repository_root
from bellwether.stack import Stack
from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision

TOPIC = "client-evidence"
HERE = Path(__file__).parent


async def fill(bootstrap: str, count: int, accounts: int) -> None:
    """Put the events on the topic, and make the topic that the floor produces to."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(f"{TOPIC}-floor", 6, 1)])
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


async def until_lag_0(bootstrap: str, group: str, total: int) -> None:
    """Return once ``group`` has committed all ``total`` records."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    while True:
        offsets = await admin.list_consumer_group_offsets(group)
        if sum(o.offset for tp, o in offsets.items() if tp.topic == TOPIC) >= total:
            break
        await asyncio.sleep(0.05)
    await admin.close()


def drained(
    stack: Stack, command: list[str], environment: dict[str, str], group: str, total: int
) -> tuple[float, float]:
    """Start ``command`` as a process and time it until all is committed; gives events/s and MiB that it then holds."""
    bootstrap = stack.layout.kafka_bootstrap
    asyncio.run(rewind(bootstrap, group))
    log = stack.home.logs / f"bench-{group}.log"
    started = time.perf_counter()
    with log.open("ab") as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
    try:
        asyncio.run(until_lag_0(bootstrap, group, total))
        return total / (time.perf_counter() - started), memory(process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()


def ours(stack: Stack, total: int) -> tuple[float, float]:
    """A scoring worker on an empty, migrated database."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS scoring WITH (FORCE)")
    provision(layout.postgres_url, "scoring")
    upgrade(layout.database_url("scoring", "owner"), repository_root() / "services/scoring-svc/migrations")
    environment = {
        "BELLWETHER_KAFKA_BOOTSTRAP": layout.kafka_bootstrap,
        "BELLWETHER_SCORING_DATABASE_URL": layout.database_url("scoring", "worker"),
        "BELLWETHER_SCORING_WORKER_PORT": str(free_ports(1)[0]),
        "BELLWETHER_LOG_LEVEL": "warning",
    }
    return drained(stack, [sys.executable, "-m", "scoring_svc.worker"], environment, "scoring", total)


def floor(stack: Stack, total: int) -> tuple[float, float]:
    """The floor on empty tables."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute("DROP TABLE IF EXISTS floor_ledger, floor_account")
    words = ["--bootstrap", layout.kafka_bootstrap, "--dsn", layout.postgres_url, "--topic", TOPIC, "--group", "floor"]
    return drained(stack, [sys.executable, str(HERE / "floor.py"), *words], {}, "floor", total)


def main() -> None:
    """Run the rounds, print the rows, keep them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    contestants: dict[str, Callable[[Stack, int], tuple[float, float]]] = {"floor": floor, "ours": ours}
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    held: dict[str, list[float]] = {name: [] for name in contestants}
    with running() as stack:
        asyncio.run(fill(stack.layout.kafka_bootstrap, given.events, given.accounts))
        for _ in range(given.rounds):
            for name, drain in contestants.items():
                rate, mib = drain(stack, given.events)
                rates[name].append(rate)
                held[name].append(mib)
                print(f"{name}: {rate:,.0f} events/s, {mib:.0f} MiB", flush=True)
    rows = {"F1": (rates["ours"], rates["floor"]), "F10 worker after F1": (held["ours"], [])}
    keep("rescoring", rows, **vars(given), rates=rates, memory=held)


if __name__ == "__main__":
    main()
