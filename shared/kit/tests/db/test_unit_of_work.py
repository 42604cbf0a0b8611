"""Units of work on a real PostgreSQL."""

from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest
from sample.service import Counted
from sqlalchemy import text

from bellwether_kit.db import Database
from bellwether_kit.events import Event
from bellwether_kit.testing.service import START, Mailbox

_INSERT = text("INSERT INTO thing (tenant, id, total) VALUES ('acme', :id, 1)")


def counted(id_: UUID) -> Event:
    return Event.of(Counted(account_id=id_, total=1), tenant="acme", subject=str(id_), time=START)


async def test_what_an_attempt_did_is_undone_alone_with_what_it_said(database: Database, mailbox: Mailbox) -> None:
    first, second, third = (UUID(int=n) for n in (1, 2, 3))
    async with database.unit_of_work(None) as uow:
        for id_ in (first, second, third):
            with pytest.raises(ValueError, match="broken") if id_ == second else nullcontext():
                async with uow.attempt():
                    await uow.session.execute(_INSERT, {"id": id_})
                    uow.emit(counted(id_))
                    if id_ == second:
                        raise ValueError("broken")
    assert [first, third] == [row.id for row in mailbox.admin("SELECT id FROM thing ORDER BY id")]
    assert [str(first), str(third)] == [said.key.removeprefix("acme/") for said in mailbox.outbox()]


async def test_connections_that_the_server_closed_meanwhile_are_replaced_unnoticed(
    database: Database, admin: Any
) -> None:
    async with database.read("acme") as one, database.read("acme") as other:
        for session in (one, other):
            await session.execute(text("SELECT 1"))
    admin(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    async with database.unit_of_work("acme") as uow:
        assert (await uow.session.execute(text("SELECT current_setting('app.tenant')"))).scalar_one() == "acme"
    async with database.read(None) as session:
        assert (await session.execute(text("SELECT current_setting('app.tenant')"))).scalar_one() == ""
