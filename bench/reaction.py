"""Reaction: from a post until its alert is readable, while posts come steadily; then memory, and cold starts."""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from typing import Any

import httpx
import msgspec
import psycopg
from activities import SOURCE, account_name, activities, escalation
from aiokafka import AIOKafkaConsumer
from evidence import TENANT
from hops import Reaction, complete, p99, parts, show
from posting import OnTime, bulk, post, request
from results import keep
from stacks import memory, running, unlimited

from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether.stack.layout import SERVICES
from bellwether_kit.garbage import collect_seldom

PATH = "/v1/activities"
PATIENCE = 30.0  # seconds an alert may take until it counts as missing
LATE = 0.1  # seconds by which a post is sent late: earlier ones wait for their answers
HISTORY = 10  # activities of 90 days behind each account that does not alert
PAGE = 500
EVIDENCE, ALERTS = "client-evidence", "account-alerts"
RECORDED, OPENED = b"client.evidence.recorded.v1", b"account.alert.opened.v1"
WRITTEN = """
    SELECT key, CAST(extract(epoch FROM created_at) AS float8) FROM outbox
    WHERE topic = 'account-alerts' AND type = 'account.alert.opened.v1' AND key = ANY(%s)
"""
VARIABLES = {
    "profile-api": unlimited("profile"),
    "metrics-api": unlimited("metrics"),
    # So many alerts are a storm, which is held back; here each has a cause of its own.
    "scoring-worker": {"BELLWETHER_SCORING_STORM_ALERTS": "1000000"},
}


@dataclass(frozen=True)
class Stream:
    """The posts of one round: of each the account that it alerts, by its number, or None."""

    name: str
    alerts: Sequence[int | None]

    @property
    def alerted(self) -> list[int]:
        """The accounts whose alerts are provoked."""
        return [account for account in self.alerts if account is not None]

    def bodies(self, accounts: int) -> list[bytes]:
        """What is posted, of things that happened in the last hour; what alerts nobody is of one of ``accounts``."""
        chance, now = random.Random(self.name), datetime.now(UTC)
        others = activities(len(self.alerts), accounts, run=self.name, days=1 / 24)
        return [
            msgspec.json.encode(
                other
                if account is None
                else escalation(chance, f"{self.name}-alert-{account}", account, now - timedelta(minutes=1))
            )
            for account, other in zip(self.alerts, others, strict=True)
        ]


def streams(given: argparse.Namespace) -> list[Stream]:
    """A short one that is not measured, and the rounds; every alert is of an account of its own."""
    chance, fresh = random.Random(11), count(given.accounts)
    sizes = {"warm-up": given.seconds / 6} | {f"round-{n}": given.seconds for n in range(given.rounds)}
    return [
        Stream(
            name,
            [next(fresh) if chance.random() < given.alerting else None for _ in range(round(given.rate * seconds))],
        )
        for name, seconds in sizes.items()
    ]


class Heard:
    """What could be read of one topic: of each of the ``keys`` the first record of the type."""

    def __init__(self, type_: bytes, keys: Collection[str]) -> None:
        self._type = type_
        self._missing = {key.encode() for key in keys}
        self.at: dict[str, float] = {}
        self.values: dict[str, bytes] = {}
        self.all = asyncio.Event()

    def take(self, records: Sequence[Any], now: float) -> None:
        """Note records that became readable ``now``."""
        for record in records:
            if record.key in self._missing and dict(record.headers).get("ce_type") == self._type:
                self._missing.discard(record.key)
                self.at[record.key.decode()], self.values[record.key.decode()] = now, record.value
        if not self._missing:
            self.all.set()


@asynccontextmanager
async def listening(stack: Stack, topic: str, heard: Heard) -> AsyncIterator[Heard]:
    """Read a topic by a plain consumer, from its end on, until the context ends."""
    consumer = AIOKafkaConsumer(topic, **stack.layout.kafka_options, fetch_max_wait_ms=50)
    await consumer.start()
    await consumer.seek_to_end()

    async def listen() -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                heard.take(records, time.time())

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


