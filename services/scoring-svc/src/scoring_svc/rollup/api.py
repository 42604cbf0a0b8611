"""The routes of roll-up: a group's health, its accounts page by page, and the tenant's policy."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import StringConstraints
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, RequestModel, ResponseModel, etag, if_match, requires
from bellwether_kit.http import router as routes
from scoring_svc.errors import UnknownAccount
from scoring_svc.health import store as health_store
from scoring_svc.rollup import store
from scoring_svc.rollup.rules import DEFAULT_POLICY, Member, roll_up, shown
from scoring_svc.rollup.tables import RollUpPolicyRow
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import Scorecard

router = routes(tags=["health"])

Reader = Annotated[Call, Depends(requires("health:read"))]


class MemberView(ResponseModel):
    """An account of a group, as shown; depth 0 is the one asked about. Null score: never evaluated.

    `override` says that a person set it; what was computed stands beside.
    """

    account_id: UUID
    account_name: str | None
    parent_id: UUID | None
    depth: int
    score: float | None
    band: str
    override: bool
    computed_score: float | None
    computed_band: str


class DriverMember(ResponseModel):
    """Who takes most from the group's score."""

    account_id: UUID
    account_name: str | None
    score: float
    override: bool


class RollUpView(ResponseModel):
    """A group's health by what is shown of its accounts; null score where too little is known of all that count.

    `overridden` of the accounts count by what a person set.
    """

    account_id: UUID
    policy: str
    score: float | None
    band: str
    accounts: int
    overridden: int
    bands: dict[str, int]
    driver: DriverMember | None


class PolicySettings(RequestModel):
    """How health is rolled up, and why it is changed."""

    policy: Literal["own", "worst-child", "value-weighted", "mean"]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class PolicyChange(ResponseModel):
    """A policy put in force: by whom, when and why."""

    version: int
    policy: str
    author: str
    reason: str
    changed_at: datetime


class PolicyView(ResponseModel):
    """The policy in force; version 0 is the documented default."""

    policy: str
    version: int
    history: list[PolicyChange]


@router.get("/accounts/{account_id}/health/roll-up", response_model=RollUpView, operation_id="roll-up-account-health")
async def get_roll_up(account_id: UUID, call: Reader) -> RollUpView:
    """How the account and all below it are together, by the tenant's policy, and who drives it."""
    async with call.read() as session:
        card = await _card(call, session, account_id)
        changes = await store.versions(session, call.tenant)
        policy = changes[0].policy if changes else DEFAULT_POLICY
        rows = await store.group(session, call.tenant, account_id, call.now)
    members = [_member(row, card) for row in rows]
    found = roll_up(policy, members, card)
    driver = found.driver
    return RollUpView(
        account_id=account_id,
        policy=policy,
        score=found.score,
        band=found.band,
        accounts=len(members),
        overridden=sum(member.override for member in members),
        bands=found.bands,
        driver=None
        if driver is None or driver.score is None
        else DriverMember(
            account_id=driver.account_id, account_name=driver.name, score=driver.score, override=driver.override
        ),
    )


async def _card(call: Call, session: AsyncSession, account_id: UUID) -> Scorecard:
    """The scorecard whose bands a group goes by."""
    row = await health_store.current(session, call.tenant, account_id)
    if row is None:
        raise UnknownAccount("Nothing is known of an account with this id.")
    return await scorecards_store.version(session, call.tenant, row.scorecard, row.scorecard_version)


def _member(row: Row[Any], card: Scorecard) -> Member:
    score, band, override = shown(card, row.score, row.band, row.said_score, row.said_band)
    return Member(row.account_id, row.name, row.depth, score, band, row.value, override)


@router.get(
    "/accounts/{account_id}/health/roll-up/accounts",
    response_model=Page[MemberView],
    operation_id="list-rolled-up-accounts",
)
async def list_members(account_id: UUID, call: Reader, page: PageRequest) -> Page[MemberView]:
    """The account and all below it, nearest first."""
    async with call.read() as session:
        card = await _card(call, session, account_id)
        rows = await store.group(session, call.tenant, account_id, call.now, after=page.after, limit=page.limit + 1)
    kept, cursor = page.cut(rows, key=lambda row: [row.depth, str(row.account_id)])
    return Page(items=[_view(row, _member(row, card)) for row in kept], next_cursor=cursor)


def _view(row: Row[Any], member: Member) -> MemberView:
    return MemberView(
        account_id=member.account_id,
        account_name=member.name,
        parent_id=row.parent_id,
        depth=member.depth,
        score=member.score,
        band=member.band or "unknown",
        override=member.override,
        computed_score=row.score,
        computed_band=row.band or "unknown",
    )


@router.get("/roll-up-policy", response_model=PolicyView, operation_id="get-roll-up-policy")
async def get_policy(call: Reader, response: Response) -> PolicyView:
    """The policy in force and every change of it."""
    async with call.read() as session:
        view = _policy([PolicyChange.model_validate(row) for row in await store.versions(session, call.tenant)])
    response.headers["ETag"] = etag(view.version)
    return view


@router.put("/roll-up-policy", response_model=PolicyView, operation_id="put-roll-up-policy")
async def put_policy(body: PolicySettings, call: Annotated[Call, Depends(requires("health:admin"))]) -> Response:
    """Put another policy in force. `If-Match` is honoured when sent."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant)
        rows = await store.versions(uow.session, call.tenant)
        version = rows[0].version if rows else 0
        if_match(call.request, version, required=False)
        row = RollUpPolicyRow(
            tenant=call.tenant,
            version=version + 1,
            policy=body.policy,
            author=call.subject,
            reason=body.reason,
            changed_at=uow.now,
        )
        uow.session.add(row)
        view = _policy([PolicyChange.model_validate(each) for each in (row, *rows)])
        return Answer(view, headers={"ETag": etag(view.version)})

    return await call.write(work)


def _policy(changes: list[PolicyChange]) -> PolicyView:
    newest = changes[0] if changes else None
    return PolicyView(
        policy=DEFAULT_POLICY if newest is None else newest.policy,
        version=0 if newest is None else newest.version,
        history=changes,
    )
