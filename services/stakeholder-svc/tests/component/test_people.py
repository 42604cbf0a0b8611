"""People over HTTP: made, changed, read, listed, erased."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import opaque_id, uuid7

pytestmark = pytest.mark.usefixtures("known")

CHANGED, REMOVED = "stakeholder.profile.changed.v1", "stakeholder.profile.removed.v1"
ROBIN: dict[str, Any] = {
    "external_ids": [{"source": "hubspot", "external_id": "contact-4"}],
    "name": "Robin Example",
    "title": "Head of purchasing",
    "email": "Robin@Client.example",
    "decision_roles": ["purchaser", "economic", "economic"],
    "veto": True,
    "sentiment": "champion",
    "certainty": "confirmed",
    "priorities": ["Delivery on time"],
    "grid": {"power": 5, "perception": 3, "priority": 4, "promoter": 3, "pliability": 2, "weight": 5},
}


async def test_a_person_is_made_once_and_has_the_id_that_others_compute(
    put: Any, read: Any, outbox: Any, account_id: UUID
) -> None:
    first, again = [*await put(ROBIN), *await put(ROBIN)]
    expected = str(opaque_id("acme", "contact", "hubspot", "contact-4"))
    assert ("created", expected, "unchanged") == (first["status"], first["id"], again["status"])
    person = await read(expected)
    assert (
        person["decision_roles"],
        person["email"],
        person["sentiment_since"],
    ) == (["economic", "purchaser"], "robin@client.example", "2026-03-02")
    assert (person["grid"]["total"], person["grid"]["weighted_total"]) == (17, 85)
    [said] = outbox(CHANGED)
    assert (f"acme/{expected}", 1, 5, True) == (said.key, said.sequence, said.data["power"], said.data["veto"])
    assert str(account_id) == said.data["account_id"]


async def test_nothing_of_a_persons_own_leaves_the_service(put: Any, outbox: Any) -> None:
    await put(ROBIN)
    assert not [event for event in outbox() if b"Robin" in (event.value or b"") or b"@" in (event.value or b"")]


async def test_one_object_and_lines_are_taken_too(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID
) -> None:
    body = ROBIN | {"account": {"source": "hubspot", "external_id": "company-17"}}
    one = await client.post("/v1/stakeholders", json=body, headers=writer)
    assert [item["status"] for item in one.json()["items"]] == ["created"]
    lines = f'{{"name": "A", "account": {{"id": "{account_id}"}}}}\nnot json\n'
    many = await client.post(
        "/v1/stakeholders", content=lines, headers=writer | {"Content-Type": "application/x-ndjson"}
    )
    assert (many.status_code, [item["status"] for item in many.json()["items"]]) == (200, ["created", "rejected"])


async def test_a_bulk_keeps_its_order_and_what_is_wrong_keeps_nothing_else_out(put: Any, admin: Any) -> None:
    results = await put(
        {"name": "Boss", "external_ids": [{"source": "crm", "external_id": "1"}]},
        {"name": "Report", "reports_to": {"source": "crm", "external_id": "1"}},
        {"name": ""},
        {"name": "Nowhere", "account": {"id": str(uuid7())}},
        {"name": "Alone", "reports_to": {"source": "crm", "external_id": "404"}},
        {"name": "Odd", "shoe_size": 45},
        {"name": "Graded", "grid": {"power": 6, "perception": 1, "priority": 1, "promoter": 1, "pliability": 1}},
        {"title": "Nameless"},
        {"external_ids": [{"source": "crm", "external_id": "1"}], "reports_to": {"source": "crm", "external_id": "1"}},
    )
    codes = [result["problem"] and result["problem"]["code"] for result in results]
    assert codes == [
        None,
        None,
        "validation-failed",
        "unknown-account",
        "unknown-superior",
        "validation-failed",
        "validation-failed",
        "name-missing",
        "reports-to-cycle",
    ]
    pointers = [result["problem"] and result["problem"]["errors"][0]["pointer"] for result in results]
    assert pointers[2:7] == ["/items/2/name", "/account", "/reports_to", "/items/5/shoe_size", "/items/6/grid/power"]
    assert [row.name for row in admin("SELECT name FROM person ORDER BY name")] == ["Boss", "Report"]


async def test_a_dry_run_says_what_would_happen_and_does_nothing(
    client: httpx.AsyncClient, writer: dict[str, str], admin: Any, account_id: UUID, outbox: Any
) -> None:
    body = {"items": [ROBIN | {"account": {"id": str(account_id)}}, {"name": "Nowhere"}]}
    answer = await client.post("/v1/stakeholders", params={"dry_run": True}, json=body, headers=writer)
    assert [(i["status"], i["id"]) for i in answer.json()["items"]] == [("created", None), ("rejected", None)]
    assert (admin("SELECT 1 FROM person"), outbox()) == ([], [])


async def test_too_many_items_are_refused_as_a_whole(client: httpx.AsyncClient, writer: dict[str, str]) -> None:
    answer = await client.post("/v1/stakeholders", json={"items": [{}] * 501}, headers=writer)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-items")


async def test_five_hundred_people_are_taken_at_once(put: Any, outbox: Any) -> None:
    results = await put(*({"name": f"Person {n}"} for n in range(500)))
    assert {"created"} == {result["status"] for result in results}
    assert (len(outbox(CHANGED)), len(outbox("stakeholder.coverage.changed.v1"))) == (500, 1)


async def test_a_person_is_changed_by_a_merge_patch(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, read: Any, outbox: Any
) -> None:
    [made] = await put(ROBIN)
    path, headers = f"/v1/stakeholders/{made['id']}", writer | {"If-Match": '"1"'}
    changed = await client.patch(path, json={"title": None, "status": "gone"}, headers=headers)
    assert (changed.status_code, changed.json()["status"], changed.headers["etag"]) == (200, "updated", '"2"')
    same = await client.patch(path, json={"status": "gone"}, headers=writer | {"If-Match": '"2"'})
    assert (same.json()["status"], same.headers["etag"]) == ("unchanged", '"2"')
    person = await read(made["id"])
    assert (person["title"], person["status"], person["name"]) == (None, "gone", "Robin Example")
    assert [event.data["status"] for event in outbox(CHANGED)] == ["active", "gone"]
    assert (await client.patch(path, json={"veto": False}, headers=writer)).status_code == 428
    assert (await client.patch(path, json={"veto": False}, headers=headers)).status_code == 412


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": None}, 422, "validation-failed"),
        ({"sentiment": "friend"}, 422, "validation-failed"),
        ({"sentiment_since": "2027-01-01"}, 422, "date-out-of-reach"),
        ({"decision_roles": ["king"]}, 422, "validation-failed"),
        ({"veto": "yes"}, 422, "validation-failed"),
        ({"email": "nobody"}, 422, "validation-failed"),
        ({"grid": {"power": 3}}, 422, "validation-failed"),
        ({"reports_to": {}}, 422, "validation-failed"),
        ({"reports_to": {"id": str(uuid7())}}, 422, "unknown-superior"),
        ({"account": {"id": "0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d02"}}, 409, "account-stays"),
        ({"account": {"id": str(uuid7())}}, 404, "unknown-account"),
        ({"external_ids": [{"source": "crm", "external_id": "taken"}]}, 409, "external-id-taken"),
        ({"confidential_notes": "Likes golf"}, 403, "notes-are-confidential"),
    ],
)
async def test_a_wrong_change_is_refused_and_leaves_the_person(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    put: Any,
    read: Any,
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    [made, _] = await put(ROBIN, {"name": "Kim", "external_ids": [{"source": "crm", "external_id": "taken"}]})
    before = await read(made["id"])
    path = f"/v1/stakeholders/{made['id']}"
    refused = await client.patch(path, json=change, headers=writer | {"If-Match": '"1"'})
    assert (status, code) == (refused.status_code, refused.json()["code"]), refused.text
    assert before == await read(made["id"])


async def test_confidential_notes_are_for_the_scope_of_their_own(put: Any, read: Any, auth: Any) -> None:
    trusted = auth("stakeholders:read stakeholders:write stakeholders:admin")
    noted = ROBIN | {"confidential_notes": "Leaves in May"}
    [refused] = await put(noted)
    assert (refused["status"], refused["problem"]["code"]) == ("rejected", "notes-are-confidential")
    [made] = await put(noted, headers=trusted)
    assert None is (await read(made["id"]))["confidential_notes"]
    assert (await read(made["id"], headers=trusted))["confidential_notes"] == "Leaves in May"
    [again] = await put(ROBIN | {"title": "CFO"})
    assert again["status"] == "updated"
    assert (await read(made["id"], headers=trusted))["confidential_notes"] == "Leaves in May"


async def test_people_are_listed_by_account_role_sentiment_and_status(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, account_id: UUID, other_id: UUID
) -> None:
    robin, kim, lee = await put(
        ROBIN,
        {"name": "Kim", "decision_roles": ["user"], "status": "gone"},
        {"name": "Lee", "account": {"id": str(other_id)}, "decision_roles": ["user"]},
    )

    async def listed(**query: Any) -> set[str]:
        answer = await client.get("/v1/stakeholders", params=query, headers=writer)
        return {person["id"] for person in answer.json()["items"]}

    assert {robin["id"], kim["id"], lee["id"]} == await listed()
    assert {robin["id"], kim["id"]} == await listed(account_id=str(account_id))
    assert {kim["id"], lee["id"]} == await listed(role="user")
    assert {robin["id"]} == await listed(sentiment="champion")
    assert {kim["id"]} == await listed(status="gone", role="user")
    first = (await client.get("/v1/stakeholders", params={"limit": 2}, headers=writer)).json()
    rest = await listed(limit=2, cursor=first["next_cursor"])
    assert len({person["id"] for person in first["items"]} | rest) == 3
    assert (await client.get("/v1/stakeholders", params={"role": "king"}, headers=writer)).status_code == 422


async def test_an_erased_person_leaves_nothing_but_an_opaque_id(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, read: Any, outbox: Any, admin: Any
) -> None:
    [robin] = await put(ROBIN)
    [kim] = await put({"name": "Kim", "reports_to": {"id": robin["id"]}})
    path = f"/v1/stakeholders/{robin['id']}"
    assert (await client.delete(path, headers=writer)).status_code == 428
    assert (await client.delete(path, headers=writer | {"If-Match": '"7"'})).status_code == 412
    erased = await client.delete(path, headers=writer | {"If-Match": '"1"'})
    assert (erased.status_code, erased.content) == (204, b"")
    assert (
        (await client.get(path, headers=writer)).status_code,
        (await read(robin["id"]))["code"],
    ) == (404, "unknown-stakeholder")
    assert ((await read(kim["id"]))["reports_to"], (await read(kim["id"]))["version"]) == (None, 2)
    [said] = outbox(REMOVED)
    assert (said.sequence, said.data["reason"]) == (2, "erased")
    assert [f"acme/{robin['id']}"] == [event.key for event in outbox() if event.value is None]
    for table in ("person", "person_external_id", "erased_person", "outbox", "idempotency"):
        assert "Robin" not in str(admin(f"SELECT * FROM {table}"))
    assert (await client.delete(path, headers=writer | {"If-Match": '"1"'})).status_code == 404
    [back] = await put(ROBIN)
    assert ("created", robin["id"]) == (back["status"], back["id"])
    assert outbox(CHANGED)[-1].sequence == 3


async def test_a_repeated_request_with_a_key_is_answered_as_the_first_time(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID, admin: Any
) -> None:
    body = {"name": "Nobody knows me by an id", "account": {"id": str(account_id)}}
    keyed = writer | {"Idempotency-Key": "once"}
    first = await client.post("/v1/stakeholders", json=body, headers=keyed)
    second = await client.post("/v1/stakeholders", json=body, headers=keyed)
    assert first.json() == second.json()
    assert len(admin("SELECT 1 FROM person")) == 1


async def test_another_tenant_sees_and_changes_nothing(
    client: httpx.AsyncClient, put: Any, read: Any, auth: Any, account_id: UUID
) -> None:
    [robin] = await put(ROBIN)
    stranger = auth("stakeholders:read stakeholders:write stakeholders:admin", tenant="globex")
    path = f"/v1/stakeholders/{robin['id']}"
    answers = [
        await client.get(path, headers=stranger),
        await client.patch(path, json={"veto": False}, headers=stranger | {"If-Match": '"1"'}),
        await client.delete(path, headers=stranger | {"If-Match": '"1"'}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert (await client.get("/v1/stakeholders", headers=stranger)).json()["items"] == []
    [twin] = await put(ROBIN, headers=stranger)
    assert (twin["status"], twin["id"] != robin["id"]) == ("created", True)
    grid = await client.get(f"/v1/accounts/{account_id}/power-grid", headers=stranger)
    assert [twin["id"]] == [person["id"] for person in grid.json()["people"]]


async def test_reading_and_writing_are_rights_of_their_own(client: httpx.AsyncClient, auth: Any) -> None:
    assert (await client.post("/v1/stakeholders", json={}, headers=auth("stakeholders:read"))).status_code == 403
    assert (await client.get("/v1/stakeholders", headers=auth("stakeholders:write"))).status_code == 403
    assert (await client.get("/v1/stakeholders/me", headers=auth("stakeholders:read"))).status_code == 422
