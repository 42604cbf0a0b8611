"""One transaction and everything that belongs in it. Only its end commits: rows, events and inbox together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bellwether_kit.clock import Clock, SystemClock
from bellwether_kit.db.sessions import ReadSession, Session
from bellwether_kit.events import outbox
from bellwether_kit.events.announcer import Announcer
from bellwether_kit.events.envelope import Event
from bellwether_kit.events.outbox import RawRecord
from bellwether_kit.faults import fault_point
from bellwether_kit.telemetry import Cause

if TYPE_CHECKING:
    from bellwether_kit.settings import DatabaseSettings

_OLDEST_UNSENT = text(
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0) FROM outbox WHERE published_at IS NULL"
)


class UnitOfWork:
    """What a handler or a write works with: the transaction's session, its time, and the events it emits."""

    __slots__ = ("_entries", "causes", "now", "session", "settings")

    def __init__(self, session: Session, now: datetime, settings: "DatabaseSettings") -> None:
        self.session = session
        self.now = now
        self.settings = settings
        """Those of the process, of the class that its service gave."""
        self.causes: dict[str, Cause] = {}
        """By the subject of events the request they go back to, where that is not the one in hand."""
        self._entries: list[Event | RawRecord] = []

    def emit(self, *entries: Event | RawRecord) -> None:
        """Say ``entries`` to the world once this unit commits, in this order."""
        self._entries.extend(entries)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Undo what happens inside if it raises, rows and emitted events; what the unit did before stands."""
        said = len(self._entries)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self._entries[said:]
            raise

    async def flush(self, source: str) -> bool:
        """Write the emitted events to the outbox; says whether there were any."""
        if not self._entries:
            return False
        fault_point("before-outbox")
        await outbox.write(self.session, self._entries, source=source, causes=self.causes)
        self._entries.clear()
        fault_point("after-outbox")
        return True


class Database:
    """A process's access to its service's database: one pool, units of work and reads."""

    def __init__(self, settings: "DatabaseSettings", *, source: str = "", clock: Clock | None = None) -> None:
        """``source`` is the CloudEvents source of what is emitted (``/metrics-svc``); ``clock`` gives ``uow.now``."""
        self.settings = settings
        self.source = source
        self.clock: Clock = clock or SystemClock()
        self._announcer: Announcer | None = None
        self._engine: AsyncEngine | None = None
        self._readers: AsyncEngine | None = None
        self._writing = asyncio.Semaphore(settings.pool_size)
        self._reading = asyncio.Semaphore(settings.pool_size)

    @property
    def url(self) -> URL:
        """Where the database is, for the psycopg driver."""
        return make_url(self.settings.database_url).set(drivername="postgresql+psycopg")

    @property
    def dsn(self) -> str:
        """The same address for a bare psycopg connection."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def engine(self) -> AsyncEngine:
        """The open engine; raises RuntimeError before :meth:`open`."""
        if self._engine is None:
            raise RuntimeError("the database is not open")
        return self._engine

    async def open(self) -> None:
        """Make the pools, one to write and one to read; connections are made when they are needed."""
        self._engine = self._pool("")
        # What only reads needs no transaction: its statements go alone, and can't write.
        self._readers = self._pool(
            " -c default_transaction_read_only=on", isolation_level="AUTOCOMMIT", pool_reset_on_return=None
        )
        self._announcer = Announcer(self.dsn)

    def _pool(self, options: str, **more: Any) -> AsyncEngine:
        s = self.settings
        options = (
            f"-c statement_timeout={s.statement_timeout_ms} -c lock_timeout={s.lock_timeout_ms} "
            f"-c idle_in_transaction_session_timeout={s.idle_in_transaction_timeout_ms} -c timezone=UTC{options}"
        )
        return create_async_engine(
            self.url,
            pool_size=s.pool_size,
            max_overflow=0,
            pool_timeout=s.pool_timeout,
            connect_args={"options": options, "connect_timeout": 5},
            json_deserializer=msgspec.json.decode,
            **more,
        )

    async def close(self) -> None:
        """Close the pools."""
        if self._announcer is not None:
            await self._announcer.close()
            self._announcer = None
        for engine in (self._engine, self._readers):
            if engine is not None:
                await engine.dispose()
        self._engine = self._readers = None

    @asynccontextmanager
    async def unit_of_work(self, tenant: str | None) -> AsyncIterator[UnitOfWork]:
        """One transaction of ``tenant`` (None: a worker's, over all tenants); it commits at the end, or not at all."""
        async with self._turn(self._writing), Session(self.engine) as session:
            await session.begin_for(tenant)
            unit = UnitOfWork(session, self.clock.now(), self.settings)
            yield unit
            await session.flush()
            emitted = await unit.flush(self.source)
            fault_point("before-commit")
            await session.commit()
            fault_point("after-commit")
        if emitted and self._announcer is not None:
            self._announcer.announce()

    @asynccontextmanager
    async def rehearsal(self, tenant: str | None) -> AsyncIterator[UnitOfWork]:
        """A unit of work of ``tenant`` of which nothing stays, neither rows nor locks nor what was said in it."""
        async with self._turn(self._writing), Session(self.engine) as session:
            await session.begin_for(tenant)
            yield UnitOfWork(session, self.clock.now(), self.settings)

    @asynccontextmanager
    async def read(self, tenant: str | None) -> AsyncIterator[AsyncSession]:
        """Reads for ``tenant`` (None: a worker's, over all tenants); each sees what was committed when it began."""
        if self._readers is None:
            raise RuntimeError("the database is not open")
        async with self._turn(self._reading):
            session = ReadSession(self._readers, tenant)
            try:
                yield session
            finally:
                await session.close()

    @asynccontextmanager
    async def _turn(self, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait for a connection, whoever came first gets the next: in SQLAlchemy's pool newcomers overtake.

        Raises SQLAlchemy's TimeoutError when none is given back in time.
        """
        if turns.locked():
            try:
                async with asyncio.timeout(self.settings.pool_timeout):
                    await turns.acquire()
            except TimeoutError as error:
                raise PoolExhausted("no connection was given back in time") from error
        else:
            await turns.acquire()
        try:
            yield
        finally:
            turns.release()

    async def ping(self) -> None:
        """Raise when the database does not answer within a second."""
        async with asyncio.timeout(1), self.read(None) as session:
            await session.execute(text("SELECT 1"))

    async def oldest_unsent_seconds(self) -> float:
        """The age of the oldest event that is not published yet, in seconds; 0 when there is none."""
        async with self.read(None) as session:
            return float((await session.execute(_OLDEST_UNSENT)).scalar_one())
