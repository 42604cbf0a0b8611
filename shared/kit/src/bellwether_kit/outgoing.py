"""Requests to addresses that callers gave us: only to hosts that pass a check, and to the very address checked.

Between a check and a connection a name may come to mean another host, so the name is looked up once, all it means is
judged, and the connection goes to what was judged; certificates are still compared with the name.
"""

import asyncio
import ipaddress
import socket
from typing import Final

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(ValueError):
    """The host can't be found, or is in a network that requests from outside may not reach through us."""


def permitted(address: Address, *, private: bool) -> bool:
    """Whether a request may go there. ``private`` lets it into private networks and this machine, never to
    link-local addresses, where clouds keep their metadata.
    """
    inner = _inner(address)
    if inner is not None:
        return permitted(inner, private=private)
    if address.is_loopback:
        return private
    if address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved:
        return False
    return private or address.is_global


def _inner(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


async def checked_address(host: str, port: int, *, private: bool = False) -> Address:
    """Look ``host`` up and give the address to connect to; raises ForbiddenAddress when one it means may not be."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise ForbiddenAddress(f"{host} can't be found") from error
    if not addresses or not all(permitted(address, private=private) for address in addresses):
        raise ForbiddenAddress(f"{host} is in a network that is not reached from here")
    return addresses[0]


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request to the address that its host was checked to have. No proxy, no redirect is followed."""

    def __init__(self, *, private: bool = False) -> None:
        self._private = private
        self._inner = httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; raises ForbiddenAddress."""
        host, port = request.url.host, request.url.port or (443 if request.url.scheme == "https" else 80)
        address = await checked_address(host, port, private=self._private)
        extensions = {**request.extensions, "sni_hostname": host}
        sent = httpx.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,
            stream=request.stream,
            extensions=extensions,
        )
        return await self._inner.handle_async_request(sent)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()
