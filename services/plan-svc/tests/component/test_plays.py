"""Plays over HTTP, and who answers for them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import opaque_id, uuid7

pytestmark = pytest.mark.usefixtures("known")

OPENED, CLOSED = "account.play.opened.v1", "account.play.closed.v1"


@pytest.fixture
def body(account_id: UUID) -> dict[str, Any]:
    return {"account_id": str(account_id), "play": "grow-account", "why": "They asked for more"}


async def test_a_play_is_opened_by_hand_with_the_accounts_owner(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], outbox: Any, owner_id: UUID
) -> None:
    made = await client.post("/v1/plays", json=body, headers=writer)
    assert made.status_code == 201, made.text
    play = made.json()
    assert ("open", str(owner_id), None, 3) == (
        play["status"],
        play["accountable_id"],
        play["alert_id"],
        len(play["steps"]),
    )
    read = await client.get(made.headers["location"], headers=writer)
    assert (play, made.headers["etag"]) == (read.json(), read.headers["etag"])
    [said] = outbox(OPENED)
    assert (play["id"], None) == (said.data["play_id"], said.data["alert_id"])


async def test_who_is_named_answers_for_it(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    named = {"accountable": {"email": "cleo@example.com"}}
    play = (await client.post("/v1/plays", json=body | named, headers=writer)).json()
    assert str(opaque_id("acme", "user", "cleo@example.com")) == play["accountable_id"]


async def test_a_second_play_of_the_kind_is_refused_until_the_first_is_closed(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], outbox: Any
) -> None:
    play = (await client.post("/v1/plays", json=body, headers=writer)).json()
    refused = await client.post("/v1/plays", json=body, headers=writer)
    assert (refused.status_code, refused.json()["code"]) == (409, "play-already-open")
    assert len(outbox()) == 1
    closed = await client.post(f"/v1/plays/{play['id']}/close", json={"note": "Won"}, headers=writer)
    assert (
        closed.status_code,
        *(closed.json()[name] for name in ("status", "close_reason", "close_note")),
    ) == (200, "closed", "closed-by-hand", "Won")
    assert (await client.post("/v1/plays", json=body, headers=writer)).status_code == 201
    assert [said.type for said in outbox()] == [OPENED, CLOSED, OPENED]


async def test_who_takes_a_play_answers_for_it_and_for_its_steps(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any]
) -> None:
    play = (await client.post("/v1/plays", json=body, headers=writer)).json()
    taken = await client.post(f"/v1/plays/{play['id']}/take", headers=writer)
    caller = str(opaque_id("acme", "user", "ana@example.com"))
    assert (200, caller, caller) == (taken.status_code, taken.json()["taken_by"], taken.json()["accountable_id"])
    assert {caller} == {step["accountable_id"] for step in taken.json()["steps"]}
    handed = await client.post(
        f"/v1/plays/{play['id']}/take", json={"person": {"email": "cleo@example.com"}}, headers=writer
    )
    assert str(opaque_id("acme", "user", "cleo@example.com")) == handed.json()["taken_by"]
    stale = await client.post(f"/v1/plays/{play['id']}/take", headers=writer | {"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_a_closed_play_is_neither_taken_nor_closed_again(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], outbox: Any
) -> None:
    play = (await client.post("/v1/plays", json=body, headers=writer)).json()
    await client.post(f"/v1/plays/{play['id']}/close", json={"note": "Won"}, headers=writer)
    taken = await client.post(f"/v1/plays/{play['id']}/take", headers=writer)
    closed = await client.post(f"/v1/plays/{play['id']}/close", json={"note": "Again"}, headers=writer)
    assert [(a.status_code, a.json()["code"]) for a in (taken, closed)] == [(409, "play-closed")] * 2
    assert len(outbox(CLOSED)) == 1


async def test_what_is_not_known_is_refused(
    client: httpx.AsyncClient, writer: dict[str, str], body: dict[str, Any], admin: Any
) -> None:
    account = await client.post("/v1/plays", json=body | {"account_id": str(uuid7())}, headers=writer)
    play = await client.post("/v1/plays", json=body | {"play": "dance"}, headers=writer)
    field = await client.post("/v1/plays", json=body | {"colour": "red"}, headers=writer)
    assert [(answer.status_code, answer.json()["code"]) for answer in (account, play, field)] == [
        (404, "unknown-account"),
        (422, "unknown-play-template"),
        (422, "validation-failed"),
    ]
    assert play.json()["errors"][0]["pointer"] == "/play"
    assert admin("SELECT 1 FROM play") == []
    path = f"/v1/plays/{uuid7()}"
    unknown = [
        await client.get(path, headers=writer),
        await client.post(f"{path}/take", headers=writer),
        await client.post(f"{path}/close", json={"note": "x"}, headers=writer),
    ]
    assert [(a.status_code, a.json()["code"]) for a in unknown] == [(404, "unknown-play")] * 3
    assert (await client.post(f"{path}/close", json={"note": ""}, headers=writer)).status_code == 422


async def test_plays_are_listed_by_account_and_status(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    body: dict[str, Any],
    auth: Any,
    account_id: UUID,
) -> None:
    first = (await client.post("/v1/plays", json=body, headers=writer)).json()
    second = (await client.post("/v1/plays", json=body | {"play": "unblock-plan"}, headers=writer)).json()
    await client.post(f"/v1/plays/{first['id']}/close", json={"note": "Done"}, headers=writer)

    async def listed(headers: dict[str, str], **query: Any) -> list[str]:
        answer = await client.get("/v1/plays", params=query, headers=headers)
        return [play["id"] for play in answer.json()["items"]]

    assert {first["id"], second["id"]} == set(await listed(writer, account_id=str(account_id)))
    assert [second["id"]] == await listed(writer, account_id=str(account_id), status="open")
    assert await listed(writer, account_id=str(uuid7())) == []
    page = (await client.get("/v1/plays", params={"limit": 1}, headers=writer)).json()
    rest = await listed(writer, limit=1, cursor=page["next_cursor"])
    assert {first["id"], second["id"]} == {page["items"][0]["id"], *rest}
    stranger = auth("plans:read plans:write", tenant="globex")
    assert await listed(stranger) == []
    assert (await client.get(f"/v1/plays/{second['id']}", headers=stranger)).status_code == 404
    assert (await client.post(f"/v1/plays/{second['id']}/take", headers=stranger)).status_code == 404


async def test_the_catalogue_of_plays_can_be_read(client: httpx.AsyncClient, writer: dict[str, str]) -> None:
    catalogue = (await client.get("/v1/play-templates", headers=writer)).json()
    assert "recover-relationship" in {template["code"] for template in catalogue["items"]}
    assert None is catalogue["next_cursor"]


async def test_a_tenant_chooses_who_answers_when_nobody_is_known(
    client: httpx.AsyncClient, writer: dict[str, str], auth: Any, deliver: Any, alert: Any, outbox: Any
) -> None:
    default = await client.get("/v1/play-settings", headers=writer)
    role = str(opaque_id("acme", "role", "account-lead"))
    assert (role, 0) == (default.json()["fallback_owner_id"], default.json()["version"])
    choice = {"fallback_owner_email": "lead@example.com", "reason": "She knows them all"}
    assert (await client.put("/v1/play-settings", json=choice, headers=writer)).status_code == 403
    admin = auth("plans:read plans:admin")
    assert (await client.put("/v1/play-settings", json=choice, headers=admin | {"If-Match": '"3"'})).status_code == 412
    chosen = await client.put("/v1/play-settings", json=choice, headers=admin | {"If-Match": default.headers["etag"]})
    lead = str(opaque_id("acme", "user", "lead@example.com"))
    assert (200, lead, 1) == (chosen.status_code, chosen.json()["fallback_owner_id"], chosen.json()["version"])
    assert chosen.json() == (await client.get("/v1/play-settings", headers=admin)).json()
    assert (await client.put("/v1/play-settings", json=choice, headers=admin)).json()["version"] == 2
    await deliver(alert("opened", 1, account_id=uuid7()), alert("opened", 1, account_id=uuid7(), tenant="globex"))
    assert {"acme": lead, "globex": str(opaque_id("globex", "role", "account-lead"))} == {
        said.tenant: said.data["accountable_id"] for said in outbox(OPENED)
    }
