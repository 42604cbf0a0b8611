"""What happens with deliveries after they were answered: they are worked, and their bodies forgotten."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from msgspec import MsgspecError
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events.batches import is_transient
from bellwether_kit.http import problem_of
from metrics_svc.adapters import ADAPTERS
from metrics_svc.connections.store import author_of, reading
from metrics_svc.errors import ERRORS
from metrics_svc.inbound import store
from metrics_svc.inbound.store import Outcome
from metrics_svc.intake.store import Result

SHOWN = 100
"""Of each delivery so many unread parts and so many refused items are kept in words; all are counted."""

log = structlog.get_logger(__name__)


async def work(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Read the deliveries the timer claimed and take in what they tell, each on its own.

    What can't be read is noted and not tried again; what fails for reasons of the surroundings comes again.
    """
    for row in rows:
        try:
            async with uow.attempt():
                outcome = await _worked(uow, row)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("delivery.failed", delivery=str(row.delivery_id))
            outcome = Outcome(reason="We did not expect this; it is logged.")
        await store.settle(uow, row.tenant, row.delivery_id, outcome)


async def _worked(uow: UnitOfWork, row: Row[Any]) -> Outcome:
    name, options = await reading(uow.session, row.tenant, row.connection_id)
    try:
        read = ADAPTERS[name].read(bytes(row.body), options)
    except KeyError:
        return Outcome(reason=f"There is no adapter {name} any more.")
    except (ValueError, MsgspecError, RecursionError) as error:
        return Outcome(reason=f"The body can't be read: {error}"[:300].replace("\0", ""))
    author = author_of(row.connection_id)
    results = await store.accept_foreign(uow, row.tenant, read.told, author=author)
    counts = Counter(str(result.status) if isinstance(result, Result) else "rejected" for result in results)
    if read.unread:
        counts["unread"] = len(read.unread)
    refused = [
        {"item": n, "problem": problem_of(result, errors=ERRORS).model_dump(exclude_none=True)}
        for n, result in enumerate(results)
        if not isinstance(result, Result)
    ]
    unread = [{"code": part.code, "detail": part.detail, "pointer": part.pointer} for part in read.unread]
    return Outcome(counts=counts, unread=unread[:SHOWN], rejected=refused[:SHOWN])


async def forget(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Forget the bodies of the deliveries the timer claimed, and in the end that they came."""
    await store.forget(uow.session, [(row.tenant, row.delivery_id) for row in rows])
