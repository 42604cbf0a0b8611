"""How often we hear from an account, beside how often we should, as a whole and by person."""

from typing import Any
from uuid import UUID

import msgspec


async def test_the_own_rhythm_stands_beside_the_expected_one_until_silence_is_overdue(
    crm: Any, account: UUID, deliver: Any, changed: Any
) -> None:
    named = msgspec.defstruct("Named", [("tier", str, "B")], bases=(changed,), frozen=True, kw_only=True)
    await deliver(named(version=2))
    held = {"type": "meeting", "outcome": "held"}
    await crm.post(*(crm.call(n, **held, occurred_at=crm.at(days=n)) for n in (10, 15, 25)))
    cadence = (await crm.get(f"/v1/accounts/{account}/touch"))["cadence"]
    assert cadence == {"own_days": 7.5, "n": 2, "expected_days": 14.0, "silence_days": 10.0, "overdue": False}
    await crm.pass_time(days=5)
    cadence = (await crm.get(f"/v1/accounts/{account}/touch"))["cadence"]
    assert (cadence["silence_days"], cadence["overdue"]) == (15.0, True)


async def test_each_person_has_their_own_response_time_and_share(crm: Any, account: UUID) -> None:
    bo, cy = ([{"source": "crm", "external_id": name}] for name in ("bo", "cy"))
    await crm.post(
        crm.call(1, contacts=bo, occurred_at=crm.at(hours=30)),
        crm.call(2, "connected", direction="inbound", contacts=bo, occurred_at=crm.at(hours=28)),
        crm.call(3, contacts=cy, occurred_at=crm.at(hours=20)),
    )
    touch = await crm.get(f"/v1/accounts/{account}/touch")
    assert (touch["response_time_median_hours"], touch["response_time_n"], touch["distinct_contacts_90d"]) == (2, 1, 2)
    people = {person["response_time_n"]: person for person in touch["contacts"]}
    assert (people[1]["response_time_median_hours"], people[1]["two_way_ratio"], people[1]["contacts_90d"]) == (
        2,
        0.5,
        2,
    )
    assert (people[0]["response_time_median_hours"], people[0]["two_way_ratio"], people[0]["contacts_90d"]) == (
        None,
        0,
        1,
    )


async def test_of_an_account_never_heard_from_nothing_is_made_up(crm: Any, account: UUID) -> None:
    touch = await crm.get(f"/v1/accounts/{account}/touch")
    nothing = {"own_days": None, "n": 0, "expected_days": None, "silence_days": None, "overdue": None}
    assert (touch["cadence"], touch["contacts"]) == (nothing, [])
