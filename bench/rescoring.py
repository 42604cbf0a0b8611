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
from tempfile import TemporaryDirectory

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from evidence import records
from results import keep, machine, table
from rich.progress import track

from bellwether.engines.ports import free_ports
from bellwether.home import Home, repository_root
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


def seconds_to_drain(stack: Stack, command: list[str], environment: dict[str, str], group: str, total: int) -> float:
    """Start ``command`` as a process and time it until everything is committed."""
    bootstrap = stack.layout.kafka_bootstrap
    asyncio.run(rewind(bootstrap, group))
    log = stack.home.logs / f"bench-{group}.log"
    started = time.perf_counter()
    with log.open("ab") as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
    try:
        asyncio.run(until_lag_0(bootstrap, group, total))
        return time.perf_counter() - started
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()


def ours(stack: Stack, total: int) -> float:
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
    return seconds_to_drain(stack, [sys.executable, "-m", "scoring_svc.worker"], environment, "scoring", total)


def floor(stack: Stack, total: int) -> float:
    """The floor on empty tables."""
    layout = stack.layout
    with psycopg.connect(layout.postgres_url, autocommit=True) as server:
        server.execute("DROP TABLE IF EXISTS floor_ledger, floor_account")
    words = ["--bootstrap", layout.kafka_bootstrap, "--dsn", layout.postgres_url, "--topic", TOPIC, "--group", "floor"]
    return seconds_to_drain(stack, [sys.executable, str(HERE / "floor.py"), *words], {}, "floor", total)


def main() -> None:
    """Run the rounds, print the table, write results.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    contestants: dict[str, Callable[[Stack, int], float]] = {"floor": floor, "scoring worker": ours}
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with TemporaryDirectory(prefix="bellwether-bench-", ignore_cleanup_errors=True) as folder:
        stack = Stack(Home(Path(folder)), services=(), any_port=True)
        stack.start()
        try:
            asyncio.run(fill(stack.layout.kafka_bootstrap, given.events, given.accounts))
            for _ in range(given.rounds):
                for name, drain in contestants.items():
                    rates[name].append(given.events / drain(stack, given.events))
                    print(f"{name}: {rates[name][-1]:,.0f} events/s", flush=True)
        finally:
            stack.stop()
    report(rates, given)


def report(rates: dict[str, list[float]], given: argparse.Namespace) -> None:
    """Print medians, ranges and the ratio of each round; keep the same."""
    title = f"F1: rescoring, events/s ({given.events:,} events, {given.accounts:,} accounts)"
    table(title, rates, ours="scoring worker", base="floor", goal="0.5 (done from 0.2)")
    keep("rescoring", {"machine": machine(), "rates": rates, **vars(given)})


if __name__ == "__main__":
    main()
