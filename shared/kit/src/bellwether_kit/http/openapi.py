"""The OpenAPI document: FastAPI's, with our problems in place of its own errors."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI

from bellwether_kit.http.problems import MEDIA_TYPE, Problem

_ALWAYS = {"422": "Not valid", "503": "Overloaded; see Retry-After"}
_GUARDED = {"401": "No valid token", "403": "The token lacks a scope", "429": "Too many requests"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def openapi_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Give the function that makes the document, once."""
    original = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        made = original()
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for operation in _operations(made):
            _describe_problems(operation)
            _hoist(operation.get("requestBody", {}), schemas)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return made

    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _describe_problems(operation: dict[str, Any]) -> None:
    """Every error is a problem: those common to all routes, and those the route names itself."""
    answers = operation["responses"]
    common = _ALWAYS | (_GUARDED if operation.get("security") else {})
    if "{" not in operation.get("operationId", "") and any(
        parameter["in"] == "path" for parameter in operation.get("parameters", ())
    ):
        common = common | {"404": "No such thing for this tenant"}
    if "requestBody" in operation:
        common = common | {"400": "Not readable", "413": "Too large", "415": "Not a media type we read"}
    for status, description in common.items():
        answers[status] = {"description": description} | {
            key: value for key, value in answers.get(status, {}).items() if key == "description" and status != "422"
        }
    for status, answer in answers.items():
        if status.startswith(("4", "5")):
            answer["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
    operation["responses"] = dict(sorted(answers.items()))


def _hoist(body: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Move the definitions of a hand-made body to the components, where its references point."""
    for media in body.get("content", {}).values():
        schemas |= media.get("schema", {}).pop("$defs", {})
