"""The routes of bets on people, of those who do best, and of accounts in jeopardy. People are opaque owner ids."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field
from sqlalchemy import Row

from bellwether_kit.http import Call, Page, PageQuery, PageRequest, QueryModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.figures.store import version
from metrics_svc.standing import store
from metrics_svc.standing.rules import DEFAULT_K

router = routes(tags=["metrics"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]


class PeopleQuery(QueryModel):
    """Of whom, over which window, and how strongly few accounts are drawn to the mean of all."""

    scope: Literal["owner", "territory"] = "owner"
    days: Literal["30", "90", "365"] = "90"
    k: Annotated[float, Field(ge=0, le=1_000, description="shrinkage: a mean keeps n / (n + k)")] = DEFAULT_K


class BetView(ResponseModel):
    """The mean evidence balance per account, its 95 % interval by Student's t, and the mean drawn to that of all."""

    member: str
    accounts: int
    mean: float
    low: float | None
    high: float | None
    shrunk: float
    shrunk_low: float | None
    shrunk_high: float | None


class People(Page[BetView]):
    """Bets, the best first. One interval in forty lies above the mean of all by chance."""

    days: int
    k: float
    overall: float | None
    accounts: int
    computed_at: datetime | None


class Lift(ResponseModel):
    """Evidence of a kind: its balance per account, and that of all accounts."""

    kind: str
    per_account: float
    overall: float


class PerformerView(BetView):
    """Somebody whose interval lies above the mean of all, and the evidence that lifts them most."""

    overall: float
    reasons: list[Lift]
    computed_at: datetime


class KindView(ResponseModel):
    """How often a kind of evidence was seen, and what it added to the balance."""

    kind: str
    n: int
    total: float


class ReasonView(ResponseModel):
    """Why: a value, against what, and the evidence behind it. `points` order the list; they are no probability."""

    reason: str
    value: float
    against: float
    compared_with: str
    points: float
    kinds: list[KindView]


class JeopardyView(ResponseModel):
    """An account in jeopardy; `balance` is over 90 days."""

    account_id: UUID
    name: str | None
    owner_id: UUID | None
    territory: str | None
    tier: str | None
    jeopardy: float
    balance: float
    reasons: list[ReasonView]
    computed_at: datetime


class JeopardyQuery(QueryModel):
    """What the list can be narrowed to."""

    owner_id: UUID | None = None
    territory: Annotated[str | None, Field(max_length=200)] = None
    tier: Annotated[str | None, Field(max_length=200)] = None


@router.get("/metrics/people", operation_id="list-bets-on-people", response_model=People)
async def list_bets_on_people(call: Reader, page: PageRequest, asked: Annotated[PeopleQuery, Query()]) -> Response:
    """The mean evidence balance per account of every owner or territory, with its interval, shrunk."""

    def written(rows: Sequence[Row[Any]]) -> bytes:
        return page.written(
            rows,
            _place,
            days=int(asked.days),
            k=asked.k,
            overall=rows[0].overall if rows else None,
            accounts=rows[0].every if rows else 0,
            computed_at=rows[0].computed_at if rows else None,
        )

    return await _people(call, page, asked, written, best=False)


@router.get("/metrics/high-performers", operation_id="list-high-performers", response_model=Page[PerformerView])
async def list_high_performers(call: Reader, page: PageRequest, asked: Annotated[PeopleQuery, Query()]) -> Response:
    """Owners or territories whose interval lies above the mean of all, with the evidence that makes it so."""
    return await _people(call, page, asked, lambda rows: page.written(rows, _place), best=True)


async def _people(
    call: Call, page: PageQuery, asked: PeopleQuery, written: Callable[[Sequence[Row[Any]]], bytes], *, best: bool
) -> Response:
    wanted = store.People(scope=asked.scope, days=int(asked.days), k=asked.k)
    async with call.read() as session:

        async def make() -> bytes:
            return written(
                await store.people(session, call.tenant, wanted, best=best, after=page.after, limit=page.limit + 1)
            )

        return await call.remembered(await version(session, call.tenant, "bets"), make)


def _place(row: Row[Any]) -> list[Any]:
    return [row.shrunk, row.member]


@router.get("/metrics/jeopardy", operation_id="list-accounts-in-jeopardy", response_model=Page[JeopardyView])
async def list_accounts_in_jeopardy(
    call: Reader, page: PageRequest, asked: Annotated[JeopardyQuery, Query()]
) -> Response:
    """Accounts whose balance is negative or falls, that go silent or leave asks unreturned; the gravest first."""
    async with call.read() as session:

        async def make() -> bytes:
            rows = await store.in_jeopardy(
                session, call.tenant, asked.model_dump(), after=page.after, limit=page.limit + 1
            )
            return page.written(rows, lambda row: [row.jeopardy, str(row.account_id)])

        return await call.remembered(await version(session, call.tenant, "standing"), make)
