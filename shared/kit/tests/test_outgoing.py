"""Which hosts a request to an address of a caller's may reach, and that it reaches the address that was checked."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator

import httpx
import pytest

from bellwether_kit.outgoing import CheckedTransport, ForbiddenAddress, checked_address, permitted

NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
INSIDE = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"]
INSIDE += ["64:ff9b::7f00:1", "2002:a00:1::"]
OUTSIDE = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("written", NEVER)
def test_metadata_and_the_like_are_never_reached(written: str) -> None:
    address = ipaddress.ip_address(written)
    assert (permitted(address, private=False), permitted(address, private=True)) == (False, False)


@pytest.mark.parametrize("written", INSIDE)
def test_private_networks_are_reached_only_when_that_is_wanted(written: str) -> None:
    address = ipaddress.ip_address(written)
    assert (permitted(address, private=False), permitted(address, private=True)) == (False, True)


@pytest.mark.parametrize("written", OUTSIDE)
def test_the_public_network_is_reached(written: str) -> None:
    assert permitted(ipaddress.ip_address(written), private=False)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "127.1", "no-such-host.invalid", "a" * 64 + ".example"])
async def test_a_name_is_judged_by_what_it_means(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await checked_address(host, 80)


@pytest.fixture
async def hosts() -> AsyncIterator[tuple[int, list[str]]]:
    """A server's port, and the Host headers it was sent."""
    heard: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heard.extend(line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("host:"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard


async def test_a_request_goes_to_the_address_and_names_the_host(hosts: tuple[int, list[str]]) -> None:
    port, heard = hosts
    async with httpx.AsyncClient(transport=CheckedTransport(private=True)) as client:
        assert (await client.get(f"http://localhost:{port}/x")).status_code == 204
    assert heard == [f"localhost:{port}"]


async def test_a_request_into_a_private_network_is_not_sent(hosts: tuple[int, list[str]]) -> None:
    port, heard = hosts
    async with httpx.AsyncClient(transport=CheckedTransport()) as client:
        with pytest.raises(ForbiddenAddress):
            await client.get(f"http://localhost:{port}/x")
    assert heard == []
