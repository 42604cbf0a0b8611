"""The routes that count and list the health of all accounts of a tenant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.http import (
    EXPORTABLE,
    Call,
    Money,
    Page,
    PageRequest,
    QueryModel,
    ResponseModel,
    UtcDatetime,
    export_if_asked,
    requires,
)
from bellwether_kit.http import router as routes
from scoring_svc.portfolio import store
from scoring_svc.portfolio.rules import BANDS, TIERS

router = routes(tags=["health"])

Reader = Annotated[Call, Depends(requires("health:read"))]
Fact = Annotated[str | None, Field(min_length=1, max_length=200)]


class PortfolioFilters(QueryModel):
    """Which accounts, in which order; a leading minus means falling.

    `priority` is that of the unresolved alert that presses most. Accounts without any, and by `value` those of which
    nothing was told but evidence, come last either way.
    """

    band: Literal["healthy", "watch", "at-risk", "unknown"] | None = None
    tier: Literal["A", "B", "C"] | None = None
    owner_id: UUID | None = None
    industry: Fact = None
    territory: Fact = None
    min_confidence: Annotated[float | None, Field(ge=0, le=1)] = None
    changed_since: UtcDatetime | None = None
    alerts: Literal["unresolved", "none"] | None = None
    sort: Literal[
        "score",
        "-score",
        "change",
        "-change",
        "value",
        "-value",
        "priority",
        "-priority",
        "confidence",
        "-confidence",
    ] = "score"


class OverrideBrief(ResponseModel):
    """What a person says of the account at present, beside what was computed: a score or a band."""

    score: float | None
    band: str | None
    expires_at: datetime


class AlertBrief(ResponseModel):
    """The unresolved alert that presses most."""

    alert_id: UUID
    kind: str
    severity: str
    status: str
    priority: float
    opened_at: datetime


class PortfolioItem(ResponseModel):
    """One account in the portfolio, as computed. `change` is in points against seven days before.

    `changed_at` is when it last changed visibly.
    """

    account_id: UUID
    account_name: str | None
    tier: str | None
    owner_id: UUID | None
    industry: str | None
    territory: str | None
    value_at_stake: Money | None
    renewal_at: datetime | None
    score: float
    band: str
    confidence: float
    change: float
    evaluated_at: datetime
    changed_at: datetime | None
    override: OverrideBrief | None
    alert: AlertBrief | None


class SummaryFilters(QueryModel):
    """Which accounts; all when nothing is said."""

    owner_id: UUID | None = None
    industry: Fact = None
    territory: Fact = None


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
async def summarise_health(call: Reader, asked: Annotated[SummaryFilters, Query()]) -> Response:
    """How many accounts are in which band, by tier."""
    async with call.read() as session:

        async def make() -> bytes:
            rows = await store.summary(session, call.tenant, asked.model_dump(exclude_none=True))
            return _summary(rows).model_dump_json().encode()

        return await call.remembered(await store.version(session, call.tenant, call.now), make)


def _summary(rows: Sequence[Row[Any]]) -> Summary:
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


@router.get("/health", response_model=Page[PortfolioItem], responses=EXPORTABLE, operation_id="list-account-health")
async def list_health(call: Reader, page: PageRequest, asked: Annotated[PortfolioFilters, Query()]) -> Response:
    """The portfolio: worst score first unless asked otherwise."""
    wanted, now = asked.model_dump(exclude={"sort"}, exclude_none=True), call.now

    async def read(session: AsyncSession, after: Sequence[Any] | None, limit: int) -> Sequence[Row[Any]]:
        return await store.page(session, call.tenant, wanted, now, sort=asked.sort, after=after, limit=limit)

    def place(row: Row[Any]) -> list[Any]:
        return [row.key, str(row.tie)]

    if export := export_if_asked(call, read, key=place, line=lambda row: row.item.encode()):
        return export
    async with call.read() as session:

        async def make() -> bytes:
            return page.written(await read(session, page.after, page.limit + 1), place)

        return await call.remembered(await store.version(session, call.tenant, now), make)
