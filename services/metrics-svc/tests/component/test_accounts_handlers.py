"""News of accounts and people: activities find theirs late, move with a name, and stop waiting for the gone."""

from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import opaque_id

REFERENCES = [
    {"source": "crm", "external_id": "company-17"},
    {"domain": "Acme.example"},
    {"id": "01890000-0000-7000-8000-000000000017"},
]


@pytest.mark.parametrize("reference", REFERENCES)
async def test_an_activity_is_held_until_its_account_appears_and_then_derived_as_if_it_had_been_there(
    crm: Any, deliver: Any, changed: Any, reference: dict[str, str], outbox: Any
) -> None:
    assert await crm.statuses(crm.call(1, account=reference)) == ["unmatched"]
    assert await crm.statuses(crm.call(1, account=reference)) == ["duplicate"]
    assert len((await crm.get("/v1/activities", unmatched="true"))["items"]) == 1
    await crm.pass_time(days=9)
    assert outbox() == []
    await deliver(changed(), times=2)
    assert (await crm.get("/v1/activities", unmatched="true"))["items"] == []
    assert await crm.standing() == ["call-unreturned"]
    assert len(outbox("client.touch.recorded.v1")) == 1


async def test_evidence_seen_by_a_person_is_held_as_well(crm: Any, deliver: Any, changed: Any) -> None:
    seen = {"kind": "advice-sought", "observed_at": crm.at(), "account": {"domain": "acme.example"}}
    [result] = await crm.post(seen, path="/v1/evidence")
    assert (result["status"], result["id"]) == ("unmatched", None)
    await deliver(changed())
    assert await crm.standing() == ["advice-sought"]


async def test_an_external_id_that_moves_takes_its_activities_along(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, removed: Any, outbox: Any
) -> None:
    await crm.post(crm.call(1), crm.call(2, "connected", contacts=[]))
    await crm.pass_time(days=4)
    await deliver(removed(), changed(account_id=other, email_domains=()), times=2)
    assert await crm.evidence(account_id=str(account), status="recorded") == []
    assert await crm.evidence(account_id=str(other)) == [("call-unreturned", "recorded", 1)]
    touched = [row.key for row in outbox("client.touch.recorded.v1")]
    assert sorted(touched) == sorted([f"acme/{account}"] * 2 + [f"acme/{other}"])
    assert (await crm.get(f"/v1/accounts/{account}/touch"))["last_two_way_at"] is None


async def test_news_out_of_order_leave_the_latest(
    crm: Any, deliver: Any, changed: Any, removed: Any, admin: Any
) -> None:
    await deliver(removed(version=3), changed(version=2), changed(version=1))
    await deliver(changed(version=2), times=2)
    assert [(row.version, row.removed) for row in admin("SELECT * FROM account")] == [(3, True)]
    assert await crm.statuses(crm.call(1)) == ["unmatched"]
    await deliver(changed(version=4))
    assert await crm.statuses(crm.call(1)) == ["duplicate"]
    assert (await crm.get("/v1/activities"))["items"][0]["account_id"] is not None


async def test_nothing_is_expected_of_an_account_that_is_gone(
    crm: Any, account: UUID, deliver: Any, removed: Any
) -> None:
    await crm.post(crm.call(1))
    await deliver(removed())
    await crm.pass_time(days=9)
    assert await crm.standing() == []


async def test_an_account_that_comes_back_is_derived_anew(
    crm: Any, account: UUID, deliver: Any, changed: Any, removed: Any
) -> None:
    await crm.post(crm.call(1))
    await deliver(removed())
    await crm.pass_time(days=9)
    await deliver(changed(version=3))
    await crm.pass_time(hours=1)
    assert await crm.standing() == ["call-unreturned"]


async def test_another_country_means_another_calendar_for_what_is_open(
    crm: Any, account: UUID, deliver: Any, changed: Any, clock: Any, start: Any
) -> None:
    clock.set(start.replace(month=4, day=1))
    await crm.post(crm.call(1))
    await deliver(changed(version=2, country="DE"))
    await crm.pass_time(days=5, hours=1)
    assert await crm.standing() == []
    await crm.pass_time(days=2)
    assert await crm.standing() == ["call-unreturned"]


