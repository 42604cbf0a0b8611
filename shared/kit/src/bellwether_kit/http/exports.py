"""Lists as a whole: who asks a list for NDJSON gets every item, one JSON object per line, without pages.

An export walks the list by its own keyset, one short read after the other. Between reads it holds no transaction and no
connection: a client that reads slowly makes the walk slow and nothing else, and memory is that of one read.

What is promised of rows that change meanwhile is what pages promise. An item that is in the list all the time and keeps
its place in the order is there exactly once, as it was when its part was read. One that comes, goes or moves to another
place may be missing, and one that moves ahead of the walk may be there twice.

What is wrong is a problem as long as nothing was sent, the first read included. Later the connection is cut: the body
has no last chunk, so a client sees that it is not whole. A process that stops cuts what isn't through in ten seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bellwether_kit.http.bodies import body_of
from bellwether_kit.http.bulk import NDJSON
from bellwether_kit.http.calls import Call
from bellwether_kit.http.paging import Page, PageQuery
from bellwether_kit.http.problems import FieldError, ProblemError, invalid
from bellwether_kit.http.runtime import runtime_of

T = TypeVar("T")
Row = TypeVar("Row")

Read = Callable[[AsyncSession, Sequence[Any] | None, int], Awaitable[Sequence[Row]]]
"""Gives so many rows, at most, after a place of the order (None: from its beginning)."""

ROWS = 500
"""Rows a read: about 10 ms in which the process does nothing else."""
AT_ONCE = 4
"""Exports that a tenant may have in hand at a process."""

EXPORTABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "A page; or, to `Accept: application/x-ndjson`, everything that the filters select, in the order of the "
            "list. A stream that ends without its last chunk is not whole: ask again. What is there all the time and "
            "keeps its place in the order is there exactly once; what comes, goes or moves meanwhile may be missing, "
            f"or there twice. At most {AT_ONCE} at once."
        ),
        "content": {NDJSON: {"schema": {"type": "string", "description": "one object per line, each as in `items`"}}},
    }
}
"""The ``responses`` of a route that exports."""

_JSON = "application/json"
_KINDS = frozenset({NDJSON, "application/ndjson", _JSON})


class Export(Response, Generic[Row]):
    """The answer that is written while it is read.

    Raises what ``read`` raises; the 429 problem when the tenant has :data:`AT_ONCE` in hand already; TimeoutError when
    the client takes nothing for as long as a body may take to arrive.
    """

    media_type = NDJSON

    def __init__(
        self, call: Call, read: Read[Row], *, key: Callable[[Row], list[Any]], line: Callable[[Row], bytes]
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers()
        self._call, self._read, self._key, self._line = call, read, key, line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (Starlette gives it)
        """Answer, to the end or until the client has left."""
        in_hand, tenant = runtime_of(self._call.request).exports, self._call.tenant
        if in_hand[tenant] >= AT_ONCE:
            detail = f"The tenant has {AT_ONCE} exports in hand; wait until one is through."
            raise ProblemError(429, "too-many-exports", detail, headers={"Retry-After": "10"})
        in_hand[tenant] += 1
        left = asyncio.create_task(_left(receive))
        try:
            async with aclosing(self._walk()) as parts:
                await self._sent(parts, send, left)
        finally:
            left.cancel()
            in_hand[tenant] -= 1

    async def _sent(self, parts: AsyncIterator[bytes], send: Send, left: "asyncio.Task[None]") -> None:
        patience = body_of(self._call.request).limits.body_timeout
        part: bytes | None = await anext(parts)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while part is not None:
            # Not by cancelling the walk: it could be in the middle of a read.
            async with asyncio.timeout(patience):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            if left.done():
                return
            part = await anext(parts, None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _walk(self) -> AsyncGenerator[bytes, None]:
        """Yield the lines of one read after the other, at least once."""
        after: list[Any] | None = None
        while True:
            async with self._call.read() as session:
                rows = await self._read(session, after, ROWS)
            yield b"".join([self._line(row) + b"\n" for row in rows])
            if len(rows) < ROWS:
                return
            after = self._key(rows[-1])


async def _left(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def export_if_asked(
    call: Call, read: Read[Row], *, key: Callable[[Row], list[Any]], line: Callable[[Row], bytes]
) -> Export[Row] | None:
    """Give the export of a list to a request that prefers NDJSON, None to any other.

    ``key`` gives a row's place in the order as for a page, ``line`` its JSON. Raises the 422 problem for a request that
    names a page as well.
    """
    request = call.request
    if not _prefers_lines(", ".join(request.headers.getlist("accept"))):
        return None
    if paged := sorted({"cursor", "limit"} & request.query_params.keys()):
        detail = "An export has every item; leave this out."
        raise invalid([FieldError(pointer=f"/{n}", location="query", code="not-paged", detail=detail) for n in paged])
    return Export(call, read, key=key, line=line)


async def page_or_export(
    call: Call, page: PageQuery, read: Read[Row], *, key: Callable[[Row], list[Any]], item: Callable[[Row], T]
) -> Page[T] | Export[Row]:
    """Answer a page, or all of it as :func:`export_if_asked` has it; ``item`` makes what is shown of a row."""
    if export := export_if_asked(call, read, key=key, line=lambda row: to_json(item(row))):
        return export
    async with call.read() as session:
        rows = await read(session, page.after, page.limit + 1)
    shown, cursor = page.cut(rows, key=key)
    return Page(items=[item(row) for row in shown], next_cursor=cursor)


def _prefers_lines(accept: str) -> bool:
    """Whether NDJSON is named, and JSON is not, or for less, or later for the same."""
    found = [(kind, weight) for kind, weight in _weights(accept) if kind in _KINDS]
    kind, weight = max(found, key=lambda pair: pair[1], default=(_JSON, 0.0))
    return kind != _JSON and weight > 0


def _weights(accept: str) -> Iterator[tuple[str, float]]:
    """Each media type of an Accept header with its weight; one that can't be read weighs nothing."""
    for part in accept.lower().split(","):
        kind, *parameters = (word.strip() for word in part.split(";"))
        given = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            yield kind, float(given)
        except ValueError:
            yield kind, 0.0
