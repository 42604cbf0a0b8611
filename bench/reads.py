"""Reads: the routes of metrics over two years of figures of many accounts, beside a bare route with one SELECT.

``portfolio.py`` asks scoring-svc in the same way.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import psycopg
from buckets import fill
from posting import exchange
from results import keep
from serving import serving
from stacks import running, unlimited

from bellwether.stack import Stack

TENANT = "bench"
CONNECTIONS = 32

Path_ = Callable[[random.Random], str]


class Reads:
    """A metrics-svc of our own full of figures, and what is asked of it."""

    service = "metrics"

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._token = stack.token(TENANT)
        self._port = stack.layout.ports[f"{self.service}-api"]
        self.db = psycopg.connect(stack.layout.postgres_url.rpartition("/")[0] + f"/{self.service}", autocommit=True)

    def prepare(self, accounts: int, busy: int) -> None:
        """Fill the tables, and let the worker judge accounts and people."""
        self._stack.halt("metrics-worker")
        fill(self.db, accounts, busy)
        started = time.perf_counter()
        self._stack.resume("metrics-worker")
        self._wait("SELECT count(*) FROM standing WHERE due_at = 'epoch'")
        print(f"standing: {accounts / (time.perf_counter() - started):,.0f} accounts/s, with the worker's start")
        self.db.execute("UPDATE bet_due SET due_at = 'epoch'")
        self._wait("SELECT count(*) FROM bet_due WHERE due_at IS NOT NULL")
        self._stack.halt("metrics-worker")
        self.db.execute("VACUUM ANALYZE")

    def _wait(self, query: str) -> None:
        while self.db.execute(query).fetchall()[0][0]:
            time.sleep(0.2)

    def paths(self) -> dict[str, Path_]:
        """What is asked for, by name: a path made anew for each request."""
        owners = [row[0] for row in self.db.execute("SELECT member FROM figure_group WHERE scope = 'owner'")]
        accounts = [row[0] for row in self.db.execute("SELECT account_id FROM account LIMIT 5000")]
        now = datetime.now(UTC)
        year = f"from={now.year - 1}-{now.month:02}-01&to={now.year}-{now.month:02}-01"
        series = f"/v1/metrics/series?{year}&metric=return-rate&metric=balance&metric=revenue:EUR"
        return {
            "series": lambda chance: f"{series}&scope=owner&member={chance.choice(owners)}&interval=month",
            "compare": lambda _: f"/v1/metrics/compare?{year}&scope=owner&metric=return-rate",
            "people": lambda _: "/v1/metrics/people",
            "jeopardy": lambda chance: f"/v1/metrics/jeopardy?owner_id={chance.choice(owners)}",
            "evidence-metrics": lambda chance: f"/v1/accounts/{chance.choice(accounts)}/evidence-metrics",
        }

    def ours(self, path: Path_, count: int) -> list[float]:
        """Milliseconds of each request."""
        return self._timed(self._port, path, count)

    def bare(self, count: int) -> list[float]:
        """The same of the bare route."""
        accounts = [row[0] for row in self.db.execute("SELECT account_id FROM account LIMIT 5000")]
        with serving("bare_read.py", self.db.info.dsn) as port:
            self._timed(port, lambda chance: f"/v1/accounts/{chance.choice(accounts)}", CONNECTIONS * 5)
            return self._timed(port, lambda chance: f"/v1/accounts/{chance.choice(accounts)}", count)

    def _timed(self, port: int, path: Path_, count: int) -> list[float]:
        chance = random.Random(7)
        sent = [
            f"GET {path(chance)} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode()
            for _ in range(count)
        ]
        return asyncio.run(_read(port, sent))


async def _read(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send all over connections that stay open; the seconds in all stand last."""
    waiting, spent = iter(requests), []

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for sent in waiting:
            started = time.perf_counter()
            await exchange(reader, writer, sent)
            spent.append(1_000 * (time.perf_counter() - started))
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work())
    return [*spent, time.perf_counter() - started]


def measure(reads: Reads, requests: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Requests a second of each route and of the bare one, in turn, and the 99th percentile of each in ms."""
    rates: dict[str, list[float]] = {}
    slowest: dict[str, list[float]] = {}
    paths = reads.paths()
    for path in paths.values():
        reads.ours(path, CONNECTIONS * 10)
    for _ in range(rounds):
        contestants = {"bare": partial(reads.bare, requests)}
        contestants |= {name: partial(reads.ours, path, requests) for name, path in paths.items()}
        for name, run in contestants.items():
            *spent, seconds = run()
            rates.setdefault(name, []).append(len(spent) / seconds)
            slowest.setdefault(name, []).append(statistics.quantiles(spent, n=100)[98])
    for name, found in rates.items():
        ratio = statistics.median(one / base for one, base in zip(found, rates["bare"], strict=True))
        p99 = statistics.median(slowest[name])
        print(f"{name}: {statistics.median(found):,.0f}/s, {ratio:.2f} of the bare route, p99 {p99:.1f} ms")
    return rates, slowest


def main() -> None:
    """Make the figures, measure, print, and keep it in results.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=50_000)
    options.add_argument("--busy", type=int, default=40, help="days of each account with something on them, of 730")
    options.add_argument("--requests", type=int, default=3_000, help="of each route, each round")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with running("metrics", variables={"metrics-api": unlimited("metrics")}) as stack:
        reads = Reads(stack)
        reads.prepare(given.accounts, given.busy)
        rates, slowest = measure(reads, given.requests, given.rounds)
        keep("reads", {}, **vars(given), rates=rates, p99_ms=slowest)


if __name__ == "__main__":
    main()
