"""The routes on which people see what is held back, and release or discard it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import StringConstraints
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.alerts import rules
from scoring_svc.alerts import store as alerts_store
from scoring_svc.alerts.rules import Alert
from scoring_svc.alerts.store import Change, Held
from scoring_svc.breaker import store
from scoring_svc.health import store as health_store
from scoring_svc.triage import store as triage_store

router = routes(tags=["storms"])

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]
Admin = Annotated[Call, Depends(requires("alerts:admin"))]
AT_ONCE = 1_000
"""Alerts that one call releases or discards; where more are held the storm stays open, and the call is made again."""
SHOWN = 200


class Verdict(RequestModel):
    """Why."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class StormView(ResponseModel):
    """Alerts held back together. ``cause`` is burst (too many at once) or silence (of a source); ``held`` counts them.

    ``status`` is open, released or discarded.
    """

    id: UUID
    cause: str
    status: str
    held: int
    began_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None


class HeldView(ResponseModel):
    """An alert that is held."""

    alert_id: UUID
    account_id: UUID


class StormDetail(StormView):
    """A storm with the first 200 of its alerts."""

    alerts: list[HeldView]


def _view(row: Row[object]) -> StormView:
    return StormView.model_validate({**row._asdict(), "id": row.storm_id})


@router.get("/storms", operation_id="list-storms")
async def list_storms(call: Reader, page: PageRequest) -> Page[StormView]:
    """The storms, the newest first."""
    before = UUID(page.after[0]) if page.after else store.FIRST
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.storm_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/storms/{storm_id}", operation_id="get-storm")
async def get_storm(storm_id: UUID, call: Reader) -> StormDetail:
    """One storm with what it holds."""
    async with call.read() as session:
        view = _view(await store.one(session, call.tenant, storm_id))
        held = await store.of_storm(session, call.tenant, storm_id, SHOWN)
    alerts = [HeldView(alert_id=alert, account_id=UUID(account)) for alert, account in held]
    return StormDetail(**view.model_dump(), alerts=alerts)


@router.post("/storms/{storm_id}/release", operation_id="release-storm", response_model=StormView)
async def release_storm(storm_id: UUID, body: Verdict, call: Admin) -> Response:
    """Tell the world of the alerts, each once, as they are now; up to 1,000 at a time."""

    def act(alert: Alert, now: datetime) -> Alert:  # noqa: ARG001 - both acts look alike
        return rules.touched(alert)

    return await _close(call, storm_id, "released", body.reason, act)


@router.post("/storms/{storm_id}/discard", operation_id="discard-storm", response_model=StormView)
async def discard_storm(storm_id: UUID, body: Verdict, call: Admin) -> Response:
    """Resolve the alerts and tell nobody; they stay so until another reason fires. Up to 1,000 at a time."""

    def act(alert: Alert, now: datetime) -> Alert:
        return rules.resolve(alert, call.subject, body.reason, now.timestamp())

    return await _close(call, storm_id, "discarded", body.reason, act)


async def _close(
    call: Call, storm_id: UUID, verdict: str, reason: str, act: Callable[[Alert, datetime], Alert]
) -> Response:
    """Do something to the held alerts under their accounts' locks, which come before the storm's as in evaluation."""

    async def work(uow: UnitOfWork) -> Answer:
        session, tenant = uow.session, call.tenant
        seen = await store.of_storm(session, tenant, storm_id, AT_ONCE)
        accounts = {(tenant, account) for _, account in seen}
        if accounts:
            await health_store.lock(session, accounts, uow.now)
        await store.lock(session, tenant, storm_id)
        still = await store.of_storm(session, tenant, storm_id, AT_ONCE)
        held = [alert for alert, account in still if (tenant, account) in accounts]
        await _act(uow, tenant, held, verdict, call.subject, reason, act)
        if not await store.of_storm(session, tenant, storm_id, 1):
            await store.close(uow, tenant, storm_id, verdict, author=call.subject, reason=reason)
        return Answer(_view(await store.one(session, tenant, storm_id)))

    return await call.write(work)


async def _act(
    uow: UnitOfWork,
    tenant: str,
    held: list[UUID],
    verdict: str,
    author: str,
    reason: str,
    act: Callable[[Alert, datetime], Alert],
) -> None:
    """Change the alerts; what is discarded is saved while it is still held, and so told to nobody."""
    found = await triage_store.by_ids(uow.session, tenant, held)
    changes = [
        Change(
            Held(tenant, one.account_id, act(one.alert, uow.now), one.circumstances),
            verdict if verdict == "released" else "resolved",
            by=author,
            detail={"reason": reason},
        )
        for one in found
    ]
    if verdict == "released":
        await store.release(uow.session, [(tenant, alert) for alert in held])
    if changes:
        await alerts_store.save(uow, changes)
