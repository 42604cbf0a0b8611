"""The routes that show what was sent to channels, and send it again."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, Page, PageRequest, QueryModel, ResponseModel, requires
from bellwether_kit.http import router as routes
from scoring_svc.channels import store as channels_store
from scoring_svc.errors import ChannelDisabled
from scoring_svc.notifications import store

router = routes(tags=["deliveries"])

Reader = Annotated[Call, Depends(requires("alerts:read", "alerts:admin"))]
Admin = Annotated[Call, Depends(requires("alerts:admin"))]


class DeliveryFilters(QueryModel):
    """Which deliveries."""

    status: Literal["waiting", "sent", "given-up", "overtaken"] | None = None
    channel_id: UUID | None = None
    alert_id: UUID | None = None


class DeliveryView(ResponseModel):
    """News for a channel and what became of it. ``due_at``: when it is tried next, null at its end.

    ``answer`` is the last status of a web receiver, ``problem`` what went wrong last. ``route_id`` is null where a rule
    that names the channel brought it.
    """

    id: UUID
    channel_id: UUID
    channel_name: str
    channel_kind: str
    route_id: UUID | None
    alert_id: UUID
    account_id: UUID
    episode: int
    change: str
    severity: str
    digest: bool
    status: str
    created_at: datetime
    due_at: datetime | None
    attempts: int
    answer: int | None
    problem: str | None
    finished_at: datetime | None


class DeliveryDetail(DeliveryView):
    """A delivery with the alert as it is told."""

    said: dict[str, Any]


def _fields(row: Row[Any]) -> dict[str, Any]:
    return {**row._asdict(), "id": row.notification_id}


@router.get("/deliveries", operation_id="list-deliveries")
async def list_deliveries(
    call: Reader, page: PageRequest, filters: Annotated[DeliveryFilters, Query()]
) -> Page[DeliveryView]:
    """What was, is or was to be sent, the newest first; kept for 30 days after its end."""
    wanted = filters.model_dump(exclude_none=True)
    if page.after:
        wanted["after"] = UUID(page.after[0])
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, wanted, page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.notification_id)])
    return Page(items=[DeliveryView.model_validate(_fields(row)) for row in shown], next_cursor=cursor)


@router.get("/deliveries/{delivery_id}", operation_id="get-delivery")
async def get_delivery(delivery_id: UUID, call: Reader) -> DeliveryDetail:
    """One delivery with what it tells."""
    async with call.read() as session:
        return DeliveryDetail.model_validate(_fields(await store.one(session, call.tenant, delivery_id)))


@router.post("/deliveries/{delivery_id}/redeliver", operation_id="redeliver-delivery", response_model=DeliveryView)
async def redeliver(delivery_id: UUID, call: Admin) -> Response:
    """Send it again, under the same id, with three days of patience anew."""

    async def work(uow: UnitOfWork) -> Answer:
        channel_id = await store.again(uow, call.tenant, delivery_id)
        if not await channels_store.is_in_use(uow.session, call.tenant, channel_id):
            raise ChannelDisabled("The channel is disabled or removed.")
        row = await store.one(uow.session, call.tenant, delivery_id)
        return Answer(DeliveryView.model_validate(_fields(row)))

    return await call.write(work)
