"""The route on which a front end hears what becomes of alerts, as server-sent events.

However many streams a tenant holds open in a process, one lookout reads the log for all of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse
from pydantic_core import to_jsonable_python
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from bellwether_kit.http import Call, requires
from bellwether_kit.http import router as routes
from bellwether_kit.http.runtime import Runtime, runtime_of
from scoring_svc.errors import TooManyStreams, UnknownPlace
from scoring_svc.settings import Settings
from scoring_svc.stream import store
from scoring_svc.stream.rules import Place, Told, place_of, told_after, written

router = routes(tags=["alerts"])
log = structlog.get_logger(__name__)

Reader = Annotated[Call, Depends(requires("alerts:read"))]
POLL: Final = 1.0
"""Seconds between looks at the log, one for all streams of a tenant; between them no connection is held."""
HEARTBEAT: Final = 15.0
LONGEST: Final = 900.0
"""Seconds after which a stream ends, and its reader comes again with a token that is still good."""
PAGE: Final = 200


class Lookout:
    """Looks at a tenant's log for all of its streams in this process, from the first stream until the last one leaves.

    A stream takes ``news``, reads what it has not told, and waits for ``news`` to be set; it is at each find, and when
    the lookout ``is_over``: because the process stops, or because the log can't be read.
    """

    def __init__(self, runtime: Runtime, tenant: str) -> None:
        self.news = asyncio.Event()
        self.is_over = False
        self._runtime, self._tenant = runtime, tenant
        self._began = asyncio.Event()
        self._found: tuple[Place, list[Told]] | None = None
        self._task = asyncio.create_task(self._look())

    async def began(self) -> None:
        """Wait until nothing escapes: what is read after this, and what is found from then on, is everything."""
        await self._began.wait()

    def close(self) -> None:
        """End it; nobody waits for news any more."""
        self._task.cancel()

    def found_after(self, place: Place) -> list[Told] | None:
        """What the last find has after a place; None when the place lies before it, and the log has to be read."""
        if self._found is None:
            return []
        before, found = self._found
        return told_after(found, place) if before <= place else None

    async def read_after(self, place: Place) -> list[Told]:
        """The next page of the log itself."""
        async with self._runtime.database.read(self._tenant) as session:
            rows = await store.after(session, self._tenant, place, PAGE)
        return [_told(row) for row in rows]

    async def _look(self) -> None:
        try:
            async with self._runtime.database.read(self._tenant) as session:
                place = await store.present(session)
            self._began.set()
            while not self._runtime.draining:
                found = await self.read_after(place)
                if found:
                    self._found = place, found
                    place = found[-1][0]
                    self._announce()
                if len(found) < PAGE:
                    await self._rest()
        except SQLAlchemyError as error:
            log.warning("stream.lookout_failed", tenant=self._tenant, exc_info=error)
        finally:
            self.is_over = True
            self._began.set()
            self._announce()

    def _announce(self) -> None:
        told, self.news = self.news, asyncio.Event()
        told.set()

    async def _rest(self) -> None:
        """Wait for the next look, and no longer once the process was asked to stop."""
        loop = asyncio.get_running_loop()
        until = loop.time() + POLL
        while loop.time() < until and not self._runtime.draining:  # noqa: ASYNC110 - a signal sets it, and wakes nobody
            await asyncio.sleep(POLL / 5)


class Streams:
    """The streams of this process: how many each tenant holds open, and the lookout of each tenant that has any."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.lookouts: dict[str, Lookout] = {}

    def lookout(self, runtime: Runtime, tenant: str) -> Lookout:
        """The tenant's lookout, a new one where there is none or it is over."""
        found = self.lookouts.get(tenant)
        if found is None or found.is_over:
            found = self.lookouts[tenant] = Lookout(runtime, tenant)
        return found

    def enter(self, tenant: str) -> None:
        """Count a stream."""
        self.open[tenant] += 1

    def leave(self, tenant: str) -> None:
        """Count it no longer; the last one takes the lookout along."""
        self.open[tenant] -= 1
        if not self.open[tenant] and (lookout := self.lookouts.pop(tenant, None)) is not None:
            lookout.close()


class AlertStream(StreamingResponse):
    """A stream that gives its place back when it ends, however it ends."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], streams: Streams, tenant: str, status_code: int = 200) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._streams, self._tenant = streams, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until the reader leaves or the stream ends."""
        self._streams.enter(self._tenant)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.leave(self._tenant)


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
    if isinstance(settings, Settings) and streams.open[call.tenant] >= settings.streams_per_tenant:
        raise TooManyStreams(f"A tenant has {settings.streams_per_tenant} streams at most.")
    if last_event_id is None:
        async with call.read() as session:
            place = await store.present(session)
    else:
        try:
            place = place_of(last_event_id)
        except ValueError as error:
            raise UnknownPlace("Last-Event-ID names no event of this stream.") from error
    return AlertStream(_events(streams, runtime_of(call.request), call.tenant, place), streams, call.tenant)


def streams_of(app: FastAPI) -> Streams:
    """The streams of this process."""
    if not hasattr(app.state, "alert_streams"):
        app.state.alert_streams = Streams()
    found: Streams = app.state.alert_streams
    return found


async def _events(streams: Streams, runtime: Runtime, tenant: str, place: Place) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    said, ends = loop.time(), loop.time() + LONGEST
    yield b"retry: 2000\n\n"
    lookout = streams.lookout(runtime, tenant)
    await lookout.began()
    has_read = False
    while True:
        news, is_last = lookout.news, lookout.is_over or loop.time() > ends
        found = lookout.found_after(place) if has_read and not is_last else None
        has_read = found is not None
        if found is None:
            found = await lookout.read_after(place)
            has_read = len(found) < PAGE
        for at, event in found:
            place = at
            yield event
        if found or loop.time() - said > HEARTBEAT:
            said = loop.time()
            yield b": here\n\n"
        if has_read and is_last:
            return
        if has_read:
            await _wait(news, min(said + HEARTBEAT, ends) - loop.time())


async def _wait(news: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await news.wait()
    except TimeoutError:
        return


def _told(row: Row[Any]) -> Told:
    place = Place(row.xact, row.alert_id, row.version)
    told = {name: getattr(row, name) for name in ("alert_id", "version", "at", "change", "by", "detail")}
    return place, written(place, row.change, to_jsonable_python(told))
