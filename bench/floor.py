"""The floor of rescoring: the same records, client and database, and nothing but the least that must be done.

Run as a process: it drains the topic in transactions of up to 2,000 records, commits offsets, and ends at lag 0.
"""

import argparse
import asyncio
from collections import defaultdict
from uuid import UUID

import msgspec
import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

BATCH = 2_000

TABLES = """
    CREATE TABLE IF NOT EXISTS floor_ledger (
        tenant text, evidence_id uuid, account_id uuid, kind text, magnitude double precision, observed_at timestamptz,
        PRIMARY KEY (tenant, evidence_id));
    CREATE TABLE IF NOT EXISTS floor_account (
        tenant text, account_id uuid, total double precision, PRIMARY KEY (tenant, account_id));
"""
LEDGER = """
    INSERT INTO floor_ledger SELECT * FROM unnest(
        %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::float8[], %s::timestamptz[])
    ON CONFLICT DO NOTHING RETURNING tenant, account_id, magnitude
"""
ACCOUNTS = """
    INSERT INTO floor_account AS a SELECT * FROM unnest(%s::text[], %s::uuid[], %s::float8[])
    ON CONFLICT (tenant, account_id) DO UPDATE SET total = a.total + EXCLUDED.total
    RETURNING tenant, account_id, total
"""


class _Data(msgspec.Struct):
    evidence_id: UUID
    account_id: UUID
    kind: str
    magnitude: float
    observed_at: str


class _Envelope(msgspec.Struct):
    tenantid: str
    data: _Data


decode = msgspec.json.Decoder(_Envelope).decode


async def _store(db: psycopg.AsyncConnection, values: list[bytes]) -> list[tuple[str, UUID, float]]:
    events = [decode(value) for value in values]
    rows = list(
        zip(
            *(
                (e.tenantid, e.data.evidence_id, e.data.account_id, e.data.kind, e.data.magnitude, e.data.observed_at)
                for e in events
            ),
            strict=True,
        )
    )
    totals: dict[tuple[str, UUID], float] = defaultdict(float)
    async with db.transaction():
        inserted = await db.execute(LEDGER, [list(column) for column in rows])
        for tenant, account, magnitude in await inserted.fetchall():
            totals[tenant, account] += magnitude
        keys = sorted(totals)
        columns = [[k[0] for k in keys], [k[1] for k in keys], [totals[k] for k in keys]]
        return list(await (await db.execute(ACCOUNTS, columns)).fetchall())


async def drain(bootstrap: str, dsn: str, topic: str, group: str) -> int:
    """Take all that is on ``topic``; gives the number of records."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * 1024 * 1024,
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5, compression_type="lz4")
    await consumer.start()
    await producer.start()
    done = 0
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as db:
        await db.execute(TABLES)
        ends = await consumer.end_offsets(consumer.assignment())
        while done < sum(ends.values()):
            polled = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            values = [record.value for records in polled.values() for record in records]
            if not values:
                continue
            for tenant, account, total in await _store(db, values):
                score = msgspec.json.encode({"account_id": account, "score": total})
                await producer.send(f"{topic}-floor", score, key=f"{tenant}/{account}".encode())
            await consumer.commit({tp: records[-1].offset + 1 for tp, records in polled.items()})
            done += len(values)
    await producer.stop()
    await consumer.stop()
    return done


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    for name in ("bootstrap", "dsn", "topic", "group"):
        options.add_argument(f"--{name}", required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(drain(**vars(options.parse_args())))
