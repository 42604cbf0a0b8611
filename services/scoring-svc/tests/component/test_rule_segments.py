"""Rules for some accounts only: by tier, industry and territory, as the accounts are now."""

from typing import Any

import pytest

SEGMENT = {"tiers": ["A"], "industries": ["Steel"], "territories": ["North", "West"]}
OF_IT = {"tier": "A", "industry": "Steel", "territory": "West"}


async def put(world: Any, rule: str, **settings: Any) -> dict[str, Any]:
    answer = await world.put(f"/alert-rules/{rule}", {"reason": "only where it matters", **settings})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_rule_is_for_its_segment_and_follows_accounts_into_and_out_of_it(world: Any, saying: Any) -> None:
    shown = await put(world, "detractor-with-veto", **SEGMENT)
    assert {name: shown[name] for name in SEGMENT} == SEGMENT
    against = saying.person(sentiment="detractor", veto=True)
    await world.tell(saying.account(**OF_IT | {"territory": "South"}), against)
    assert await world.alerts() == []
    await world.tell(saying.account(version=2, **OF_IT))
    assert [alert["status"] for alert in await world.alerts()] == ["open"]
    await world.tell(saying.account(version=3, **OF_IT | {"industry": None}))
    assert [alert["status"] for alert in await world.alerts()] == ["resolved"]


async def test_a_preview_goes_by_the_segment(world: Any, saying: Any) -> None:
    await world.tell(saying.account(**OF_IT), saying.person(sentiment="detractor", veto=True))
    headers = world.auth("alerts:admin")
    for industries, expected in ((["Steel"], 1), (["Glass"], 0)):
        path = "/v1/alert-rules/detractor-with-veto/preview"
        answer = await world.client.post(path, json={"industries": industries}, headers=headers)
        [item] = answer.json()["items"]
        assert (len(item["now"]), len(item["then"])) == (1, expected)


@pytest.mark.parametrize("segment", [{"tiers": ["D"]}, {"industries": [""]}, {"territories": "North"}])
async def test_what_is_no_segment_is_refused_and_changes_nothing(world: Any, segment: dict[str, Any]) -> None:
    answer = await world.put("/alert-rules/health-below", {"reason": "x", **segment})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")
    assert (await world.get("/alert-rules/health-below")).json()["version"] == 0


async def test_settings_that_are_put_are_shown_whole_with_the_defaults_of_the_rest(world: Any) -> None:
    before = (await world.get("/alert-rules/evidence-burst")).json()
    after = await put(world, "evidence-burst", fire=4.0, kinds=["scope-reduced"], enabled=False)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"fire", "kinds", "enabled", "version", "history"}
    assert after["history"][0]["configuration"] == {"fire": 4.0, "kinds": ["scope-reduced"], "enabled": False}
    assert before.keys() == after.keys()
