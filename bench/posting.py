"""A client that costs next to nothing: requests made beforehand, sent over connections that stay open."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

MOST_IN_HAND = 150  # fewer than an API refuses for having too many in hand


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
    """Send one request and give the body of its answer; raises RuntimeError unless it is a 200."""
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{head.decode()}{body.decode()}")
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
    """When a request was to be sent, was sent, and was answered: seconds since 1970."""

    planned: float
    sent: float = 0.0
    answered: float = 0.0


class OnTime:
    """A client that sends each request at its time, whether or not earlier ones are answered.

    Beyond ``most`` in hand the next ones wait: one that was to be sent earlier goes first.
    """

    def __init__(self, port: int, most: int = MOST_IN_HAND) -> None:
        self._port = port
        self._free = asyncio.Semaphore(most)
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()
        self._opened: list[asyncio.StreamWriter] = []

    async def post(self, requests: Sequence[bytes], rate: float) -> list[Sent]:
        """Send ``rate`` a second and wait for all answers.

        Raises the group of what goes wrong, a RuntimeError for an answer that is no 200 or rejects.
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
        async with self._free:
            times.sent = time.time()
            reader, writer = await self._connection()
            body = await exchange(reader, writer, request)
            times.answered = time.time()
            self._idle.append((reader, writer))
        if b'"rejected"' in body:
            raise RuntimeError(body[:2_000].decode())

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The one that rested longest and was not closed meanwhile, else a new one."""
        while self._idle:
            reader, writer = self._idle.popleft()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._opened.append(writer)
        return reader, writer
