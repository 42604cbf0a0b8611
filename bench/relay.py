"""Relay: how fast it publishes what an outbox holds, beside raw produce of the same records, in turn."""

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import psycopg
from aiokafka import AIOKafkaConsumer
from results import keep
from stacks import running

from bellwether.home import repository_root
from bellwether.stack import Stack
from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision

TOPIC, TYPE = "account-scores", "account.health.changed.v1"
EXAMPLE = f"shared/contracts/examples/{TYPE}/typical.json"
PROGRAM = Path(__file__).with_name("publishing.py")
CONTESTANTS = ("raw", "relay")

FILL = """
    INSERT INTO outbox (event_id, tenant, topic, key, type, sequence, value, headers, created_at)
    SELECT id, 'bench', %(topic)s, 'bench/' || account, %(type)s, number,
        convert_to(replace(replace(replace(replace(replace(%(body)s,
            '@id', id::text), '@account', account::text), '"@number"', number::text), '"@score"', score::text),
            '@driver', left(gen_random_uuid()::text, 35)), 'UTF8'),
        '{}', clock_timestamp()
    FROM (
        SELECT number, gen_random_uuid() AS id, md5((number %% %(accounts)s)::text)::uuid AS account,
            round((random() * 100)::numeric, 2) AS score
        FROM generate_series(1, %(events)s) AS number
    ) AS drawn ORDER BY number
"""
"""Events of accounts in turn, each with ids, a score and drivers of its own."""


def body() -> str:
    """The typical event as its contract has it, with marks in place of what differs from event to event."""
    event = msgspec.json.decode((repository_root() / EXAMPLE).read_bytes())
    data = event["data"]
    event |= {"id": "@id", "subject": "@account", "partitionkey": "bench/@account", "sequence": "@number"}
    event["tenantid"] = "bench"
    data |= {"account_id": "@account", "sequence": "@number", "score": "@score"}
    data["drivers"] = [d | {"evidence_id": f"@driver{n}"} for n, d in enumerate(data["drivers"])]
    return msgspec.json.encode(event).decode()


class Outbox:
    """The outbox of a scoring-svc that nothing else runs of."""

    def __init__(self, stack: Stack, events: int, accounts: int) -> None:
        layout = stack.layout
        provision(layout.postgres_url, "scoring")
        upgrade(layout.database_url("scoring", "owner"), repository_root() / "services/scoring-svc/migrations")
        self._bootstrap = layout.kafka_bootstrap
        self._dsn = layout.database_url("scoring", "worker")
        self._db = psycopg.connect(layout.postgres_url.rpartition("/")[0] + "/scoring", autocommit=True)
        self._values = {"topic": TOPIC, "type": TYPE, "body": body(), "accounts": accounts, "events": events}
        self._events = events

    def fill(self) -> None:
        """Have so many events unpublished, and nothing else."""
        self._db.execute("TRUNCATE outbox")
        self._db.execute(FILL, self._values)
        self._db.execute("VACUUM ANALYZE outbox")

    def publish(self, contestant: str) -> float:
        """Events a second of a process of its own. Raises RuntimeError unless all is marked and on the topic."""
        before = asyncio.run(on_topic(self._bootstrap))
        words = [sys.executable, str(PROGRAM), contestant, "--dsn", self._dsn, "--events", str(self._events)]
        environment = os.environ | {"BELLWETHER_KAFKA_BOOTSTRAP": self._bootstrap}
        said = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE).stdout
        added = asyncio.run(on_topic(self._bootstrap)) - before
        marked = self._db.execute("SELECT count(published_at) FROM outbox").fetchall()[0][0]
        if added < self._events or (contestant == "relay" and marked != self._events):
            raise RuntimeError(f"{contestant}: {added} of {self._events} came to the topic, {marked} are marked")
        return self._events / float(said)

    def size(self) -> float:
        """Bytes of a value, on average."""
        return float(self._db.execute("SELECT avg(length(value)) FROM outbox").fetchall()[0][0])


async def on_topic(bootstrap: str) -> int:
    """How many records the topic ever got."""
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap)
    await consumer.start()
    ends = await consumer.end_offsets(consumer.assignment())
    await consumer.stop()
    return sum(ends.values())


def main() -> None:
    """Run the rounds, print the row, keep it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=200_000)
    options.add_argument("--accounts", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    with running() as stack:
        outbox = Outbox(stack, given.events, given.accounts)
        for _ in range(given.rounds):
            outbox.fill()
            for name in CONTESTANTS:
                rates[name].append(outbox.publish(name))
                print(f"{name}: {rates[name][-1]:,.0f} events/s", flush=True)
        size = outbox.size()
    keep("relay", {"F9": (rates["relay"], rates["raw"])}, **vars(given), rates=rates, bytes=size)


if __name__ == "__main__":
    main()
