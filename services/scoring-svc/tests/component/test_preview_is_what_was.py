"""A preview of the rules in force says what they did raise: a story is lived through, and then looked back on."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from scoring_svc.alert_rules.rules import DEFAULT_RULES

DAYS = 60
KINDS = (
    *("call-unreturned", "meeting-held", "meeting-declined", "order-placed", "scope-reduced", "complaint-escalated"),
    *("client-contacted", "complaint-resolved", "renewal-signed", "email-unreturned"),
)


async def lived(world: Any, saying: Any, seed: int) -> None:
    """Sixty days of one account, in which anything happens each day in the afternoon, or not."""
    dice = random.Random(seed)
    version = 1
    began = world.clock.now()
    about = {"tier": "B", "known_since": began, "renewal_at": began + timedelta(days=dice.choice([70, 110, 130]))}
    await world.tell(saying.account(**about), saying.touch(began))
    for _ in range(DAYS):
        world.clock.advance(timedelta(hours=6))  # one look an instant: history keeps the last of each
        now = world.clock.now()
        version += 1
        late = [(now - timedelta(days=dice.choice([1, 9]))).date() for _ in range(dice.choice([0, 2]))]
        happened = {
            "nothing": [],
            "evidence": [world.evidence(dice.choice(KINDS)) for _ in range(dice.randint(1, 3))],
            "person": [saying.person(status=dice.choice(["active", "gone"]), version=version)],
            "detractor": [
                saying.person(2, sentiment=dice.choice(["detractor", "neutral"]), veto=True, version=version)
            ],
            "coverage": [saying.coverage(dice.choice([20.0, 90.0]), now, people=dice.choice([1, 1, 1, 3]))],
            "plan": [saying.plan(late, now)],
            "touch": [saying.touch(now)],
        }[
            dice.choice(
                ["nothing", "nothing", "evidence", "evidence", "person", "detractor", "coverage", "plan", "touch"]
            )
        ]
        if happened:
            await world.tell(*happened)
        await world.days_pass(0.75)


def raised(world: Any, rule: str) -> list[tuple[datetime, datetime | None]]:
    """When the rule became a reason and ceased to be one, by the timelines; within its cool-down it is one."""
    told = world.mailbox.admin(
        "SELECT at, detail FROM alert_change JOIN alert ON id = alert_id WHERE kind = %s ORDER BY at",
        DEFAULT_RULES[rule].alert_kind,
    )
    found: list[tuple[datetime, datetime | None]] = []
    for at, detail in told:
        if rule in detail["joined"]:
            comes_again = found and found[-1][1] is not None and at - found[-1][1] <= timedelta(days=1)
            found.append((found.pop()[0] if comes_again else at, None))
        if rule in detail["left"]:
            found[-1] = found[-1][0], at
    return found


def agree(ours: datetime | None, theirs: str | None) -> bool:
    """Whether it is the same instant, but for what time alone does: that is looked for once a day, and history knows no
    change below 0.005 points.
    """
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return abs(ours - datetime.fromisoformat(theirs)) <= timedelta(days=1)


@pytest.mark.parametrize("seed", [5, 8, 11, 18])
async def test_a_preview_of_what_is_in_force_is_what_was(world: Any, saying: Any, seed: int) -> None:
    await lived(world, saying, seed)
    headers, seen = world.auth("alerts:admin"), set()
    for rule in DEFAULT_RULES:
        answer = await world.client.post(f"/v1/alert-rules/{rule}/preview", json={}, headers=headers)
        said = [one for item in answer.json()["items"] for one in item["now"]]
        was = raised(world, rule)
        assert len(said) == len(was), (rule, was, said)
        for one, (opened_at, resolved_at) in zip(said, was, strict=True):
            assert agree(opened_at, one["opened_at"]), (rule, was, said)
            assert agree(resolved_at, one["resolved_at"]), (rule, was, said)
        seen |= {rule} if was else set()
    assert len(seen) >= 5, seen
