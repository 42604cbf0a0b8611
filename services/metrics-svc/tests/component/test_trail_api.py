"""The trail: what an activity led to, what evidence came from, what stood before and why it went."""

from typing import Any
from uuid import UUID


async def test_an_activity_shows_what_it_led_to_and_what_it_said_before(crm: Any, account: UUID) -> None:
    [result] = await crm.post(crm.call(1))
    await crm.pass_time(days=4)
    [piece] = (await crm.get(f"/v1/activities/{result['id']}"))["evidence"]
    assert (piece["kind"], piece["status"], piece["revision"]) == ("call-unreturned", "recorded", 1)
    await crm.post(crm.call(1, "connected", revision=2, occurred_at=crm.at(days=4)))
    shown = await crm.get(f"/v1/activities/{result['id']}")
    [gone] = shown["evidence"]
    assert (gone["id"], gone["status"], gone["revision"]) == (piece["id"], "retracted", 2)
    [was] = shown["earlier"]
    assert (was["revision"], was["outcome"], was["why"], was["author"]) == (1, "no-answer", "corrected", None)


async def test_evidence_shows_what_it_came_from_and_why_what_stood_there_went(crm: Any, account: UUID) -> None:
    [asked] = await crm.post(crm.call(1))
    await crm.pass_time(days=4)
    [piece] = (await crm.get("/v1/evidence"))["items"]
    shown = await crm.get(f"/v1/evidence/{piece['id']}")
    assert [activity["external_id"] for activity in shown["activities"]] == ["call-1"]
    assert shown["earlier"] == []
    [answer] = await crm.post(crm.call(2, "connected", direction="inbound"))
    [was] = (await crm.get(f"/v1/evidence/{piece['id']}"))["earlier"]
    assert (was["revision"], was["kind"], was["why"]) == (1, "call-unreturned", "later-activity")
    assert (was["because_of"], was["activity_ids"]) == ([answer["id"]], [asked["id"]])


async def test_evidence_that_was_taken_back_shows_who_did_it_and_why(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, "connected", direction="inbound"))
    [piece] = (await crm.get("/v1/evidence"))["items"]
    for _ in range(2):
        await crm.client.post(f"/v1/evidence/{piece['id']}/retract", json={"reason": "A test"}, headers=crm.headers)
    [was] = (await crm.get(f"/v1/evidence/{piece['id']}"))["earlier"]
    assert (was["why"], was["author"], was["reason"]) == ("withdrawn", "tester", "A test")


async def test_what_is_said_first_leaves_no_trail_and_neither_does_a_repeat(
    crm: Any, account: UUID, admin: Any
) -> None:
    for _ in range(2):
        await crm.post(crm.call(1), crm.call(2, "held", type="meeting"))
    await crm.pass_time(days=9)
    assert admin("SELECT 1 FROM activity_revision") == []
    assert admin("SELECT 1 FROM evidence_revision") == []


async def test_what_a_rematch_took_from_one_account_is_seen_from_both_sides(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    await deliver(changed(account_id=other, external_ids=(), email_domains=()))
    [result] = await crm.post(crm.call(1, "connected", direction="inbound"))
    said = {"account_id": str(other), "reason": "It was the other Bo"}
    answer = await crm.client.post(f"/v1/activities/{result['id']}/rematch", json=said, headers=crm.headers)
    assert answer.status_code == 200
    shown = await crm.get(f"/v1/activities/{result['id']}")
    assert {(piece["account_id"], piece["status"]) for piece in shown["evidence"]} == {
        (str(account), "retracted"),
        (str(other), "recorded"),
    }
    [was] = shown["earlier"]
    assert (was["account_id"], was["why"], was["reason"]) == (str(account), "moved", "It was the other Bo")
