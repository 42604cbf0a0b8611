"""Whatever is sent, the answer is a success or a problem, never a failure of ours."""

from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("known")

ODD: list[Any] = [
    *(None, True, 0, -1, 2**70, 1e308, "", " ", "x" * 5_000, "\ud7ff", "9999-12-31", "0001-01-01", "2026-03-02"),
    *([], {}, [[]], [None], {"email": "a@b"}, {"id": "x"}, [{"email": "a@example.com"}], {"mining": {"amount": "1e9"}}),
]

PERSON = {"email": "ana@example.com"}
PLAN: dict[str, Any] = {
    "title": "Plan",
    "starts_on": "2026-04-01",
    "years": 2,
    "goals": ["Goal"],
    "status": "active",
    "revenue_goal": {"mining": {"amount": "1.00", "currency": "EUR"}},
}
ACTION: dict[str, Any] = {
    "title": "A",
    "why": "B",
    "due_on": "2026-05-01",
    "accountable": PERSON,
    "responsible": [PERSON],
    "consulted": [PERSON],
    "informed": [],
    "depends_on": [],
    "success_measure": "C",
}
PLAY: dict[str, Any] = {"play": "grow-account", "why": "D", "accountable": PERSON}
SETTING: dict[str, Any] = {"fallback_owner_email": "ana@example.com", "reason": "E"}


def odd(dice: Random, body: dict[str, Any]) -> dict[str, Any]:
    """A sound body with up to two fields that are not."""
    return body | {name: dice.choice(ODD) for name in dice.sample(sorted(body), k=dice.randint(0, 2))}


@pytest.mark.parametrize("seed", range(4))
async def test_odd_bodies_are_refused_as_problems(
    client: httpx.AsyncClient, auth: Any, account_id: UUID, seed: int
) -> None:
    headers = auth("plans:read plans:write plans:admin") | {"If-Match": "*"}
    plan, play = PLAN | {"account_id": str(account_id)}, PLAY | {"account_id": str(account_id)}
    path = f"/v1/plans/{(await client.post('/v1/plans', json=plan, headers=headers)).json()['id']}"
    made = await client.post(f"{path}/actions", json=ACTION, headers=headers)
    routes = [
        ("POST", "/v1/plans", plan),
        ("PATCH", path, PLAN),
        ("POST", f"{path}/actions", ACTION),
        ("PATCH", f"/v1/actions/{made.json()['id']}", ACTION | {"status": "done"}),
        ("POST", "/v1/plays", play),
        ("PUT", "/v1/play-settings", SETTING),
    ]
    dice = Random(seed)
    for _ in range(60):
        method, address, body = dice.choice(routes)
        sent = odd(dice, body)
        answer = await client.request(method, address, json=sent, headers=headers)
        assert answer.status_code < 500, (method, address, sent, answer.text)
        assert answer.status_code < 300 or answer.headers["content-type"] == "application/problem+json"
