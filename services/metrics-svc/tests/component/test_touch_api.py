"""Last contacts that are taken back: what stood before them stands again, however far back it lies."""

from typing import Any
from uuid import UUID

from metrics_svc.touch.store import PAGE


async def last(crm: Any, account: UUID) -> list[str | None]:
    touch = await crm.get(f"/v1/accounts/{account}/touch")
    return [touch[f"last_{sort}_at"] for sort in ("outbound", "inbound", "two_way")]


def answer(crm: Any, number: int, days: int, **changed: Any) -> dict[str, Any]:
    return crm.call(number, None, direction="inbound", occurred_at=crm.at(days=days)) | changed


async def test_the_contact_before_the_one_taken_back_stands_again(crm: Any, account: UUID) -> None:
    tries = [crm.call(100 + n, occurred_at=crm.at(days=30, minutes=n)) for n in range(PAGE + 6)]
    await crm.post(answer(crm, 1, 60), *tries, answer(crm, 2, 10))
    assert await last(crm, account) == ["2026-01-31T09:00:00Z", "2026-02-20T09:00:00Z", "2026-02-20T09:00:00Z"]
    await crm.post(answer(crm, 2, 10, type="email", outcome="bounced", revision=2))
    assert await last(crm, account) == ["2026-01-31T09:00:00Z", "2026-01-01T09:00:00Z", "2026-01-01T09:00:00Z"]
    await crm.post(answer(crm, 1, 60, type="email", outcome="bounced", revision=2))
    assert await last(crm, account) == ["2026-01-31T09:00:00Z", None, None]


async def test_taking_back_what_was_not_the_last_moves_nothing(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(answer(crm, 1, 60), answer(crm, 2, 10))
    await crm.post(answer(crm, 1, 60, type="email", outcome="bounced", revision=2))
    assert await last(crm, account) == [None, "2026-02-20T09:00:00Z", "2026-02-20T09:00:00Z"]
    assert len(outbox("client.touch.recorded.v1")) == 1


async def test_a_correction_that_leaves_the_contact_as_it_was_says_nothing(
    crm: Any, account: UUID, outbox: Any
) -> None:
    await crm.post(answer(crm, 1, 60))
    assert await crm.statuses(answer(crm, 1, 60, revision=2, subject="It was about the offer")) == ["corrected"]
    assert len(outbox("client.touch.recorded.v1")) == 1


async def test_a_contact_that_moves_to_another_day_moves_the_last_one(crm: Any, account: UUID, admin: Any) -> None:
    await crm.post(answer(crm, 1, 60), answer(crm, 2, 10))
    await crm.post(answer(crm, 2, 70, revision=2))
    assert (await last(crm, account))[1] == "2026-01-01T09:00:00Z"
    days = admin("SELECT day, contacts FROM touch_day WHERE contacts > 0 ORDER BY day")
    assert [(str(row.day), row.contacts) for row in days] == [("2025-12-22", 1), ("2026-01-01", 1)]
