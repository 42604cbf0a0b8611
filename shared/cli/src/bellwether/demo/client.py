"""The demo's client of the public APIs: what a CRM and a front end would call, with the same limits."""

from collections.abc import Iterable, Iterator
from typing import Any

import httpx

from bellwether.errors import BellwetherError
from bellwether.stack import Stack

TENANT = "demo"
BULK = 500


class Refused(BellwetherError):
    """An API did not take what the demo sent."""


class Client:
    """Calls the five APIs of a stack as one tenant."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = httpx.Client(timeout=30, headers={"Authorization": f"Bearer {stack.token(TENANT, ttl=7200)}"})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def post(self, service: str, route: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Post ``items`` in bulk; gives their results in order. Raises Refused for any that was not taken."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(items), BULK):
            body = {"items": items[start : start + BULK]}
            results += self._answer(self._http.post(f"{self._stack.url(service)}/v1/{route}", json=body))["items"]
        for result, item in zip(results, items, strict=True):
            if result["status"] in {"rejected", "unmatched"}:
                raise Refused(f"{service} answered {result['status']} to {item}: {result.get('problem')}")
        return results

    def get(self, service: str, route: str, **query: Any) -> dict[str, Any]:
        """One answer."""
        return self._answer(self._http.get(f"{self._stack.url(service)}/v1/{route}", params=query))

    def every(self, service: str, route: str, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list."""
        cursor: dict[str, str] = {}
        while True:
            page = self.get(service, route, limit=200, **query, **cursor)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_error:
            raise Refused(f"{response.request.url} answered {response.status_code}: {response.text[:500]}")
        return dict(response.json())


def by_id(items: Iterable[dict[str, Any]], key: str = "account_id") -> dict[str, dict[str, Any]]:
    """The items by one of their ids."""
    return {item[key]: item for item in items}
