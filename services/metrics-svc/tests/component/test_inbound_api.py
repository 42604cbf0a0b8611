"""Deliveries: believed or not, taken once, answered as the source expects, and worked after."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from hmac import digest
from typing import Any
from uuid import UUID

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox, ServiceUnderTest

EVENT = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "call.logged"}
NOBODY = UUID(int=7)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def event(crm: Any, number: int, **changed: Any) -> dict[str, Any]:
    return EVENT | {"data": crm.call(number) | changed}


def signed(crm: Any, connected: Any, content: bytes, *, id_: str = "msg-1", **ago: float) -> dict[str, Any]:
    """A request as a signing source makes it."""
    at = crm.clock.now() - timedelta(**ago)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(connected.secret).sign(id_, at, content.decode()),
        "content-type": "application/cloudevents+json",
    }
    return {"url": connected.address, "content": content, "headers": headers}


async def test_a_delivery_is_taken_at_once_and_worked_after(crm: Any, account: UUID) -> None:
    connected = await crm.connect("cloudevents")
    body = json.dumps([event(crm, 1), event(crm, 2), event(crm, 3, outcome="held"), {"specversion": "2"}]).encode()
    answer = await crm.client.post(**signed(crm, connected, body))
    assert (answer.status_code, answer.content) == (202, b"")
    assert (await crm.get("/v1/activities"))["items"] == []
    [delivery] = await crm.deliveries()
    assert (delivery["status"], delivery["counts"]) == ("worked", {"accepted": 2, "rejected": 1, "unread": 1})
    [refused], [unread] = delivery["rejected"], delivery["unread"]
    assert (refused["item"], refused["problem"]["code"]) == (2, "outcome-mismatch")
    assert (unread["code"], unread["pointer"]) == ("no-cloudevent", "/3")
    [first, _] = (await crm.get("/v1/activities"))["items"]
    assert (first["source"], first["account_id"]) == ("crm", str(account))


async def test_a_delivery_is_worked_once_however_often_it_comes(crm: Any, account: UUID) -> None:
    connected = await crm.connect("cloudevents")
    request = signed(crm, connected, json.dumps(event(crm, 1)).encode())
    answers = await asyncio.gather(*(crm.client.post(**request) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(await crm.deliveries()) == 1


async def test_a_delivery_is_not_believed_without_a_signature_that_holds(crm: Any) -> None:
    connected, other = await crm.connect("cloudevents"), await crm.connect("cloudevents")
    body = json.dumps(event(crm, 1)).encode()
    good = signed(crm, connected, body)
    for request, why in (
        (good | {"headers": {}}, "missing-signature"),
        (good | {"content": body + b" "}, "wrong-signature"),
        (good | {"url": other.address}, "wrong-signature"),
        (signed(crm, connected, body, minutes=6), "signature-too-old"),
        (signed(crm, connected, body, minutes=-6), "signature-too-old"),
    ):
        assert code(await crm.client.post(**request)) == (401, why)
    assert await crm.deliveries() == []


async def test_both_live_secrets_prove_and_a_removed_one_does_not(crm: Any) -> None:
    connected = await crm.connect("cloudevents")
    await crm.client.post(f"{connected.path}/secrets", json={}, headers=crm.headers)
    body = json.dumps(event(crm, 1)).encode()
    assert (await crm.client.post(**signed(crm, connected, body))).status_code == 202
    await crm.client.delete(f"{connected.path}/secrets/{connected.secret_id}", headers=crm.headers)
    answer = await crm.client.post(**signed(crm, connected, body, id_="msg-2"))
    assert code(answer) == (401, "wrong-signature")


async def test_a_replay_is_refused_where_a_source_never_repeats(crm: Any, account: UUID) -> None:
    connected = await crm.connect("hubspot", secret="client-secret")
    request = hubspot(crm, connected, b"[]", "http://test")
    assert (await crm.client.post(**request)).status_code == 200
    assert code(await crm.client.post(**request)) == (409, "replayed-delivery")
    assert len(await crm.deliveries()) == 1


def hubspot(crm: Any, connected: Any, body: bytes, public: str) -> dict[str, Any]:
    timestamp = str(int(crm.clock.now().timestamp() * 1_000))
    text = f"POST{public}{connected.address}".encode() + body + timestamp.encode()
    made = b64encode(digest(connected.secret.encode(), text, "sha256")).decode()
    headers = {"X-HubSpot-Signature-v3": made, "X-HubSpot-Request-Timestamp": timestamp}
    return {"url": connected.address, "content": body, "headers": headers}


async def test_behind_a_proxy_the_public_address_is_what_was_signed(
    crm: Any, settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest
) -> None:
    connected = await crm.connect("hubspot", secret="client-secret")
    public = crm.client._transport.app.state.settings  # the keys that sealed the secret
    settings = settings_as("api", secret_keys=public.secret_keys, public_url="https://hooks.ours.example/bellwether")
    app = service.create_app(settings, clock=crm.clock)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,
    ):
        proxied = hubspot(crm, connected, b"[]", "https://hooks.ours.example/bellwether")
        assert (await client.post(**proxied)).status_code == 200
        assert code(await client.post(**hubspot(crm, connected, b"[ ]", "http://test"))) == (401, "wrong-signature")


async def test_a_source_that_signs_nothing_shows_its_key(crm: Any, of_globex: Any, account: UUID) -> None:
    connected, foreign = await crm.connect("salesforce"), await of_globex.connect("salesforce")
    headers = {"Authorization": f"Bearer {connected.secret}"}
    for _ in range(2):
        assert (await crm.client.post(connected.address, json=[], headers=headers)).status_code < 300
    for shown, why in (
        ({}, "missing-signature"),
        ({"Authorization": f"Basic {connected.secret}"}, "missing-signature"),
        ({"Authorization": "Bearer guessed"}, "wrong-signature"),
        ({"Authorization": f"Bearer {foreign.secret}"}, "wrong-signature"),
    ):
        assert code(await crm.client.post(connected.address, json=[], headers=shown)) == (401, why)
    assert len(await crm.deliveries()) == 2
    assert await of_globex.deliveries() == []


async def test_a_handshake_is_answered_before_anything_is_proven(crm: Any) -> None:
    connected = await crm.connect("msgraph")
    answer = await crm.client.post(f"{connected.address}&validationToken=a%20token%3A1")
    assert (answer.status_code, answer.text) == (200, "a token:1")
    assert answer.headers["content-type"].startswith("text/plain")
    assert await crm.deliveries() == []


async def test_nothing_is_found_under_a_wrong_name(crm: Any) -> None:
    connected = await crm.connect("cloudevents")
    id_ = connected.path.rpartition("/")[2]
    for address in (
        f"/v1/inbound/cloudevents?connection={NOBODY}",
        f"/v1/inbound/hubspot?connection={id_}",
        f"/v1/inbound/carrier-pigeon?connection={id_}",
        "/v1/inbound/cloudevents?connection=none",
        "/v1/inbound/cloudevents",
    ):
        assert code(await crm.client.post(address, content=b"{}")) == (404, "unknown-connection"), address
    assert code(await crm.client.get(connected.address)) == (405, "method-not-allowed")


async def test_a_disabled_connection_takes_nothing(crm: Any) -> None:
    connected = await crm.connect("cloudevents")
    await crm.client.patch(connected.path, json={"disabled": True}, headers=crm.headers)
    answer = await crm.client.post(**signed(crm, connected, b"{}"))
    assert code(answer) == (403, "connection-disabled")


async def test_a_body_may_have_a_mebibyte(crm: Any) -> None:
    connected = await crm.connect("salesforce")
    headers = {"Authorization": f"Bearer {connected.secret}", "Content-Type": "text/csv"}
    answer = await crm.client.post(connected.address, content=b" " * (2**20 + 1), headers=headers)
    assert code(answer) == (413, "body-too-large")


async def test_a_body_that_cannot_be_read_fails_for_good_until_somebody_retries(crm: Any, mailbox: Mailbox) -> None:
    connected = await crm.connect("cloudevents")
    await crm.client.post(**signed(crm, connected, b"no json"))
    [failed] = await crm.deliveries(status="failed")
    assert (failed["retryable"], failed["reason"].startswith("The body can't be read")) == (True, True)
    path = f"/v1/inbound-deliveries/{failed['id']}"
    again = await crm.client.post(f"{path}/retry", headers=crm.headers)
    assert (again.json()["status"], again.json()["retryable"]) == ("received", False)
    assert code(await crm.client.post(f"{path}/retry", headers=crm.headers)) == (409, "not-retryable")
    [failed] = await crm.deliveries(status="failed")
    assert failed == await crm.get(path)
    await crm.pass_time(days=14)
    assert code(await crm.client.post(f"{path}/retry", headers=crm.headers)) == (409, "not-retryable")


async def test_bodies_are_forgotten_soon_and_deliveries_later(crm: Any, mailbox: Mailbox) -> None:
    connected = await crm.connect("cloudevents")
    request = signed(crm, connected, json.dumps(event(crm, 1)).encode())
    await crm.client.post(**request)
    await crm.deliveries()
    assert [row.body is None for row in mailbox.admin("SELECT body FROM inbound_delivery")] == [False]
    await crm.pass_time(days=1)
    assert [row.body is None for row in mailbox.admin("SELECT body FROM inbound_delivery")] == [True]
    await crm.pass_time(days=29)
    assert await crm.deliveries() == []


async def test_a_body_goes_with_its_delivery_however_often_somebody_retries(crm: Any, mailbox: Mailbox) -> None:
    connected = await crm.connect("cloudevents")
    await crm.client.post(**signed(crm, connected, b"no json"))
    [failed] = await crm.deliveries()
    for _ in range(3):
        await crm.pass_time(days=9)
        again = await crm.client.post(f"/v1/inbound-deliveries/{failed['id']}/retry", headers=crm.headers)
        assert again.status_code == 200, again.text
        await crm.deliveries()
    await crm.pass_time(days=3)
    assert mailbox.admin("SELECT 1 FROM inbound_delivery") == []


async def test_what_could_not_be_kept_is_refused_alone(crm: Any, account: UUID) -> None:
    connected = await crm.connect("cloudevents")
    odd = [
        event(crm, 1, subject="\0 is dropped" + "x" * 600),
        event(crm, 2, external_id="x" * 201),
        event(crm, 3, thread="\0"),
        event(crm, 4, revision=2**63),
        event(crm, 5, occurred_at="0001-01-01T00:00:00Z"),
        event(crm, 6, account={"domain": ""}),
    ]
    await crm.client.post(**signed(crm, connected, json.dumps(odd).encode()))
    [delivery] = await crm.deliveries()
    assert delivery["counts"] == {"accepted": 1, "rejected": 5}
    places = [item["problem"]["errors"][0]["pointer"] for item in delivery["rejected"]]
    assert places == ["/external_id", "/thread", "/revision", "/occurred_at", "/account"]
    [kept] = (await crm.get("/v1/activities"))["items"]
    assert kept["subject"] == (" is dropped" + "x" * 600)[:500]


async def test_deliveries_are_listed_by_status_and_connection_page_by_page(crm: Any, of_globex: Any) -> None:
    first, second = await crm.connect("cloudevents"), await crm.connect("cloudevents")
    for connected, body in ((first, b"{}"), (second, b"no json"), (second, b"[]")):
        crm.clock.advance(timedelta(seconds=1))
        await crm.client.post(**signed(crm, connected, body, id_=str(body)))
    everything = await crm.deliveries()
    assert [item["status"] for item in everything] == ["worked", "failed", "worked"]
    of_first = await crm.deliveries(connection_id=first.path.rpartition("/")[2])
    assert of_first == everything[2:]
    page = await crm.get("/v1/inbound-deliveries", limit=2)
    rest = await crm.get("/v1/inbound-deliveries", limit=2, cursor=page["next_cursor"])
    assert everything == [*page["items"], *rest["items"]]
    path = f"/v1/inbound-deliveries/{everything[1]['id']}"
    for method, address in (("GET", path), ("POST", f"{path}/retry")):
        answer = await of_globex.client.request(method, address, headers=of_globex.headers)
        assert code(answer) == (404, "unknown-delivery")


@pytest.mark.parametrize("query", [{"status": "lost"}, {"connection_id": "x"}, {"colour": "red"}])
async def test_a_list_is_narrowed_by_what_there_is(crm: Any, query: dict[str, str]) -> None:
    answer = await crm.client.get("/v1/inbound-deliveries", params=query, headers=crm.headers)
    assert code(answer) == (422, "validation-failed")
