"""The routes that count and list the health of all accounts of a tenant."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import Field
from sqlalchemy import Row

from bellwether_kit.http import Call, Money, Page, PageRequest, QueryModel, ResponseModel, UtcDatetime, requires
from bellwether_kit.http import router as routes
from scoring_svc.portfolio import store
from scoring_svc.portfolio.rules import BANDS, TIERS, money

router = routes(tags=["health"])


class PortfolioFilters(QueryModel):
    """Which accounts, in which order; a leading minus means falling."""

    band: Literal["healthy", "watch", "at-risk", "unknown"] | None = None
    tier: Literal["A", "B", "C"] | None = None
    owner_id: UUID | None = None
    min_confidence: Annotated[float | None, Field(ge=0, le=1)] = None
    changed_since: UtcDatetime | None = None
    sort: Literal["score", "-score", "change", "-change", "value", "-value"] = "score"


class PortfolioItem(ResponseModel):
    """One account in the portfolio. `change` is in points against seven days before."""

    account_id: UUID
    account_name: str | None
    tier: str | None
    owner_id: UUID | None
    value_at_stake: Money | None
    renewal_at: datetime | None
    score: float
    band: str
    confidence: float
    change: float
    evaluated_at: datetime


class OwnerFilter(QueryModel):
    """Whose accounts; everybody's when absent."""

    owner_id: UUID | None = None


class Group(ResponseModel):
    """Accounts of a band and a tier (null: none was given), and their mean score."""

    tier: str | None
    band: str
    accounts: int
    mean_score: float


class Summary(ResponseModel):
    """How many accounts there are, by band, by tier (accounts without one are left out) and by both."""

    accounts: int
    bands: dict[str, int]
    tiers: dict[str, int]
    groups: list[Group]


@router.get("/health/summary", response_model=Summary, operation_id="summarise-account-health")
async def summarise_health(
    call: Annotated[Call, Depends(requires("health:read"))], asked: Annotated[OwnerFilter, Query()]
) -> Summary:
    """How many accounts are in which band, by tier."""
    async with call.read() as session:
        rows = await store.summary(session, call.tenant, asked.owner_id)
    bands, tiers = dict.fromkeys(BANDS, 0), dict.fromkeys(TIERS, 0)
    for row in rows:
        bands[row.band] += row.accounts
        if row.tier is not None:
            tiers[row.tier] = tiers.get(row.tier, 0) + row.accounts
    groups = sorted(
        (Group(tier=row.tier, band=row.band, accounts=row.accounts, mean_score=row.score) for row in rows),
        key=lambda group: (group.tier is None, group.tier, BANDS.index(group.band)),
    )
    return Summary(accounts=sum(bands.values()), bands=bands, tiers=tiers, groups=groups)


@router.get("/health", response_model=Page[PortfolioItem], operation_id="list-account-health")
async def list_health(
    call: Annotated[Call, Depends(requires("health:read"))],
    page: PageRequest,
    filters: Annotated[PortfolioFilters, Query()],
) -> Page[PortfolioItem]:
    """The portfolio: worst score first unless asked otherwise."""
    wanted = filters.model_dump(exclude={"sort"}, exclude_none=True)
    async with call.read() as session:
        rows = await store.page(session, call.tenant, wanted, sort=filters.sort, after=page.after, limit=page.limit + 1)
    kept, cursor = page.cut(rows, key=lambda row: [row.key, str(row.account_id)])
    return Page(items=[_item(row) for row in kept], next_cursor=cursor)


def _item(row: Row[Any]) -> PortfolioItem:
    value = money(row.value_amount, row.value_currency)
    return PortfolioItem(
        account_id=row.account_id,
        account_name=row.account_name,
        tier=row.tier,
        owner_id=row.owner_id,
        value_at_stake=None if value is None else Money(amount=value[0], currency=value[1]),
        renewal_at=row.renewal_at,
        score=row.score,
        band=row.band,
        confidence=row.confidence,
        change=row.change,
        evaluated_at=row.evaluated_at,
    )
