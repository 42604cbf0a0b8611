"""Names without an account: the queue, its suggestions, what people decide, and domains that several accounts have."""

import asyncio
from typing import Any
from uuid import UUID

DOMAIN = {"domain": "acme.co.uk"}
ANSWERS, FIGURES = "/v1/survey-responses", "/v1/figures"


async def queue(crm: Any, **query: Any) -> list[tuple[str, int]]:
    items = (await crm.get("/v1/unmatched", **query))["items"]
    return [(item["reference"]["value"], item["count"]) for item in items]


async def decide(crm: Any, what: str, **body: Any) -> Any:
    return await crm.client.post(f"/v1/unmatched/{what}", json={"reason": "Asked them"} | body, headers=crm.headers)


async def undo(crm: Any, what: str, **named: str) -> Any:
    return await crm.client.delete(f"/v1/unmatched/{what}", params=named, headers=crm.headers)


async def accounts_of(crm: Any) -> dict[str, str | None]:
    return {item["external_id"]: item["account_id"] for item in (await crm.get("/v1/activities"))["items"]}


async def test_the_queue_has_the_most_first_page_by_page(crm: Any) -> None:
    await crm.post(
        crm.call(1, account={"domain": "one.example"}, occurred_at=crm.at(days=2)),
        crm.call(2, account={"domain": "two.example"}),
        crm.call(3, account={"domain": "two.example"}, source="phone"),
    )
    first = await crm.get("/v1/unmatched", limit=1)
    [item] = first["items"]
    assert item["reference"] == {"kind": "domain", "source": "", "value": "two.example"}
    assert (item["count"], item["sources"], item["types"]) == (2, ["crm", "phone"], ["call"])
    second = await crm.get("/v1/unmatched", limit=1, cursor=first["next_cursor"])
    assert [one["reference"]["value"] for one in second["items"]] == ["one.example"]
    assert second["next_cursor"] is None


