"""Sessions in which plain SQL goes to the driver itself, and everything else through SQLAlchemy as ever.

A statement that is a text has nothing for SQLAlchemy to compile, and its way through the library costs several times
what the driver needs. Results are SQLAlchemy's own, and so are the errors.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.sql.elements import TextClause

_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
_READER = text("SELECT set_config('app.tenant', :tenant, false)")

_DIALECT = cast("Any", postgresql.psycopg).dialect()
_written: WeakKeyDictionary[TextClause, bytes] = WeakKeyDictionary()


class PlainResult(IteratorResult[Any]):
    """The rows of plain SQL; ``rowcount`` says how many it gave or changed."""

    def __init__(self, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(_columns(names), iter(rows))
        self.rowcount = rowcount


@lru_cache(maxsize=2_000)
def _columns(names: tuple[str, ...]) -> SimpleResultMetaData:
    return SimpleResultMetaData(names)


def _sql(statement: TextClause) -> bytes:
    """The statement as the driver takes it: ``%(name)s`` for ``:name``."""
    found = _written.get(statement)
    if found is None:
        found = _written[statement] = str(statement.compile(dialect=_DIALECT)).encode()
    return found


class Session(AsyncSession):
    """The session of one transaction, or of reads that need none; both sorts of statements share its connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, expire_on_commit=False, autoflush=False)
        self._engine = engine
        self._lent: tuple[object, psycopg.AsyncConnection[Any]] | None = None

    async def begin_for(self, tenant: str | None, *, reading: bool) -> None:
        """Say whose connection it is now, which finds out whether it still lives.

        A pool that pings each connection before it lends it would ask the server twice. Nothing has happened yet when
        the connection turns out to be gone, seldom alone: all are made anew. That of a server that is away fails then.
        """
        statement, given = _READER if reading else _TENANT, {"tenant": tenant or ""}
        try:
            await self.execute(statement, given)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            await self.rollback()
            await self._engine.dispose()
            await self.execute(statement, given)

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Run a statement; plain SQL with one set of parameters takes the short way."""
        if type(statement) is not TextClause or not isinstance(params, Mapping | None):
            return await super().execute(statement, params, **options)
        driver, sql = await self._driver(), _sql(statement)
        try:
            cursor = await driver.execute(sql, params)
            if cursor.description is None:
                return PlainResult((), (), cursor.rowcount)
            names = tuple([column.name for column in cursor.description])
            return PlainResult(names, await cursor.fetchall(), cursor.rowcount)
        except psycopg.Error as error:
            if driver.closed:
                await (await self.connection()).invalidate(error)
            raise DBAPIError.instance(
                sql.decode(), params, error, psycopg.Error, connection_invalidated=driver.closed
            ) from error

    async def _driver(self) -> psycopg.AsyncConnection[Any]:
        if self._lent is None or self._lent[0] is not self._innermost():
            # A savepoint is set when its connection is first asked for.
            raw = await (await self.connection()).get_raw_connection()
            self._lent = (self._innermost(), cast("Any", raw.driver_connection))
        return self._lent[1]

    def _innermost(self) -> object:
        return self.sync_session.get_nested_transaction() or self.sync_session.get_transaction()
