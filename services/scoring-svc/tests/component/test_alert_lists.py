"""Lists of alerts in the order of priority: whole, filtered, page by page, and by an index."""

from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import uuid7

MANY = """
    INSERT INTO alert (tenant, id, account_id, version, kind, status, severity, current, episode, firings, priority,
                       opened_at, last_fired_at, resolved_at, reasons, said)
    SELECT 'acme', gen_random_uuid(), gen_random_uuid(), 1, 'at-risk', CASE WHEN n % 4 = 0 THEN 'resolved' ELSE 'open' END,
           'high', true, 1, 1, n % 997, now(), now(), CASE WHEN n % 4 = 0 THEN now() END, '[]', '{}'
    FROM generate_series(1, 20000) AS n
"""  # noqa: E501

HELD = """
    WITH s AS (
        INSERT INTO storm (tenant, storm_id, cause, status, began_at)
        VALUES ('acme', gen_random_uuid(), 'burst', 'open', now()) RETURNING storm_id
    )
    INSERT INTO held_alert (tenant, alert_id, account_id, storm_id, held_at)
    SELECT 'acme', id, account_id, storm_id, now() FROM s, (SELECT * FROM alert ORDER BY id LIMIT 40) AS a
"""

HALF = UUID(int=1 << 127)


@pytest.fixture
async def accounts(world: Any, saying: Any) -> list[UUID]:
    """Seven accounts at risk, two of them worth the same."""
    ids = [uuid7() for _ in range(7)]
    for number, account_id in enumerate(ids):
        value = {"amount": 1_000.0 * max(1, number), "currency": "EUR"}
        await world.tell(saying.account(account_id=account_id, tier="C", value=value))
        await world.tell(*(world.evidence("call-unreturned", account_id=account_id) for _ in range(3)))
    return ids


async def test_pages_by_priority_are_the_list_whole_and_in_order(world: Any, accounts: list[UUID]) -> None:
    whole = await world.alerts(sort="-priority")
    assert [alert["priority"] for alert in whole] == sorted((alert["priority"] for alert in whole), reverse=True)
    found, cursor = [], {}
    while True:
        answer = (await world.get("/alerts", sort="-priority", status="unresolved", limit=2, **cursor)).json()
        found += answer["items"]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}
    assert [alert["alert_id"] for alert in found] == [alert["alert_id"] for alert in whole]
    assert {UUID(alert["account_id"]) for alert in found} == set(accounts)


async def test_priority_is_severity_times_value_times_the_points_missing(world: Any, accounts: list[UUID]) -> None:
    for alert in await world.alerts(sort="-priority"):
        value, rank = float(alert["value_at_stake"]["amount"]), ["low", "medium", "high", "critical"]
        expected = (rank.index(alert["severity"]) + 1) * value * (100.0 - alert["score"])
        assert alert["priority"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("tests", "order", "index"),
    [
        ("status <> 'resolved'", "priority DESC, id DESC", "alert_pressing"),
        (f"status = 'open' AND (priority, id) < (500, '{HALF}')", "priority DESC, id DESC", "alert_pressing"),
        (f"account_id = '{HALF}'", "opened_at DESC, id DESC", "alert_by_account"),
    ],
)  # fmt: skip
async def test_a_page_of_many_is_read_by_an_index(world: Any, tests: str, order: str, index: str) -> None:
    world.mailbox.admin(MANY)
    world.mailbox.admin("ANALYZE alert")
    query = f"EXPLAIN SELECT * FROM alert WHERE tenant = 'acme' AND {tests} ORDER BY {order} LIMIT 50"
    plan = "\n".join(row[0] for row in world.mailbox.admin(query))
    assert index in plan, plan
    assert "Sort" not in plan, plan


async def test_few_held_alerts_among_many_are_found_from_their_own_table(world: Any) -> None:
    world.mailbox.admin(MANY)
    world.mailbox.admin(HELD)
    world.mailbox.admin("ANALYZE alert, held_alert")
    query = """
        EXPLAIN SELECT * FROM alert WHERE tenant = 'acme' AND EXISTS (
            SELECT FROM held_alert AS h WHERE h.tenant = alert.tenant AND h.alert_id = alert.id
        ) ORDER BY priority DESC, id DESC LIMIT 50
    """
    plan = "\n".join(row[0] for row in world.mailbox.admin(query))
    assert "alert_pkey" in plan, plan
    assert "Seq Scan on alert" not in plan, plan
