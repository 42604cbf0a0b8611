"""One authenticated request: the caller, reads, and writes that happen once and in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import idempotency
from bellwether_kit.http.joined import JoinedWork
from bellwether_kit.http.remembered import Make, remembered
from bellwether_kit.http.runtime import Runtime, runtime_of
from bellwether_kit.settings import ServiceSettings

_TRIES = 3
_WORTH_ANOTHER_TRY = frozenset({"40001", "40P01"})
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers; ``body`` is a model or plain data, None for an empty body."""

    body: BaseModel | Mapping[str, Any] | list[Any] | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[UnitOfWork], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Call:
    """An admitted request. ``tenant`` comes from the token and from nowhere else."""

    request: Request
    tenant: str
    subject: str
    scopes: frozenset[str]

    @property
    def _runtime(self) -> Runtime:
        return runtime_of(self.request)

    @property
    def settings(self) -> ServiceSettings:
        """The service's settings, of the class it gave to ``build_api``."""
        return self._runtime.settings

    @property
    def now(self) -> datetime:
        """The business time, for reads; a write goes by ``uow.now``."""
        return self._runtime.clock.now()

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a session that sees the caller's tenant and can't write."""
        return self._runtime.database.read(self.tenant)

    def rehearsal(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work of the caller's tenant of which nothing stays."""
        return self._runtime.database.rehearsal(self.tenant)

    async def remembered(self, version: str, make: Make) -> Response:
        """Answer the JSON that ``make`` gives, or gave before to this address when all was as ``version`` says.

        The version must be read before what ``make`` reads, change with it, and name whatever else goes in, like
        today's date. With an ``ETag``; 304 to a caller whose ``If-None-Match`` has it.
        """
        return await remembered(self._runtime.remembered, self.request, self.tenant, version, make)

    async def write(self, work: Work) -> Response:
        """Run ``work`` in one transaction of the caller's tenant and answer what it gives.

        With an ``Idempotency-Key`` the answer is stored in that transaction, and a repeat gets it without the
        work. What ``work`` raises undoes everything; :meth:`transact` says what is tried again.
        """
        request = await idempotency.keyed(self.request)

        async def answered(uow: UnitOfWork) -> Response:
            if request is None:
                return rendered(await work(uow))
            stored = await idempotency.claim(uow, self.tenant, request)
            if stored is not None:
                return stored
            response = rendered(await work(uow))
            if response.status_code < 400:
                await idempotency.store(uow, self.tenant, request, response)
            return response

        return await self.transact(answered)

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction of the caller's tenant, whatever key the request has, and give its result.

        Deadlocks and serialization failures are tried three times, so ``work`` must change nothing but the unit
        of work.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                async with self._runtime.database.unit_of_work(self.tenant) as uow:
                    return await work(uow)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _WORTH_ANOTHER_TRY or attempt == _TRIES:
                    raise
        raise AssertionError("the last try answers or raises")

    def turn(self, name: str) -> asyncio.Lock:
        """The lock of ``name`` and the caller's tenant in this process, given to whoever waits longest.

        For large writes that would wait for each other in the database, where waiting holds a connection and ends.
        """
        return self._runtime.turns.setdefault((name, self.tenant), asyncio.Lock())

    async def join(self, item: T, work: JoinedWork[T, R]) -> R:
        """Have ``item`` done in one transaction with those that other requests to this route ask for meanwhile.

        Only requests of the same tenant and subject are joined. ``work`` must be the same for all of them, and
        change nothing but the unit of work; see :meth:`Joins.add` for what becomes of failures. An
        ``Idempotency-Key`` is not looked at: such a request goes by :meth:`write`.
        """
        key = (self.request.method, self.request.scope["route"].path_format, self.tenant, self.subject)
        return await self._runtime.joins.add(key, item, self.transact, work)


def rendered(answer: Answer) -> Response:
    """Turn ``answer`` into JSON bytes and headers."""
    if answer.body is None:
        return Response(status_code=answer.status, headers=dict(answer.headers))
    return Response(to_json(answer.body), answer.status, headers=dict(answer.headers), media_type="application/json")
