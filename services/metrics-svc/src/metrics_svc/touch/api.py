"""The route of an account's last contacts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import Field
from sqlalchemy import Row

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import knows
from metrics_svc.cadence import store as cadences
from metrics_svc.cadence.rules import cadence, expected, met
from metrics_svc.errors import UnknownAccount
from metrics_svc.touch import store
from metrics_svc.touch.rules import median_hours, ratio

router = routes(tags=["touch"])

PEOPLE = 200
"""The people last heard from that are listed, at most."""


class PersonView(ResponseModel):
    """The last contacts with one person; counts, median and ratio are over the last 90 days."""

    contact_id: UUID
    last_outbound_at: datetime | None
    last_inbound_at: datetime | None
    last_two_way_at: datetime | None
    contacts_90d: int
    two_way_ratio: float | None
    response_time_median_hours: float | None
    response_time_n: int


class CadenceView(ResponseModel):
    """Days between two-way contacts over the last year, beside what is expected of the account or its tier."""

    own_days: Annotated[float | None, Field(description="median of n gaps")]
    n: int
    expected_days: float | None
    silence_days: float | None
    overdue: Annotated[bool | None, Field(description="silent for longer than expected; null: nothing to go by")]


class TouchView(ResponseModel):
    """The last contacts with an account; counts, median and ratio are over the last 90 days."""

    account_id: UUID
    last_outbound_at: datetime | None
    last_inbound_at: datetime | None
    last_two_way_at: datetime | None
    distinct_contacts_90d: int
    response_time_median_hours: float | None
    response_time_n: int
    two_way_ratio: float | None
    cadence: CadenceView
    contacts: list[PersonView]


@router.get("/accounts/{account_id}/touch", operation_id="get-touch")
async def get_touch(account_id: UUID, call: Annotated[Call, Depends(requires("evidence:read"))]) -> TouchView:
    """When we and the client last heard from each other, as a whole and by person, and how often we do."""
    tenant, now = call.tenant, call.now
    async with call.read() as session:
        if not await knows(session, tenant, account_id):
            raise UnknownAccount("There is no account of this id.")
        (row,) = await store.read(session, [(tenant, account_id)], now)
        people = await store.people(session, tenant, account_id, PEOPLE)
        habit = await cadences.habit(session, tenant, account_id, now)
        responses = await cadences.responses(session, tenant, account_id, now)
        counts = met(await cadences.recent(session, tenant, account_id, now))
    by_person = {response.contact_id: response for response in responses}
    expected_days = expected(habit.cadence_days, habit.tier)
    return TouchView(
        account_id=account_id,
        last_outbound_at=row.last_outbound_at,
        last_inbound_at=row.last_inbound_at,
        last_two_way_at=row.last_two_way_at,
        distinct_contacts_90d=row.people,
        response_time_median_hours=median_hours(row.seconds or []),
        response_time_n=len(row.seconds or []),
        two_way_ratio=ratio(row.two_way or 0, row.contacts or 0),
        cadence=CadenceView.model_validate(cadence(habit.days, expected_days, row.last_two_way_at, now)),
        contacts=[_person(person, counts, by_person.get(person.contact_id)) for person in people],
    )


def _person(person: Row[Any], counts: Mapping[UUID, tuple[int, int]], response: Row[Any] | None) -> PersonView:
    contacts, two_way = counts.get(person.contact_id, (0, 0))
    more = {
        "contacts_90d": contacts,
        "two_way_ratio": ratio(two_way, contacts),
        "response_time_median_hours": response.hours if response else None,
        "response_time_n": response.n if response else 0,
    }
    return PersonView.model_validate({**person._asdict(), **more})
