"""Ingest: how fast activities come in, in bulk beside COPY and one by one beside a bare route, and at what cost."""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

import bare
import ledger
import msgspec
import psycopg
from activities import SOURCE, account_name, activities, activity
from aiokafka import AIOKafkaProducer
from posting import bulk, exchange, post, request
from results import Rows, keep
from serving import serving
from stacks import memory, running, unlimited

from bellwether.stack import Stack
from bellwether_kit.ids import uuid7

TENANT = "bench"
PATH = "/v1/activities"
SMALL = 30  # accounts with a short history
SHORT, LONG = 10, 10_000
YEARS = 30  # that a long history goes back


class Ingest:
    """A metrics-svc of our own, what it is sent, and what it is measured beside."""

    def __init__(self, stack: Stack, given: argparse.Namespace) -> None:
        self._stack = stack
        self._given = given
        self._port = stack.layout.ports["metrics-api"]
        self._token = stack.token(TENANT)
        self._runs = 0
        dsn = stack.layout.postgres_url.rpartition("/")[0] + "/metrics"
        self.db = psycopg.connect(dsn, autocommit=True)
        self._tables: list[str] = []

    def prepare(self) -> None:
        """Have the accounts known; from then on only what is posted fills tables."""
        count = self._given.accounts + SMALL + 1
        asyncio.run(_announce(self._stack.layout.kafka_bootstrap, count))
        while self._one("SELECT count(*) FROM account") < count:
            time.sleep(0.1)
        self._stack.halt("metrics-worker")
        self.db.execute("TRUNCATE inbox")
        self._tables = ledger.empty_tables(self.db)
        # Once unmeasured: the planner has seen such rows then, as it has in a database that lives.
        self.bulk(2_000)
        self.db.execute("ANALYZE")

    def _one(self, query: str) -> int:
        return int(self.db.execute(query).fetchall()[0][0])

    def _sent(self, bodies: Iterator[bytes]) -> list[bytes]:
        return [request(PATH, self._token, body) for body in bodies]

    def _post(self, bodies: Iterator[bytes], connections: int, port: int | None = None) -> float:
        """Seconds to send all, as made beforehand."""
        return asyncio.run(post(port or self._port, self._sent(bodies), connections))

    def _run(self) -> str:
        self._runs += 1
        return f"run-{self._runs}"

    def bulk(self, count: int) -> float:
        """Activities a second in requests of 500 over four connections, into empty tables."""
        ledger.clear(self.db, self._tables)
        seconds = self._post(bulk(activities(count, self._given.accounts, run=self._run()), 500), 4)
        if self._one("SELECT count(*) FROM activity") != count:
            raise RuntimeError("not every activity came in")
        return count / seconds

    def floor(self, count: int) -> float:
        """The rows that are there now, once more by COPY into empty tables."""
        rows = ledger.rows_of(self.db, self._tables)
        ledger.clear(self.db, self._tables)
        return count / ledger.copy(self.db, rows)

    def singles(self, count: int) -> float:
        """Activities a second, one a request, over 64 connections, into empty tables."""
        ledger.clear(self.db, self._tables)
        items = activities(count, self._given.accounts, run=self._run())
        rate = count / self._post(map(msgspec.json.encode, items), 64)
        if self._one("SELECT count(*) FROM activity") != count:
            raise RuntimeError("not every activity came in")
        return rate

    def bare(self, count: int) -> float:
        """The same requests to the bare route."""
        self.db.execute(f"DROP TABLE IF EXISTS bare_activity; {bare.TABLE}")
        with serving("bare.py", self.db.info.dsn) as port:
            items = activities(count, self._given.accounts, run="bare")
            return count / self._post(map(msgspec.json.encode, items), 64, port)

    def history(self, samples: int) -> dict[str, list[float]]:
        """Milliseconds of single posts in turn to accounts with a short and with a long history, and corrections."""
        ledger.clear(self.db, self._tables)
        chance, now = random.Random(5), datetime.now(UTC)
        big, small = self._given.accounts, range(self._given.accounts + 1, self._given.accounts + 1 + SMALL)
        owners = [big] * LONG + [number for number in small for _ in range(SHORT)]
        seen = dict.fromkeys((big, *small), 0)
        earlier = []
        for number in owners:
            seen[number] += 1
            length = LONG if number == big else SHORT
            # The last ones lie as far apart in both: what is compared is how long a history is, not how dense.
            left = (length - seen[number]) / SHORT
            days = 1 + 299 * left if left < 1 else 300 + 365 * YEARS * (left - 1) / (LONG / SHORT)
            earlier.append(activity(chance, f"history-{number}-{seen[number]}", number, now - timedelta(days=days)))
        self._post(bulk(earlier, 500), 1)
        self.db.execute("ANALYZE")
        return asyncio.run(self._compare(samples, chance, [earlier[LONG - SHORT : LONG], earlier[LONG:]]))

    async def _compare(
        self, samples: int, chance: random.Random, known: Sequence[list[dict[str, object]]]
    ) -> dict[str, list[float]]:
        """``known`` are the latest activities of the long history, and all of the short ones."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        found: dict[str, list[float]] = {}
        now = datetime.now(UTC)
        for number in range(samples):
            fresh = activity(chance, "", 0, now - timedelta(hours=chance.randrange(20)))
            for history, items in zip(("long", "short"), known, strict=True):
                base = items[number % len(items)]
                told = {"account": base["account"], "contacts": base["contacts"]}
                corrected = base | {"revision": number + 2}
                posts = (("new", fresh | told | {"external_id": f"new-{history}-{number}"}), ("corrected", corrected))
                for what, item in posts:
                    sent = request(PATH, self._token, msgspec.json.encode(item))
                    started = time.perf_counter()
                    await exchange(reader, writer, sent)
                    found.setdefault(f"{what}, {history}", []).append(1_000 * (time.perf_counter() - started))
        writer.close()
        return found

    def memory(self, count: int) -> dict[str, dict[str, float]]:
        """MiB that API and worker hold after a tenth, half and all of ``count`` activities."""
        ledger.clear(self.db, self._tables)
        self._stack.resume("metrics-worker")
        held, done, part = {}, 0, max(500, count // 20)
        while done < count:
            items = activities(part, self._given.accounts, run=self._run(), seed=done)
            self._post(bulk(items, 500), 4)
            done += part
            if done in (count // 10, count // 2, count):
                held[f"{done:,}"] = {name: self.held(name) for name in ("api", "worker")}
                print(f"after {done:,} activities: {held[f'{done:,}']} MiB", flush=True)
        self._stack.halt("metrics-worker")
        return held

    def held(self, kind: str) -> float:
        """MiB that the API or the worker holds now."""
        return memory(self._stack.pid(f"metrics-{kind}"))


async def _announce(bootstrap: str, count: int) -> None:
    """Say of ``count`` accounts that they exist, as profile-svc does."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    await producer.start()
    for number in range(count):
        account = UUID(int=random.Random(number).getrandbits(128), version=4)
        names = [{"source": SOURCE, "external_id": account_name(number)}]
        envelope = {
            "specversion": "1.0",
            "id": uuid7(),
            "source": "/profile-svc",
            "type": "account.profile.changed.v1",
            "subject": str(account),
            "time": datetime.now(UTC),
            "datacontenttype": "application/json",
            "tenantid": TENANT,
            "partitionkey": f"{TENANT}/{account}",
            "sequence": 1,
            "data": {"account_id": account, "version": 1, "country": "DE", "external_ids": names},
        }
        await producer.send("accounts", msgspec.json.encode(envelope), key=f"{TENANT}/{account}".encode())
    await producer.stop()


