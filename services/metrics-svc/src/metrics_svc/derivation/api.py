"""The routes of a tenant's derivation rules."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Depends, Response
from pydantic import Field, StringConstraints, model_validator

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
from metrics_svc.accounts.store import derive_all_anew
from metrics_svc.buying.rules import LONGEST_RUN
from metrics_svc.derivation import store
from metrics_svc.derivation.rules import LONGEST_BUSINESS_DAYS, LONGEST_SECONDS, Policy, Window
from metrics_svc.errors import AppliesInFuture

router = routes(tags=["derivation rules"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Admin = Annotated[Call, Depends(requires("evidence:admin"))]
Channel = Literal["call", "email", "message"]

_NUMBERS = {field.name for field in fields(Policy)} - {"windows"}


class WindowBody(RequestModel):
    """How long a reply may take: business days of the account's country, or plain seconds."""

    business_days: Annotated[int | None, Field(ge=1, le=LONGEST_BUSINESS_DAYS)] = None
    seconds: Annotated[int | None, Field(ge=1, le=LONGEST_SECONDS)] = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.business_days is None) == (self.seconds is None):
            raise ValueError("give either business_days or seconds")
        return self


class PolicyBody(RequestModel):
    """Every number that derivation depends on; what is left out has its default."""

    windows: Annotated[dict[Channel, WindowBody], Field(description="until a reply is due", default_factory=dict)]
    chase_step: Annotated[float, Field(ge=0, le=1, description="magnitude added per chase")] = 0.25
    chase_limit: Annotated[float, Field(ge=1, le=10, description="largest magnitude by chasing")] = 2.0
    late_notice_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    late_cancellation_magnitude: Annotated[float, Field(gt=0, le=10)] = 1.5
    moves_counted: Annotated[int, Field(ge=1, le=10, description="moves by the client that count")] = 2
    moved_magnitude: Annotated[float, Field(gt=0, le=10)] = 0.5
    slower_factor: Annotated[float, Field(ge=1, le=10, description="times the median gap")] = 2.0
    faster_factor: Annotated[float, Field(gt=0, le=1, description="times the median gap")] = 0.6
    faster_run: Annotated[int, Field(ge=1, le=LONGEST_RUN, description="short gaps in a row")] = 3
    gaps_known: Annotated[int, Field(ge=1, le=12, description="gaps that make a habit")] = 4

    def policy(self) -> Policy:
        """The policy the body stands for."""
        windows = dict(Policy().windows)
        for channel, window in self.windows.items():
            windows[channel] = Window(window.business_days, window.seconds)
        return Policy(**{**self.model_dump(include=_NUMBERS), "windows": windows})


class NewRules(PolicyBody):
    """The rules from now on, or from a moment in the past on, which derives what happened since then anew."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    applies_from: Annotated[UtcDatetime | None, Field(description="default: now")] = None


class RulesView(ResponseModel):
    """One version of the rules. Version 0 is the defaults, in force until somebody sets others."""

    version: int
    applies_from: datetime | None
    author: str | None
    reason: str | None
    changed_at: datetime | None
    policy: Mapping[str, Any]


_DEFAULTS = RulesView(version=0, applies_from=None, author=None, reason=None, changed_at=None, policy=asdict(Policy()))


def _latest(rows: Sequence[Any]) -> RulesView:
    return RulesView.model_validate(rows[0]) if rows else _DEFAULTS


@router.get("/derivation-rules", operation_id="get-derivation-rules", response_model=RulesView)
async def get_derivation_rules(call: Reader, response: Response) -> RulesView:
    """The latest version of the rules; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        view = _latest(await store.versions(session, call.tenant))
    response.headers["ETag"] = etag(view.version)
    return view


@router.get("/derivation-rules/history", operation_id="list-derivation-rules")
async def list_derivation_rules(call: Reader, page: PageRequest) -> Page[RulesView]:
    """All versions ever set, the newest first: who set them, when and why."""
    before = page.after[0] if page.after else 2**31 - 1
    async with call.read() as session:
        rows = await store.versions(session, call.tenant, before=before, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.version])
    return Page(items=[RulesView.model_validate(row) for row in shown], next_cursor=cursor)


@router.put("/derivation-rules", operation_id="set-derivation-rules", response_model=RulesView)
async def set_derivation_rules(body: NewRules, call: Admin) -> Response:
    """Set the rules, whole. An activity is read under the rules of its moment.

    With `If-Match` somebody else's change in between is refused.
    """

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock_rules(uow.session, call.tenant)
        latest = _latest(await store.versions(uow.session, call.tenant))
        if_match(call.request, latest.version, required=False)
        applies_from = body.applies_from or uow.now
        if applies_from > uow.now:
            raise AppliesInFuture("Rules can't be set ahead of time.", pointer="/applies_from")
        added = {"author": call.subject, "reason": body.reason}
        await store.add(uow, call.tenant, latest.version + 1, applies_from, body.policy(), **added)
        if applies_from < uow.now:
            await derive_all_anew(uow.session, call.tenant, applies_from, uow.now)
        view = _latest(await store.versions(uow.session, call.tenant))
        return Answer(view, headers={"ETag": etag(view.version)})

    return await call.write(work)
