"""The routes by which an administrator connects source systems and changes what proves them."""

import secrets
from base64 import b64encode
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    RequestModel,
    ResponseModel,
    changes,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.http.calls import rendered
from metrics_svc.adapters import ADAPTERS
from metrics_svc.connections import store
from metrics_svc.connections.store import Kept
from metrics_svc.errors import KeyNotOurs, NoSecretKey, UnknownAdapter
from metrics_svc.inbound.rules import Options
from metrics_svc.settings import Settings

router = routes(tags=["connections"])

Reader = Annotated[Call, Depends(requires("evidence:read", "evidence:admin"))]
Admin = Annotated[Call, Depends(requires("evidence:admin"))]
Domain = Annotated[str, StringConstraints(max_length=253, pattern=r"^[^@\s/]+\.[^@\s/]+$"), AfterValidator(str.lower)]
OwnDomains = Annotated[
    tuple[Domain, ...], Field(max_length=100, description="our own e-mail domains, which tell us from the client")
]


class NewConnection(RequestModel):
    """A source system that may deliver."""

    adapter: Annotated[str, Field(max_length=63, examples=["hubspot"])]
    source: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63, pattern=r"\S"),
        Field(description="the name its activities are kept under", examples=["hubspot"]),
    ]
    own_domains: OwnDomains = ()


class ConnectionPatch(RequestModel):
    """What may change of a connection; what a source told stays under the name it was told under."""

    own_domains: OwnDomains = ()
    disabled: bool = False


class NewSecret(RequestModel):
    """The secret that the source system gave, or none: then one is made."""

    secret: Annotated[str | None, StringConstraints(min_length=8, max_length=500)] = None


class SecretView(ResponseModel):
    """One live secret. What it is, nobody is told."""

    id: UUID
    created_at: datetime
    created_by: str


class MadeSecret(ResponseModel):
    """A secret that was added. `secret` is there when we made it, this once and never again."""

    id: UUID
    secret: str | None = None


class ConnectionView(ResponseModel):
    """A connection; `address` is where its system delivers to."""

    id: UUID
    adapter: str
    source: str
    own_domains: list[str]
    address: str
    secrets: list[SecretView]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class AdapterView(ResponseModel):
    """A kind of system that can be connected, and whether it signs (else it shows an ingest key of ours)."""

    name: str
    title: str
    signs: bool


class Adapters(ResponseModel):
    """All of them."""

    items: list[AdapterView]


def _view(row: Row[Any]) -> ConnectionView:
    address = f"/v1/inbound/{row.adapter}?connection={row.connection_id}"
    return ConnectionView.model_validate({**row._asdict(), "id": row.connection_id, "address": address})


def _answer(row: Row[Any], status: int = 200) -> Answer:
    return Answer(_view(row), status, {"ETag": etag(row.version)})


@router.get("/adapters", operation_id="list-adapters")
async def list_adapters(_: Reader) -> Adapters:
    """The kinds of source systems that can be connected."""
    known = ADAPTERS.values()
    return Adapters(items=[AdapterView(name=a.name, title=a.title, signs=a.prove is not None) for a in known])


@router.post("/connections", operation_id="create-connection", response_model=ConnectionView, status_code=201)
async def create_connection(body: NewConnection, call: Admin) -> Response:
    """Let a source system deliver; add a secret next."""
    if body.adapter not in ADAPTERS:
        raise UnknownAdapter("There is no such adapter.", pointer="/adapter")

    async def work(uow: UnitOfWork) -> Answer:
        options = Options(source=body.source, own_domains=frozenset(body.own_domains))
        id_ = await store.add(uow, call.tenant, adapter=body.adapter, options=options, author=call.subject)
        return _answer(await store.one(uow.session, call.tenant, id_), 201)

    return await call.write(work)


