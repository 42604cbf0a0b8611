"""The main path: activities in, evidence out."""

from typing import Any
from uuid import UUID


async def test_a_call_nobody_returns_becomes_evidence_when_its_window_ends(
    crm: Any, account: UUID, outbox: Any
) -> None:
    assert await crm.statuses(crm.call(1)) == ["accepted"]
    await crm.pass_time(days=2)
    assert await crm.standing() == []
    await crm.pass_time(days=1)
    assert await crm.standing() == ["call-unreturned"]
    [said] = outbox("client.evidence.recorded.v1")
    assert said.key == f"acme/{account}"
    assert {
        "account_id": str(account),
        "kind": "call-unreturned",
        "family": "calls-and-emails",
        "dimension": "heart",
        "polarity": -1,
        "magnitude": 1.0,
        "observed_at": "2026-03-05T09:00:00Z",
        "recorded_at": "2026-03-05T09:00:00Z",
        "revision": 1,
        "source": "crm",
        "owner_id": None,
    }.items() <= said.data.items()


async def test_posting_everything_again_changes_nothing(crm: Any, account: UUID, outbox: Any) -> None:
    story = [crm.call(1), crm.call(2, "connected", contacts=[])]
    assert await crm.statuses(*story) == ["accepted", "accepted"]
    await crm.pass_time(days=9)
    before = (await crm.evidence(), len(outbox()))
    assert await crm.statuses(*story) == ["duplicate", "duplicate"]
    await crm.pass_time(days=1)
    assert (await crm.evidence(), len(outbox())) == before


async def test_a_reply_in_time_is_returned_and_not_also_contact_out_of_the_blue(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1))
    await crm.pass_time(days=1)
    await crm.post(crm.call(2, "connected", direction="inbound"))
    await crm.pass_time(days=9)
    assert await crm.standing() == ["call-returned"]


async def test_a_late_reply_within_twice_the_window_takes_the_negative_back(
    crm: Any, account: UUID, outbox: Any
) -> None:
    await crm.post(crm.call(1))
    await crm.pass_time(days=4)
    assert await crm.standing() == ["call-unreturned"]
    await crm.post(crm.call(2, "connected", direction="inbound"))
    assert await crm.evidence() == [("call-unreturned", "retracted", 2), ("call-returned", "recorded", 1)]
    [taken_back] = outbox("client.evidence.retracted.v1")
    assert (taken_back.data["revision"], taken_back.data["reason"]) == (2, "superseded")


async def test_a_late_reply_forgives_the_earlier_ask_and_answers_the_later(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1))
    await crm.pass_time(days=4)
    await crm.post(crm.call(2))
    await crm.pass_time(days=1)
    await crm.post(crm.call(3, "connected", direction="inbound"))
    assert await crm.standing() == ["call-returned"]


async def test_much_later_both_stand(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1))
    await crm.pass_time(days=30)
    await crm.post(crm.call(2, "connected", direction="inbound"))
    assert await crm.standing() == ["call-unreturned", "call-returned"]


async def test_an_inbound_call_out_of_the_blue_is_client_contacted_until_it_turns_out_to_be_a_reply(
    crm: Any, account: UUID
) -> None:
    await crm.post(crm.call(2, "connected", direction="inbound"))
    assert await crm.standing() == ["client-contacted"]
    await crm.post(crm.call(1, occurred_at=crm.at(hours=5)))
    assert sorted(await crm.evidence()) == [("call-returned", "recorded", 1), ("client-contacted", "retracted", 2)]
    await crm.post(crm.call(1, "connected", revision=2, occurred_at=crm.at(hours=5)))
    assert await crm.standing() == ["client-contacted"]


async def test_an_ask_without_contact_is_settled_by_anybody_of_the_account(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, contacts=[]))
    await crm.pass_time(hours=1)
    await crm.post(crm.call(2, "connected", direction="inbound"))
    assert await crm.standing() == ["call-returned"]


async def test_one_expectation_per_contact_and_channel_at_a_time(crm: Any, account: UUID) -> None:
    mail = {"type": "email", "outcome": "sent", "asks_reply": True}
    await crm.post(*(crm.call(number, occurred_at=crm.at(hours=number)) for number in range(1, 6)))
    await crm.post(crm.call(6, **mail), crm.call(7, contacts=[{"email": "Bo@acme.example"}]))
    await crm.pass_time(days=10)
    items = (await crm.get("/v1/evidence"))["items"]
    assert sorted((item["kind"], item["magnitude"]) for item in items) == [
        ("call-unreturned", 1.0),
        ("call-unreturned", 2.0),
        ("email-unreturned", 1.0),
    ]


async def test_a_holiday_of_the_accounts_country_does_not_count(
    crm: Any, deliver: Any, changed: Any, clock: Any, start: Any
) -> None:
    await deliver(changed(country="DE"))
    clock.set(start.replace(month=4, day=1))  # the Wednesday before Easter: Friday and Monday are holidays
    await crm.post(crm.call(1))
    await crm.pass_time(days=6)
    assert await crm.standing() == []
    await crm.pass_time(days=1)
    assert await crm.standing() == ["call-unreturned"]


