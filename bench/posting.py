"""A client that costs next to nothing: requests made beforehand, sent over connections that stay open."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

AGAIN_SECONDS = 1.0  # after which what was refused for overload comes again, as the answer says


class Overloaded(RuntimeError):
    """The service has too much in hand, and did nothing."""


def request(path: str, token: str, body: bytes) -> bytes:
    """One POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def bulk(items: Iterable[Any], size: int) -> Iterator[bytes]:
    """Bodies of ``size`` items each."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield msgspec.json.encode({"items": part})


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> bytes:
    """Send one request, give the body of its answer; raises RuntimeError unless it is a 200, Overloaded for a 503."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        kind = Overloaded if head.startswith(b"HTTP/1.1 503") else RuntimeError
        raise kind(f"{head.decode()}{body.decode()}")
    return body


async def post(port: int, requests: Iterable[bytes], connections: int) -> float:
    """Send all ``requests`` over so many connections; gives the seconds it took. Nothing may be rejected."""
    waiting = iter(requests)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for sent in waiting:
            if b'"rejected"' in (body := await exchange(reader, writer, sent)):
                raise RuntimeError(body[:2_000].decode())
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for reader, writer in opened:
            group.create_task(work(reader, writer))
    return time.perf_counter() - started


@dataclass(slots=True)
class Sent:
    """When a request was to be sent, was sent first, and was done: seconds since 1970; how often it was refused."""

    planned: float
    sent: float = 0.0
    answered: float = 0.0
    refused: int = 0


class OnTime:
    """A client that sends each request at its time, over as many connections as are needed for that."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()
        self._opened: list[asyncio.StreamWriter] = []

    async def post(self, requests: Sequence[bytes], rate: float) -> list[Sent]:
        """Send ``rate`` a second, whether or not earlier ones are answered, and wait for all answers.

        What is refused for overload comes again a second later. Raises the group of what else goes wrong, a
        RuntimeError for an answer that is no 200 or rejects.
        """
        began = time.time() + 0.1
        found = [Sent(began + number / rate) for number in range(len(requests))]
        try:
            async with asyncio.TaskGroup() as group:
                for request, times in zip(requests, found, strict=True):
                    await asyncio.sleep(max(0.0, times.planned - time.time()))
                    group.create_task(self._send(request, times))
        finally:
            for writer in self._opened:
                writer.close()
        return found

    async def _send(self, request: bytes, times: Sent) -> None:
        times.sent = time.time()
        while True:
            reader, writer = await self._connection()
            try:
                body = await exchange(reader, writer, request)
                break
            except Overloaded:
                times.refused += 1
                self._idle.append((reader, writer))
                await asyncio.sleep(AGAIN_SECONDS)
        times.answered = time.time()
        if b'"rejected"' in body:
            raise RuntimeError(body[:2_000].decode())
        self._idle.append((reader, writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The one that rested longest and was not closed meanwhile, else a new one."""
        while self._idle:
            reader, writer = self._idle.popleft()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._opened.append(writer)
        return reader, writer
