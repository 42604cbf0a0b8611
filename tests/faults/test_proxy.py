"""The proxy that loses answers, in front of a server that echoes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faults.proxy import COMMIT, Proxy


@asynccontextmanager
async def proxied(heard: list[bytes]) -> AsyncIterator[Proxy]:
    """A proxy before a server that writes down what it hears, and says it again."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1_000):
                heard.append(data)
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(lambda: int(server.sockets[0].getsockname()[1]))
    proxy.open()
    try:
        yield proxy
    finally:
        await asyncio.to_thread(proxy.close)
        server.close()
        await asyncio.sleep(0.01)


async def said(proxy: Proxy, words: bytes) -> bytes:
    """What comes back of words; nothing when the connection ends before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(words)
    try:
        return await reader.read(1_000)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_words_go_through_both_ways() -> None:
    async with proxied([]) as proxy:
        assert await said(proxy, COMMIT) == COMMIT
        assert proxy.lost == 0


async def test_an_armed_proxy_lets_one_commit_through_and_loses_its_answer() -> None:
    heard: list[bytes] = []
    async with proxied(heard) as proxy:
        proxy.arm()
        assert await said(proxy, b"SELECT 1") == b"SELECT 1"
        assert await said(proxy, COMMIT) == b""
        assert heard == [b"SELECT 1", COMMIT]
        assert proxy.lost == 1
        assert await said(proxy, COMMIT) == COMMIT


async def test_a_proxy_that_is_no_longer_armed_loses_nothing() -> None:
    async with proxied([]) as proxy:
        proxy.arm()
        proxy.disarm()
        assert await said(proxy, COMMIT) == COMMIT


async def test_a_server_that_is_away_is_a_connection_that_ends() -> None:
    proxy = Proxy(lambda: 1)
    proxy.open()
    try:
        assert await said(proxy, b"SELECT 1") == b""
    finally:
        await asyncio.to_thread(proxy.close)
