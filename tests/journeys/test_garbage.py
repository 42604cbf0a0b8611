"""Garbage on a topic: each bad record goes to the dead letters once with its reason, and what follows it counts."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from pictures import dead_letters
from records import Record, produce, read
from stories import begin, meeting
from tenants import Tenant

from bellwether_kit.testing.eventually import eventually

pytestmark = pytest.mark.stack

TOPIC = "client-evidence"
LARGE = 300_000  # bytes: more than an event may have, less than the broker takes


def bad_records(good: Record) -> dict[str, Record]:
    """One record a kind of garbage, made of a good one, by the reason that it must be given."""
    event = good.event | {"id": str(uuid4())}
    return {
        "undecodable": replace(good, value=b"\x00\xffnot an event{"),
        "schema-invalid": with_event(good, event | {"data": event["data"] | {"revision": "first"}}),
        "unknown-type": with_event(good, event | {"type": "client.evidence.rumoured.v1"}),
        "oversized": with_event(good, event | {"data": event["data"] | {"note": "x" * LARGE}}),
    }


def with_event(record: Record, event: dict[str, Any]) -> Record:
    """The record with another event in it."""
    return replace(record, value=json.dumps(event).encode())


def reasons(records: list[Record], consumer: str) -> dict[str, tuple[str, int]]:
    """By reason: the original topic and offset of what a consumer put on the dead-letter topic."""
    headers = [record.header for record in records]
    mine = [header for header in headers if header["dlq_consumer"] == consumer]
    assert len(mine) == len({header["dlq_original_offset"] for header in mine}), "dead-lettered more than once"
    return {h["dlq_error_type"]: (h["dlq_original_topic"], int(h["dlq_original_offset"])) for h in mine}


async def test_bad_records_are_dead_lettered_once_with_their_reason_and_the_next_good_one_is_scored(
    tenant: Tenant,
) -> None:
    account_id = begin(tenant)
    tenant.say([meeting("before", tenant.now, "held")])
    tenant.settle()
    [good] = [record for record in await read(tenant.stack, TOPIC, tenant=tenant.name) if record.value]
    bad = bad_records(good)

    await produce(tenant.stack, bad.values())
    tenant.settle()
    tenant.say([meeting("after", tenant.now, "held", 2)])
    tenant.settle()

    async def dead() -> list[Record]:
        return await read(tenant.stack, f"{TOPIC}-dlq", tenant=tenant.name)

    letters: list[Record] = await eventually(dead, within=60)
    found = reasons(letters, "scoring")
    assert set(found) == set(bad)
    assert [kind for kind, _ in dead_letters(tenant, "scoring")] == sorted(bad)
    assert {topic for topic, _ in found.values()} == {TOPIC}
    offsets = {record.offset: record.value for record in await read(tenant.stack, TOPIC, tenant=tenant.name)}
    assert {kind: offsets[offset] for kind, (_, offset) in found.items()} == {k: r.value for k, r in bad.items()}
    assert all(record.header["dlq_error"] for record in letters)

    assert tenant.get("scoring", f"accounts/{account_id}/health")["measures"]["heart"] > 60
    assert last_scored(tenant, account_id) >= last_observed(tenant)
    assert tenant.stack.status().is_healthy


def last_scored(tenant: Tenant, account_id: str) -> datetime:
    """When scoring-svc last judged the account."""
    return datetime.fromisoformat(tenant.get("scoring", f"accounts/{account_id}/health")["evaluated_at"])


def last_observed(tenant: Tenant) -> datetime:
    """When the youngest piece of evidence came true."""
    return max(datetime.fromisoformat(piece["observed_at"]) for piece in tenant.every("metrics", "evidence"))
