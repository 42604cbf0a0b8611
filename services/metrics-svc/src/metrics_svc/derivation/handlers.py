"""What happens when an account's earliest deadline passes, or when its rules or calendar changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.activities import store as activities
from metrics_svc.activities.rules import Change
from metrics_svc.derivation import store
from metrics_svc.terms.store import terms


async def derive_due(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Derive what time alone changed of the accounts the timer claimed; nothing is awaited from those gone."""
    gone = [(row.tenant, row.account_id) for row in rows if row.removed]
    countries = {(row.tenant, row.account_id): row.country for row in rows if not row.removed}
    passed = await store.due(uow.session, list(countries), uow.now)
    await store.derive(uow, (), await terms(uow.session, uow.now, countries), passed)
    await store.forget_deadlines(uow.session, gone)
    await store.set_accounts(uow.session, [*countries, *gone])


async def derive_anew(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Derive everything since ``anew_from`` of the accounts the timer claimed, except of those that are gone."""
    countries = {(row.tenant, row.account_id): row.country for row in rows}
    since = {(row.tenant, row.account_id): row.anew_from for row in rows if not row.removed}
    again = [Change(activity, activity) for activity in await activities.since(uow.session, since)]
    await store.derive(uow, again, await terms(uow.session, uow.now, countries), anew=since)
    await store.settled(uow.session, list(countries))
