"""Sources: when they were heard, how much they told, and that silence is noticed and said."""

from typing import Any
from uuid import UUID

from bellwether_kit.testing.service import Mailbox


async def hear(crm: Any, times: int, **apart: float) -> None:
    """Let the source tell one activity so many times."""
    for _ in range(times):
        await crm.post(crm.call(1, external_id=crm.at()))
        await crm.pass_time(**apart)


async def source(crm: Any) -> Any:
    [found] = (await crm.get("/v1/sources"))["items"]
    return found


async def test_a_source_is_known_by_when_it_was_heard(crm: Any, account: UUID) -> None:
    first = crm.at()
    await crm.post(crm.call(1), crm.call(2), crm.call(1))
    await crm.pass_time(minutes=5)
    await crm.post(crm.call(3))
    found = await source(crm)
    assert (found["source"], found["activities_by_day"]) == ("crm", {"2026-03-02": 4})
    assert (found["first_heard_at"][:19], found["last_heard_at"][:19]) == (first[:19], crm.at()[:19])
    assert (found["usual_gap_hours"], found["silent_at"], found["silent_since"]) == (None, None, None)


async def test_what_is_refused_tried_or_seen_by_a_person_is_no_source_heard(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, "held"))
    await crm.post(crm.call(1), dry_run="true")
    advice = {"kind": "advice-sought", "observed_at": crm.at(), "account": {"id": str(account)}}
    await crm.post(advice, path="/v1/evidence")
    assert (await crm.get("/v1/sources"))["items"] == []


async def test_a_silence_of_three_usual_gaps_is_said_once_and_so_is_its_end(
    crm: Any, account: UUID, mailbox: Mailbox
) -> None:
    await hear(crm, 12, minutes=30)
    heard = await source(crm)
    assert heard["usual_gap_hours"] == 0.5
    await crm.pass_time(minutes=30)
    assert mailbox.outbox("source.feed.silenced.v1") == []
    await crm.pass_time(minutes=30)
    await crm.pass_time(hours=9)
    [said] = mailbox.outbox("source.feed.silenced.v1")
    assert (said.topic, said.key, said.data["usual_gap_hours"]) == ("client-metrics", "acme/crm", 0.5)
    assert (await source(crm))["silent_since"] == heard["last_heard_at"]
    await hear(crm, 2, minutes=1)
    [back] = mailbox.outbox("source.feed.resumed.v1")
    assert back.data["silent_since"] == said.data["last_heard_at"]
    assert (await source(crm))["silent_since"] is None


async def test_a_weekend_is_no_silence(crm: Any, account: UUID, mailbox: Mailbox) -> None:
    await crm.pass_time(days=4, hours=3)
    await hear(crm, 12, hours=1)
    await crm.pass_time(days=2)
    assert mailbox.outbox("source.feed.silenced.v1") == []
    await crm.pass_time(days=1)
    assert len(mailbox.outbox("source.feed.silenced.v1")) == 1


async def test_days_are_counted_and_forgotten(crm: Any, account: UUID, mailbox: Mailbox) -> None:
    await hear(crm, 2, days=1)
    assert (await source(crm))["activities_by_day"] == {"2026-03-02": 1, "2026-03-03": 1}
    await crm.pass_time(days=20)
    assert (await source(crm))["activities_by_day"] == {}
    await crm.pass_time(days=400)
    assert mailbox.admin("SELECT * FROM source_day") == []


async def test_sources_are_listed_by_name_and_only_ones_own(crm: Any, of_globex: Any, account: UUID) -> None:
    await crm.post(*(crm.call(n, source=name) for n, name in enumerate(("b", "c", "a"))))
    page = await crm.get("/v1/sources", limit=2)
    rest = await crm.get("/v1/sources", limit=2, cursor=page["next_cursor"])
    assert [item["source"] for item in (*page["items"], *rest["items"])] == ["a", "b", "c"]
    assert (await of_globex.get("/v1/sources"))["items"] == []
