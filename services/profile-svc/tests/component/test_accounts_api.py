"""Accounts as callers change them: upserts, patches, removals, and every way to be refused."""

import asyncio
from datetime import timedelta
from typing import Any

from bellwether_kit.clock import FixedClock

NOBODY = "01890000-0000-7000-8000-000000000000"
FULL = {
    "external_ids": [{"source": "crm", "external_id": "1"}],
    "name": "Northwind Traders",
    "status": "prospect",
    "account_type": "strategic",
    "tier": "A",
    "industry": "wholesale",
    "territory": "dach",
    "country": "DE",
    "currency": "EUR",
    "owner": {"email": "Ana@Example.com"},
    "cadence_days": 7,
    "contract_start": "2025-01-01",
    "contract_end": "2026-12-31",
    "renewal_at": "2026-12-31T01:00:00+01:00",
    "yearly_value": {"amount": "1200.50", "currency": "EUR"},
    "whitespace": {"amount": "300.25", "currency": "SEK"},
    "email_domains": ["NorthWind.example", "nw.example", "nw.example"],
    "known_since": "2024-11-04T08:30:00Z",
}


def crm(number: int, **facts: Any) -> dict[str, Any]:
    return {"external_ids": [{"source": "crm", "external_id": str(number)}], **facts}


def codes(results: list[dict[str, Any]]) -> list[str]:
    return [result["problem"]["code"] if result["problem"] else result["status"] for result in results]


async def test_an_account_is_created_with_all_its_facts_and_said_whole(accounts: Any, outbox: Any) -> None:
    [created] = await accounts.post(FULL)
    shown = (await accounts.get(f"/{created['id']}")).json()
    assert {name: shown[name] for name in ("status", "account_type", "tier", "country", "cadence_days")} == {
        "status": "prospect",
        "account_type": "strategic",
        "tier": "A",
        "country": "DE",
        "cadence_days": 7.0,
    }
    assert [shown["yearly_value"], shown["whitespace"]] == [FULL["yearly_value"], FULL["whitespace"]]
    assert (shown["renewal_at"], shown["email_domains"][0]) == ("2026-12-31T00:00:00Z", "northwind.example")
    assert shown["origins"]["tier"] == {"source": "crm", "at": "2026-03-02T09:00:00Z"}
    [event] = outbox()
    assert (event.type, event.key, event.sequence) == ("account.profile.changed.v1", f"acme/{created['id']}", 1)
    assert event.data | {"owner_id": None} == {
        "account_id": created["id"],
        "name": "Northwind Traders",
        "status": "prospect",
        "account_type": "strategic",
        "tier": "A",
        "industry": "wholesale",
        "territory": "dach",
        "country": "DE",
        "currency": "EUR",
        "parent_id": None,
        "owner_id": None,
        "cadence_days": 7.0,
        "contract_start": "2025-01-01",
        "contract_end": "2026-12-31",
        "renewal_at": "2026-12-31T00:00:00Z",
        "value": {"amount": 1200.5, "currency": "EUR"},
        "whitespace": {"amount": 300.25, "currency": "SEK"},
        "external_ids": [{"source": "crm", "external_id": "1"}],
        "email_domains": ["northwind.example", "nw.example"],
        "known_since": "2024-11-04T08:30:00Z",
        "version": 1,
    }
    assert event.data["owner_id"] == shown["owner"]["id"]
    assert shown["owner"]["email"] == "ana@example.com"


async def test_the_same_upsert_again_changes_nothing_and_says_nothing(accounts: Any, outbox: Any) -> None:
    first = await accounts.post(FULL)
    assert await accounts.post(FULL) == [{**first[0], "status": "unchanged"}]
    assert len(outbox()) == 1


async def test_one_object_is_answered_like_a_list_of_one(accounts: Any) -> None:
    answer = await accounts.client.post("/v1/accounts", json=FULL, headers=accounts.headers)
    assert codes(answer.json()["items"]) == ["created"]


async def test_lines_of_json_are_taken_too(accounts: Any) -> None:
    answer = await accounts.client.post(
        "/v1/accounts",
        content=b'{"name": "A"}\n{"name": 7}\n',
        headers=accounts.headers | {"content-type": "application/x-ndjson"},
    )
    assert codes(answer.json()["items"]) == ["created", "validation-failed"]


async def test_absent_fields_stay_and_null_clears(accounts: Any) -> None:
    account_id = (await accounts.post(FULL))[0]["id"]
    gone = dict.fromkeys(("tier", "owner", "yearly_value", "whitespace"))
    await accounts.post(crm(1, known_since=None, parent=None, **gone))
    shown = (await accounts.get(f"/{account_id}")).json()
    assert {name: shown[name] for name in gone} == gone
    assert (shown["known_since"], shown["industry"]) == ("2026-03-02T09:00:00Z", "wholesale")


