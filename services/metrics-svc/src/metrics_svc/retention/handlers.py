"""What the daily timer does: one step of each run that is due."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.retention import store


async def apply_limits(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Go one step on with each run the timer claimed."""
    for row in rows:
        await store.step(uow, row)
