"""The routes by which it is recorded what became of accounts, and read again."""

import datetime
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    ItemResult,
    Page,
    PageRequest,
    Problem,
    RequestModel,
    ResponseModel,
    items_body,
    problem_of,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from scoring_svc.errors import ERRORS, OutcomeInTheFuture, UnknownAccount
from scoring_svc.outcomes import store
from scoring_svc.outcomes.store import Outcome

router = routes(tags=["proof"])

Reader = Annotated[Call, Depends(requires("health:read"))]
Writer = Annotated[Call, Depends(requires("health:write"))]
Kind = Literal["churned", "reduced", "renewed", "grew"]


class NewOutcome(RequestModel):
    """What became of an account. The same account, kind and date is the same outcome."""

    account_id: UUID
    kind: Kind
    date: datetime.date


EXAMPLE = {"account_id": "0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01", "kind": "churned", "date": "2026-09-30"}


class OutcomeView(ResponseModel):
    """An outcome, who recorded it and when."""

    account_id: UUID
    kind: str
    date: datetime.date
    author: str
    recorded_at: datetime.datetime


@router.post(
    "/outcomes",
    response_model=BulkAnswer,
    operation_id="post-outcomes",
    openapi_extra=items_body(NewOutcome, EXAMPLE, {"items": [EXAMPLE]}),
)
async def post_outcomes(call: Writer) -> Response:
    """Record up to 500 outcomes; one result per item, in order: `accepted duplicate rejected`."""
    items = await read_items(call, NewOutcome)

    async def work(uow: UnitOfWork) -> Answer:
        ids = {item.account_id for item in items if isinstance(item, NewOutcome)}
        known = await store.known(uow.session, call.tenant, ids)
        judged = [_judged(item, known, uow.now.date()) for item in items]
        told = [item for item in judged if isinstance(item, Outcome)]
        fresh = await store.add(uow.session, call.tenant, told, author=call.subject, now=uow.now)
        return Answer(BulkAnswer(items=_results(judged, fresh)))

    return await call.write(work)


@router.get("/outcomes", operation_id="list-outcomes")
async def list_outcomes(
    call: Reader,
    page: PageRequest,
    account_id: Annotated[UUID | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
) -> Page[OutcomeView]:
    """Outcomes, the latest first."""
    async with call.read() as session:
        rows = await store.listed(
            session, call.tenant, account=account_id, kind=kind, after=page.after, limit=page.limit + 1
        )
    shown, cursor = page.cut(rows, key=lambda row: [row.happened_on.isoformat(), str(row.account_id), row.kind])
    views = [
        OutcomeView(
            account_id=row.account_id,
            kind=row.kind,
            date=row.happened_on,
            author=row.author,
            recorded_at=row.recorded_at,
        )
        for row in shown
    ]
    return Page(items=views, next_cursor=cursor)


def _judged(item: NewOutcome | Problem, known: set[UUID], today: datetime.date) -> Outcome | DomainError | Problem:
    if isinstance(item, Problem):
        return item
    if item.date > today:
        return OutcomeInTheFuture("An outcome is what has become of an account, not what may.")
    if item.account_id not in known:
        return UnknownAccount("Nothing is known of an account with this id.")
    return Outcome(item.account_id, item.kind, item.date)


def _results(judged: Sequence[Outcome | DomainError | Problem], fresh: set[Outcome]) -> list[ItemResult]:
    """Of two alike in a request the first is accepted."""
    results = []
    for item in judged:
        if isinstance(item, Outcome):
            results.append(ItemResult(status="accepted" if item in fresh else "duplicate", id=item.account_id))
            fresh.discard(item)
        else:
            problem = item if isinstance(item, Problem) else problem_of(item, errors=ERRORS)
            results.append(ItemResult(status="rejected", problem=problem))
    return results
