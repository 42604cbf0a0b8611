"""Reported figures: taken once, corrected, matched late, and said to others when they change."""

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

PATH = "/v1/figures"


def revenue(amount: str = "48200.00", **changed: Any) -> dict[str, Any]:
    """A month's revenue as a finance system posts it."""
    return {
        "source": "erp",
        "account": {"source": "crm", "external_id": "company-17"},
        "measure": "revenue",
        "period_start": "2026-01-01",
        "period_end": "2026-01-31",
        "money": {"amount": amount, "currency": "EUR"},
    } | changed


def share(value: float, **changed: Any) -> dict[str, Any]:
    body = revenue() | {"measure": "share-of-wallet", "value": value} | changed
    del body["money"]
    return body


def told(outbox: Any) -> list[tuple[str, float, str]]:
    rows = [row.data for row in outbox("client.metric.measured.v1")]
    return [(row["metric"], row["value"], row["unit"]) for row in rows]


async def test_a_figure_is_kept_and_said_with_its_period(crm: Any, account: UUID, outbox: Any) -> None:
    assert await crm.statuses(revenue(), share(42.5), path=PATH) == ["accepted", "accepted"]
    assert told(outbox) == [("revenue", 48200.0, "EUR"), ("share-of-wallet", 42.5, "percent")] or told(outbox) == [
        ("share-of-wallet", 42.5, "percent"),
        ("revenue", 48200.0, "EUR"),
    ]
    said = outbox("client.metric.measured.v1")[0]
    assert (said.key, said.data["n"], said.data["standard_error"]) == (f"acme/{account}", None, None)
    assert (said.data["period_start"], said.data["period_end"]) == ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")
    [one] = (await crm.get(PATH, measure="revenue"))["items"]
    assert (one["money"], one["value"]) == ({"amount": "48200.00", "currency": "EUR"}, None)
    [one] = (await crm.get(PATH, measure="share-of-wallet"))["items"]
    assert (one["money"], one["value"], one["unit"], one["account_id"]) == (None, 42.5, "percent", str(account))


async def test_the_same_figure_again_says_nothing_and_a_correction_does(crm: Any, account: UUID, outbox: Any) -> None:
    assert await crm.statuses(revenue(), revenue(), path=PATH) == ["accepted", "duplicate"]
    assert await crm.statuses(revenue("1.00", revision=3), revenue("2.00", revision=2), path=PATH) == [
        "corrected",
        "stale",
    ]
    assert await crm.statuses(revenue("1.00", revision=4), path=PATH) == ["corrected"]
    assert [value for _, value, _ in told(outbox)] == [48200.0, 1.0]


async def test_any_order_and_any_repetition_gives_the_same(crm: Any, account: UUID, admin: Any) -> None:
    versions = [revenue("1.00"), revenue("2.00", revision=2), revenue("3.00", revision=3), share(4)]
    ends = set()
    for order in permutations(versions):
        await crm.post(*order[:2], path=PATH)
        await crm.post(*order[1:], *order, path=PATH)
        ends.add(str(admin("SELECT id, revision, value, unit FROM reported_figure ORDER BY id")))
        admin("DELETE FROM reported_figure")
    assert len(ends) == 1


async def test_figures_are_held_until_their_account_appears(crm: Any, deliver: Any, changed: Any, outbox: Any) -> None:
    assert await crm.statuses(revenue(), path=PATH) == ["unmatched"]
    assert len((await crm.get(PATH, unmatched="true"))["items"]) == 1
    assert outbox() == []
    await deliver(changed(), times=2)
    assert told(outbox) == [("revenue", 48200.0, "EUR")]
    assert (await crm.get(PATH, unmatched="true"))["items"] == []


async def test_an_external_id_that_moves_takes_its_figures_along(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, removed: Any, outbox: Any
) -> None:
    await crm.post(revenue(), path=PATH)
    await deliver(removed(), changed(account_id=other, email_domains=()), times=2)
    assert (await crm.get(PATH, account_id=str(account)))["items"] == []
    assert [row.key for row in outbox("client.metric.measured.v1")] == [f"acme/{account}", f"acme/{other}"]


