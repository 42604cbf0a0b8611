"""What events of people, plans and coverage come to for an account, in any order and however often."""

from datetime import date, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")
OTHER = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d02")


def situation(world: Any, account_id: UUID = ACCOUNT) -> Any:
    """The row that evaluation reads."""
    rows = world.mailbox.admin("SELECT * FROM situation WHERE tenant = 'acme' AND account_id = %s", account_id)
    assert len(rows) == 1
    return rows[0]


def counts(world: Any, account_id: UUID = ACCOUNT) -> tuple[int, int, int]:
    """Champions, champions lost, detractors with a veto."""
    row = situation(world, account_id)
    return row.champions, row.champions_lost, row.opposing_vetoes


async def test_people_in_any_order_come_to_the_same(world: Any, saying: Any) -> None:
    said = [
        saying.person(),
        saying.person(status="gone", version=2),
        saying.person(2, sentiment="detractor", veto=True),
        saying.person(3, sentiment="supporter"),
    ]
    for number, order in enumerate(permutations(said)):
        await world.tell(*(event for event in order for _ in range(1 + number % 2)))
        assert counts(world) == (0, 1, 1)
        await world.tell(*(saying.person_gone(9, number) for number in (1, 2, 3)))
        assert counts(world) == (0, 0, 0)
        world.mailbox.admin("DELETE FROM stakeholder")


async def test_one_by_one_backwards_is_the_same_as_at_once(world: Any, saying: Any) -> None:
    await world.tell(saying.person(status="gone", version=2))
    await world.tell(saying.person(version=1))
    assert counts(world) == (0, 1, 0)
    await world.tell(saying.person(2))
    assert counts(world) == (1, 1, 0)


async def test_somebody_who_moves_leaves_one_account_and_joins_the_other(world: Any, saying: Any) -> None:
    await world.tell(saying.person())
    await world.tell(saying.person(account_id=OTHER, version=2))
    assert counts(world) == (0, 0, 0)
    assert counts(world, OTHER) == (1, 0, 0)


async def test_who_is_erased_counts_no_more_also_when_described_late(world: Any, saying: Any) -> None:
    await world.tell(saying.person(sentiment="detractor", veto=True))
    await world.tell(saying.person_gone(version=3))
    await world.tell(saying.person(sentiment="detractor", veto=True, version=2))
    assert counts(world) == (0, 0, 0)


async def test_late_actions_are_those_of_all_plans_in_force(world: Any, saying: Any) -> None:
    now = world.clock.now()
    days = [date(2026, 1, 3), date(2026, 1, 1)]
    await world.tell(saying.plan(days, now), saying.plan([date(2026, 1, 2)], now, 2))
    expected = [date(2026, 1, day) for day in (1, 2, 3)]
    assert situation(world).overdue == expected
    await world.tell(saying.plan([], now - timedelta(hours=1), 2))
    assert situation(world).overdue == expected
    await world.tell(saying.plan(days, now + timedelta(hours=1), status="closed"))
    assert situation(world).overdue == expected[1:2]


async def test_a_plan_that_does_not_say_since_when_is_late_since_it_was_measured(world: Any, saying: Any) -> None:
    now = world.clock.now()
    await world.tell(saying.plan(2, now))
    assert situation(world).overdue == [now.date() - timedelta(days=1)] * 2
    await world.tell(saying.plan(0, now + timedelta(hours=1), actions_total=0))
    assert situation(world).overdue == []


@pytest.mark.parametrize(
    ("more", "expected"), [({"people": 4}, 25.0), ({"people": 2, "thread_share": 90.0}, 90.0), ({"people": 0}, None)]
)
async def test_a_thread_is_as_said_or_an_even_share(world: Any, saying: Any, more: Any, expected: float | None) -> None:
    now = world.clock.now()
    await world.tell(saying.coverage(50.0, now, **more))
    assert situation(world).thread_share == expected
    await world.tell(saying.coverage(50.0, now - timedelta(days=1), people=1))
    assert situation(world).thread_share == expected


async def test_whitespace_is_what_the_account_last_said(world: Any, saying: Any) -> None:
    await world.tell(saying.account(whitespace={"amount": 250_000.0, "currency": "EUR"}))
    assert [row.whitespace for row in world.mailbox.admin("SELECT whitespace FROM account")] == [250_000.0]


def history(world: Any, account_id: UUID = ACCOUNT) -> list[Any]:
    """Since when what was known, and whether it still stands, oldest first."""
    query = """
        SELECT at, champions, champions_lost, thread_share, cardinality(overdue) AS late, forget_at, copied
        FROM situation_history WHERE tenant = 'acme' AND account_id = %s ORDER BY at
    """
    return world.mailbox.admin(query, account_id)


async def test_what_was_known_is_kept_with_the_time_at_which_it_changed(world: Any, saying: Any) -> None:
    began = world.clock.now()
    await world.tell(saying.person(), times=2)
    world.clock.advance(timedelta(days=1))
    gone = saying.person(status="gone", version=2)
    await world.tell(gone, saying.plan([began.date()], began), times=2)
    await world.tell(gone, saying.coverage(50.0, began, people=4))
    world.clock.advance(timedelta(days=1))
    await world.tell(saying.person(version=1), saying.coverage(60.0, began + timedelta(days=1), people=4))
    day = timedelta(days=1)
    told = [(row.at, row.champions, row.champions_lost, row.thread_share, row.late) for row in history(world)]
    assert told == [(began, 1, 0, None, 0), (began + day, 0, 1, 25.0, 1)]
    assert [(row.forget_at, row.copied) for row in history(world)] == [(began + 181 * day, False), (None, False)]


async def test_what_was_known_is_forgotten_half_a_year_after_it_ended_and_what_stands_is_not(
    world: Any, saying: Any
) -> None:
    began = world.clock.now()
    await world.tell(saying.person())
    await world.days_pass(10)
    await world.tell(saying.person(status="gone", version=2))
    await world.days_pass(179)
    assert [row.at for row in history(world)] == [began, began + timedelta(days=10)]
    await world.days_pass(2)
    assert [row.at for row in history(world)] == [began + timedelta(days=10)]
    await world.days_pass(400)
    assert [row.at for row in history(world)] == [began + timedelta(days=10)]
