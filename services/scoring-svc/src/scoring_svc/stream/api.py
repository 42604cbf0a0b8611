"""The route on which a front end hears what becomes of alerts, as server-sent events."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse
from pydantic_core import to_jsonable_python
from sqlalchemy import Row
from starlette.types import Receive, Scope, Send

from bellwether_kit.http import Call, requires
from bellwether_kit.http import router as routes
from bellwether_kit.http.runtime import runtime_of
from scoring_svc.errors import TooManyStreams, UnknownPlace
from scoring_svc.settings import Settings
from scoring_svc.stream import store
from scoring_svc.stream.rules import Place, place_of, written

router = routes(tags=["alerts"])

Reader = Annotated[Call, Depends(requires("alerts:read"))]
POLL: Final = 1.0
"""Seconds between looks at the log; between them no connection is held."""
HEARTBEAT: Final = 15.0
LONGEST: Final = 900.0
"""Seconds after which a stream ends, and its reader comes again with a token that is still good."""
PAGE: Final = 200


class AlertStream(StreamingResponse):
    """A stream that gives its place back when it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(
        self, content: AsyncIterator[bytes], streams: Counter[str], tenant: str, status_code: int = 200
    ) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._streams, self._tenant = streams, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until the reader leaves or the stream ends."""
        self._streams[self._tenant] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams[self._tenant] -= 1


@router.get("/alerts/stream", operation_id="stream-alerts", response_class=AlertStream)
async def stream_alerts(
    call: Reader, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> AlertStream:
    """Changes of the tenant's alerts as they happen (`text/event-stream`), each with its alert's id and version.

    With `Last-Event-ID` those after that event come first, none left out and none twice. A comment every 15 seconds
    shows that the stream lives; it ends after 15 minutes or when the server stops: come again with the last id.
    """
    streams = streams_of(call.request.app)
    settings = call.settings
    if isinstance(settings, Settings) and streams[call.tenant] >= settings.streams_per_tenant:
        raise TooManyStreams(f"A tenant has {settings.streams_per_tenant} streams at most.")
    if last_event_id is None:
        async with call.read() as session:
            place = await store.present(session)
    else:
        try:
            place = place_of(last_event_id)
        except ValueError as error:
            raise UnknownPlace("Last-Event-ID names no event of this stream.") from error
    return AlertStream(_events(call, place), streams, call.tenant)


def streams_of(app: FastAPI) -> Counter[str]:
    """How many streams each tenant holds open in this process."""
    if not hasattr(app.state, "alert_streams"):
        app.state.alert_streams = Counter()
    found: Counter[str] = app.state.alert_streams
    return found


async def _events(call: Call, place: Place) -> AsyncIterator[bytes]:
    loop, runtime = asyncio.get_running_loop(), runtime_of(call.request)
    began = said = loop.time()
    yield b"retry: 2000\n\n"
    while True:
        is_last = runtime.draining or loop.time() - began > LONGEST
        async with call.read() as session:
            rows = await store.after(session, call.tenant, place, PAGE)
        for row in rows:
            place = Place(row.xact, row.alert_id, row.version)
            yield written(place, row.change, _data(row))
        if rows or loop.time() - said > HEARTBEAT:
            said = loop.time()
            yield b": here\n\n"
        if len(rows) == PAGE:
            continue
        if is_last:
            return
        await _rest(call)


async def _rest(call: Call) -> None:
    """Wait for the next look, and no longer once the process was asked to stop."""
    runtime, loop = runtime_of(call.request), asyncio.get_running_loop()
    until = loop.time() + POLL
    while loop.time() < until and not runtime.draining:  # noqa: ASYNC110 - a signal sets it, and wakes nobody
        await asyncio.sleep(POLL / 5)


def _data(row: Row[Any]) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("alert_id", "version", "at", "change", "by", "detail")}
    return dict(to_jsonable_python(told))
