"""Erasure: people and accounts go, evidence stays what it was, and nobody comes back by a later post."""

import asyncio
from typing import Any
from uuid import UUID

from metrics_svc.anonymity.store import NAMING

BO = {"source": "crm", "external_id": "contact-4"}
EVE = {"email": "eve@acme.example"}
TEXTS = {"subject": "Bo called", "attributes": {"renewal": True, "who": "Bo"}}

ANSWERS, FIGURES, FIGURE_TABLE = "/v1/survey-responses", "/v1/figures", "reported_figure"


def answer(crm: Any, number: int, score: int, **changed: Any) -> dict[str, Any]:
    """Somebody's answer who is in no activity."""
    return {
        "source": "surveys",
        "external_id": f"answer-{number}",
        "account": {"source": "crm", "external_id": "company-17"},
        "respondent": {"source": "surveys", "external_id": f"person-{number}"},
        "answered_at": crm.at(days=1),
        "scale": "1-5",
        "score": score,
    } | changed


async def agree(crm: Any, code: str = "uptime", agreed_by: Any = BO, **changed: Any) -> str:
    """Agree on a KPI with somebody; gives its path."""
    terms = {"name": "Uptime", "unit": "percent", "direction": "higher", "target": 99.5, "agreed_by": agreed_by}
    body = {"account": {"source": "crm", "external_id": "company-17"}, "code": code} | terms | changed
    made = await crm.client.post("/v1/kpis", json=body, headers=crm.headers)
    assert made.status_code == 201, made.text
    return f"/v1/kpis/{made.json()['id']}"


def figure(crm: Any) -> dict[str, Any]:
    """A month's revenue of the account."""
    return {
        "source": "erp",
        "account": {"source": "crm", "external_id": "company-17"},
        "measure": "revenue",
        "period_start": "2026-01-01",
        "period_end": "2026-01-31",
        "money": {"amount": "48200.00", "currency": "EUR"},
    }


async def erase(crm: Any, **body: Any) -> dict[str, Any]:
    answer = await crm.client.post("/v1/erasures", json={"reason": "Asked to"} | body, headers=crm.headers)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def done(crm: Any, id_: str) -> dict[str, Any]:
    await crm.mailbox.fire_timers()
    return dict(await crm.get(f"/v1/erasures/{id_}"))


def anonymous(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in {"contact_ids", "revision"}}


async def test_an_erased_person_is_out_of_everything_and_evidence_is_what_it_was(
    crm: Any, account: UUID, outbox: Any, admin: Any
) -> None:
    await crm.post(crm.call(1, **TEXTS), crm.call(2, contacts=[EVE]))
    await crm.pass_time(days=4)
    await crm.post(crm.call(3, "connected", direction="inbound", contacts=[BO, EVE]))
    before = (await crm.get("/v1/evidence"))["items"]
    [activity] = [one for one in (await crm.get("/v1/activities"))["items"] if one["external_id"] == "call-1"]
    [bo] = activity["contact_ids"]
    said = len(outbox("client.evidence.recorded.v1"))
    found = await done(crm, (await erase(crm, person=BO))["id"])
    assert (found["state"], found["activities"], found["author"]) == ("done", 2, "tester")
    after = (await crm.get("/v1/evidence"))["items"]
    assert [anonymous(item) for item in after] == [anonymous(item) for item in before]
    assert found["evidence"] == len(outbox("client.evidence.recorded.v1")) - said > 0
    for table, column in NAMING.items():
        assert bo not in str(admin(f"SELECT {column} FROM {table}")), table
    shown = await crm.get(f"/v1/activities/{activity['id']}")
    assert (shown["subject"], shown["attributes"]) == (None, {"renewal": True})
    assert admin("SELECT 1 FROM erasure_person") == []
    assert "contact-4" not in str(admin("SELECT * FROM erasure"))
    quiet = len(outbox())
    admin("UPDATE account SET anew_at = '2020-01-01', anew_from = '1990-01-01'")
    await crm.mailbox.fire_timers()
    assert len(outbox("client.evidence.recorded.v1")) + len(outbox("client.evidence.retracted.v1")) <= quiet
    assert (await crm.get("/v1/evidence"))["items"] == after


