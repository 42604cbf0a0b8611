"""Survey answers: taken once, corrected, matched late; what is said of satisfaction, and when."""

import asyncio
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

PATH = "/v1/survey-responses"


def said(crm: Any, number: int, score: int, **changed: Any) -> dict[str, Any]:
    """An answer on a scale from 1 to 5, as a survey tool posts it."""
    return {
        "source": "surveys",
        "external_id": f"answer-{number}",
        "account": {"source": "crm", "external_id": "company-17"},
        "respondent": {"email": "bo@acme.example"},
        "answered_at": crm.at(),
        "question": "support",
        "scale": "1-5",
        "score": score,
    } | changed


def nps(crm: Any, number: int, score: int, **changed: Any) -> dict[str, Any]:
    return said(crm, number, score, scale="0-10", method="nps", question="recommend", **changed)


def measured(outbox: Any, metric: str = "csat") -> list[tuple[float, int]]:
    """Value and n of what was said, in order."""
    rows = [row.data for row in outbox("client.metric.measured.v1")]
    return [(row["value"], row["n"]) for row in rows if row["metric"] == metric]


async def test_answers_become_figures_with_their_n_and_error_and_are_said_to_others(
    crm: Any, account: UUID, outbox: Any
) -> None:
    await crm.post(said(crm, 1, 5), said(crm, 2, 4), said(crm, 3, 3), said(crm, 4, 1), path=PATH)
    await crm.post(nps(crm, 11, 10), nps(crm, 12, 8), nps(crm, 13, 0), nps(crm, 14, 9), path=PATH)
    found = await crm.get(f"/v1/accounts/{account}/satisfaction")
    assert found["csat"]["n"] == 4
    assert (found["csat"]["value"], found["csat"]["standard_error"], found["csat"]["method"]) == (50, 25, "top-2-box")
    assert (found["csat"]["low"], found["csat"]["high"]) == (
        pytest.approx(15.0039, abs=1e-4),
        pytest.approx(84.9961, abs=1e-4),
    )
    assert (found["nps"]["value"], found["nps"]["n"]) == (25, 4)
    assert found["nps"]["standard_error"] == pytest.approx(100 * (11 / 64) ** 0.5)
    assert [(part["metric"], part["question"], part["n"]) for part in found["questions"]] == [
        ("csat", "support", 4),
        ("nps", "recommend", 4),
    ]
    assert (measured(outbox), measured(outbox, "nps")) == ([(50.0, 4)], [(25.0, 4)])
    event = outbox("client.metric.measured.v1")[0]
    assert (event.key, event.data["unit"], event.data["method"]) == (f"acme/{account}", "percent", "top-2-box")
    assert (event.data["period_start"], event.data["period_end"]) == ("2025-03-02T09:00:00Z", "2026-03-02T09:00:00Z")


async def test_the_same_answer_again_is_no_second_one_and_says_nothing(crm: Any, account: UUID, outbox: Any) -> None:
    assert await crm.statuses(said(crm, 1, 5), said(crm, 1, 5), path=PATH) == ["accepted", "duplicate"]
    assert await crm.statuses(said(crm, 1, 1), path=PATH) == ["duplicate"]
    assert measured(outbox) == [(100.0, 1)]


