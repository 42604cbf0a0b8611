"""News of people: who agreed to KPIs and who answered surveys goes by the person's own id from then on."""

import asyncio
from typing import Any
from uuid import UUID

BO = UUID("01890000-0000-7000-8000-0000000000aa")
KNOWN = ({"source": "email", "external_id": "bo@acme.example"},)
ANSWERS = "/v1/survey-responses"


async def agree(crm: Any, code: str, agreed_by: str | None = "bo@acme.example") -> dict[str, Any]:
    """Agree on a KPI, with somebody known by address."""
    body = {
        "account": {"source": "crm", "external_id": "company-17"},
        "code": code,
        "name": "Availability",
        "unit": "percent",
        "direction": "higher",
        "target": 99.5,
        "agreed_by": agreed_by and {"email": agreed_by},
    }
    made = await crm.client.post("/v1/kpis", json=body, headers=crm.headers)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def let_agree(crm: Any, kpi: dict[str, Any], agreed_by: str | None) -> None:
    body, tag = {"agreed_by": agreed_by and {"email": agreed_by}}, {"If-Match": '"1"'}
    changed = await crm.client.patch(f"/v1/kpis/{kpi['id']}", json=body, headers=crm.headers | tag)
    assert changed.status_code == 200, changed.text


async def agreeing(crm: Any) -> dict[str, str | None]:
    """Who agreed to each KPI, by its code."""
    return {one["code"]: one["agreed_by"] for one in (await crm.get("/v1/kpis"))["items"]}


async def test_who_agreed_goes_by_their_own_id_in_past_terms_too(
    crm: Any, account: UUID, deliver: Any, person: Any
) -> None:
    past, now = await agree(crm, "past"), await agree(crm, "now")
    eve = (await agree(crm, "eve", "eve@acme.example"))["agreed_by"]
    await let_agree(crm, past, None)
    await deliver(person(stakeholder_id=BO, external_ids=KNOWN), times=2)
    assert await agreeing(crm) == {"past": None, "now": str(BO), "eve": eve}
    assert await crm.get(f"/v1/kpis/{now['id']}") == now | {"agreed_by": str(BO)}
    history = (await crm.get(f"/v1/kpis/{past['id']}/history"))["items"]
    assert [one["terms"]["agreed_by"] for one in history] == [None, str(BO)]
    assert (await agree(crm, "later"))["agreed_by"] == str(BO)


async def test_a_person_of_another_account_changes_no_terms(
    crm: Any, account: UUID, other: UUID, deliver: Any, person: Any
) -> None:
    kpi = await agree(crm, "uptime")
    await deliver(person(stakeholder_id=BO, account_id=other, external_ids=KNOWN))
    assert await crm.get(f"/v1/kpis/{kpi['id']}") == kpi


async def test_terms_that_change_while_the_news_arrive_name_the_person_too(
    crm: Any, account: UUID, deliver: Any, person: Any
) -> None:
    kpis = [await agree(crm, f"kpi-{n}", None) for n in range(8)]
    changes = [let_agree(crm, kpi, "bo@acme.example") for kpi in kpis]
    await asyncio.gather(*changes[:4], deliver(person(stakeholder_id=BO, external_ids=KNOWN)), *changes[4:])
    assert set((await agreeing(crm)).values()) == {str(BO)}


async def test_respondents_go_by_their_own_id_and_nothing_is_said_again(
    crm: Any, account: UUID, deliver: Any, person: Any, outbox: Any
) -> None:
    def answer(number: int, **changed: Any) -> dict[str, Any]:
        return {
            "source": "surveys",
            "external_id": f"answer-{number}",
            "account": {"source": "crm", "external_id": "company-17"},
            "respondent": {"email": "bo@acme.example"},
            "answered_at": crm.at(),
            "scale": "1-5",
            "score": 4,
        } | changed

    held, eve = {"account": {"domain": "elsewhere.example"}}, {"respondent": {"email": "eve@acme.example"}}
    await crm.post(answer(1), answer(2, **held), answer(3, **eve), path=ANSWERS)
    said = len(outbox())
    await deliver(person(stakeholder_id=BO, external_ids=KNOWN), times=2)
    respondents = {one["external_id"]: one["respondent_id"] for one in (await crm.get(ANSWERS))["items"]}
    assert [respondents[f"answer-{n}"] == str(BO) for n in (1, 2, 3)] == [True, True, False]
    assert len(outbox()) == said
