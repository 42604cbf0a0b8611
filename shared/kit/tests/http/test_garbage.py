"""A request leaves nothing that only the garbage collector could free: a collection holds up every other request."""

import gc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from things.rig import Keys


async def serve(app: FastAPI, token: str, method: str, path: str, body: bytes) -> int:
    """Serve one request without a client, which leaves garbage of its own; gives the status."""
    headers = [
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"root_path": "", "scheme": "http", "http_version": "1.1", "headers": headers, "client": None}
    scope |= {"server": ("things.test", 80), "asgi": {"version": "3.0"}, "state": {}}
    found: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        found.append(message.get("status"))

    await app(scope, receive, send)  # type: ignore[arg-type]
    return int(found[0])


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/v1/things", b""), ("POST", "/v1/bulk", msgspec.json.encode({"items": [{"name": "a"}]}))],
)
async def test_a_request_leaves_no_garbage(
    make_app: Callable[..., FastAPI], keys: Keys, method: str, path: str, body: bytes
) -> None:
    app, token = make_app(), keys.token()
    async with app.router.lifespan_context(app):
        await serve(app, token, method, path, body)
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            assert {await serve(app, token, method, path, body) for _ in range(5)} == {200}
            gc.collect()
            left = [type(thing).__qualname__ for thing in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert "BodyRequest" not in left
    assert len(left) < 5, left
