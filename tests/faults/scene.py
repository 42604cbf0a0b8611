"""What every fault needs: the stack, seeded dice, whether there is work, and what the supervisor saw of each end."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bellwether.errors import BellwetherError
from bellwether.stack import Stack
from bellwether.stack.health import plain
from faults.asked import Targets
from faults.proxy import Proxy

RECOVERY: Final = 60.0
"""Seconds until work must go on after a fault."""
GIVEN_UP: Final = 240.0
"""Seconds until nobody waits any longer, and the run ends."""
STOP_WITHIN: Final = 15.0
WORK_WITHIN: Final = 5.0
_END = re.compile(r"(?:exited|stopped): (\S+) \(([^;)]*)")


@dataclass(frozen=True)
class Strike:
    """What a fault came to: of whom, whether it counts, and words where something was not as promised."""

    target: str
    landed: bool
    odd: str = ""


@dataclass
class Scene:
    """A running stack under load. `busy` says whether the load goes on; `proxies` lie before databases, by process."""

    stack: Stack
    rng: random.Random
    busy: Callable[[], bool]
    targets: Targets
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    struck_at: float = 0.0

    def strike(self) -> None:
        """The moment from which recovery counts."""
        self.struck_at = time.monotonic()

    async def has_work(self, worker: str) -> bool:
        """Whether within some seconds a worker's numbers move, or say that there is something to do."""
        deadline = time.monotonic() + WORK_WITHIN
        before = await self.progress(worker)
        while time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            after = await self.progress(worker)
            left = sum(after.get(what) or 0 for what in ("outbox_unsent", "lag", "timers_due"))
            if left or after.get("progress", 0) != before.get("progress", 0):
                return True
        return False

    async def progress(self, worker: str) -> Mapping[str, int]:
        """What a worker says of itself; nothing while it does not answer."""
        try:
            async with httpx.AsyncClient(timeout=4, verify=plain()) as client:
                answer = await client.get(f"{self.stack.url(worker)}/health/progress")
                return dict(answer.json()) if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            return {}

    async def replaced(self, process: str, signal: int) -> str:
        """Send a signal that ends a process, and wait for its successor; words when it does not end in time."""
        self.strike()
        old = await asyncio.to_thread(self.stack.kill, process, signal)
        while alive(old):
            if time.monotonic() - self.struck_at > STOP_WITHIN:
                return f"{process} did not stop within {STOP_WITHIN:.0f} s"
            await asyncio.sleep(0.05)
        while time.monotonic() - self.struck_at < GIVEN_UP:
            if await self.pid(process) not in (0, old):
                return ""
            await asyncio.sleep(0.1)
        return f"{process} was not started again"

    async def pid(self, process: str) -> int:
        """Its pid; 0 while it does not run."""
        try:
            return await asyncio.to_thread(self.stack.pid, process)
        except BellwetherError:
            return 0

    def ends(self, since: int = 0) -> list[tuple[str, str]]:
        """How processes ended, as the supervisor saw it, from an offset of its log: name, and "exit status 0"."""
        log = self.stack.home.logs / "supervisord.log"
        with log.open("rb") as file:
            file.seek(since)
            return _END.findall(file.read().decode(errors="replace"))

    def now(self) -> int:
        """The offset at which the supervisor's log ends."""
        return (self.stack.home.logs / "supervisord.log").stat().st_size


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
