"""The routes that source systems deliver to, and those that show what became of it. Accept first, work after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    AnyQuery,
    Call,
    Page,
    PageRequest,
    ProblemError,
    QueryModel,
    ResponseModel,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.http.guard import admitted
from bellwether_kit.http.runtime import runtime_of
from metrics_svc.adapters import ADAPTERS
from metrics_svc.connections.store import Connection, named
from metrics_svc.errors import NotRetryable, ReplayedDelivery, UnknownDelivery, forged
from metrics_svc.inbound import store
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Greeting, Proof
from metrics_svc.settings import Settings
from metrics_svc.sources.store import heard

router = routes(tags=["inbound"])

Reader = Annotated[Call, Depends(requires("evidence:read", "evidence:admin"))]
Admin = Annotated[Call, Depends(requires("evidence:admin"))]

_FROM_ELSEWHERE: dict[str, Any] = {
    "security": [{"delivery": []}],
    "parameters": [
        {
            "name": "connection",
            "in": "query",
            "required": True,
            "description": "the connection's id; whatever else stands in the query is the source's",
            "schema": {"type": "string", "format": "uuid"},
        }
    ],
}
_ANY_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {"*/*": {"schema": {}}}}}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not signed, signed wrongly or too long ago"},
    403: {"description": "The connection is disabled"},
    409: {"description": "It came before, from a source that never repeats"},
}


class DeliveryView(ResponseModel):
    """What became of a delivery. `counts` has the activities by status, and the parts that were none as `unread`."""

    id: UUID
    connection_id: UUID
    received_at: datetime
    status: Literal["received", "worked", "failed"]
    counts: dict[str, int]
    unread: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    reason: str | None
    worked_at: datetime | None
    retryable: bool


class Filters(QueryModel):
    """What a list of deliveries can be narrowed to."""

    status: Literal["received", "worked", "failed"] | None = None
    connection_id: UUID | None = None


@router.post(
    "/inbound/{adapter}",
    operation_id="receive-delivery",
    status_code=202,
    responses=_REFUSALS,
    openapi_extra=_FROM_ELSEWHERE | _ANY_BODY,
)
async def receive_delivery(adapter: str, request: Request, query: AnyQuery) -> Response:
    """Take what a source system delivers, and answer as it expects. What it says is worked right after.

    It proves itself as that system does: by a signature, or by an ingest key as a bearer token.
    """
    connection, delivery, call = await _received(adapter, request, query)
    known = ADAPTERS[adapter]
    hello = known.hello(delivery)
    if hello is not None:
        return _answer(hello)
    proof = _proof(known, delivery, connection, _settings(request))
    if isinstance(proof, Forgery):
        raise forged(proof)

    async def keep(uow: UnitOfWork) -> bool:
        nonce = proof.nonce or None
        fresh = await store.add(uow, call.tenant, connection.id, nonce=nonce, body=delivery.body)
        await heard(uow, call.tenant, {connection.options.source: 0} if fresh else {})
        return fresh

    if not await call.transact(keep) and not proof.repeatable:
        raise ReplayedDelivery("This delivery came before.")
    return _answer(known.greeting)


@router.get("/inbound/{adapter}", operation_id="greet-source", responses=_REFUSALS, openapi_extra=_FROM_ELSEWHERE)
async def greet_source(adapter: str, request: Request, query: AnyQuery) -> Response:
    """Answer the handshake of a system that makes one by GET."""
    _, delivery, _ = await _received(adapter, request, query)
    hello = ADAPTERS[adapter].hello(delivery)
    if hello is None:
        raise ProblemError(405, "method-not-allowed", "This system delivers by POST.", headers={"Allow": "POST"})
    return _answer(hello)


async def _received(adapter: str, request: Request, query: Mapping[str, str]) -> tuple[Connection, Delivery, Call]:
    """What a request delivers, and by which connection; raises UnknownConnection and ConnectionDisabled."""
    async with runtime_of(request).database.rehearsal(None) as uow:
        connection = await named(uow.session, adapter, query.get("connection", ""))
    call = admitted(request, connection.tenant, connection.author)
    delivery = Delivery(
        method=request.method,
        url=_address(request),
        query=dict(query),
        headers=dict(request.headers),
        body=await request.body(),
        received_at=call.now,
    )
    return connection, delivery, call


def _settings(request: Request) -> Settings:
    settings = runtime_of(request).settings
    assert isinstance(settings, Settings)
    return settings


def _address(request: Request) -> str:
    """Where the source sent it to, to the letter: behind a proxy only the setting knows the beginning."""
    public = _settings(request).public_url
    start = str(public).rstrip("/") if public else f"{request.url.scheme}://{request.url.netloc}"
    path: bytes = request.scope.get("raw_path", request.scope["path"].encode())
    query: bytes = request.scope["query_string"]
    return f"{start}{path.decode('latin-1')}?{query.decode('latin-1')}"


def _proof(adapter: Adapter, delivery: Delivery, connection: Connection, settings: Settings) -> Proof | Forgery:
    if adapter.prove is None:
        return connection.keyed(delivery.headers.get("authorization", ""))
    return adapter.prove(delivery, connection.secrets(settings.vault))


def _answer(greeting: Greeting) -> Response:
    return Response(greeting.body, greeting.status, media_type=greeting.media_type)


def _view(row: Row[Any]) -> DeliveryView:
    return DeliveryView.model_validate({**row._asdict(), "id": row.delivery_id})


@router.get("/inbound-deliveries", operation_id="list-deliveries")
async def list_deliveries(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[DeliveryView]:
    """The deliveries of the last 30 days, or of fewer where the tenant's limits say so, the latest first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, **filters.model_dump(), after=page.after, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [row.received_at.isoformat(), str(row.delivery_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/inbound-deliveries/{delivery_id}", operation_id="get-delivery")
async def get_delivery(delivery_id: UUID, call: Reader) -> DeliveryView:
    """One delivery."""
    async with call.read() as session:
        row = await store.one(session, call.tenant, delivery_id)
    if row is None:
        raise UnknownDelivery("There is no delivery of this id.")
    return _view(row)


@router.post("/inbound-deliveries/{delivery_id}/retry", operation_id="retry-delivery", response_model=DeliveryView)
async def retry_delivery(delivery_id: UUID, call: Admin) -> Response:
    """Work a delivery again that failed, while its body is kept: 14 days at most."""

    async def work(uow: UnitOfWork) -> Answer:
        again = await store.retry(uow.session, call.tenant, delivery_id, uow.now)
        row = await store.one(uow.session, call.tenant, delivery_id)
        if row is None:
            raise UnknownDelivery("There is no delivery of this id.")
        if not again:
            raise NotRetryable("It did not fail, or its body is forgotten.")
        return Answer(_view(row))

    return await call.write(work)
