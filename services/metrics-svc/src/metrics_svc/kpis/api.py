"""The routes of KPIs and SLAs: agreeing on them, changing and closing them, and how they stand."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    IF_MATCH,
    Answer,
    Call,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    changes,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import opaque_id, uuid7
from metrics_svc.accounts.store import knows
from metrics_svc.errors import KpiClosed, KpiExists, UnknownAccount, UnknownKpi, error_of
from metrics_svc.kpis import rules, store
from metrics_svc.kpis.rules import Direction, Rag
from metrics_svc.records.rules import AccountName, PersonName
from metrics_svc.records.store import lock, people
from metrics_svc.references.store import find

router = routes(tags=["KPIs"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Writer = Annotated[Call, Depends(requires("evidence:write"))]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Number = Annotated[float, Field(ge=-1e15, le=1e15)]
Tolerance = Annotated[float, Field(ge=0, le=1e15, description="beyond the target and still amber, in its unit")]
Days = Annotated[int, Field(ge=1, le=3660, description="without an actual for longer, nobody knows")]
Kind = Literal["kpi", "sla"]

PER_ACCOUNT = 200
"""The KPIs of one account that are shown at once."""


class OwnerRef(RequestModel):
    """One of our own users."""

    email: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class KpiChange(RequestModel):
    """New terms; a field that is absent stays as it is, null takes away what may be missing."""

    kind: Kind = "kpi"
    name: Text = ""
    unit: Unit = ""
    direction: Direction = "higher"
    target: Annotated[Number, Field(description="for a range its lower end")] = 0.0
    target_high: Annotated[Number | None, Field(description="the upper end of a range")] = None
    tolerance: Tolerance = 0.0
    owner: OwnerRef | None = None
    agreed_by: Annotated[PersonName | None, Field(description="the person at the client")] = None
    agreed_on: date | None = None
    valid_from: Annotated[date, Field(description="first day; default: today")] = date.max
    valid_to: Annotated[date | None, Field(description="last day")] = None
    stale_after_days: Days = 45


class NewKpi(KpiChange):
    """A KPI or SLA agreed with a client. Its code is its name in events, `kpi:<code>`, and once per account."""

    account: AccountName
    code: Code
    name: Text
    unit: Annotated[Unit, Field(examples=["percent", "hours"])]
    direction: Direction
    target: Annotated[Number, Field(description="at least (higher), at most (lower), or a range's lower end")]


class ActualView(ResponseModel):
    """An actual beside the present target; `shortfall` is how far it is on the wrong side."""

    date: date
    value: float
    source: str
    shortfall: float
    rag: Rag


class KpiView(ResponseModel):
    """A KPI under its present terms; `rag` is by the latest actual, grey without one or when it is stale."""

    id: UUID
    account_id: UUID
    code: str
    kind: str
    name: str
    unit: str
    direction: Direction
    target: float
    target_high: float | None
    tolerance: float
    owner_id: UUID | None
    agreed_by: UUID | None
    agreed_on: date | None
    valid_from: date
    valid_to: date | None
    stale_after_days: int
    version: int
    author: str
    changed_at: datetime
    closed_at: datetime | None
    rag: Rag
    latest: ActualView | None


class AccountKpis(ResponseModel):
    """The open KPIs of one account, and how many stand in which colour."""

    account_id: UUID
    colours: dict[Rag, int]
    items: list[KpiView]


class VersionView(ResponseModel):
    """The terms of a KPI as somebody set them."""

    version: int
    author: str
    changed_at: datetime
    terms: dict[str, Any]


class Filters(QueryModel):
    """What a list of KPIs can be narrowed to."""

    account_id: UUID | None = None
    kind: Kind | None = None
    code: Annotated[str | None, Field(max_length=60)] = None
    owner_id: UUID | None = None
    closed: Annotated[bool, Field(description="those that were closed too")] = False


def _view(row: Any, today: date) -> KpiView:
    return KpiView.model_validate({**row._asdict(), "id": row.kpi_id, **store.state(row, today)})


async def _columns(uow: UnitOfWork, tenant: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says, as columns."""
    columns = dict(said)
    if "owner" in columns:
        owner = columns.pop("owner")
        columns["owner_id"] = opaque_id(tenant, "user", owner.email.lower()) if owner else None
    if columns.get("agreed_by") is not None:
        person = columns["agreed_by"]
        columns["agreed_by"] = (await people(uow.session, tenant, [person])).get(person)
    return {name: Decimal(repr(value)) if isinstance(value, float) else value for name, value in columns.items()}


async def _saved(uow: UnitOfWork, call: Call, kpi: Mapping[str, Any], status: int = 200) -> Answer:
    found = rules.refused_terms(store.terms_of(kpi))
    if found is not None:
        raise error_of(*found)
    await store.save(uow, kpi, author=call.subject)
    row = await store.one(uow.session, call.tenant, kpi["kpi_id"])
    return Answer(_view(row, uow.now.date()), status, headers={"ETag": etag(kpi["version"])})


