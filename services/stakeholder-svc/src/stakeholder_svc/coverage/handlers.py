"""What follows when a tenant requires other roles: every account is assessed anew, batch by batch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from stakeholder_svc.coverage import store


async def reassess_due(uow: UnitOfWork, due: Sequence[Row[Any]]) -> None:
    """Assess the accounts whose time has come."""
    accounts = [(row.tenant, row.account_id) for row in due]
    await store.settle_due(uow.session, accounts)
    await store.reassess(uow, accounts)
