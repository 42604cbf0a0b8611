"""The power grid of an account: its active people by the 5P marks, the index, and what stands out."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from stakeholder_svc.accounts import store as accounts
from stakeholder_svc.errors import UnknownAccount
from stakeholder_svc.grid.rules import index, is_low
from stakeholder_svc.people import store as people
from stakeholder_svc.people.rules import Person

router = routes(tags=["coverage"])


class MarkedPerson(ResponseModel):
    """A person with marks; `total` is 5 to 25, `weighted_total` 5 to 125."""

    id: UUID
    name: str
    sentiment: str
    veto: bool
    power: int
    perception: int
    priority: int
    promoter: int
    pliability: int
    weight: int
    total: int
    weighted_total: int


class Finding(ResponseModel):
    """Something that stands out: `veto-holder-low` is a veto in the hands of somebody with a total of 12 or less."""

    kind: str
    stakeholder_id: UUID
    total: int


class PowerGrid(ResponseModel):
    """How an account stands with its people: `index` is Σ w(total - 5) / (20 Σ w), 0 to 1, null without any marks."""

    account_id: UUID
    index: float | None
    people: list[MarkedPerson]
    unmarked: list[UUID]
    findings: list[Finding]


@router.get("/accounts/{account_id}/power-grid", operation_id="get-power-grid")
async def get_power_grid(account_id: UUID, call: Annotated[Call, Depends(requires("stakeholders:read"))]) -> PowerGrid:
    """The active people of an account on the 5P grid, the weightiest first."""
    async with call.read() as session:
        if await accounts.find(session, call.tenant, account_id) is None:
            raise UnknownAccount("There is no account of this id.")
        found = await people.of_account(session, call.tenant, account_id)
    return _grid(account_id, found)


def _grid(account_id: UUID, found: Sequence[Person]) -> PowerGrid:
    marked = [(person, person.facts.grid) for person in found if person.facts.grid]
    marked.sort(key=lambda pair: -pair[1].weighted_total)
    return PowerGrid(
        account_id=account_id,
        index=index(grid for _, grid in marked),
        people=[
            MarkedPerson(
                id=person.id,
                name=person.facts.name,
                sentiment=person.facts.sentiment,
                veto=person.facts.veto,
                total=grid.total,
                weighted_total=grid.weighted_total,
                **{mark: getattr(grid, mark) for mark in grid.__dataclass_fields__},
            )
            for person, grid in marked
        ],
        unmarked=[person.id for person in found if person.facts.grid is None],
        findings=[
            Finding(kind="veto-holder-low", stakeholder_id=person.id, total=grid.total)
            for person, grid in marked
            if person.facts.veto and is_low(grid)
        ],
    )
