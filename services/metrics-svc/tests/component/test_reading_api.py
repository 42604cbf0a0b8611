"""Reading: pages, filters, the catalogue; and many posts at once."""

import asyncio
from typing import Any
from uuid import UUID


async def test_activities_are_listed_latest_first_page_by_page(crm: Any, account: UUID) -> None:
    await crm.post(*(crm.call(number, occurred_at=crm.at(hours=number)) for number in range(5)))
    first = await crm.get("/v1/activities", limit=3)
    second = await crm.get("/v1/activities", limit=3, cursor=first["next_cursor"])
    names = [item["external_id"] for item in first["items"] + second["items"]]
    assert names == [f"call-{number}" for number in range(5)]
    assert second["next_cursor"] is None


async def test_activities_are_narrowed_by_what_is_asked_for(crm: Any, account: UUID) -> None:
    await crm.post(
        crm.call(1, occurred_at=crm.at(days=2)),
        crm.call(2, "held", type="meeting"),
        crm.call(3, source="phone", account={"id": str(account)}),
        crm.call(4, account={"domain": "elsewhere.example"}),
    )

    async def found(**query: Any) -> list[str]:
        return sorted(item["external_id"] for item in (await crm.get("/v1/activities", **query))["items"])

    assert await found(type="meeting") == ["call-2"]
    assert await found(source="phone") == ["call-3"]
    assert await found(unmatched="true") == ["call-4"]
    assert await found(account_id=str(account)) == ["call-1", "call-2", "call-3"]
    assert await found(to=crm.at(days=1)) == ["call-1"]
    assert await found(**{"from": crm.at(days=1)}) == ["call-2", "call-3", "call-4"]


async def test_one_activity_is_shown_as_it_is_now(crm: Any, account: UUID) -> None:
    more = {"subject": "Renewal", "attributes": {"queue": "eu"}, "amount": "12.50", "currency": "EUR"}
    [result] = await crm.post(crm.call(1, **more))
    await crm.post(crm.call(1, "connected", revision=7, **more))
    shown = await crm.get(f"/v1/activities/{result['id']}")
    assert (shown["revision"], shown["outcome"], shown["subject"]) == (7, "connected", "Renewal")
    assert (shown["amount"], shown["attributes"], shown["author"]) == ("12.50", {"queue": "eu"}, "tester")


async def test_the_sources_update_time_orders_revisions_as_well(crm: Any, account: UUID) -> None:
    early, late = crm.at(hours=2), crm.at(hours=1)
    assert await crm.statuses(crm.call(1, updated_at=late), crm.call(1, updated_at=early)) == ["accepted", "stale"]
    assert await crm.statuses(crm.call(1, updated_at=late), crm.call(1, updated_at=crm.at())) == [
        "duplicate",
        "corrected",
    ]


async def test_evidence_is_narrowed_and_shown_one_by_one(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, "connected", direction="inbound"), crm.call(2, "held", type="meeting"))
    [piece] = (await crm.get("/v1/evidence", family="meetings"))["items"]
    shown = await crm.get(f"/v1/evidence/{piece['id']}")
    assert {name: shown[name] for name in piece} == piece
    assert await crm.evidence(kind="client-contacted") == [("client-contacted", "recorded", 1)]
    assert await crm.evidence(account_id="01890000-0000-7000-8000-00000000dead") == []


async def test_the_catalogue_is_readable(crm: Any) -> None:
    kinds = (await crm.get("/v1/evidence-kinds"))["items"]
    assert {
        "code": "call-unreturned",
        "family": "calls-and-emails",
        "dimension": "heart",
        "polarity": -1,
        "retired": False,
        "origin": "bellwether",
    } in kinds


async def test_the_same_activities_posted_at_once_are_stored_and_said_once(
    crm: Any, account: UUID, admin: Any, outbox: Any
) -> None:
    calls = [crm.call(number, "connected", direction="inbound") for number in range(20)]
    unmatched = [crm.call(number, account={"domain": "elsewhere.example"}) for number in range(20, 40)]
    answers = await asyncio.gather(*(crm.statuses(*calls, *reversed(unmatched)) for _ in range(4)))
    for results in zip(*answers, strict=True):
        assert sorted(results)[1:] == ["duplicate"] * 3 or sorted(results)[:3] == ["duplicate"] * 3
    assert len(admin("SELECT 1 FROM activity")) == 40
    assert len(outbox("client.evidence.recorded.v1")) == 20


async def test_an_account_that_appears_while_its_activities_are_posted_gets_all_of_them(
    crm: Any, deliver: Any, changed: Any, admin: Any
) -> None:
    async def post(number: int) -> None:
        await crm.post(*(crm.call(100 * number + n, "connected", direction="inbound") for n in range(10)))

    await asyncio.gather(*(post(number) for number in range(4)), deliver(changed()), *(post(n) for n in range(4, 8)))
    assert admin("SELECT 1 FROM activity WHERE account_id IS NULL") == []
    assert len(await crm.standing()) == 50  # one page
    assert len(admin("SELECT 1 FROM evidence")) == 80