async def test_a_batch_settles_item_by_item_and_keeps_the_order(accounts: Any, outbox: Any) -> None:
    results = await accounts.post(
        crm(1, name="One"),
        crm(2),
        crm(1, tier="B"),
        {"surprise": 1},
        crm(3, name="Three", parent={"source": "crm", "external_id": "1"}),
        crm(1, tier="B"),
    )
    assert codes(results) == ["created", "name-missing", "updated", "validation-failed", "created", "unchanged"]
    assert results[0]["id"] == results[2]["id"] == results[5]["id"]
    assert [(e.data["name"], e.sequence) for e in outbox()] == [("One", 1), ("One", 2), ("Three", 1)]
    assert outbox()[2].data["parent_id"] == results[0]["id"]


async def test_five_hundred_accounts_are_one_batch_and_501_are_refused(accounts: Any, outbox: Any) -> None:
    items = [crm(n, name=f"Account {n}") for n in range(501)]
    answer = await accounts.client.post("/v1/accounts", json={"items": items}, headers=accounts.headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-items")
    assert {"created"} == set(codes(await accounts.post(*items[:500])))
    assert len(outbox()) == 500


async def test_a_dry_run_tells_what_would_happen_and_does_nothing(accounts: Any, outbox: Any) -> None:
    await accounts.create(1)
    results = await accounts.post(crm(1, tier="A"), crm(2, name="Two"), crm(3), dry_run="true")
    assert codes(results) == ["updated", "created", "name-missing"]
    assert results[1]["id"] is None
    assert len(outbox()) == 1
    assert len((await accounts.get("")).json()["items"]) == 1


async def test_a_repeat_with_the_same_idempotency_key_gets_the_same_answer(accounts: Any, outbox: Any) -> None:
    headers = accounts.headers | {"Idempotency-Key": "k1"}
    answers = [await accounts.client.post("/v1/accounts", json={"name": "A"}, headers=headers) for _ in "12"]
    assert answers[0].json() == answers[1].json()
    assert len(outbox()) == 1


async def test_two_upserts_of_the_same_external_id_at_once_give_one_account(accounts: Any, outbox: Any) -> None:
    batches = [[crm(n, name="Same") for n in order] for order in ([1, 2, 3], [3, 2, 1])] * 3
    results = await asyncio.gather(*(accounts.post(*batch) for batch in batches))
    assert len({result["id"] for answer in results for result in answer}) == 3
    assert sorted(code for answer in results for code in codes(answer)) == ["created"] * 3 + ["unchanged"] * 15
    assert len(outbox()) == 3


async def test_two_changes_of_parents_at_once_never_close_a_circle(accounts: Any) -> None:
    one, two = await accounts.create(1), await accounts.create(2)
    answers = await asyncio.gather(
        accounts.change(one, 1, {"parent": {"id": two}}), accounts.change(two, 1, {"parent": {"id": one}})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_patch_changes_what_it_names_and_moves_the_etag(accounts: Any, outbox: Any, clock: FixedClock) -> None:
    account_id = await accounts.create(1, tier="A")
    clock.advance(timedelta(hours=1))
    answer = await accounts.change(account_id, 1, {"tier": "B"})
    assert answer.json() == {"status": "updated", "id": account_id, "problem": None}
    assert answer.headers["etag"] == '"2"'
    shown = await accounts.get(f"/{account_id}")
    assert (shown.headers["etag"], shown.json()["tier"], shown.json()["name"]) == ('"2"', "B", "Account 1")
    assert shown.json()["origins"]["tier"] == {"source": "api", "at": "2026-03-02T10:00:00Z"}
    assert [event.sequence for event in outbox()] == [1, 2]


async def test_a_patch_that_says_nothing_new_changes_nothing(accounts: Any, outbox: Any) -> None:
    account_id = await accounts.create(1, tier="A")
    answer = await accounts.change(account_id, 1, {"tier": "A"})
    assert (answer.json()["status"], answer.headers["etag"]) == ("unchanged", '"1"')
    assert len(outbox()) == 1


async def test_a_removal_is_an_event_and_a_tombstone_and_takes_everything_along(
    accounts: Any, outbox: Any, admin: Any
) -> None:
    account_id = await accounts.create(1)
    await accounts.appoint(account_id, 1, {"role": "business-driver", "email": "ana@example.com"})
    assert (await accounts.remove(account_id, 2, reason="merged")).status_code == 204
    assert (await accounts.get(f"/{account_id}")).status_code == 404
    removed, tombstone = outbox()[2:]
    assert removed.type == "account.profile.removed.v1"
    assert (removed.sequence, removed.data) == (3, {"account_id": account_id, "version": 3, "reason": "merged"})
    assert (tombstone.key, tombstone.value) == (removed.key, None)
    for table in ("account", "account_external_id", "account_member", "account_health"):
        assert admin(f"SELECT * FROM {table}") == []


async def test_a_parent_can_not_be_removed_before_its_children(accounts: Any) -> None:
    parent = await accounts.create(1)
    child = await accounts.create(2, parent={"id": parent})
    refused = await accounts.remove(parent, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "account-has-children")
    assert (await accounts.remove(child, 1)).status_code == 204
    assert (await accounts.remove(parent, 1)).status_code == 204
