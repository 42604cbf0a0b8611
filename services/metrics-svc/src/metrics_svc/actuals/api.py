"""The routes by which actuals of KPIs come in and are read."""

import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    ItemResult,
    Page,
    PageRequest,
    Problem,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    items_body,
    problem_of,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.activities.rules import Status
from metrics_svc.actuals import store
from metrics_svc.actuals.store import Actual
from metrics_svc.errors import ERRORS, KpiClosed, UnknownKpi, error_of
from metrics_svc.intake.rules import revision_of
from metrics_svc.kpis import store as kpis
from metrics_svc.kpis.rules import Rag, Terms, refused_actual
from metrics_svc.records.rules import LONGEST_SOURCE

router = routes(tags=["KPIs"])

Machine = Annotated[Call, Depends(requires("evidence:ingest", "evidence:write"))]
Reader = Annotated[Call, Depends(requires("evidence:read"))]
Source = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_SOURCE)]


class NewActual(RequestModel):
    """What the KPI came to on a day. The same date and source is the same actual."""

    date: datetime.date
    value: Annotated[float, Field(ge=-1e15, le=1e15)]
    source: Source = "people"
    revision: Annotated[int | None, Field(ge=0, description="higher is later; default: by updated_at, else 1")] = None
    updated_at: Annotated[UtcDatetime | None, Field(description="when the source last changed the value")] = None

    def judged(self, terms: Terms, as_of: datetime.datetime) -> Actual | DomainError:
        """The actual as it is kept, or why it is not."""
        found = refused_actual(terms, self.date, as_of)
        if found is not None:
            return error_of(*found)
        revision = revision_of(self.revision, self.updated_at)
        return Actual(self.date, self.source, revision, Decimal(repr(self.value)))


EXAMPLE = {"date": "2026-10-31", "value": 99.2, "source": "servicedesk"}


class ActualView(ResponseModel):
    """An actual and how it stands against the present target."""

    date: datetime.date
    value: float
    source: str
    revision: int
    recorded_at: datetime.datetime
    author: str
    shortfall: float
    rag: Rag


@router.post(
    "/kpis/{kpi_id}/actuals",
    response_model=BulkAnswer,
    operation_id="post-kpi-actuals",
    openapi_extra=items_body(NewActual, EXAMPLE, {"items": [EXAMPLE]}),
)
async def post_kpi_actuals(kpi_id: UUID, call: Machine) -> Response:
    """Take in up to 500 actuals; one result per item, in order: `accepted duplicate corrected stale rejected`."""
    items = await read_items(call, NewActual)

    async def work(uow: UnitOfWork) -> Answer:
        kpi = await kpis.locked(uow.session, call.tenant, kpi_id)
        if kpi is None:
            raise UnknownKpi("There is no KPI of this id.")
        if kpi.closed_at is not None:
            raise KpiClosed("The KPI is closed.")
        terms = kpis.terms_of(kpi._asdict())
        judged = [item if isinstance(item, Problem) else item.judged(terms, uow.now) for item in items]
        told = [item for item in judged if isinstance(item, Actual)]
        became = iter(await store.accept(uow, kpi, told, author=call.subject))
        return Answer(
            BulkAnswer(
                items=[
                    ItemResult(status=next(became)) if isinstance(item, Actual) else _refused(item) for item in judged
                ]
            )
        )

    return await call.write(work)


def _refused(why: DomainError | Problem) -> ItemResult:
    problem = why if isinstance(why, Problem) else problem_of(why, errors=ERRORS)
    return ItemResult(status=Status.REJECTED, problem=problem)


@router.get("/kpis/{kpi_id}/actuals", operation_id="list-kpi-actuals")
async def list_kpi_actuals(kpi_id: UUID, call: Reader, page: PageRequest) -> Page[ActualView]:
    """What a KPI came to, the latest day first, seen from its present target."""
    async with call.read() as session:
        kpi = await kpis.one(session, call.tenant, kpi_id)
        if kpi is None:
            raise UnknownKpi("There is no KPI of this id.")
        rows = await store.listed(session, call.tenant, kpi_id, after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.day.isoformat(), row.source])
    terms = kpis.terms_of(kpi._asdict())
    views = [{**row._asdict(), **kpis.actual(terms, row.day, row.value, row.source)} for row in shown]
    return Page(items=[ActualView.model_validate(view) for view in views], next_cursor=cursor)