@router.post("/kpis", operation_id="agree-kpi", status_code=201, response_model=KpiView)
async def agree_kpi(body: NewKpi, call: Writer) -> Response:
    """Record what was agreed with a client."""

    async def work(uow: UnitOfWork) -> Answer:
        reference = body.account.reference()
        account_id = (await find(uow.session, call.tenant, {reference})).get(reference)
        if account_id is None:
            raise UnknownAccount("There is no one account of this name.", pointer="/account")
        await lock(uow.session, call.tenant, [account_id])
        if await store.taken(uow.session, call.tenant, account_id, body.code):
            raise KpiExists("The account has an open KPI of this code.", pointer="/code")
        said = {name: getattr(body, name) for name in KpiChange.model_fields}
        if "valid_from" not in body.model_fields_set:
            said["valid_from"] = uow.now.date()
        identity = {"tenant": call.tenant, "kpi_id": uuid7(), "account_id": account_id, "code": body.code}
        kpi = {**identity, **await _columns(uow, call.tenant, said), "version": 1, "closed_at": None}
        return await _saved(uow, call, kpi, 201)

    return await call.write(work)


@router.get("/kpis", operation_id="list-kpis")
async def list_kpis(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[KpiView]:
    """KPIs, the newest first; only open ones unless `closed`."""
    after = page.after[0] if page.after else None
    async with call.read() as session:
        narrowed = filters.model_dump()
        rows = await store.listed(
            session, call.tenant, narrowed, closed=filters.closed, after=after, limit=page.limit + 1
        )
    shown, cursor = page.cut(rows, key=lambda row: [str(row.kpi_id)])
    return Page(items=[_view(row, call.now.date()) for row in shown], next_cursor=cursor)


@router.get("/kpis/{kpi_id}", operation_id="get-kpi", response_model=KpiView)
async def get_kpi(kpi_id: UUID, call: Reader, response: Response) -> KpiView:
    """One KPI; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, kpi_id)
    if row is None:
        raise UnknownKpi("There is no KPI of this id.")
    response.headers["ETag"] = etag(row.version)
    return _view(row, call.now.date())


@router.get("/kpis/{kpi_id}/history", operation_id="list-kpi-versions")
async def list_kpi_versions(kpi_id: UUID, call: Reader, page: PageRequest) -> Page[VersionView]:
    """The terms a KPI has had, the newest first: who set them and when."""
    before = page.after[0] if page.after else 2**31 - 1
    async with call.read() as session:
        rows = await store.versions(session, call.tenant, kpi_id, before=before, limit=page.limit + 1)
    if not rows and page.after is None:
        raise UnknownKpi("There is no KPI of this id.")
    shown, cursor = page.cut(rows, key=lambda row: [row.version])
    return Page(items=[VersionView.model_validate(row) for row in shown], next_cursor=cursor)


@router.patch("/kpis/{kpi_id}", operation_id="change-kpi", response_model=KpiView, openapi_extra=IF_MATCH)
async def change_kpi(kpi_id: UUID, body: KpiChange, call: Writer) -> Response:
    """Change terms by a JSON merge patch; needs `If-Match`. The new ones hold for every actual, earlier ones too.

    To let the past be judged as it was agreed then, close the KPI and agree on a new one of the same code.
    """

    async def work(uow: UnitOfWork) -> Answer:
        row = await _held(uow, call, kpi_id)
        return await _saved(uow, call, store.renewed(row, await _columns(uow, call.tenant, changes(body))))

    return await call.write(work)


@router.delete("/kpis/{kpi_id}", operation_id="close-kpi", status_code=204, openapi_extra=IF_MATCH)
async def close_kpi(kpi_id: UUID, call: Writer) -> Response:
    """Close a KPI for good; needs `If-Match`. It stays readable, and takes no more actuals."""

    async def work(uow: UnitOfWork) -> Answer:
        row = await _held(uow, call, kpi_id)
        await store.save(uow, store.renewed(row, {}, closed_at=uow.now), author=call.subject)
        return Answer(status=204)

    return await call.write(work)


async def _held(uow: UnitOfWork, call: Call, kpi_id: UUID) -> Any:
    row = await store.locked(uow.session, call.tenant, kpi_id)
    if row is None:
        raise UnknownKpi("There is no KPI of this id.")
    if_match(call.request, row.version)
    if row.closed_at is not None:
        raise KpiClosed("The KPI is closed.")
    return row


@router.get("/accounts/{account_id}/kpis", operation_id="get-account-kpis")
async def get_account_kpis(account_id: UUID, call: Reader) -> AccountKpis:
    """The open KPIs of one account, the 200 newest, with how they stand."""
    async with call.read() as session:
        if not await knows(session, call.tenant, account_id):
            raise UnknownAccount("There is no account of this id.")
        narrowed = {"account_id": account_id}
        rows = await store.listed(session, call.tenant, narrowed, closed=False, after=None, limit=PER_ACCOUNT)
    items = [_view(row, call.now.date()) for row in rows]
    colours = {rag: sum(item.rag is rag for item in items) for rag in Rag}
    return AccountKpis(account_id=account_id, colours=colours, items=items)
