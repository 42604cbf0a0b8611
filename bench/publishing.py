"""Publishing all that an outbox holds: by our relay as a worker runs it, or raw, from values in memory.

Run as a process; it prints the seconds that it took until all was acknowledged and, by the relay, marked. Neither
reckons the start of its interpreter; the relay's time has its connections, its reading and its marking in it, that of
raw produce only what comes after its producer's start.
"""

import argparse
import asyncio
import time

import psycopg
import uvloop

from bellwether_kit.events.envelope import CONTENT_TYPE
from bellwether_kit.events.kafka import new_producer
from bellwether_kit.events.relay import PAGE, Relay
from bellwether_kit.garbage import collect_seldom
from bellwether_kit.settings import KafkaSettings

SOURCE = "/scoring-svc"
ROWS = "SELECT topic, key, type, event_id, value FROM outbox ORDER BY id"


async def relay(settings: KafkaSettings, dsn: str, count: int) -> float:
    """Seconds of a relay that runs until it has published so many."""
    running = Relay(settings, dsn, source=SOURCE)
    began = time.perf_counter()
    task = asyncio.create_task(running.run())
    while running.published < count:  # noqa: ASYNC110 - the relay tells nobody what it did
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    running.stop()
    await task
    return seconds


async def raw(settings: KafkaSettings, dsn: str, count: int) -> float:
    """Seconds to send ``count`` records with the relay's own settings, a page after the other, each awaited."""
    records = []
    async with await psycopg.AsyncConnection.connect(dsn) as db, db.cursor(binary=True) as cursor:
        await cursor.execute(ROWS)
        async for topic, key, type_, event_id, value in cursor:
            headers = [
                ("content-type", CONTENT_TYPE.encode()),
                ("ce_id", str(event_id).encode()),
                ("ce_type", type_.encode()),
                ("ce_source", SOURCE.encode()),
                ("ce_specversion", b"1.0"),
            ]
            records.append((topic, key.encode(), value, headers))
    producer = new_producer(settings)
    await producer.start()
    began = time.perf_counter()
    for start in range(0, count, PAGE):
        page = records[start : start + PAGE]
        await asyncio.gather(*[await producer.send(topic, value, key, headers=h) for topic, key, value, h in page])
    seconds = time.perf_counter() - began
    await producer.stop()
    return seconds


if __name__ == "__main__":
    contestants = {"relay": relay, "raw": raw}
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("contestant", choices=contestants)
    options.add_argument("--dsn", required=True)
    options.add_argument("--events", type=int, required=True)
    given = options.parse_args()
    collect_seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(contestants[given.contestant](KafkaSettings(), given.dsn, given.events)))
