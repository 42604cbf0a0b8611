"""The routes of a tenant's derivation rules."""

from dataclasses import asdict, fields
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import msgspec
from fastapi import Depends, Response
from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import derive_all_anew, knows
from metrics_svc.buying.rules import LONGEST_RUN
from metrics_svc.derivation.rules import (
    LONGEST_BUSINESS_DAYS,
    LONGEST_SCOPE_DAYS,
    LONGEST_SECONDS,
    Policy,
    changed,
    refusal,
)
from metrics_svc.errors import AppliesInFuture, UnknownAccount, policy_error
from metrics_svc.evidence.rules import Family
from metrics_svc.preview.rules import Difference
from metrics_svc.preview.store import Question, preview
from metrics_svc.terms import store
from metrics_svc.terms.store import policy_of

router = routes(tags=["derivation rules"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Admin = Annotated[Call, Depends(requires("evidence:admin"))]
Channel = Literal["call", "email", "message"]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=1000)]
Magnitude = Annotated[float, Field(gt=0, le=10)]
_NAMES = {field.name for field in fields(Policy)}
KindCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]


class WindowBody(RequestModel):
    """How long a reply may take: business days of the account's country, or plain seconds."""

    business_days: Annotated[int | None, Field(ge=1, le=LONGEST_BUSINESS_DAYS)] = None
    seconds: Annotated[int | None, Field(ge=1, le=LONGEST_SECONDS)] = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.business_days is None) == (self.seconds is None):
            raise ValueError("give either business_days or seconds")
        return self


class SignalBody(RequestModel):
    """An activity that is evidence by itself: of the type, with all else that is named. The first that fits counts."""

    type: Annotated[str, Field(max_length=40)]
    outcome: Annotated[str | None, Field(max_length=40)] = None
    direction: Literal["inbound", "outbound"] | None = None
    attributes: Annotated[dict[Name, Text | int | float | bool | None], Field(max_length=10, default_factory=dict)]
    kind: KindCode
    magnitude: Magnitude = 1.0


class KindBody(RequestModel):
    """A kind of the tenant's own. It stays once it is there; a retired one takes nothing new."""

    code: KindCode
    family: Family
    polarity: Literal[-1, 1]
    retired: bool = False


class PolicyBody(RequestModel):
    """Every number that derivation depends on; what is left out has its default."""

    windows: Annotated[dict[Channel, WindowBody], Field(description="until a reply is due", default_factory=dict)]
    country_windows: Annotated[
        dict[Country, dict[Channel, WindowBody]],
        Field(max_length=250, description="windows of accounts of a country, before the others", default_factory=dict),
    ]
    forgiveness: Annotated[float, Field(ge=1, le=4, description="windows until a late reply changes nothing")] = 2.0
    chase_step: Annotated[float, Field(ge=0, le=1, description="magnitude added per chase")] = 0.25
    chase_limit: Annotated[float, Field(ge=1, le=10, description="largest magnitude by chasing")] = 2.0
    acceptance_counts: Annotated[bool, Field(description="an accepted invitation is evidence")] = True
    unanswered_counts: Annotated[bool, Field(description="an invitation unanswered by the start is evidence")] = True
    late_notice_hours: Annotated[float, Field(ge=0, le=720, description="a later cancellation weighs more")] = 24.0
    late_cancellation_magnitude: Annotated[Magnitude, Field(description="of a cancellation at short notice")] = 1.5
    moves_counted: Annotated[int, Field(ge=1, le=10, description="moves by the client that count")] = 2
    moved_magnitude: Annotated[Magnitude, Field(description="of so many moves")] = 0.5
    slower_factor: Annotated[float, Field(ge=1, le=10, description="times the median gap")] = 2.0
    faster_factor: Annotated[float, Field(gt=0, le=1, description="times the median gap")] = 0.6
    faster_run: Annotated[int, Field(ge=1, le=LONGEST_RUN, description="short gaps in a row")] = 3
    gaps_known: Annotated[int, Field(ge=1, le=12, description="gaps that make a habit")] = 4
    scope_days: Annotated[int, Field(ge=14, le=LONGEST_SCOPE_DAYS, description="days whose orders are summed")] = 90
    scope_threshold: Annotated[float, Field(ge=0.05, le=5, description="smallest change that counts, a share")] = 0.3
    scope_limit: Annotated[float, Field(ge=1, le=10, description="largest magnitude by size")] = 3.0
    scope_purchases: Annotated[int, Field(ge=1, le=50, description="purchases before, to compare with")] = 2
    signals: Annotated[tuple[SignalBody, ...] | None, Field(max_length=100, description="null: the defaults")] = None
    kinds: Annotated[tuple[KindBody, ...], Field(max_length=200, description="kinds of your own")] = ()

    def policy(self) -> Policy:
        """The policy the body stands for."""
        given = self.model_dump(include=_NAMES, exclude={"windows"} | ({"signals"} if self.signals is None else set()))
        windows = {**asdict(Policy())["windows"], **self.model_dump(include={"windows"})["windows"]}
        return msgspec.convert({**given, "windows": windows}, Policy)


