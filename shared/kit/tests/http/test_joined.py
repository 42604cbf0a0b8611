"""Joined writes: who comes meanwhile goes together, and nobody suffers from another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError, OperationalError
from things.service import UnknownThing

from bellwether_kit import telemetry
from bellwether_kit.http.joined import LIMIT, JoinedWork, Joins
from bellwether_kit.telemetry import Cause


@dataclass
class Unit:
    causes: dict[str, Cause] = field(default_factory=dict)


class Table:
    """Work that the test holds up and lets fail; ``runs`` is what was done together, ``units`` in which unit."""

    def __init__(self) -> None:
        self.runs: list[list[Any]] = []
        self.units: list[Unit] = []
        self.in_hand: list[Cause] = []
        self.open = asyncio.Event()
        self.open.set()
        self.refuse: Callable[[Any], Exception | None] = lambda _item: None
        self.work = JoinedWork(self._do, lambda result: str(result) if result < 100 else None)

    async def transact(self, work: Callable[[Any], Awaitable[Sequence[Any]]]) -> Sequence[Any]:
        unit = Unit()
        results = await work(unit)
        self.units.append(unit)
        return results

    async def _do(self, _uow: Any, items: Sequence[Any]) -> Sequence[Any]:
        self.runs.append(list(items))
        self.in_hand.append(telemetry.cause())
        await self.open.wait()
        for item in items:
            if error := self.refuse(item):
                raise error
        return [item * 10 for item in items]


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def joins() -> AsyncIterator[Joins]:
    made = Joins()
    yield made
    await made.drain()


def ask(joins: Joins, table: Table, item: int, key: str = "acme") -> asyncio.Task[Any]:
    async def asking() -> Any:
        telemetry.resume(Cause(f"request-{item}", f"trace-{item}"))
        return await joins.add(key, item, table.transact, table.work)

    return asyncio.create_task(asking())


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_comes_alone_is_done_at_once(joins: Joins, table: Table) -> None:
    assert await ask(joins, table, 1) == 10
    assert await ask(joins, table, 2) == 20
    assert table.runs == [[1], [2]]


async def test_while_one_runs_the_next_ones_gather(joins: Joins, table: Table) -> None:
    table.open.clear()
    first = ask(joins, table, 1)
    await turns()
    others = [ask(joins, table, n) for n in (2, 3, 4)]
    await turns()
    assert table.runs == [[1]]
    table.open.set()
    assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
    assert table.runs == [[1], [2, 3, 4]]


async def test_those_of_another_key_do_not_wait(joins: Joins, table: Table) -> None:
    table.open.clear()
    asked = [ask(joins, table, 1), ask(joins, table, 2, key="globex")]
    await turns()
    assert table.runs == [[1], [2]]
    table.open.set()
    assert await asyncio.gather(*asked) == [10, 20]


async def test_no_more_are_joined_than_the_limit(joins: Joins, table: Table) -> None:
    await asyncio.gather(*(ask(joins, table, n) for n in range(LIMIT + 3)))
    assert [len(run) for run in table.runs] == [LIMIT, 3]


async def test_one_that_fails_harms_no_other(joins: Joins, table: Table) -> None:
    table.refuse = lambda item: UnknownThing("There is no 2.") if item == 2 else None
    found = await asyncio.gather(*(ask(joins, table, n) for n in (1, 2, 3)), return_exceptions=True)
    assert found[::2] == [10, 30]
    assert isinstance(found[1], UnknownThing)
    assert table.runs == [[1, 2, 3], [1], [2], [3]]


async def test_what_only_the_database_refuses_harms_no_other(joins: Joins, table: Table) -> None:
    taken = UniqueViolation()
    taken.sqlstate = "23505"
    table.refuse = lambda item: IntegrityError("INSERT", {}, taken) if item == 2 else None
    found = await asyncio.gather(*(ask(joins, table, n) for n in (1, 2)), return_exceptions=True)
    assert found[0] == 10
    assert isinstance(found[1], IntegrityError)


async def test_a_database_that_is_away_is_asked_once(joins: Joins, table: Table) -> None:
    table.refuse = lambda _item: OperationalError("SELECT", {}, ConnectionError("refused"))
    found = await asyncio.gather(*(ask(joins, table, n) for n in (1, 2, 3)), return_exceptions=True)
    assert [type(error) for error in found] == [OperationalError] * 3
    assert table.runs == [[1, 2, 3]]


async def test_after_a_failure_the_next_one_is_done(joins: Joins, table: Table) -> None:
    table.refuse = lambda item: UnknownThing("no") if item == 1 else None
    with pytest.raises(UnknownThing):
        await ask(joins, table, 1)
    assert await ask(joins, table, 2) == 20


async def test_who_leaves_while_waiting_is_left_out(joins: Joins, table: Table) -> None:
    table.open.clear()
    first = ask(joins, table, 1)
    await turns()
    leaving, staying = ask(joins, table, 2), ask(joins, table, 3)
    await turns()
    leaving.cancel()
    table.open.set()
    assert await asyncio.gather(first, staying) == [10, 30]
    assert table.runs == [[1], [3]]


async def test_who_leaves_while_it_is_done_harms_nobody(joins: Joins, table: Table) -> None:
    table.open.clear()
    leaving, staying = ask(joins, table, 1), ask(joins, table, 2)
    await turns()
    leaving.cancel()
    table.open.set()
    assert await staying == 20
    assert await ask(joins, table, 3) == 30


async def test_a_stop_waits_for_what_is_in_hand(joins: Joins, table: Table) -> None:
    table.open.clear()
    asked = ask(joins, table, 1)
    await turns()
    stop = asyncio.create_task(joins.drain())
    await turns()
    assert not stop.done()
    table.open.set()
    await stop
    assert await asked == 10


async def test_each_result_goes_back_to_its_own_request(joins: Joins, table: Table) -> None:
    await asyncio.gather(*(ask(joins, table, n) for n in (1, 2)))
    assert table.units[0].causes == {"10": Cause("request-1", "trace-1"), "20": Cause("request-2", "trace-2")}
    assert table.in_hand == [Cause()]


async def test_who_is_alone_causes_all_that_happens(joins: Joins, table: Table) -> None:
    await ask(joins, table, 1)
    await ask(joins, table, 20)
    assert table.in_hand == [Cause("request-1", "trace-1"), Cause("request-20", "trace-20")]
    assert table.units[1].causes == {}
