"""Bad input: each item its code, the others are taken; nothing of a refused request is stored."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

BAD = [
    ({"source": ""}, "missing-identity", "/source"),
    ({"external_id": "  "}, "missing-identity", "/external_id"),
    ({"type": "telegram"}, "unknown-activity-type", "/type"),
    ({"type": "observation", "outcome": None}, "unknown-activity-type", "/type"),
    ({"outcome": "held"}, "outcome-mismatch", "/outcome"),
    ({"direction": None}, "missing-direction", "/direction"),
    ({"occurred_at": "2026-03-02T09:05:01Z"}, "occurred-in-future", "/occurred_at"),
    ({"occurred_at": "1989-12-31T00:00:00Z"}, "occurred-too-early", "/occurred_at"),
    ({"in_reply_to": "call-1"}, "reply-to-itself", "/in_reply_to"),
    ({"amount": "12.50"}, "amount-without-currency", "/currency"),
    ({"currency": "EUR"}, "amount-without-currency", "/amount"),
    ({"occurred_at": "2026-03-02T09:00:00"}, "validation-failed", "/items/1/occurred_at"),
    ({"occurred_at": 1772442000}, "validation-failed", "/items/1/occurred_at"),
    ({"amount": 12.5, "currency": "EUR"}, "validation-failed", "/items/1/amount"),
    ({"amount": "12.50", "currency": "EURO"}, "validation-failed", "/items/1/currency"),
    ({"direction": "sideways"}, "validation-failed", "/items/1/direction"),
    ({"revision": "2"}, "validation-failed", "/items/1/revision"),
    ({"revision": -1}, "validation-failed", "/items/1/revision"),
    ({"asks_reply": "yes"}, "validation-failed", "/items/1/asks_reply"),
    ({"account": {}}, "validation-failed", "/items/1/account"),
    ({"account": {"domain": ""}}, "validation-failed", "/items/1/account/domain"),
    ({"account": {"id": str(UUID(int=1)), "domain": "acme.example"}}, "validation-failed", "/items/1/account"),
    ({"account": {"source": "crm"}}, "validation-failed", "/items/1/account"),
    ({"contacts": [{"email": "nobody"}]}, "validation-failed", "/items/1/contacts/0/email"),
    ({"attributes": {"a": {"b": 1}}}, "validation-failed", None),
    ({"colour": "red"}, "validation-failed", "/items/1/colour"),
    ({"tenant": "globex"}, "validation-failed", "/items/1/tenant"),
]


@pytest.mark.parametrize(("changed", "code", "pointer"), BAD)
async def test_a_bad_item_is_rejected_with_its_code_and_the_others_are_taken(
    crm: Any, account: UUID, admin: Any, changed: dict[str, Any], code: str, pointer: str | None
) -> None:
    good, bad, too = await crm.post(crm.call(2), crm.call(1, **changed), crm.call(3))
    assert (good["status"], bad["status"], too["status"]) == ("accepted", "rejected", "accepted")
    assert (bad["problem"]["code"], bad["id"]) == (code, None)
    if pointer:
        assert pointer in [error["pointer"] for error in bad["problem"]["errors"]]
    assert len(admin("SELECT 1 FROM activity")) == 2


async def test_a_single_item_that_is_rejected_is_answered_like_a_list_of_one(crm: Any) -> None:
    answer = await crm.client.post("/v1/activities", json=crm.call(1, "held"), headers=crm.headers)
    assert answer.status_code == 200
    [result] = answer.json()["items"]
    assert (result["status"], result["problem"]["code"]) == ("rejected", "outcome-mismatch")


async def test_lines_of_json_are_taken_one_by_one(crm: Any, account: UUID) -> None:
    note = crm.call(1, None, type="note", contacts=[], account={"domain": "ACME.example"})
    lines = [json.dumps(note), "{"]
    answer = await crm.client.post(
        "/v1/activities",
        content="\n".join(lines),
        headers=crm.headers | {"Content-Type": "application/x-ndjson"},
    )
    first, second = answer.json()["items"]
    assert (first["status"], second["status"]) == ("accepted", "rejected")
    assert second["problem"]["code"] == "malformed-json"


async def test_more_than_five_hundred_items_are_refused_whole(crm: Any, account: UUID, admin: Any) -> None:
    items = [crm.call(number, contacts=[]) for number in range(501)]
    answer = await crm.client.post("/v1/activities", json={"items": items}, headers=crm.headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-items")
    assert admin("SELECT 1 FROM activity") == []


async def test_a_dry_run_says_what_would_become_and_stores_nothing(
    crm: Any, account: UUID, admin: Any, outbox: Any
) -> None:
    before = len(outbox())
    assert await crm.statuses(crm.call(1), crm.call(2, "held"), dry_run="true") == ["accepted", "rejected"]
    assert admin("SELECT 1 FROM activity") == []
    assert len(outbox()) == before


async def test_evidence_of_an_unknown_kind_or_of_tomorrow_is_rejected(crm: Any, account: UUID) -> None:
    seen = {"kind": "advice-sought", "observed_at": crm.at(), "account": {"id": str(account)}}
    results = await crm.post(
        seen | {"kind": "horoscope"},
        seen | {"observed_at": crm.at(days=-1)},
        seen | {"magnitude": 0},
        seen,
        path="/v1/evidence",
    )
    codes = [result["problem"] and result["problem"]["code"] for result in results]
    assert codes == ["unknown-evidence-kind", "occurred-in-future", "validation-failed", None]


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        ("evidence:read", "POST", "/v1/activities"),
        ("evidence:ingest", "GET", "/v1/activities"),
        ("evidence:ingest", "GET", "/v1/evidence"),
        ("evidence:ingest", "POST", "/v1/evidence/01890000-0000-7000-8000-000000000017/retract"),
        ("evidence:write", "PUT", "/v1/derivation-rules"),
    ],
)
async def test_each_route_wants_its_scope(
    client: Any, auth: Callable[..., dict[str, str]], scopes: str, method: str, path: str
) -> None:
    answer = await client.request(method, path, json={}, headers=auth(scopes))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_another_tenant_sees_and_changes_nothing(crm: Any, of_globex: Any, account: UUID, admin: Any) -> None:
    [result] = await crm.post(crm.call(1, "connected", direction="inbound"))
    [piece] = (await crm.get("/v1/evidence"))["items"]
    for path in (
        f"/v1/activities/{result['id']}",
        f"/v1/evidence/{piece['id']}",
        f"/v1/accounts/{account}/touch",
        f"/v1/accounts/{account}/evidence-metrics",
    ):
        answer = await of_globex.client.get(path, headers=of_globex.headers)
        assert answer.status_code == 404, path
    assert (await of_globex.get("/v1/activities"))["items"] == []
    assert (await of_globex.get("/v1/evidence"))["items"] == []
    answer = await of_globex.client.post(
        f"/v1/evidence/{piece['id']}/retract", json={"reason": "Mine"}, headers=of_globex.headers
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-evidence")
    assert await of_globex.statuses(crm.call(1, account={"id": str(account)})) == ["unmatched"]
    assert await crm.standing() == ["client-contacted"]


async def test_what_is_not_there_is_not_found(crm: Any) -> None:
    nothing = "01890000-0000-7000-8000-00000000dead"
    for path, code in (
        (f"/v1/activities/{nothing}", "unknown-activity"),
        (f"/v1/evidence/{nothing}", "unknown-evidence"),
        (f"/v1/accounts/{nothing}/touch", "unknown-account"),
        (f"/v1/accounts/{nothing}/evidence-metrics", "unknown-account"),
    ):
        answer = await crm.client.get(path, headers=crm.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_period_that_ends_before_it_starts_is_refused(crm: Any, account: UUID) -> None:
    answer = await crm.client.get(
        f"/v1/accounts/{account}/evidence-metrics",
        params={"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        headers=crm.headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "period-out-of-order")


async def test_no_address_of_anybody_is_stored_or_said(crm: Any, account: UUID, admin: Any, outbox: Any) -> None:
    await crm.post(
        crm.call(1, "connected", contacts=[{"email": "Bo@acme.example"}], owner={"email": "Ana@example.com"})
    )
    stored = str(admin("SELECT * FROM activity")) + str([row.data for row in outbox()])
    assert "@" not in stored
