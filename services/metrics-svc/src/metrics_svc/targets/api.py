"""The routes of targets: set, take back, and read, with their history."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, QueryModel, RequestModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.errors import MemberMismatch, UnknownMetric, UnknownTarget
from metrics_svc.figures.rules import Scope
from metrics_svc.metrics.rules import metric_of
from metrics_svc.targets import store

router = routes(tags=["metrics"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Writer = Annotated[Call, Depends(requires("evidence:write"))]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2200, 1, 1))]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Member = Annotated[str, Field(max_length=200, description="empty: every member of the scope without its own")]


class TargetBody(RequestModel):
    """What a metric shall come to from a day on, for whom, and why."""

    metric: Annotated[str, Field(max_length=100, examples=["return-rate"])]
    scope: Scope
    member: Member = ""
    from_: Annotated[Day, Field(alias="from")]
    value: float
    reason: Reason


class TargetKey(QueryModel):
    """Which target is taken back, and why."""

    metric: Annotated[str, Field(max_length=100)]
    scope: Scope
    member: Member = ""
    from_: Annotated[Day, Field(alias="from")]
    reason: Reason


class TargetFilters(QueryModel):
    """What a list of targets can be narrowed to; `history` shows replaced ones and those taken back too."""

    metric: Annotated[str | None, Field(max_length=100)] = None
    scope: Scope | None = None
    member: Annotated[str | None, Field(max_length=200)] = None
    history: bool = False


class TargetView(ResponseModel):
    """A version of a target; `value` is null where it was taken back."""

    metric: str
    scope: Scope
    member: str
    from_: Annotated[date, Field(validation_alias="applies_from", serialization_alias="from")]
    version: int
    value: float | None
    author: str
    reason: str
    set_at: datetime


def _key(call: Call, asked: TargetBody | TargetKey) -> Mapping[str, Any]:
    if metric_of(asked.metric) is None:
        raise UnknownMetric("There is no such metric; see GET /v1/metrics.", pointer="/metric")
    if asked.scope == "all" and asked.member:
        raise MemberMismatch("The scope `all` has no members.", pointer="/member")
    names = {"metric": asked.metric, "scope": asked.scope, "member": asked.member, "applies_from": asked.from_}
    return {"tenant": call.tenant, **names}


@router.put("/targets", operation_id="set-target", status_code=204)
async def set_target(body: TargetBody, call: Writer) -> Response:
    """Set what a metric shall come to from a day on. The same again changes nothing; versions are kept."""
    key = _key(call, body)

    async def work(uow: UnitOfWork) -> Answer:
        await store.put(uow.session, key, body.value, store.said(call.subject, body.reason, uow.now))
        return Answer(status=204)

    return await call.write(work)


@router.delete("/targets", operation_id="remove-target", status_code=204)
async def remove_target(call: Writer, asked: Annotated[TargetKey, Query()]) -> Response:
    """Take a target back; one set from an earlier day holds again."""
    key = _key(call, asked)

    async def work(uow: UnitOfWork) -> Answer:
        if not await store.put(uow.session, key, None, store.said(call.subject, asked.reason, uow.now)):
            raise UnknownTarget("There is no such target.")
        return Answer(status=204)

    return await call.write(work)


@router.get("/targets", operation_id="list-targets")
async def list_targets(call: Reader, page: PageRequest, filters: Annotated[TargetFilters, Query()]) -> Page[TargetView]:
    """The targets set, by metric, scope and member, the latest first."""
    given = filters.model_dump(exclude={"history"})
    async with call.read() as session:
        rows = await store.listed(
            session, call.tenant, given, history=filters.history, after=page.after, limit=page.limit + 1
        )
    shown, cursor = page.cut(
        rows, key=lambda row: [row.metric, row.scope, row.member, row.applies_from.isoformat(), row.version]
    )
    return Page(items=[TargetView.model_validate(row) for row in shown], next_cursor=cursor)
