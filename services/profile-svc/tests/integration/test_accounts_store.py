"""Accounts in a real PostgreSQL: what goes in comes out, in few statements, whatever the size of the batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from bellwether_kit.db import Database
from bellwether_kit.ids import uuid7
from profile_svc.accounts import store
from profile_svc.accounts.rules import (
    Account,
    AccountId,
    AccountType,
    Change,
    ExternalId,
    Money,
    Origin,
    Profile,
    Status,
    Tier,
    settle,
)

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


def account(number: int, **facts: Any) -> Account:
    profile = Profile(**{"name": f"Account {number}", "known_since": NOW} | facts)
    names = frozenset([ExternalId("crm", str(number))])
    return Account(AccountId(UUID(int=number)), 1, NOW, NOW, profile, names, {"name": Origin("crm", NOW)})


FULL = account(
    1,
    name='Ünïcode "quoted" \\ 名',
    status=Status.INACTIVE,
    account_type=AccountType.KEY,
    tier=Tier.C,
    industry="steel",
    territory="dach",
    country="DE",
    currency="EUR",
    parent_id=AccountId(UUID(int=9)),
    owner="ana@example.com",
    cadence_days=7.5,
    contract_start=date(2025, 1, 1),
    contract_end=date(2026, 12, 31),
    renewal_at=NOW,
    yearly_value=Money(Decimal("123456789012345.6789"), "EUR"),
    whitespace=Money(Decimal("0.0001"), "JPY"),
    email_domains=("a.example", "b.example"),
)


async def keep(database: Database, *accounts: Account) -> None:
    async with database.unit_of_work("acme") as uow:
        await store.save(uow, "acme", accounts)


@contextmanager
def statements_sent() -> Iterator[list[object]]:
    """What goes to the server meanwhile."""
    seen: list[object] = []
    execute = psycopg.AsyncCursor.execute

    async def see(cursor: Any, query: object, *given: Any, **more: Any) -> Any:
        if query != "NOTIFY outbox":  # says to the relay that an earlier one is done, whenever that is
            seen.append(query)
        return await execute(cursor, query, *given, **more)

    with patch.object(psycopg.AsyncCursor, "execute", see):
        yield seen


@pytest.mark.parametrize("whole", [FULL, account(2)])
async def test_an_account_comes_out_as_it_went_in(database: Database, whole: Account) -> None:
    await keep(database, whole)
    async with database.read("acme") as session:
        assert await store.find(session, "acme", whole.id) == whole
        assert await store.find(session, "globex", whole.id) is None


@pytest.mark.parametrize("size", [1, 500])
async def test_a_batch_of_any_size_takes_the_same_ten_statements(database: Database, size: int) -> None:
    changes = [
        Change("crm", {"name": "A", "parent_id": ExternalId("crm", "0")}, frozenset([ExternalId("crm", str(n))]))
        for n in range(1, size + 1)
    ]
    await keep(database, account(0))
    with statements_sent() as seen:
        async with database.unit_of_work("acme") as uow:
            await store.one_writer(uow.session, "acme")
            known = await store.known(uow.session, "acme", changes)
            outcomes = settle(changes, known, as_of=NOW, ids=iter(uuid7, None))
            await store.save(uow, "acme", [o.account for o in outcomes if o.account])
    assert len(seen) == 10
    async with database.read("acme") as session:
        children = await store.page(session, "acme", store.Filters(parent_id=UUID(int=0)), limit=1_000)
    assert len(children) == size


async def test_the_line_of_ancestors_is_known_to_its_end(database: Database) -> None:
    line = [account(n, parent_id=AccountId(UUID(int=n - 1)) if n else None) for n in range(5)]
    change = Change("crm", {"parent_id": UUID(int=4)}, frozenset())
    await keep(database, *line)
    async with database.read("acme") as session:
        known = await store.known(session, "acme", [change])
    assert known.parents == {a.id: a.profile.parent_id for a in line}


async def test_external_ids_that_an_account_gave_up_are_free_again(database: Database) -> None:
    before = account(1)
    await keep(database, before, account(2))
    await keep(database, Account(before.id, 2, NOW, NOW, before.profile))
    async with database.read("acme") as session:
        name = ExternalId("crm", "1")
        assert await store.page(session, "acme", store.Filters(external_id=name), limit=1) == []


async def test_one_name_for_two_accounts_is_refused_by_the_key_itself(database: Database) -> None:
    taken = frozenset([ExternalId("crm", "1")])
    await keep(database, account(1))
    with pytest.raises(IntegrityError):
        await keep(database, Account(AccountId(uuid7()), 1, NOW, NOW, FULL.profile, taken))
