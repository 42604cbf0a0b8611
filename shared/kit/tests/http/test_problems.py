"""Every error is a problem with a stable code, and tells nothing it should not."""

from uuid import UUID, uuid4

import httpx
import pytest
from things.rig import assert_problem


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/v1/nowhere"), 404, "not-found")


async def test_a_method_that_is_not_allowed_is_a_problem_and_names_those_that_are(
    client: httpx.AsyncClient,
) -> None:
    response = await client.delete("/v1/whoami")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET"


async def test_a_domain_error_gets_status_and_code_from_the_table(client: httpx.AsyncClient) -> None:
    address = f"/v1/things/{uuid4()}"
    body = assert_problem(await client.get(address), 404, "unknown-thing")
    assert address == body["instance"]
    assert body["title"] == "Unknown thing"


async def test_a_domain_error_carries_pointer_and_extra_members(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.post("/v1/things", json={"name": "taken"}), 409, "thing-taken")
    assert body["holder"] == "bob"
    assert body["errors"] == [
        {"pointer": "/name", "location": "body", "code": "thing-taken", "detail": "The name is taken."}
    ]


@pytest.mark.parametrize("name", ["forgotten"])
async def test_a_domain_error_in_no_table_is_a_defect(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post("/v1/things", json={"name": name})
    assert_problem(response, 500, "internal-error")
    assert "secret" not in response.text


async def test_an_unexpected_error_is_logged_and_leaks_nothing(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = await client.get(f"/v1/things/{UUID(int=0)}")
    assert_problem(response, 500, "internal-error")
    assert "hunter2" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "hunter2" in capsys.readouterr().out


async def test_validation_names_every_place_by_pointer(client: httpx.AsyncClient) -> None:
    thing = {"name": "a", "siz~e/": 1, "parts": [{"name": "b"}, {"name": 7, "size": "5"}]}
    body = assert_problem(await client.post("/v1/things", json=thing), 422, "validation-failed")
    found = {(error["pointer"], error["code"]) for error in body["errors"]}  # type: ignore[attr-defined]
    assert {
        ("/siz~0e~1", "extra-forbidden"),
        ("/parts/1/name", "string-type"),
        ("/parts/1/size", "int-type"),
    } == found


async def test_path_and_query_errors_say_where_they_are(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.get("/v1/things/not-an-id"), 422, "validation-failed")
    assert body["errors"][0]["location"] == "path"  # type: ignore[index]
    body = assert_problem(await client.get("/v1/things?limit=0"), 422, "validation-failed")
    error = body["errors"][0]  # type: ignore[index]
    assert (error["location"], error["pointer"]) == ("query", "/limit")


async def test_a_route_for_foreign_callers_takes_any_query(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/stream", params={"whatever": "it says"})
    assert response.json() == {"size": 0, "query": {"whatever": "it says"}}


async def test_an_unknown_query_parameter_is_refused_by_name(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.get("/v1/things?bnad=at-risk"), 422, "validation-failed")
    assert body["errors"][0]["pointer"] == "/bnad"  # type: ignore[index]


async def test_nul_in_an_address_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/v1/things?band=a%00b"), 400, "nul-character")
    assert_problem(await client.get("/v1/things/a%00b"), 400, "nul-character")


async def test_a_write_whose_event_would_be_too_large_is_refused(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/v1/things", json={"name": "huge"}), 413, "event-too-large")
