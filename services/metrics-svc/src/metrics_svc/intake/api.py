"""The routes by which activities and observations come in. Reading them is in ``activities`` and ``evidence``."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from uuid import UUID

from fastapi import Depends, Response
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.errors import DomainError
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    Currency,
    ItemResult,
    JoinedWork,
    Problem,
    RequestModel,
    UtcDatetime,
    items_body,
    problem_of,
    read_items,
    rendered,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from metrics_svc.activities.rules import OBSERVATION, Reference, Status
from metrics_svc.errors import ERRORS
from metrics_svc.evidence.rules import observed_slot
from metrics_svc.evidence.store import evidence_id
from metrics_svc.intake.rules import Told
from metrics_svc.intake.store import Result, accept

router = routes(tags=["intake"])

Machine = Annotated[Call, Depends(requires("evidence:ingest", "evidence:write"))]
Name = Annotated[str, StringConstraints(max_length=200)]
Given = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Source = Annotated[str, StringConstraints(max_length=63)]
Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Amount = Annotated[str, StringConstraints(pattern=r"^-?\d{1,15}(\.\d{1,4})?$")]
Scalar = Annotated[str, StringConstraints(max_length=1000)] | int | float | bool | None


class _Ref(RequestModel):
    """Something named in exactly one way: by our id, by a source's id of it, or by what a subclass adds."""

    id: UUID | None = None
    source: Given | None = None
    external_id: Given | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = sum(getattr(self, name) is not None for name in type(self).model_fields.keys() - {"external_id"})
        if ways != 1 or (self.source is None) != (self.external_id is None):
            raise ValueError("give exactly one: id, source with external_id, or the other way of naming it")
        return self


class AccountRef(_Ref):
    """An account, by its id, by a source's id of it, or by its e-mail domain."""

    domain: Given | None = None

    def reference(self) -> Reference:
        """The way it is named."""
        if self.id is not None:
            return Reference(kind="id", value=str(self.id))
        if self.domain is not None:
            return Reference(kind="domain", value=self.domain.lower())
        return Reference(kind="external", source=str(self.source), value=str(self.external_id))


class ContactRef(_Ref):
    """A person at the client, by id, by a source's id of them, or by e-mail address, of which a hash is kept."""

    email: Email | None = None

    def reference(self) -> Reference:
        """The way they are named."""
        if self.id is not None:
            return Reference(kind="id", value=str(self.id))
        if self.email is not None:
            return Reference(kind="email", value=self.email.lower())
        return Reference(kind="external", source=str(self.source), value=str(self.external_id))


class OwnerRef(RequestModel):
    """One of our own users."""

    email: Email


class _Item(RequestModel):
    """What activities and observations have in common."""

    revision: Annotated[int | None, Field(ge=0, description="higher is later; default: by updated_at, else 1")] = None
    updated_at: Annotated[UtcDatetime | None, Field(description="when the source last changed the record")] = None
    account: AccountRef
    contacts: Annotated[tuple[ContactRef, ...], Field(max_length=50)] = ()
    owner: OwnerRef | None = None

    def _told(self, **more: Any) -> Told:
        return Told(
            revision=self.revision,
            updated_at=self.updated_at,
            account=self.account.reference(),
            contacts=tuple(contact.reference() for contact in self.contacts),
            owner=self.owner.email if self.owner else None,
            **more,
        )


