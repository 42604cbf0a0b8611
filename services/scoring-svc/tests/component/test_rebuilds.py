"""Health derived anew from the ledger: the same, whatever became of the balances, and while evidence goes on coming."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import uuid7

SPOILED = "UPDATE account_health SET state = NULL"


@pytest.fixture
def rebuild(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    async def _rebuild(method: str = "POST", tenant: str = "acme") -> tuple[int, int]:
        answer = await client.request(method, "/v1/health/rebuild", headers=auth("health:admin", tenant=tenant))
        assert answer.status_code == (202 if method == "POST" else 200), answer.text
        return answer.json()["accounts"], answer.json()["waiting"]

    return _rebuild


async def lived(world: Any, account: UUID) -> None:
    """A few years of an account, and what is to come."""
    for years in range(4):
        kinds = ("meeting-held", "call-unreturned", "call-returned", "order-placed", "smoke-signal", "advice-sought")
        await world.tell(
            *(world.evidence(kind, ago=timedelta(days=365 * years), account_id=account) for kind in kinds),
            world.evidence("renewal-signed", ago=timedelta(days=-2), account_id=account),
        )


@pytest.mark.parametrize("spoiled", [False, True])
async def test_what_is_derived_anew_is_the_same(world: Any, rebuild: Any, spoiled: bool) -> None:
    accounts = [uuid7() for _ in range(5)]
    for account in accounts:
        await lived(world, account)
    before = [await world.health(account) for account in accounts]
    if spoiled:
        world.mailbox.admin(SPOILED)
    assert await rebuild() == (5, 5)
    await world.mailbox.fire_timers()
    assert await rebuild("GET") == (5, 0)
    for account, old in zip(accounts, before, strict=True):
        new = await world.health(account)
        for name in ("score", "confidence", "measures", "band"):
            assert new[name] == pytest.approx(old[name], abs=1e-9), name
        assert new["freshness"] == old["freshness"]
    await world.days_pass(2.1)
    assert (await world.health(accounts[0]))["measures"]["wallet"] > 70  # what was to come has come


async def test_evidence_that_comes_before_its_turn_is_counted_once(world: Any, rebuild: Any) -> None:
    said = [world.evidence("order-placed") for _ in range(2)]
    await world.tell(said[0])
    await rebuild()
    await world.tell(said[1], times=2)
    found = (await world.health())["measures"]["wallet"]
    assert found == pytest.approx(100 / (1 + 2.718281828459045 ** (-3.0 / 6)), abs=1e-9)
    assert await rebuild("GET") == (1, 0)


async def test_a_rebuild_is_its_tenants_own(world: Any, rebuild: Any) -> None:
    await world.tell(world.evidence("order-placed"))
    assert await rebuild(tenant="globex") == (0, 0)
    assert await rebuild("GET") == (1, 0)
