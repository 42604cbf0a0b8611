"""Retention: a tenant's limits, who set them, and the daily runs that take texts and names out."""

from typing import Any
from uuid import UUID


async def limit(crm: Any, texts: int | None, names: int | None = None, **headers: str) -> Any:
    body = {"activity_text_days": texts, "activity_days": names, "reason": "Policy 7"}
    return await crm.client.put("/v1/retention", json=body, headers=crm.headers | headers)


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


async def test_for_ever_again_stops_the_runs(crm: Any, account: UUID, admin: Any) -> None:
    await limit(crm, 30)
    await limit(crm, None)
    await crm.pass_time(days=3)
    assert admin("SELECT 1 FROM retention_run WHERE due_at IS NOT NULL") == []


async def test_limits_that_make_no_sense_are_refused_and_theirs_are_not_ours(crm: Any, of_globex: Any) -> None:
    for texts in (0, -1, 40_000):
        assert (await limit(crm, texts)).json()["code"] == "validation-failed"
    await limit(crm, 5)
    assert (await of_globex.get("/v1/retention"))["version"] == 0
    assert (await of_globex.get("/v1/retention/runs"))["items"] == []
