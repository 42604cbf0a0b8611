"""Duplicates and disorder, of events and of activities: the state at the end is the same."""

from collections.abc import Callable
from typing import Any

import pytest
from pictures import answers, rows
from records import TOPICS, Record, produce, read
from stories import begin, busy_months, disordered, fall, opened, pass_time, recovery, resolved
from tenants import Tenant

pytestmark = pytest.mark.stack

NewTenant = Callable[[str], Tenant]
DAY = 86_400


async def deliver_all_again(tenant: Tenant) -> list[Record]:
    """Every record of the tenant's on every topic once more, the youngest first."""
    records = await read(tenant.stack, *TOPICS, tenant=tenant.name)
    await produce(tenant.stack, reversed(records))
    tenant.settle()
    return records


async def test_every_event_delivered_twice_and_out_of_order_changes_no_state(tenant: Tenant) -> None:
    account_id = begin(tenant)
    tenant.say(fall(tenant.now))
    await opened(tenant, account_id)
    tenant.settle()
    at_risk = answers(tenant), rows(tenant)

    delivered = await deliver_all_again(tenant)
    assert {record.topic for record in delivered} >= set(TOPICS)
    assert (answers(tenant), rows(tenant)) == at_risk

    tenant.say(recovery(pass_time(tenant)))
    await resolved(tenant, account_id)
    tenant.settle()
    recovered = answers(tenant), rows(tenant)

    await deliver_all_again(tenant)
    assert (answers(tenant), rows(tenant)) == recovered


async def test_activities_in_any_order_with_duplicates_and_corrections_give_the_same_evidence_and_score(
    new_tenant: NewTenant,
) -> None:
    tidy, wild = new_tenant("tidy"), new_tenant("wild")
    told = busy_months(tidy.now)
    for each in (tidy, wild):
        each.expect_replies_within(DAY)
    tidy.open_account()
    for start in range(0, len(told), 5):
        assert set(tidy.say(told[start : start + 5])) == {"accepted"}

    chaos = disordered(told, seed=11)
    half = len(chaos) // 2
    assert {"unmatched"} <= set(wild.say(chaos[:half]))
    wild.open_account()
    statuses = [status for start in range(half, len(chaos), 7) for status in wild.say(chaos[start : start + 7])]
    tidy.settle()

    assert {"accepted", "duplicate", "corrected", "stale"} <= set(statuses)
    assert standing(wild) == standing(tidy)
    assert len(standing(tidy)) > len(told) / 2
    assert health(wild) == pytest.approx(health(tidy), abs=0.01)


def standing(tenant: Tenant) -> list[tuple[Any, ...]]:
    """The evidence that stands, in words that mean the same for every tenant."""
    names = {item["id"]: item["external_id"] for item in tenant.every("metrics", "activities")}
    return sorted(
        (
            piece["kind"],
            piece["observed_at"],
            piece["magnitude"],
            sorted(names[id_] for id_ in piece["activity_ids"]),
        )
        for piece in tenant.every("metrics", "evidence", status="recorded")
    )


def health(tenant: Tenant) -> dict[str, float]:
    """Score, confidence and measures."""
    [account] = tenant.every("profile", "accounts")
    found = tenant.get("scoring", f"accounts/{account['id']}/health")
    measures = {name: -1.0 if value is None else value for name, value in found["measures"].items()}
    return measures | {"score": found["score"], "confidence": found["confidence"]}
