"""Bets on people, those who do best, and accounts in jeopardy, from what was posted."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from bellwether_kit.http import Page
from metrics_svc.standing.api import JeopardyView, People, PerformerView

ANA, BO = UUID(int=0xA), UUID(int=0xB)


async def accounts(deliver: Any, changed: Any, owners: dict[UUID, int]) -> dict[UUID, list[str]]:
    """So many accounts of each owner; gives their external ids."""
    found: dict[UUID, list[str]] = {}
    for owner, count in owners.items():
        for number in range(count):
            name = f"{owner.int}-{number}"
            known = ({"source": "crm", "external_id": name},)
            id_ = UUID(int=owner.int * 1_000 + number)
            more = {"external_ids": known, "email_domains": (), "territory": "DE", "name": f"Client {name}"}
            await deliver(changed(account_id=id_, owner_id=owner, cadence_days=14.0, **more))
            found.setdefault(owner, []).append(name)
    return found


def held(crm: Any, number: int, account: str, **changed: Any) -> Any:
    return crm.call(number, "held", type="meeting", account={"source": "crm", "external_id": account}, **changed)


@pytest.fixture
async def many(crm: Any, deliver: Any, changed: Any) -> None:
    """Ana's eight accounts each met us twice or thrice, Bo's ten once; one of Bo's returned one call of three, late."""
    named = await accounts(deliver, changed, {ANA: 8, BO: 10})
    meetings = [held(crm, n, name, occurred_at=crm.at(hours=n)) for n, name in enumerate(named[ANA] * 2)]
    meetings += [held(crm, 100 + n, name, occurred_at=crm.at(hours=n)) for n, name in enumerate(named[BO])]
    meetings.append(held(crm, 99, named[ANA][0], occurred_at=crm.at(hours=80)))
    ignored = [
        crm.call(
            200 + n, account={"source": "crm", "external_id": named[BO][0]}, contacts=[], occurred_at=crm.at(days=d)
        )
        for n, d in enumerate((60, 40, 20))
    ]
    await crm.post(*meetings, *ignored)
    await crm.pass_time(days=1)
    await crm.pass_time(minutes=20)


@pytest.mark.usefixtures("many")
async def test_people_are_ranked_by_their_mean_drawn_to_that_of_all(crm: Any) -> None:
    answer = await crm.get("/v1/metrics/people")
    ana, bo = answer["items"]
    assert (ana["member"], ana["accounts"], ana["mean"]) == (str(ANA), 8, 2.125)
    assert (answer["accounts"], answer["overall"]) == (18, pytest.approx((17 + 8) / 18))
    assert ana["shrunk"] == pytest.approx(answer["overall"] + (2.125 - answer["overall"]) * 8 / 18)
    assert bo["low"] < bo["mean"] < bo["high"]
    assert ana["shrunk_low"] < ana["shrunk"] < ana["shrunk_high"]


@pytest.mark.usefixtures("many")
async def test_without_shrinkage_the_mean_is_left_as_it_is_and_pages_go_on(crm: Any) -> None:
    first = await crm.get("/v1/metrics/people", k=0, limit=1)
    second = await crm.get("/v1/metrics/people", k=0, limit=1, cursor=first["next_cursor"])
    [ana], [bo] = first["items"], second["items"]
    assert (ana["shrunk"], bo["shrunk"]) == (ana["mean"], bo["mean"])
    assert second["next_cursor"] is None


@pytest.mark.usefixtures("many")
async def test_windows_and_territories_have_bets_of_their_own(crm: Any) -> None:
    [germany] = (await crm.get("/v1/metrics/people", scope="territory", days=30))["items"]
    assert (germany["member"], germany["accounts"]) == ("DE", 18)
    month, quarter = [(await crm.get("/v1/metrics/people", days=days))["overall"] for days in (30, 90)]
    assert month > quarter  # the calls ignored 40 and 60 days ago count in the longer window only


