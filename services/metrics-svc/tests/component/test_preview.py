"""Trying rules on past activities: what they would have made of them, with nothing written."""

from typing import Any
from uuid import UUID

import pytest

FIVE_SECONDS = {"windows": {"call": {"seconds": 5}}}


async def preview(crm: Any, body: dict[str, Any], **query: Any) -> Any:
    return await crm.client.post("/v1/derivation/preview", json=body, params=query, headers=crm.headers)


async def tried(crm: Any, body: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = await preview(crm, body, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
async def story(crm: Any, account: UUID) -> Any:
    """An account with one unreturned call, an order, a complaint and what a person saw."""
    await crm.post(
        crm.call(1, occurred_at=crm.at(days=20)),
        crm.call(2, "placed", type="order", direction=None, amount="10.00", currency="EUR"),
        crm.call(3, "opened", type="ticket", direction=None),
    )
    seen = {"kind": "advice-sought", "observed_at": crm.at(), "account": {"domain": "acme.example"}}
    await crm.post(seen, path="/v1/evidence")
    await crm.pass_time(seconds=1)
    return crm


async def test_the_rules_in_force_give_what_is_on_record(story: Any) -> None:
    found = await tried(story, {"rules": None})
    assert (found["accounts"], found["activities"], found["differences"]) == (1, 4, [])
    assert {(kind["kind"], kind["now"], kind["then"]) for kind in found["kinds"]} == {
        ("advice-sought", 1, 1),
        ("call-unreturned", 1, 1),
        ("complaint-raised", 1, 1),
        ("order-placed", 1, 1),
    }
    assert (found["unsettled"], found["too_long"], found["next_cursor"]) == ([], [], None)


async def test_a_record_that_is_not_what_the_rules_give_is_a_difference(story: Any) -> None:
    story.mailbox.admin("UPDATE evidence SET magnitude = 2 WHERE kind = 'call-unreturned'")
    story.mailbox.admin("DELETE FROM evidence WHERE kind = 'order-placed'")
    story.mailbox.admin("DELETE FROM activity WHERE type = 'ticket'")
    found = await tried(story, {"rules": None})
    assert [(one["change"], one["kind"], one["magnitude"]) for one in found["differences"]] == [
        ("changed", "call-unreturned", 1.0),
        ("added", "order-placed", 1.0),
        ("removed", "complaint-raised", 1.0),
    ]


async def test_other_rules_show_what_they_would_have_made_and_write_nothing(story: Any) -> None:
    await story.post(story.call(9, contacts=[]))
    await story.pass_time(seconds=6)
    before = (await story.evidence(), len(story.mailbox.outbox()))
    found = await tried(story, {"rules": {**FIVE_SECONDS, "signals": []}})
    assert [(one["change"], one["kind"]) for one in found["differences"]] == [
        ("changed", "call-unreturned"),
        ("removed", "complaint-raised"),
        ("added", "call-unreturned"),
    ]
    assert before == (await story.evidence(), len(story.mailbox.outbox()))
    assert (await story.get("/v1/derivation-rules"))["version"] == 0


async def test_rules_from_a_moment_on_leave_what_was_before(story: Any) -> None:
    found = await tried(story, {"rules": {**FIVE_SECONDS, "signals": []}, "from": story.at(days=1)})
    assert [(one["change"], one["kind"]) for one in found["differences"]] == [("removed", "complaint-raised")]


async def test_what_a_person_took_back_is_no_difference(story: Any) -> None:
    [order] = (await story.get("/v1/evidence", kind="order-placed"))["items"]
    taken = {"json": {"reason": "a test order"}, "headers": story.headers}
    assert (await story.client.post(f"/v1/evidence/{order['id']}/retract", **taken)).status_code == 200
    found = await tried(story, {"rules": None})
    assert found["differences"] == []
    assert "order-placed" not in {kind["kind"] for kind in found["kinds"]}


async def test_accounts_are_walked_a_page_at_a_time(story: Any, deliver: Any, changed: Any, other: UUID) -> None:
    await deliver(changed(account_id=other, external_ids=(), email_domains=()))
    first = await tried(story, {"rules": None}, limit=1)
    second = await tried(story, {"rules": None}, limit=1, cursor=first["next_cursor"])
    assert [first["activities"], second["activities"], second["next_cursor"]] == [4, 0, None]
    only = await tried(story, {"rules": None, "account_id": str(other)})
    assert (only["accounts"], only["activities"]) == (1, 0)


async def test_an_account_that_waits_for_a_timer_is_named_and_not_compared(story: Any, account: UUID) -> None:
    await story.post(story.call(9, contacts=[]))
    story.clock.advance(story.clock.now().replace(year=2027) - story.clock.now())
    found = await tried(story, {"rules": None})
    assert (found["unsettled"], found["differences"]) == ([str(account)], [])
    await story.mailbox.fire_timers()
    assert (await tried(story, {"rules": None}))["unsettled"] == []


async def test_another_tenants_account_is_not_there(story: Any, of_globex: Any, account: UUID) -> None:
    answer = await preview(of_globex, {"rules": None, "account_id": str(account)})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    assert (await tried(of_globex, {"rules": None}))["accounts"] == 0


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"chase_step": -1}, "/rules/chase_step"),
        ({"signals": [{"type": "fax", "kind": "advice-sought"}]}, "/rules/signals/0/type"),
    ],
)
async def test_rules_that_make_no_sense_are_not_tried(crm: Any, rules: dict[str, Any], pointer: str) -> None:
    answer = await preview(crm, {"rules": rules})
    assert answer.status_code == 422
    assert pointer in answer.text
