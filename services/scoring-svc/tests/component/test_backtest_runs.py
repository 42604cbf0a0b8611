"""What becomes of running backtests: stopped, failed, sampled, several at once; what a fit proposes, and for whom."""

import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from bellwether_kit.db import Database
from bellwether_kit.ids import uuid7
from bellwether_kit.timers import fire
from scoring_svc.scorecards.rules import KIND_WEIGHTS
from scoring_svc.subscriptions import TIMERS

MUCH = """
    INSERT INTO evidence (tenant, evidence_id, account_id, observed_at, weight, magnitude, revision, dimension,
                          retracted, counted, kind)
    SELECT 'acme', gen_random_uuid(), %s, '2025-01-01', 1.5, 1, 1, 2, false, true, 'order-placed'
    FROM generate_series(1, 20000)
"""
FIT = {"fit": True, "min_acts": 2, "dates": [f"2025-{month:02}-01" for month in (2, 3, 4, 5, 8, 9, 10, 11)]}


@pytest.fixture
def stop(client: httpx.AsyncClient, auth: Callable[..., dict[str, str]]) -> Callable[..., Any]:
    async def stopped(id_: str, tenant: str = "acme") -> httpx.Response:
        return await client.post(f"/v1/backtests/{id_}/stop", headers=auth("health:admin", tenant=tenant))

    return stopped


async def test_a_backtest_is_stopped_once_and_never_goes_on(world: Any, ask: Any, stop: Any) -> None:
    id_ = (await ask()).json()["id"]
    answer = await stop(id_)
    assert (answer.status_code, answer.json()["status"]) == (200, "stopped")
    assert answer.json()["finished_at"] is not None
    await world.mailbox.fire_timers()
    again = await stop(id_)
    assert (again.status_code, again.json()["code"]) == (409, "run-ended")
    assert (await world.get(f"/backtests/{id_}")).json() == {**answer.json(), "report": None}
    assert (await world.get(f"/backtests/{id_}/report.html")).json()["code"] == "unknown-backtest"


async def test_while_a_step_is_done_a_stop_is_refused(
    world: Any, ask: Any, stop: Any, postgres: str, database_name: str
) -> None:
    id_ = (await ask()).json()["id"]
    with psycopg.connect(postgres.rpartition("/")[0] + f"/{database_name}") as worker:
        worker.execute("SELECT 1 FROM backtest FOR UPDATE")
        answer = await stop(id_)
    assert (answer.status_code, answer.json()["code"]) == (409, "backtests-busy")
    assert (await world.get(f"/backtests/{id_}")).json()["status"] == "queued"


async def test_a_tenant_has_three_at_work_and_no_more(world: Any, ask: Any, stop: Any) -> None:
    ids = [(await ask()).json()["id"] for _ in range(3)]
    refused = await ask()
    assert (refused.status_code, refused.json()["code"]) == (409, "backtests-busy")
    assert (await ask(tenant="globex")).status_code == 202
    await stop(ids[0])
    assert (await ask()).status_code == 202


async def test_one_that_fails_says_so_and_holds_up_no_other(world: Any, ask: Any) -> None:
    failing, fine = [(await ask()).json()["id"] for _ in range(2)]
    world.mailbox.admin("UPDATE backtest SET cards = '[{}]' WHERE backtest_id = %s", failing)
    await world.tell(world.evidence("order-placed"))
    await world.mailbox.fire_timers()
    found = (await world.get(f"/backtests/{failing}")).json()
    assert (found["status"], found["problem"], found["report"]) == ("failed", "unexpected", None)
    assert (await world.get(f"/backtests/{fine}")).json()["status"] == "done"


async def test_without_any_account_there_is_a_report_that_concludes_nothing(done: Any) -> None:
    found = await done(fit=True)
    assert (found["status"], found["accounts"]) == ("done", 0)
    assert {part["inconclusive"] for part in found["report"]["dates"]} == {"too-few-lost"}
    assert found["report"]["fit"]["refused"] == "too-few-lost"


async def test_of_many_accounts_a_part_is_looked_at(world: Any, clients: Any, ask: Any) -> None:
    id_ = (await ask()).json()["id"]
    world.mailbox.admin("UPDATE backtest SET one_in = 2")
    await world.mailbox.fire_timers()
    found = (await world.get(f"/backtests/{id_}")).json()
    assert 20 <= found["accounts"] <= 50
    assert found["report"]["one_in"] == 2
    assert "Of 2 accounts one was looked at" in (await world.get(f"/backtests/{id_}/report.html")).text


async def test_a_page_ends_where_much_was_read_and_the_next_goes_on_from_there(
    world: Any, ask: Any, database: Database
) -> None:
    accounts = sorted(uuid7() for _ in range(3))
    await world.tell(
        *(world.evidence("order-placed", account_id=account, ago=timedelta(days=400)) for account in accounts)
    )
    world.mailbox.admin(MUCH, accounts[0])
    id_ = (await ask(min_acts=1)).json()["id"]
    [timer] = [timer for timer in TIMERS if timer.name == "backtests"]
    seen = []
    for _ in range(3):
        await fire(database, timer)
        seen.append((await world.get(f"/backtests/{id_}")).json()["accounts"])
    assert seen == [1, 3, 3]
    await world.mailbox.fire_timers()
    found = (await world.get(f"/backtests/{id_}")).json()
    assert (found["status"], found["report"]["pooled"]["accounts"]) == ("done", 3)


