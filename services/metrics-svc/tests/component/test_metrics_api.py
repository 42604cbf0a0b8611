"""Metrics over HTTP: series and comparisons against targets and the period before, and what is refused."""

from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.http import Page
from metrics_svc.metrics.api import Compared, SeriesAnswer

ANA, BO = UUID(int=0xA), UUID(int=0xB)
MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


@pytest.fixture
async def two_owners(crm: Any, deliver: Any, changed: Any, other: UUID) -> None:
    """Ana's account returned one call of two and bought twice, Bo's returned its only one."""
    named = ({"source": "crm", "external_id": "company-18"},)
    await deliver(
        changed(owner_id=ANA, tier="A", territory="DE"),
        changed(account_id=other, owner_id=BO, tier="A", external_ids=named, email_domains=()),
    )
    bos = {"account": {"source": "crm", "external_id": "company-18"}}
    order = {"type": "order", "contacts": [], "currency": "EUR"}
    await crm.post(
        crm.call(1, contacts=[{"source": "crm", "external_id": "contact-1"}]),
        crm.call(2, contacts=[{"source": "crm", "external_id": "contact-2"}]),
        crm.call(3, **bos),
        crm.call(7, "placed", amount="100.00", occurred_at="2026-02-10T12:00:00Z", **order),
        crm.call(8, "placed", amount="250.50", occurred_at="2026-03-01T00:00:00Z", **order),
        crm.call(9, "cancelled", amount="999.00", **order),
    )
    await crm.pass_time(hours=6)
    inbound = {"direction": "inbound"}
    one = {"contacts": [{"source": "crm", "external_id": "contact-1"}]}
    await crm.post(crm.call(4, "connected", **inbound, **one), crm.call(5, "connected", **inbound, **bos))
    await crm.pass_time(days=9)


async def series(crm: Any, *metrics: str, **query: Any) -> list[dict[str, Any]]:
    answer = await crm.get("/v1/metrics/series", metric=list(metrics), **query)
    return list(answer["series"])


@pytest.mark.parametrize(
    ("of", "value", "n"),
    [
        ({"scope": "owner", "member": str(ANA)}, 0.5, 2),
        ({"scope": "owner", "member": str(BO)}, 1.0, 1),
        ({"scope": "tier", "member": "A"}, pytest.approx(2 / 3), 3),
        ({"scope": "all"}, pytest.approx(2 / 3), 3),
        ({"scope": "territory", "member": "DE"}, 0.5, 2),
        ({"scope": "territory", "member": "FR"}, None, 0),
        ({"scope": "account", "member": "01890000-0000-7000-8000-000000000017"}, 0.5, 2),
    ],
)
@pytest.mark.usefixtures("two_owners")
async def test_a_metric_is_that_of_whom_it_is_asked_for(crm: Any, of: dict[str, str], value: Any, n: int) -> None:
    [found] = await series(crm, "return-rate", **of, **MARCH)
    assert (found["total"]["value"], found["total"]["n"]) == (value, n)


