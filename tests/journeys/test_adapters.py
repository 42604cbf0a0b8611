"""Source systems deliver as they do: believed with their proof, counted once, refused without it."""

import json
from datetime import timedelta

import httpx
import pytest
from stories import call
from systems import PAYLOADS, SYSTEMS, Proof, Sending, System, by_standard_webhook, by_twilio_signature
from tenants import Tenant

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: str(system.adapter))
def test_a_system_is_believed_by_its_proof_only_and_what_it_sends_counts_once(system: System, tenant: Tenant) -> None:
    tenant.open_account(**system.names)
    url, secret = connect(tenant, system.adapter, system.secret)
    sending = Sending(url, system.golden(), secret, tenant.now)

    taken = [post(url, *system.prove(sending)) for _ in range(2)]
    naked = post(url, system.golden(), {})
    forged = post(url, *system.prove(Sending(url, sending.body, "guessed:by-somebody", tenant.now)))
    tenant.settle()

    assert [answer.status_code for answer in taken] == [system.greeting] * 2, taken[0].text
    assert [refused(naked), refused(forged)] == [401, 401]
    assert forged.json()["code"] == "wrong-signature"
    *again, first = tenant.every("metrics", "inbound-deliveries")
    assert (first["status"], first["rejected"], first["unread"]) == ("worked", [], [])
    assert all(set(each["counts"]) == {"duplicate"} for each in again)
    told = tenant.every("metrics", "activities")
    assert sorted((each["type"], each["outcome"], each["account_id"] is not None) for each in told) == system.told
    assert [piece["kind"] for piece in tenant.every("metrics", "evidence", status="recorded")] == system.evidence


@pytest.mark.parametrize("prove", [by_standard_webhook, by_twilio_signature], ids=["cloudevents", "twilio"])
def test_what_was_signed_long_ago_is_refused(prove: Proof, tenant: Tenant) -> None:
    adapter = "twilio" if prove is by_twilio_signature else "cloudevents"
    url, secret = connect(tenant, adapter, "a-secret-of-its-own")
    event = {"specversion": "1.0", "id": "e-1", "source": "/crm", "type": "call", "time": tenant.now.isoformat()}
    event["data"] = call("call-1", tenant.now, "no-answer") | {"source": adapter}
    body = (PAYLOADS / "twilio" / "completed.txt").read_bytes() if adapter == "twilio" else json.dumps(event).encode()

    old = post(url, *prove(Sending(url, body, secret, tenant.now - timedelta(minutes=10))))
    fresh = [post(url, *prove(Sending(url, body, secret, tenant.now))) for _ in range(2)]
    tenant.settle()

    assert (refused(old), old.json()["code"]) == (401, "signature-too-old")
    assert all(answer.is_success for answer in fresh)
    assert len(tenant.every("metrics", "activities")) == 1


def refused(answer: httpx.Response) -> int:
    """The status of a refusal, which is a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


def connect(tenant: Tenant, adapter: str, given: str | None) -> tuple[str, str]:
    """Make a connection; gives where its system delivers to and the secret that proves it."""
    wanted = {"adapter": adapter, "source": adapter, "own_domains": ["ours.example"]}
    connection = tenant.post("metrics", "connections", wanted)
    made = tenant.post("metrics", f"connections/{connection['id']}/secrets", {"secret": given})
    return tenant.stack.url("metrics") + connection["address"], str(given or made["secret"])


def post(url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """Deliver, as somebody without a token of ours does."""
    return httpx.post(url, content=body, headers=headers, timeout=30)
