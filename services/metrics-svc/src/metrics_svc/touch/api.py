"""The route of an account's last contacts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from bellwether_kit.http import Call, ResponseModel, requires
from bellwether_kit.http import router as routes
from metrics_svc.accounts.store import knows
from metrics_svc.errors import UnknownAccount
from metrics_svc.touch import store
from metrics_svc.touch.rules import median_hours, ratio

router = routes(tags=["touch"])

PEOPLE = 200
"""The people last heard from that are listed, at most."""


class PersonView(ResponseModel):
    """The last contacts with one person."""

    contact_id: UUID
    last_outbound_at: datetime | None
    last_inbound_at: datetime | None
    last_two_way_at: datetime | None


class TouchView(ResponseModel):
    """The last contacts with an account; counts, median and ratio are over the last 90 days."""

    account_id: UUID
    last_outbound_at: datetime | None
    last_inbound_at: datetime | None
    last_two_way_at: datetime | None
    distinct_contacts_90d: int
    response_time_median_hours: float | None
    two_way_ratio: float | None
    contacts: Sequence[PersonView]


@router.get("/accounts/{account_id}/touch", operation_id="get-touch")
async def get_touch(account_id: UUID, call: Annotated[Call, Depends(requires("evidence:read"))]) -> TouchView:
    """When we and the client last heard from each other, as a whole and by person."""
    async with call.read() as session:
        if not await knows(session, call.tenant, account_id):
            raise UnknownAccount("There is no account of this id.")
        (row,) = await store.read(session, [(call.tenant, account_id)], call.now)
        people = await store.people(session, call.tenant, account_id, PEOPLE)
    return TouchView(
        account_id=account_id,
        last_outbound_at=row.last_outbound_at,
        last_inbound_at=row.last_inbound_at,
        last_two_way_at=row.last_two_way_at,
        distinct_contacts_90d=row.people,
        response_time_median_hours=median_hours(row.seconds or []),
        two_way_ratio=ratio(row.two_way or 0, row.contacts or 0),
        contacts=[PersonView.model_validate(person) for person in people],
    )