@pytest.mark.usefixtures("many")
async def test_high_performers_stand_above_all_with_the_evidence_that_lifts_them(crm: Any) -> None:
    [ana] = (await crm.get("/v1/metrics/high-performers"))["items"]
    assert ana["member"] == str(ANA)
    assert ana["low"] > ana["overall"]
    [reason] = ana["reasons"]
    assert reason["kind"] == "meeting-held"
    assert reason["per_account"] > reason["overall"]


@pytest.mark.usefixtures("many")
async def test_an_account_in_jeopardy_says_why_and_against_what(crm: Any) -> None:
    [found] = (await crm.get("/v1/metrics/jeopardy"))["items"]
    assert (found["name"], found["owner_id"], found["balance"]) == ("Client 11-0", str(BO), -1.0)
    reasons = {reason["reason"]: reason for reason in found["reasons"]}
    assert reasons.keys() == {"negative-balance", "unreturned-asks"}
    assert reasons["negative-balance"]["kinds"] == [{"kind": "call-unreturned", "n": 3, "total": -3.0}]
    assert (reasons["unreturned-asks"]["value"], reasons["unreturned-asks"]["against"]) == (3, 1)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("path", "model"), [("people", People), ("high-performers", Page[PerformerView]), ("jeopardy", Page[JeopardyView])]
)
async def test_what_the_database_writes_is_what_is_documented(crm: Any, path: str, model: type[BaseModel]) -> None:
    answer = await crm.get(f"/v1/metrics/{path}", limit=1)
    assert model.model_validate(answer).model_dump() == model.model_validate(answer, extra="forbid").model_dump()
    assert answer["items"][0].keys() == model.model_validate(answer).model_dump()["items"][0].keys()


@pytest.mark.usefixtures("many")
async def test_silence_puts_accounts_in_jeopardy_though_nothing_happens(crm: Any) -> None:
    await crm.pass_time(days=25)
    first = await crm.get("/v1/metrics/jeopardy", limit=10)
    second = await crm.get("/v1/metrics/jeopardy", limit=10, cursor=first["next_cursor"])
    found = first["items"] + second["items"]
    assert len({one["account_id"] for one in found}) == len(found) == 18
    assert [one["jeopardy"] for one in found] == sorted((one["jeopardy"] for one in found), reverse=True)
    assert all("silent" in [reason["reason"] for reason in one["reasons"]] for one in found)
    mine = await crm.get("/v1/metrics/jeopardy", owner_id=str(ANA), limit=200)
    assert {one["owner_id"] for one in mine["items"]} == {str(ANA)}


@pytest.mark.usefixtures("many")
async def test_what_is_removed_is_in_no_list(crm: Any, deliver: Any, removed: Any) -> None:
    await deliver(*(removed(account_id=UUID(int=BO.int * 1_000 + n)) for n in range(10)))
    await crm.pass_time(minutes=1)
    await crm.pass_time(minutes=20)
    assert [one["member"] for one in (await crm.get("/v1/metrics/people"))["items"]] == [str(ANA)]
    assert (await crm.get("/v1/metrics/jeopardy"))["items"] == []


@pytest.mark.usefixtures("many")
async def test_another_tenant_sees_nobody(of_globex: Any) -> None:
    answer = await of_globex.get("/v1/metrics/people")
    assert (answer["items"], answer["overall"], answer["computed_at"]) == ([], None, None)
    assert (await of_globex.get("/v1/metrics/jeopardy"))["items"] == []
    assert (await of_globex.get("/v1/metrics/high-performers"))["items"] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("people", {"scope": "tier"}),
        ("people", {"days": "91"}),
        ("people", {"k": "-1"}),
        ("people", {"k": "nan"}),
        ("high-performers", {"scope": "account"}),
        ("jeopardy", {"owner_id": "ana"}),
        ("jeopardy", {"colour": "red"}),
    ],
)
async def test_what_means_nothing_is_refused(crm: Any, path: str, query: dict[str, str]) -> None:
    answer = await crm.client.get(f"/v1/metrics/{path}", params=query, headers=crm.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
