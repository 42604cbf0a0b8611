"""What an event costs: of accounts with a short and a long history, and with few and many accounts."""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import mean, median

import psycopg
from evidence import account_ids, corrected, records, value
from results import Rows, keep
from rich.progress import track
from stacks import running

from bellwether.home import repository_root
from bellwether.stack import Stack
from bellwether_kit.db import Database
from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision
from bellwether_kit.events.batches import BatchProcessor
from bellwether_kit.garbage import collect_seldom
from bellwether_kit.testing.service import Record
from scoring_svc.settings import Settings
from scoring_svc.subscriptions import SUBSCRIPTIONS

LOAD = 5_000  # events in a transaction while histories are made: as many as a worker takes at most
TIMED = 500  # and at most while it is measured, one of each account


class Scoring:
    """A database of scoring-svc's, and its worker's transactions in this process: no Kafka is in what is measured."""

    def __init__(self, stack: Stack, name: str, accounts: int) -> None:
        url = stack.layout.postgres_url
        provision(url, "scoring", database=name)
        upgrade(
            _in(name, stack.layout.database_url("scoring", "owner")),
            repository_root() / "services/scoring-svc/migrations",
        )
        settings = Settings(database_url=_in(name, stack.layout.database_url("scoring", "worker")))
        self.accounts = accounts
        self._admin = _in(name, url)
        self._database = Database(settings, source="/scoring-svc")
        self._processor = BatchProcessor(self._database, SUBSCRIPTIONS, consumer="scoring")
        self._chance = random.Random(7)
        self._ids = account_ids(self._chance, accounts)
        self._chance.seed(name)
        self._offset = 0

    async def open(self, pieces: int) -> None:
        """Let every account have about so many pieces of a year."""
        await self._database.open()
        told = (said for _, said in records(self.accounts * pieces, self.accounts, duplicates=0.0))
        batches = iter(lambda: list(islice(told, LOAD)), [])
        for batch in track(batches, total=-(-self.accounts * pieces // LOAD), description="Histories"):
            await self._take(batch)
        self.settle()

    def settle(self) -> None:
        """Have the database as it is in the middle of a day: what was said is sent, statistics are fresh."""
        with psycopg.connect(self._admin, autocommit=True) as server:
            server.execute("TRUNCATE outbox")
            server.execute("VACUUM ANALYZE")
            server.execute("CHECKPOINT")

    async def close(self) -> None:
        """Let go of the database."""
        await self._database.close()

    async def cost(self, events: int) -> tuple[float, float]:
        """Microseconds of processors an event, of new ones and of corrections, each account once in a transaction."""
        fresh = [self._one_each() for _ in range(-(-events // min(self.accounts, TIMED)))]
        new = await self._timed(fresh)
        again = [[corrected(self._chance, said) for said in batch] for batch in fresh]
        return new, await self._timed(again)

    def _one_each(self) -> list[bytes]:
        observed = datetime.now(UTC) - timedelta(hours=1)
        return [value(self._chance, id_, observed) for id_ in self._chance.sample(self._ids, min(self.accounts, TIMED))]

    async def _timed(self, batches: Sequence[Sequence[bytes]]) -> float:
        before = self._spent()
        for batch in batches:
            await self._take(batch)
        return 1e6 * (self._spent() - before) / sum(map(len, batches))

    def _spent(self) -> float:
        """Seconds of processors so far: of this process and of PostgreSQL's for its connections."""
        with psycopg.connect(self._admin) as server:
            pids = server.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'scoring_worker'").fetchall()
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for (pid,) in pids]
        return time.process_time() + sum(int(one[11]) + int(one[12]) for one in stats) / os.sysconf("SC_CLK_TCK")

    async def _take(self, values: Sequence[bytes]) -> None:
        batch = []
        for said in values:
            self._offset += 1
            batch.append(Record("client-evidence", 0, self._offset, 0, None, said))
        if await self._processor.process(batch):
            raise RuntimeError("an event of ours was poison")


def _in(name: str, url: str) -> str:
    """The same address, of another database."""
    return f"{url.rpartition('/')[0]}/{name}"


async def measure(stack: Stack, given: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Microseconds of processors an event of each contestant, in turn, round after round."""
    few, many = given.accounts
    made = {f"{pieces:,} pieces": (given.owners, pieces) for pieces in given.pieces}
    made |= {f"{few:,} accounts": (few, given.each), f"{many:,} accounts": (many, given.each)}
    contestants = {}
    for number, (name, (accounts, pieces)) in enumerate(made.items()):
        contestants[name] = Scoring(stack, f"growth_{number}", accounts)
        await contestants[name].open(pieces)
    found: dict[str, dict[str, list[float]]] = {"new": {}, "corrected": {}}
    for turn in range(given.rounds + 1):
        for name, scoring in contestants.items():
            new, again = await scoring.cost(given.events)
            scoring.settle()
            if turn:  # the first is not counted: connections are made, statements known
                found["new"].setdefault(name, []).append(new)
                found["corrected"].setdefault(name, []).append(again)
    for scoring in contestants.values():
        await scoring.close()
    return found


def rows(found: dict[str, dict[str, list[float]]], given: argparse.Namespace) -> Rows:
    """The dearest history beside the cheapest, and many accounts beside few; new events and corrections alike."""
    few, many = (f"{accounts:,} accounts" for accounts in given.accounts)
    both = {
        name: [mean(pair) for pair in zip(*(found[what][name] for what in found), strict=True)] for name in found["new"]
    }
    lengths = sorted((f"{pieces:,} pieces" for pieces in given.pieces), key=lambda name: median(both[name]))
    return {"F5": (both[lengths[-1]], both[lengths[0]]), "F6": (both[many], both[few])}


def main() -> None:
    """Make the histories, measure, print the rows, keep them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--owners", type=int, default=50, help="accounts whose histories differ in length")
    options.add_argument("--pieces", type=int, nargs="+", default=[10, 1_000, 10_000], help="shortest history first")
    options.add_argument("--accounts", type=int, nargs=2, default=[1_000, 200_000], help="few and many")
    options.add_argument("--each", type=int, default=3, help="pieces of each of the few and the many")
    options.add_argument("--events", type=int, default=5_000, help="of each contestant, each round")
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    collect_seldom()
    with running() as stack:
        found = asyncio.run(measure(stack, given))
    keep("growth", rows(found, given), **vars(given), microseconds=found)


if __name__ == "__main__":
    main()
