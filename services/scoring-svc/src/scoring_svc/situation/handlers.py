"""What follows when time has passed: what was known of accounts long ago is forgotten."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from scoring_svc.situation import store


async def forget(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Forget what was known of accounts long ago."""
    await store.forget(uow.session, [(row.tenant, row.account_id, row.at) for row in rows])
