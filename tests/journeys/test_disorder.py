"""Duplicates and disorder, of events and of activities: the state at the end is the same."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from days import COMPANIES, busy_months, disordered
from pictures import answers, rows
from records import TOPICS, Record, produce, read
from stories import begin, fall, opened, pass_time, recovery, resolved
from tenants import OWNER, Tenant

from bellwether_kit.ids import opaque_id

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


@pytest.mark.parametrize("seed", [11, 12])
async def test_activities_in_any_order_over_four_connections_give_the_same_evidence_and_score(
    new_tenant: NewTenant, seed: int
) -> None:
    tidy, wild = new_tenant("tidy"), new_tenant("wild")
    told = busy_months(tidy.now)
    for each in (tidy, wild):
        each.expect_replies_within(DAY)
    for name in COMPANIES:
        tidy.open_account(name)
    for route, body in told:
        assert tidy.say([body], route) == ["accepted"]

    chaos = disordered(told, seed)
    third = len(chaos) // 3
    statuses = wild.say_at_once(chaos[:third])
    wild.open_account(COMPANIES[1])
    statuses += wild.say_at_once(chaos[third : 2 * third])
    tidy.clock.advance(timedelta(seconds=2 * DAY))
    tidy.settle()
    statuses += wild.say_at_once(chaos[2 * third :])
    wild.open_account(COMPANIES[0])
    wild.settle()

    assert {"accepted", "duplicate", "corrected", "stale", "unmatched"} == set(statuses)
    assert standing(wild) == standing(tidy)
    assert standing(tidy).count(b"\n") > len(told) / 2
    for name in COMPANIES:
        assert health(wild, name) == pytest.approx(health(tidy, name), abs=0.01)


def standing(tenant: Tenant) -> bytes:
    """The evidence that stands, a line each, with every id in words that mean the same for every tenant."""
    names = {item["id"]: item["external_id"] for item in tenant.every("metrics", "activities")}
    names |= {str(opaque_id(tenant.name, "contact", "crm", f"contact-{n}")): f"contact-{n}" for n in (1, 2, 3)}
    names |= {item["id"]: item["external_ids"][0]["external_id"] for item in tenant.every("profile", "accounts")}
    names |= {tenant.owner_id: OWNER, None: "nobody"}
    pieces = tenant.every("metrics", "evidence", status="recorded")
    for piece in pieces:
        del piece["id"], piece["recorded_at"], piece["revision"]
        piece |= {name: names[piece[name]] for name in ("account_id", "owner_id")}
        piece |= {name: sorted(names[id_] for id_ in piece[name]) for name in ("contact_ids", "activity_ids")}
    return "\n".join(sorted(json.dumps(piece, sort_keys=True) for piece in pieces)).encode()


def health(tenant: Tenant, external_id: str) -> dict[str, float]:
    """Score, confidence and measures."""
    accounts = tenant.every("profile", "accounts")
    [account] = [each for each in accounts if each["external_ids"][0]["external_id"] == external_id]
    found = tenant.get("scoring", f"accounts/{account['id']}/health")
    measures = {name: -1.0 if value is None else value for name, value in found["measures"].items()}
    return measures | {"score": found["score"], "confidence": found["confidence"]}
