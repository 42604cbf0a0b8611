"""Every kind of the catalogue comes in by a real path; a tenant adds kinds and signals of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from metrics_svc.buying.rules import KINDS as BUYING
from metrics_svc.derivation.rules import Policy
from metrics_svc.evidence.rules import CATALOGUE
from metrics_svc.expectations.rules import KINDS as EXPECTATIONS
from metrics_svc.meetings.rules import KINDS as MEETINGS
from metrics_svc.scope.rules import KINDS as SCOPE

DERIVED = {*BUYING, *EXPECTATIONS, *MEETINGS, *SCOPE, *(signal.kind for signal in Policy().signals)}
GIFT = {"code": "gift-refused", "family": "advice", "polarity": -1}


def dated(crm: Any, number: int, type_: str, outcome: str | None, days: float, **more: Any) -> dict[str, Any]:
    asked = {"direction": None, "occurred_at": crm.at(days=days)} | more
    return dict(crm.call(number, outcome, type=type_, external_id=f"{type_}-{number}", **asked))


async def put(crm: Any, **body: Any) -> Any:
    return await crm.client.put("/v1/derivation-rules", json={"reason": "ours"} | body, headers=crm.headers)


def conversations(crm: Any) -> list[dict[str, Any]]:
    ask = {"direction": "outbound", "asks_reply": True}
    return [
        dated(crm, 1, "call", "no-answer", 100, direction="outbound"),
        dated(crm, 2, "call", "no-answer", 60, direction="outbound"),
        dated(crm, 3, "call", "connected", 59, direction="inbound"),
        dated(crm, 4, "email", "sent", 50, **ask),
        dated(crm, 5, "email", "sent", 20, **ask),
        dated(crm, 6, "email", None, 19, direction="inbound"),
        dated(crm, 7, "email", None, 18, direction="inbound"),
        *(
            dated(crm, 10 + n, "meeting", outcome, 10)
            for n, outcome in enumerate(("accepted", "declined", "held", "no-show", "cancelled-by-client", "invited"))
        ),
    ]


def orders(crm: Any) -> list[dict[str, Any]]:
    """A steady year; then fewer, then a burst of many, then none."""
    days = [*range(700, 340, -10), *range(330, 150, -30), *range(149, 100, -1)]
    money = {"amount": "10.00", "currency": "EUR"}
    return [dated(crm, day, "order", "placed", day, **money) for day in days]


async def test_every_kind_that_is_derived_comes_from_activities_and_every_other_is_said(
    crm: Any, account: UUID
) -> None:
    signals = [
        dated(crm, n, signal.type, signal.outcome, 5, attributes=dict(signal.attributes))
        for n, signal in enumerate(Policy().signals)
    ]
    await crm.post(*conversations(crm), *orders(crm), *signals)
    await crm.pass_time(seconds=1)
    made = {item["kind"] for item in await everything(crm)}
    assert made == DERIVED
    said = [
        {"kind": kind, "observed_at": crm.at(), "account": {"domain": "acme.example"}}
        for kind in CATALOGUE
        if kind not in DERIVED
    ]
    assert set(await crm.statuses(*said, path="/v1/evidence")) == {"accepted"}
    assert {item["kind"] for item in await everything(crm)} == set(CATALOGUE)


async def everything(crm: Any) -> list[dict[str, Any]]:
    page = await crm.get("/v1/evidence", status="recorded", limit=200)
    assert page["next_cursor"] is None
    return list(page["items"])


async def test_a_kind_of_ones_own_is_said_and_signalled_and_speaks_of_its_familys_dimension(
    crm: Any, of_globex: Any, account: UUID, deliver: Any, changed: Any
) -> None:
    await deliver(changed(), tenant="globex")
    signal = {"type": "note", "attributes": {"gift": "refused"}, "kind": "gift-refused", "magnitude": 2.0}
    assert (await put(crm, kinds=[GIFT], signals=[signal])).status_code == 200
    seen = {"kind": "gift-refused", "observed_at": crm.at(), "account": {"domain": "acme.example"}}
    assert await crm.statuses(seen, path="/v1/evidence") == ["accepted"]
    [answer] = await of_globex.post(seen, path="/v1/evidence")
    assert answer["problem"]["code"] == "unknown-evidence-kind"
    notes = [dated(crm, n, "note", None, 0, attributes={"gift": word}) for n, word in enumerate(("refused", "taken"))]
    await crm.post(*notes)
    found = [(i["kind"], i["dimension"], i["polarity"], i["magnitude"]) for i in await everything(crm)]
    assert sorted(found) == [("gift-refused", "mind", -1, 1.0), ("gift-refused", "mind", -1, 2.0)]
    [own] = [kind for kind in (await crm.get("/v1/evidence-kinds"))["items"] if kind["origin"] == "tenant"]
    assert own == GIFT | {"dimension": "mind", "retired": False, "origin": "tenant"}


async def test_a_corrected_attribute_takes_the_signal_back(crm: Any, account: UUID) -> None:
    signed = dated(crm, 1, "proposal", "accepted", 0, attributes={"renewal": True})
    await crm.post(signed)
    await crm.post(signed | {"attributes": {"renewal": 1}, "revision": 2})
    assert await crm.evidence() == [("renewal-signed", "retracted", 2)]


async def test_signals_that_rules_no_longer_have_are_taken_back(crm: Any, account: UUID) -> None:
    await crm.post(dated(crm, 1, "ticket", "opened", 1))
    await put(crm, signals=[], applies_from=crm.at(days=2))
    await crm.pass_time(seconds=1)
    assert await crm.evidence() == [("complaint-raised", "retracted", 2)]


async def test_a_retired_kind_takes_nothing_new_and_keeps_what_is_there(crm: Any, account: UUID) -> None:
    await put(crm, kinds=[GIFT])
    seen = {"kind": "gift-refused", "observed_at": crm.at(), "account": {"domain": "acme.example"}}
    await crm.post(seen, path="/v1/evidence")
    await put(crm, kinds=[GIFT | {"retired": True}])
    [answer] = await crm.post(seen, path="/v1/evidence")
    assert answer["problem"]["code"] == "retired-evidence-kind"
    assert answer["problem"]["errors"][0]["pointer"] == "/kind"
    assert await crm.standing() == ["gift-refused"]


async def test_the_history_says_what_each_version_changed(crm: Any) -> None:
    await put(crm, chase_step=0.5, country_windows={"DE": {"call": {"business_days": 1}}})
    await put(crm, chase_step=0.5)
    second, first = (await crm.get("/v1/derivation-rules/history"))["items"]
    assert first["changed"]["chase_step"] == {"before": 0.25, "after": 0.5}
    assert set(first["changed"]) == {"chase_step", "country_windows"}
    assert set(second["changed"]) == {"country_windows"}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"kinds": []}, "evidence-kind-redefined", "/kinds"),
        ({"kinds": [GIFT | {"polarity": 1}]}, "evidence-kind-redefined", "/kinds/0"),
        ({"kinds": [GIFT, GIFT | {"code": "order-placed"}]}, "evidence-kind-redefined", "/kinds/1"),
        ({"kinds": [GIFT | {"family": "gifts"}]}, "validation-failed", "/kinds/0/family"),
        (
            {"kinds": [GIFT], "signals": [{"type": "fax", "kind": "advice-sought"}]},
            "unknown-activity-type",
            "/signals/0/type",
        ),
        (
            {"kinds": [GIFT], "signals": [{"type": "note", "outcome": "won", "kind": "advice-sought"}]},
            "outcome-mismatch",
            "/signals/0/outcome",
        ),
        ({"kinds": [GIFT], "signals": [{"type": "note", "kind": "gift"}]}, "unknown-evidence-kind", "/signals/0/kind"),
        (
            {"kinds": [GIFT | {"retired": True}], "signals": [{"type": "note", "kind": "gift-refused"}]},
            "retired-evidence-kind",
            "/signals/0/kind",
        ),
        ({"kinds": [GIFT], "country_windows": {"Germany": {}}}, "validation-failed", "/country_windows/Germany"),
        ({"kinds": [GIFT], "forgiveness": 0.5}, "validation-failed", "/forgiveness"),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(crm: Any, body: Any, code: str, pointer: str) -> None:
    await put(crm, kinds=[GIFT])
    answer = await put(crm, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert pointer in answer.text
    assert (await crm.get("/v1/derivation-rules"))["version"] == 1


async def test_a_reply_is_awaited_as_long_as_is_usual_in_the_accounts_country(
    crm: Any, account: UUID, deliver: Any, changed: Any
) -> None:
    await put(crm, country_windows={"DE": {"call": {"seconds": 5}}}, applies_from=crm.at(days=1))
    await crm.post(crm.call(1))
    await crm.pass_time(seconds=6)
    assert await crm.standing() == []
    await deliver(changed(version=2, country="DE"))
    await crm.pass_time(seconds=1)
    assert await crm.standing() == ["call-unreturned"]


async def test_a_month_that_begins_tells_what_silence_did_to_the_orders(crm: Any, account: UUID) -> None:
    assert crm.clock.now() < datetime(2026, 4, 1, tzinfo=UTC)
    money = {"amount": "10.00", "currency": "EUR"}
    await crm.post(*(dated(crm, day, "order", "placed", day, **money) for day in range(1, 700, 10)))
    before = await crm.get("/v1/evidence", family="scope")
    assert before["items"] == []
    for _ in range(4):
        crm.clock.advance(timedelta(days=30))
        await crm.mailbox.fire_timers()
    [fell] = (await crm.get("/v1/evidence", family="scope"))["items"]
    assert (fell["kind"], fell["observed_at"][:10], fell["rule"]) == ("scope-reduced", "2026-04-01", "scope")


async def test_a_first_order_long_before_all_others_leaves_nothing_to_compare_with(crm: Any, account: UUID) -> None:
    money = {"currency": "EUR"}
    young = [
        dated(crm, day, "order", "placed", day, amount="90" if day < 95 else "10", **money) for day in range(5, 300, 10)
    ]
    await crm.post(*young)
    [grew] = (await crm.get("/v1/evidence", family="scope"))["items"]
    assert grew["kind"] == "scope-expanded"
    await crm.post(dated(crm, 999, "order", "placed", 720, amount="10", **money))
    assert (await crm.get("/v1/evidence", family="scope", status="recorded"))["items"] == []
