"""Groups of accounts: health from the parent down, whatever parents are told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import uuid7

DEFAULT = "worst-child"


@pytest.fixture
async def family(world: Any, saying: Any) -> list[UUID]:
    """A parent, two children, a grandchild that is at risk, and a stranger that is worse."""
    ids = [uuid7() for _ in range(5)]
    parents = [None, ids[0], ids[0], ids[2], None]
    for number, (account_id, parent_id) in enumerate(zip(ids, parents, strict=True)):
        value = {"amount": 1000.0 * (number + 1), "currency": "EUR"}
        await world.tell(
            saying.account(account_id=account_id, parent_id=parent_id, name=f"account {number}", value=value)
        )
        kind, times = ("complaint-escalated", number) if number > 2 else ("meeting-held", 3)
        await world.tell(*(world.evidence(kind, account_id=account_id) for _ in range(times)))
    return ids


async def roll_up(world: Any, account_id: UUID) -> dict[str, Any]:
    answer = await world.get(f"/accounts/{account_id}/health/roll-up")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def put(world: Any, body: Any, **headers: str) -> Any:
    return await world.client.put("/v1/roll-up-policy", json=body, headers=world.auth("health:admin") | headers)


async def test_the_worst_below_drives_a_group_and_is_named(world: Any, family: list[UUID]) -> None:
    found = await roll_up(world, family[0])
    grandchild = await world.health(family[3])
    assert (found["policy"], found["accounts"]) == (DEFAULT, 4)
    assert found["driver"] == {
        "account_id": str(family[3]),
        "account_name": "account 3",
        "score": grandchild["score"],
        "override": False,
    }
    assert (found["score"], found["band"]) == (grandchild["score"], grandchild["band"])
    assert sum(found["bands"].values()) == 4
    assert found["bands"]["at-risk"] == 1


async def test_another_policy_holds_from_the_moment_it_is_put_in_force(world: Any, family: list[UUID]) -> None:
    scores = [(await world.health(account_id))["score"] for account_id in family[:4]]
    assert (await world.get("/roll-up-policy")).json() == {"policy": DEFAULT, "version": 0, "history": []}
    mean = await put(world, {"policy": "mean", "reason": "all count alike"}, **{"If-Match": '"0"'})
    assert (mean.status_code, mean.json()["version"]) == (200, 1), mean.text
    assert (await roll_up(world, family[0]))["score"] == pytest.approx(sum(scores) / 4)
    stale = await put(world, {"policy": "own", "reason": "too late"}, **{"If-Match": '"0"'})
    assert stale.status_code == 412
    await put(world, {"policy": "value-weighted", "reason": "money"})
    weighted = sum(score * (n + 1) for n, score in enumerate(scores)) / 10
    assert (await roll_up(world, family[0]))["score"] == pytest.approx(weighted)
    await put(world, {"policy": "own", "reason": "simple"})
    assert (await roll_up(world, family[0]))["score"] == scores[0]
    history = (await world.get("/roll-up-policy")).json()["history"]
    assert [change["reason"] for change in history] == ["simple", "money", "all count alike"]
    assert (await world.get("/roll-up-policy", tenant="globex")).json()["version"] == 0


async def override(world: Any, account_id: UUID, days: float, **said: Any) -> None:
    body = {"reason": "met them", "expires_at": (world.clock.now() + timedelta(days)).isoformat(), **said}
    headers = world.auth("health:write")
    answer = await world.client.put(f"/v1/accounts/{account_id}/health/override", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_a_group_goes_by_what_is_shown_caps_and_what_people_set_included(
    world: Any, saying: Any, family: list[UUID]
) -> None:
    await world.tell(saying.person(account_id=family[1], sentiment="detractor", veto=True))
    before = await roll_up(world, family[0])
    await override(world, family[3], 2, score=90.0)
    await override(world, family[2], 3, band="watch")
    found = await roll_up(world, family[0])
    assert (before["overridden"], before["driver"]["account_id"]) == (0, str(family[3]))
    assert (found["overridden"], found["bands"]) == (2, before["bands"] | {"healthy": 2, "watch": 2, "at-risk": 0})
    # The one who was worst counts by what a person set; the next is capped at 60.
    assert (found["score"], found["driver"]["account_id"], found["driver"]["override"]) == (60.0, str(family[1]), False)
    whole = (await world.get(f"/accounts/{family[0]}/health/roll-up/accounts")).json()["items"]
    computed = [await world.health(account_id) for account_id in family[:4]]
    assert [(item["computed_score"], item["computed_band"]) for item in whole] == [
        (health["score"], health["band"]) for health in computed
    ]
    assert [(item["override"], item["band"]) for item in whole[2:]] == [(True, "watch"), (True, "healthy")]
    assert (whole[2]["score"], whole[3]["score"]) == (69.99, 90.0)

    await override(world, family[3], 2, score=1.0)
    driven = await roll_up(world, family[0])
    assert (driven["score"], driven["band"], driven["driver"]["override"]) == (1.0, "at-risk", True)


async def test_an_override_whose_time_is_over_counts_no_more_though_nobody_has_ended_it(
    world: Any, family: list[UUID]
) -> None:
    before = await roll_up(world, family[0])
    await override(world, family[3], 2, score=90.0)
    assert (await roll_up(world, family[0]))["overridden"] == 1
    world.clock.advance(timedelta(days=2))  # the worker is away
    found = await roll_up(world, family[0])
    assert (found["overridden"], found["driver"]["account_id"]) == (0, before["driver"]["account_id"])
    members = (await world.get(f"/accounts/{family[0]}/health/roll-up/accounts")).json()["items"]
    assert [item["override"] for item in members] == [False] * 4


async def test_a_policy_that_makes_no_sense_changes_nothing(world: Any) -> None:
    for body in ({"policy": "best", "reason": "x"}, {"policy": "own"}, {"policy": "own", "reason": " "}):
        answer = await put(world, body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
    assert (await world.get("/roll-up-policy")).json()["version"] == 0


async def test_the_whole_group_is_paged_nearest_first(world: Any, family: list[UUID]) -> None:
    path = f"/accounts/{family[0]}/health/roll-up/accounts"
    whole = (await world.get(path)).json()["items"]
    first = (await world.get(path, limit=3)).json()
    second = (await world.get(path, limit=3, cursor=first["next_cursor"])).json()
    assert first["items"] + second["items"] == whole
    assert [(item["account_name"], item["depth"]) for item in whole] == [
        ("account 0", 0),
        ("account 1", 1),
        ("account 2", 1),
        ("account 3", 2),
    ]


async def test_parents_in_a_circle_and_removed_ones_do_no_harm(world: Any, saying: Any, family: list[UUID]) -> None:
    await world.tell(saying.account(account_id=family[0], parent_id=family[3], version=2))
    assert (await roll_up(world, family[0]))["accounts"] == 4
    assert (await roll_up(world, family[3]))["accounts"] == 4
    await world.tell(saying.account(account_id=family[2], parent_id=family[2], version=2))
    assert (await roll_up(world, family[2]))["accounts"] == 4
    assert (await roll_up(world, family[1]))["accounts"] == 1


async def test_depth_ends_and_unknown_accounts_have_no_group(world: Any, saying: Any) -> None:
    ids = [uuid7() for _ in range(25)]
    for parent_id, account_id in zip([None, *ids], ids, strict=False):
        await world.tell(saying.account(account_id=account_id, parent_id=parent_id))
    assert (await roll_up(world, ids[0]))["accounts"] == 21
    for end in ("", "/accounts"):
        answers = [
            await world.get(f"/accounts/{uuid7()}/health/roll-up{end}"),
            await world.get(f"/accounts/{ids[0]}/health/roll-up{end}", tenant="globex"),
        ]
        assert [(a.status_code, a.json()["code"]) for a in answers] == [(404, "unknown-account")] * 2
