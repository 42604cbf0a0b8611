"""A tenant's rules: defaults, changes with author and reason, history, and what they change."""

from typing import Any
from uuid import UUID

import pytest

SECONDS = {"windows": {"call": {"seconds": 5}}, "reason": "to try it"}


async def put(crm: Any, body: dict[str, Any], **headers: str) -> Any:
    return await crm.client.put("/v1/derivation-rules", json=body, headers=crm.headers | headers)


async def test_until_somebody_sets_others_the_defaults_hold(crm: Any) -> None:
    rules = await crm.get("/v1/derivation-rules")
    assert (rules["version"], rules["policy"]["chase_step"]) == (0, 0.25)
    assert rules["policy"]["windows"]["call"] == {"business_days": 3, "seconds": None}
    assert (await crm.get("/v1/derivation-rules/history"))["items"] == []


async def test_a_window_of_seconds_holds_from_now_on_for_this_tenant(
    crm: Any, of_globex: Any, account: UUID, deliver: Any, changed: Any
) -> None:
    await deliver(changed(), tenant="globex")
    await crm.post(crm.call(1, occurred_at=crm.at(seconds=10)))
    answer = await put(crm, SECONDS)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    await crm.post(crm.call(2, contacts=[]))
    await of_globex.post(of_globex.call(2))
    await crm.pass_time(seconds=5)
    assert await crm.standing() == ["call-unreturned"]
    assert await of_globex.standing() == []
    [version] = (await crm.get("/v1/derivation-rules/history"))["items"]
    assert (version["version"], version["reason"], version["author"]) == (1, "to try it", "tester")


async def test_rules_that_apply_from_the_past_derive_what_happened_since_anew(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, occurred_at=crm.at(hours=30)), crm.call(2, occurred_at=crm.at(hours=1), contacts=[]))
    await put(crm, SECONDS | {"applies_from": crm.at(hours=2)})
    await crm.pass_time(seconds=1)
    assert await crm.standing() == ["call-unreturned"]
    await put(crm, SECONDS | {"windows": {"call": {"business_days": 9}}, "applies_from": crm.at(hours=2)})
    await crm.pass_time(seconds=1)
    assert await crm.evidence() == [("call-unreturned", "retracted", 2)]


async def test_rules_set_later_hold_from_their_moment_on_whatever_was_set_before(crm: Any, account: UUID) -> None:
    await put(crm, SECONDS | {"applies_from": crm.at(hours=2)})
    await put(crm, {"reason": "back to the defaults", "applies_from": crm.at(hours=3)})
    await crm.post(crm.call(1, occurred_at=crm.at(hours=1)))
    await crm.pass_time(hours=1)
    assert await crm.standing() == []


async def test_a_meeting_is_read_under_the_rules_of_the_last_that_was_said_of_it(crm: Any, account: UUID) -> None:
    silent = {"unanswered_counts": False, "acceptance_counts": False, "reason": "only what took place"}
    await put(crm, silent | {"applies_from": crm.at(days=2)})
    meeting = {"type": "meeting", "direction": None, "thread": "m-1", "starts_at": crm.at(hours=1)}
    await crm.post(crm.call(1, "invited", occurred_at=crm.at(days=3)) | meeting)
    assert await crm.standing() == ["meeting-unanswered"]
    await crm.post(crm.call(2, "accepted", occurred_at=crm.at(days=1)) | meeting)
    assert await crm.standing() == []


async def test_a_late_reply_forgives_what_was_asked_under_longer_windows(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(0, occurred_at=crm.at(days=6)))
    await put(crm, SECONDS)
    for number in range(1, 13):
        await crm.pass_time(minutes=1)
        await crm.post(crm.call(number))
    await crm.pass_time(minutes=1)
    assert len(await crm.standing()) == 13
    await crm.post(crm.call(99, "connected", direction="inbound"))
    assert len(await crm.standing()) == 13
    assert await crm.evidence(status="retracted") == [("call-unreturned", "retracted", 2)]


async def test_somebody_elses_change_in_between_is_refused(crm: Any) -> None:
    assert (await put(crm, SECONDS, **{"If-Match": '"0"'})).status_code == 200
    answer = await put(crm, SECONDS, **{"If-Match": '"0"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition-failed")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"windows": {"call": {"seconds": 5, "business_days": 1}}}, "validation-failed"),
        ({"windows": {"call": {}}}, "validation-failed"),
        ({"windows": {"call": {"seconds": 0}}}, "validation-failed"),
        ({"windows": {"fax": {"seconds": 5}}}, "validation-failed"),
        ({"reason": " "}, "validation-failed"),
        ({"chase_step": "much"}, "validation-failed"),
        ({"applies_from": "2026-03-02T09:00:01Z"}, "applies-in-future"),
    ],
)
async def test_rules_that_make_no_sense_are_refused(crm: Any, changed: dict[str, Any], code: str) -> None:
    answer = await put(crm, SECONDS | changed)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await crm.get("/v1/derivation-rules"))["version"] == 0
