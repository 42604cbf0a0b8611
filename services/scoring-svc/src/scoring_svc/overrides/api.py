"""The routes on which a person says for a while how an account is, against what was computed."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from scoring_svc.errors import (
    NoOverride,
    OverrideInThePast,
    OverrideTooLong,
    OverrideWithoutReason,
    ScoreOrBand,
    UnknownAccount,
)
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account
from scoring_svc.overrides import store
from scoring_svc.overrides.rules import LONGEST, Override

router = routes(tags=["health"])

Reader = Annotated[Call, Depends(requires("health:read"))]
Writer = Annotated[Call, Depends(requires("health:write"))]


class OverrideSettings(RequestModel):
    """A score or a band, one of the two; why, and until when: 90 days from now at most."""

    score: Annotated[float | None, Field(ge=0, le=100)] = None
    band: Literal["healthy", "watch", "at-risk"] | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)] = ""
    expires_at: UtcDatetime


class PastOverride(ResponseModel):
    """An override as it was set; `ended_at` is null while it is in force, `ended_by` says who or what ended it."""

    id: UUID
    score: float | None
    band: str | None
    reason: str
    author: str
    set_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None


@router.put("/accounts/{account_id}/health/override", response_model=PastOverride, operation_id="put-health-override")
async def put_override(account_id: UUID, body: OverrideSettings, call: Writer) -> Response:
    """Say how the account is, instead of what was said before. It is shown beside the computed score until it expires.

    Alert rules, the portfolio and history go by the computed value: an override is an opinion, and silences nothing.
    """
    _fit(body, call.now)

    async def work(uow: UnitOfWork) -> Answer:
        account = await _locked(uow, call.tenant, account_id)
        if account.override is not None:
            await store.end(uow.session, [(call.tenant, account.override)], uow.now, call.subject)
        made = Override(
            str(uuid7()), body.score, body.band, body.reason, call.subject, uow.now, body.expires_at.astimezone(UTC)
        )
        await store.add(uow.session, call.tenant, account_id, made)
        await _tell(uow, account, made)
        values = {name: getattr(made, name) for name in Override.__slots__}
        return Answer(PastOverride(**values, ended_at=None, ended_by=None))

    return await call.write(work)


@router.delete("/accounts/{account_id}/health/override", operation_id="remove-health-override", status_code=204)
async def remove_override(account_id: UUID, call: Writer) -> Response:
    """Take an override back before it expires; it stays on the list."""

    async def work(uow: UnitOfWork) -> Answer:
        account = await _locked(uow, call.tenant, account_id)
        if account.override is None or account.override.expires_at <= uow.now:
            raise NoOverride("No override is in force for this account.")
        await store.end(uow.session, [(call.tenant, account.override)], uow.now, call.subject)
        await _tell(uow, account, None)
        return Answer(status=204)

    return await call.write(work)


@router.get(
    "/accounts/{account_id}/health/overrides", response_model=Page[PastOverride], operation_id="list-health-overrides"
)
async def list_overrides(account_id: UUID, call: Reader, page: PageRequest) -> Page[PastOverride]:
    """Every override there was, with author and reason, the newest first."""
    after = None if page.after is None else (datetime.fromisoformat(page.after[0]), UUID(page.after[1]))
    async with call.read() as session:
        if await health_store.current(session, call.tenant, account_id) is None:
            raise UnknownAccount("Nothing is known of an account with this id.")
        rows = await store.listed(session, call.tenant, account_id, after, page.limit + 1)
    kept, cursor = page.cut(rows, key=lambda row: [row.set_at.astimezone(UTC).isoformat(), str(row.id)])
    return Page(items=[PastOverride.model_validate(row) for row in kept], next_cursor=cursor)


def _fit(body: OverrideSettings, now: datetime) -> None:
    """Refuse what can be no override."""
    if (body.score is None) == (body.band is None):
        raise ScoreOrBand("Say a score or a band, one of the two.", pointer="/score")
    if not body.reason:
        raise OverrideWithoutReason("Say why: an override without a reason helps nobody.", pointer="/reason")
    if body.expires_at <= now:
        raise OverrideInThePast("An override must end later than now.", pointer="/expires_at")
    if body.expires_at > now + LONGEST:
        raise OverrideTooLong("An override lasts 90 days at most.", pointer="/expires_at")


async def _locked(uow: UnitOfWork, tenant: str, account_id: UUID) -> Account:
    if await health_store.current(uow.session, tenant, account_id) is None:
        raise UnknownAccount("Nothing is known of an account with this id.")
    key = tenant, str(account_id)
    return (await health_store.lock(uow.session, [key], uow.now))[key]


async def _tell(uow: UnitOfWork, account: Account, override: Override | None) -> None:
    """Evaluate the account by the path that everything takes: what is said of it carries the override."""
    account.override = override
    await evaluation_store.settle(uow, [account], await evaluation_store.books(uow, {account.tenant}))
