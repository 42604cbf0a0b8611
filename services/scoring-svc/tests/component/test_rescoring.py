"""Runs through all accounts: the same health, whatever became of the balances, and while evidence goes on coming."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.db import Database
from bellwether_kit.ids import uuid7
from bellwether_kit.timers import fire
from scoring_svc.rescoring import store
from scoring_svc.subscriptions import TIMERS

SPOILED = "UPDATE account_health SET state = NULL"


class Runs:
    """An administrator who begins runs, looks at them, and stops them."""

    def __init__(self, client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> None:
        self.client, self.auth = client, auth

    async def rebuild(self, tenant: str = "acme") -> dict[str, Any]:
        answer = await self.client.post("/v1/health/rebuild", headers=self.auth("health:admin", tenant=tenant))
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def get(self, run: dict[str, Any] | str, tenant: str = "acme") -> httpx.Response:
        id_ = run if isinstance(run, str) else run["id"]
        return await self.client.get(f"/v1/rescoring-runs/{id_}", headers=self.auth("health:read", tenant=tenant))

    async def stop(self, run: dict[str, Any] | str) -> httpx.Response:
        id_ = run if isinstance(run, str) else run["id"]
        return await self.client.post(f"/v1/rescoring-runs/{id_}/stop", headers=self.auth("health:admin"))

    async def listed(self, tenant: str = "acme", **query: Any) -> dict[str, Any]:
        headers = self.auth("health:read", tenant=tenant)
        return dict((await self.client.get("/v1/rescoring-runs", headers=headers, params=query)).json())


@pytest.fixture
def runs(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Runs:
    return Runs(client, auth)


async def lived(world: Any, account: UUID) -> None:
    """A few years of an account, and what is to come."""
    for years in range(4):
        kinds = ("meeting-held", "call-unreturned", "call-returned", "order-placed", "smoke-signal", "advice-sought")
        await world.tell(
            *(world.evidence(kind, ago=timedelta(days=365 * years), account_id=account) for kind in kinds),
            world.evidence("renewal-signed", ago=timedelta(days=-2), account_id=account),
        )


@pytest.mark.parametrize("spoiled", [False, True])
async def test_what_is_derived_anew_is_the_same(
    world: Any, runs: Runs, spoiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAGE", 2)
    accounts = [uuid7() for _ in range(5)]
    for account in accounts:
        await lived(world, account)
    before = [await world.health(account) for account in accounts]
    if spoiled:
        world.mailbox.admin(SPOILED)
    run = await runs.rebuild()
    assert (run["state"], run["accounts"], run["looked_at"]) == ("running", 5, 0)
    await world.mailbox.fire_timers()
    done = (await runs.get(run)).json()
    assert (done["state"], done["accounts"], done["looked_at"], done["rescored"]) == ("done", 5, 5, 5)
    for account, old in zip(accounts, before, strict=True):
        new = await world.health(account)
        for name in ("score", "confidence", "measures", "band"):
            assert new[name] == pytest.approx(old[name], abs=1e-9), name
        assert new["freshness"] == old["freshness"]
    await world.days_pass(2.1)
    assert (await world.health(accounts[0]))["measures"]["wallet"] > 70  # what was to come has come


async def test_evidence_that_comes_before_its_turn_is_counted_once(world: Any, runs: Runs) -> None:
    said = [world.evidence("order-placed") for _ in range(2)]
    await world.tell(said[0])
    run = await runs.rebuild()
    await world.tell(said[1], times=2)
    await world.mailbox.fire_timers()
    assert (await runs.get(run)).json()["state"] == "done"
    found = (await world.health())["measures"]["wallet"]
    assert found == pytest.approx(100 / (1 + 2.718281828459045 ** (-3.0 / 6)), abs=1e-9)


async def test_a_rebuild_is_its_tenants_own(world: Any, runs: Runs) -> None:
    await world.tell(world.evidence("order-placed"))
    theirs, ours = await runs.rebuild("globex"), await runs.rebuild()
    assert (theirs["accounts"], ours["accounts"]) == (0, 1)
    unknown = await runs.get(theirs)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-run")
    await world.mailbox.fire_timers()
    assert (await runs.get(theirs, "globex")).json()["state"] == "done"


async def test_a_run_is_stopped_where_it_is_and_another_supersedes_it(
    world: Any, runs: Runs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PAGE", 1)
    await world.tell(*(world.evidence("order-placed", account_id=uuid7()) for _ in range(3)))
    run = await runs.rebuild()
    [timer] = [timer for timer in TIMERS if timer.name == "rescoring"]
    assert await fire(database, timer) == 1
    stopped = await runs.stop(run)
    assert stopped.status_code == 200, stopped.text
    told = stopped.json()
    assert (told["state"], told["looked_at"], told["ended_by"] is not None) == ("stopped", 1, True)
    await world.mailbox.fire_timers()
    assert (await runs.get(run)).json() == told
    again = await runs.stop(run)
    assert (again.status_code, again.json()["code"]) == (409, "run-ended")
    second, third = await runs.rebuild(), await runs.rebuild()
    await world.mailbox.fire_timers()
    assert (await runs.get(second)).json()["state"] == "superseded"
    assert (await runs.get(third)).json()["state"] == "done"
    nothing = await runs.stop(str(uuid7()))
    assert (nothing.status_code, nothing.json()["code"]) == (404, "unknown-run")


async def test_once_a_day_balances_are_summed_anew_and_agree(world: Any, runs: Runs) -> None:
    await lived(world, uuid7())
    [audit] = (await runs.listed())["items"]
    assert (audit["cause"], audit["state"], audit["looked_at"]) == ("audit", "running", 0)
    refused = await runs.stop(audit)
    assert (refused.status_code, refused.json()["code"]) == (409, "run-ended")
    await world.days_pass(1.01)
    to_come, done = (await runs.listed())["items"]
    assert (done["id"], done["state"], done["looked_at"], done["drifted"]) == (audit["id"], "done", 1, 0)
    assert 0 <= done["drift"] < 1e-9
    assert (to_come["cause"], to_come["state"]) == ("audit", "running")
    [first] = (await runs.listed(limit=1))["items"]
    assert first["id"] == to_come["id"]


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE evidence SET weight = weight + 0.001, magnitude = magnitude + 0.0005 WHERE kind = 'meeting-held'",
        "DELETE FROM evidence WHERE kind = 'meeting-held'",
    ],
)
async def test_an_audit_mends_balances_that_are_off_and_says_so(world: Any, runs: Runs, harm: str) -> None:
    await world.tell(world.evidence("meeting-held"), world.evidence("advice-sought"))
    before = await world.health()
    world.mailbox.admin(harm)  # stands for balances that lost count: the ledger is what counts
    await world.days_pass(1.01)
    done = (await runs.listed())["items"][1]
    assert (done["state"], done["drifted"], done["rescored"]) == ("done", 1, 1)
    assert done["drift"] > 1e-9
    assert (await world.health())["measures"]["heart"] != before["measures"]["heart"]
