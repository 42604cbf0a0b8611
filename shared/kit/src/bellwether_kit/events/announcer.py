"""Waking the relay, in whatever process it runs, when the outbox has something. Polling covers a lost word."""

import asyncio

import psycopg
import structlog

log = structlog.get_logger(__name__)

CHANNEL = "outbox"


class Announcer:
    """Says ``NOTIFY`` after commits, coalesced, on a connection of its own.

    Inside the writing transaction ``NOTIFY`` would take a lock over the whole database at commit. A word that is
    lost costs one poll interval of the relay.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Say it soon; many calls make one word. The first call makes the connection."""
        self._due.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the task and its connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                    while True:
                        await self._due.wait()
                        self._due.clear()
                        await db.execute(f"NOTIFY {CHANNEL}")
            except (psycopg.Error, OSError) as error:
                log.info("announcer.database_away", error=repr(error))
                await asyncio.sleep(1)
