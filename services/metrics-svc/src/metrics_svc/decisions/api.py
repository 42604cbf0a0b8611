"""The routes by which people decide whose a name is, that it is nobody's, and where one activity belongs."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    ProblemError,
    QueryModel,
    RequestModel,
    ResponseModel,
    requires,
)
from bellwether_kit.http import router as routes
from metrics_svc.activities.rules import Reference
from metrics_svc.decisions import store
from metrics_svc.decisions.store import Decision
from metrics_svc.errors import UnknownDecision
from metrics_svc.records.rules import AccountName
from metrics_svc.trail.rules import Word

router = routes(tags=["unmatched"])

Reader = Annotated[Call, Depends(requires("evidence:read"))]
Writer = Annotated[Call, Depends(requires("evidence:write"))]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class NewMatch(RequestModel):
    """Whose a name is, and why somebody says so."""

    reference: AccountName
    account_id: UUID
    reason: Reason


class NewDismissal(RequestModel):
    """A name that is no client's, and why somebody says so."""

    reference: AccountName
    reason: Reason


class NewPlace(RequestModel):
    """The account that one activity belongs to; null for none."""

    account_id: UUID | None
    reason: Reason


class Named(QueryModel):
    """A name of an account: `domain`, `source` with `external_id`, or `id`."""

    id: UUID | None = None
    source: Annotated[str | None, Field(max_length=200)] = None
    external_id: Annotated[str | None, Field(max_length=200)] = None
    domain: Annotated[str | None, Field(max_length=200)] = None

    def reference(self) -> Reference:
        """The name; raises the 422 problem unless it is exactly one."""
        try:
            return AccountName(**self.model_dump()).reference()
        except ValueError as error:
            raise ProblemError(422, "validation-failed", f"{error}.") from error


class ReferenceView(ResponseModel):
    """A name of an account; `source` is empty but for an external id."""

    kind: Literal["id", "external", "domain"]
    source: str
    value: str


class DecisionView(ResponseModel):
    """What somebody decided about a name; without an account it is dismissed."""

    reference: ReferenceView
    account_id: UUID | None
    author: str
    reason: str
    said_at: datetime


class Matched(ResponseModel):
    """How many activities a decision gave to its account at once; `more` says that a timer goes on."""

    account_id: UUID
    activities: int
    more: bool


class Placed(ResponseModel):
    """Where an activity is now."""

    id: UUID
    account_id: UUID | None


@router.get("/unmatched/decisions", operation_id="list-unmatched-decisions")
async def list_unmatched_decisions(call: Reader, page: PageRequest) -> Page[DecisionView]:
    """All decisions about names that hold, by name."""
    async with call.read() as session:
        rows = await store.decisions(session, call.tenant, after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.kind, row.source, row.value])
    items = [
        DecisionView.model_validate({**row._asdict(), "reference": ReferenceView.model_validate(row)}) for row in shown
    ]
    return Page(items=items, next_cursor=cursor)


@router.post("/unmatched/match", operation_id="match-unmatched", response_model=Matched)
async def match_unmatched(body: NewMatch, call: Writer) -> Response:
    """Say whose a name is: what is held for it goes there, and whatever comes. No news of accounts changes that."""

    async def work(uow: UnitOfWork) -> Answer:
        decision = _decision(call, body.reference, body.account_id, body.reason)
        moved = await store.decide(uow, decision)
        return Answer(Matched(account_id=body.account_id, activities=moved, more=moved == store.AT_ONCE))

    return await call.write(work)


@router.delete("/unmatched/match", operation_id="unmatch-reference", status_code=204)
async def unmatch_reference(named: Annotated[Named, Query()], call: Writer) -> Response:
    """Take back whose a name is: what it gave its account goes where the name leads without that, or is held again."""
    return await _undo(call, named.reference(), dismissed=False)


@router.post("/unmatched/dismiss", operation_id="dismiss-unmatched", status_code=204)
async def dismiss_unmatched(body: NewDismissal, call: Writer) -> Response:
    """Say that a name is no client's: it is no longer listed. What is held for it stays held."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.decide(uow, _decision(call, body.reference, None, body.reason))
        return Answer(status=204)

    return await call.write(work)


@router.delete("/unmatched/dismiss", operation_id="undismiss-reference", status_code=204)
async def undismiss_reference(named: Annotated[Named, Query()], call: Writer) -> Response:
    """List a dismissed name again."""
    return await _undo(call, named.reference(), dismissed=True)


@router.post("/activities/{activity_id}/rematch", operation_id="rematch-activity", response_model=Placed)
async def rematch_activity(activity_id: UUID, body: NewPlace, call: Writer) -> Response:
    """Give one activity to another account, or to none. From then on its reference no longer decides."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.place(uow, call.tenant, activity_id, body.account_id, Word(call.subject, body.reason))
        return Answer(Placed(id=activity_id, account_id=body.account_id))

    return await call.write(work)


def _decision(call: Call, name: AccountName, account_id: UUID | None, reason: str) -> Decision:
    word = Word(call.subject, reason)
    return Decision(tenant=call.tenant, reference=name.reference(), account_id=account_id, word=word)


async def _undo(call: Call, reference: Reference, *, dismissed: bool) -> Response:
    async def work(uow: UnitOfWork) -> Answer:
        word = Word(call.subject, "undone")
        if not await store.undo(uow, call.tenant, reference, dismissed=dismissed, word=word):
            raise UnknownDecision("Nobody decided that about this name.")
        return Answer(status=204)

    return await call.write(work)
