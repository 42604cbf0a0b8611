"""What follows when accounts change and go."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from bellwether_kit.ids import uuid7


async def test_the_newest_version_of_an_account_stays_in_any_order(deliver: Any, account: Any, admin: Any) -> None:
    await deliver(account(version=3, name="Acme Three"), times=2)
    await deliver(account(version=2, name="Acme Two"), account(version=1))
    assert [(r.tenant, r.name, r.version) for r in admin("SELECT * FROM account")] == [("acme", "Acme Three", 3)]


async def test_versions_of_one_batch_may_come_in_any_order(deliver: Any, account: Any, admin: Any) -> None:
    await deliver(account(version=2, name="Acme Two"), account(version=1), account(version=2, name="Acme Two"))
    assert [(row.name, row.version) for row in admin("SELECT * FROM account")] == [("Acme Two", 2)]


async def test_a_removed_account_loses_its_plans_and_plays_once(
    deliver: Any,
    account: Any,
    alert: Any,
    outbox: Any,
    client: httpx.AsyncClient,
    auth: Callable[..., dict[str, str]],
    account_id: UUID,
) -> None:
    await deliver(account())
    body = {"account_id": str(account_id), "title": "Two years", "starts_on": "2026-04-01", "years": 2}
    headers = auth("plans:read plans:write")
    made = await client.post("/v1/plans", json=body | {"status": "active"}, headers=headers)
    await deliver(alert("opened", 1))
    await deliver(account(removed=True, version=2), times=2)
    await deliver(account(removed=True, version=2))
    assert [said.data["status"] for said in outbox("account.plan.progressed.v1")] == ["active", "closed"]
    assert [said.data["reason"] for said in outbox("account.play.closed.v1")] == ["account-removed"]
    plan = await client.get(f"/v1/plans/{made.json()['id']}", headers=headers)
    assert (plan.json()["status"], plan.json()["account_name"]) == ("closed", "Acme")
    refused = await client.post("/v1/plans", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-account")


async def test_an_alert_of_a_removed_account_opens_no_play(deliver: Any, account: Any, alert: Any, outbox: Any) -> None:
    await deliver(account(removed=True, version=2))
    await deliver(account(version=1))
    await deliver(alert("opened", 7, alert_id=uuid7()))
    assert outbox() == []
