"""What stands before the replicas of each API: it asks which are ready, and sends each request to one of those."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import httpx

from bellwether.stack import Stack
from bellwether.stack.health import plain

LOOK_SECONDS: Final = 0.5


class Balancer:
    """Knows the replicas of every API of a stack, by the port of the first, and which of them said they are ready."""

    def __init__(self, stack: Stack) -> None:
        self._turns = count()
        self._replicas: dict[int | None, list[httpx.URL]] = {
            httpx.URL(stack.url(service)).port: [
                httpx.URL(stack.url(name))
                for name, place in stack.layout.processes.items()
                if place == (service, "api")
            ]
            for service in stack.layout.services
        }
        self._ready = {url.port for replicas in self._replicas.values() for url in replicas}

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Ask all replicas whether they are ready, again and again, as long as the context lasts."""
        looks = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looks.cancel()
            await asyncio.gather(looks, return_exceptions=True)

    def transport(self) -> httpx.AsyncBaseTransport:
        """What a client sends by, with connections of its own."""
        return _Transport(self)

    def order(self, port: int | None) -> list[httpx.URL]:
        """The replicas of the API at a port in the order in which to try them: by turns, ready ones first."""
        replicas = self._replicas[port]
        turn = next(self._turns) % len(replicas)
        return sorted(replicas[turn:] + replicas[:turn], key=lambda url: url.port not in self._ready)

    async def _look(self) -> None:
        every = [url for replicas in self._replicas.values() for url in replicas]
        async with httpx.AsyncClient(timeout=2, verify=plain()) as client:
            while True:
                said = await asyncio.gather(*(_is_ready(client, url) for url in every))
                self._ready = {url.port for url, ready in zip(every, said, strict=True) if ready}
                await asyncio.sleep(LOOK_SECONDS)


class _Transport(httpx.AsyncBaseTransport):
    """Sends by a balancer. Only after a refused connection the next replica is tried: then nothing was sent."""

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._inner = httpx.AsyncHTTPTransport(verify=plain())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises ConnectError when no replica takes connections."""
        *first, last = self._balancer.order(request.url.port)
        for replica in first:
            try:
                return await self._sent(request, replica)
            except httpx.ConnectError:
                continue
        return await self._sent(request, last)

    async def _sent(self, request: httpx.Request, replica: httpx.URL) -> httpx.Response:
        url = request.url.copy_with(port=replica.port)
        again = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return await self._inner.handle_async_request(again)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


async def _is_ready(client: httpx.AsyncClient, url: httpx.URL) -> bool:
    try:
        return (await client.get(url.join("/health/ready"))).is_success
    except httpx.HTTPError:
        return False
