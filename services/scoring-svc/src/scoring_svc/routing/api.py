"""The routes by which an administrator says which alerts go to which channels, and when."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Row

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
from bellwether_kit.http.calls import rendered
from scoring_svc.channels import store as channels_store
from scoring_svc.channels.rules import KINDS
from scoring_svc.errors import NoDigest, UnknownTimeZone, UnroutableChannel
from scoring_svc.routing import store

router = routes(tags=["notification-routes"])
log = structlog.get_logger(__name__)

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]
Admin = Annotated[Call, Depends(requires("alerts:admin"))]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=63)]
Words = Annotated[tuple[Word, ...], Field(max_length=100)]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Field(examples=["18:30"])]


class RouteSettings(RequestModel):
    """A route whole. What is left out is met by every alert; of several rules or tiers one is enough.

    Critical news waits for no quiet hour and no digest.
    """

    name: Name
    channels: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=20)]
    kinds: Words = ()
    rules: Words = ()
    min_severity: Literal["low", "medium", "high", "critical"] = "low"
    tiers: Words = ()
    owners: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()
    time_zone: Annotated[str, StringConstraints(max_length=63), Field(examples=["Europe/Berlin"])] = "UTC"
    quiet_from: LocalTime | None = None
    quiet_to: LocalTime | None = None
    digest_at: LocalTime | None = None
    reason: Reason

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse half a quiet time."""
        if (self.quiet_from is None) != (self.quiet_to is None) or (
            self.quiet_from is not None and self.quiet_from == self.quiet_to
        ):
            raise ValueError("quiet hours have a beginning and another end")
        return self


class RouteView(ResponseModel):
    """A route; author, reason and time are of its last change."""

    id: UUID
    name: str
    channels: list[UUID]
    kinds: list[str]
    rules: list[str]
    min_severity: str
    tiers: list[str]
    owners: list[UUID]
    time_zone: str
    quiet_from: time | None
    quiet_to: time | None
    digest_at: time | None
    author: str
    reason: str
    changed_at: datetime


def _view(row: Row[Any]) -> RouteView:
    return RouteView.model_validate({**row._asdict(), "id": row.route_id})


def _answer(row: Row[Any], status: int = 200) -> Answer:
    return Answer(_view(row), status, {"ETag": etag(row.version)})


@router.post(
    "/notification-routes", operation_id="create-notification-route", response_model=RouteView, status_code=201
)
async def create_route(body: RouteSettings, call: Admin) -> Response:
    """Send alerts to channels."""

    async def work(uow: UnitOfWork) -> Answer:
        given = await _given(uow, call, body)
        id_ = await store.add(uow, call.tenant, given)
        return _answer(await store.one(uow.session, call.tenant, id_), 201)

    return await call.write(work)


@router.get("/notification-routes", operation_id="list-notification-routes")
async def list_routes(call: Reader, page: PageRequest) -> Page[RouteView]:
    """The routes, the oldest first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, after=page.after_id, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.route_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/notification-routes/{route_id}", operation_id="get-notification-route", response_model=RouteView)
async def get_route(route_id: UUID, call: Reader) -> Response:
    """One route; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        return rendered(_answer(await store.one(session, call.tenant, route_id)))


@router.put("/notification-routes/{route_id}", operation_id="replace-notification-route", response_model=RouteView)
async def replace_route(route_id: UUID, body: RouteSettings, call: Admin) -> Response:
    """Say a route anew. What is on its way is sent as it was to be."""

    async def work(uow: UnitOfWork) -> Answer:
        row = await store.one(uow.session, call.tenant, route_id, lock=True)
        if_match(call.request, row.version, required=True)
        await store.change(uow, call.tenant, route_id, await _given(uow, call, body))
        return _answer(await store.one(uow.session, call.tenant, route_id))

    return await call.write(work)


@router.delete("/notification-routes/{route_id}", operation_id="remove-notification-route", status_code=204)
async def remove_route(route_id: UUID, reason: Annotated[Reason, Query()], call: Admin) -> Response:
    """Remove a route; who, why and which is logged."""

    async def work(uow: UnitOfWork) -> Answer:
        row = await store.one(uow.session, call.tenant, route_id, lock=True)
        await store.remove(uow.session, call.tenant, route_id)
        log.info("route.removed", route=str(route_id), name=row.name, author=call.subject, reason=reason)
        return Answer(status=204)

    return await call.write(work)


async def _given(uow: UnitOfWork, call: Call, body: RouteSettings) -> dict[str, Any]:
    """The fields of the route; raises UnknownTimeZone, UnroutableChannel and NoDigest."""
    try:
        ZoneInfo(body.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZone("There is no such time zone.", pointer="/time_zone") from error
    kinds = await channels_store.kinds(uow.session, call.tenant, body.channels)
    for place, channel in enumerate(body.channels):
        if channel not in kinds:
            raise UnroutableChannel("There is no channel of this id.", pointer=f"/channels/{place}")
        if body.digest_at is not None and not KINDS[kinds[channel]].digests:
            raise NoDigest(f"A channel of kind {kinds[channel]} takes no digest.", pointer=f"/channels/{place}")
    fields: dict[str, Any] = {
        name: list(value) if isinstance(value := getattr(body, name), tuple) else value
        for name in store.FIELDS
        if name != "author"
    }
    for name in ("quiet_from", "quiet_to", "digest_at"):
        fields[name] = None if fields[name] is None else time.fromisoformat(fields[name])
    return {**fields, "author": call.subject}
