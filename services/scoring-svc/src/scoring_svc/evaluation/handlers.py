"""What follows when time has passed: accounts that are due are evaluated by the path that evidence takes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from scoring_svc.evaluation import store
from scoring_svc.health import store as health_store


async def evaluate_due(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Evaluate the accounts whose time has come; however late that is, once is enough."""
    accounts = await health_store.claimed(uow.session, [(row.tenant, str(row.account_id)) for row in rows], uow.now)
    await health_store.put_off(uow.session, [key for key, account in accounts.items() if account.removed])
    await store.settle(uow, accounts.values(), await store.books(uow, {row.tenant for row in rows}))
