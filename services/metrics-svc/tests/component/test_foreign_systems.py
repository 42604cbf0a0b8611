"""What foreign systems send is taken as they send it, and means in evidence what it meant there."""

import json
from base64 import b64encode
from collections.abc import Callable
from hmac import digest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import UUID

import pytest

PAYLOADS = Path(__file__).parents[1] / "unit" / "payloads"
BASIC = f"Basic {b64encode(b'pipedrive:s3cret').decode()}"


@pytest.fixture
def client_company(mailbox: Any, changed: Any) -> Callable[..., Any]:
    """Make the account known under names that the golden payloads use."""

    async def known(*domains: str, **external: str) -> None:
        ids = tuple({"source": source, "external_id": value} for source, value in external.items())
        await mailbox.deliver(changed(version=2, external_ids=ids, email_domains=domains))

    return known


def golden(name: str, **meta: Any) -> bytes:
    body = (PAYLOADS / name).read_bytes()
    return body if not meta else json.dumps(json.loads(body) | meta).encode()


async def deliver(crm: Any, address: str, body: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return int((await crm.client.post(address, content=body, headers=named)).status_code)


async def test_a_meeting_accepted_in_google_calendar_is_evidence_once(
    crm: Any, account: UUID, client_company: Any
) -> None:
    await client_company("brightwater.example")
    calendar = await crm.connect("google-calendar", secret="channel-token-1", own_domains=["ours.example"])
    event = golden("google_calendar/event.json")
    for _ in range(2):
        assert await deliver(crm, calendar.address, event, x_goog_channel_token="channel-token-1") == 202
    assert await deliver(crm, calendar.address, event, x_goog_channel_token="channel-token-2") == 401
    assert await deliver(crm, calendar.address, event) == 401
    assert await deliver(crm, calendar.address, b"", x_goog_resource_state="sync") == 202
    [delivery] = await crm.deliveries()
    assert delivery["counts"] == {"accepted": 1, "unmatched": 1}
    assert await crm.standing() == ["meeting-accepted"]


async def test_graph_is_greeted_and_its_meetings_and_messages_are_evidence(
    crm: Any, account: UUID, client_company: Any
) -> None:
    await client_company("brightwater.example")
    await crm.pass_time(days=3)
    graph = await crm.connect("msgraph", secret="a-state-of-our-own", own_domains=["ours.example"])
    hello = await crm.client.post(f"{graph.address}&validationToken={quote('Validation: 1/2')}")
    assert (hello.status_code, hello.text) == (200, "Validation: 1/2")
    assert hello.headers["content-type"].startswith("text/plain")
    for name in ("event", "messages", "notifications"):
        assert await deliver(crm, graph.address, golden(f"msgraph/{name}.json")) == 202
    forged = golden("msgraph/event.json", clientState="forged")
    assert await deliver(crm, graph.address, forged) == 401
    assert sorted(delivery["counts"].get("unread", 0) for delivery in await crm.deliveries()) == [0, 2, 3]
    assert sorted(await crm.standing()) == ["email-returned", "meeting-accepted"]


async def test_a_call_deleted_in_salesforce_takes_its_evidence_back(
    crm: Any, account: UUID, client_company: Any
) -> None:
    await client_company(crm="001ZM000003QwErYAK")
    made = await crm.client.post(
        "/v1/connections", json={"adapter": "salesforce", "source": "crm"}, headers=crm.headers
    )
    path = f"/v1/connections/{made.json()['id']}"
    key = (await crm.client.post(f"{path}/secrets", json={}, headers=crm.headers)).json()["secret"]
    address, shown = made.json()["address"], {"authorization": f"Bearer {key}"}
    record = json.loads(golden("salesforce/task_call.json"))
    times = ("CompletedDateTime", "LastModifiedDate", "CreatedDate")
    record |= dict.fromkeys(times, crm.at(hours=1)) | {"CallDisposition": "Connected", "CallType": "Inbound"}
    assert await deliver(crm, address, json.dumps(record).encode(), **shown) == 202
    assert await deliver(crm, address, json.dumps(record).encode()) == 401
    await crm.deliveries()
    assert await crm.standing() == ["client-contacted"]
    record |= {"IsDeleted": True, "LastModifiedDate": crm.at()}
    assert await deliver(crm, address, json.dumps(record).encode(), **shown) == 202
    await crm.deliveries()
    assert await crm.standing() == []


async def test_pipedrive_aircall_and_twilio_are_answered_as_they_expect(
    crm: Any, account: UUID, client_company: Any
) -> None:
    pipedrive = await crm.connect("pipedrive", secret="pipedrive:s3cret")
    call = golden("pipedrive/v1_call_done.json")
    assert await deliver(crm, pipedrive.address, call, authorization=BASIC) == 200
    assert await deliver(crm, pipedrive.address, call, authorization=BASIC + "x") == 401
    aircall = await crm.connect("aircall", secret="45f0c1d2e3a4b596")
    assert await deliver(crm, aircall.address, golden("aircall/ended.json")) == 200
    assert await deliver(crm, aircall.address, golden("aircall/ended.json", token="guessed")) == 401


async def test_twilio_is_believed_by_its_signature(crm: Any, account: UUID) -> None:
    twilio = await crm.connect("twilio", secret="the-auth-token")
    url = str(crm.client.base_url.join(twilio.address))
    body = (PAYLOADS / "twilio/completed.txt").read_bytes()
    sent = quote(crm.clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000"))
    body = body.replace(b"Tue%2C%2010%20Mar%202026%2009%3A05%3A42%20%2B0000", sent.encode())
    fields = "".join(name + value for name, value in sorted(parse_qsl(body.decode(), keep_blank_values=True)))
    signature = b64encode(digest(b"the-auth-token", (url + fields).encode(), "sha1")).decode()
    form = "application/x-www-form-urlencoded"
    for _ in range(2):
        given = {"content_type": form, "x_twilio_signature": signature}
        assert await deliver(crm, twilio.address, body, **given) == 204
    assert await deliver(crm, twilio.address, body, content_type=form, x_twilio_signature="forged") == 401
    [delivery] = await crm.deliveries()
    assert delivery["counts"] == {"unmatched": 1}
