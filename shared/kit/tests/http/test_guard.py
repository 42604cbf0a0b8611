"""Who may call: token, scope, rate; all asked before the body is looked at."""

from collections.abc import Callable

import httpx
import jwt
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from things.rig import FakeDatabase, Keys, assert_problem, client_of

from bellwether_kit.http import Call, ProblemError
from bellwether_kit.http.guard import admitted

MakeApp = Callable[..., FastAPI]


async def test_the_tenant_and_the_subject_come_from_the_token(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(), keys.token(tenant="umbrella", sub="bob")) as client:
        answer = (await client.get("/v1/whoami")).json()
    assert answer == {"tenant": "umbrella", "subject": "bob", "now": "2026-03-02T09:00:00+00:00"}


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer  ", "token"])
async def test_without_a_bearer_token_the_answer_is_401_with_a_challenge(make_app: MakeApp, header: str | None) -> None:
    async with client_of(make_app()) as client:
        response = await client.get("/v1/whoami", headers={} if header is None else {"Authorization": header})
    assert_problem(response, 401, "missing-token")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_an_expired_token_has_its_own_code(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(), keys.token(exp=1)) as client:
        response = await client.get("/v1/whoami")
    assert_problem(response, 401, "expired-token")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


async def test_a_forged_token_is_refused(make_app: MakeApp, keys: Keys) -> None:
    unsigned = jwt.encode({"tenant": "acme", "sub": "x"}, "", algorithm="none")
    for token in (unsigned, keys.token()[:-4] + "AAAA", "a.b.c", "é"):
        async with client_of(make_app()) as client:
            response = await client.get("/v1/whoami", headers={"Authorization": f"Bearer {token}".encode()})
        assert_problem(response, 401, "invalid-token")


async def test_a_missing_scope_is_403_and_names_what_is_needed(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(), keys.token(scope="things:read")) as client:
        response = await client.post("/v1/things", json={"name": "a"})
    body = assert_problem(response, 403, "missing-scope")
    assert body["detail"] == "The token needs the scope things:admin or things:write."
    assert 'scope="things:admin things:write"' in response.headers["www-authenticate"]


async def test_any_one_of_the_scopes_will_do(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(), keys.token(scope="things:admin")) as client:
        assert (await client.post("/v1/things", json={"name": "a"})).status_code == 201


async def test_nobody_learns_about_a_body_without_a_token(make_app: MakeApp, fake: FakeDatabase) -> None:
    async with client_of(make_app()) as client:
        response = await client.post("/v1/things", content=b"{", headers={"Content-Type": "application/json"})
    assert_problem(response, 401, "missing-token")


async def test_when_no_key_set_can_be_read_the_caller_may_come_again(make_app: MakeApp, keys: Keys) -> None:
    async with client_of(make_app(jwks="/nowhere/jwks.json"), keys.token()) as client:
        response = await client.get("/v1/whoami")
    assert_problem(response, 503, "keys-unavailable")
    assert response.headers["retry-after"] == "5"


async def test_a_tenant_that_asks_too_much_waits_and_its_neighbour_does_not(make_app: MakeApp, keys: Keys) -> None:
    app = make_app(rate_per_second=0.01, rate_burst=2)
    async with client_of(app, keys.token()) as client:
        first = await client.get("/v1/whoami")
        assert (
            first.headers["ratelimit-policy"],
            first.headers["ratelimit"],
        ) == ('"tenant";q=2;w=200', '"tenant";r=1;t=100')
        await client.get("/v1/whoami")
        response = await client.get("/v1/whoami")
        assert_problem(response, 429, "rate-limited")
        assert 90 <= int(response.headers["retry-after"]) <= 100
        assert response.headers["ratelimit"] == '"tenant";r=0;t=200'
    async with client_of(app, keys.token(tenant="umbrella")) as neighbour:
        assert (await neighbour.get("/v1/whoami")).status_code == 200


async def test_a_caller_known_otherwise_has_the_rate_of_its_tenant(make_app: MakeApp) -> None:
    app = make_app(rate_per_second=0.001, rate_burst=1)

    def signed() -> Call:
        return admitted(Request({"type": "http", "app": app, "headers": []}), "acme", "connection:1")

    call = signed()
    assert (call.tenant, call.subject, call.scopes) == ("acme", "connection:1", frozenset())
    with pytest.raises(ProblemError) as refused:
        signed()
    assert refused.value.status_code == 429


async def test_health_is_for_everyone_and_never_limited(make_app: MakeApp) -> None:
    async with client_of(make_app(rate_per_second=0.01, rate_burst=1, concurrency_limit=1)) as client:
        answers: list[httpx.Response] = [await client.get("/health/live") for _ in range(5)]
    assert {200} == {answer.status_code for answer in answers}