async def test_scores_that_a_declined_renewal_caps_are_fitted_as_others(world: Any, clients: Any, done: Any) -> None:
    account = next(iter(clients))
    await world.tell(world.evidence("renewal-declined", account_id=account, observed_at=clients[account][2]))
    found = await done(**FIT)
    assert (found["status"], found["report"]["fit"]["refused"]) == ("done", None)


async def test_what_is_removed_or_retracted_is_not_looked_at(world: Any, saying: Any, done: Any) -> None:
    kept, gone, doubtful = uuid7(), uuid7(), uuid7()
    said = [
        world.evidence("order-placed", account_id=account, ago=timedelta(days=days))
        for account in (kept, gone, doubtful)
        for days in (400, 390, 380)
    ]
    await world.tell(*said, saying.account(account_id=gone))
    await world.tell(saying.retraction(said[-1]), _removed(saying, gone))
    found = await done(dates=["2025-11-01"])
    assert (found["accounts"], found["report"]["pooled"]["cases"], found["report"]["pooled"]["lost"]) == (2, 1, 1)


def _removed(saying: Any, account: UUID) -> Any:
    return type(saying.account_gone(2))(account_id=account, version=2)


async def test_tenants_do_not_see_each_others(world: Any, ask: Any, stop: Any) -> None:
    id_ = (await ask()).json()["id"]
    for path in (f"/backtests/{id_}", f"/backtests/{id_}/report.html"):
        answer = await world.get(path, tenant="globex")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-backtest")
    assert (await stop(id_, tenant="globex")).json()["code"] == "unknown-backtest"
    assert (await world.get("/backtests", tenant="globex")).json()["items"] == []


async def test_pages_follow_each_other_without_gap_or_repeat(world: Any, ask: Any, stop: Any) -> None:
    ids = []
    for _ in range(5):
        ids.append((await ask()).json()["id"])
        await stop(ids[-1])
    found, query = [], {"limit": 2}
    while True:
        page = (await world.get("/backtests", **query)).json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == ids[::-1]


async def test_a_fit_leaves_a_draft_and_is_tested_on_later_dates(world: Any, clients: Any, done: Any) -> None:
    found = await done(**FIT)
    fit = found["report"]["fit"]
    assert fit["refused"] is None, fit
    assert (fit["learnt_from"], fit["tested_on"]) == (FIT["dates"][:4], FIT["dates"][4:])
    names = [ranking["name"] for ranking in fit["tested"]["rankings"]]
    assert names[0] == "scorecard"
    assert names[-1] == "fitted-scorecard"
    assert fit["tested"]["cases"] == sum(part["cases"] for part in found["report"]["dates"][4:])
    draft = (await world.get(f"/scorecards/{found['draft_id']}")).json()
    assert (draft["state"], draft["version"], draft["author"]) == ("draft", fit["draft_version"], "tester")
    before = {**KIND_WEIGHTS, "wallet": 20.0, "engagement": 20.0}
    after = {**draft["kind_weights"], **draft["measure_weights"]}
    changes = {change["name"]: change for change in fit["changes"]}
    assert changes
    for name, change in changes.items():
        assert (change["before"], change["after"]) == (before[name], after[name])
    unchanged = set(KIND_WEIGHTS) - set(changes)
    assert {name: draft["kind_weights"][name] for name in unchanged} == {name: KIND_WEIGHTS[name] for name in unchanged}
    assert "fitted: ROC" in (await world.get(f"/backtests/{found['id']}/report.html")).text
    shown = (await world.get("/scorecards")).json()["items"]
    assert [card["state"] for card in shown] == ["draft", "published"]  # nothing is in force that was not before


async def test_without_the_extra_a_backtest_is_done_and_says_that_it_can_not_fit(
    world: Any, clients: Any, done: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    found = await done(**FIT)
    assert (found["status"], found["report"]["fit"]["refused"]) == ("done", "fit-not-installed")
    assert (found["draft_id"], found["report"]["pooled"]["inconclusive"]) == (None, None)
    assert (await world.get("/scorecards")).json()["items"][0]["state"] == "published"


async def test_a_named_scorecard_is_that_of_its_segment(
    world: Any, saying: Any, clients: Any, ask: Any, done: Any, scorecards: Any
) -> None:
    for number, account in enumerate(clients):
        await world.tell(saying.account(account_id=account, tier="AB"[number % 2]))
    kept = {"name": "big", "segment": {"tiers": ["A"]}, "kind_weights": {"order-placed": 0.5}}
    draft = await scorecards.draft(**kept)
    named = await done(scorecard=draft["id"], min_acts=1, dates=["2025-05-01"])
    current = await done(min_acts=1, dates=["2025-05-01"])
    assert (named["report"]["pooled"]["cases"], current["report"]["pooled"]["cases"]) == (35, 70)
    await scorecards.publish(draft)
    refused = await ask(fit=True)
    assert (refused.status_code, refused.json()["code"]) == (422, "fit-out-of-reach")
    assert refused.json()["errors"][0]["pointer"] == "/scorecard"
    assert (await ask(fit=True, scorecard=draft["id"])).status_code == 202
