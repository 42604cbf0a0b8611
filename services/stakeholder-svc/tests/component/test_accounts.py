"""What follows when accounts change and go."""

from typing import Any
from uuid import UUID

import httpx

REMOVED, CHANGED = "stakeholder.profile.removed.v1", "stakeholder.profile.changed.v1"


async def test_the_newest_version_of_an_account_stays_in_any_order(deliver: Any, account: Any, admin: Any) -> None:
    names = ({"source": "hubspot", "external_id": "company-17"},)
    await deliver(account(version=3, name="Acme Three"), times=2)
    await deliver(account(version=2, name="Acme Two", external_ids=names), account(version=1))
    assert [(r.tenant, r.name, r.version) for r in admin("SELECT * FROM account")] == [("acme", "Acme Three", 3)]
    assert admin("SELECT * FROM account_external_id") == []


async def test_a_name_that_moves_between_accounts_ends_at_the_second_in_any_order(
    deliver: Any, account: Any, admin: Any, account_id: UUID, other_id: UUID
) -> None:
    names = ({"source": "hubspot", "external_id": "company-17"},)
    await deliver(account(account_id=other_id, version=2, external_ids=names))
    await deliver(account(version=1, external_ids=names))
    await deliver(account(version=2))
    assert [other_id] == [row.account_id for row in admin("SELECT account_id FROM account_external_id")]


async def test_the_people_of_a_removed_account_are_erased_once(
    known: None,
    deliver: Any,
    account: Any,
    put: Any,
    outbox: Any,
    admin: Any,
    client: httpx.AsyncClient,
    writer: dict[str, str],
    account_id: UUID,
    other_id: UUID,
) -> None:
    names = [{"source": "hubspot", "external_id": "contact-4"}]
    gone, kept = await put({"name": "Robin", "external_ids": names}, {"name": "Kim", "account": {"id": str(other_id)}})
    await deliver(account(removed=True, version=2), times=2)
    await deliver(account(removed=True, version=2))
    [said] = outbox(REMOVED)
    assert (gone["id"], 2, "account-removed") == (
        said.data["stakeholder_id"],
        said.data["version"],
        said.data["reason"],
    )
    tombstones = [event.key for event in outbox() if event.value is None]
    assert [f"acme/{gone['id']}", f"acme/{account_id}"] == tombstones
    assert [UUID(kept["id"])] == [row.id for row in admin("SELECT id FROM person")]
    assert admin("SELECT 1 FROM person_external_id") == []
    assert [other_id] == [row.account_id for row in admin("SELECT account_id FROM coverage")]
    for place in ("coverage", "power-grid"):
        answer = await client.get(f"/v1/accounts/{account_id}/{place}", headers=writer)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    [late] = await put({"name": "Late", "external_ids": names})
    assert (late["status"], late["problem"]["code"]) == ("rejected", "unknown-account")


async def test_a_removed_account_that_was_never_known_is_remembered_as_removed(
    deliver: Any, account: Any, put: Any
) -> None:
    await deliver(account(removed=True, version=2))
    await deliver(account(version=1))
    [late] = await put({"name": "Late"})
    assert late["problem"]["code"] == "unknown-account"