async def test_accounts_are_suggested_by_people_ids_domains_and_names(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    await deliver(
        changed(version=2, name="Somebody Else Ltd"),
        changed(account_id=other, name="Acme GmbH", external_ids=(), email_domains=("zenith.example",)),
    )
    await crm.post(crm.call(1))
    await crm.post(crm.call(2, account={"domain": "acme.co.uk"}))
    await crm.post(crm.call(3, account={"source": "erp", "external_id": "company-17"}, contacts=[]))
    items = (await crm.get("/v1/unmatched"))["items"]
    suggested = {item["reference"]["value"]: item["suggestions"] for item in items}
    assert [(one["account_id"], one["why"]) for one in suggested["acme.co.uk"]] == [
        (str(account), ["people", "domain"]),
        (str(other), ["name"]),
    ]
    assert [(one["name"], one["why"]) for one in suggested["company-17"]] == [("Somebody Else Ltd", ["same-id"])]


async def test_a_name_given_by_hand_takes_what_is_held_and_what_comes_and_outlives_news(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    erp = {"source": "erp", "external_id": "77"}
    await crm.post(crm.call(1, account=erp))
    for moved in (1, 0):
        answer = await decide(crm, "match", reference=erp, account_id=str(account))
        assert answer.json() == {"account_id": str(account), "activities": moved, "more": False}
    await deliver(changed(account_id=other, external_ids=(erp,), email_domains=()), times=2)
    await crm.post(crm.call(2, account=erp))
    assert set((await accounts_of(crm)).values()) == {str(account)}
    assert await queue(crm) == []
    [decision] = (await crm.get("/v1/unmatched/decisions"))["items"]
    assert (decision["author"], decision["reason"]) == ("tester", "Asked them")
    assert (await undo(crm, "match", **erp)).status_code == 204
    await crm.pass_time(minutes=1)
    assert set((await accounts_of(crm)).values()) == {str(other)}
    assert (await undo(crm, "match", **erp)).json()["code"] == "unknown-decision"


async def test_a_name_taken_back_is_held_again_when_nobody_else_has_it(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1, "connected", direction="inbound", account=DOMAIN))
    await decide(crm, "match", reference=DOMAIN, account_id=str(account))
    assert await crm.standing() == ["client-contacted"]
    await undo(crm, "match", **DOMAIN)
    assert await crm.standing() == []
    assert await queue(crm) == [("acme.co.uk", 1)]


def answer(crm: Any, number: int, score: int, **account: str) -> dict[str, Any]:
    """A survey answer, which is matched as activities are."""
    said = {"answered_at": crm.at(days=1), "scale": "1-5", "score": score, "account": account}
    return {"source": "surveys", "external_id": f"answer-{number}"} | said


def revenue(amount: str, **account: str) -> dict[str, Any]:
    """A reported figure, which is matched as activities are."""
    period = {"period_start": "2026-01-01", "period_end": "2026-01-31"}
    said = {"source": "erp", "measure": "revenue", "money": {"amount": amount, "currency": "EUR"}}
    return {"account": account} | said | period


async def records(crm: Any, **query: Any) -> list[int | str]:
    """The scores of survey answers and the amounts of figures, in order."""
    answers = (await crm.get(ANSWERS, **query))["items"]
    figures = (await crm.get(FIGURES, **query))["items"]
    return [*sorted(one["score"] for one in answers), *sorted(one["money"]["amount"] for one in figures)]


async def test_answers_and_figures_of_a_name_taken_back_are_held_again_and_no_longer_count(
    crm: Any, account: UUID, admin: Any
) -> None:
    await crm.post(answer(crm, 1, 1, **DOMAIN), answer(crm, 2, 5, domain="acme.example"), path=ANSWERS)
    await crm.post(revenue("1.00", **DOMAIN), revenue("2.00", domain="acme.example"), path=FIGURES)
    await crm.pass_time(hours=1)
    buckets = "SELECT measure, n, total FROM figure_account_day WHERE n > 0 ORDER BY measure"
    satisfaction = f"/v1/accounts/{account}/satisfaction"

    async def counted() -> tuple[Any, Any, Any]:
        await crm.pass_time(hours=1)
        csat = (await crm.get(satisfaction))["csat"]
        said = admin("SELECT value, n FROM satisfaction")
        return (csat["n"], csat["value"]), said, admin(buckets)

    before = await counted()
    await decide(crm, "match", reference=DOMAIN, account_id=str(account))
    assert await records(crm, account_id=str(account)) == [1, 5, "1.00", "2.00"]
    assert (await counted())[0] == (2, 50)
    for _ in range(2):
        await undo(crm, "match", **DOMAIN)
        assert await records(crm, unmatched="true") == [1, "1.00"]
        assert await records(crm, account_id=str(account)) == [5, "2.00"]
        assert await counted() == before


async def test_answers_and_figures_of_a_name_taken_back_go_to_the_account_that_claims_it(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, outbox: Any
) -> None:
    erp = {"source": "erp", "external_id": "77"}
    await crm.post(answer(crm, 1, 5, **erp), path=ANSWERS)
    await crm.post(revenue("1.00", **erp), path=FIGURES)
    await decide(crm, "match", reference=erp, account_id=str(account))
    await deliver(changed(account_id=other, external_ids=(erp,), email_domains=()), times=2)
    await undo(crm, "match", **erp)
    assert await records(crm, account_id=str(account)) == []
    assert await records(crm, account_id=str(other)) == [5, "1.00"]
    told = [(row.data["metric"], row.data["account_id"]) for row in outbox("client.metric.measured.v1")]
    assert told[-2:] == [("csat", str(other)), ("revenue", str(other))]


async def test_answers_and_figures_that_were_there_without_anybodys_word_stay(crm: Any, account: UUID) -> None:
    named = {"domain": "acme.example"}
    await crm.post(answer(crm, 1, 5, **named), path=ANSWERS)
    await decide(crm, "match", reference=named, account_id=str(account))
    await undo(crm, "match", **named)
    assert await records(crm, account_id=str(account)) == [5]


async def test_more_than_fit_one_request_are_matched_by_a_timer(crm: Any, account: UUID, admin: Any) -> None:
    items = [crm.call(number, None, type="note", contacts=[], account=DOMAIN) for number in range(502)]
    await crm.post(*items[:500])
    await crm.post(*items[500:])
    answer = await decide(crm, "match", reference=DOMAIN, account_id=str(account))
    assert (answer.json()["activities"], answer.json()["more"]) == (500, True)
    await crm.pass_time(seconds=1)
    assert admin("SELECT 1 FROM activity WHERE account_id IS NULL") == []


async def test_a_dismissed_name_is_kept_and_not_listed_until_somebody_undoes_it(crm: Any) -> None:
    await crm.post(crm.call(1, account=DOMAIN))
    for _ in range(2):
        assert (await decide(crm, "dismiss", reference=DOMAIN)).status_code == 204
    assert await queue(crm) == []
    assert await queue(crm, dismissed="true") == [("acme.co.uk", 1)]
    assert (await undo(crm, "dismiss", **DOMAIN)).status_code == 204
    assert await queue(crm) == [("acme.co.uk", 1)]


async def test_a_domain_of_two_accounts_decides_nothing_until_one_lets_it_go(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    named = {"domain": "acme.example"}
    await crm.post(crm.call(1, account=named))
    await deliver(changed(account_id=other, external_ids=()), times=2)
    [known, new, again] = await crm.post(
        crm.call(1, "busy", revision=2, account=named), crm.call(2, account=named), crm.call(2, account=named)
    )
    assert [known["status"], new["status"], again["status"]] == ["corrected", "rejected", "rejected"]
    problem = new["problem"]
    assert (problem["code"], problem["candidates"]) == ("ambiguous-account", [str(account), str(other)])
    assert [error["pointer"] for error in problem["errors"]] == ["/account/domain"]
    assert await accounts_of(crm) == {"call-1": str(account)}
    await deliver(changed(version=2, email_domains=()))
    assert await crm.statuses(crm.call(2, account=named)) == ["accepted"]
    assert (await accounts_of(crm))["call-2"] == str(other)


async def test_what_was_held_for_a_domain_of_two_goes_to_the_one_that_keeps_it(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any
) -> None:
    await crm.post(crm.call(1, account={"domain": "both.example"}))
    both = {"external_ids": (), "email_domains": ("both.example",)}
    await deliver(changed(version=2, **both), changed(account_id=other, **both), times=2)
    assert await queue(crm) == [("both.example", 1)]
    [item] = (await crm.get("/v1/unmatched"))["items"]
    assert {one["account_id"] for one in item["suggestions"]} == {str(account), str(other)}
    await deliver(changed(version=3, external_ids=(), email_domains=()))
    assert await accounts_of(crm) == {"call-1": str(other)}


async def test_one_activity_placed_by_hand_stays_whatever_its_source_says(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, outbox: Any
) -> None:
    await deliver(changed(account_id=other, external_ids=(), email_domains=()))
    [result] = await crm.post(crm.call(1, "connected", direction="inbound"))
    for target in (str(other), str(other), None):
        said = {"account_id": target, "reason": "It was the other Bo"}
        before = len(outbox())
        await crm.client.post(f"/v1/activities/{result['id']}/rematch", json=said, headers=crm.headers)
    assert len(outbox()) > before
    assert await crm.standing() == []
    assert await crm.statuses(crm.call(1, "busy", revision=2)) == ["corrected"]
    assert await accounts_of(crm) == {"call-1": None}
    assert await queue(crm) == []


async def test_what_cannot_be_decided_is_refused(crm: Any, of_globex: Any, account: UUID) -> None:
    [result] = await crm.post(crm.call(1))
    nowhere = "01890000-0000-7000-8000-00000000dead"
    place = {"account_id": nowhere, "reason": "Why not"}
    for path, body, status, code in (
        ("/v1/unmatched/match", {"reference": DOMAIN, "account_id": nowhere, "reason": "x"}, 404, "unknown-account"),
        ("/v1/unmatched/match", {"reference": DOMAIN, "account_id": nowhere}, 422, "validation-failed"),
        ("/v1/unmatched/match", {"reference": {}, "account_id": nowhere, "reason": "x"}, 422, "validation-failed"),
        ("/v1/unmatched/dismiss", {"reference": DOMAIN, "reason": " "}, 422, "validation-failed"),
        (f"/v1/activities/{result['id']}/rematch", place, 404, "unknown-account"),
        (f"/v1/activities/{nowhere}/rematch", {"account_id": None, "reason": "x"}, 404, "unknown-activity"),
    ):
        answer = await crm.client.post(path, json=body, headers=crm.headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    assert (await undo(crm, "match")).status_code == 422
    assert (await undo(crm, "dismiss", **DOMAIN)).status_code == 404
    theirs = await of_globex.client.post(
        f"/v1/activities/{result['id']}/rematch", json={"account_id": None, "reason": "x"}, headers=of_globex.headers
    )
    assert theirs.json()["code"] == "unknown-activity"
    assert await accounts_of(crm) == {"call-1": str(account)}


async def test_activities_that_come_while_a_name_is_given_all_find_their_account(
    crm: Any, account: UUID, admin: Any
) -> None:
    async def post(number: int) -> None:
        await crm.post(*(crm.call(10 * number + n, account=DOMAIN) for n in range(5)))

    await asyncio.gather(
        *(post(n) for n in range(3)),
        decide(crm, "match", reference=DOMAIN, account_id=str(account)),
        *(post(n) for n in range(3, 6)),
    )
    assert admin("SELECT 1 FROM activity WHERE account_id IS NULL") == []
