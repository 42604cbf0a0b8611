"""A history lived through by a stack: accounts first, then every step of time with what happened in it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bellwether.client import Client
from bellwether.evidence.histories import History
from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock

SERVICES = ("profile", "metrics")
"""All that evidence needs: who the clients are, and what happened with them."""
AFTERWARDS = timedelta(days=10)
"""The clock goes on so long after the last activity: longer than any reply is awaited by default."""
SETTLE_SECONDS = 300.0


def live_through(
    stack: Stack, client: Client, history: History, step: timedelta, moved: Callable[[datetime], None]
) -> None:
    """Post a history in order of time while the stack's clock goes forward by ``step``; ``moved`` hears of each."""
    clock = ReplayClock(stack.home.clock)
    now = history.happened[0][0]
    clock.set(now)
    client.post("profile", "accounts", list(history.accounts.values()))
    settle(stack, SETTLE_SECONDS)
    waiting = list(reversed(history.happened))
    end = history.happened[-1][0] + AFTERWARDS
    while now < end:
        now = min(now + step, end)
        clock.set(now)
        due = []
        while waiting and waiting[-1][0] <= now:
            due.append(waiting.pop()[1])
        client.post("metrics", "activities", due)
        settle(stack, SETTLE_SECONDS)
        moved(now)
