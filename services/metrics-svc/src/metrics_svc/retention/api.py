"""The routes of a tenant's retention limits, and of the runs that applied them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    RequestModel,
    ResponseModel,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.retention import store
from metrics_svc.retention.rules import DELIVERY_DAYS, LONGEST_DAYS, Limits

router = routes(tags=["retention"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Admin = Annotated[Call, Depends(requires("evidence:admin"))]
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


class NewLimits(RequestModel):
    """How long what activities say in words is kept, by when they happened; null is for ever.

    Deliveries go by when they came, never later than after 30 days, and their bodies mostly earlier.
    """

    activity_text_days: Annotated[Days | None, Field(description="subjects, notes and attributes no rule reads")]
    activity_days: Annotated[
        Days | None, Field(description="beside the texts, threads and external ids with addresses in them")
    ]
    delivery_days: Annotated[
        int, Field(ge=1, le=DELIVERY_DAYS, description="what sources delivered, and what became of it")
    ] = DELIVERY_DAYS
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class LimitsView(ResponseModel):
    """One version of the limits. Version 0 is in force until somebody sets others: all that activities say is kept."""

    version: int = 0
    activity_text_days: int | None = None
    activity_days: int | None = None
    delivery_days: int = DELIVERY_DAYS
    author: str | None = None
    reason: str | None = None
    changed_at: datetime | None = None


class RunView(ResponseModel):
    """One run under the limits of a version: in how many activities it took out texts, and names.

    `deliveries` are those it removed.
    """

    id: UUID
    started_at: datetime
    finished_at: datetime | None
    version: int | None
    texts: int
    names: int
    deliveries: int


def _latest(rows: Sequence[Any]) -> LimitsView:
    return LimitsView.model_validate(rows[0]) if rows else LimitsView()


@router.get("/retention", operation_id="get-retention", response_model=LimitsView)
async def get_retention(call: Reader, response: Response) -> LimitsView:
    """The limits in force; their ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        view = _latest(await store.versions(session, call.tenant))
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/retention/history", operation_id="list-retention")
async def list_retention(call: Reader, page: PageRequest) -> Page[LimitsView]:
    """All limits ever set, the newest first: who set them, when and why."""
    before = page.after[0] if page.after else 2**31 - 1
    async with call.read() as session:
        rows = await store.versions(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.version])
    return Page(items=[LimitsView.model_validate(row) for row in shown], next_cursor=cursor)


@router.get("/retention/runs", operation_id="list-retention-runs")
async def list_retention_runs(call: Reader, page: PageRequest) -> Page[RunView]:
    """The daily runs that applied the limits, the latest first."""
    async with call.read() as session:
        rows = await store.runs(session, call.tenant, after=page.after[0] if page.after else None, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.id)])
    return Page(items=[RunView.model_validate(row) for row in shown], next_cursor=cursor)


@router.put("/retention", operation_id="set-retention", response_model=LimitsView)
async def set_retention(body: NewLimits, call: Admin) -> Response:
    """Set the limits, whole; they are applied at once and then every day. What was taken out does not come back.

    With `If-Match` somebody else's change in between is refused.
    """

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant)
        latest = _latest(await store.versions(uow.session, call.tenant))
        if_match(call.request, latest.version, required=False)
        limits = Limits(body.activity_text_days, body.activity_days, body.delivery_days)
        said = {"author": call.subject, "reason": body.reason}
        await store.add(uow, call.tenant, latest.version + 1, limits, **said)
        view = _latest(await store.versions(uow.session, call.tenant))
        return Answer(view, headers={"ETag": etag(view.version)})

    return await call.write(work)
