"""Kafka away, and workers killed in the middle of a batch: nothing is lost, nothing is done twice."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import pytest
import pytest_asyncio
from records import TOPICS, in_order, read
from stories import begin, fall, opened, recovery, resolved
from tenants import Tenant

from bellwether.stack import Stack
from bellwether_kit.testing.eventually import eventually

pytestmark = pytest.mark.stack

THROUGH = ("metrics", "scoring", "plan")
"""The services whose workers the story goes through."""


@dataclass(frozen=True)
class Story:
    """What a story came to: what must be equal, and the numbers that may differ by the seconds between two."""

    state: list[object]
    scores: list[float]


async def test_with_kafka_away_posting_goes_on_and_everything_arrives_in_order_afterwards(tenant: Tenant) -> None:
    account_id = begin(tenant)
    stack = tenant.stack

    await asyncio.to_thread(stack.halt, "kafka")
    try:
        statuses = tenant.say(fall(tenant.now))
        later = tenant.post("profile", "accounts", {"items": [{"name": "Founded in the dark"}]})["items"]
        ready = {service: tenant.is_ready(service) for service in stack.layout.services}
    finally:
        await asyncio.to_thread(stack.resume, "kafka")
    alert = await opened(tenant, account_id)
    tenant.settle()
    records = await read(stack, *TOPICS, tenant=tenant.name)

    assert statuses == ["accepted"] * 4
    assert all(ready.values()), ready
    assert [alert["alert_id"]] == [each["alert_id"] for each in tenant.alerts(account_id)]
    assert {record.key for record in records if record.topic == "accounts"} >= {f"{tenant.name}/{later[0]['id']}"}
    evidence = {record.event["id"] for record in records if record.type == "client.evidence.recorded.v1"}
    assert len(evidence) == 4  # each at least once
    assert in_order(records)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(stack: Stack) -> Story:
    """How the story goes when nothing disturbs it."""
    tenant = Tenant(stack, "calm")
    try:
        return await lived_through(tenant, nullcontext())
    finally:
        tenant.close()


@pytest.mark.parametrize("service", THROUGH)
async def test_a_worker_killed_in_mid_batch_leaves_the_same_final_state(
    service: str, new_tenant: Callable[[str], Tenant], calm: Story
) -> None:
    tenant = new_tenant(f"killed-{service}")

    story = await lived_through(tenant, killed_in_mid_batch(tenant.stack, service))

    assert story.state == calm.state
    assert story.scores == pytest.approx(calm.scores, abs=0.05)
    assert in_order(await read(tenant.stack, *TOPICS, tenant=tenant.name))


async def test_all_workers_killed_at_once_leave_the_same_final_state(tenant: Tenant, calm: Story) -> None:
    story = await lived_through(tenant, all_workers_killed(tenant.stack))

    assert story.state == calm.state
    assert story.scores == pytest.approx(calm.scores, abs=0.05)
    assert in_order(await read(tenant.stack, *TOPICS, tenant=tenant.name))


async def lived_through(tenant: Tenant, disturbance: AbstractAsyncContextManager[None]) -> Story:
    """The whole story; the disturbance is there when its deadlines pass."""
    account_id = begin(tenant)
    at = tenant.now + timedelta(minutes=1)
    tenant.say(fall(at))
    tenant.settle()
    async with disturbance:
        tenant.clock.advance(timedelta(minutes=2))
    await opened(tenant, account_id)
    tenant.settle()
    fallen = state(tenant, account_id, at)
    tenant.clock.advance(timedelta(minutes=30))
    tenant.say(recovery(at + timedelta(minutes=20)))
    await resolved(tenant, account_id)
    tenant.settle()
    recovered = state(tenant, account_id, at)
    return Story(fallen.state + recovered.state, fallen.scores + recovered.scores)


class killed_in_mid_batch(AbstractAsyncContextManager[None]):  # noqa: N801 (it reads as the sentence that it is)
    """Whatever is said inside reaches the service's worker; its batch is stopped by a lock, and there it is killed."""

    def __init__(self, stack: Stack, service: str) -> None:
        self._stack = stack
        self._service = service
        server = stack.layout.postgres_url.rpartition("/")[0]
        self._lock = psycopg.connect(f"{server}/{service}")
        self._watch = psycopg.connect(f"{server}/{service}", autocommit=True)

    async def __aenter__(self) -> None:
        """Take the lock that the batch will wait for."""
        self._lock.execute("LOCK TABLE outbox IN SHARE MODE")

    async def __aexit__(self, *_: object) -> None:
        """Kill the worker while it waits for the lock, let go of the lock, and see the worker come back."""
        try:
            await eventually(self._waits, within=60)
            dead = self._stack.kill(f"{self._service}-worker", signal.SIGKILL)
        finally:
            self._lock.close()
            self._watch.close()
        await eventually(lambda: is_back(self._stack, f"{self._service}-worker", dead), within=60)

    def _waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
        row = self._watch.execute(waiting, [f"{self._service}_worker"]).fetchone()
        return row is not None and row[0] > 0


@asynccontextmanager
async def all_workers_killed(stack: Stack) -> AsyncIterator[None]:
    """Whatever is said inside, the workers die of at once, wherever they are with it, and come back."""
    yield
    dead = {f"{service}-worker": stack.kill(f"{service}-worker") for service in stack.layout.services}
    await eventually(lambda: all(is_back(stack, worker, pid) for worker, pid in dead.items()), within=60)


def is_back(stack: Stack, worker: str, dead: int) -> bool:
    """Whether another process than the dead one does the worker's work."""
    states = {process.name: process for process in stack.status().processes}
    return states[worker].pid not in (None, dead) and states[worker].health == "ok"


def state(tenant: Tenant, account_id: str, since: datetime) -> Story:
    """What it has come to, with times as distances and no ids: comparable between tenants."""
    health = tenant.get("scoring", f"accounts/{account_id}/health")
    evidence = [
        (piece["kind"], datetime.fromisoformat(piece["observed_at"]) - since, piece["magnitude"], piece["status"])
        for piece in tenant.every("metrics", "evidence")
    ]
    alerts = [
        (alert["kind"], alert["status"], alert["episode"], [reason["rule"] for reason in alert["reasons"]])
        for alert in tenant.alerts(account_id)
    ]
    plays = [(play["play"], play["status"]) for play in tenant.plays(account_id)]
    told = {"evidence": sorted(evidence), "band": health["band"], "alerts": alerts, "plays": plays}
    return Story([told], [health["score"], health["confidence"]])
