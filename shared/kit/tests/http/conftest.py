"""A tiny API on a fake database, and tokens signed with keys made here."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import httpx
import jwt
import pytest
from bellwether_kit.clock import FixedClock
from bellwether_kit.http import (
    Answer,
    BulkAnswer,
    Call,
    DomainError,
    ItemResult,
    Money,
    Page,
    PageRequest,
    Problem,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    build_api,
    etag,
    if_match,
    items_body,
    problem_of,
    read_items,
    requires,
    router,
)
from bellwether_kit.settings import ServiceSettings
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import Depends, FastAPI, Query, Response
from jwt.algorithms import ECAlgorithm

ISSUER, AUDIENCE = "test-issuer", "test-audience"


@dataclass
class Keys:
    """A private key, and the file that publishes its public half."""

    private: ec.EllipticCurvePrivateKey
    path: Path

    def token(self, *, kid: str = "k1", alg: str = "ES256", key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        full = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ana",
            "tenant": "acme",
            "scope": "things:read things:write",
            "iat": now,
            "exp": now + 300,
        } | claims
        given = {name: value for name, value in full.items() if value is not None}
        return jwt.encode(given, key or self.private, algorithm=alg, headers={"kid": kid})


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    private = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path_factory.mktemp("keys") / "jwks.json"
    path.write_text(json.dumps({"keys": [public_jwk(private, "k1")]}))
    return Keys(private, path)


@dataclass
class FakeDatabase:
    """Stands for bellwether_kit.db.Database where no row matters."""

    clock: FixedClock
    backlog: float = 0.0
    broken: Exception | None = None
    committed: list[str] = field(default_factory=list)
    opened: bool = False

    async def open(self) -> None:
        self.opened = True

    async def close(self) -> None:
        self.opened = False

    async def ping(self) -> None:
        if self.broken:
            raise self.broken

    async def oldest_unsent_seconds(self) -> float:
        return self.backlog

    @asynccontextmanager
    async def unit_of_work(self, tenant: str) -> AsyncIterator[Any]:
        if self.broken:
            raise self.broken
        done: list[str] = []
        yield SimpleNamespace(now=self.clock.now(), done=done)
        self.committed += [f"{tenant}:{name}" for name in done]

    @asynccontextmanager
    async def read(self, tenant: str) -> AsyncIterator[Any]:
        if self.broken:
            raise self.broken
        yield SimpleNamespace(tenant=tenant)


class UnknownThing(DomainError):
    pass


class ThingTaken(UnknownThing):
    pass


class Forgotten(DomainError):
    """Stands in no table."""


ERRORS = {UnknownThing: (404, "unknown-thing"), ThingTaken: (409, "thing-taken")}


class NewThing(RequestModel):
    name: str
    size: int | None = None
    weight: float | None = None
    good: bool = True
    at: UtcDatetime | None = None
    price: Money | None = None
    parts: list["NewThing"] = []


class ThingView(ResponseModel):
    name: str
    at: datetime | None = None
    price: Money | None = None


class Filters(QueryModel):
    band: str | None = None
    size: int | None = None


def things() -> Any:
    r = router(tags=["things"])
    reader = Annotated[Call, Depends(requires("things:read"))]
    writer = Annotated[Call, Depends(requires("things:write", "things:admin"))]

    @r.post("/things", status_code=201, response_model=ThingView, operation_id="create-thing")
    async def create(body: NewThing, call: writer) -> Response:
        async def work(uow: Any) -> Answer:
            if body.name == "taken":
                raise ThingTaken("The name is taken.", pointer="/name", holder="bob")
            if body.name == "forgotten":
                raise Forgotten("secret detail")
            uow.done.append(body.name)
            return Answer(ThingView(name=body.name, at=body.at, price=body.price), 201, {"ETag": etag(1)})

        return await call.write(work)

    @r.get("/things/{thing_id}", operation_id="get-thing")
    async def get(thing_id: UUID, call: reader) -> ThingView:
        if thing_id.int == 0:
            raise RuntimeError("the password is hunter2")
        raise UnknownThing("There is no such thing.")

    @r.get("/things", operation_id="list-things")
    async def find(call: reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[int]:
        async with call.read():
            first = page.after[0] + 1 if page.after else 0
        rows, cursor = page.cut([n for n in range(first, 7)][: page.limit + 1], key=lambda n: [n])
        return Page(items=rows, next_cursor=cursor)

    @r.put("/things/{thing_id}", operation_id="replace-thing")
    async def replace(thing_id: UUID, body: NewThing, call: writer) -> ThingView:
        if_match(call.request, 3)
        return ThingView(name=body.name)

    @r.post("/bulk", response_model=BulkAnswer, operation_id="add-things", openapi_extra=items_body(NewThing))
    async def bulk(call: writer) -> Response:
        items = await read_items(call, NewThing)

        async def work(uow: Any) -> Answer:
            return Answer(BulkAnswer(items=[judge(item) for item in items]))

        return await call.write(work)

    @r.post("/raw", operation_id="post-raw")
    async def raw(call: writer) -> dict[str, int]:
        return {"size": len(await call.request.body())}

    @r.get("/whoami", operation_id="get-whoami")
    async def whoami(call: Annotated[Call, Depends(requires())]) -> dict[str, Any]:
        return {"tenant": call.tenant, "subject": call.subject, "now": call.now.isoformat()}

    return r


def judge(item: NewThing | Problem) -> ItemResult:
    if isinstance(item, Problem):
        return ItemResult(status="rejected", problem=item)
    if item.name == "taken":
        return ItemResult(status="rejected", problem=problem_of(ThingTaken("Taken."), errors=ERRORS))
    return ItemResult(status="accepted", id=UUID(int=1))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def fake(clock: FixedClock) -> FakeDatabase:
    return FakeDatabase(clock)


MakeApp = Callable[..., FastAPI]


@pytest.fixture
def make_app(keys: Keys, fake: FakeDatabase, clock: FixedClock) -> MakeApp:
    def make(**settings: Any) -> FastAPI:
        defaults: dict[str, Any] = {
            "jwks": str(keys.path),
            "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
            "backlog_check_seconds": 0,
        }
        return build_api(
            service="things-svc",
            title="Things",
            description="For tests.",
            settings=ServiceSettings(**(defaults | settings)),
            routers=[things()],
            errors=ERRORS,
            clock=clock,
            database=fake,  # type: ignore[arg-type]
        )

    return make


def client_of(app: FastAPI, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://things.test", headers=headers)


@pytest.fixture
async def client(make_app: MakeApp, keys: Keys) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(make_app(), Authorization=f"Bearer {keys.token()}") as made:
        yield made


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
