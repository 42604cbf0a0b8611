"""The routes that change people, and what they take; reading is in ``directory``."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    ItemResult,
    Problem,
    RequestModel,
    changes,
    etag,
    if_match,
    items_body,
    problem_of,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import opaque_id, uuid7
from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.coverage import store as coverage
from stakeholder_svc.errors import ERRORS, NotesAreConfidential, UnknownStakeholder, error_of
from stakeholder_svc.grid.rules import Grid
from stakeholder_svc.people import rules, store
from stakeholder_svc.people.rules import (
    Certainty,
    Change,
    Outcome,
    Person,
    Refusal,
    Result,
    Role,
    Sentiment,
    Status,
)

router = routes(tags=["stakeholders"])

Writer = Annotated[Call, Depends(requires("stakeholders:write"))]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Email = Annotated[str, StringConstraints(to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Day = Annotated[date, Field(ge=date(1950, 1, 1), le=date(2199, 12, 31))]
Mark = Annotated[int, Field(ge=1, le=5)]


class ExternalRef(RequestModel):
    """A name in a source system."""

    source: Source
    external_id: Text


class Ref(RequestModel):
    """An account or a person, by its id or by one of its external ids."""

    id: UUID | None = None
    source: Source | None = None
    external_id: Text | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.source is None) != (self.external_id is None) or (self.id is None) == (self.source is None):
            raise ValueError("give either id, or source and external_id")
        return self

    def named(self) -> UUID | ExternalId:
        """The id or the external id."""
        return self.id or ExternalId(str(self.source), str(self.external_id))


class UserRef(RequestModel):
    """One of our own users; only the opaque id is kept."""

    email: Email


class GridMarks(RequestModel):
    """The 5P grid of a person: five marks and a weight, 1 (low) to 5 (high)."""

    power: Mark
    perception: Mark
    priority: Mark
    promoter: Mark
    pliability: Mark
    weight: Mark = 3


class StakeholderChange(RequestModel):
    """What is said about a person. A field that is absent stays as it is; null clears it.

    `confidential_notes` needs the scope `stakeholders:admin` besides.
    """

    external_ids: Annotated[tuple[ExternalRef, ...], Field(max_length=20)] = ()
    account: Ref | None = None
    name: Text = ""
    title: Text | None = None
    email: Email | None = None
    buying_centre: Text | None = None
    reports_to: Ref | None = None
    decision_roles: Annotated[tuple[Role, ...], Field(max_length=6)] = ()
    budget_control: bool = False
    veto: bool = False
    sentiment: Sentiment = Sentiment.NEUTRAL
    sentiment_since: Day | None = None
    assessed_by: UserRef | None = None
    certainty: Certainty = Certainty.ASSUMED
    status: Status = Status.ACTIVE
    priorities: Annotated[tuple[Text, ...], Field(max_length=20, description="what matters to them")] = ()
    confidential_notes: Annotated[str, Field(max_length=5_000)] | None = None
    grid: GridMarks | None = None
    contacts: Annotated[tuple[UserRef, ...], Field(max_length=50, description="who of ours is in touch with them")] = ()

    def change(self, call: Call) -> Change:
        """What is said, as the rules have it; refused when it may not be said."""
        facts = changes(self)
        if "confidential_notes" in facts and "stakeholders:admin" not in call.scopes:
            raise NotesAreConfidential("Notes need the scope stakeholders:admin.", pointer="/confidential_notes")
        for name in ("external_ids", "account"):
            facts.pop(name, None)
        if self.reports_to is not None:
            facts["reports_to"] = self.reports_to.named()
        if self.assessed_by is not None:
            facts["assessed_by"] = opaque_id(call.tenant, "user", self.assessed_by.email)
        if self.decision_roles:
            facts["decision_roles"] = tuple(sorted(set(self.decision_roles)))
        if self.contacts:
            facts["contacts"] = tuple(sorted({opaque_id(call.tenant, "user", user.email) for user in self.contacts}))
        if self.grid is not None:
            facts["grid"] = Grid(**self.grid.model_dump())
        names = tuple(ExternalId(ref.source, ref.external_id) for ref in self.external_ids)
        by = opaque_id(call.tenant, "user", call.subject.lower())
        return Change(facts, names, self.account.named() if self.account else None, by)


EXAMPLE: dict[str, Any] = {
    "external_ids": [{"source": "hubspot", "external_id": "contact-4"}],
    "account": {"source": "hubspot", "external_id": "company-17"},
    "name": "Robin Example",
    "title": "Head of purchasing",
    "decision_roles": ["economic", "purchaser"],
    "veto": True,
    "sentiment": "supporter",
    "certainty": "confirmed",
    "contacts": [{"email": "ana@example.com"}],
    "grid": {"power": 5, "perception": 3, "priority": 4, "promoter": 3, "pliability": 2, "weight": 5},
}


@router.post(
    "/stakeholders",
    response_model=BulkAnswer,
    operation_id="upsert-stakeholders",
    openapi_extra=items_body(StakeholderChange, EXAMPLE, {"items": [EXAMPLE]}),
)
async def upsert_stakeholders(call: Writer, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Create or update up to 500 people by any of their external ids; one result per item, in order.

    Each is `created`, `updated`, `unchanged` or `rejected` with a problem. External ids are added, never taken
    away. A person without one is always new. A superior comes before who reports to them. `dry_run` changes nothing.
    """
    items = [_said(item, call) for item in await read_items(call, StakeholderChange)]
    said = [item for item in items if isinstance(item, Change)]
    if dry_run:
        async with call.read() as session:
            known = await store.known(session, call.tenant, said, _derived(call.tenant, said))
        outcomes = rules.settle(said, known, as_of=call.now, new_id=_new_id(call.tenant))
        return _bulk(items, outcomes, dry_run=True)

    async def work(uow: UnitOfWork) -> Answer:
        await store.one_writer(uow.session, [call.tenant])
        known = await store.known(uow.session, call.tenant, said, _derived(call.tenant, said))
        outcomes = rules.settle(said, known, as_of=uow.now, new_id=_new_id(call.tenant))
        await _keep(uow, call.tenant, [o.person for o in outcomes if o.person and o.result is not Result.UNCHANGED])
        return Answer(_bulk(items, outcomes))

    return await call.write(work)