class Reactions:
    """A whole stack of our own, its accounts, and what is posted to it."""

    def __init__(self, stack: Stack, given: argparse.Namespace) -> None:
        self._stack = stack
        self._given = given
        self._token = stack.token(TENANT)
        self._port = stack.layout.ports["metrics-api"]
        self._keys: list[str] = []

    def prepare(self, accounts: int) -> None:
        """Open accounts in profile-svc, have all services know them, and give those that do not alert a history."""
        headers = {"Authorization": f"Bearer {self._token}"}
        said = [
            {"external_ids": [{"source": SOURCE, "external_id": account_name(number)}], "name": f"Account {number}"}
            for number in range(accounts)
        ]
        for page in (said[start : start + PAGE] for start in range(0, accounts, PAGE)):
            url = f"{self._stack.url('profile')}/v1/accounts"
            answer = httpx.post(url, headers=headers, json={"items": page}, timeout=60).raise_for_status()
            self._keys += [f"{TENANT}/{item['id']}" for item in answer.json()["items"]]
        settle(self._stack, 300)
        known = bulk(activities(HISTORY * self._given.accounts, self._given.accounts, run="history"), PAGE)
        asyncio.run(post(self._port, [request(PATH, self._token, body) for body in known], 4))
        settle(self._stack, 300)
        for service in SERVICES:
            with psycopg.connect(self._database(service), autocommit=True) as db:
                db.execute("ANALYZE")

    def _database(self, service: str) -> str:
        return f"{self._stack.layout.postgres_url.rpartition('/')[0]}/{service}"

    def run(self, stream: Stream) -> list[Reaction]:
        """Post a stream; gives what became of each post that provoked an alert, once nothing is under way any more."""
        requests = [request(PATH, self._token, body) for body in stream.bodies(self._given.accounts)]
        found = asyncio.run(self._post(stream, requests))
        settle(self._stack, 300)
        return found

    async def _post(self, stream: Stream, requests: Sequence[bytes]) -> list[Reaction]:
        keys = [self._keys[account] for account in stream.alerted]
        evidence, alerts = Heard(RECORDED, keys), Heard(OPENED, keys)
        async with listening(self._stack, EVIDENCE, evidence), listening(self._stack, ALERTS, alerts):
            posts = await OnTime(self._port).post(requests, self._given.rate)
            await asyncio.wait(
                [asyncio.create_task(heard.all.wait()) for heard in (evidence, alerts)], timeout=PATIENCE
            )
        late = sum(sent.sent - sent.planned > LATE for sent in posts)
        print(f"{stream.name}: {len(posts):,} posts, {late:,} of them sent late, {len(keys)} to alert", flush=True)
        complete(keys, evidence.at, alerts.at)
        with psycopg.connect(self._database("scoring")) as db:
            written: dict[str, float] = dict(db.execute(WRITTEN, [keys]).fetchall())
        told = [sent for sent, account in zip(posts, stream.alerts, strict=True) if account is not None]
        return [
            Reaction(
                sent.planned,
                sent.sent,
                sent.answered,
                evidence.at[key],
                datetime.fromisoformat(msgspec.json.decode(alerts.values[key])["time"]).timestamp(),
                written[key],
                alerts.at[key],
            )
            for sent, key in zip(told, keys, strict=True)
        ]

    def held(self, kind: str) -> dict[str, float]:
        """MiB that each API or each worker holds."""
        return {name: memory(self._stack.pid(name)) for name in self._processes(kind)}

    def starts(self) -> dict[str, float]:
        """Seconds that each process, alone, takes from its start until it says that it is ready."""
        found = {}
        for name in (*self._processes("api"), *self._processes("worker")):
            self._stack.halt(name)
            started = time.perf_counter()
            self._stack.resume(name)
            found[name] = round(time.perf_counter() - started, 2)
            print(f"{name}: ready after {found[name]} s", flush=True)
        return found

    def _processes(self, kind: str) -> list[str]:
        return [name for name, (_, is_) in self._stack.layout.processes.items() if is_ == kind]


def main() -> None:
    """Post, listen, print the rows and the hops, keep them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=float, default=300, help="posts a second")
    options.add_argument("--seconds", type=float, default=60, help="of each round")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--alerting", type=float, default=0.08, help="share of the posts that provoke an alert")
    options.add_argument("--accounts", type=int, default=1_000, help="those that the other posts are of")
    given = options.parse_args()
    warm_up, *rounds = streams(given)
    collect_seldom()
    with running(*SERVICES, variables=VARIABLES) as stack:
        reactions = Reactions(stack, given)
        reactions.prepare(given.accounts + sum(len(stream.alerted) for stream in (warm_up, *rounds)))
        reactions.run(warm_up)
        found = [reactions.run(stream) for stream in rounds]
        held = {kind: reactions.held(kind) for kind in ("api", "worker")}
        starts = reactions.starts()
    spent = [[one.milliseconds for one in reacted] for reacted in found]
    hops = parts([one for reacted in found for one in reacted])
    show(hops)
    rows: dict[str, tuple[list[float], list[float]]] = {
        "F4 median": ([median(values) for values in spent], []),
        "F4 p99": ([p99(values) for values in spent], []),
        "F10 API after F4": ([max(held["api"].values())], []),
        "F10 worker after F4": ([max(held["worker"].values())], []),
        "F10 start": ([max(starts.values())], []),
    }
    details = {"samples": [len(values) for values in spent], "memory": held, "starts": starts}
    keep("reaction", rows, **vars(given), **details, hops={name: asdict(hop) for name, hop in hops.items()})


if __name__ == "__main__":
    main()
