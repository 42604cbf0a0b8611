"""What happens when an account's oldest answer is too old to count."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.surveys import store


async def measure_anew(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Count the answers of the accounts the timer claimed again; of those that are gone nothing is said any more."""
    await store.measure(uow, {(row.tenant, row.account_id) for row in rows if not row.removed})
    await store.wait_for_none(uow.session, [(row.tenant, row.account_id) for row in rows if row.removed])