def _said(item: StakeholderChange | Problem, call: Call) -> Change | Problem:
    try:
        return item if isinstance(item, Problem) else item.change(call)
    except NotesAreConfidential as error:
        return problem_of(error, errors=ERRORS)


def _new_id(tenant: str) -> rules.NewId:
    """Others know a person by the first external id before we do, and compute the same id from it."""

    def made(change: Change) -> UUID:
        if not change.external_ids:
            return uuid7()
        first = change.external_ids[0]
        return opaque_id(tenant, "contact", first.source, first.external_id)

    return made


def _derived(tenant: str, said: Sequence[Change]) -> list[UUID]:
    new_id = _new_id(tenant)
    return [new_id(change) for change in said if change.external_ids]


async def _keep(uow: UnitOfWork, tenant: str, states: Sequence[Person]) -> None:
    """Store people and what follows for the coverage of their accounts."""
    await store.save(uow, tenant, states)
    if states:
        await coverage.reassess(uow, {(tenant, person.account_id) for person in states})


def _bulk(items: Sequence[Change | Problem], outcomes: Sequence[Outcome], *, dry_run: bool = False) -> BulkAnswer:
    following = iter(outcomes)
    results = (
        ItemResult(status=Result.REJECTED, problem=item)
        if isinstance(item, Problem)
        else _result(next(following), dry_run=dry_run)
        for item in items
    )
    return BulkAnswer(items=list(results))


def _result(outcome: Outcome, *, dry_run: bool) -> ItemResult:
    if outcome.refusal is not None:
        return ItemResult(status=outcome.result, problem=problem_of(error_of(outcome.refusal), errors=ERRORS))
    made_up = dry_run and outcome.result is Result.CREATED
    return ItemResult(status=outcome.result, id=None if made_up or not outcome.person else outcome.person.id)


@router.patch("/stakeholders/{stakeholder_id}", response_model=ItemResult, operation_id="change-stakeholder")
async def change_stakeholder(stakeholder_id: UUID, body: StakeholderChange, call: Writer) -> Response:
    """Change one person by a JSON merge patch; needs `If-Match`. `external_ids` are added to those known."""
    change = body.change(call)

    async def work(uow: UnitOfWork) -> Answer:
        person = await _held(uow, call, stakeholder_id)
        known = await store.known(uow.session, call.tenant, [change], [])
        revised = rules.revise(person, change, known, uow.now)
        if isinstance(revised, Refusal):
            raise error_of(revised)
        if revised is person:
            return _answer(Result.UNCHANGED, person)
        await _keep(uow, call.tenant, [revised])
        return _answer(Result.UPDATED, revised)

    return await call.write(work)


@router.delete("/stakeholders/{stakeholder_id}", status_code=204, operation_id="erase-stakeholder")
async def erase_stakeholder(stakeholder_id: UUID, call: Writer) -> Response:
    """Erase all that is known of a person; needs `If-Match`. Who reports to them reports to nobody then.

    Events and scores keep the opaque id, from which nobody can be told; a tombstone clears the topic.
    """

    async def work(uow: UnitOfWork) -> Answer:
        person = await _held(uow, call, stakeholder_id)
        orphans = await store.reporting_to(uow.session, call.tenant, person.id)
        await store.save(uow, call.tenant, [rules.without_superior(orphan, uow.now) for orphan in orphans])
        await store.erase(uow, [(call.tenant, person.id)], reason="erased")
        await coverage.reassess(uow, {(call.tenant, person.account_id)})
        return Answer(status=204)

    return await call.write(work)


async def _held(uow: UnitOfWork, call: Call, stakeholder_id: UUID) -> Person:
    await store.one_writer(uow.session, [call.tenant])
    person = await store.find(uow.session, call.tenant, stakeholder_id)
    if person is None:
        raise UnknownStakeholder("There is no person of this id.")
    if_match(call.request, person.version)
    return person


def _answer(result: Result, person: Person) -> Answer:
    return Answer(ItemResult(status=result, id=person.id), headers={"ETag": etag(person.version)})
