"""Source systems deliver as they do: believed with their proof, counted once, refused without it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from stories import call
from systems import (
    HUBSPOT,
    PAYLOADS,
    SYSTEMS,
    Proof,
    Sending,
    System,
    by_ingest_key,
    by_standard_webhook,
    by_twilio_signature,
)
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


def test_hubspot_is_believed_by_signature_v3_and_a_replay_is_refused(tenant: Tenant) -> None:
    tenant.open_account(**HUBSPOT.names)
    url, secret = connect(tenant, HUBSPOT.adapter, HUBSPOT.secret)
    sending = Sending(url, HUBSPOT.golden(), secret, tenant.now)
    body, headers = HUBSPOT.prove(sending)

    taken = post(url, body, headers)
    replayed = post(url, body, headers)
    tried_again = post(url, *HUBSPOT.prove(replace(sending, at=sending.at - timedelta(seconds=1))))
    unbelieved = [
        post(url, body, {}),
        post(url, *HUBSPOT.prove(replace(sending, secret="guessed"))),
        post(url, body + b" ", headers),
        post(url, *HUBSPOT.prove(replace(sending, at=sending.at - timedelta(minutes=10)))),
    ]
    tenant.settle()

    assert [taken.status_code, tried_again.status_code] == [HUBSPOT.greeting] * 2, taken.text
    assert (refused(replayed), replayed.json()["code"]) == (409, "replayed-delivery")
    assert [(refused(answer), answer.json()["code"]) for answer in unbelieved] == [
        (401, "missing-signature"),
        (401, "wrong-signature"),
        (401, "wrong-signature"),
        (401, "signature-too-old"),
    ]
    again, first = tenant.every("metrics", "inbound-deliveries")
    assert (first["status"], first["rejected"], [part["code"] for part in first["unread"]]) == (
        "worked",
        [],
        ["no-activity"],
    )
    assert again["counts"] == {"duplicate": len(HUBSPOT.told), "unread": 1}
    told = tenant.every("metrics", "activities")
    assert sorted((each["type"], each["outcome"], each["account_id"] is not None) for each in told) == HUBSPOT.told
    assert [piece["kind"] for piece in tenant.every("metrics", "evidence", status="recorded")] == HUBSPOT.evidence


def test_a_csv_file_is_taken_row_by_row_and_a_broken_one_spoils_no_other(tenant: Tenant) -> None:
    account_id = tenant.open_account()
    url, key = connect(tenant, "csv", None)
    at = (tenant.now - timedelta(hours=1)).isoformat()
    header = "id,activity type,direction,result,date,account source,company id"
    rows = [f"call-{n},call,inbound,connected,{at},crm,company-1" for n in (1, 2, 3)]
    rows[1] = "call-2,call,inbound"
    sending = Sending(url, "\n".join([header, *rows]).encode(), key, tenant.now)
    as_csv = {"Content-Type": "text/csv"}

    body, headers = by_ingest_key(sending)
    reports = [report(post(url, body, headers | as_csv)) for _ in range(2)]
    unbelieved = [post(url, body, as_csv), post(url, body, by_ingest_key(replace(sending, secret="x"))[1] | as_csv)]
    tenant.settle()

    codes = [answer.json()["code"] for answer in unbelieved if refused(answer) == 401]
    assert codes == ["missing-signature", "wrong-signature"]
    for (lines, totals), became in zip(reports, ("accepted", "duplicate"), strict=True):
        assert [(line["row"], line["status"]) for line in lines] == [(2, became), (3, "rejected"), (4, became)]
        assert lines[1]["problem"]["code"] == "wrong-columns"
        assert (totals["rows"], totals["counts"], totals["complete"]) == (3, {became: 2, "rejected": 1}, True)
    told = tenant.every("metrics", "activities")
    assert {(each["external_id"], each["source"], each["account_id"]) for each in told} == {
        ("call-1", "csv", account_id),
        ("call-3", "csv", account_id),
    }
    evidence = tenant.every("metrics", "evidence", status="recorded")
    assert [piece["kind"] for piece in evidence] == ["client-contacted"] * 2


def report(answer: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What was answered to a file: a line for each row, and the totals."""
    assert answer.status_code == 200, answer.text
    *lines, totals = (json.loads(line) for line in answer.text.splitlines())
    return lines, totals


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
