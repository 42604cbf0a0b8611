"""What can't be read is refused with its own code, before anything is stored."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from things.rig import FakeDatabase, Keys, assert_problem, client_of

from bellwether_kit.http.bodies import parse_json
from bellwether_kit.http.problems import ProblemError

JSON = {"Content-Type": "application/json"}


def nested(depth: int) -> bytes:
    return b'{"name":' + b"[" * (depth - 1) + b'"]]}{"' + b"]" * (depth - 1) + b"}"


UNREADABLE = {
    "a comma too many": (b'{"name": "a",}', 400, "malformed-json"),
    "cut off": (b'{"name": "a', 400, "malformed-json"),
    "two documents": (b'{"name": "a"} {}', 400, "malformed-json"),
    "half a surrogate pair": (b'{"name": "\\ud800x"}', 400, "malformed-json"),
    "a raw control character": (b'{"name": "a\x01"}', 400, "malformed-json"),
    "NaN": (b'{"name": "a", "weight": NaN}', 400, "non-finite-number"),
    "minus Infinity": (b'{"name": "a", "weight": -Infinity}', 400, "non-finite-number"),
    "a number beyond floats": (b'{"name": "a", "weight": 1e999}', 400, "non-finite-number"),
    "a byte that is not UTF-8": (b'{"name": "\xff"}', 400, "invalid-encoding"),
    "UTF-16": ('{"name": "a"}'.encode("utf-16"), 400, "invalid-encoding"),
    "NUL in a text": (b'{"name": "a\\u0000b"}', 400, "nul-character"),
    "21 levels": (nested(21), 413, "nesting-too-deep"),
    "100,000 open brackets": (b"[" * 100_000, 413, "nesting-too-deep"),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, 413, "nesting-too-deep"),
    "ten megabytes": (b'{"name": "' + b"a" * 10_000_000 + b'"}', 413, "body-too-large"),
    "an integer of 5,000 digits": (b'{"name": "a", "size": ' + b"9" * 5_000 + b"}", 400, "non-finite-number"),
    "nothing": (b"", 422, "validation-failed"),
    "null": (b"null", 422, "validation-failed"),
    "a list": (b"[]", 422, "validation-failed"),
    "an integer beyond 64 bits": (b'{"name": "a", "size": 9223372036854775808}', 422, "validation-failed"),
    "a text for a number": (b'{"name": "a", "size": "5"}', 422, "validation-failed"),
    "a number for a truth value": (b'{"name": "a", "good": 1}', 422, "validation-failed"),
    "a time without zone": (b'{"name": "a", "at": "2026-11-20T10:15:00"}', 422, "validation-failed"),
    "a time as a number": (b'{"name": "a", "at": 1700000000}', 422, "validation-failed"),
    "a time as a number in a text": (b'{"name": "a", "at": "1700000000"}', 422, "validation-failed"),
    "a time in the far future": (b'{"name": "a", "at": "9999-12-31T23:59:59-14:00"}', 422, "validation-failed"),
    "a time in the far past": (b'{"name": "a", "at": "0001-01-01T00:00:00+14:00"}', 422, "validation-failed"),
    "money as a number": (b'{"name": "a", "price": {"amount": 1.5, "currency": "EUR"}}', 422, "validation-failed"),
    "money as NaN": (b'{"name": "a", "price": {"amount": "NaN", "currency": "EUR"}}', 422, "validation-failed"),
    "no currency": (b'{"name": "a", "price": {"amount": "1.5", "currency": "XXX"}}', 422, "validation-failed"),
}


@pytest.mark.parametrize(("body", "status", "code"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_bad_body_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, fake: FakeDatabase, body: bytes, status: int, code: str
) -> None:
    response = await client.post("/v1/things", content=body, headers=JSON)
    assert_problem(response, status, code)
    assert fake.committed == []


async def test_twenty_levels_are_allowed_and_brackets_in_texts_do_not_count(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things", content=nested(20), headers=JSON)
    assert_problem(response, 422, "validation-failed")
    response = await client.post("/v1/things", json={"name": "[" * 500 + '\\"' + "{" * 500})
    assert response.status_code == 201


async def test_a_written_backslash_before_u0000_is_just_text(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things", content=rb'{"name": "a\\u0000"}', headers=JSON)
    assert response.status_code == 201
    assert response.json()["name"] == r"a\u0000"


async def test_good_values_come_back_normalised(client: httpx.AsyncClient) -> None:
    thing = {
        "name": "a",
        "weight": 5,
        "at": "2026-11-20T11:15:00+01:00",
        "price": {"amount": "1200.00", "currency": "EUR"},
    }
    response = await client.post("/v1/things", json=thing)
    assert {"name": "a", "at": "2026-11-20T10:15:00Z", "price": thing["price"]} == response.json()


async def test_a_body_without_content_length_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 65_536
            yield b" " * 65_536

    assert_problem(await client.post("/v1/things", content=chunks(), headers=JSON), 413, "body-too-large")
    assert_problem(await client.post("/v1/raw", content=chunks()), 413, "body-too-large")


async def test_a_body_that_is_streamed_has_a_limit_of_its_own(make_app: Callable[..., FastAPI], keys: Keys) -> None:
    async def megabytes(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"a" * 1_000_000

    async with client_of(make_app(import_body_limit=3_000_000), keys.token()) as client:
        assert (await client.post("/v1/stream", content=megabytes(3))).json()["size"] == 3_000_000
        assert_problem(await client.post("/v1/stream", content=megabytes(4)), 413, "body-too-large")
        assert_problem(await client.post("/v1/stream", content=b"a" * 3_000_001), 413, "body-too-large")
        csv = {"Content-Type": "text/csv"}
        assert_problem(await client.post("/v1/raw", content=megabytes(3), headers=csv), 413, "body-too-large")


async def test_a_stream_that_stops_is_given_up(make_app: Callable[..., FastAPI], keys: Keys) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    async with client_of(make_app(body_timeout=0.05), keys.token()) as client:
        assert_problem(await client.post("/v1/stream", content=stalled()), 408, "body-too-slow")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "nonsense", None])
async def test_a_body_that_does_not_claim_to_be_json_is_refused(client: httpx.AsyncClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = await client.post("/v1/things", content=b'{"name": "a"}', headers=headers)
    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_any_json_media_type_will_do(client: httpx.AsyncClient, kind: str) -> None:
    response = await client.post("/v1/things", content=b'{"name": "a"}', headers={"Content-Type": kind})
    assert response.status_code == 201


@given(
    st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0123456789.eE+-nulltruefasNI ', max_size=60).map(str.encode)
)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_bytes_are_decoded_or_a_problem(body: bytes) -> None:
    with contextlib.suppress(ProblemError):
        parse_json(body, 20)


async def test_a_body_that_does_not_arrive_in_time_is_given_up(make_app: Callable[..., FastAPI], keys: Keys) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b'{"name":'
        await asyncio.Event().wait()

    async with client_of(make_app(body_timeout=0.05), keys.token()) as client:
        response = await client.post("/v1/things", content=stalled(), headers=JSON)
    assert_problem(response, 408, "body-too-slow")


async def test_an_answer_names_a_hundred_places_at_most(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/things", json={f"field-{n}": n for n in range(5_000)})
    body = assert_problem(response, 422, "validation-failed")
    assert len(body["errors"]) == 100  # type: ignore[arg-type]
    assert body["detail"] == "The request is not valid in 5001 places."