@router.get("/connections", operation_id="list-connections")
async def list_connections(call: Reader, page: PageRequest) -> Page[ConnectionView]:
    """The connections, the oldest first."""
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, after=page.after_id, limit=page.limit + 1)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.connection_id)])
    return Page(items=[_view(row) for row in shown], next_cursor=cursor)


@router.get("/connections/{connection_id}", operation_id="get-connection", response_model=ConnectionView)
async def get_connection(connection_id: UUID, call: Reader) -> Response:
    """One connection; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        return rendered(_answer(await store.one(session, call.tenant, connection_id)))


@router.patch("/connections/{connection_id}", operation_id="change-connection", response_model=ConnectionView)
async def change_connection(connection_id: UUID, body: ConnectionPatch, call: Admin) -> Response:
    """Disable or enable a connection, or say our own domains anew. While disabled its deliveries are refused."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, connection_id)
        row = await store.one(uow.session, call.tenant, connection_id)
        if_match(call.request, row.version, required=False)
        wanted = changes(body)
        disabled_at = row.disabled_at or uow.now if wanted.get("disabled", row.disabled_at is not None) else None
        domains = sorted(set(wanted.get("own_domains", row.own_domains)))
        await store.change(uow.session, call.tenant, connection_id, own_domains=domains, disabled_at=disabled_at)
        return _answer(await store.one(uow.session, call.tenant, connection_id))

    return await call.write(work)


@router.delete("/connections/{connection_id}", operation_id="remove-connection", status_code=204)
async def remove_connection(connection_id: UUID, call: Admin) -> Response:
    """Remove a connection with its secrets and deliveries, those not worked yet among them; disable it to keep them."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, connection_id)
        await store.remove(uow.session, call.tenant, connection_id)
        return Answer(status=204)

    return await call.write(work)


@router.post(
    "/connections/{connection_id}/secrets", operation_id="add-secret", response_model=MadeSecret, status_code=201
)
async def add_secret(connection_id: UUID, body: NewSecret, call: Admin) -> Response:
    """Add a secret that proves deliveries, two live at most. One that we make is shown in this answer only.

    For that reason the answer is kept nowhere, and an `Idempotency-Key` changes nothing.
    """

    async def work(uow: UnitOfWork) -> MadeSecret:
        await store.lock(uow.session, call.tenant, connection_id)
        connection = await store.one(uow.session, call.tenant, connection_id)
        signs = ADAPTERS[connection.adapter].prove is not None
        secret, kept = _sealed(call, body.secret) if signs else _key(body.secret)
        id_ = await store.add_secret(uow, call.tenant, connection_id, kept, author=call.subject)
        return MadeSecret(id=id_, secret=None if body.secret else secret)

    return rendered(Answer(await call.transact(work), 201))


def _sealed(call: Call, given: str | None) -> tuple[str, Kept]:
    """The source's secret or one of ours, in the form Standard Webhooks has, and its seal."""
    settings = call.settings
    vault = settings.vault if isinstance(settings, Settings) else None
    if vault is None:
        raise NoSecretKey("This installation has no key to seal secrets with: set BELLWETHER_METRICS_SECRET_KEYS.")
    secret = given or f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    return secret, Kept(sealed=vault.encrypt(secret.encode()))


def _key(given: str | None) -> tuple[str, Kept]:
    """An ingest key and its digest; a key from elsewhere may be weak or known, so that none is taken."""
    if given is not None:
        raise KeyNotOurs("This system signs nothing; let us make its ingest key.", pointer="/secret")
    key = f"bwk_{secrets.token_urlsafe(32)}"
    return key, Kept(digest=store.digest_of(key))


@router.delete("/connections/{connection_id}/secrets/{secret_id}", operation_id="remove-secret", status_code=204)
async def remove_secret(connection_id: UUID, secret_id: UUID, call: Admin) -> Response:
    """Remove a secret: what it signs is refused from now on."""

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant, connection_id)
        await store.remove_secret(uow.session, call.tenant, connection_id, secret_id)
        return Answer(status=204)

    return await call.write(work)
