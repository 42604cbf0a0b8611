"""What a worker tells Prometheus is measured when it is asked, and an engine that is away is said to be."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client import REGISTRY
from sample.service import SUBSCRIPTIONS, TIMERS

from bellwether_kit.testing.service import Mailbox
from bellwether_kit.worker import Worker, create_worker_app


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"bellwether_{name}", labels)


@pytest.fixture
def make_worker(settings_as: Callable[..., Any]) -> Callable[..., Worker]:
    """A worker that is not started."""
    return lambda **settings: Worker(
        settings_as("worker", **settings), service="sample", subscriptions=SUBSCRIPTIONS, timers=TIMERS
    )


async def test_a_scrape_tells_what_is_left_at_that_moment(make_worker: Callable[..., Worker], mailbox: Mailbox) -> None:
    worker = make_worker()
    await worker.database.open()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_worker_app(worker)), base_url="http://worker")
    assert "bellwether_outbox_unsent_rows 0.0" in (await client.get("/metrics")).text
    await mailbox.process(mailbox.record("sightings", b"garbage"))
    mailbox.admin("UPDATE outbox SET created_at = clock_timestamp() - interval '100 s'")
    mailbox.ask_replay(mailbox.dead_letters()[0].id)
    text = (await client.get("/metrics")).text
    for line in ("outbox_unsent_rows 1.0", "timers_due_rows 1.0", "dead_letters_open_rows 1.0", "relay_leads 0.0"):
        assert f"bellwether_{line}" in text
    assert 100 <= (gauge("outbox_oldest_seconds") or 0) < 10_000
    mailbox.admin("UPDATE dead_letter SET replay_due_at = NULL, replay_outcome = 'discarded'")
    assert "bellwether_dead_letters_open_rows 0.0" in (await client.get("/metrics")).text
    await client.aclose()
    await worker.database.close()


async def test_a_database_that_is_away_is_told_and_the_last_figures_stay(
    make_worker: Callable[..., Worker], mailbox: Mailbox
) -> None:
    await mailbox.process(mailbox.record("sightings", b"garbage"))
    worker = make_worker()
    await worker.database.open()
    await worker.measure()
    assert (gauge("reachable", engine="postgres"), gauge("reachable", engine="kafka")) == (1, 0)
    await worker.database.close()
    away = make_worker(database_url="postgresql://sample_worker@127.0.0.1:1/sample")
    await away.database.open()
    await away.measure()
    assert (gauge("reachable", engine="postgres"), gauge("outbox_unsent_rows")) == (0, 1)
    await away.database.close()


class _Consumer:
    """A consumer whose broker answers, or raises what it is given."""

    def __init__(self, answer: int | BaseException) -> None:
        self._answer = answer
        self.joined = True
        self.halted = "too many" if answer == 7 else None

    async def lag(self) -> int:
        await asyncio.sleep(0)
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


async def test_the_lag_is_told_and_stays_while_the_broker_is_away(
    make_worker: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker()
    await worker.database.open()
    seen = []
    for answer in (7, KafkaConnectionError("away")):
        monkeypatch.setattr(worker, "_consumer", _Consumer(answer))
        await worker.measure()
        seen.append((gauge("consumer_lag_records"), gauge("reachable", engine="kafka"), gauge("consumer_halted")))
    assert seen == [(7, 1, 1), (7, 0, 0)]
    await worker.database.close()