async def test_figures_are_narrowed_and_listed_latest_period_first(crm: Any, account: UUID) -> None:
    months = [revenue(period_start=f"2025-{m:02}-01", period_end=f"2025-{m:02}-28") for m in range(1, 6)]
    await crm.post(*months, revenue(source="books"), path=PATH)
    first = await crm.get(PATH, source="erp", limit=3)
    second = await crm.get(PATH, source="erp", limit=3, cursor=first["next_cursor"])
    ends = [item["period_end"] for item in first["items"] + second["items"]]
    assert ends == [f"2025-{m:02}-28" for m in (5, 4, 3, 2, 1)]
    some = await crm.get(PATH, **{"from": "2025-02-28", "to": "2025-04-28"})
    assert [item["period_end"] for item in some["items"]] == ["2025-03-28", "2025-02-28"]


BAD = [
    (revenue(measure="csat"), "measure-reserved", "/measure"),
    (share(101), "share-out-of-range", "/value"),
    (share(40, unit="1"), "unit-mismatch", "/unit"),
    (share(40, measure="revenue"), "unit-mismatch", "/value"),
    (revenue(period_end="2025-12-31"), "period-out-of-order", "/period_end"),
    (revenue(period_start="1989-01-01"), "occurred-too-early", "/period_start"),
    (revenue(period_start="2026-04-01", period_end="2026-04-30"), "occurred-in-future", "/period_start"),
    (revenue(value=1.0), "validation-failed", "/items/1"),
    (revenue(unit="EUR"), "validation-failed", "/items/1"),
    (revenue(money={"amount": 12.5, "currency": "EUR"}), "validation-failed", "/items/1/money/amount"),
    (revenue(money={"amount": "12.50"}), "validation-failed", "/items/1/money/currency"),
    (revenue(measure="Revenue"), "validation-failed", "/items/1/measure"),
    (revenue(source=" "), "validation-failed", "/items/1/source"),
    (revenue(account={}), "validation-failed", "/items/1/account"),
    (revenue(period_start=20260101), "validation-failed", "/items/1/period_start"),
    (share(1e300), "validation-failed", "/items/1/value"),
    (revenue(colour="red"), "validation-failed", "/items/1/colour"),
]


@pytest.mark.parametrize(("body", "code", "pointer"), BAD)
async def test_a_bad_figure_is_rejected_with_its_code_and_the_others_are_taken(
    crm: Any, account: UUID, admin: Any, body: dict[str, Any], code: str, pointer: str
) -> None:
    others = [revenue(measure=name) for name in ("profit", "bookings")]
    good, bad, too = await crm.post(others[0], body, others[1], path=PATH)
    assert (good["status"], bad["status"], too["status"]) == ("accepted", "rejected", "accepted")
    assert bad["problem"]["code"] == code
    assert pointer in [error["pointer"] for error in bad["problem"]["errors"]]
    assert len(admin("SELECT 1 FROM reported_figure")) == 2


async def test_a_dry_run_stores_and_says_nothing(crm: Any, account: UUID, admin: Any, outbox: Any) -> None:
    assert await crm.statuses(revenue(), path=PATH, dry_run="true") == ["accepted"]
    assert (admin("SELECT 1 FROM reported_figure"), outbox()) == ([], [])


async def test_another_tenants_figures_are_not_there(crm: Any, of_globex: Any, account: UUID) -> None:
    await crm.post(revenue(), path=PATH)
    assert (await of_globex.get(PATH))["items"] == []
    assert await of_globex.statuses(revenue(account={"id": str(account)}), path=PATH) == ["unmatched"]


@pytest.mark.parametrize(("scopes", "method"), [("evidence:read", "POST"), ("evidence:ingest", "GET")])
async def test_each_route_wants_its_scope(client: Any, auth: Any, scopes: str, method: str) -> None:
    answer = await client.request(method, PATH, json={}, headers=auth(scopes))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_reported_figures_stand_at_the_end_of_their_shortest_period(crm: Any, account: UUID, admin: Any) -> None:
    quarter = {"period_start": "2025-10-01", "period_end": "2025-12-31"}
    month = {"period_start": "2025-12-01", "period_end": "2025-12-31"}
    await crm.post(revenue("300.00", **quarter), revenue("90.00", **month), share(40, **month), path=PATH)
    await crm.post(revenue("100.00", revision=2, **month), share(1, measure="seats", unit="1", **month), path=PATH)
    await crm.pass_time(hours=1)
    rows = admin("SELECT day, measure, n, total FROM figure_account_day ORDER BY measure")
    assert [(str(row.day), row.measure, row.n, float(row.total)) for row in rows] == [
        ("2025-12-31", "revenue-reported:EUR", 1, 100.0),
        ("2025-12-31", "share-of-wallet", 1, 0.4),
    ]
