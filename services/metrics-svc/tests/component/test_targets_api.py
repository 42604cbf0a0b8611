"""Targets: set, replaced, taken back, and what series say of them."""

from typing import Any

import httpx
import pytest

TARGET = {"metric": "return-rate", "scope": "owner", "member": "", "from": "2026-01-01", "value": 0.7, "reason": "plan"}


async def put(crm: Any, **changed: Any) -> httpx.Response:
    answer: httpx.Response = await crm.client.put("/v1/targets", json=TARGET | changed, headers=crm.headers)
    return answer


async def remove(crm: Any, **changed: Any) -> httpx.Response:
    query = {name: value for name, value in (TARGET | changed).items() if name != "value"}
    answer: httpx.Response = await crm.client.delete("/v1/targets", params=query, headers=crm.headers)
    return answer


async def listed(crm: Any, **query: Any) -> list[tuple[str, str, float | None, int]]:
    items = (await crm.get("/v1/targets", **query))["items"]
    return [(item["member"], item["from"], item["value"], item["version"]) for item in items]


async def in_force(crm: Any, member: str, to: str) -> float | None:
    query = {"scope": "owner", "member": member, "to": to}
    answer = await crm.get("/v1/metrics/series", metric="return-rate", **query)
    target: float | None = answer["series"][0]["target"]
    return target


async def test_the_latest_day_holds_and_a_members_own_before_that_of_all(crm: Any) -> None:
    assert (await put(crm)).status_code == 204
    await put(crm, value=0.8, **{"from": "2026-04-01"})
    await put(crm, value=0.9, member="ana")
    assert await in_force(crm, "bo", "2025-12-31") is None
    assert await in_force(crm, "bo", "2026-04-01") == 0.7
    assert await in_force(crm, "bo", "2026-04-02") == 0.8
    assert await in_force(crm, "ana", "2026-05-01") == 0.9


async def test_versions_are_kept_with_author_and_reason_and_the_same_again_adds_none(crm: Any) -> None:
    for _ in range(2):
        await put(crm)
    await put(crm, value=0.75, reason="too easy")
    assert await listed(crm) == [("", "2026-01-01", 0.75, 2)]
    assert await listed(crm, history="true") == [("", "2026-01-01", 0.75, 2), ("", "2026-01-01", 0.7, 1)]
    latest, _ = (await crm.get("/v1/targets", history="true"))["items"]
    assert (latest["author"], latest["reason"]) == ("tester", "too easy")


async def test_a_target_taken_back_leaves_the_one_before(crm: Any) -> None:
    await put(crm)
    await put(crm, value=0.8, **{"from": "2026-02-01"})
    assert (await remove(crm, **{"from": "2026-02-01"})).status_code == 204
    assert await in_force(crm, "bo", "2026-05-01") == 0.7
    assert (await remove(crm, **{"from": "2026-02-01"})).json()["code"] == "unknown-target"
    assert await listed(crm, history="true") == [
        ("", "2026-02-01", None, 2),
        ("", "2026-02-01", 0.8, 1),
        ("", "2026-01-01", 0.7, 1),
    ]


async def test_a_series_says_whether_its_target_is_met(crm: Any, account: Any) -> None:
    await crm.post(crm.call(1, asks_reply=True))
    await crm.pass_time(days=9)
    await put(crm, scope="all")
    await put(crm, scope="all", metric="negative-rate:calls-and-emails", value=5)
    answer = await crm.get("/v1/metrics/series", metric=["return-rate", "negative-rate:calls-and-emails", "balance"])
    assert [found["met"] for found in answer["series"]] == [False, True, None]


async def test_targets_are_listed_page_by_page(crm: Any) -> None:
    for number in range(5):
        await put(crm, member=f"owner-{number % 3}", **{"from": f"2026-0{1 + number}-01"})
    everything = await listed(crm)
    pages, cursor = [], {}
    while cursor is not None:
        page = await crm.get("/v1/targets", limit=2, **cursor)
        pages += [(item["member"], item["from"], item["value"], item["version"]) for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert pages == everything
    assert len(pages) == 5
    assert await listed(crm, member="owner-2") == [("owner-2", "2026-03-01", 0.7, 1)]


async def test_another_tenant_has_targets_of_its_own(crm: Any, of_globex: Any) -> None:
    await put(crm)
    assert await listed(of_globex, history="true") == []
    assert (await remove(of_globex)).status_code == 404


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"metric": "magic"}, "unknown-metric", "/metric"),
        ({"scope": "all", "member": "ana"}, "member-mismatch", "/member"),
        ({"scope": "planet"}, "validation-failed", "/scope"),
        ({"value": "0.7"}, "validation-failed", "/value"),
        ({"from": "soon"}, "validation-failed", "/from"),
        ({"reason": " "}, "validation-failed", "/reason"),
        ({"colour": "red"}, "validation-failed", "/colour"),
    ],
)
async def test_what_means_nothing_is_refused_and_changes_nothing(
    crm: Any, changed: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await put(crm, **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await listed(crm, history="true") == []


async def test_setting_needs_the_right_to_write(crm: Any, auth: Any) -> None:
    answer = await crm.client.put("/v1/targets", json=TARGET, headers=auth("evidence:read"))
    assert answer.status_code == 403
