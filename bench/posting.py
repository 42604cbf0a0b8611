"""A client that costs next to nothing: requests made beforehand, sent over connections that stay open."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec


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
