"""The OpenAPI document: FastAPI's, with our problems in place of its own errors."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI

from bellwether_kit.http.problems import MEDIA_TYPE, Problem

_ALWAYS = {"422": "Not valid", "503": "Overloaded; see Retry-After"}
_GUARDED = {"401": "No valid token", "403": "The token lacks a scope", "429": "Too many requests"}
_WITH_ID = {"404": "There is no such thing for this tenant"}
_WITH_BODY = {"400": "Not readable", "413": "Too large", "415": "Not a media type we read"}
_WITH_KEY = {"409": "A request with this Idempotency-Key is in flight"}
_WITH_CURSOR = {"400": "The cursor is not from this list"}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key and body gets the first answer, for 72 hours.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def openapi_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Give the function that makes the document, once."""
    original = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        made = original()
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for method, operation in _operations(made):
            if method == "post" and operation.get("security"):
                operation["parameters"] = [*operation.get("parameters", ()), _KEY]
            _describe_problems(operation)
            _hoist(operation.get("requestBody", {}), schemas)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return made

    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        yield from path.items()


def _describe_problems(operation: dict[str, Any]) -> None:
    """Every error is a problem: those common to all such routes, and those the route names itself."""
    parameters = operation.get("parameters", ())
    common = _ALWAYS | (_GUARDED if operation.get("security") else {})
    common |= _WITH_BODY if "requestBody" in operation else {}
    common |= _WITH_CURSOR if any(parameter["name"] == "cursor" for parameter in parameters) else {}
    common |= _WITH_KEY if _KEY in parameters else {}
    common |= _WITH_ID if any(parameter["in"] == "path" for parameter in parameters) else {}
    answers = operation["responses"]
    for status, description in common.items():
        answers.setdefault(status, {"description": description})
    for status, answer in answers.items():
        if status.startswith(("4", "5")):
            answer["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
    operation["responses"] = dict(sorted(answers.items()))


def _hoist(body: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move the definitions of a hand-made body to the components, where its references point."""
    for media in body.get("content", {}).values():
        schemas |= media.get("schema", {}).pop("$defs", {})
