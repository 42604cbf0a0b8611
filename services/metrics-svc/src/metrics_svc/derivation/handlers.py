"""What happens when an account's earliest deadline passes, or when its rules changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.activities import store as activities
from metrics_svc.activities.rules import Change
from metrics_svc.derivation import store

_ANEW_AT_ONCE = 20
"""Deriving an account's whole history is heavier than a deadline; the others stay due for the next batch."""


async def derive_due(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Derive what time alone changed of the accounts the timer claimed; their rows are locked by it."""
    gone = [(row.tenant, row.account_id) for row in rows if row.removed]
    anew = {(row.tenant, row.account_id): row.derive_from for row in rows if row.derive_from and not row.removed}
    anew = dict(list(anew.items())[:_ANEW_AT_ONCE])
    countries = {
        (row.tenant, row.account_id): row.country
        for row in rows
        if not row.removed and (row.derive_from is None or (row.tenant, row.account_id) in anew)
    }
    again = [Change(activity, activity) for activity in await activities.since(uow.session, anew)]
    passed = await store.due(uow.session, list(countries), uow.now)
    await store.derive(uow, again, await store.terms(uow.session, uow.now, countries), passed)
    await store.forget_deadlines(uow.session, gone)
    await store.settled(uow.session, [*anew, *gone])
    await store.set_accounts(uow.session, [*countries, *gone])
