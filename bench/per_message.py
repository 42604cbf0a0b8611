"""What most would write: a FastStream subscriber that takes one message at a time and does the floor's work durably.

Per message: one transaction of the ledger row under its key and the account's upsert, then the account's total
published and awaited, and then the offset committed (`NACK_ON_ERROR`: acknowledged once all of it went well, else read
again). Published after the transaction and not from an outbox: that is one thing less to write, and nothing is lost by
it, because a message that comes again publishes what its account stands at by now. One at a time is what a subscriber
does by default; decoding is msgspec's, as the floor's is, and the loop is uvloop.

Run as a process: it goes on until it is stopped.
"""

import argparse
import asyncio
import logging
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

TABLES = """
    CREATE TABLE IF NOT EXISTS per_message_ledger (
        tenant text, evidence_id uuid, account_id uuid, kind text, magnitude double precision, observed_at timestamptz,
        PRIMARY KEY (tenant, evidence_id));
    CREATE TABLE IF NOT EXISTS per_message_account (
        tenant text, account_id uuid, total double precision, PRIMARY KEY (tenant, account_id));
"""
LEDGER = """
    INSERT INTO per_message_ledger VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING magnitude
"""
ACCOUNT = """
    INSERT INTO per_message_account AS a VALUES ($1, $2, $3)
    ON CONFLICT (tenant, account_id) DO UPDATE SET total = a.total + EXCLUDED.total RETURNING total
"""
STANDS = "SELECT total FROM per_message_account WHERE tenant = $1 AND account_id = $2"


class _Data(msgspec.Struct):
    evidence_id: UUID
    account_id: UUID
    kind: str
    magnitude: float
    observed_at: datetime


class _Envelope(msgspec.Struct):
    tenantid: str
    data: _Data


_decode = msgspec.json.Decoder(_Envelope).decode


async def decode(message: KafkaMessage) -> _Envelope:
    """The event of a message."""
    return _decode(message.body)


async def store(db: asyncpg.Connection, event: _Envelope) -> float:
    """Take ``event`` in, unless it came before; gives the total of its account."""
    tenant, data = event.tenantid, event.data
    row = (tenant, data.evidence_id, data.account_id, data.kind, data.magnitude, data.observed_at)
    async with db.transaction():
        if await db.fetchval(LEDGER, *row) is None:
            return float(await db.fetchval(STANDS, tenant, data.account_id))
        return float(await db.fetchval(ACCOUNT, tenant, data.account_id, data.magnitude))


async def drain(bootstrap: str, dsn: str, topic: str, group: str) -> None:
    """Take message after message of ``topic`` until the process is told to stop."""
    db = await asyncpg.connect(dsn)
    await db.execute(TABLES)
    # Plain arguments need no dependency injection, and lines of every message nobody reads: both would only cost.
    log = logging.getLogger(group)
    broker = KafkaBroker(bootstrap, acks="all", apply_types=False, logger=log)
    scores = broker.publisher(f"{topic}-per-message")

    @broker.subscriber(
        topic,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=decode,
    )
    async def handle(event: _Envelope) -> None:
        total = await store(db, event)
        account = event.data.account_id
        await scores.publish(
            msgspec.json.encode({"account_id": account, "score": total}), key=f"{event.tenantid}/{account}".encode()
        )

    await FastStream(broker, logger=log).run()
    await db.close()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    for name in ("bootstrap", "dsn", "topic", "group"):
        options.add_argument(f"--{name}", required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(drain(**vars(options.parse_args())))
