"""Waiting until a stack is quiet: every outbox sent, every topic read, every due timer fired. It polls."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from bellwether.errors import BellwetherError
from bellwether.stack import Stack
from bellwether.stack.health import plain

PAUSE = 0.1  # seconds between two passes


class NotSettled(BellwetherError):
    """Something was still going on when the time was up."""


@dataclass(frozen=True)
class Pass:
    """One look at all workers: what is left to do (None: a worker did not say), and how much was ever done."""

    left: dict[str, int | None]
    progress: tuple[int, ...]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is left anywhere."""
        return all(count == 0 for count in self.left.values())


def settle(stack: Stack, timeout: float = 60.0) -> None:
    """Return when two passes in a row saw nothing left and no progress between them; NotSettled after `timeout` s.

    Two, because work can be between a topic that is read and an outbox that is not yet written in a single look.
    """
    deadline = time.monotonic() + timeout
    urls = {worker.removesuffix("-worker"): f"{stack.url(worker)}/health/progress" for worker in stack.workers()}
    with httpx.Client(timeout=5, verify=plain()) as client, ThreadPoolExecutor(len(urls) or 1) as pool:

        def look() -> Pass:
            answers = list(pool.map(lambda url: _ask(client, url), urls.values()))
            left = {
                f"{service} {what}": answer.get(what)
                for service, answer in zip(urls, answers, strict=True)
                for what in ("outbox_unsent", "lag", "timers_due")
            }
            return Pass(left, tuple(answer.get("progress") or 0 for answer in answers))

        before = look()
        while time.monotonic() < deadline:
            time.sleep(PAUSE)
            now = look()
            if before.is_quiet and now.is_quiet and before.progress == now.progress:
                return
            before = now
    busy = ", ".join(
        f"{what} {'unknown' if count is None else count}" for what, count in before.left.items() if count != 0
    )
    raise NotSettled(f"The stack is not quiet after {timeout:.0f} s: {busy or 'it still makes progress'}.")


def _ask(client: httpx.Client, url: str) -> dict[str, int | None]:
    """The worker's numbers; none while it does not answer (it may be starting again)."""
    try:
        answer = client.get(url)
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}
    except (httpx.TransportError, ValueError):
        return {}