async def test_somebody_who_only_agreed_or_answered_is_erased_from_present_and_past(
    crm: Any, account: UUID, admin: Any
) -> None:
    now, past = await agree(crm), await agree(crm, code="speed")
    tag = {"If-Match": '"1"'}
    assert (await crm.client.patch(past, json={"agreed_by": EVE}, headers=crm.headers | tag)).status_code == 200
    held = answer(crm, 1, 5, respondent=BO, account={"domain": "nowhere.example"})
    await crm.post(held, answer(crm, 2, 4, respondent=BO), answer(crm, 3, 3, respondent=EVE), path=ANSWERS)
    eve = (await crm.get(past))["agreed_by"]
    before = [await crm.get(path) for path in (now, past)]
    bo = before[0]["agreed_by"]
    found = await done(crm, (await erase(crm, person=BO))["id"])
    assert (found["state"], found["activities"], found["records"]) == ("done", 0, 4)
    everything = [*NAMING.items(), ("kpi_version", "terms")]
    assert [table for table, column in everything if bo in str(admin(f"SELECT {column} FROM {table}"))] == []
    after = [await crm.get(path) for path in (now, past)]
    assert after[0]["agreed_by"] not in {None, bo}
    assert after == [before[0] | {"agreed_by": after[0]["agreed_by"]}, before[1]]
    agreed = [one["terms"]["agreed_by"] for one in (await crm.get(f"{past}/history"))["items"]]
    assert (agreed[0], len(set(agreed))) == (eve, 2)
    respondents = [row.respondent_id for row in admin("SELECT respondent_id FROM survey_response")]
    assert (None in respondents, UUID(eve) in respondents, len(respondents)) == (False, True, 3)
    await agree(crm, code="later")
    assert [row.agreed_by for row in admin("SELECT agreed_by FROM kpi WHERE code = 'later'")] == [None]


async def test_later_posts_come_in_without_the_person_and_asking_again_changes_nothing(crm: Any, account: UUID) -> None:
    await crm.post(crm.call(1))
    first = await done(crm, (await erase(crm, person=BO))["id"])
    assert await erase(crm, person=BO) == first
    await crm.post(crm.call(2, contacts=[BO, EVE], **TEXTS))
    [late] = [one for one in (await crm.get("/v1/activities"))["items"] if one["external_id"] == "call-2"]
    assert (len(late["contact_ids"]), late["subject"], late["attributes"]) == (1, None, {"renewal": True})
    assert await done(crm, first["id"]) == first


async def test_a_person_nobody_knows_is_done_with_nothing_and_kept_out(crm: Any, account: UUID) -> None:
    found = await done(crm, (await erase(crm, person=EVE))["id"])
    assert (found["state"], found["activities"], found["evidence"]) == ("done", 0, 0)
    await crm.post(crm.call(1, contacts=[EVE]))
    [activity] = (await crm.get("/v1/activities"))["items"]
    assert activity["contact_ids"] == []


async def test_all_names_of_a_person_go_and_news_do_not_bring_them_back(
    crm: Any, account: UUID, deliver: Any, person: Any
) -> None:
    somebody = UUID("01890000-0000-7000-8000-0000000000aa")
    await deliver(person(stakeholder_id=somebody, external_ids=(BO, {"source": "phone", "external_id": "+49"})))
    await crm.post(crm.call(1))
    await erase(crm, person={"source": "phone", "external_id": "+49"})
    await crm.mailbox.fire_timers()
    later = (BO, {"source": "chat", "external_id": "bo"})
    await crm.post(crm.call(2, contacts=[later[1]]))
    await crm.pass_time(days=1)
    await deliver(person(stakeholder_id=somebody, external_ids=later, version=2), times=2)
    await crm.mailbox.fire_timers()
    await crm.post(crm.call(3), crm.call(4, contacts=[{"id": str(somebody)}]))
    items = {item["external_id"]: item["contact_ids"] for item in (await crm.get("/v1/activities"))["items"]}
    assert (items["call-3"], items["call-4"]) == ([], [])
    assert str(somebody) not in str(items)


async def test_nobody_slips_through_while_their_erasure_is_asked_for(crm: Any, account: UUID, admin: Any) -> None:
    await crm.post(crm.call(0))
    [row] = admin("SELECT contact_ids[1] AS bo FROM activity")

    async def post(number: int) -> None:
        await crm.post(*(crm.call(10 * number + n) for n in range(1, 6)))

    await asyncio.gather(*(post(n) for n in range(3)), erase(crm, person=BO), *(post(n) for n in range(3, 6)))
    await crm.mailbox.fire_timers()
    for table, column in NAMING.items():
        assert str(row.bo) not in str(admin(f"SELECT {column} FROM {table}")), table
    assert len(admin("SELECT 1 FROM activity")) == 31


async def test_an_erased_account_keeps_its_evidence_and_nothing_in_words(
    crm: Any, account: UUID, deliver: Any, removed: Any, admin: Any
) -> None:
    await crm.post(crm.call(1, thread="Bo", **TEXTS), crm.call(2, contacts=[EVE]))
    await crm.pass_time(days=9)
    before = (await crm.get("/v1/evidence"))["items"]
    await deliver(removed())
    first = await done(crm, (await erase(crm, account={"id": str(account)}))["id"])
    assert (first["state"], first["account_id"]) == ("done", str(account))
    after = (await crm.get("/v1/evidence"))["items"]
    assert [anonymous(item) for item in after] == [anonymous(item) for item in before]
    stored = str(admin("SELECT * FROM activity")) + str(admin("SELECT value FROM account_reference"))
    for word in ("Bo", "call-1", "company-17", "acme.example"):
        assert word not in stored, word
    assert await erase(crm, account={"id": str(account)}) == first
    assert await crm.statuses(crm.call(1)) == ["duplicate"]


