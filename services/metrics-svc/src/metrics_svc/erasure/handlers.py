"""The steps of an erasure, each a transaction of its own, so that a big one blocks nobody."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.erasure import store
from metrics_svc.erasure.store import Erasure
from metrics_svc.trail.rules import Word


async def erase_on(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Go one step on with each erasure the timer claimed."""
    for row in rows:
        erasure = Erasure(
            tenant=row.tenant,
            id=row.erasure_id,
            account_id=row.account_id,
            walked_to=row.walked_to,
            word=Word(row.author, row.reason),
        )
        await (store.begin if row.state == "requested" else store.step)(uow, erasure)