def main() -> None:
    """Run what is asked for, print it, and keep it in results.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--activities", type=int, default=20_000, help="in bulk, each round")
    options.add_argument("--singles", type=int, default=5_000, help="one by one, each round")
    options.add_argument("--accounts", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--history", type=int, default=0, help="posts to accounts of a short and a long history")
    options.add_argument("--memory", type=int, default=0, help="activities to watch memory over; a million takes long")
    given = options.parse_args()
    with running("metrics", variables={"metrics-api": unlimited("metrics")}) as stack:
        ingest = Ingest(stack, given)
        ingest.prepare()
        measure(ingest, given)


def measure(ingest: Ingest, given: argparse.Namespace) -> None:
    """The rounds, contestants in turn, and then what the path costs beside a long history, and in memory."""
    contestants: dict[str, tuple[Callable[[int], float], int]] = {
        "in bulk": (ingest.bulk, given.activities),
        "COPY": (ingest.floor, given.activities),
        "bare route": (ingest.bare, given.singles),
        "one by one": (ingest.singles, given.singles),
    }
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(given.rounds):
        for name, (run, count) in contestants.items():
            rates[name].append(run(count))
            print(f"{name}: {rates[name][-1]:,.0f} activities/s", flush=True)
    rows: Rows = {
        "F2": (rates["in bulk"], rates["COPY"]),
        "F3": (rates["one by one"], rates["bare route"]),
        "F10 API after F3": ([ingest.held("api")], []),
    }
    found: dict[str, object] = {**vars(given), "rates": rates}
    if given.history:
        found["history"] = spent = ingest.history(given.history)
        for what, samples in spent.items():
            print(f"{what}: {median(samples):.1f} ms")
    if given.memory:
        found["memory"] = ingest.memory(given.memory)
    keep("ingest", rows, **found)


if __name__ == "__main__":
    main()
