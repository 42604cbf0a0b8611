"""Writes of one sort that come at the same time, done in one transaction: while one runs, the next ones gather.

Nobody waits for company: what comes alone is done alone, at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from bellwether_kit import telemetry
from bellwether_kit.db import UnitOfWork
from bellwether_kit.telemetry import Cause

LIMIT = 500
"""Writes that are joined at the most."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class JoinedWork(Generic[T, R]):
    """What is done with items that were joined: in one unit of work, a result for each, in their order.

    ``subject`` is the subject of the events that a result stands for, which then carry the ids of the request that
    asked for it; None when there is none.
    """

    do: Callable[[UnitOfWork, Sequence[T]], Awaitable[Sequence[R]]]
    subject: Callable[[R], str | None]


Transact = Callable[[Callable[[UnitOfWork], Awaitable[Sequence[Any]]]], Awaitable[Sequence[Any]]]
"""Runs what it is given in one transaction, as ``Call.transact`` does."""


@dataclass(frozen=True, slots=True)
class _Ask:
    item: Any
    answer: "asyncio.Future[Any]"
    cause: Cause


class Joins:
    """The writes of one process that wait to be joined. Those of one ``key`` run one transaction after the other."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[_Ask]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, key: Hashable, item: T, transact: Transact, work: JoinedWork[T, R]) -> R:
        """Have ``item`` done with others of its ``key``, which all have the same ``transact`` and ``work``.

        Gives its result once that is committed. When the transaction of several fails, each is tried alone, so that
        one harms no other; raises what ``work`` raises for this one. Whoever is cancelled while waiting is left out.
        """
        ask = _Ask(item, asyncio.get_running_loop().create_future(), telemetry.cause())
        if key in self._waiting:
            self._waiting[key].append(ask)
        else:
            self._waiting[key] = deque([ask])
            task = asyncio.create_task(self._run(key, transact, work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        answer: R = await ask.answer
        return answer

    async def drain(self) -> None:
        """Return once nothing is in hand any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, key: Hashable, transact: Transact, work: JoinedWork[Any, Any]) -> None:
        waiting = self._waiting[key]
        while waiting:
            taken = [waiting.popleft() for _ in range(min(LIMIT, len(waiting)))]
            await _answer(taken, transact, work)
        del self._waiting[key]


async def _answer(asked: Sequence[_Ask], transact: Transact, work: JoinedWork[Any, Any]) -> None:
    asks = [ask for ask in asked if not ask.answer.done()]
    if not asks:
        return
    # Of events that stand for nobody's result in particular, nobody can say which request caused them.
    telemetry.resume(asks[0].cause if len(asks) == 1 else Cause())
    try:
        results = await transact(partial(_together, asks, work))
    except Exception as error:  # noqa: BLE001 (whoever asked gets it)
        if len(asks) == 1 or _is_away(error):
            _fail(asks, error)
            return
        for ask in asks:
            await _answer([ask], transact, work)
        return
    for ask, result in zip(asks, results, strict=True):
        if not ask.answer.done():
            ask.answer.set_result(result)


async def _together(asks: Sequence[_Ask], work: JoinedWork[Any, Any], uow: UnitOfWork) -> Sequence[Any]:
    results = await work.do(uow, [ask.item for ask in asks])
    for ask, result in zip(asks, results, strict=True):
        if (subject := work.subject(result)) is not None:
            uow.causes[subject] = ask.cause
    return results


def _fail(asks: Sequence[_Ask], error: Exception) -> None:
    for ask in asks:
        if not ask.answer.done():
            ask.answer.set_exception(error)


def _is_away(error: Exception) -> bool:
    """Whether the database could not be asked at all, which has nothing to do with any item."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or not getattr(error.orig, "sqlstate", None)
    return isinstance(error, PoolExhausted)
