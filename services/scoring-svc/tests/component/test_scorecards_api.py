"""Scorecards: drafts, what comes into force, for whom, and what becomes of the scores."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bellwether_kit.ids import uuid7
from scoring_svc.scorecards.rules import KIND_WEIGHTS

OTHER = UUID(int=7)


def code(answer: Any) -> tuple[int, str, str]:
    """Status, code and the guilty place."""
    problem = answer.json()
    return answer.status_code, problem["code"], next((error["pointer"] for error in problem.get("errors", ())), "")


async def test_a_draft_says_only_what_differs_and_is_shown_whole(world: Any, scorecards: Any) -> None:
    draft = await scorecards.draft(
        kind_weights={"complaint-raised": -6.0},
        custom_kinds={"site-visit": 2.5},
        half_life_days={"wallet": 90.0},
        measure_weights={"plan": 0},
        bands={"watch_from": 35},
        caps={"champion_gone": 100},
    )
    assert (draft["name"], draft["version"], draft["state"], draft["author"]) == ("default", 2, "draft", "tester")
    assert draft["kind_weights"] == {**KIND_WEIGHTS, "complaint-raised": -6.0}
    assert draft["custom_kinds"] == {"site-visit": 2.5}
    assert draft["half_life_days"] == {"heart": 60.0, "mind": 120.0, "wallet": 90.0, "responsiveness": 60.0}
    assert (draft["measure_weights"]["plan"], draft["measure_weights"]["heart"]) == (0.0, 20.0)
    assert (draft["bands"]["watch_from"], draft["caps"]["champion_gone"]) == (35.0, 100.0)
    one = await world.get(f"/scorecards/{draft['id']}")
    assert (one.json(), one.headers["etag"]) == (draft, '"1"')
    listed = (await world.get("/scorecards")).json()["items"]
    assert [(card["id"], card["version"], card["state"]) for card in listed] == [
        (draft["id"], 2, "draft"),
        (None, 1, "published"),
    ]
    assert (await world.get("/scorecards", tenant="globex")).json()["items"] == [listed[1]]
    assert (await world.get(f"/scorecards/{draft['id']}", tenant="globex")).status_code == 404


async def test_a_draft_is_said_anew_by_who_has_seen_it_and_removed(world: Any, scorecards: Any) -> None:
    draft = await scorecards.draft(scale=9.0)
    path = f"/scorecards/{draft['id']}"
    assert code(await scorecards.ask("PUT", path, {"scale": 4.0}))[:2] == (428, "precondition-required")
    assert code(await scorecards.ask("PUT", path, {"scale": 4.0}, If_Match='"9"'))[:2] == (412, "precondition-failed")
    changed = await scorecards.ask("PUT", path, {"engaged": 80.0}, If_Match='"1"')
    assert (changed.json()["scale"], changed.json()["engaged"], changed.headers["etag"]) == (6.0, 80.0, '"2"')
    assert (await scorecards.ask("DELETE", path, If_Match='"2"')).status_code == 204
    assert code(await world.get(path))[:2] == (404, "unknown-scorecard")


@pytest.mark.parametrize(
    ("said", "why", "pointer"),
    [
        ({"measure_weights": dict.fromkeys(
            ("heart", "mind", "wallet", "engagement", "coverage", "responsiveness", "satisfaction", "plan"), 0)},
         "weights-sum-to-zero", "/measure_weights"),
        ({"half_life_days": {"mind": -3}}, "half-life-out-of-range", "/half_life_days/mind"),
        ({"half_life_days": {"responsiveness": 0}}, "half-life-out-of-range", "/half_life_days/responsiveness"),
        ({"half_life_days": {"heart": 4_000}}, "half-life-out-of-range", "/half_life_days/heart"),
        ({"kind_weights": {"call-unretruned": -2}}, "unknown-kind", "/kind_weights/call-unretruned"),
        ({"custom_kinds": {"order-placed": 2}}, "catalogue-kind", "/custom_kinds/order-placed"),
        ({"bands": {"healthy_from": 45, "watch_from": 40}}, "bands-out-of-order", "/bands"),
        ({"segment": {"tiers": ["A"]}}, "unfit-segment", "/segment"),
        ({"name": "retail"}, "unfit-segment", "/segment"),
        ({"measure_weights": {"heart": -1}}, "validation-failed", "/measure_weights/heart"),
        ({"scale": 0}, "validation-failed", "/scale"),
        ({"kind_weights": {"order-placed": 1e9}}, "validation-failed", "/kind_weights/order-placed"),
        ({"measures": {}}, "validation-failed", "/measures"),
        ({"name": "Ünfit"}, "validation-failed", "/name"),
    ],
)  # fmt: skip
async def test_what_is_no_scorecard_is_refused_with_its_place(
    world: Any, scorecards: Any, said: dict[str, Any], why: str, pointer: str
) -> None:
    answer = await scorecards.ask("POST", "/scorecards", {"name": "default", **said})
    assert code(answer) == (422, why, pointer)
    draft = await scorecards.draft(scale=9.0)
    if "name" not in said:
        answer = await scorecards.ask("PUT", f"/scorecards/{draft['id']}", said, If_Match='"1"')
        assert code(answer) == (422, why, pointer)
    assert (await world.get("/scorecards")).json()["items"][:-1] == [draft]


async def test_a_published_scorecard_scores_every_account_anew_and_history_says_which_did(
    world: Any, scorecards: Any
) -> None:
    for account in (UUID(int=1), UUID(int=2)):
        await world.tell(
            *(world.evidence(kind, account_id=account, ago=timedelta(days=40)) for kind in ("meeting-held",) * 3),
            world.evidence("complaint-raised", account_id=account, ago=timedelta(days=9)),
            world.evidence("order-placed", account_id=account, ago=timedelta(days=-3)),
        )
    before = await world.health(UUID(int=1))
    draft = await scorecards.draft(
        kind_weights={"complaint-raised": -6.0}, half_life_days={"heart": 20.0, "wallet": 30.0}, scale=9.0
    )
    assert await world.health(UUID(int=1)) == before
    world.clock.advance(timedelta(minutes=1))
    said = len(world.said("account.health.changed.v1"))
    done = await scorecards.publish(draft)
    assert (done["id"], done["state"], done["version"]) == (draft["id"], "published", 2)
    enforced = (await world.get(f"/scorecards/{draft['id']}")).json()
    assert (enforced["state"], enforced["published_by"], enforced["reason"]) == ("published", "tester", "tests")
    assert (await world.health(UUID(int=1)))["scorecard_version"] == 1  # its turn has not come
    await world.mailbox.fire_timers()
    run = (await world.get(f"/rescoring-runs/{done['run_id']}")).json()
    assert (run["cause"], run["state"], run["accounts"], run["rescored"]) == ("publish", "done", 2, 2)
    assert (run["scorecard_id"], run["reason"]) == (draft["id"], "tests")
    heart = 6.0 * 2.0 ** (-40 / 20) - 6.0 * 2.0 ** (-9 / 20)  # three of 2, and one of -6
    for account in (UUID(int=1), UUID(int=2)):
        after = await world.health(account)
        assert after["scorecard_version"] == 2
        assert after["measures"]["heart"] == pytest.approx(100 / (1 + 2.718281828459045 ** (-heart / 9.0)), abs=0.01)
        assert after["change"] == 0.0  # the client has done nothing
    assert len(world.said("account.health.changed.v1")) == said + 2
    history = (await world.get(f"/accounts/{UUID(int=1)}/health/history")).json()["items"]
    assert [point["scorecard_version"] for point in history[:2]] == [2, 1]
    await world.days_pass(3.5)
    assert (await world.health(UUID(int=1)))["measures"]["wallet"] == pytest.approx(54.1, abs=0.1)
    assert [c["state"] for c in (await world.get("/scorecards")).json()["items"]] == ["published", "retired"]


async def test_evidence_that_comes_before_its_accounts_turn_is_scored_by_the_new_one(
    world: Any, scorecards: Any
) -> None:
    first, second = world.evidence("complaint-raised"), world.evidence("meeting-held")
    await world.tell(first, second)
    await scorecards.publish(await scorecards.draft(kind_weights={"complaint-raised": -6.0}))
    await world.tell(world.evidence("complaint-raised"), times=2)
    for _ in range(2):
        health = await world.health()
        assert health["scorecard_version"] == 2
        assert health["measures"]["heart"] == pytest.approx(100 / (1 + 2.718281828459045 ** (10 / 6)), abs=1e-6)
        await world.mailbox.fire_timers()
    explained = (await world.get(f"/accounts/{world.evidence('x').account_id}/health/explanation")).json()
    assert explained["score"] == pytest.approx(health["score"], abs=1e-9)


async def test_a_change_of_scorecard_is_no_fall_of_the_clients(world: Any, scorecards: Any) -> None:
    await world.tell(*(world.evidence(kind) for kind in ("meeting-held", "advice-sought", "order-placed") * 3))
    before = await world.health()
    await scorecards.publish(await scorecards.draft(scale=100.0, engaged=40.0))
    await world.mailbox.fire_timers()
    after = await world.health()
    assert after["score"] < before["score"] - 15
    assert await world.alerts() == []


async def test_a_segments_scorecard_is_for_its_accounts_also_when_they_come_or_go(
    world: Any, scorecards: Any, saying: Any
) -> None:
    await world.tell(
        saying.account(tier="A", territory="north"),
        saying.account(account_id=OTHER, tier="B", territory="north"),
    )
    kinds = ("meeting-held", "complaint-raised")
    await world.tell(*(world.evidence(k, account_id=a) for k in kinds for a in (world.evidence("x").account_id, OTHER)))
    draft = await scorecards.draft(
        "retail", segment={"tiers": ["A"], "territories": ["north", "east"]}, kind_weights={"complaint-raised": -8.0}
    )
    assert (draft["version"], draft["segment"]) == (
        1,
        {"tiers": ["A"], "industries": [], "territories": ["east", "north"]},
    )
    done = await scorecards.publish(draft)
    await world.mailbox.fire_timers()
    run = (await world.get(f"/rescoring-runs/{done['run_id']}")).json()
    assert (run["looked_at"], run["rescored"]) == (2, 1)
    ours, theirs = await world.health(), await world.health(OTHER)
    assert (ours["scorecard"], theirs["scorecard"]) == ("retail", "default")
    assert ours["measures"]["heart"] < theirs["measures"]["heart"] == 50.0
    await world.tell(saying.account(account_id=OTHER, tier="A", territory="east", version=2))
    moved = await world.health(OTHER)
    assert (moved["scorecard"], moved["measures"]["heart"]) == ("retail", ours["measures"]["heart"])
    await world.tell(saying.account(account_id=OTHER, tier="A", territory="south", version=3))
    assert (await world.health(OTHER))["measures"]["heart"] == 50.0
    retired = await scorecards.ask("POST", f"/scorecards/{draft['id']}/retire", {"reason": "over"})
    assert retired.json()["state"] == "retired"
    await world.mailbox.fire_timers()
    assert ((await world.health())["scorecard"], (await world.health())["measures"]["heart"]) == ("default", 50.0)


async def test_what_can_not_come_into_force_changes_nothing(world: Any, scorecards: Any) -> None:
    retail = await scorecards.draft("retail", segment={"tiers": ["A"]})
    banks = await scorecards.draft("banks", segment={"industries": ["banking"]})
    await scorecards.publish(retail)
    path = f"/scorecards/{banks['id']}/publish"
    overlap = await scorecards.ask("POST", path, {"reason": "why not"})
    assert code(overlap) == (409, "segments-overlap", "/segment")
    assert overlap.json()["scorecard"] == "retail"
    assert code(await scorecards.ask("POST", path, {"reason": " "}))[:2] == (422, "validation-failed")
    assert (await world.get(f"/scorecards/{banks['id']}")).json() == banks
    for verb in ("PUT", "DELETE"):
        body = {"segment": {"tiers": ["A"]}} if verb == "PUT" else None
        refused = await scorecards.ask(verb, f"/scorecards/{retail['id']}", body, If_Match='"2"')
        assert code(refused)[:2] == (409, "no-draft")
    again = await scorecards.ask("POST", f"/scorecards/{retail['id']}/publish", {"reason": "again"})
    assert code(again)[:2] == (409, "no-draft")
    retire = await scorecards.ask("POST", f"/scorecards/{banks['id']}/retire", {"reason": "x"})
    assert code(retire)[:2] == (409, "not-in-force")
    older = await scorecards.draft("retail", segment={"tiers": ["A"]}, scale=7.0)
    newer = await scorecards.draft("retail", segment={"tiers": ["A"]}, scale=8.0)
    await scorecards.publish(newer)
    outdated = await scorecards.ask("POST", f"/scorecards/{older['id']}/publish", {"reason": "late"})
    assert code(outdated)[:2] == (409, "draft-outdated")
    cards = (await world.get("/scorecards")).json()["items"]
    states = {card["version"]: card["state"] for card in cards if card["name"] == "retail"}
    assert states == {1: "retired", 2: "draft", 3: "published"}
    unknown = await scorecards.ask("POST", f"/scorecards/{uuid7()}/publish", {"reason": "x"})
    assert code(unknown)[:2] == (404, "unknown-scorecard")


async def test_only_administrators_change_scorecards(world: Any, scorecards: Any) -> None:
    draft = await scorecards.draft(scale=9.0)
    headers = scorecards.auth("health:read")
    for method, path in (
        ("POST", "/scorecards"),
        ("PUT", f"/scorecards/{draft['id']}"),
        ("DELETE", f"/scorecards/{draft['id']}"),
        ("POST", f"/scorecards/{draft['id']}/publish"),
        ("POST", f"/scorecards/{draft['id']}/retire"),
    ):
        answer = await scorecards.client.request(method, f"/v1{path}", json={}, headers=headers)
        assert answer.status_code == 403, path


async def five_accounts(world: Any, saying: Any) -> list[UUID]:
    """Accounts of tier A (three) and B that answered fewer and fewer e-mails."""
    accounts = [UUID(int=n) for n in range(1, 6)]
    for account in accounts:
        tier = "A" if account.int % 2 else "B"
        await world.tell(saying.account(account_id=account, name=f"No {account.int}", tier=tier))
        await world.tell(
            *(world.evidence(kind, account_id=account, ago=timedelta(days=15)) for kind in ("meeting-held",) * 4),
            *(world.evidence("email-unreturned", account_id=account) for _ in range(account.int)),
        )
    return accounts


async def dry_run(scorecards: Any, draft: dict[str, Any]) -> dict[str, Any]:
    answer = await scorecards.ask("POST", f"/scorecards/{draft['id']}/dry-run")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_dry_run_says_what_would_be_and_publishing_makes_it_so(
    world: Any, scorecards: Any, saying: Any
) -> None:
    accounts = await five_accounts(world, saying)
    before = {account: await world.health(account) for account in accounts}
    said = len(world.mailbox.outbox())
    draft = await scorecards.draft(
        "core", segment={"tiers": ["A"]}, kind_weights={"email-unreturned": -6.0}, half_life_days={"heart": 10}
    )
    told = await dry_run(scorecards, draft)
    assert (told["accounts"], told["affected"]) == (5, 3)
    assert len(world.mailbox.outbox()) == said
    assert {account: await world.health(account) for account in accounts} == before
    world.clock.advance(timedelta(seconds=1))
    await scorecards.publish(draft)
    await world.mailbox.fire_timers()
    after = {account: await world.health(account) for account in accounts}
    foretold = {UUID(each["account_id"]): each for each in told["changes"]}
    moved = {account for account in accounts if after[account]["band"] != before[account]["band"]}
    assert moved == {account for account, each in foretold.items() if each["band"] != each["new_band"]} != set()
    for account, each in foretold.items():
        assert each["score"] == pytest.approx(before[account]["score"], abs=1e-3)
        assert each["new_score"] == pytest.approx(after[account]["score"], abs=1e-3)
        assert (each["account_name"], each["new_band"]) == (f"No {account.int}", after[account]["band"])
    alerts = await world.alerts()
    assert told["opens"] == {"at-risk": len(alerts)} != {"at-risk": 0}
    assert {alert["account_id"] for alert in alerts} == {str(a) for a, e in foretold.items() if e["opens"]}
    assert told["after"]["bands"] == Counter(health["band"] for health in after.values())
    assert told["after"]["mean"] == pytest.approx(sum(h["score"] for h in after.values()) / 5, abs=1e-3)
    again = await dry_run(scorecards, draft)
    assert (again["affected"], again["changes"], again["moves"], again["opens"]) == (0, [], [], {})


async def test_a_dry_run_of_what_can_not_come_into_force_is_refused(scorecards: Any) -> None:
    await scorecards.publish(await scorecards.draft("retail", segment={"tiers": ["A"]}))
    banks = await scorecards.draft("banks", segment={"industries": ["banking"]})
    refused = await scorecards.ask("POST", f"/scorecards/{banks['id']}/dry-run")
    assert code(refused) == (409, "segments-overlap", "/segment")
    assert code(await scorecards.ask("POST", f"/scorecards/{uuid7()}/dry-run"))[:2] == (404, "unknown-scorecard")