async def test_a_meeting_is_one_piece_of_evidence_that_follows_its_last_answer(crm: Any, account: UUID) -> None:
    def meeting(outcome: str, revision: int) -> dict[str, Any]:
        return crm.call(
            1, outcome, type="meeting", direction=None, revision=revision, occurred_at="2026-03-09T10:00:00Z"
        )

    assert await crm.statuses(meeting("invited", 1)) == ["accepted"]
    assert await crm.standing() == []
    assert await crm.statuses(meeting("accepted", 2)) == ["corrected"]
    assert await crm.evidence() == [("meeting-accepted", "recorded", 1)]
    await crm.pass_time(days=8)
    await crm.post(meeting("no-show", 3))
    assert await crm.evidence() == [("meeting-no-show", "recorded", 2)]
    assert await crm.statuses(meeting("accepted", 2)) == ["stale"]
    assert await crm.evidence() == [("meeting-no-show", "recorded", 2)]


async def test_an_invitation_without_answer_is_unanswered_at_the_start(crm: Any, account: UUID) -> None:
    invited = {"type": "meeting", "direction": None, "occurred_at": "2026-03-09T10:00:00Z"}
    await crm.post(crm.call(1, "invited", **invited))
    await crm.pass_time(days=7)
    assert await crm.standing() == []
    await crm.pass_time(hours=1)
    assert await crm.standing() == ["meeting-unanswered"]


async def test_orders_are_evidence_and_so_is_their_silence(crm: Any, account: UUID) -> None:
    def order(number: int, days_ago: float) -> dict[str, Any]:
        more = {"amount": "100.00", "currency": "EUR", "occurred_at": crm.at(days=days_ago)}
        return crm.call(number, "placed", type="order", direction=None, **more)

    await crm.post(*(order(number, 10 * number) for number in range(1, 6)))
    assert await crm.standing() == ["order-placed"] * 5
    await crm.pass_time(days=10)
    assert await crm.standing() == [*["order-placed"] * 5, "buying-decelerated"]
    await crm.post(order(9, 5))
    assert sorted(await crm.standing()) == ["order-placed"] * 6


async def test_what_a_person_saw_is_evidence_and_can_be_corrected_and_withdrawn(
    crm: Any, account: UUID, outbox: Any
) -> None:
    seen = {
        "kind": "advice-sought",
        "external_id": "a",
        "observed_at": crm.at(),
        "account": {"id": str(account)},
        "note": "Asked about warehouses.",
    }
    [result] = await crm.post(seen, path="/v1/evidence")
    assert result["status"] == "accepted"
    assert await crm.statuses(seen, path="/v1/evidence") == ["duplicate"]
    [corrected] = await crm.post(seen | {"revision": 2, "magnitude": 2.0}, path="/v1/evidence")
    assert (corrected["status"], corrected["id"]) == ("corrected", result["id"])
    path = f"/v1/evidence/{result['id']}/retract"
    for _ in range(2):
        answer = await crm.client.post(path, json={"reason": "A misunderstanding"}, headers=crm.headers)
        assert answer.json()["status"] == "retracted", answer.text
    assert await crm.statuses(seen | {"revision": 3}, path="/v1/evidence") == ["corrected"]
    assert await crm.evidence() == [("advice-sought", "retracted", 3)]
    assert [row.data["revision"] for row in outbox() if row.topic == "client-evidence"] == [1, 2, 3]


async def test_the_last_contacts_are_said_once_per_request_and_account(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(crm.call(1, occurred_at=crm.at(days=2)), crm.call(2, "connected", occurred_at=crm.at(days=1)))
    [said] = outbox("client.touch.recorded.v1")
    assert said.data == {
        "account_id": str(account),
        "last_outbound_at": "2026-03-01T09:00:00Z",
        "last_inbound_at": None,
        "last_two_way_at": "2026-03-01T09:00:00Z",
        "distinct_contacts_90d": 1,
        "response_time_median_hours": 24.0,
        "two_way_ratio": 0.5,
    }
    await crm.post(crm.call(3, occurred_at=crm.at(days=5)))
    assert len(outbox("client.touch.recorded.v1")) == 1
    touch = await crm.get(f"/v1/accounts/{account}/touch")
    assert touch["last_two_way_at"] == "2026-03-01T09:00:00Z"
    assert len(touch["contacts"]) == 1


async def test_a_corrected_contact_moves_the_last_contact_back(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(crm.call(1, "connected", occurred_at=crm.at(days=3)), crm.call(2, "connected"))
    await crm.post(crm.call(2, "no-answer", revision=2))
    said = outbox("client.touch.recorded.v1")
    assert [row.data["last_two_way_at"] for row in said] == ["2026-03-02T09:00:00Z", "2026-02-27T09:00:00Z"]


async def test_the_figures_of_an_account_are_over_the_period_and_say_their_n(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, occurred_at=crm.at(days=30)), crm.call(2, occurred_at=crm.at(days=3)))
    await crm.post(crm.call(3, "connected", direction="inbound", occurred_at=crm.at(days=2)))
    figures = await crm.get(f"/v1/accounts/{account}/evidence-metrics")
    assert (figures["return_rate"], figures["return_rate_n"]) == (0.5, 2)
    assert (figures["response_time_median_hours"], figures["response_time_n"]) == (24.0, 1)
    assert figures["families"] == [{"family": "calls-and-emails", "positive": 1, "negative": 1}]
    none = await crm.get(f"/v1/accounts/{account}/evidence-metrics", **{"from": crm.at(days=1)})
    assert (none["n"], none["return_rate"], none["response_time_median_hours"]) == (0, None, None)
