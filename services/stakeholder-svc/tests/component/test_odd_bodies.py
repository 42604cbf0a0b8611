"""Whatever is sent, the answer is a success or a problem, never a failure of ours."""

from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("known")

ODD: list[Any] = [
    *(None, True, 0, -1, 2**70, 1e308, "", " ", "x" * 6_000, "\ud7ff", "9999-12-31", "1800-01-01", "2026-03-02"),
    *([], {}, [[]], [None], ["user", "user"], {"email": "a@b"}, {"id": "x"}, {"source": "crm"}, ["economic"] * 7),
    {"power": 1, "perception": 1, "priority": 1, "promoter": 1, "pliability": 5.5},
]
PERSON: dict[str, Any] = {
    "external_ids": [{"source": "crm", "external_id": "1"}],
    "name": "Robin",
    "title": "CFO",
    "email": "robin@client.example",
    "buying_centre": "Logistics",
    "reports_to": {"source": "crm", "external_id": "2"},
    "decision_roles": ["economic"],
    "budget_control": True,
    "veto": False,
    "sentiment": "neutral",
    "sentiment_since": "2026-01-01",
    "assessed_by": {"email": "ana@example.com"},
    "certainty": "assumed",
    "status": "active",
    "priorities": ["Price"],
    "confidential_notes": "Golf",
    "grid": {"power": 1, "perception": 2, "priority": 3, "promoter": 4, "pliability": 5},
}


def odd(dice: Random, body: dict[str, Any]) -> dict[str, Any]:
    """A sound body with up to two fields that are not."""
    return body | {name: dice.choice(ODD) for name in dice.sample(sorted(body), k=dice.randint(0, 2))}


@pytest.mark.parametrize("seed", range(4))
async def test_odd_bodies_are_refused_as_problems(
    client: httpx.AsyncClient, auth: Any, account_id: UUID, seed: int
) -> None:
    headers = auth("stakeholders:read stakeholders:write stakeholders:admin") | {"If-Match": "*"}
    person = PERSON | {"account": {"id": str(account_id)}}
    boss = person | {"external_ids": [{"source": "crm", "external_id": "2"}], "reports_to": None}
    made = await client.post("/v1/stakeholders", json={"items": [boss, person]}, headers=headers)
    assert [item["status"] for item in made.json()["items"]] == ["created", "created"]
    path = f"/v1/stakeholders/{made.json()['items'][1]['id']}"
    policy = {"required_roles": ["user"], "reason": "Because"}
    dice = Random(seed)
    for _ in range(40):
        bulk = {"items": [odd(dice, person) for _ in range(5)]}
        for method, address, body in [
            ("POST", "/v1/stakeholders", bulk),
            ("PATCH", path, odd(dice, person)),
            ("PUT", "/v1/coverage-policy", odd(dice, policy)),
        ]:
            answer = await client.request(method, address, json=body, headers=headers)
            assert answer.status_code < 500, (method, address, body, answer.text)
            assert answer.status_code < 300 or answer.headers["content-type"] == "application/problem+json"
