"""KPIs and SLAs: agreed, changed, closed; their actuals once each, their colours, and what is said."""

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

UPTIME = {
    "account": {"source": "crm", "external_id": "company-17"},
    "code": "uptime",
    "kind": "sla",
    "name": "Availability of the platform",
    "unit": "percent",
    "direction": "higher",
    "target": 99.5,
    "tolerance": 0.3,
    "owner": {"email": "Ana@example.com"},
    "agreed_by": {"email": "bo@acme.example"},
    "agreed_on": "2025-12-20",
    "valid_from": "2026-01-01",
}


async def agreed(crm: Any, **changed: Any) -> Any:
    """A KPI that was agreed on."""
    answer = await crm.client.post("/v1/kpis", json=UPTIME | changed, headers=crm.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(crm: Any, method: str, path: str, body: Any = None, **headers: str) -> Any:
    return await crm.client.request(method, path, json=body, headers=crm.headers | headers)


def told(outbox: Any) -> list[tuple[str, float, str]]:
    rows = [row.data for row in outbox("client.metric.measured.v1")]
    return [(row["metric"], row["value"], row["period_end"]) for row in rows]


async def test_a_kpi_is_agreed_measured_and_said(crm: Any, account: UUID, outbox: Any) -> None:
    kpi = await agreed(crm)
    assert (kpi["rag"], kpi["latest"], kpi["account_id"], kpi["version"]) == ("grey", None, str(account), 1)
    path = f"/v1/kpis/{kpi['id']}/actuals"
    items = [{"date": "2026-01-31", "value": 99.7}, {"date": "2026-02-28", "value": 99.2, "source": "desk"}]
    assert await crm.statuses(*items, path=path) == ["accepted", "accepted"]
    now = await crm.get(f"/v1/kpis/{kpi['id']}")
    assert (now["rag"], now["latest"]["date"], now["latest"]["shortfall"]) == ("amber", "2026-02-28", 0.3)
    shown = (await crm.get(path))["items"]
    assert [(one["date"], one["value"], one["rag"], one["source"], one["author"]) for one in shown] == [
        ("2026-02-28", 99.2, "amber", "desk", "tester"),
        ("2026-01-31", 99.7, "green", "people", "tester"),
    ]
    assert told(outbox) == [
        ("kpi:uptime", 99.7, "2026-01-31T00:00:00Z"),
        ("kpi:uptime", 99.2, "2026-02-28T00:00:00Z"),
    ]
    of_account = await crm.get(f"/v1/accounts/{account}/kpis")
    assert (of_account["colours"], len(of_account["items"])) == ({"green": 0, "amber": 1, "red": 0, "grey": 0}, 1)


async def test_an_actual_that_is_sent_again_is_no_second_one(crm: Any, account: UUID, outbox: Any) -> None:
    path = f"/v1/kpis/{(await agreed(crm))['id']}/actuals"
    actual = {"date": "2026-01-31", "value": 99.7}
    assert await crm.statuses(actual, actual, path=path) == ["accepted", "duplicate"]
    assert await crm.statuses(actual | {"value": 98}, path=path) == ["duplicate"]
    changed = [actual | {"value": 98, "revision": 3}, actual | {"revision": 2}]
    assert await crm.statuses(*changed, path=path) == ["corrected", "stale"]
    assert await crm.statuses(actual | {"value": 98, "revision": 4}, path=path) == ["corrected"]
    assert [value for _, value, _ in told(outbox)] == [99.7, 98.0]


async def test_any_order_and_any_repetition_of_actuals_gives_the_same(crm: Any, account: UUID, admin: Any) -> None:
    kpi = await agreed(crm)
    actual = {"date": "2026-01-31", "value": 1}
    versions = [actual, actual | {"value": 2, "revision": 2}, actual | {"value": 3, "revision": 3}]
    ends = set()
    for order in permutations([*versions, {"date": "2026-02-01", "value": 4}]):
        await crm.post(*order[:2], path=f"/v1/kpis/{kpi['id']}/actuals")
        await crm.post(*order[1:], *order, path=f"/v1/kpis/{kpi['id']}/actuals")
        ends.add(str(admin("SELECT day, source, revision, value FROM kpi_actual ORDER BY day")))
        admin("DELETE FROM kpi_actual")
    assert len(ends) == 1


async def test_a_kpi_that_is_not_measured_for_too_long_turns_grey(crm: Any, account: UUID) -> None:
    kpi = await agreed(crm, stale_after_days=10)
    await crm.post({"date": "2026-03-02", "value": 99.7}, path=f"/v1/kpis/{kpi['id']}/actuals")
    await crm.pass_time(days=10)
    assert (await crm.get(f"/v1/kpis/{kpi['id']}"))["rag"] == "green"
    await crm.pass_time(days=1)
    assert (await crm.get(f"/v1/kpis/{kpi['id']}"))["rag"] == "grey"


async def test_one_whose_time_is_over_keeps_the_colour_it_ended_with(crm: Any, account: UUID) -> None:
    kpi = await agreed(crm, valid_to="2026-03-31", stale_after_days=10)
    await crm.pass_time(days=29)
    await crm.post({"date": "2026-03-30", "value": 90}, path=f"/v1/kpis/{kpi['id']}/actuals")
    await crm.pass_time(days=100)
    assert (await crm.get(f"/v1/kpis/{kpi['id']}"))["rag"] == "red"


async def test_terms_are_changed_by_whoever_has_seen_them_and_their_history_is_kept(crm: Any, account: UUID) -> None:
    kpi = await agreed(crm)
    path = f"/v1/kpis/{kpi['id']}"
    tag = (await send(crm, "GET", path)).headers["etag"]
    answer = await send(crm, "PATCH", path, {"target": 99, "owner": None}, **{"If-Match": tag})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert (answer.json()["target"], answer.json()["owner_id"], answer.json()["tolerance"]) == (99, None, 0.3)
    stale = await send(crm, "PATCH", path, {"target": 98}, **{"If-Match": tag})
    blind = await send(crm, "PATCH", path, {"target": 98})
    assert (stale.status_code, blind.status_code) == (412, 428)
    history = (await crm.get(f"{path}/history"))["items"]
    assert [(one["version"], one["terms"]["target"], one["author"]) for one in history] == [
        (2, 99, "tester"),
        (1, 99.5, "tester"),
    ]


async def test_a_change_that_makes_no_sense_changes_nothing(crm: Any, account: UUID) -> None:
    kpi = await agreed(crm)
    path = f"/v1/kpis/{kpi['id']}"
    for body, code, pointer in (
        ({"direction": "range"}, "range-mismatch", "/target_high"),
        ({"valid_to": "2025-01-01"}, "period-out-of-order", "/valid_to"),
        ({"tolerance": -1}, "validation-failed", "/tolerance"),
        ({"name": None}, "validation-failed", "/name"),
        ({"code": "other"}, "validation-failed", "/code"),
    ):
        answer = await send(crm, "PATCH", path, body, **{"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert await crm.get(path) == kpi


async def test_a_closed_kpi_is_kept_and_takes_nothing_more(crm: Any, account: UUID) -> None:
    kpi = await agreed(crm)
    path = f"/v1/kpis/{kpi['id']}"
    assert (await send(crm, "DELETE", path)).status_code == 428
    assert (await send(crm, "DELETE", path, **{"If-Match": '"1"'})).status_code == 204
    assert (await crm.get(path))["closed_at"] is not None
    for method, where, body in (
        ("POST", f"{path}/actuals", {"date": "2026-01-31", "value": 1}),
        ("PATCH", path, {"target": 1}),
        ("DELETE", path, None),
    ):
        answer = await send(crm, method, where, body, **{"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "kpi-closed"), method
    assert (await crm.get("/v1/kpis"))["items"] == []
    assert [one["id"] for one in (await crm.get("/v1/kpis", closed="true"))["items"]] == [kpi["id"]]
    assert (await agreed(crm))["id"] != kpi["id"]


async def test_an_account_has_one_open_kpi_of_a_code(crm: Any, account: UUID) -> None:
    await agreed(crm)
    answer = await send(crm, "POST", "/v1/kpis", UPTIME)
    assert (answer.status_code, answer.json()["code"]) == (409, "kpi-exists")


async def test_kpis_are_narrowed_and_listed_page_by_page(crm: Any, account: UUID) -> None:
    for number in range(5):
        await agreed(crm, code=f"k{number}", kind="kpi" if number % 2 else "sla")
    first = await crm.get("/v1/kpis", limit=3)
    second = await crm.get("/v1/kpis", limit=3, cursor=first["next_cursor"])
    assert [one["code"] for one in first["items"] + second["items"]] == ["k4", "k3", "k2", "k1", "k0"]
    assert [one["code"] for one in (await crm.get("/v1/kpis", kind="kpi"))["items"]] == ["k3", "k1"]
    assert len((await crm.get("/v1/kpis", code="k1", account_id=str(account)))["items"]) == 1
    assert (await crm.get("/v1/kpis", owner_id=str(account)))["items"] == []


BAD = [
    ({"target": None}, "validation-failed", "/target"),
    ({"tolerance": -0.1}, "validation-failed", "/tolerance"),
    ({"direction": "sideways"}, "validation-failed", "/direction"),
    ({"direction": "range"}, "range-mismatch", "/target_high"),
    ({"direction": "range", "target_high": 99}, "range-mismatch", "/target_high"),
    ({"target_high": 100}, "range-mismatch", "/target_high"),
    ({"valid_from": "2026-02-01", "valid_to": "2026-01-31"}, "period-out-of-order", "/valid_to"),
    ({"valid_from": "1989-12-31"}, "occurred-too-early", "/valid_from"),
    ({"code": "Up time"}, "validation-failed", "/code"),
    ({"name": " "}, "validation-failed", "/name"),
    ({"owner": {"email": "ana"}}, "validation-failed", "/owner/email"),
    ({"account": {}}, "validation-failed", "/account"),
    ({"account": {"domain": "nobody.example"}}, "unknown-account", "/account"),
    ({"stale_after_days": 0}, "validation-failed", "/stale_after_days"),
    ({"colour": "red"}, "validation-failed", "/colour"),
]


@pytest.mark.parametrize(("changed", "code", "pointer"), BAD)
async def test_a_kpi_that_makes_no_sense_is_refused(
    crm: Any, account: UUID, admin: Any, changed: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await send(crm, "POST", "/v1/kpis", UPTIME | changed)
    assert (answer.status_code, answer.json()["code"]) == (404 if code == "unknown-account" else 422, code)
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert admin("SELECT 1 FROM kpi") == []


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"date": "2026-03-03"}, "occurred-in-future", "/date"),
        ({"date": "1989-12-31"}, "occurred-too-early", "/date"),
        ({"date": "2025-12-31"}, "outside-validity", "/date"),
        ({"date": "yesterday"}, "validation-failed", "/items/1/date"),
        ({"value": "99"}, "validation-failed", "/items/1/value"),
        ({"value": 1e300}, "validation-failed", "/items/1/value"),
        ({"source": ""}, "validation-failed", "/items/1/source"),
        ({"revision": -1}, "validation-failed", "/items/1/revision"),
    ],
)
async def test_a_bad_actual_is_rejected_with_its_code_and_the_others_are_taken(
    crm: Any, account: UUID, changed: dict[str, Any], code: str, pointer: str
) -> None:
    path = f"/v1/kpis/{(await agreed(crm))['id']}/actuals"
    days = [{"date": f"2026-01-0{n}", "value": 99} for n in range(1, 4)]
    good, bad, too = await crm.post(days[0], days[1] | changed, days[2], path=path)
    assert (good["status"], bad["status"], too["status"]) == ("accepted", "rejected", "accepted")
    assert bad["problem"]["code"] == code
    assert pointer in [error["pointer"] for error in bad["problem"]["errors"]]
    assert len((await crm.get(path))["items"]) == 2


async def test_another_tenants_kpis_are_not_there(crm: Any, of_globex: Any, account: UUID) -> None:
    path = f"/v1/kpis/{(await agreed(crm))['id']}"
    assert (await of_globex.get("/v1/kpis", closed="true"))["items"] == []
    for method, where, body in (
        ("GET", path, None),
        ("GET", f"{path}/actuals", None),
        ("GET", f"{path}/history", None),
        ("GET", f"/v1/accounts/{account}/kpis", None),
        ("POST", f"{path}/actuals", {"date": "2026-01-31", "value": 1}),
        ("PATCH", path, {"target": 1}),
        ("DELETE", path, None),
        ("POST", "/v1/kpis", UPTIME),
    ):
        answer = await send(of_globex, method, where, body, **{"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) in {(404, "unknown-kpi"), (404, "unknown-account")}, where
    assert (await crm.get(path))["version"] == 1


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        ("evidence:read", "POST", ""),
        ("evidence:ingest", "POST", ""),
        ("evidence:ingest", "GET", ""),
        ("evidence:read", "PATCH", "/01890000-0000-7000-8000-00000000dead"),
        ("evidence:read", "DELETE", "/01890000-0000-7000-8000-00000000dead"),
        ("evidence:read", "POST", "/01890000-0000-7000-8000-00000000dead/actuals"),
        ("evidence:ingest", "GET", "/01890000-0000-7000-8000-00000000dead/actuals"),
    ],
)
async def test_each_route_wants_its_scope(client: Any, auth: Any, scopes: str, method: str, path: str) -> None:
    answer = await client.request(method, f"/v1/kpis{path}", json={}, headers=auth(scopes))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_no_address_of_anybody_is_stored_or_said(crm: Any, account: UUID, admin: Any, outbox: Any) -> None:
    await agreed(crm)
    assert "@" not in str(admin("SELECT * FROM kpi")) + str(admin("SELECT * FROM kpi_version"))
