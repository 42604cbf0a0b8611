"""Single posts that come at the same time: joined in one transaction, and each as if it were alone."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec


async def one(crm: Any, item: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await crm.client.post("/v1/activities", json=item, headers=crm.headers | headers)
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["items"]
    return dict(result)


async def test_each_gets_its_own_result(crm: Any, account: UUID) -> None:
    calls = [crm.call(n, occurred_at=crm.at(minutes=90 - n)) for n in range(30)]
    broken = [crm.call(90, occurred_at=crm.at(hours=-3)), crm.call(91, type="smoke-signal")]
    unknown = crm.call(92, account={"domain": "nobody.example"})
    found = await asyncio.gather(*(one(crm, item) for item in [*calls, calls[3], *broken, unknown, {"type": "call"}]))
    statuses = [result["status"] for result in found]
    assert sorted([*statuses[:30], statuses[30]]) == ["accepted"] * 30 + ["duplicate"]
    assert statuses[31:] == ["rejected", "rejected", "unmatched", "rejected"]
    assert [result["problem"]["code"] for result in found[31:33]] == ["occurred-in-future", "unknown-activity-type"]
    assert found[34]["problem"]["code"] == "validation-failed"
    assert len({result["id"] for result in found[:30]}) == 30


async def test_what_comes_together_is_stored_together(crm: Any, account: UUID, admin: Any) -> None:
    await asyncio.gather(*(one(crm, crm.call(n)) for n in range(30)))
    [stored] = admin("SELECT count(*) AS rows, count(DISTINCT xmin::text) AS transactions FROM activity")
    assert stored.rows == 30
    assert stored.transactions < 30


async def test_events_carry_the_id_of_a_request_that_caused_them(crm: Any, account: UUID, outbox: Any) -> None:
    items = [
        crm.call(
            n, "connected", direction="inbound", account={"id": str(account)} if n % 2 else {"domain": "acme.example"}
        )
        for n in range(8)
    ]
    await asyncio.gather(*(one(crm, item, **{"X-Request-Id": f"request-{n}"}) for n, item in enumerate(items)))
    said = {msgspec.json.decode(row.value).get("correlationid") for row in outbox()}
    assert said
    assert said <= {f"request-{n}" for n in range(8)}


async def test_a_key_makes_a_request_go_alone_and_once(crm: Any, account: UUID) -> None:
    item = crm.call(1)
    first = await one(crm, item, **{"Idempotency-Key": "k1"})
    again = await one(crm, item, **{"Idempotency-Key": "k1"})
    assert first["status"] == again["status"] == "accepted"


async def test_of_two_tenants_each_sees_its_own(crm: Any, of_globex: Any, account: UUID) -> None:
    mine, theirs = await asyncio.gather(one(crm, crm.call(1)), one(of_globex, of_globex.call(1)))
    assert (mine["status"], theirs["status"]) == ("accepted", "unmatched")


async def test_corrections_among_them_leave_the_last_revision(crm: Any, account: UUID, admin: Any) -> None:
    posts = [crm.call(1, revision=n, subject=f"revision {n}") for n in range(12)]
    statuses = {(await done)["status"] for done in asyncio.as_completed([one(crm, item) for item in posts])}
    assert statuses <= {"accepted", "corrected", "stale"}
    assert [row.subject for row in admin("SELECT subject FROM activity")] == ["revision 11"]