class NewRules(PolicyBody):
    """The rules from now on, or from a moment in the past on, which derives what happened since then anew."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    applies_from: Annotated[UtcDatetime | None, Field(description="default: now")] = None


class Changed(ResponseModel):
    """What a version changed."""

    before: Any
    after: Any


class RulesView(ResponseModel):
    """One version of the rules. Version 0 is the defaults, in force until somebody sets others."""

    version: int
    applies_from: datetime | None
    author: str | None
    reason: str | None
    changed_at: datetime | None
    policy: dict[str, Any]
    changed: Annotated[dict[str, Changed], Field(description="what the version before said of it, and this one")]


def _view(row: Row[Any] | None, before: Row[Any] | None) -> RulesView:
    policy = _policy(row)
    told = {name: getattr(row, name, None) for name in ("applies_from", "author", "reason", "changed_at")}
    what = {name: Changed(before=was, after=now) for name, (was, now) in changed(_policy(before), policy).items()}
    return RulesView(version=row.version if row else 0, policy=asdict(policy), changed=what, **told)


def _policy(row: Row[Any] | None) -> Policy:
    return policy_of(row.document) if row else Policy()


async def _latest(session: AsyncSession, tenant: str) -> tuple[RulesView, Policy]:
    """The version in force and its policy; the defaults are version 0."""
    rows = [*await store.versions(session, tenant, limit=2), None, None]
    return _view(rows[0], rows[1]), _policy(rows[0])


@router.get("/derivation-rules", operation_id="get-derivation-rules", response_model=RulesView)
async def get_derivation_rules(call: Reader, response: Response) -> RulesView:
    """The latest version of the rules; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        view, _ = await _latest(session, call.tenant)
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/derivation-rules/history", operation_id="list-derivation-rules")
async def list_derivation_rules(call: Reader, page: PageRequest) -> Page[RulesView]:
    """All versions ever set, the newest first: who set them, when and why, and what each changed."""
    before = page.after[0] if page.after else 2**31 - 1
    async with call.read() as session:
        rows = await store.versions(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.version])
    views = [_view(row, before) for row, before in zip(shown, [*rows[1:], None], strict=False)]
    return Page(items=views, next_cursor=cursor)


@router.put("/derivation-rules", operation_id="set-derivation-rules", response_model=RulesView)
async def set_derivation_rules(body: NewRules, call: Admin) -> Response:
    """Set the rules, whole. An activity is read under the rules of its moment.

    With `If-Match` somebody else's change in between is refused.
    """

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock_rules(uow.session, call.tenant)
        latest, before = await _latest(uow.session, call.tenant)
        if_match(call.request, latest.version, required=False)
        applies_from = body.applies_from or uow.now
        if applies_from > uow.now:
            raise AppliesInFuture("Rules can't be set ahead of time.", pointer="/applies_from")
        policy = _sound(body.policy(), before)
        added = {"author": call.subject, "reason": body.reason}
        await store.add(uow, call.tenant, latest.version + 1, applies_from, policy, **added)
        if applies_from < uow.now:
            await derive_all_anew(uow.session, call.tenant, applies_from, uow.now)
        view, _ = await _latest(uow.session, call.tenant)
        return Answer(view, headers={"ETag": etag(view.version)})

    return await call.write(work)


class Trial(RequestModel):
    """Rules to try; `null` are those in force. They would hold from a moment on, or always."""

    rules: PolicyBody | None = None
    account_id: UUID | None = None
    from_: Annotated[UtcDatetime | None, Field(alias="from", description="default: always")] = None


class KindCount(ResponseModel):
    """How much evidence of a kind stands now, and would then."""

    kind: str
    now: int
    then: int


class DifferenceView(ResponseModel):
    """Evidence that would be added, changed (as it would be then) or removed (as it stands now)."""

    account_id: UUID
    change: str
    kind: str
    observed_at: datetime
    magnitude: float
    activity_ids: list[UUID]


class TrialView(ResponseModel):
    """What rules would make of the accounts of one page. Evidence that a person took back is left out.

    Not compared are accounts that wait for a timer (`unsettled`: ask again) or have too long a history (`too_long`).
    """

    accounts: int
    activities: int
    kinds: list[KindCount]
    differences: list[DifferenceView]
    unsettled: list[UUID]
    too_long: list[UUID]
    next_cursor: str | None


@router.post("/derivation/preview", operation_id="preview-derivation")
async def preview_derivation(body: Trial, call: Admin, page: PageRequest) -> TrialView:
    """Derive past activities from scratch and compare with what is on record; nothing is written.

    Walks up to `limit` accounts at a time. With the rules in force there must be no difference.
    """
    async with call.read() as session:
        _, before = await _latest(session, call.tenant)
        if body.account_id is not None and not await knows(session, call.tenant, body.account_id):
            raise UnknownAccount("There is no account of this id.", pointer="/account_id")
    policy = _sound(body.rules.policy(), before, "/rules") if body.rules else None
    question = Question(tenant=call.tenant, as_of=call.now, policy=policy, since=body.from_)
    after = UUID(page.after[0]) if page.after else None
    step = await preview(call.rehearsal, question, only=body.account_id, after=after, limit=page.limit)
    return TrialView(
        accounts=step.accounts,
        activities=step.activities,
        kinds=[KindCount(kind=k, now=step.now[k], then=step.then[k]) for k in sorted(step.now | step.then)],
        differences=[_difference(found) for found in step.differences],
        unsettled=step.unsettled,
        too_long=step.too_long,
        next_cursor=page.next([step.last] * (page.limit + 1), key=lambda id_: [id_]) if step.last else None,
    )


def _difference(found: Difference) -> DifferenceView:
    piece = found.evidence
    return DifferenceView(
        account_id=piece.slot.account_id,
        change=found.change,
        kind=piece.kind,
        observed_at=piece.observed_at,
        magnitude=piece.magnitude,
        activity_ids=piece.activity_ids,
    )


def _sound(policy: Policy, before: Policy, within: str = "") -> Policy:
    """The policy, if it can follow the one before; raises the error that says why not."""
    if (broken := refusal(policy, before)) is not None:
        raise policy_error(broken[0], within + broken[1])
    return policy
