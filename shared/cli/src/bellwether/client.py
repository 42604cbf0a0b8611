"""A client of the public APIs: what a CRM and a front end would call, with the same limits."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx

from bellwether.errors import BellwetherError

BULK = 500


class Refused(BellwetherError):
    """An API did not answer, or did not take what it was sent."""


class Client:
    """Calls the APIs as the tenant of a token; ``address`` gives a service's base URL."""

    def __init__(self, address: Callable[[str], str], token: str) -> None:
        self._address = address
        self._http = httpx.Client(timeout=30, headers={"Authorization": f"Bearer {token}"})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, service: str, route: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post ``items`` in bulk; gives their results in order. Raises Refused for any that was not taken."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(items), BULK):
            results += self.ask(service, route, {"items": items[start : start + BULK]})["items"]
        for result, item in zip(results, items, strict=True):
            if result["status"] in {"rejected", "unmatched"}:
                raise Refused(f"{service} answered {result['status']} to {item}: {result.get('problem')}")
        return results

    def ask(self, service: str, route: str, body: dict[str, Any], **query: Any) -> dict[str, Any]:
        """The answer to one POST; ``route`` is what follows /v1/."""
        return self._answer("POST", service, route, json=body, params=query)

    def get(self, service: str, route: str, **query: Any) -> dict[str, Any]:
        """The answer to one GET."""
        return self._answer("GET", service, route, params=query)

    def every(self, service: str, route: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(service, route, limit=200, **query, **cursor)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def page(self, service: str, route: str) -> str:
        """The text that one GET answers with."""
        return self._response("GET", service, route).text

    def _answer(self, method: str, service: str, route: str, **options: Any) -> dict[str, Any]:
        return dict(self._response(method, service, route, **options).json())

    def _response(self, method: str, service: str, route: str, **options: Any) -> httpx.Response:
        url = f"{self._address(service)}/v1/{route}"
        try:
            response = self._http.request(method, url, **options)
        except httpx.TransportError as error:
            raise Refused(f"{url} does not answer: {error}") from error
        if response.is_error:
            raise Refused(f"{response.request.url} answered {response.status_code}: {response.text[:500]}")
        return response


def by_id(items: Iterable[dict[str, Any]], key: str = "account_id") -> dict[str, dict[str, Any]]:
    """The items by one of their ids."""
    return {item[key]: item for item in items}
