"""Timers: how many accounts a scoring worker evaluates a second when a day has passed for all, beside a floor."""

import argparse
import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from aiokafka import AIOKafkaProducer
from evidence import records
from results import keep
from rich.progress import track
from stacks import running

from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock

TOPIC = "client-evidence"
DAY = timedelta(days=1)
CLAIM = """
    SELECT * FROM floor_due WHERE due <= %s ORDER BY due LIMIT 2000 FOR UPDATE SKIP LOCKED
"""
"""As many as the worker's timer takes, with all that it must read of them."""
MOVE_ON = """
    UPDATE floor_due AS f SET state = s.state, due = f.due + interval '1 day'
    FROM unnest(%s::text[], %s::uuid[], %s::bytea[]) AS s(tenant, account_id, state)
    WHERE f.tenant = s.tenant AND f.account_id = s.account_id
"""


class Timers:
    """A scoring-svc of our own with accounts in it, and a clock that is moved."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._clock = ReplayClock(stack.home.clock)
        self.db = psycopg.connect(stack.layout.postgres_url.rpartition("/")[0] + "/scoring", autocommit=True)

    def prepare(self, accounts: int, pieces: int) -> int:
        """Let accounts have about so many pieces of evidence each; gives how many accounts have any."""
        asyncio.run(_tell(self._stack.layout.kafka_bootstrap, accounts, pieces))
        settle(self._stack, timeout=1_800)
        self.db.execute("CREATE TABLE floor_due AS SELECT tenant, account_id, state, now() AS due FROM account_health")
        self.db.execute("ALTER TABLE floor_due ADD PRIMARY KEY (tenant, account_id)")
        self.db.execute("CREATE INDEX ON floor_due (due)")
        self.db.execute("VACUUM ANALYZE")
        return int(self._one("SELECT count(*) FROM account_health"))

    def _one(self, query: str, *values: object) -> Any:
        return self.db.execute(query, values).fetchall()[0][0]

    def ours(self) -> float:
        """Seconds until nobody is due after a day has passed; all are said to the world meanwhile and after it."""
        self.db.execute("CHECKPOINT")
        self._clock.advance(DAY)
        until, started = self._clock.now(), time.perf_counter()
        while self._one("SELECT EXISTS (SELECT FROM account_health WHERE next_evaluation_at <= %s)", until):
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        settle(self._stack, timeout=600)
        return seconds

    def floor(self) -> float:
        """Seconds to claim as many rows, read what is kept of them, write it back and move them on."""
        self.db.execute("UPDATE floor_due SET due = now() - interval '1 second'")
        self.db.execute("VACUUM ANALYZE floor_due")
        self.db.execute("CHECKPOINT")
        started, now = time.perf_counter(), self._one("SELECT now()")
        while True:
            with self.db.transaction():
                rows = self.db.execute(CLAIM, [now]).fetchall()
                if not rows:
                    return time.perf_counter() - started
                self.db.execute(MOVE_ON, [list(column) for column in zip(*(row[:3] for row in rows), strict=True)])


async def _tell(bootstrap: str, accounts: int, pieces: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, compression_type="lz4")
    await producer.start()
    told = records(accounts * pieces, accounts)
    for key, value in track(told, total=accounts * pieces, description="Producing events"):
        await producer.send(TOPIC, value, key=key)
    await producer.stop()


def main() -> None:
    """Let days pass, print the row, keep it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=50_000)
    options.add_argument("--pieces", type=int, default=5, help="of evidence of each account, on the average")
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    rates: dict[str, list[float]] = {"floor": [], "ours": []}
    with running("scoring", clock=True) as stack:
        timers = Timers(stack)
        due = timers.prepare(given.accounts, given.pieces)
        contestants: dict[str, Callable[[], float]] = {"floor": timers.floor, "ours": timers.ours}
        timers.ours()  # once unmeasured: the planner knows the rows afterwards
        for _ in range(given.rounds):
            for name, run in contestants.items():
                rates[name].append(due / run())
                print(f"{name}: {rates[name][-1]:,.0f} accounts/s", flush=True)
    keep("timers", {"F7": (rates["ours"], [])}, **vars(given), due=due, rates=rates)


if __name__ == "__main__":
    main()
