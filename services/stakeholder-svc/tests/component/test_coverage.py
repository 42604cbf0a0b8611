"""Coverage and the power grid over HTTP, and coverage as others hear it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.clock import FixedClock
from bellwether_kit.ids import opaque_id, uuid7

pytestmark = pytest.mark.usefixtures("known")

COVERAGE = "stakeholder.coverage.changed.v1"


def marks(power: int, rest: int, weight: int = 3) -> dict[str, int]:
    others = dict.fromkeys(("perception", "priority", "promoter", "pliability"), rest)
    return {"power": power, **others, "weight": weight}


async def test_coverage_is_said_when_it_changes_and_only_then(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, outbox: Any, account_id: UUID
) -> None:
    path = f"/v1/accounts/{account_id}/coverage"
    before = (await client.get(path, headers=writer)).json()
    assert (
        before["coverage"],
        before["missing_roles"],
        before["people"],
    ) == (None, ["economic", "sponsor", "technical", "user"], 0)
    [kim] = await put({"name": "Kim", "decision_roles": ["economic"], "certainty": "confirmed", "grid": marks(5, 3)})
    await put({"name": "Lee", "decision_roles": ["user", "legal"]})
    after = (await client.get(path, headers=writer)).json()
    assert (after["coverage"], after["missing_roles"], after["people"]) == (34.38, ["sponsor", "technical"], 2)
    patch = f"/v1/stakeholders/{kim['id']}"
    await client.patch(patch, json={"title": "CFO"}, headers=writer | {"If-Match": '"1"'})
    await client.patch(patch, json={"status": "gone"}, headers=writer | {"If-Match": '"2"'})
    await client.delete(patch, headers=writer | {"If-Match": '"3"'})
    said = [(e.data["coverage"], e.data["missing_roles"], e.data["people"]) for e in outbox(COVERAGE)]
    assert said == [
        (25.0, ["sponsor", "technical", "user"], 1),
        (34.38, ["sponsor", "technical"], 2),
        (9.38, ["economic", "sponsor", "technical"], 1),
    ]
    assert {f"acme/{account_id}"} == {event.key for event in outbox(COVERAGE)}
    assert [event.sequence for event in outbox(COVERAGE)] == [1, 2, 3]


async def test_coverage_that_is_said_after_the_clock_went_back_is_later_than_what_was_said_before(
    put: Any, outbox: Any, clock: FixedClock
) -> None:
    await put({"name": "Kim", "decision_roles": ["economic"]})
    clock.advance(timedelta(minutes=-5))
    await put({"name": "Lee", "decision_roles": ["user"]})

    first, second = (event.data for event in outbox(COVERAGE))
    assert second["people"] == 2
    assert datetime.fromisoformat(second["assessed_at"]) > datetime.fromisoformat(first["assessed_at"])


async def test_who_of_ours_is_in_touch_says_how_much_hangs_by_one_thread(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, read: Any, outbox: Any, account_id: UUID
) -> None:
    ana, ben = {"email": "Ana@example.com"}, {"email": "ben@example.com"}
    [kim] = await put({"name": "Kim", "grid": marks(5, 3)})
    await put({"name": "Lee", "grid": marks(5, 3), "contacts": [ana, {"email": "ana@example.com"}]})
    patch, path = f"/v1/stakeholders/{kim['id']}", f"/v1/accounts/{account_id}/coverage"
    for version, contacts in enumerate(([ana], [ben], [ana, ben], []), start=1):
        changed = await client.patch(patch, json={"contacts": contacts}, headers=writer | {"If-Match": f'"{version}"'})
        assert changed.json()["status"] == "updated"
    shares = [event.data["thread_share"] for event in outbox(COVERAGE)]
    # Said when it changes: Ana alone with Lee, each of two with one, Ana alone with all in reach.
    assert shares == [None, 100.0, 50.0, 100.0]
    assert (await client.get(path, headers=writer)).json()["thread_share"] == 100.0
    assert (await read(kim["id"]))["contacts"] == []


async def test_a_wrong_contact_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, read: Any, outbox: Any
) -> None:
    [kim] = await put({"name": "Kim", "contacts": [{"email": "Ana@Example.com"}]})
    before = await read(kim["id"])
    assert before["contacts"] == [str(opaque_id("acme", "user", "ana@example.com"))]
    for wrong in ([{"email": "nobody"}], [{}], "ana@example.com", [{"email": f"u{n}@example.com"} for n in range(51)]):
        refused = await client.patch(
            f"/v1/stakeholders/{kim['id']}", json={"contacts": wrong}, headers=writer | {"If-Match": '"1"'}
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "validation-failed")
    assert await read(kim["id"]) == before
    assert not [event for event in outbox() if b"@" in (event.value or b"")]


async def test_a_tenant_chooses_the_roles_and_the_worker_assesses_anew(
    client: httpx.AsyncClient,
    writer: dict[str, str],
    put: Any,
    outbox: Any,
    auth: Any,
    fire_timers: Any,
    account_id: UUID,
    other_id: UUID,
) -> None:
    await put(
        {"name": "Kim", "decision_roles": ["legal"], "certainty": "confirmed", "grid": marks(5, 3)},
        {"name": "Lee", "account": {"id": str(other_id)}},
    )
    default = await client.get("/v1/coverage-policy", headers=writer)
    assert (
        default.json()["required_roles"],
        default.json()["version"],
    ) == (["economic", "technical", "user", "sponsor"], 0)
    choice = {"required_roles": ["legal", "legal"], "reason": "Lawyers decide here"}
    admin = auth("stakeholders:read stakeholders:admin", sub="ops@example.com")
    assert (await client.put("/v1/coverage-policy", json=choice, headers=writer)).status_code == 403
    stale = admin | {"If-Match": '"4"'}
    assert (await client.put("/v1/coverage-policy", json=choice, headers=stale)).status_code == 412
    for wrong in ([], ["king"]):
        refused = await client.put("/v1/coverage-policy", json=choice | {"required_roles": wrong}, headers=admin)
        assert refused.status_code == 422
    chosen = await client.put("/v1/coverage-policy", json=choice, headers=admin | {"If-Match": default.headers["etag"]})
    assert (
        chosen.status_code,
        *(chosen.json()[name] for name in ("required_roles", "version", "changed_by")),
    ) == (200, ["legal"], 1, "ops@example.com")
    assert chosen.json() == (await client.get("/v1/coverage-policy", headers=writer)).json()
    assert await fire_timers() == 2
    assert await fire_timers() == 0
    assert {(str(account_id), 100.0), (str(other_id), 0.0)} == {
        (event.data["account_id"], event.data["coverage"]) for event in outbox(COVERAGE)[-2:]
    }
    assert (await client.get(f"/v1/accounts/{account_id}/coverage", headers=writer)).json()["coverage"] == 100.0


async def test_the_power_grid_ranks_people_and_finds_a_veto_in_cold_hands(
    client: httpx.AsyncClient, writer: dict[str, str], put: Any, account_id: UUID
) -> None:
    friend, foe, unmarked, _ = await put(
        {"name": "Friend", "grid": marks(5, 5, weight=1)},
        {"name": "Foe", "veto": True, "grid": marks(4, 1, weight=4)},
        {"name": "Unmarked", "veto": True},
        {"name": "Gone", "grid": marks(5, 5), "status": "gone"},
    )
    grid = (await client.get(f"/v1/accounts/{account_id}/power-grid", headers=writer)).json()
    assert [(foe["id"], 8, 32), (friend["id"], 25, 25)] == [
        (person["id"], person["total"], person["weighted_total"]) for person in grid["people"]
    ]
    assert pytest.approx((1 * 20 + 4 * 3) / (20 * 5)) == grid["index"]
    assert [unmarked["id"]] == grid["unmarked"]
    assert [{"kind": "veto-holder-low", "stakeholder_id": foe["id"], "total": 8}] == grid["findings"]


async def test_an_account_without_marks_has_an_empty_grid_and_an_unknown_one_none(
    client: httpx.AsyncClient, writer: dict[str, str], account_id: UUID, auth: Any
) -> None:
    empty = (await client.get(f"/v1/accounts/{account_id}/power-grid", headers=writer)).json()
    assert (empty["index"], empty["people"], empty["unmarked"], empty["findings"]) == (None, [], [], [])
    for place in ("coverage", "power-grid"):
        unknown = await client.get(f"/v1/accounts/{uuid7()}/{place}", headers=writer)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-account")
