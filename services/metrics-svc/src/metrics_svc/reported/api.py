"""The routes by which figures of the finance system come in and are read."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    Money,
    Page,
    PageRequest,
    Problem,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    items_body,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.errors import error_of
from metrics_svc.intake.rules import revision_of
from metrics_svc.records.rules import LONGEST_SOURCE, AccountName, Record
from metrics_svc.reported import rules, store

router = routes(tags=["reported figures"])

Machine = Annotated[Call, Depends(requires("evidence:ingest", "evidence:write"))]
Reader = Annotated[Call, Depends(requires("evidence:read"))]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_SOURCE)]
Measure = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Unit = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class NewFigure(RequestModel):
    """A measure of one account and period. The same source, account, measure and period is the same figure."""

    source: Source
    revision: Annotated[int | None, Field(ge=0, description="higher is later; default: by updated_at, else 1")] = None
    updated_at: Annotated[UtcDatetime | None, Field(description="when the source last changed the figure")] = None
    account: Annotated[AccountName, Field(description="a source keeps to one way of naming an account")]
    measure: Annotated[Measure, Field(examples=["revenue", "profit", "share-of-wallet", "retention"])]
    period_start: Annotated[date, Field(description="first day")]
    period_end: Annotated[date, Field(description="last day")]
    money: Annotated[Money | None, Field(description="revenue and profit are money")] = None
    value: Annotated[float | None, Field(ge=-1e15, le=1e15, description="of any other measure")] = None
    unit: Annotated[Unit | None, Field(description="of value; percent for share-of-wallet and retention")] = None

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if (self.money is None) == (self.value is None):
            raise ValueError("give either money or value")
        if self.money is not None and self.unit is not None:
            raise ValueError("money has its currency for a unit")
        return self

    def reported(self) -> rules.Reported:
        """The figure itself."""
        if self.money is not None:
            amount, unit = self.money.amount, self.money.currency
        else:
            amount, unit = Decimal(repr(self.value)), self.unit or rules.UNITS.get(self.measure, "1")
        is_money = self.money is not None
        return rules.Reported(self.measure, self.period_start, self.period_end, amount, unit, money=is_money)

    def judged(self, tenant: str, as_of: datetime) -> Record | DomainError:
        """The figure as it is kept, or why it is not."""
        said, account = self.reported(), self.account.reference()
        found = rules.refusal(said, as_of)
        if found is not None:
            return error_of(*found)
        return Record(
            id=store.figure_id(tenant, self.source, account, said.measure, said.period_start, said.period_end),
            source=self.source,
            revision=revision_of(self.revision, self.updated_at),
            account=account,
            values={
                "measure": said.measure,
                "period_start": said.period_start,
                "period_end": said.period_end,
                "value": said.value,
                "unit": said.unit,
                "money": said.money,
            },
        )


EXAMPLE = {
    "source": "erp",
    "account": {"source": "hubspot", "external_id": "company-17"},
    "measure": "revenue",
    "period_start": "2026-10-01",
    "period_end": "2026-10-31",
    "money": {"amount": "48200.00", "currency": "EUR"},
}


class FigureView(ResponseModel):
    """A figure in its latest revision: `money`, or `value` with its unit."""

    id: UUID
    source: str
    revision: int
    account_id: UUID | None
    measure: str
    period_start: date
    period_end: date
    money: Money | None
    value: float | None
    unit: str
    recorded_at: datetime
    author: str


class Filters(QueryModel):
    """What a list of figures can be narrowed to; `from` and `to` are about the last day of the period."""

    account_id: UUID | None = None
    measure: Annotated[str | None, Field(max_length=60)] = None
    source: Annotated[str | None, Field(max_length=LONGEST_SOURCE)] = None
    unmatched: Annotated[bool, Field(description="only those without an account")] = False
    from_: Annotated[date | None, Field(alias="from")] = None
    to: date | None = None


@router.post(
    "/figures",
    response_model=BulkAnswer,
    operation_id="post-figures",
    openapi_extra=items_body(NewFigure, EXAMPLE, {"items": [EXAMPLE]}),
)
async def post_figures(call: Machine, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Take in up to 500 figures; one result per item, in order, as for activities. `dry_run` changes nothing."""
    items = await read_items(call, NewFigure)

    async def take(uow: UnitOfWork) -> BulkAnswer:
        records = [item if isinstance(item, Problem) else item.judged(call.tenant, uow.now) for item in items]
        return BulkAnswer(items=await store.accept(uow, call.tenant, records, author=call.subject))

    async def work(uow: UnitOfWork) -> Answer:
        return Answer(await take(uow))

    if dry_run:
        async with call.rehearsal() as uow:
            return await take(uow)
    return await call.write(work)


@router.get("/figures", operation_id="list-figures")
async def list_figures(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[FigureView]:
    """Reported figures, the latest period first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, filters.model_dump(), after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.period_end.isoformat(), str(row.id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


def _view(row: Any) -> FigureView:
    money = Money(amount=row.value, currency=row.unit) if row.money else None
    return FigureView.model_validate({**row._asdict(), "money": money, "value": None if money else row.value})