@pytest.mark.usefixtures("two_owners")
async def test_several_metrics_come_with_points_the_period_before_and_the_change(crm: Any) -> None:
    revenue, growth, response = await series(
        crm, "revenue:EUR", "growth:EUR", "response-time", interval="week", **MARCH
    )
    assert [point["period_start"] for point in revenue["points"]][:3] == ["2026-03-01", "2026-03-02", "2026-03-09"]
    assert [point["value"] for point in revenue["points"]] == [250.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert (revenue["total"]["value"], revenue["previous"]["value"], revenue["change"]) == (250.5, 100.0, 150.5)
    assert growth["total"]["value"] == pytest.approx(1.505)
    assert (response["unit"], response["total"]["value"], response["total"]["n"]) == ("hours", 6.0, 2)


@pytest.mark.usefixtures("two_owners")
async def test_days_and_months_add_up_to_the_same(crm: Any) -> None:
    odd = {"from": "2026-01-15", "to": "2026-03-20"}
    totals = [
        (await series(crm, "revenue:EUR", "balance", interval=i, **odd)) for i in ("day", "week", "month", "quarter")
    ]
    assert all([one["total"] for one in found] == [one["total"] for one in totals[0]] for found in totals)
    assert totals[0][0]["total"]["value"] == 350.5


@pytest.mark.usefixtures("two_owners")
async def test_the_default_period_ends_with_today(crm: Any) -> None:
    answer = await crm.get("/v1/metrics/series", metric="balance")
    assert (answer["period_start"], answer["period_end"], answer["accounts"]) == ("2025-03-12", "2026-03-12", 2)


@pytest.mark.usefixtures("two_owners")
async def test_members_are_compared_and_paged_by_value(crm: Any) -> None:
    query = {"scope": "owner", "metric": "return-rate", **MARCH}
    first = await crm.get("/v1/metrics/compare", limit=1, **query)
    second = await crm.get("/v1/metrics/compare", limit=1, cursor=first["next_cursor"], **query)
    rows = first["items"] + second["items"]
    assert [(row["member"], row["value"], row["n"]) for row in rows] == [(str(BO), 1.0, 1), (str(ANA), 0.5, 2)]
    assert second["next_cursor"] is None
    turned = await crm.get("/v1/metrics/compare", sort="value", **query)
    assert [row["member"] for row in turned["items"]] == [str(ANA), str(BO)]


@pytest.mark.parametrize("metric", ["nps", "growth:EUR", "negative-rate:calls-and-emails", "revenue:EUR"])
@pytest.mark.usefixtures("two_owners")
async def test_a_comparison_says_what_the_series_says(crm: Any, metric: str) -> None:
    rows = (await crm.get("/v1/metrics/compare", scope="owner", metric=metric, **MARCH))["items"]
    assert {row["member"] for row in rows} == {str(ANA), str(BO)}
    for row in rows:
        [found] = await series(crm, metric, scope="owner", member=row["member"], **MARCH)
        assert {name: row[name] for name in ("value", "n", "standard_error")} == found["total"]


@pytest.mark.usefixtures("two_owners")
async def test_those_without_a_value_come_last_on_every_page(crm: Any) -> None:
    query = {"scope": "owner", "metric": "growth:EUR", **MARCH}
    first = await crm.get("/v1/metrics/compare", limit=1, **query)
    second = await crm.get("/v1/metrics/compare", limit=1, cursor=first["next_cursor"], **query)
    assert [row["value"] for row in first["items"] + second["items"]] == [pytest.approx(1.505), None]


@pytest.mark.usefixtures("two_owners")
async def test_an_account_that_changes_hands_takes_its_past_along(crm: Any, deliver: Any, changed: Any) -> None:
    await deliver(changed(owner_id=BO, tier="A", version=2))
    await crm.pass_time(minutes=1)
    [found] = await series(crm, "return-rate", scope="owner", member=str(BO), **MARCH)
    assert (found["total"]["n"], found["total"]["value"]) == (3, pytest.approx(2 / 3))
    [left] = await series(crm, "return-rate", scope="owner", member=str(ANA), **MARCH)
    assert left["total"]["n"] == 0


async def test_survey_answers_and_reported_figures_are_metrics_too(crm: Any, account: UUID) -> None:
    told = {"source": "surveys", "account": {"id": str(account)}, "answered_at": crm.at(), "question": "recommend"}
    scores = enumerate((10, 9, 8, 0))
    answers = [told | {"external_id": f"a-{n}", "scale": "0-10", "method": "nps", "score": s} for n, s in scores]
    await crm.post(*answers, path="/v1/survey-responses")
    await crm.pass_time(minutes=1)
    [found] = await series(crm, "nps", **MARCH)
    assert (found["total"]["value"], found["total"]["n"]) == (25.0, 4)
    assert found["total"]["standard_error"] == pytest.approx(100 * (11 / 64) ** 0.5)
    await crm.post(answers[3] | {"score": 10, "revision": 2}, path="/v1/survey-responses")
    await crm.pass_time(minutes=1)
    [corrected] = await series(crm, "nps", **MARCH)
    assert corrected["total"]["value"] == 75.0


@pytest.mark.usefixtures("two_owners")
async def test_the_definitions_say_what_every_metric_is(crm: Any) -> None:
    items = {item["code"]: item for item in (await crm.get("/v1/metrics"))["items"]}
    assert items["response-time"]["up_is_good"] is False
    assert {"nps", "csat", "retention", "revenue", "growth", "profit", "share-of-wallet"} <= items.keys()


@pytest.mark.usefixtures("two_owners")
async def test_another_tenant_sees_nothing_of_it(of_globex: Any) -> None:
    [found] = await series(of_globex, "return-rate", **MARCH)
    assert found["total"]["n"] == 0
    assert (await of_globex.get("/v1/metrics/compare", scope="owner", metric="return-rate"))["items"] == []
    query = {"metric": "balance", "scope": "account", "member": "01890000-0000-7000-8000-000000000017"}
    answer = await of_globex.client.get("/v1/metrics/series", params=query, headers=of_globex.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("series", {"metric": "magic"}, 422, "unknown-metric"),
        ("series", {"metric": "revenue"}, 422, "unknown-metric"),
        ("series", {}, 422, "validation-failed"),
        ("series", {"metric": "nps", "interval": "hour"}, 422, "validation-failed"),
        ("series", {"metric": "nps", "from": "2026-03-01", "to": "2026-03-01"}, 422, "period-out-of-order"),
        ("series", {"metric": "nps", "from": "1000-01-01"}, 422, "validation-failed"),
        ("series", {"metric": "nps", "from": "yesterday"}, 422, "validation-failed"),
        ("series", {"metric": "nps", "from": "2020-01-01", "interval": "day"}, 422, "too-many-points"),
        ("series", {"metric": "nps", "scope": "owner"}, 422, "member-mismatch"),
        ("series", {"metric": "nps", "member": "x"}, 422, "member-mismatch"),
        ("series", {"metric": "nps", "scope": "planet", "member": "x"}, 422, "validation-failed"),
        ("series", {"metric": "nps", "scope": "account", "member": "x"}, 404, "unknown-account"),
        ("series", {"metric": ["nps"] * 13}, 422, "validation-failed"),
        ("series", {"metric": "nps", "colour": "red"}, 422, "validation-failed"),
        ("compare", {"metric": "magic", "scope": "owner"}, 422, "unknown-metric"),
        ("compare", {"metric": "nps", "scope": "account"}, 422, "validation-failed"),
        ("compare", {"metric": "nps", "scope": "owner", "sort": "name"}, 422, "validation-failed"),
        ("compare", {"metric": "nps", "scope": "owner", "cursor": "forged"}, 400, "invalid-cursor"),
    ],
)
async def test_what_means_nothing_is_refused_with_its_code(
    crm: Any, path: str, query: dict[str, Any], status: int, code: str
) -> None:
    answer = await crm.client.get(f"/v1/metrics/{path}", params=query, headers=crm.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.usefixtures("two_owners")
@pytest.mark.parametrize("path", ["series?metric=return-rate", "compare?metric=return-rate&scope=owner", "people"])
async def test_an_answer_is_right_until_a_figure_changes(crm: Any, client: Any, auth: Any, path: str) -> None:
    async def read(tenant: str = "acme", **headers: str) -> Any:
        return await client.get(f"/v1/metrics/{path}", headers=auth("evidence:read", tenant=tenant) | headers)

    first, again = await read(), await read()
    assert (first.content, first.headers["etag"]) == (again.content, again.headers["etag"])
    had = {"If-None-Match": first.headers["etag"]}
    nothing_new = await read(**had)
    assert (nothing_new.status_code, nothing_new.content) == (304, b"")
    of_another = await read("globex", **had)
    assert (of_another.status_code, of_another.content != first.content) == (200, True)
    await crm.post(crm.call(20, contacts=[{"source": "crm", "external_id": "contact-1"}]))
    await crm.pass_time(days=9)
    await crm.pass_time(minutes=20)
    changed = await read(**had)
    assert changed.status_code == 200
    assert changed.json() != first.json()


@pytest.mark.usefixtures("two_owners")
async def test_what_is_written_without_models_is_what_is_documented(crm: Any) -> None:
    answer = await crm.get("/v1/metrics/series", metric=["return-rate", "revenue:EUR"])
    assert SeriesAnswer.model_validate(answer, extra="forbid").model_dump(mode="json") == answer
    answer = await crm.get("/v1/metrics/compare", metric="return-rate", scope="owner")
    assert Page[Compared].model_validate(answer, extra="forbid").model_dump(mode="json") == answer


@pytest.mark.usefixtures("two_owners")
async def test_a_new_target_and_a_new_day_are_seen_at_once(crm: Any) -> None:
    [before] = await series(crm, "return-rate")
    target = {"metric": "return-rate", "scope": "all", "from": "2026-01-01", "value": 0.9, "reason": "Agreed"}
    answer = await crm.client.put("/v1/targets", json=target, headers=crm.headers)
    assert answer.status_code < 300, answer.text
    [after] = await series(crm, "return-rate")
    assert (before["target"], after["target"]) == (None, 0.9)
    end = (await crm.get("/v1/metrics/series", metric="return-rate"))["period_end"]
    await crm.pass_time(days=1)
    assert (await crm.get("/v1/metrics/series", metric="return-rate"))["period_end"] > end
