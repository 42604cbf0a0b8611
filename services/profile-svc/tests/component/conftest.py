"""The words that the component tests of this service share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest


@dataclass(frozen=True)
class Accounts:
    """The accounts API as one tenant's writer uses it."""

    client: httpx.AsyncClient
    headers: dict[str, str]

    async def post(self, *items: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        """The results of one bulk upsert."""
        answer = await self.client.post("/v1/accounts", json={"items": items}, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def create(self, number: int = 1, **facts: Any) -> str:
        """The id of a new account with the external id crm/<number>."""
        [result] = await self.post(crm(number, **{"name": f"Account {number}", **facts}))
        assert result["status"] == "created", result
        return str(result["id"])

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.client.get(f"/v1/accounts{path}", params=query, headers=self.headers)

    async def change(self, account_id: str, version: int | None, body: dict[str, Any]) -> httpx.Response:
        return await self.client.patch(f"/v1/accounts/{account_id}", json=body, headers=self.headers | seen(version))

    async def remove(self, account_id: str, version: int | None, **query: Any) -> httpx.Response:
        return await self.client.delete(
            f"/v1/accounts/{account_id}", params=query, headers=self.headers | seen(version)
        )

    async def appoint(self, account_id: str, version: int | None, *members: dict[str, Any]) -> httpx.Response:
        return await self.client.put(
            f"/v1/accounts/{account_id}/team",
            json={"members": members},
            headers=self.headers | seen(version),
        )


def seen(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def crm(number: int, **facts: Any) -> dict[str, Any]:
    return {"external_ids": [{"source": "crm", "external_id": str(number)}], **facts}


@pytest.fixture
def accounts(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Accounts:
    return Accounts(client, auth("accounts:read accounts:write"))


@pytest.fixture
def of_globex(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Accounts:
    """The same as another tenant."""
    return Accounts(client, auth("accounts:read accounts:write", tenant="globex"))
