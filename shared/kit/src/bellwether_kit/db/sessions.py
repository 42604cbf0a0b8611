"""Sessions in which plain SQL goes to the driver itself, and everything else through SQLAlchemy as ever.

A statement that is a text has nothing for SQLAlchemy to compile, and its way through the library costs several times
what the driver needs. Results are SQLAlchemy's own, and so are the errors.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, PoolProxiedConnection, QueuePool, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.util import greenlet_spawn

Driver = psycopg.AsyncConnection[tuple[Any, ...]]

_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_READER = b"SELECT set_config('app.tenant', %s, false)"

_DIALECT = cast("Any", postgresql.psycopg).dialect()
_written: WeakKeyDictionary[TextClause, bytes] = WeakKeyDictionary()


def utc_text(column: str) -> str:
    """The SQL that writes a time as RFC 3339, for JSON that the database composes."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


class PlainResult(IteratorResult[Any]):
    """The rows of plain SQL; ``rowcount`` says how many it gave or changed."""

    def __init__(self, names: tuple[bytes | None, ...], rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(_columns(names), iter(rows))
        self.rowcount = rowcount


@lru_cache(maxsize=2_000)
def _columns(names: tuple[bytes | None, ...]) -> SimpleResultMetaData:
    return SimpleResultMetaData([(name or b"").decode() for name in names])


def _sql(statement: TextClause) -> bytes:
    """The statement as the driver takes it: ``%(name)s`` for ``:name``."""
    found = _written.get(statement)
    if found is None:
        found = _written[statement] = str(statement.compile(dialect=_DIALECT)).encode()
    return found


class Session(AsyncSession):
    """The session of one transaction; both sorts of statements share its connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, expire_on_commit=False, autoflush=False)
        self._engine = engine
        self._lent: tuple[object, Driver] | None = None

    async def begin_for(self, tenant: str | None) -> None:
        """Say whose transaction it is, which finds out whether the connection still lives.

        A pool that pings each connection before it lends it would ask the server twice. Nothing has happened yet when
        the connection turns out to be gone, seldom alone: all are made anew. That of a server that is away fails then.
        """
        given = {"tenant": tenant or ""}
        try:
            await self.execute(_TENANT, given)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self.rollback()
            await self._engine.dispose()
            await self.execute(_TENANT, given)

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement; plain SQL with one set of parameters takes the short way."""
        if _is_plain(statement, params):
            return await self._plain(statement, params)
        return await super().execute(statement, params, **options)

    async def _plain(self, statement: TextClause, params: Any) -> PlainResult:
        driver = await self._driver()
        try:
            return await _run(driver, _sql(statement), params)
        except DBAPIError as error:
            if error.connection_invalidated:
                await (await self.connection()).invalidate(error.orig)
            raise

    async def _driver(self) -> Driver:
        if self._lent is None or self._lent[0] is not self._innermost():
            # A savepoint is set when its connection is first asked for.
            raw = await (await self.connection()).get_raw_connection()
            self._lent = (self._innermost(), cast("Driver", raw.driver_connection))
        return self._lent[1]

    def _innermost(self) -> object:
        return self.sync_session.get_nested_transaction() or self.sync_session.get_transaction()


class _Told(SyncSession):
    """What SQLAlchemy works with below a :class:`ReadSession`."""


@event.listens_for(_Told, "after_begin")
def _tell_below(session: SyncSession, _: object, connection: Connection) -> None:
    """Make it a connection of the session's tenant, whatever SQLAlchemy is asked to do with it first."""
    if connection.info.get("tenant") != session.info["tenant"]:
        connection.exec_driver_sql(_READER.decode(), (session.info["tenant"],))
        connection.info["tenant"] = session.info["tenant"]


@event.listens_for(_Told, "after_transaction_create")
def _one_at_a_time(session: SyncSession, _: object) -> None:
    """Give back what plain SQL was lent before SQLAlchemy asks for a connection of its own."""
    session.info["give_back"]()


class ReadSession(AsyncSession):
    """A session that only reads, each statement by itself: it sees what is committed when the statement begins.

    ``engine`` commits by itself and can't write. Its connections keep whose they are until they are lent to another
    tenant. A session holds one at a time, whichever sort of statement it is for: readers who each held one and waited
    for a second would wait for each other.
    """

    sync_session_class = _Told

    def __init__(self, engine: AsyncEngine, tenant: str | None) -> None:
        self._engine = engine
        self._tenant = tenant or ""
        self._lent: PoolProxiedConnection | None = None
        info = {"tenant": self._tenant, "give_back": self._give_back}
        super().__init__(engine, expire_on_commit=False, autoflush=False, info=info)

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement that reads; plain SQL with one set of parameters takes the short way."""
        if not _is_plain(statement, params):
            return await super().execute(statement, params, **options)
        try:
            return await _run(await self._driver(), _sql(statement), params)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            # It only reads, so it may be asked again; a connection that was lost is seldom lost alone.
            self._give_back()
            await self._engine.dispose()
            return await _run(await self._driver(), _sql(statement), params)

    async def _driver(self) -> Driver:
        if self._lent is None:
            if self.in_transaction():
                await self.commit()  # sends nothing, and gives SQLAlchemy's connection back
            engine = self._engine.sync_engine
            pool = cast("QueuePool", engine.pool)
            # Only a connection that has to be made first needs SQLAlchemy's bridge between its two worlds.
            try:
                self._lent = (
                    engine.raw_connection() if pool.checkedin() else await greenlet_spawn(engine.raw_connection)
                )
            except psycopg.Error as error:
                raise _raised("", None, error, is_gone=True) from error
            await _tell(self._lent, self._tenant)
        return cast("Driver", self._lent.driver_connection)

    def _give_back(self) -> None:
        if self._lent is not None:
            driver = cast("Driver", self._lent.driver_connection)
            if driver.info.transaction_status is not TransactionStatus.IDLE:
                self._lent.invalidate()
            self._lent.close()
            self._lent = None

    async def close(self) -> None:
        """Give back what was lent."""
        self._give_back()
        if self.in_transaction():
            await super().close()


def _is_plain(statement: object, params: object) -> bool:
    return type(statement) is TextClause and isinstance(params, Mapping | None)


async def _tell(lent: PoolProxiedConnection, tenant: str) -> None:
    """Make it a connection of ``tenant``, unless it is one from before."""
    if lent.info.get("tenant") != tenant:
        await _run(cast("Driver", lent.driver_connection), _READER, [tenant])
        lent.info["tenant"] = tenant


async def _run(driver: Driver, sql: bytes, given: Any) -> PlainResult:
    """Run plain SQL; raises SQLAlchemy's errors."""
    try:
        cursor = await driver.execute(sql, given)
        found = cursor.pgresult
        if found is None or found.status != ExecStatus.TUPLES_OK:
            return PlainResult((), (), cursor.rowcount)
        # The driver's own description of the columns says more, and takes longer than the statement.
        names = tuple([found.fname(place) for place in range(found.nfields)])
        return PlainResult(names, await cursor.fetchall(), cursor.rowcount)
    except psycopg.Error as error:
        raise _raised(sql.decode(), given, error, is_gone=driver.closed) from error


def _raised(sql: str, given: Any, error: psycopg.Error, *, is_gone: bool) -> BaseException:
    """The error that SQLAlchemy makes of the driver's."""
    return DBAPIError.instance(sql, given, error, psycopg.Error, connection_invalidated=is_gone)