async def test_an_erased_accounts_answers_and_figures_name_nobody_and_count_as_before(
    crm: Any, account: UUID, deliver: Any, changed: Any, removed: Any, outbox: Any, admin: Any
) -> None:
    await crm.post(crm.call(1))
    await crm.post(answer(crm, 1, 5), answer(crm, 2, 2, account={"domain": "acme.example"}), path=ANSWERS)
    await crm.post(figure(crm), path=FIGURES)
    await crm.pass_time(hours=1)
    buckets = "SELECT day, measure, n, total FROM figure_account_day ORDER BY day, measure"
    satisfaction = f"/v1/accounts/{account}/satisfaction"
    before, said = (await crm.get(satisfaction), admin(buckets)), len(outbox("client.metric.measured.v1"))
    kpi = await agree(crm)
    respondents = {row.respondent_id for row in admin("SELECT respondent_id FROM survey_response")}
    respondents.add(UUID((await crm.get(kpi))["agreed_by"]))
    await deliver(removed())
    found = await done(crm, (await erase(crm, account={"id": str(account)}))["id"])
    assert (found["state"], found["activities"], found["records"]) == ("done", 1, 4)
    tables = ("survey_response", "reported_figure", "kpi", "kpi_version")
    stored = "".join(str(admin(f"SELECT * FROM {table}")) for table in tables)
    for word in ("answer-", "company-17", "acme.example", *map(str, respondents)):
        assert word not in stored, word
    assert len({row.respondent_id for row in admin("SELECT respondent_id FROM survey_response")}) == 2
    await crm.mailbox.fire_timers()
    assert (await crm.get(satisfaction), admin(buckets)) == before
    assert len(outbox("client.metric.measured.v1")) == said
    assert await erase(crm, account={"id": str(account)}) == found
    assert await crm.statuses(answer(crm, 1, 5), path=ANSWERS) == ["duplicate"]
    assert await crm.statuses(figure(crm), path=FIGURES) == ["duplicate"]


async def test_what_comes_after_an_accounts_erasure_is_kept_until_it_is_asked_for_again(
    crm: Any, account: UUID, admin: Any
) -> None:
    id_ = (await erase(crm, account={"id": str(account)}))["id"]
    assert (await done(crm, id_))["records"] == 0
    for post, path, table in ((answer(crm, 1, 5), ANSWERS, "survey_response"), (figure(crm), FIGURES, FIGURE_TABLE)):
        await crm.post(post, path=path)
        [row] = admin(f"SELECT reference_value FROM {table}")
        assert row.reference_value == "company-17"
        assert (await erase(crm, account={"id": str(account)}))["state"] == "requested"
        await crm.mailbox.fire_timers()
        [row] = admin(f"SELECT reference_value FROM {table}")
        assert row.reference_value == str(account)
    assert (await crm.get(f"/v1/erasures/{id_}"))["records"] == 2


async def test_a_kpi_agreed_after_an_accounts_erasure_names_nobody_once_it_is_asked_for_again(
    crm: Any, account: UUID
) -> None:
    await done(crm, (await erase(crm, account={"id": str(account)}))["id"])
    await crm.pass_time(seconds=1)
    kpi = await agree(crm)
    bo = (await crm.get(kpi))["agreed_by"]
    again = await erase(crm, account={"id": str(account)})
    assert (again["state"], (await done(crm, again["id"]))["records"]) == ("requested", 1)
    assert (await crm.get(kpi))["agreed_by"] not in {None, bo}
    assert (await erase(crm, account={"id": str(account)}))["state"] == "done"


async def test_an_erasure_of_nobody_or_of_an_unknown_account_is_refused(
    crm: Any, of_globex: Any, account: UUID
) -> None:
    first = await erase(crm, person=BO)
    for body, status, code in (
        ({"reason": "x"}, 422, "validation-failed"),
        ({"reason": "x", "person": BO, "account": {"domain": "acme.example"}}, 422, "validation-failed"),
        ({"person": BO}, 422, "validation-failed"),
        ({"reason": "x", "account": {"domain": "elsewhere.example"}}, 404, "unknown-account"),
    ):
        answer = await crm.client.post("/v1/erasures", json=body, headers=crm.headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    theirs = await of_globex.client.get(f"/v1/erasures/{first['id']}", headers=of_globex.headers)
    assert (theirs.status_code, theirs.json()["code"]) == (404, "unknown-erasure")
    assert (await of_globex.get("/v1/erasures"))["items"] == []
    assert [one["id"] for one in (await crm.get("/v1/erasures"))["items"]] == [first["id"]]


def test_every_table_that_names_people_is_known_to_erasure(crm: Any, admin: Any) -> None:
    rows = admin(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name IN ('contact_id', 'contact_ids', 'respondent_id', 'agreed_by')"
        " AND table_name NOT IN ('contact_alias', 'erasure_person')"
    )
    assert {row.table_name: row.column_name for row in rows} == NAMING
