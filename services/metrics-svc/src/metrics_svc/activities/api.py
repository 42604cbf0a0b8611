"""The routes that read activities. They come in by ``intake``."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.http import (
    EXPORTABLE,
    Call,
    Page,
    PageRequest,
    QueryModel,
    ResponseModel,
    UtcDatetime,
    page_or_export,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.activities import store
from metrics_svc.errors import UnknownActivity
from metrics_svc.trail import store as trail

router = routes(tags=["activities"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]


class ActivityView(ResponseModel):
    """An activity in its latest revision; `account_id` is null while no account is known by its reference.

    `placed_by` is who gave it to its account by hand, if somebody did.
    """

    id: UUID
    source: str
    external_id: str
    revision: int
    type: str
    direction: str | None
    outcome: str | None
    occurred_at: datetime
    recorded_at: datetime
    starts_at: datetime | None
    account_id: UUID | None
    placed_by: str | None
    contact_ids: list[UUID]
    owner_id: UUID | None
    asks_reply: bool | None
    thread: str | None
    in_reply_to: str | None
    amount: Decimal | None
    currency: str | None
    subject: str | None
    attributes: dict[str, Any]
    kind: str | None
    magnitude: float | None
    note: str | None
    author: str | None


class LedTo(ResponseModel):
    """A piece of evidence that an activity led to, whether or not it still stands."""

    id: UUID
    account_id: UUID
    kind: str
    status: Literal["recorded", "retracted"]
    revision: int
    rule: str
    observed_at: datetime
    magnitude: float
    retracted_for: str | None


class EarlierActivity(ResponseModel):
    """What an activity said before it was corrected, moved or renamed (a person in it); texts are not kept."""

    revision: int
    account_id: UUID | None
    type: str
    direction: str | None
    outcome: str | None
    occurred_at: datetime
    starts_at: datetime | None
    recorded_at: datetime
    contact_ids: list[UUID]
    owner_id: UUID | None
    amount: Decimal | None
    kind: str | None
    magnitude: float | None
    until: datetime
    why: str
    author: str | None
    reason: str | None


class ActivityTrail(ActivityView):
    """An activity with what became of it; `evidence` and `earlier` have the last 200."""

    evidence: list[LedTo]
    earlier: list[EarlierActivity]


class Filters(QueryModel):
    """What a list of activities can be narrowed to; `from` is inclusive, `to` is not."""

    account_id: UUID | None = None
    type: Annotated[str | None, Field(max_length=40)] = None
    source: Annotated[str | None, Field(max_length=63)] = None
    unmatched: Annotated[bool, Field(description="only those without an account")] = False
    from_: Annotated[UtcDatetime | None, Field(alias="from")] = None
    to: UtcDatetime | None = None


@router.get("/activities", operation_id="list-activities", response_model=Page[ActivityView], responses=EXPORTABLE)
async def list_activities(
    call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]
) -> Page[Any] | Response:
    """Activities, the latest first."""

    async def read(session: AsyncSession, after: Sequence[Any] | None, limit: int) -> Sequence[Row[Any]]:
        return await store.listed(session, call.tenant, filters.model_dump(), after=after, limit=limit)

    def place(row: Row[Any]) -> list[Any]:
        return [row.occurred_at.isoformat(), str(row.id)]

    return await page_or_export(call, page, read, key=place, item=ActivityView.model_validate)


@router.get("/activities/{activity_id}", operation_id="get-activity")
async def get_activity(activity_id: UUID, call: Reader) -> ActivityTrail:
    """One activity, the evidence it led to, and what it said before."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, activity_id)
        led_to, earlier = await trail.of_activity(session, call.tenant, activity_id)
    if row is None:
        raise UnknownActivity("There is no activity of this id.")
    return ActivityTrail.model_validate({**row._asdict(), "evidence": led_to, "earlier": earlier})