async def test_a_correction_changes_the_figure_and_what_is_older_does_not(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(said(crm, 1, 5, revision=3), path=PATH)
    assert await crm.statuses(said(crm, 1, 1, revision=4), said(crm, 1, 5, revision=2), path=PATH) == [
        "corrected",
        "stale",
    ]
    assert measured(outbox) == [(100.0, 1), (0.0, 1)]


async def test_a_correction_to_the_other_metric_leaves_the_first(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(said(crm, 1, 5), path=PATH)
    await crm.post(nps(crm, 1, 0, revision=2), path=PATH)
    found = await crm.get(f"/v1/accounts/{account}/satisfaction")
    assert (found["csat"]["n"], found["csat"]["value"], found["nps"]["n"], found["nps"]["value"]) == (0, None, 1, -100)
    await crm.post(said(crm, 2, 5), path=PATH)
    assert (measured(outbox), measured(outbox, "nps")) == ([(100.0, 1), (100.0, 1)], [(-100.0, 1)])


async def test_any_order_and_any_repetition_gives_the_same(crm: Any, account: UUID, admin: Any) -> None:
    versions = [said(crm, 1, 5), said(crm, 1, 2, revision=2), said(crm, 2, 4, method="mean"), nps(crm, 3, 9)]
    ends = set()
    for order in permutations(versions):
        await crm.post(*order[:2], path=PATH)
        await crm.post(*order[1:], *order, path=PATH)
        kept = admin("SELECT external_id, revision, score, worth FROM survey_response ORDER BY external_id")
        figures = admin("SELECT metric, method, value, n, standard_error FROM satisfaction ORDER BY metric")
        ends.add(str((kept, figures)))
        admin("DELETE FROM survey_response")
        admin("DELETE FROM satisfaction")
    assert len(ends) == 1


async def test_an_answer_leaves_the_figure_when_it_is_a_year_old(crm: Any, account: UUID, outbox: Any) -> None:
    await crm.post(said(crm, 1, 1, answered_at=crm.at(days=364)), said(crm, 2, 5), path=PATH)
    assert measured(outbox) == [(50.0, 2)]
    await crm.pass_time(days=1)
    assert measured(outbox) == [(50.0, 2), (100.0, 1)]
    assert outbox("client.metric.measured.v1")[-1].data["measured_at"] == "2026-03-02T09:00:00Z"
    await crm.pass_time(days=365)
    assert len(measured(outbox)) == 2
    assert (await crm.get(f"/v1/accounts/{account}/satisfaction"))["csat"]["n"] == 0


async def test_what_is_older_than_a_year_is_kept_and_not_said(crm: Any, account: UUID, outbox: Any) -> None:
    assert await crm.statuses(said(crm, 1, 1, answered_at=crm.at(days=366)), path=PATH) == ["accepted"]
    assert measured(outbox) == []
    found = await crm.get(f"/v1/accounts/{account}/satisfaction", **{"from": "2025-01-01T00:00:00Z"})
    assert found["csat"]["n"] == 1


@pytest.mark.parametrize(
    "reference",
    [
        {"source": "crm", "external_id": "company-17"},
        {"domain": "Acme.example"},
        {"id": "01890000-0000-7000-8000-000000000017"},
    ],
)
async def test_an_answer_is_held_until_its_account_appears(
    crm: Any, deliver: Any, changed: Any, reference: dict[str, str], outbox: Any
) -> None:
    assert await crm.statuses(said(crm, 1, 5, account=reference), path=PATH) == ["unmatched"]
    assert await crm.statuses(said(crm, 1, 5, account=reference), path=PATH) == ["duplicate"]
    assert len((await crm.get(PATH, unmatched="true"))["items"]) == 1
    assert outbox() == []
    await deliver(changed(), times=2)
    assert (await crm.get(PATH, unmatched="true"))["items"] == []
    assert measured(outbox) == [(100.0, 1)]


async def test_an_external_id_that_moves_takes_its_answers_along(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, removed: Any, outbox: Any
) -> None:
    await crm.post(said(crm, 1, 5), path=PATH)
    await deliver(removed(), changed(account_id=other, email_domains=()), times=2)
    assert (await crm.get(f"/v1/accounts/{account}/satisfaction"))["csat"]["n"] == 0
    assert (await crm.get(f"/v1/accounts/{other}/satisfaction"))["csat"]["n"] == 1
    assert [row.key for row in outbox("client.metric.measured.v1")] == [f"acme/{account}", f"acme/{other}"]


async def test_of_an_account_that_is_gone_nothing_is_said_any_more(
    crm: Any, account: UUID, deliver: Any, removed: Any, outbox: Any, admin: Any
) -> None:
    await crm.post(said(crm, 1, 1, answered_at=crm.at(days=364)), said(crm, 2, 5), path=PATH)
    await deliver(removed())
    await crm.pass_time(days=2)
    assert len(measured(outbox)) == 1
    assert admin("SELECT 1 FROM account WHERE satisfaction_due_at IS NOT NULL") == []


async def test_answers_posted_at_once_are_kept_once_and_counted_all(
    crm: Any, account: UUID, outbox: Any, admin: Any
) -> None:
    answers = [said(crm, number, 1 + number % 5) for number in range(20)]
    results = await asyncio.gather(*(crm.statuses(*answers[n:], *answers[:n], path=PATH) for n in range(4)))
    assert sum(result.count("accepted") for result in results) == 20
    assert len(admin("SELECT 1 FROM survey_response")) == 20
    assert measured(outbox)[-1] == (40.0, 20)


async def test_answers_are_narrowed_and_listed_latest_first(crm: Any, account: UUID) -> None:
    await crm.post(*(said(crm, n, 5, answered_at=crm.at(hours=n)) for n in range(4)), nps(crm, 9, 9), path=PATH)
    first = await crm.get(PATH, limit=2, method="top-2-box")
    second = await crm.get(PATH, limit=2, method="top-2-box", cursor=first["next_cursor"])
    names = [item["external_id"] for item in first["items"] + second["items"]]
    assert names == ["answer-0", "answer-1", "answer-2", "answer-3"]
    [item] = (await crm.get(PATH, question="recommend", account_id=str(account)))["items"]
    assert (item["scale"], item["score"], item["method"], item["author"]) == ("0-10", 9, "nps", "tester")


async def test_a_figure_is_asked_for_by_question_and_by_method(crm: Any, account: UUID) -> None:
    await crm.post(
        said(crm, 1, 5), said(crm, 2, 1, question="price"), said(crm, 3, 2, method="mean", question=None), path=PATH
    )
    path = f"/v1/accounts/{account}/satisfaction"
    assert (await crm.get(path))["csat"]["method"] == "mixed"
    assert (await crm.get(path, question="price"))["csat"]["value"] == 0
    by_mean = await crm.get(path, method="mean")
    assert (by_mean["csat"]["value"], by_mean["questions"][0]["question"]) == (25, None)


BAD = [
    ({"source": " "}, "missing-identity", "/source"),
    ({"external_id": ""}, "missing-identity", "/external_id"),
    ({"score": 6}, "score-outside-scale", "/score"),
    ({"method": "guess"}, "unknown-method", "/method"),
    ({"method": "nps"}, "scale-mismatch", "/scale"),
    ({"answered_at": "2026-03-02T09:05:01Z"}, "occurred-in-future", "/answered_at"),
    ({"answered_at": "1989-12-31T00:00:00Z"}, "occurred-too-early", "/answered_at"),
    ({"scale": "five"}, "validation-failed", "/items/1/scale"),
    ({"score": "5"}, "validation-failed", "/items/1/score"),
    ({"score": 4.5}, "validation-failed", "/items/1/score"),
    ({"account": {}}, "validation-failed", "/items/1/account"),
    ({"account": {"domain": ""}}, "validation-failed", "/items/1/account"),
    ({"account": {"domain": "a.example", "colour": "red"}}, "validation-failed", "/items/1/account/colour"),
    ({"respondent": {"email": "nobody"}}, "validation-failed", "/items/1/respondent"),
    ({"respondent": {"name": "Bo"}}, "validation-failed", "/items/1/respondent/name"),
    ({"question": " "}, "validation-failed", "/items/1/question"),
    ({"comment": "Fine!"}, "validation-failed", "/items/1/comment"),
]


@pytest.mark.parametrize(("change", "code", "pointer"), BAD)
async def test_a_bad_answer_is_rejected_with_its_code_and_the_others_are_taken(
    crm: Any, account: UUID, admin: Any, change: dict[str, Any], code: str, pointer: str
) -> None:
    good, bad, too = await crm.post(said(crm, 1, 5), said(crm, 2, 5) | change, said(crm, 3, 5), path=PATH)
    assert (good["status"], bad["status"], too["status"]) == ("accepted", "rejected", "accepted")
    assert (bad["problem"]["code"], bad["id"]) == (code, None)
    assert pointer in [error["pointer"] for error in bad["problem"]["errors"]]
    assert len(admin("SELECT 1 FROM survey_response")) == 2


async def test_a_domain_of_several_accounts_names_none_of_them(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    shared = {"account": {"domain": "acme.example"}}
    assert await crm.statuses(said(crm, 1, 5, **shared), path=PATH) == ["accepted"]
    await deliver(changed(account_id=other, external_ids=()))
    again, new = await crm.post(said(crm, 1, 4, revision=2, **shared), said(crm, 2, 5, **shared), path=PATH)
    assert (again["status"], new["status"], new["problem"]["code"]) == ("corrected", "rejected", "ambiguous-account")
    assert sorted(new["problem"]["candidates"]) == sorted([str(account), str(other)])
    assert (await crm.get(f"/v1/accounts/{account}/satisfaction"))["csat"]["n"] == 1


async def test_a_dry_run_says_what_would_become_and_stores_nothing(
    crm: Any, account: UUID, admin: Any, outbox: Any
) -> None:
    assert await crm.statuses(said(crm, 1, 5), said(crm, 2, 9), path=PATH, dry_run="true") == ["accepted", "rejected"]
    assert admin("SELECT 1 FROM survey_response") == []
    assert outbox() == []


async def test_another_tenants_answers_are_not_there(crm: Any, of_globex: Any, account: UUID) -> None:
    await crm.post(said(crm, 1, 5), path=PATH)
    assert (await of_globex.get(PATH))["items"] == []
    answer = await of_globex.client.get(f"/v1/accounts/{account}/satisfaction", headers=of_globex.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-account")
    assert await of_globex.statuses(said(crm, 1, 1, account={"id": str(account)}), path=PATH) == ["unmatched"]
    assert (await crm.get(f"/v1/accounts/{account}/satisfaction"))["csat"]["value"] == 100


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [("evidence:read", "POST", PATH), ("evidence:ingest", "GET", PATH), ("evidence:ingest", "GET", "satisfaction")],
)
async def test_each_route_wants_its_scope(
    client: Any, auth: Any, account: UUID, scopes: str, method: str, path: str
) -> None:
    path = path if path.startswith("/") else f"/v1/accounts/{account}/{path}"
    answer = await client.request(method, path, json={}, headers=auth(scopes))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_a_period_that_ends_before_it_starts_is_refused(crm: Any, account: UUID) -> None:
    query = {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    path = f"/v1/accounts/{account}/satisfaction"
    answer = await crm.client.get(path, params=query, headers=crm.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "period-out-of-order")


async def test_no_address_of_anybody_is_stored_or_said(crm: Any, account: UUID, admin: Any, outbox: Any) -> None:
    await crm.post(said(crm, 1, 5, respondent={"email": "Bo@acme.example"}), path=PATH)
    stored = admin("SELECT * FROM survey_response")
    assert "@" not in str(stored) + str([row.data for row in outbox()])


async def test_a_respondent_has_the_id_that_activities_have_for_them(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, "connected", contacts=[{"email": "Bo@acme.example"}]))
    await crm.post(said(crm, 1, 5, respondent={"email": "bo@acme.example"}), path=PATH)
    [activity] = (await crm.get("/v1/activities"))["items"]
    [answer] = (await crm.get(PATH))["items"]
    assert activity["contact_ids"] == [answer["respondent_id"]]


async def test_answers_stand_in_the_figures_of_their_day_before_and_after_a_correction(
    crm: Any, account: UUID, admin: Any
) -> None:
    await crm.post(said(crm, 1, 5), said(crm, 2, 2), nps(crm, 3, 10), nps(crm, 4, 3), path=PATH)
    await crm.post(said(crm, 5, 4, method="mean"), said(crm, 2, 2, revision=2, answered_at=crm.at(days=3)), path=PATH)
    await crm.pass_time(hours=1)
    rows = admin(
        "SELECT day, measure, n, total FROM figure_account_day WHERE measure LIKE 'csat%' OR measure LIKE 'nps%'"
        " ORDER BY day, measure"
    )
    assert [(str(row.day), row.measure, row.n, float(row.total)) for row in rows] == [
        ("2026-02-27", "csat-answer", 1, 1.0),
        ("2026-03-02", "csat-answer", 2, 2.0),
        ("2026-03-02", "csat-satisfied", 1, 1.75),
        ("2026-03-02", "nps-answer", 2, 2.0),
        ("2026-03-02", "nps-detractor", 1, 1.0),
        ("2026-03-02", "nps-promoter", 1, 1.0),
    ]
