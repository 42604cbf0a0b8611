"""The routes that read evidence, its catalogue, and take a piece back. Evidence comes in by ``intake``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import lock
from metrics_svc.errors import UnknownEvidence
from metrics_svc.evidence import store
from metrics_svc.evidence.rules import CATALOGUE

router = routes(tags=["evidence"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Writer = Annotated[Call, Depends(requires("evidence:write"))]


class EvidenceView(ResponseModel):
    """A piece of evidence in its latest revision. `rule` and `activity_ids` say where it comes from."""

    id: UUID
    account_id: UUID
    kind: str
    family: str
    dimension: str
    polarity: int
    magnitude: float
    observed_at: datetime
    recorded_at: datetime
    revision: int
    status: Literal["recorded", "retracted"]
    retracted_for: str | None
    withdrawn_by: str | None
    rule: str
    source: str
    contact_ids: list[UUID]
    owner_id: UUID | None
    activity_ids: list[UUID]


class KindView(ResponseModel):
    """A kind of evidence; `polarity` is 1 for us, -1 against us."""

    code: str
    family: str
    dimension: str
    polarity: int


class Kinds(ResponseModel):
    """The catalogue."""

    items: Sequence[KindView]


class Filters(QueryModel):
    """What a list of evidence can be narrowed to; `from` is inclusive, `to` is not."""

    account_id: UUID | None = None
    kind: Annotated[str | None, Field(max_length=60)] = None
    family: Annotated[str | None, Field(max_length=60)] = None
    status: Literal["recorded", "retracted"] | None = None
    from_: Annotated[UtcDatetime | None, Field(alias="from")] = None
    to: UtcDatetime | None = None


class Withdrawal(RequestModel):
    """Why a piece of evidence is taken back."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _view(row: Row[Any]) -> EvidenceView:
    kind = CATALOGUE[row.kind]
    status = "recorded" if row.retracted_for is None else "retracted"
    known = {"id": row.evidence_id, "status": status, "dimension": kind.dimension, "polarity": kind.polarity}
    return EvidenceView.model_validate({**row._asdict(), **known})


@router.get("/evidence", operation_id="list-evidence")
async def list_evidence(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[EvidenceView]:
    """Evidence, the latest observed first; retracted pieces too unless `status` says otherwise."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, filters.model_dump(), after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.observed_at.isoformat(), str(row.evidence_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/evidence/{evidence_id}", operation_id="get-evidence")
async def get_evidence(evidence_id: UUID, call: Reader) -> EvidenceView:
    """One piece of evidence."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, evidence_id)
    if row is None:
        raise UnknownEvidence("There is no evidence of this id.")
    return _view(row)


@router.post("/evidence/{evidence_id}/retract", operation_id="retract-evidence", response_model=EvidenceView)
async def retract_evidence(evidence_id: UUID, body: Withdrawal, call: Writer) -> Response:
    """Take a piece of evidence back for good: no later activity brings it back. Again changes nothing."""

    async def work(uow: UnitOfWork) -> Answer:
        known = await store.one(uow.session, call.tenant, evidence_id)
        if known is None:
            raise UnknownEvidence("There is no evidence of this id.")
        await lock(uow.session, {(call.tenant, known.account_id)})
        await store.withdraw(uow, call.tenant, evidence_id, author=call.subject, reason=body.reason)
        row = await store.one(uow.session, call.tenant, evidence_id)
        assert row is not None
        return Answer(_view(row))

    return await call.write(work)


@router.get("/evidence-kinds", operation_id="list-evidence-kinds")
async def list_evidence_kinds(_call: Reader) -> Kinds:
    """The catalogue: every kind of evidence."""
    return Kinds(items=[KindView.model_validate(kind) for kind in CATALOGUE.values()])
