"""Answers that were made once and stay right until what they were made of changes.

Whoever asks says by a version what that is now, which takes less than to make the answer. Only this process remembers,
and only so much; what it forgets is made again.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

LIMIT = 16 * 1024 * 1024
"""Bytes of answers that a process remembers."""

Make = Callable[[], Awaitable[bytes]]


class Remembered:
    """Answers by what was asked and the version they are of; the one longest not asked for is forgotten first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = 0
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()

    async def give(self, key: Hashable, make: Make) -> bytes:
        """Give the body of ``key``, made if it is not known."""
        body = self._bodies.get(key)
        if body is None:
            body = await make()
            self._keep(key, body)
        else:
            self._bodies.move_to_end(key)
        return body

    def _keep(self, key: Hashable, body: bytes) -> None:
        self._held += len(body) - len(self._bodies.pop(key, b""))
        self._bodies[key] = body
        while self._held > self._limit:
            _, gone = self._bodies.popitem(last=False)
            self._held -= len(gone)


async def remembered(held: Remembered, request: Request, tenant: str, version: str, make: Make) -> Response:
    """Answer JSON that is right for ``version``, with an ``ETag``; 304 to a caller who has it already."""
    key = (tenant, request.scope["path"], request.scope["query_string"], version)
    tag = f'"{sha256(repr(key).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(await held.give(key, make), headers=headers, media_type="application/json")
