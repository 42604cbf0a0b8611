"""The routes that read accounts; what changes them is in ``accounts`` and ``team``."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.http import (
    Call,
    Money,
    Page,
    PageQuery,
    PageRequest,
    QueryModel,
    ResponseModel,
    etag,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import opaque_id
from profile_svc.accounts import store
from profile_svc.accounts.rules import Account, AccountType, ExternalId, Status, Tier
from profile_svc.errors import UnknownAccount
from profile_svc.health.store import healths
from profile_svc.team.store import teams

router = routes(tags=["directory"])

Reader = Annotated[Call, Depends(requires("accounts:read"))]


class ExternalIdView(ResponseModel):
    """The account's name in a source system."""

    source: str
    external_id: str


class User(ResponseModel):
    """One of our own users; events name them by ``id``."""

    id: UUID
    email: str


class TeamMember(User):
    """One of ours in one role."""

    role: str


class OriginView(ResponseModel):
    """Who last changed a fact, and when."""

    source: str
    at: datetime


class HealthView(ResponseModel):
    """The health that scoring-svc last published."""

    score: float
    band: str
    evaluated_at: datetime


class AccountView(ResponseModel):
    """One account whole."""

    id: UUID
    version: int
    external_ids: list[ExternalIdView]
    name: str
    status: Status
    account_type: AccountType
    tier: Tier | None
    industry: str | None
    territory: str | None
    country: str | None
    currency: str | None
    parent_id: UUID | None
    owner: User | None
    team: list[TeamMember]
    cadence_days: float | None
    contract_start: date | None
    contract_end: date | None
    renewal_at: datetime | None
    yearly_value: Money | None
    whitespace: Money | None
    email_domains: list[str]
    known_since: datetime
    health: HealthView | None
    origins: dict[str, OriginView]
    created_at: datetime
    updated_at: datetime


class AccountFilters(QueryModel):
    """Which accounts are listed, and in which order."""

    status: Status | None = None
    tier: Tier | None = None
    owner_id: UUID | None = None
    territory: Annotated[str | None, Field(max_length=100)] = None
    parent_id: UUID | None = None
    source: Annotated[str | None, Field(max_length=63)] = None
    external_id: Annotated[str | None, Field(max_length=200)] = None
    sort: Literal["name", "-created_at"] = "name"

    @model_validator(mode="after")
    def _whole_external_id(self) -> Self:
        if (self.source is None) != (self.external_id is None):
            raise ValueError("source and external_id belong together")
        return self

    def name(self) -> ExternalId | None:
        """The external id that is asked for."""
        if self.source is None or self.external_id is None:
            return None
        return ExternalId(self.source, self.external_id)


@router.get("/accounts", response_model=Page[AccountView], operation_id="list-accounts")
async def list_accounts(
    call: Reader, page: PageRequest, filters: Annotated[AccountFilters, Query()]
) -> Page[AccountView]:
    """The tenant's accounts, filtered and sorted."""
    wanted = store.Filters(
        filters.status, filters.tier, filters.owner_id, filters.territory, filters.parent_id, filters.name()
    )
    async with call.read() as session:
        return await _page(session, call, page, wanted, filters.sort)


@router.get("/accounts/{account_id}", response_model=AccountView, operation_id="get-account")
async def get_account(account_id: UUID, call: Reader, response: Response) -> AccountView:
    """One account; its ``ETag`` is what changing it asks for."""
    async with call.read() as session:
        account = await store.find(session, call.tenant, account_id)
        if account is None:
            raise UnknownAccount("There is no account of this id.")
        response.headers["ETag"] = etag(account.version)
        return (await _views(session, call.tenant, [account]))[0]


@router.get("/accounts/{account_id}/children", response_model=Page[AccountView], operation_id="list-children")
async def list_children(account_id: UUID, call: Reader, page: PageRequest) -> Page[AccountView]:
    """The accounts that name this one as parent, by name."""
    async with call.read() as session:
        if await store.find(session, call.tenant, account_id) is None:
            raise UnknownAccount("There is no account of this id.")
        return await _page(session, call, page, store.Filters(parent_id=account_id), "name")


async def _page(
    session: AsyncSession, call: Call, page: PageQuery, filters: store.Filters, sort: Literal["name", "-created_at"]
) -> Page[AccountView]:
    after = None
    if page.after is not None:
        value, last = page.after
        after = store.After(value if sort == "name" else datetime.fromisoformat(value), UUID(last))
    found = await store.page(session, call.tenant, filters, sort=sort, after=after, limit=page.limit + 1)
    shown, cursor = page.cut(found, key=lambda a: [_place(a, sort), str(a.id)])
    return Page(items=await _views(session, call.tenant, shown), next_cursor=cursor)


def _place(account: Account, sort: str) -> str:
    return account.profile.name if sort == "name" else account.created_at.isoformat()


async def _views(session: AsyncSession, tenant: str, accounts: Sequence[Account]) -> list[AccountView]:
    ids = [account.id for account in accounts]
    members, health = await teams(session, tenant, ids), await healths(session, tenant, ids)
    return [
        AccountView.model_validate(
            vars(account.profile)
            | vars(account)
            | {
                "external_ids": sorted(account.external_ids),
                "owner": _user(tenant, account.profile.owner),
                "team": [
                    {"role": member.role, "email": member.email, "id": opaque_id(tenant, "user", member.email)}
                    for member in sorted(members[account.id])
                ],
                "yearly_value": vars(value) if (value := account.profile.yearly_value) else None,
                "whitespace": vars(space) if (space := account.profile.whitespace) else None,
                "health": health.get(account.id),
            }
        )
        for account in accounts
    ]


def _user(tenant: str, email: str | None) -> User | None:
    return User(id=opaque_id(tenant, "user", email), email=email) if email else None
