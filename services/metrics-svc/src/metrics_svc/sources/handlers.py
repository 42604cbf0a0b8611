"""What happens when it is time to look whether a source is still heard from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from metrics_svc.published import SourceFeedSilenced
from metrics_svc.sources import store
from metrics_svc.sources.rules import LOOK_AGAIN, silent_at, usual_gap


async def notice_silence(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Say which of the sources the timer claimed fell silent, and when to look at the others again."""
    seen = {(row.tenant, row.source): _seen(uow, row) for row in rows}
    await store.settle(uow.session, seen, uow.now)


def _seen(uow: UnitOfWork, row: Row[Any]) -> tuple[datetime | None, datetime | None]:
    usual, expected = usual_gap(row.arrivals), silent_at(row.arrivals)
    if usual is None or expected is None:
        return None, uow.now + LOOK_AGAIN
    if expected > uow.now:
        return None, expected
    silence = SourceFeedSilenced(
        source=row.source,
        last_heard_at=row.last_heard_at,
        usual_gap_hours=usual.total_seconds() / 3_600,
        noticed_at=uow.now,
    )
    uow.emit(Event.of(silence, tenant=row.tenant, subject=row.source, time=uow.now))
    return row.last_heard_at, None
