"""The routes: one of each kind a service has."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from bellwether_kit.errors import DomainError
from bellwether_kit.events.outbox import EventTooLarge
from bellwether_kit.http import (
    Answer,
    AnyQuery,
    BulkAnswer,
    Call,
    ItemResult,
    Money,
    Page,
    PageRequest,
    Problem,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    etag,
    if_match,
    items_body,
    problem_of,
    read_items,
    requires,
    router,
)
from bellwether_kit.http.bodies import body_of


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
    parts: tuple["NewThing", ...] = ()


class ThingView(ResponseModel):
    name: str
    at: datetime | None = None
    price: Money | None = None


class Filters(QueryModel):
    band: str | None = None
    size: int | None = None


def judge(item: NewThing | Problem) -> ItemResult:
    if isinstance(item, Problem):
        return ItemResult(status="rejected", problem=item)
    if item.name == "taken":
        return ItemResult(status="rejected", problem=problem_of(ThingTaken("Taken."), errors=ERRORS))
    return ItemResult(status="accepted", id=UUID(int=1))


routes = router(tags=["things"])
Reader = Annotated[Call, Depends(requires("things:read"))]
Writer = Annotated[Call, Depends(requires("things:write", "things:admin"))]


@routes.post("/things", status_code=201, response_model=ThingView, operation_id="create-thing")
async def create(body: NewThing, call: Writer) -> Response:
    async def work(uow: Any) -> Answer:
        if body.name == "taken":
            raise ThingTaken("The name is taken.", pointer="/name", holder="bob")
        if body.name == "huge":
            raise EventTooLarge("70,000 bytes")
        if body.name == "forgotten":
            raise Forgotten("secret detail")
        uow.done.append(body.name)
        return Answer(ThingView(name=body.name, at=body.at, price=body.price), 201, {"ETag": etag(1)})

    return await call.write(work)


@routes.get("/things/{thing_id}", operation_id="get-thing")
async def get(thing_id: UUID, call: Reader) -> ThingView:
    if thing_id.int == 0:
        raise RuntimeError("the password is hunter2")
    raise UnknownThing("There is no such thing.")


@routes.get("/things", operation_id="list-things")
async def find(call: Reader, page: PageRequest, filters: Annotated[Filters, Query()]) -> Page[int]:
    async with call.read():
        first = page.after[0] + 1 if page.after else 0
    rows, cursor = page.cut(list(range(first, 7))[: page.limit + 1], key=lambda n: [n])
    return Page(items=rows, next_cursor=cursor)


@routes.put("/things/{thing_id}", operation_id="replace-thing")
async def replace(thing_id: UUID, body: NewThing, call: Writer) -> ThingView:
    if_match(call.request, 3)
    return ThingView(name=body.name)


@routes.post("/bulk", response_model=BulkAnswer, operation_id="add-things", openapi_extra=items_body(NewThing))
async def bulk(call: Writer) -> Response:
    items = await read_items(call, NewThing)

    async def work(uow: Any) -> Answer:
        return Answer(BulkAnswer(items=[judge(item) for item in items]))

    return await call.write(work)


@routes.post("/raw", operation_id="post-raw")
async def raw(call: Writer) -> dict[str, int]:
    return {"size": len(await call.request.body())}


@routes.post("/stream", operation_id="post-stream")
async def stream(call: Writer, query: AnyQuery) -> dict[str, Any]:
    sizes = [len(chunk) async for chunk in body_of(call.request).chunks()]
    return {"size": sum(sizes), "query": dict(query)}


@routes.get("/whoami", operation_id="get-whoami")
async def whoami(call: Annotated[Call, Depends(requires())]) -> dict[str, Any]:
    return {"tenant": call.tenant, "subject": call.subject, "now": call.now.isoformat()}
