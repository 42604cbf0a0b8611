"""Reading people: one, and filtered pages. Confidential notes are for the scope ``stakeholders:admin`` only."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from bellwether_kit.http import Call, Page, PageRequest, QueryModel, ResponseModel, etag, requires
from bellwether_kit.http import router as routes
from stakeholder_svc.errors import UnknownStakeholder
from stakeholder_svc.people import store
from stakeholder_svc.people.rules import Person, Role, Sentiment, Status

router = routes(tags=["stakeholders"])

Reader = Annotated[Call, Depends(requires("stakeholders:read"))]


class ExternalIdView(ResponseModel):
    """A name in a source system."""

    source: str
    external_id: str


class GridView(ResponseModel):
    """The marks of the 5P grid, 1 to 5, with total (5 to 25) and weighted total (5 to 125)."""

    power: int
    perception: int
    priority: int
    promoter: int
    pliability: int
    weight: int
    total: int
    weighted_total: int


class StakeholderView(ResponseModel):
    """A person at the client; `contacts` are ours who are in touch. `confidential_notes` is null without the scope."""

    id: UUID
    account_id: UUID
    external_ids: list[ExternalIdView]
    name: str
    title: str | None
    email: str | None
    buying_centre: str | None
    reports_to: UUID | None
    decision_roles: list[str]
    budget_control: bool
    veto: bool
    sentiment: str
    sentiment_since: date | None
    assessed_by: UUID | None
    certainty: str
    status: str
    priorities: list[str]
    confidential_notes: str | None
    grid: GridView | None
    contacts: list[UUID]
    version: int
    created_at: datetime
    updated_at: datetime


class Wanted(QueryModel):
    """Which people."""

    account_id: UUID | None = None
    role: Role | None = None
    sentiment: Sentiment | None = None
    status: Status | None = None


@router.get("/stakeholders", operation_id="list-stakeholders")
async def list_stakeholders(
    query: Annotated[Wanted, Query()], page: PageRequest, call: Reader
) -> Page[StakeholderView]:
    """People, the newest first."""
    after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    filters = store.Filters(**query.model_dump())
    async with call.read() as session:
        found = await store.page(session, call.tenant, filters, after=after, limit=page.limit + 1)
    people, cursor = page.cut(found, key=lambda person: [person.created_at.isoformat(), str(person.id)])
    return Page(items=[_view(person, call) for person in people], next_cursor=cursor)


@router.get("/stakeholders/{stakeholder_id}", operation_id="get-stakeholder", response_model=StakeholderView)
async def get_stakeholder(stakeholder_id: UUID, call: Reader, response: Response) -> StakeholderView:
    """One person."""
    async with call.read() as session:
        person = await store.find(session, call.tenant, stakeholder_id)
    if person is None:
        raise UnknownStakeholder("There is no person of this id.")
    response.headers["ETag"] = etag(person.version)
    return _view(person, call)


def _view(person: Person, call: Call) -> StakeholderView:
    facts = {name: getattr(person.facts, name) for name in person.facts.__dataclass_fields__}
    if "stakeholders:admin" not in call.scopes:
        facts["confidential_notes"] = None
    return StakeholderView(
        id=person.id,
        account_id=person.account_id,
        external_ids=[ExternalIdView.model_validate(name) for name in sorted(person.external_ids)],
        version=person.version,
        created_at=person.created_at,
        updated_at=person.updated_at,
        **facts | {"grid": facts["grid"] and GridView.model_validate(facts["grid"])},
    )