async def test_two_external_ids_of_one_person_are_one_person_afterwards(
    crm: Any, account: UUID, deliver: Any, person: Any
) -> None:
    await crm.post(crm.call(1, contacts=[{"source": "crm", "external_id": "contact-4"}]))
    phone = [{"source": "phone", "external_id": "+49"}]
    await crm.pass_time(hours=1)
    await crm.post(crm.call(2, "connected", direction="inbound", contacts=phone))
    assert await crm.standing() == ["client-contacted"]
    bo = opaque_id("acme", "contact", "crm", "contact-4")
    known = ({"source": "crm", "external_id": "contact-4"}, {"source": "phone", "external_id": "+49"})
    await deliver(person(stakeholder_id=bo, external_ids=known), times=2)
    assert await crm.standing() == ["call-returned"]
    await crm.post(crm.call(3, "connected", direction="inbound", contacts=phone))
    assert [who["contact_id"] for who in (await crm.get(f"/v1/accounts/{account}/touch"))["contacts"]] == [str(bo)]


async def test_an_activity_that_names_a_person_in_two_ways_names_them_once_afterwards(
    crm: Any, account: UUID, deliver: Any, person: Any
) -> None:
    mail, phone = ({"source": source, "external_id": "bo"} for source in ("mail", "phone"))
    await crm.post(crm.call(1, "connected", direction="inbound", contacts=[mail, phone]))
    bo = UUID("01890000-0000-7000-8000-0000000000aa")
    await deliver(person(stakeholder_id=bo, external_ids=(mail, phone)))
    assert (await crm.get("/v1/activities"))["items"][0]["contact_ids"] == [str(bo)]
    assert (await crm.get("/v1/evidence"))["items"][0]["contact_ids"] == [str(bo)]


@pytest.mark.parametrize("early", [True, False])
async def test_a_person_is_one_at_every_account_whenever_that_is_said(
    crm: Any, account: UUID, other: UUID, deliver: Any, changed: Any, person: Any, early: bool
) -> None:
    assert account != other
    named = ({"source": "crm", "external_id": "company-18"},)
    await deliver(changed(account_id=other, external_ids=named, email_domains=()))
    bo, phone = UUID("01890000-0000-7000-8000-0000000000aa"), {"source": "phone", "external_id": "+49"}
    news = person(stakeholder_id=bo, external_ids=(phone,))
    if early:
        await deliver(news)
    elsewhere = {"source": "crm", "external_id": "company-18"}
    await crm.post(crm.call(1, "connected", direction="inbound", account=elsewhere, contacts=[phone]))
    if not early:
        await deliver(news)
    [piece] = (await crm.get("/v1/evidence"))["items"]
    assert (piece["account_id"], piece["contact_ids"]) == (str(other), [str(bo)])
    assert [who["contact_id"] for who in (await crm.get(f"/v1/accounts/{other}/touch"))["contacts"]] == [str(bo)]


async def test_an_erased_person_is_forgotten_and_their_contacts_stay_anonymous(
    crm: Any, account: UUID, deliver: Any, person: Any, erased: Any, admin: Any
) -> None:
    somebody = UUID("01890000-0000-7000-8000-0000000000aa")
    known = ({"source": "crm", "external_id": "contact-4"},)
    await deliver(person(stakeholder_id=somebody, external_ids=known))
    await crm.post(crm.call(1, "connected"))
    await deliver(erased(stakeholder_id=somebody, account_id=account), times=2)
    assert admin("SELECT 1 FROM contact_alias WHERE contact_id IS NOT NULL") == []
    await crm.pass_time(minutes=1)
    [seen] = (await crm.get(f"/v1/accounts/{account}/touch"))["contacts"]
    assert seen["contact_id"] != str(somebody)
    [activity] = (await crm.get("/v1/activities"))["items"]
    assert activity["contact_ids"] == [seen["contact_id"]]


async def test_the_other_tenants_account_of_the_same_name_is_another(
    crm: Any, of_globex: Any, deliver: Any, changed: Any, other: UUID
) -> None:
    await deliver(changed())
    await deliver(changed(account_id=other), tenant="globex")
    await crm.post(crm.call(1, "connected", direction="inbound"))
    [activity] = (await crm.get("/v1/activities"))["items"]
    assert activity["account_id"] != str(other)
    assert (await of_globex.get(f"/v1/accounts/{other}/touch"))["last_two_way_at"] is None
