"""Retention: a tenant's limits, who set them, and the daily runs that take texts, names and deliveries out."""

from typing import Any
from uuid import UUID


async def limit(
    crm: Any, texts: int | None, names: int | None = None, deliveries: int | None = None, **headers: str
) -> Any:
    body = {"activity_text_days": texts, "activity_days": names, "reason": "Policy 7"}
    body |= {} if deliveries is None else {"delivery_days": deliveries}
    return await crm.client.put("/v1/retention", json=body, headers=crm.headers | headers)


async def deliver(crm: Any, connected: Any, body: bytes = b"[]") -> None:
    """Deliver as a source that shows its key."""
    headers = {"Authorization": f"Bearer {connected.secret}"}
    answer = await crm.client.post(connected.address, content=body, headers=headers)
    assert answer.is_success, answer.text
    await crm.mailbox.fire_timers()


async def test_all_is_kept_until_somebody_sets_limits(crm: Any) -> None:
    assert (await crm.get("/v1/retention"))["version"] == 0
    assert (await limit(crm, 30)).status_code == 200
    assert (await limit(crm, 60, 400)).headers["etag"] == '"2"'
    assert (await limit(crm, 1, **{"If-Match": '"1"'})).status_code == 412
    history = (await crm.get("/v1/retention/history"))["items"]
    assert [(one["version"], one["activity_text_days"], one["author"]) for one in history] == [
        (2, 60, "tester"),
        (1, 30, "tester"),
    ]


async def test_old_texts_and_names_go_every_day_and_evidence_stays(
    crm: Any, account: UUID, outbox: Any, admin: Any
) -> None:
    more = {"subject": "Hello", "attributes": {"renewal": True, "who": "Bo"}, "thread": "<1@acme.example>"}
    await crm.post(
        crm.call(1, "connected", direction="inbound", occurred_at=crm.at(days=40), **more),
        crm.call(2, "connected", direction="inbound", occurred_at=crm.at(days=400), **more),
        crm.call(3, "connected", direction="inbound", **more),
    )
    said, before = len(outbox()), await crm.evidence()
    await limit(crm, 30, 365)
    await crm.mailbox.fire_timers()
    shown = {one["external_id"]: one for one in (await crm.get("/v1/activities"))["items"]}
    assert [shown[f"call-{n}"]["subject"] for n in (1, 2, 3)] == [None, None, "Hello"]
    assert [shown[f"call-{n}"]["thread"] for n in (1, 2, 3)] == ["<1@acme.example>", None, "<1@acme.example>"]
    assert shown["call-1"]["attributes"] == {"renewal": True}
    assert (len(outbox()), await crm.evidence()) == (said, before)
    await crm.pass_time(days=31)
    [last, first] = [one for one in (await crm.get("/v1/retention/runs"))["items"] if one["texts"]]
    assert (first["texts"], first["names"], last["texts"]) == (2, 1, 1)
    assert last["finished_at"] is not None


async def test_deliveries_are_kept_for_30_days_unless_a_tenant_says_fewer(crm: Any) -> None:
    assert (await crm.get("/v1/retention"))["delivery_days"] == 30
    await limit(crm, None, deliveries=3)
    await limit(crm, 60)
    history = (await crm.get("/v1/retention/history"))["items"]
    assert [(one["delivery_days"], one["author"], one["reason"]) for one in history] == [
        (30, "tester", "Policy 7"),
        (3, "tester", "Policy 7"),
    ]


async def test_old_deliveries_go_every_day_and_those_of_other_tenants_stay(crm: Any, of_globex: Any) -> None:
    ours, theirs = await crm.connect("salesforce"), await of_globex.connect("salesforce")
    await deliver(of_globex, theirs)
    await deliver(crm, ours)
    await deliver(crm, ours, b"no json")
    await limit(crm, None, deliveries=3)
    await crm.pass_time(days=2)
    await deliver(crm, ours)
    assert [one["status"] for one in await crm.deliveries()] == ["worked", "failed", "worked"]
    await crm.pass_time(days=2)
    assert [one["received_at"] for one in await crm.deliveries()] == [crm.at(days=2).replace("+00:00", "Z")]
    assert len(await of_globex.deliveries()) == 1
    [run] = [one for one in (await crm.get("/v1/retention/runs"))["items"] if one["deliveries"]]
    assert (run["deliveries"], run["version"], run["texts"], run["names"]) == (2, 1, 0, 0)
    await crm.pass_time(days=2)
    assert await crm.deliveries() == []


async def test_a_delivery_that_is_still_to_be_worked_is_worked_before_it_goes(crm: Any, admin: Any) -> None:
    await deliver(crm, await crm.connect("salesforce"))
    admin("UPDATE inbound_delivery SET status = 'received', due_at = '2999-01-01', forget_at = NULL")
    await crm.pass_time(days=9)
    await limit(crm, None, deliveries=1)
    assert [one["status"] for one in await crm.deliveries()] == ["received"]
    admin("UPDATE inbound_delivery SET due_at = '2000-01-01'")
    assert [one["status"] for one in await crm.deliveries()] == ["worked"]
    await crm.pass_time(days=1)
    assert await crm.deliveries() == []


async def test_for_ever_again_stops_the_runs(crm: Any, account: UUID, admin: Any) -> None:
    await limit(crm, 30, deliveries=7)
    await limit(crm, None, deliveries=7)
    await crm.pass_time(days=3)
    assert len(admin("SELECT 1 FROM retention_run WHERE due_at IS NOT NULL")) == 1
    await limit(crm, None)
    await crm.pass_time(days=3)
    assert admin("SELECT 1 FROM retention_run WHERE due_at IS NOT NULL") == []


async def test_limits_that_make_no_sense_are_refused_and_theirs_are_not_ours(crm: Any, of_globex: Any) -> None:
    for texts in (0, -1, 40_000):
        assert (await limit(crm, texts)).json()["code"] == "validation-failed"
    for deliveries in (0, -1, 31):
        assert (await limit(crm, 5, deliveries=deliveries)).json()["code"] == "validation-failed"
    await limit(crm, 5)
    assert (await of_globex.get("/v1/retention"))["version"] == 0
    assert (await of_globex.get("/v1/retention/runs"))["items"] == []
