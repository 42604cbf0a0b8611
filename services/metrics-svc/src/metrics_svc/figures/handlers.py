"""What happens when days of accounts were marked: they are counted again, in batches."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from metrics_svc.figures import store
from metrics_svc.reported import store as reported
from metrics_svc.standing import store as standing
from metrics_svc.surveys import store as surveys

SOURCES = (store.DAY_FIGURES, surveys.DAY_FIGURES, reported.DAY_FIGURES)
"""Where figures come from; a feature that has some adds its own."""


async def fold_marked(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Bring the figures of the marked days, and of the groups their accounts are in, up to the truth."""
    await store.fold(uow.session, {(row.tenant, row.account_id, row.day) for row in rows}, SOURCES)
    await store.unmark(uow.session, [(row.tenant, row.mark_id) for row in rows])
    await standing.expect(uow.session, {(row.tenant, row.account_id) for row in rows}, uow.now)
