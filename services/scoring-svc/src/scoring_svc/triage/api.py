"""The routes on which people read alerts and act on them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Money,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    etag,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import opaque_id
from scoring_svc.alerts import rules, store
from scoring_svc.alerts.rules import Alert
from scoring_svc.alerts.store import Change, Held, state_of
from scoring_svc.breaker import store as breaker_store
from scoring_svc.errors import AlertAlreadyResolved, SnoozeInThePast, SnoozeTooLong, UnknownAlert
from scoring_svc.health.store import instant
from scoring_svc.published import ValueAtStake
from scoring_svc.triage import store as triage_store

router = routes(tags=["alerts"])

Reader = Annotated[Call, Depends(requires("alerts:read"))]
Writer = Annotated[Call, Depends(requires("alerts:write"))]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
Email = Annotated[str, StringConstraints(to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
LONGEST_SNOOZE = timedelta(days=90)


class ReasonView(ResponseModel):
    """A rule that holds."""

    rule: str
    since: datetime
    severity: str
    value: float
    threshold: float
    clear_threshold: float


class AlertDriver(ResponseModel):
    """A piece of evidence behind the alert."""

    evidence_id: UUID
    kind: str
    observed_at: datetime
    points: float


class AlertView(ResponseModel):
    """An alert as it is after its last change; score and drivers are those of that moment."""

    alert_id: UUID
    account_id: UUID
    account_name: str | None
    owner_id: UUID | None
    assignee_id: UUID | None
    tier: str | None
    kind: str
    status: str
    severity: str
    summary: str
    reasons: list[ReasonView]
    episode: int
    firings: int
    priority: float
    opened_at: datetime
    last_fired_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    snoozed_until: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    value_at_stake: Money | None
    renewal_at: datetime | None
    score: float
    confidence: float
    scorecard_version: int
    drivers: list[AlertDriver]
    suggested_play: str
    links: dict[str, str]
    held: bool
    version: int

    @classmethod
    def of(cls, held: Held, *, is_held: bool) -> Self:
        """The alert as the API tells it: what its events carry, who did what, and whether a storm holds it back."""
        state, alert = state_of(held), held.alert
        said: dict[str, Any] = {name: getattr(state, name) for name in state.__struct_fields__}
        value = state.value_at_stake
        return cls.model_validate(
            said
            | {
                "value_at_stake": None if value is None else _money(value),
                "links": {"alert": state.links.alert, "account": state.links.account},
                "priority": rules.priority(alert.severity, value.amount if value else None, state.score),
                "acknowledged_at": None if alert.acknowledged_at is None else instant(alert.acknowledged_at),
                "acknowledged_by": alert.acknowledged_by,
                "resolved_by": alert.resolved_by,
                "resolution": alert.resolution,
                "held": is_held,
                "version": alert.version,
            }
        )


class TimelineEntry(ResponseModel):
    """Something that happened to an alert."""

    version: int
    at: datetime
    change: str
    by: str
    detail: dict[str, Any]


class AlertDetail(AlertView):
    """An alert with everything that happened to it, oldest first."""

    timeline: tuple[TimelineEntry, ...] = ()


class AlertFilters(QueryModel):
    """Which alerts, in which order."""

    status: Literal["open", "acknowledged", "snoozed", "resolved", "unresolved"] | None = None
    severity: Literal["low", "medium", "high", "critical"] | None = None
    kind: str | None = None
    account_id: UUID | None = None
    owner_id: UUID | None = None
    assignee_id: UUID | None = None
    held: Annotated[bool | None, Field(description="held back by a storm and told to nobody yet, or not")] = None
    sort: Literal["-opened_at", "-priority"] = "-opened_at"


class Snooze(RequestModel):
    """Quiet until then; at most 90 days."""

    until: UtcDatetime


class Resolution(RequestModel):
    """Why a person considers the alert done."""

    reason: Sentence


class Assignment(RequestModel):
    """Who takes care of it; null: nobody any more."""

    assignee_email: Email | None


class Comment(RequestModel):
    """A remark for the timeline."""

    text: Sentence


@router.get("/alerts", response_model=Page[AlertView], operation_id="list-alerts")
async def list_alerts(call: Reader, page: PageRequest, filters: Annotated[AlertFilters, Query()]) -> Page[AlertView]:
    """Alerts of the tenant, newest first or most pressing first."""
    wanted = filters.model_dump(exclude={"sort"}, exclude_none=True)
    async with call.read() as session:
        found = await triage_store.page(
            session, call.tenant, wanted, by=filters.sort[1:], after=page.after, limit=page.limit + 1
        )
    kept, cursor = page.cut(found, key=lambda row: [row[0], str(row[2].alert.id)])
    return Page(items=[AlertView.of(held, is_held=is_held) for _, is_held, held in kept], next_cursor=cursor)


@router.get("/alerts/{alert_id}", response_model=AlertDetail, operation_id="get-alert")
async def get_alert(alert_id: UUID, call: Reader, response: Response) -> AlertDetail:
    """One alert with its timeline."""
    async with call.read() as session:
        held = _found(await store.by_id(session, call.tenant, alert_id))
        entries = await triage_store.timeline(session, call.tenant, alert_id)
        is_held = await breaker_store.is_held(session, call.tenant, alert_id)
    response.headers["ETag"] = etag(held.alert.version)
    timeline = tuple(TimelineEntry.model_validate(entry) for entry in entries)
    return AlertDetail.of(held, is_held=is_held).model_copy(update={"timeline": timeline})


@router.post("/alerts/{alert_id}/acknowledge", response_model=AlertView, operation_id="acknowledge-alert")
async def acknowledge(alert_id: UUID, call: Writer) -> Response:
    """Say that you have seen it; doing so twice changes nothing."""

    def act(alert: Alert, now: datetime) -> Alert:
        if alert.status == "acknowledged":
            return alert
        return rules.acknowledge(alert, call.subject, now.timestamp())

    return await _act(call, alert_id, "acknowledged", act)


@router.post("/alerts/{alert_id}/snooze", response_model=AlertView, operation_id="snooze-alert")
async def snooze(alert_id: UUID, body: Snooze, call: Writer) -> Response:
    """Ask for quiet until a time; a reason of higher severity ends it earlier."""

    def act(alert: Alert, now: datetime) -> Alert:
        if body.until <= now:
            raise SnoozeInThePast("A snooze ends later than now.", pointer="/until")
        if body.until > now + LONGEST_SNOOZE:
            raise SnoozeTooLong("A snooze lasts 90 days at most.", pointer="/until")
        return rules.snooze(alert, body.until.timestamp())

    return await _act(call, alert_id, "snoozed", act, {"until": body.until.isoformat()})


@router.post("/alerts/{alert_id}/resolve", response_model=AlertView, operation_id="resolve-alert")
async def resolve(alert_id: UUID, body: Resolution, call: Writer) -> Response:
    """Resolve it; it stays so until a reason fires that was not there, or one clears and fires again."""

    def act(alert: Alert, now: datetime) -> Alert:
        return rules.resolve(alert, call.subject, body.reason, now.timestamp())

    return await _act(call, alert_id, "resolved", act, {"reason": body.reason})


@router.post("/alerts/{alert_id}/assign", response_model=AlertView, operation_id="assign-alert")
async def assign(alert_id: UUID, body: Assignment, call: Writer) -> Response:
    """Give it to one of our people, or to nobody."""
    email = body.assignee_email
    assignee = None if email is None else opaque_id(call.tenant, "user", email)

    def act(alert: Alert, now: datetime) -> Alert:  # noqa: ARG001 - all acts look alike
        return rules.assign(alert, assignee)

    return await _act(call, alert_id, "assigned", act, {"assignee_id": assignee})


@router.post("/alerts/{alert_id}/comments", response_model=AlertView, status_code=201, operation_id="comment-alert")
async def comment(alert_id: UUID, body: Comment, call: Writer) -> Response:
    """Write a remark into the timeline, of a resolved alert too."""

    def act(alert: Alert, now: datetime) -> Alert:  # noqa: ARG001
        return rules.touched(alert)

    return await _act(call, alert_id, "commented", act, {"text": body.text}, status=201)


async def _act(
    call: Call,
    alert_id: UUID,
    change: str,
    act: Callable[[Alert, datetime], Alert],
    detail: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> Response:
    """Do something to an alert under its account's lock, and have the account evaluated again."""

    async def work(uow: UnitOfWork) -> Answer:
        held = _found(await store.by_id(uow.session, call.tenant, alert_id, lock=True))
        if held.alert.status == "resolved" and change != "commented":
            raise AlertAlreadyResolved("The alert is resolved; it can only be read and commented on.")
        alert = act(held.alert, uow.now)
        after = Held(held.tenant, held.account_id, alert, held.circumstances)
        if alert is not held.alert:
            await store.save(uow, [Change(after, change, by=call.subject, detail=detail or {})])
            await store.look_again(uow, after)
        view = AlertView.of(after, is_held=await breaker_store.is_held(uow.session, call.tenant, alert_id))
        return Answer(view, status=status, headers={"ETag": etag(alert.version)})

    return await call.write(work)


def _found(held: Held | None) -> Held:
    if held is None:
        raise UnknownAlert("There is no alert of this id.")
    return held


def _money(value: ValueAtStake) -> Money:
    """To the cent, as HTTP tells money."""
    return Money(amount=Decimal(repr(value.amount)).quantize(Decimal("0.01")), currency=value.currency)