class NewActivity(_Item):
    """What a source says happened. The same source and external id is the same activity for ever."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["source", "external_id", "type", "occurred_at", "account"]}
    )

    source: Source = ""
    external_id: Name = ""
    type: Annotated[str, Field(max_length=40, examples=["call", "email", "message", "meeting", "order"])]
    direction: Literal["inbound", "outbound"] | None = None
    outcome: Annotated[str | None, Field(max_length=40, examples=["no-answer", "connected", "held"])] = None
    occurred_at: Annotated[UtcDatetime, Field(description="for a meeting its start, unless starts_at is given")]
    starts_at: Annotated[
        UtcDatetime | None,
        Field(description="a meeting's start, when occurred_at says when it was answered, moved or cancelled"),
    ] = None
    asks_reply: Annotated[bool | None, Field(description="default: a call that did not connect does")] = None
    thread: Annotated[Name | None, Field(description="what belongs together; all about one meeting")] = None
    in_reply_to: Name | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    subject: Annotated[str | None, Field(max_length=500)] = None
    attributes: Annotated[dict[Name, Scalar], Field(max_length=50, default_factory=dict)]

    def told(self) -> Told:
        """The activity in our own words."""
        return self._told(
            source=self.source,
            external_id=self.external_id,
            type=self.type,
            direction=self.direction,
            outcome=self.outcome,
            occurred_at=self.occurred_at,
            starts_at=self.starts_at,
            asks_reply=self.asks_reply,
            thread=self.thread,
            in_reply_to=self.in_reply_to,
            amount=Decimal(self.amount) if self.amount is not None else None,
            currency=self.currency,
            subject=self.subject,
            attributes=self.attributes,
        )


class NewObservation(_Item):
    """Evidence that a person saw. Give an external id to be able to post it again or to correct it."""

    renamed: ClassVar[Mapping[str, str]] = {"/occurred_at": "/observed_at"}

    source: Source = "people"
    external_id: Given | None = None
    kind: Annotated[str, Field(max_length=60, examples=["advice-sought", "introduction-unsolicited"])]
    observed_at: UtcDatetime
    magnitude: Annotated[float, Field(gt=0, le=10, description="beside an ordinary piece of its kind, 1")] = 1.0
    note: Annotated[str | None, Field(max_length=4000)] = None

    def told(self) -> Told:
        """The observation in our own words."""
        return self._told(
            source=self.source,
            external_id=self.external_id or str(uuid7()),
            type=OBSERVATION,
            occurred_at=self.observed_at,
            kind=self.kind,
            magnitude=self.magnitude,
            note=self.note,
        )


CALL = {
    "source": "hubspot",
    "external_id": "call-889",
    "type": "call",
    "direction": "outbound",
    "outcome": "no-answer",
    "occurred_at": "2026-11-20T10:15:00Z",
    "account": {"source": "hubspot", "external_id": "company-17"},
    "contacts": [{"source": "hubspot", "external_id": "contact-4"}],
    "owner": {"email": "ana@example.com"},
}
ADVICE = {"kind": "advice-sought", "observed_at": "2026-11-20T10:15:00Z", "account": {"domain": "acme.example"}}

ItemModel = TypeVar("ItemModel", NewActivity, NewObservation)
Naming = Callable[[UUID | None, UUID], UUID | None]
"""Account and activity → the id an item is answered with."""


@router.post(
    "/activities",
    response_model=BulkAnswer,
    operation_id="post-activities",
    openapi_extra=items_body(NewActivity, CALL, {"items": [CALL]}),
)
async def post_activities(call: Machine, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Take in up to 500 activities; one result per item, in order.

    Each is `accepted`, `duplicate`, `corrected` (a higher revision), `stale` (a lower one), `unmatched` (kept until
    its account appears) or `rejected` with a problem. `dry_run` changes nothing.
    """
    return await _take(call, await read_items(call, NewActivity), lambda _account, id_: id_, dry_run=dry_run)


@router.post(
    "/evidence",
    response_model=BulkAnswer,
    operation_id="post-evidence",
    openapi_extra=items_body(NewObservation, ADVICE, {"items": [ADVICE]}),
)
async def post_evidence(call: Machine, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Take in up to 500 pieces of evidence that people saw; results as for activities.

    `id` is the evidence's, and null while its account is not known. `dry_run` changes nothing.
    """

    def standing(account: UUID | None, id_: UUID) -> UUID | None:
        return evidence_id(observed_slot(call.tenant, account, id_)) if account else None

    return await _take(call, await read_items(call, NewObservation), standing, dry_run=dry_run)


async def _take(
    call: Call, items: Sequence[ItemModel | Problem], named: Naming, *, dry_run: bool
) -> Response | BulkAnswer:
    told = [item if isinstance(item, Problem) else item.told() for item in items]
    heard = [item for item in told if isinstance(item, Told)]
    renamed = NewObservation.renamed if any(isinstance(item, NewObservation) for item in items) else {}

    async def take(uow: UnitOfWork, heard: Sequence[Told]) -> list[Result | DomainError]:
        return await accept(uow, call.tenant, heard, author=call.subject, dry_run=dry_run)

    def answer(became: Sequence[Result | DomainError]) -> BulkAnswer:
        rest = iter(became)
        results = (item if isinstance(item, Problem) else next(rest) for item in told)
        return BulkAnswer(items=[_result(result, named, renamed) for result in results])

    async def work(uow: UnitOfWork) -> Answer:
        return Answer(answer(await take(uow, heard)))

    if dry_run:
        async with call.rehearsal() as uow:
            return answer(await take(uow, heard))
    if len(heard) == len(told) == 1 and "idempotency-key" not in call.request.headers:
        return rendered(Answer(answer([await call.join(heard[0], JoinedWork(take, _subject))])))
    async with call.turn("intake"):
        return await call.write(work)


def _subject(result: Result | DomainError) -> str | None:
    return str(result.account_id) if isinstance(result, Result) and result.account_id else None


def _result(result: Result | DomainError | Problem, named: Naming, renamed: Mapping[str, str]) -> ItemResult:
    if isinstance(result, Result):
        return ItemResult(status=result.status, id=named(result.account_id, result.activity_id))
    if isinstance(result, DomainError):
        result.pointer = renamed.get(result.pointer or "", result.pointer)
        result = problem_of(result, errors=ERRORS)
    return ItemResult(status=Status.REJECTED, problem=result)
