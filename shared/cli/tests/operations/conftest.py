"""The database of one service with dead letters in it, and a worker that tries them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread
from uuid import UUID, uuid4

import psycopg
import pytest

from bellwether.home import repository_root
from bellwether_kit.db import Database
from bellwether_kit.events import ignored
from bellwether_kit.events.batches import BatchProcessor
from bellwether_kit.events.replays import replay_timer
from bellwether_kit.settings import DatabaseSettings
from bellwether_kit.testing.databases import address, copy_of, make_template
from bellwether_kit.timers import fire

EVENT = (
    b'{"specversion":"1.0","id":"%s","source":"/t","type":"thing.sung.v1","tenantid":"acme",'
    b'"time":"2026-03-02T09:00:00Z","data":{"n":1}}'
)
KNOWN = ignored("things", "thing.sung.v1")


@pytest.fixture(scope="session")
def plan_template(postgres: str) -> str:
    return make_template(postgres, "plan", repository_root() / "services" / "plan-svc" / "migrations")


@pytest.fixture
def plan_database(postgres: str, plan_template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database of plan-svc, which the environment names."""
    monkeypatch.setenv("BELLWETHER_HOME", str(tmp_path))
    with copy_of(postgres, plan_template) as name:
        url = address(postgres, role="plan_worker", database=name)
        monkeypatch.setenv("BELLWETHER_PLAN_DATABASE_URL", url)
        yield url


@pytest.fixture
def bury(plan_database: str) -> Callable[..., UUID]:
    """Put a dead letter there; gives its id."""

    def put(value: bytes = b"", *, topic: str = "things", headers: str = "{}") -> UUID:
        id_ = uuid4()
        with psycopg.connect(plan_database) as worker:
            worker.execute(
                'INSERT INTO dead_letter (id, consumer, topic, partition, "offset", key, value, headers,'
                " error_type, error, received_at) VALUES (%s, 'plan', %s, 1, 7, 'acme/x', %s, %s, 'unknown-type',"
                " 'unknown type: x', clock_timestamp())",
                [id_, topic, value or EVENT % str(uuid4()).encode(), headers],
            )
        return id_

    return put


@pytest.fixture
def working(plan_database: str) -> Callable[[], AbstractContextManager[None]]:
    """While its context lasts a worker tries what is due; it knows the type of :data:`EVENT`."""

    async def work(stopped: Event) -> None:
        database = Database(DatabaseSettings(database_url=plan_database), source="/plan-svc")
        await database.open()
        timer = replay_timer(BatchProcessor(database, [KNOWN], consumer="plan"))
        while not stopped.is_set():
            await fire(database, timer)
            await asyncio.sleep(0.05)
        await database.close()

    @contextmanager
    def while_open() -> Iterator[None]:
        stopped = Event()
        thread = Thread(target=lambda: asyncio.run(work(stopped)))
        thread.start()
        yield
        stopped.set()
        thread.join()

    return while_open
