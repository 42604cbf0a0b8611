"""Bulk writes: one object, ``{"items": […]}`` or NDJSON in; one result per item, in order, out."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from bellwether_kit.http.bodies import body_of, parse_json, unsupported_media_type
from bellwether_kit.http.calls import Call
from bellwether_kit.http.models import ResponseModel
from bellwether_kit.http.problems import FieldError, Problem, ProblemError, field_errors, invalid, members

NDJSON = "application/x-ndjson"
M = TypeVar("M", bound=BaseModel)


class ItemResult(ResponseModel):
    """What became of one item: its ``status`` and ``id``, or the ``problem`` that kept it out."""

    status: str
    id: UUID | None = None
    problem: Problem | None = None


class BulkAnswer(ResponseModel):
    """One result per item, in the order of the items."""

    items: list[ItemResult]


async def read_items(call: Call, model: type[M], limit: int = 500) -> list[M | Problem]:
    """Read the request's items and validate each on its own; a bad one is a Problem in its place.

    Raises the 413 problem for more than ``limit`` items, and those of a body that can't be read at all.
    """
    request = body_of(call.request)
    if request.media_type in (NDJSON, "application/ndjson"):
        nesting = request.limits.nesting_limit
        lines = _limited([line for line in (await request.body()).split(b"\n") if line.strip()], limit)
        return [_item(model, partial(parse_json, line, nesting), f"/{n}") for n, line in enumerate(lines)]
    if request.media_type != "application/json":
        raise unsupported_media_type("application/json", NDJSON)
    body = await request.json()
    if not isinstance(body, dict) or "items" not in body:
        return [_item(model, partial(_as_it_is, body), "")]
    _refuse_companions(body)
    items = _limited(_list(body["items"]), limit)
    return [_item(model, partial(_as_it_is, item), f"/items/{n}") for n, item in enumerate(items)]


def _as_it_is(item: Any) -> Any:
    return item


def _item(model: type[M], read: Callable[[], Any], pointer: str) -> M | Problem:
    try:
        return model.model_validate(read())
    except ValidationError as error:
        problem = invalid(field_errors(error.errors(include_url=False, include_context=False), prefix=pointer))
    except ProblemError as error:
        problem = error
    return Problem.model_validate(members(problem))


def _list(items: Any) -> list[Any]:
    if isinstance(items, list):
        return items
    raise invalid([FieldError(pointer="/items", location="body", code="list-type", detail="Give a list.")])


def _refuse_companions(body: dict[str, Any]) -> None:
    unknown: Iterator[str] = (name for name in body if name != "items")
    errors = [
        FieldError(pointer=f"/{name}", location="body", code="extra-forbidden", detail="Only items stand here.")
        for name in unknown
    ]
    if errors:
        raise invalid(errors)


def _limited(items: list[Any], limit: int) -> list[Any]:
    if len(items) > limit:
        detail = f"A request may have {limit} items; this one has {len(items)}."
        raise ProblemError(413, "too-many-items", detail)
    return items


def items_body(model: type[BaseModel], *examples: dict[str, Any]) -> dict[str, Any]:
    """Give the ``openapi_extra`` of a route that uses :func:`read_items`, which FastAPI can't see."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {}) | {model.__name__: schema}
    one = {"$ref": f"#/components/schemas/{model.__name__}"}
    many = {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": one}}}
    media: dict[str, Any] = {"schema": {"anyOf": [one, many], "$defs": definitions}}
    if examples:
        media["examples"] = {f"example-{n}": {"value": value} for n, value in enumerate(examples, start=1)}
    lines = {"schema": {"type": "string", "description": "one object per line"}}
    return {"requestBody": {"required": True, "content": {"application/json": media, NDJSON: lines}}}
