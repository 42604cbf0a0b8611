"""Living through the year: post what happened in a few days, move the clock, let the stack come to rest, look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bellwether.client import Client, by_id
from bellwether.demo.year import Year
from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock

STEP = timedelta(days=7)
CLOSE_STEP = timedelta(days=4)
LOOK_EVERY = timedelta(days=21)
SETTLE_SECONDS = 120.0


@dataclass(slots=True)
class Seen:
    """What was seen on the way: each account's scores in time, and how the portfolio ended."""

    customers: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    trends: dict[str, list[float | None]] = field(default_factory=dict)
    portfolio: dict[str, dict[str, Any]] = field(default_factory=dict)
    posted: int = 0


def introduce(stack: Stack, client: Client, year: Year) -> Seen:
    """Create the accounts and people at the start of the year; gives what they are called."""
    ReplayClock(stack.home.clock).set(year.start)
    seen = Seen()
    accounts = client.post("profile", "accounts", year.accounts)
    for result, account in zip(accounts, year.accounts, strict=True):
        seen.names[result["id"]] = account["name"]
        seen.trends[result["id"]] = []
        external = account["external_ids"][0]
        if external["external_id"] in year.orders:
            seen.customers[result["id"]] = external["external_id"]
    settle(stack, SETTLE_SECONDS)
    client.post("stakeholder", "stakeholders", year.people)
    settle(stack, SETTLE_SECONDS)
    return seen


def live_through(stack: Stack, client: Client, year: Year, seen: Seen, moved: Callable[[datetime], None]) -> None:
    """Replay the year into ``seen``; ``moved`` hears of each step."""
    clock = ReplayClock(stack.home.clock)
    waiting = list(reversed(year.happenings))
    now, look_at = year.start, year.start + LOOK_EVERY
    while now < year.end:
        now = min(now + (CLOSE_STEP if year.closely[0] <= now < year.closely[1] else STEP), year.end)
        clock.set(now)
        due = []
        while waiting and waiting[-1].at <= now:
            due.append(waiting.pop())
        for route in ("activities", "evidence"):
            bodies = [happening.body for happening in due if happening.route == route]
            if bodies:
                seen.posted += len(client.post("metrics", route, bodies))
        settle(stack, SETTLE_SECONDS)
        if now >= look_at or now == year.end:
            look_at += LOOK_EVERY
            _look(client, seen)
        moved(now)


def _look(client: Client, seen: Seen) -> None:
    seen.portfolio = by_id(client.every("scoring", "health"))
    for account, trend in seen.trends.items():
        trend.append(seen.portfolio.get(account, {}).get("score"))
