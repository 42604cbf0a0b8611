"""Plain SQL takes the short way to the driver; what comes back, and what goes wrong, is SQLAlchemy's all the same."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import Database
from bellwether_kit.db.sessions import PlainResult
from bellwether_kit.settings import ServiceSettings

_INSERT = text("INSERT INTO thing (tenant, id, total) VALUES ('acme', :id, :total)")
_TOTALS = text("SELECT id, total FROM thing ORDER BY id")
ONE, TWO = UUID(int=1), UUID(int=2)


async def test_rows_have_names_and_changes_a_count(database: Database) -> None:
    async with database.unit_of_work("acme") as uow:
        for id_ in (ONE, TWO):
            await uow.session.execute(_INSERT, {"id": id_, "total": 1})
        changed = await uow.session.execute(text("UPDATE thing SET total = total + 1"))
        assert isinstance(changed, PlainResult)
        assert changed.rowcount == 2
        rows = (await uow.session.execute(_TOTALS)).all()
        assert [(row.id, row.total) for row in rows] == [(ONE, 2), (TWO, 2)]
        assert (await uow.session.scalars(_TOTALS)).all() == [ONE, TWO]
        assert len((await uow.session.execute(text("SELECT FROM thing"))).all()) == 2


async def test_percent_signs_and_casts_mean_what_they_say(database: Database) -> None:
    async with database.read("acme") as session:
        row = (await session.execute(text("SELECT 'a%' LIKE :like, CAST('7' AS integer)"), {"like": "a%"})).one()
    assert tuple(row) == (True, 7)


async def test_both_sorts_of_statements_are_in_one_transaction(database: Database) -> None:
    async with database.unit_of_work("acme") as uow:
        await uow.session.execute(_INSERT, {"id": ONE, "total": 1})
        before = (await uow.session.execute(select(literal(1)).select_from(text("thing")))).all()
        assert len(before) == 1


async def test_what_the_server_refuses_is_an_error_of_sqlalchemy(database: Database) -> None:
    async with database.unit_of_work("acme") as uow:
        await uow.session.execute(_INSERT, {"id": ONE, "total": 1})
    with pytest.raises(IntegrityError) as refused:
        async with database.unit_of_work("acme") as uow:
            await uow.session.execute(_INSERT, {"id": ONE, "total": 1})
    assert getattr(refused.value.orig, "sqlstate", None) == "23505"
    async with database.unit_of_work("acme") as uow:
        with pytest.raises(ProgrammingError):
            async with uow.attempt():
                await uow.session.execute(text("SELECT nothing FROM nowhere"))
        assert (await uow.session.scalars(_TOTALS)).all() == [ONE]


async def test_who_only_reads_cannot_write_and_sees_what_others_commit_meanwhile(database: Database) -> None:
    async with database.read("acme") as session:
        assert (await session.execute(_TOTALS)).all() == []
        async with database.unit_of_work("acme") as uow:
            await uow.session.execute(_INSERT, {"id": ONE, "total": 1})
        assert len((await session.execute(_TOTALS)).all()) == 1
        assert (await session.execute(select(literal("still there")))).scalar_one() == "still there"
        with pytest.raises(InternalError):
            await session.execute(_INSERT, {"id": TWO, "total": 1})


@pytest.mark.parametrize("way", ["plain", "composed", "scalar", "scalars"])
async def test_a_connection_that_is_lent_again_belongs_to_the_next_tenant(database: Database, way: str) -> None:
    async def ask(session: AsyncSession) -> object:
        whose = func.current_setting("app.tenant")
        match way:
            case "plain":
                return (await session.execute(text("SELECT current_setting('app.tenant')"))).scalar_one()
            case "composed":
                return (await session.execute(select(whose))).scalar_one()
            case "scalar":
                return await session.scalar(select(whose))
            case _:
                return (await session.scalars(select(whose))).one()

    for tenant in ("acme", "globex", None, "acme"):
        async with database.read(tenant) as session:
            assert await ask(session) == (tenant or "")


async def test_of_a_rehearsal_nothing_stays(database: Database) -> None:
    async with database.rehearsal("acme") as uow:
        await uow.session.execute(_INSERT, {"id": ONE, "total": 1})
        assert len((await uow.session.execute(_TOTALS)).all()) == 1
    async with database.read("acme") as session:
        assert (await session.execute(_TOTALS)).all() == []


async def test_who_waits_longest_reads_next(database: Database) -> None:
    order: list[int] = []

    async def read(number: int) -> None:
        async with database.read("acme") as session:
            order.append(number)
            await session.execute(text("SELECT pg_sleep(0.002)"))

    await asyncio.gather(*(read(number) for number in range(40)))
    assert order == list(range(40))


async def test_readers_who_mix_both_sorts_of_statements_hold_one_connection_each_and_never_wait_for_each_other(
    settings_as: Callable[..., ServiceSettings],
) -> None:
    narrow = Database(settings_as("api", pool_size=2, pool_timeout=2.0))
    await narrow.open()

    async def read(number: int) -> list[int]:
        found = []
        async with narrow.read("acme") as session:
            for _ in range(3):
                found.append(await session.scalar(select(literal(number))))
                await asyncio.sleep(0)
                found.append((await session.execute(text("SELECT CAST(:n AS integer)"), {"n": number})).scalar_one())
        return found

    try:
        assert await asyncio.gather(*(read(number) for number in range(8))) == [[number] * 6 for number in range(8)]
    finally:
        await narrow.close()
