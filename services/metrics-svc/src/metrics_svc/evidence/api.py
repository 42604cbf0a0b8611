"""The routes that read evidence, its catalogue, and take a piece back. Evidence comes in by ``intake``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    EXPORTABLE,
    Answer,
    Call,
    Page,
    PageRequest,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    page_or_export,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import lock
from metrics_svc.errors import UnknownEvidence
from metrics_svc.evidence import store
from metrics_svc.evidence.rules import CATALOGUE, Kind
from metrics_svc.figures import store as figures
from metrics_svc.terms.store import catalogue
from metrics_svc.trail import store as trail
from metrics_svc.trail.rules import Word

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


class ActivitySummary(ResponseModel):
    """An activity that evidence came from, in short."""

    id: UUID
    source: str
    external_id: str
    revision: int
    type: str
    direction: str | None
    outcome: str | None
    occurred_at: datetime
    account_id: UUID | None


class EarlierEvidence(ResponseModel):
    """A revision that stood until it was replaced or retracted, why, and the activities that did it.

    `why` is corrected, moved (to another account), renamed (a person), later-activity, rules, time, withdrawn, erased.
    """

    revision: int
    kind: str
    magnitude: float
    observed_at: datetime
    source: str
    contact_ids: list[UUID]
    owner_id: UUID | None
    activity_ids: list[UUID]
    until: datetime
    why: str
    because_of: list[UUID]
    author: str | None
    reason: str | None


class EvidenceTrail(EvidenceView):
    """A piece of evidence with where it came from; `earlier` has its last 200 revisions, the latest first."""

    activities: list[ActivitySummary]
    earlier: list[EarlierEvidence]


class KindView(ResponseModel):
    """A kind of evidence; `polarity` is 1 for us, -1 against us. Nothing new can be of a retired one."""

    code: str
    family: str
    dimension: str
    polarity: int
    retired: bool
    origin: Literal["bellwether", "tenant"]


class Kinds(ResponseModel):
    """The catalogue."""

    items: list[KindView]


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
    status = "recorded" if row.retracted_for is None else "retracted"
    return EvidenceView.model_validate({**row._asdict(), "id": row.evidence_id, "status": status})


@router.get("/evidence", operation_id="list-evidence", response_model=Page[EvidenceView], responses=EXPORTABLE)
async def list_evidence(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[Any] | Response:
    """Evidence, the latest observed first; retracted pieces too unless `status` says otherwise."""

    async def read(session: AsyncSession, after: Sequence[Any] | None, limit: int) -> Sequence[Row[Any]]:
        return await store.listed(session, call.tenant, filters.model_dump(), after=after, limit=limit)

    def place(row: Row[Any]) -> list[Any]:
        return [row.observed_at.isoformat(), str(row.evidence_id)]

    return await page_or_export(call, page, read, key=place, item=_view)


@router.get("/evidence/{evidence_id}", operation_id="get-evidence")
async def get_evidence(evidence_id: UUID, call: Reader) -> EvidenceTrail:
    """One piece of evidence, the activities it came from, and what stood there before."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, evidence_id)
        came_from, earlier = await trail.of_evidence(session, call.tenant, evidence_id)
    if row is None:
        raise UnknownEvidence("There is no evidence of this id.")
    return EvidenceTrail.model_validate({**_view(row).model_dump(), "activities": came_from, "earlier": earlier})


@router.post("/evidence/{evidence_id}/retract", operation_id="retract-evidence", response_model=EvidenceView)
async def retract_evidence(evidence_id: UUID, body: Withdrawal, call: Writer) -> Response:
    """Take a piece of evidence back for good: no later activity brings it back. Again changes nothing."""

    async def work(uow: UnitOfWork) -> Answer:
        known = await store.one(uow.session, call.tenant, evidence_id)
        if known is None:
            raise UnknownEvidence("There is no evidence of this id.")
        await lock(uow.session, {(call.tenant, known.account_id)})
        taken_back = await store.withdraw(uow, call.tenant, evidence_id, author=call.subject, reason=body.reason)
        if taken_back is not None:
            await trail.keep_withdrawn(uow, taken_back, Word(call.subject, body.reason))
            await figures.follow(uow.session, [taken_back], ())
        row = await store.one(uow.session, call.tenant, evidence_id)
        assert row is not None
        return Answer(_view(row))

    return await call.write(work)


@router.get("/evidence-kinds", operation_id="list-evidence-kinds")
async def list_evidence_kinds(call: Reader) -> Kinds:
    """The catalogue: every kind of evidence, ours first, then those the tenant added with its rules."""
    async with call.read() as session:
        kinds = await catalogue(session, call.tenant)
    return Kinds(items=[_kind(kind) for kind in kinds.values()])


def _kind(kind: Kind) -> KindView:
    return KindView(
        code=kind.code,
        family=kind.family,
        dimension=kind.dimension,
        polarity=kind.polarity,
        retired=kind.retired,
        origin="bellwether" if kind.code in CATALOGUE else "tenant",
    )
