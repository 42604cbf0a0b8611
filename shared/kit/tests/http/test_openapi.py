"""The document says what the service does, errors included."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from jsonschema import Draft202012Validator

from bellwether_kit.http import IF_MATCH, PageRequest, build_api, router
from bellwether_kit.settings import ServiceSettings

MakeApp = Callable[..., FastAPI]


@pytest.fixture
def document(make_app: MakeApp) -> dict[str, Any]:
    return make_app().openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(part) for part in node.values()))
    return set().union(*(references(part) for part in node)) if isinstance(node, list) else set()


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys()
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {f"#/components/schemas/{name}" for name in schemas} >= references(document)
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_operations_are_named_and_guarded(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["type"] == "http"
    for operation in operations(document):
        assert operation["security"] == [{"bearer": []}]
        assert "-" in operation["operationId"]


def test_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for method, operation in path.items():
            names = {parameter["name"] for parameter in operation.get("parameters", ())}
            assert ("Idempotency-Key" in names) == (method == "post")
            assert ("409" in operation["responses"]) == (method == "post")


def test_a_bulk_body_is_documented_though_the_route_reads_it_itself(document: dict[str, Any]) -> None:
    content = document["paths"]["/v1/bulk"]["post"]["requestBody"]["content"]
    assert {"application/json", "application/x-ndjson"} == content.keys()
    assert content["application/json"]["schema"]["anyOf"][0] == {"$ref": "#/components/schemas/NewThing"}


async def test_the_document_and_its_page_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["info"]["title"] == "Things"
    assert "text/html" in (await client.get("/docs")).headers["content-type"]


def build(routes: APIRouter) -> FastAPI:
    return build_api(
        service="x-svc", title="X", description="x", settings=ServiceSettings(), routers=[routes], errors={}
    )


def test_what_if_match_and_a_cursor_can_answer_is_documented() -> None:
    routes = router()
    routes.add_api_route("/x", _list_x, methods=["GET"], operation_id="list-x")
    routes.add_api_route("/x", _change_x, methods=["PUT"], operation_id="change-x", openapi_extra=IF_MATCH)
    listed, changed = operations(build(routes).openapi())[-2:]
    assert "400" in listed["responses"]
    assert [parameter["name"] for parameter in changed["parameters"]] == ["If-Match"]
    for status in ("412", "428"):
        assert list(changed["responses"][status]["content"]) == ["application/problem+json"]


async def _list_x(page: PageRequest) -> None: ...


async def _change_x() -> None: ...


def test_a_route_that_goes_round_the_guard_is_refused() -> None:
    plain = APIRouter()
    plain.add_api_route("/x", lambda: None)
    with pytest.raises(TypeError, match=r"http.router\(\)"):
        build(plain)


def test_a_route_without_a_name_is_refused() -> None:
    nameless = router()
    nameless.add_api_route("/x", lambda: None)
    with pytest.raises(TypeError, match="operation_id"):
        build(nameless)
