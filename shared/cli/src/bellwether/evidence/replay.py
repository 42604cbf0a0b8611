"""A history lived through by a stack: accounts first, then every step of time with what happened in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bellwether.client import Client
from bellwether.evidence.histories import History
from bellwether.home import Home
from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock

SERVICES = ("profile", "metrics")
"""All that evidence needs: who the clients are, and what happened with them."""
AFTERWARDS = timedelta(days=10)
"""The clock goes on so long after the last activity: longer than any reply is awaited by default."""
SETTLE_SECONDS = 300.0
TOKEN_SECONDS = 7200


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


@contextmanager
def own_stack(console: Console, services: tuple[str, ...]) -> Iterator[Stack]:
    """A stack of these services with a clock of its own, for as long as it is needed; nothing of it is left."""
    with TemporaryDirectory(prefix="bellwether-replay-") as folder:
        stack = Stack(Home(Path(folder)), services=services, any_port=True, clock=True)
        with console.status("Starting a stack") as shown:
            stack.start(say=shown.update)
        try:
            yield stack
        finally:
            with console.status("Stopping"):
                stack.stop()


@contextmanager
def progress(console: Console, history: History) -> Iterator[Callable[[datetime], None]]:
    """A bar that follows a history as it is lived through."""
    start, end = history.happened[0][0], history.happened[-1][0]
    columns = (TextColumn("Replaying"), BarColumn(), TextColumn("{task.fields[day]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=(end - start).days, day=f"{len(history.accounts):,} accounts")
        yield lambda now: bar.update(task, completed=(now - start).days, day=f"{now:%d %b %Y}")
