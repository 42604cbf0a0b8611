"""Whatever is sent, the answer is not a 5xx and every error is a problem."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from things.rig import FakeDatabase, Keys, assert_problem, client_of

from bellwether_kit.clock import FixedClock

NAMES = st.sampled_from(["name", "size", "weight", "good", "at", "price", "parts", "amount", "currency", "items", "x"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-11-20T10:15:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "1e5", "EUR", "1.50", "\0"])
    | st.datetimes().map(str)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)
THINGS = st.fixed_dictionaries(
    {"name": st.just("a")},
    optional=dict.fromkeys(("size", "weight", "good", "at", "price", "parts"), VALUES),
)


@given(bodies=st.lists(VALUES | THINGS, min_size=5, max_size=10))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_no_body_is_a_server_error(make_app: Callable[..., FastAPI], keys: Keys, bodies: list[Any]) -> None:
    async def post_all() -> None:
        app = make_app(database=FakeDatabase(FixedClock(datetime(2026, 3, 2, tzinfo=UTC))))
        async with client_of(app, keys.token()) as client:
            for body in bodies:
                for address in ("/v1/things", "/v1/bulk"):
                    response = await client.post(
                        address, content=json.dumps(body), headers={"Content-Type": "application/json"}
                    )
                    if response.status_code not in (200, 201):
                        assert response.status_code < 500, response.text
                        assert_problem(response, response.status_code, response.json()["code"])

    asyncio.run(post_all())


@given(
    queries=st.lists(
        st.dictionaries(st.sampled_from(["limit", "cursor", "band", "size", "x"]), st.text(max_size=20), max_size=4),
        min_size=10,
        max_size=10,
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_a_server_error(
    make_app: Callable[..., FastAPI], keys: Keys, queries: list[dict[str, str]]
) -> None:
    async def ask_all() -> None:
        async with client_of(make_app(), keys.token()) as client:
            for query in queries:
                response = await client.get("/v1/things", params=query)
                assert response.status_code < 500, response.text

    asyncio.run(ask_all())
