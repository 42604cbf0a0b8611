"""The route that lists names without an account, each with the accounts it may mean."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field

from bellwether_kit.http import Call, Page, PageRequest, QueryModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.activities.rules import Reference
from metrics_svc.unmatched import store

router = routes(tags=["unmatched"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]


class ReferenceView(ResponseModel):
    """A name of an account as a source gave it; `source` is empty but for an external id."""

    kind: Literal["id", "external", "domain"]
    source: str
    value: str


class SuggestionView(ResponseModel):
    """An account that a name may mean: how likely, 0 to 1, and why: people, same-id, domain, name."""

    account_id: UUID
    name: str | None
    score: float
    why: list[str]


class UnmatchedView(ResponseModel):
    """A name that finds no account, and what is held for it."""

    reference: ReferenceView
    count: int
    first_occurred_at: datetime
    last_occurred_at: datetime
    sources: list[str]
    types: list[str]
    suggestions: list[SuggestionView]


class Filters(QueryModel):
    """What the queue can be narrowed to."""

    dismissed: Annotated[bool, Field(description="those that were dismissed instead of those that wait")] = False


@router.get("/unmatched", operation_id="list-unmatched")
async def list_unmatched(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[UnmatchedView]:
    """Names for which activities are held, the most activities first, with up to five suggestions each."""
    async with call.read() as session:
        rows = await store.queue(
            session, call.tenant, dismissed=filters.dismissed, after=page.after, limit=page.limit + 1
        )
        shown, cursor = page.cut(rows, key=lambda row: [row.n, row.kind, row.source, row.value])
        names = [Reference(kind=row.kind, source=row.source, value=row.value) for row in shown]
        suggested = await store.suggestions(session, call.tenant, names)
    items = [
        UnmatchedView(
            reference=ReferenceView.model_validate(name),
            count=row.n,
            first_occurred_at=row.first_at,
            last_occurred_at=row.last_at,
            sources=row.sources,
            types=row.types,
            suggestions=[
                SuggestionView(account_id=one.account_id, name=called, score=one.score, why=one.why)
                for one, called in suggested[name]
            ],
        )
        for row, name in zip(shown, names, strict=True)
    ]
    return Page(items=items, next_cursor=cursor)
