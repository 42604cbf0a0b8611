"""What is left of a decision about a name that many activities have: the timer carries it out bit by bit."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.decisions import store
from metrics_svc.references.store import hold_matching


async def carry_on(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Move the next activities of the decisions the timer claimed."""
    await hold_matching(uow.session, {row.tenant for row in rows})
    for row in rows:
        await store.carry_out(uow, store.decision_of(row))
