"""Backtests: refused with a reason, done by the worker page by page, and right: held against sums of their own."""

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import httpx
import pytest

from bellwether_kit.ids import uuid7
from scoring_svc.retrospect.rules import Seen, look
from scoring_svc.scorecards.rules import DAY, DEFAULT

DATES = [date(2025, month, 1) for month in (3, 5, 7, 9, 11)]


def seen_at(orders: list[list[datetime]], day: date) -> list[tuple[float, float, bool]]:
    """Score, days since the last order, and whether it was lost, of each that had ordered thrice by a date."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    found = []
    for times in orders:
        history = [Seen("order-placed", 2, 1.0, at.timestamp()) for at in times]
        seen = look(DEFAULT, history, start.timestamp(), 30.0)
        if seen is not None and seen.acts >= 3:
            last = max(at for at in times if at < start)
            lost = not any(start <= at < start + timedelta(days=90) for at in times)
            found.append((seen.score, (start - last).total_seconds() / DAY, lost))
    return found


def by_pairs(risks: list[float], lost: list[bool]) -> float:
    pairs = [
        (a, b) for a, was in zip(risks, lost, strict=True) if was for b, w in zip(risks, lost, strict=True) if not w
    ]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def ranked(part: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {ranking["name"]: ranking for ranking in part["rankings"]}


async def test_a_backtest_is_done_by_the_worker_and_right(world: Any, clients: Any, ask: Any) -> None:
    answer = await ask()
    assert (answer.status_code, answer.json()["status"], answer.json()["accounts"]) == (202, "queued", 0)
    path = f"/backtests/{answer.json()['id']}"
    assert (await world.get(path)).json()["report"] is None
    await world.mailbox.fire_timers()
    found = (await world.get(path)).json()
    assert (found["status"], found["accounts"], found["problem"]) == ("done", 70, None)
    assert [part["day"] for part in found["report"]["dates"]] == [day.isoformat() for day in DATES]
    for day, part in zip(DATES, found["report"]["dates"], strict=True):
        cases = seen_at(list(clients.values()), day)
        lost = [was for _, _, was in cases]
        assert (part["cases"], part["accounts"], part["lost"]) == (len(cases), len(cases), sum(lost))
        if part["inconclusive"] is None:
            aucs = {name: ranking["verdict"]["auc"]["value"] for name, ranking in ranked(part).items()}
            assert aucs["scorecard"] == pytest.approx(by_pairs([-score for score, _, _ in cases], lost))
            assert aucs["days-since-last-act"] == pytest.approx(by_pairs([days for _, days, _ in cases], lost))
            assert 0.5 < aucs["bg-nbd"] <= 1.0
    pooled = found["report"]["pooled"]
    assert pooled["cases"] == sum(part["cases"] for part in found["report"]["dates"])
    own = ranked(pooled)["scorecard"]
    assert own["verdict"]["auc"]["low"] < own["verdict"]["auc"]["value"] < own["verdict"]["auc"]["high"]
    assert 0 < own["verdict"]["foretold"] < pooled["cases"]  # nothing was over before the first dates
    assert world.mailbox.admin("SELECT * FROM backtest_case") == []
    assert (await world.get("/backtests")).json()["items"] == [
        {name: value for name, value in found.items() if name != "report"}
    ]


async def test_where_too_few_were_lost_nothing_is_concluded(world: Any, done: Any) -> None:
    accounts = [uuid7() for _ in range(12)]
    for days in (300, 200, 130, 100):
        await world.tell(
            *(world.evidence("order-placed", account_id=a, ago=timedelta(days=days + 1)) for a in accounts)
        )
    now = world.clock.now().date()
    found = await done(dates=[(now - timedelta(days=120)).isoformat(), (now - timedelta(days=95)).isoformat()])
    [first, second] = found["report"]["dates"]
    assert (first["cases"], first["lost"], first["inconclusive"]) == (12, 0, "too-few-lost")
    assert (second["cases"], second["lost"], second["inconclusive"]) == (12, 12, "too-few-kept")
    assert second["rankings"] == []


async def test_the_page_shows_the_report_and_brings_no_scripts(world: Any, clients: Any, done: Any) -> None:
    found = await done()
    answer = await world.get(f"/backtests/{found['id']}/report.html")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    tags: list[tuple[str, dict[str, str | None]]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append((tag, dict(attrs)))  # type: ignore[method-assign]
    parser.handle_startendtag = parser.handle_starttag  # type: ignore[method-assign]
    parser.feed(answer.text)
    assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in tags}
    assert not [
        name for _, attrs in tags for name in attrs if name.startswith("on") or name in {"style", "href", "src"}
    ]
    assert [attrs["aria-label"] for tag, attrs in tags if tag == "svg"] == [
        "rankings: ROC",
        "rankings: lift",
        "rankings: calibration",
    ]
    auc = ranked(found["report"]["pooled"])["scorecard"]["verdict"]["auc"]
    assert f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}]" in answer.text


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"dates": ["2999-01-01"]}, 422, "horizon-not-over"),
        ({"dates": ["2025-06-01", "2025-12-03"]}, 422, "horizon-not-over"),
        ({"dates": [f"2024-{m:02}-{d:02}" for m in range(1, 6) for d in range(1, 6)]}, 422, "too-many-dates"),
        ({"horizon_days": 6}, 422, "horizon-out-of-range"),
        ({"horizon_days": 731}, 422, "horizon-out-of-range"),
        ({"scorecard": str(UUID(int=7))}, 404, "unknown-scorecard"),
        ({"lost_by": "outcomes"}, 422, "no-outcomes"),
        ({"act": "smoke-signal"}, 422, "unknown-kind"),
        ({"act": "buying-decelerated"}, 422, "unknown-kind"),
        ({"fit": True, "dates": ["2025-06-01", "2025-07-01"]}, 422, "fit-out-of-reach"),
        ({"dates": []}, 422, "validation-failed"),
        ({"dates": ["soon"]}, 422, "validation-failed"),
        ({"min_acts": 0}, 422, "validation-failed"),
    ],
)
async def test_what_is_refused_says_why_and_changes_nothing(
    world: Any, ask: Any, given: dict[str, Any], status: int, code: str
) -> None:
    answer = await ask(**given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await world.get("/backtests")).json()["items"] == []


async def test_a_date_whose_horizon_ends_today_can_be_looked_at(world: Any, ask: Any) -> None:
    day = world.clock.now().date() - timedelta(days=90)
    assert (await ask(dates=[day.isoformat()])).status_code == 202


async def test_only_administrators_ask(client: httpx.AsyncClient, auth: Any) -> None:
    for method, path in (("POST", "/v1/backtests"), ("POST", f"/v1/backtests/{UUID(int=7)}/stop")):
        answer = await client.request(
            method, path, json={"dates": ["2025-03-01"]}, headers=auth("health:read health:write")
        )
        assert answer.status_code == 403


async def test_clients_are_lost_by_what_is_on_record(
    world: Any, saying: Any, client: Any, auth: Any, clients: Any, done: Any
) -> None:
    early, late = list(clients)[:15], list(clients)[15:30]
    outcomes = [
        *({"account_id": str(id_), "kind": "churned", "date": "2025-05-20"} for id_ in early),
        *({"account_id": str(id_), "kind": "churned", "date": "2025-08-01"} for id_ in late),
        *({"account_id": str(id_), "kind": "grew", "date": "2025-05-21"} for id_ in list(clients)[30:]),
    ]
    await world.tell(*(saying.account(account_id=id_) for id_ in clients))
    answer = await client.post("/v1/outcomes", json={"items": outcomes}, headers=auth("health:write"))
    assert {item["status"] for item in answer.json()["items"]} == {"accepted"}
    found = await done(lost_by="outcomes", act=None, min_acts=1, dates=["2025-05-01", "2025-07-01"])
    [may, july] = found["report"]["dates"]
    assert (may["cases"], may["lost"]) == (70, 15)
    assert (july["cases"], july["lost"]) == (55, 15)  # those lost in May are no more to be lost
