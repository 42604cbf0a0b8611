"""A way to PostgreSQL that can lose the answer to a COMMIT: it was done, and who asked for it never hears so."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Final

COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""What a client sends to commit: a simple query of that one word."""


class Proxy:
    """Passes bytes on, in a thread of its own. `upstream` gives the server's port once it is known.

    While it is armed, the next COMMIT reaches the server, and the connection ends where the answer should come.
    """

    def __init__(self, upstream: Callable[[], int]) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._armed = False
        self.lost = 0
        self.port = 0

    def open(self) -> None:
        """Listen on a free port of this machine; `port` says which."""
        self._thread.start()
        listening = asyncio.start_server(self._take, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Pass nothing on any more, and end every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def arm(self) -> None:
        """Lose the answer to the next COMMIT; `lost` counts those that were."""
        self._armed = True

    def disarm(self) -> None:
        """Lose no more."""
        self._armed = False

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._upstream())
        except OSError:
            await _ended(writer)
            return
        try:
            await self._pass_on(reader, writer, back, forth)
        finally:
            await _ended(writer)
            await _ended(forth)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
    ) -> None:
        losing = asyncio.Event()
        ways = [
            self._loop.create_task(self._asked(reader, forth, losing)),
            self._loop.create_task(_answered(back, writer, losing)),
        ]
        try:
            await asyncio.wait(ways, return_when="FIRST_COMPLETED")
            self.lost += losing.is_set()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _asked(self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter, losing: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            if self._armed and COMMIT in data:
                self._armed = False
                losing.set()
            forth.write(data)
            await forth.drain()


async def _answered(back: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event) -> None:
    while data := await back.read(65_536):
        if losing.is_set():
            return
        writer.write(data)
        await writer.drain()


async def _ended(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
