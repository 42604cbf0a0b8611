"""The balancer of a rolling restart: it goes to another replica only where nothing was sent to the first."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from bellwether.engines.ports import free_ports
from faults.balancer import Balancer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def stack_of(*ports: int) -> Any:
    """A stack whose only service has an API process at each of the ports."""
    names = {("tiny-api" if n == 1 else f"tiny-api-{n}"): port for n, port in enumerate(ports, start=1)}
    layout = SimpleNamespace(services=("tiny",), processes=dict.fromkeys(names, ("tiny", "api")))
    return SimpleNamespace(layout=layout, url=lambda name: f"http://127.0.0.1:{names.get(name, ports[0])}")


@pytest.fixture
async def served() -> AsyncIterator[list[int]]:
    """The ports of an API that answers and of one that breaks off when it has been sent something."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        writer.close()

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    servers = [await asyncio.start_server(each, "127.0.0.1", 0) for each in (answer, break_off)]
    yield [server.sockets[0].getsockname()[1] for server in servers]
    for server in servers:
        server.close()


async def test_a_replica_that_refuses_connections_is_passed_over(served: list[int]) -> None:
    answering, _ = served
    [closed] = free_ports(1)
    async with httpx.AsyncClient(transport=Balancer(stack_of(closed, answering)).transport()) as client:
        answers = [await client.get(f"http://127.0.0.1:{closed}/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_a_request_that_was_sent_is_not_sent_to_another_one(served: list[int]) -> None:
    answering, breaking = served
    async with httpx.AsyncClient(transport=Balancer(stack_of(breaking, answering)).transport()) as client:
        ends = []
        for _ in range(2):
            try:
                ends.append((await client.get(f"http://127.0.0.1:{breaking}/")).status_code)
            except httpx.RemoteProtocolError:
                ends.append(0)
    assert sorted(ends) == [0, 200]


async def test_when_no_replica_takes_connections_that_is_what_the_client_hears() -> None:
    first, second = free_ports(2)
    async with httpx.AsyncClient(transport=Balancer(stack_of(first, second)).transport()) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{first}/")
