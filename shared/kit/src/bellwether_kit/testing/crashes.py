"""A process of a service that dies at a named point of its code, and all that its database then holds."""

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from multiprocessing import get_context
from typing import Any

import httpx
import pytest
import uvicorn

from bellwether_kit.clock import FixedClock
from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.events.batches import BatchProcessor
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox, Record, fire_until_quiet

# Forked from a process that has the kit loaded already: it dies within some tenths of a second.
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["bellwether_kit.worker", "bellwether_kit.testing.crashes"])

BATCH = ("before-inbox", "after-inbox", "before-write", "after-write")
"""The points of a batch before its end."""
AROUND = ("before-outbox", "after-outbox", "before-commit", "after-commit")
"""The points of the end of any unit of work that says something."""
DIED = 137
_DAY_MS = 86_400_000
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)")
_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attidentity = '' AND coalesce(pg_get_expr(d.adbin, d.adrelid), '') !~ 'xact'
      AND c.relname NOT IN ('alembic_version', 'outbox')
    GROUP BY c.relname ORDER BY c.relname
"""


@dataclass(frozen=True)
class Crashes:
    """Crashes of the worker and of the API of the service ``name``, and what comes of them."""

    name: str
    settings: ServiceSettings
    api: ServiceSettings
    clock: FixedClock
    mailbox: Mailbox

    async def change_nothing(
        self, point: str, before: Callable[[], Awaitable[None]], said: Callable[[], Sequence[Record]]
    ) -> None:
        """Die at ``point`` ("in-alert:2") over a batch and all that is due with it, start again, and compare.

        ``before`` lets happen what goes before, ``said`` gives the batch; AssertionError when the database then holds
        something else than without a crash, or when the worker never comes to the point.
        """
        calm = await self._lived(before, said)
        self.mailbox.start_over()
        crashed = await self._lived(before, said, point)
        differing = {table: (crashed[table], rows) for table, rows in calm.items() if crashed[table] != rows}
        assert not differing, f"after a crash, and without: {json.dumps(differing, indent=1)}"

    async def in_a_request(self, point: str, ask: Callable[[httpx.AsyncClient], Awaitable[object]]) -> None:
        """Have an API process die at ``point`` over what ``ask`` sends it; AssertionError when it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = _processes.Process(target=_serve, args=(self.name, self.api, self.clock.now(), point, port))
        process.start()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            while not await _is_ready(client):  # noqa: ASYNC110 - it is another process that gets ready
                await asyncio.sleep(0.05)
            try:
                answer = await ask(client)
            except httpx.TransportError:
                answer = None
        await asyncio.to_thread(process.join, 60)
        assert (process.exitcode, answer) == (DIED, None), f"it does not die at {point}"

    async def _lived(
        self, before: Callable[[], Awaitable[None]], said: Callable[[], Sequence[Record]], point: str | None = None
    ) -> dict[str, list[str]]:
        await before()
        records = said()
        if point is not None:
            assert await self._exit_code(point, records) == DIED, f"nothing comes to {point}"
        await self.mailbox.process(*records)
        await self.mailbox.fire_timers()
        return state(self.mailbox)

    async def _exit_code(self, point: str, records: Sequence[Record]) -> int | None:
        work = (self.name, self.settings, self.clock.now(), point, list(records))
        process = _processes.Process(target=_work, args=work)
        process.start()
        await asyncio.to_thread(process.join, 60)
        return process.exitcode


def in_cases(cases: Sequence[tuple[str, str, str]]) -> Callable[..., Awaitable[None]]:
    """The test that a worker which dies and starts again ends as one that lived; a service keeps it by such a name.

    A case names what goes before and what is then said, both of them methods of the service's fixture ``story``, and
    the point where the worker dies.
    """

    @pytest.mark.parametrize(("before", "said", "point"), cases)
    async def test(crashes: Crashes, story: object, before: str, said: str, point: str) -> None:
        await crashes.change_nothing(f"{point}:1", getattr(story, before), getattr(story, said))

    return test


def _work(name: str, settings: ServiceSettings, now: datetime, point: str, records: Sequence[Record]) -> None:
    os.environ["BELLWETHER_FAULT"] = point
    wiring: Any = import_module(f"{name}_svc.subscriptions")

    async def live() -> None:
        database = Database(settings, source=f"/{name}-svc", clock=FixedClock(now))
        await database.open()
        await BatchProcessor(database, wiring.SUBSCRIPTIONS, consumer=name).process(records)
        await fire_until_quiet(database, wiring.TIMERS)
        await database.close()

    asyncio.run(live())


def _serve(name: str, settings: ServiceSettings, now: datetime, point: str, port: int) -> None:
    os.environ["BELLWETHER_FAULT"] = point
    app = import_module(f"{name}_svc.main").create_app(settings, clock=FixedClock(now))
    uvicorn.run(app, port=port, log_config=None)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


def state(mailbox: Mailbox) -> dict[str, list[str]]:
    """Every row of the service's database, and what it said in the order of each key.

    What differs from one run to the next is left out: ids that were made up, numbers that the server
    gave, and times of the machine's clock.
    """
    found = {}
    for table in mailbox.admin(_TABLES):
        columns = ", ".join(f'"{column}"' for column in table.columns)
        rows = mailbox.admin(f'SELECT to_jsonb(r) AS row FROM (SELECT {columns} FROM "{table.name}") AS r')
        found[table.name] = sorted(_plain(row.row) for row in rows)
    said = sorted(mailbox.outbox(), key=lambda each: (each.topic, each.key, each.sequence))
    found["outbox"] = [_plain([s.topic, s.key, s.sequence, s.type, s.data]) for s in said]
    return found


def _plain(row: Any) -> str:
    text = _ID.sub(lambda id_: "made-up" if _is_made_now(id_[0]) else id_[0], json.dumps(row, sort_keys=True))
    return _TIME.sub(lambda at: "now" if _is_now(at[0]) else at[0], text)


def _is_made_now(id_: str) -> bool:
    """Whether an id is one that nothing gives again: of version 7 and of these days, or of version 4."""
    return id_[14] == "4" or (id_[14] == "7" and abs(int(id_[:8] + id_[9:13], 16) - time.time() * 1000) < _DAY_MS)


def _is_now(at: str) -> bool:
    return abs(datetime.fromisoformat(at).timestamp() - time.time()) * 1000 < _DAY_MS
