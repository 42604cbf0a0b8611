"""What only the database can promise: one unresolved alert, one row per revision, no lost update between workers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from psycopg.errors import UniqueViolation

from bellwether_kit.events import Event
from bellwether_kit.ids import uuid7

ALERT = """
    INSERT INTO alert (tenant, id, account_id, version, kind, status, severity, current, episode, firings, priority,
                       opened_at, last_fired_at, reasons, said)
    VALUES ('acme', %s, '0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01', 1, 'at-risk', 'open', 'high', true, 1, 1, 0,
            now(), now(), '[]', '{}')
"""


async def test_two_unresolved_alerts_of_one_account_and_kind_cannot_be(world: Any) -> None:
    world.mailbox.admin(ALERT, uuid7())
    with pytest.raises(UniqueViolation, match="alert_one_unresolved"):
        world.mailbox.admin(ALERT, uuid7())


async def test_two_workers_with_batches_of_the_same_accounts_lose_nothing(world: Any) -> None:
    accounts = [uuid7() for _ in range(20)]
    batches = [
        [world.evidence("order-placed", account_id=account) for account in (accounts if odd else accounts[::-1])]
        for odd in (True, False) * 4
    ]
    await asyncio.gather(*(world.tell(*batch) for batch in batches))
    [total] = world.mailbox.admin("SELECT count(*) AS pieces FROM evidence")
    assert total.pieces == 160
    for account in accounts:
        assert (await world.health(account))["measures"]["wallet"] == pytest.approx(88.08, abs=0.01)
    for account in accounts:
        key = f"acme/{account}"
        sequences = [row.sequence for row in world.said("account.health.changed.v1") if row.key == key]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_one_id_may_be_used_by_two_tenants(world: Any) -> None:
    said = world.evidence("order-placed")
    await world.tell(said)
    await world.tell(said, tenant="globex")
    rows = world.mailbox.admin("SELECT tenant FROM evidence ORDER BY tenant")
    assert [row.tenant for row in rows] == ["acme", "globex"]


@pytest.mark.parametrize(("together", "in_order"), [(True, True), (True, False), (False, True)])
async def test_of_two_touches_the_one_counted_later_stands_also_where_the_clock_went_back(
    world: Any, saying: Any, together: bool, in_order: bool
) -> None:
    now = world.clock.now()
    first, second = (
        Event.of(saying.touch(at), tenant="acme", subject=str(saying.touch(at).account_id), time=at, sequence=number)
        for number, at in ((1, now), (2, now - timedelta(minutes=5)))
    )
    said = [first, second] if in_order else [second, first]
    for batch in [said] if together else [[event] for event in said]:
        await world.tell(*batch)

    [kept] = world.mailbox.admin("SELECT last_two_way_at, touch_sequence FROM measure")
    assert (kept.last_two_way_at, kept.touch_sequence) == (now - timedelta(minutes=5), 2)
