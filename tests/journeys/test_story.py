"""The one story: a client falls silent, an alert opens and a play with it; the client comes back, both end."""

import pytest
from pictures import picture
from records import of_type, read
from stories import begin, fall, opened, pass_time, recovery, resolved
from tenants import Tenant

pytestmark = pytest.mark.stack


async def test_three_unreturned_calls_and_a_declined_meeting_open_one_alert_and_a_recovery_resolves_it(
    tenant: Tenant,
) -> None:
    account_id = begin(tenant)
    told = fall(tenant.now)
    assert tenant.say(told) == ["accepted"] * 4
    alert = await opened(tenant, account_id)
    tenant.settle()
    evidence = tenant.every("metrics", "evidence", account_id=account_id)
    [play] = tenant.plays(account_id)
    steps = tenant.get("plan", f"plays/{play['id']}")["steps"]

    assert sorted(piece["kind"] for piece in evidence) == ["call-unreturned"] * 3 + ["meeting-declined"]
    assert [alert["alert_id"]] == [each["alert_id"] for each in tenant.alerts(account_id)]
    assert alert["kind"] == "at-risk"
    assert "health-below" in {reason["rule"] for reason in alert["reasons"]}
    assert all(reason["value"] < reason["threshold"] for reason in alert["reasons"] if reason["rule"] == "health-below")
    assert {driver["kind"] for driver in alert["drivers"]} <= {"call-unreturned", "meeting-declined"}
    assert {driver["evidence_id"] for driver in alert["drivers"]} <= {piece["id"] for piece in evidence}
    assert alert["drivers"]
    assert all(driver["points"] < 0 for driver in alert["drivers"])
    assert (alert["suggested_play"], alert["owner_id"]) == ("recover-relationship", tenant.owner_id)
    assert (play["play"], play["status"], play["alert_id"]) == ("recover-relationship", "open", alert["alert_id"])
    assert [play["accountable_id"]] == [tenant.owner_id] == list({step["accountable_id"] for step in steps})

    tenant.say(recovery(pass_time(tenant)))
    await resolved(tenant, account_id)
    tenant.settle()
    [closed] = tenant.plays(account_id)
    lives = await read(tenant.stack, "account-alerts", tenant=tenant.name)

    assert (closed["id"], closed["status"]) == (play["id"], "closed")
    assert {record.data["alert_id"] for record in lives} == {alert["alert_id"]}
    assert lives[0].type == "account.alert.opened.v1"
    assert lives[-1].type == "account.alert.resolved.v1"
    assert {record.type for record in lives[1:-1]} <= {"account.alert.updated.v1"}
    assert len(await of_type(tenant.stack, "account-plans", "account.play.opened.v1", tenant.name)) == 1
    assert len(await of_type(tenant.stack, "account-plans", "account.play.closed.v1", tenant.name)) == 1


async def test_posting_every_activity_of_the_story_again_changes_nothing_anywhere(tenant: Tenant) -> None:
    account_id = begin(tenant)
    first = fall(tenant.now)
    tenant.say(first)
    await opened(tenant, account_id)
    second = recovery(pass_time(tenant))
    tenant.say(second)
    await resolved(tenant, account_id)
    tenant.settle()
    before = await picture(tenant)

    again = tenant.say(first + second) + tenant.say(list(reversed(first + second)))
    tenant.settle()

    assert set(again) == {"duplicate"}
    assert await picture(tenant) == before
