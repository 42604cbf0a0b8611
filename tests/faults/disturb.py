"""What goes wrong in a fault run: a seeded schedule of faults, each of which counts only if its target had work."""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from bellwether.errors import BellwetherError
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock
from faults.asked import Targets

WORKERS: Final = ("metrics-worker", "scoring-worker", "plan-worker", "profile-worker", "stakeholder-worker")
RECOVERY: Final = 60.0
STOP_WITHIN: Final = 15.0


@dataclass(frozen=True)
class Fault:
    """A fault that was tried: whether it counts, in how many seconds all was ready again, and what was odd."""

    kind: str
    target: str
    landed: bool
    seconds: float
    odd: str = ""


class Disturbance:
    """Does faults to a running stack, and waits after each until every process is ready again."""

    def __init__(
        self,
        stack: Stack,
        rng: random.Random,
        log: Path,
        busy: Callable[[], bool],
        targets: Targets = Targets(),  # noqa: B008 - it is frozen
    ) -> None:
        self._stack, self._rng, self._busy, self._targets = stack, rng, busy, targets
        self._log = log.open("w")
        self._clock = ReplayClock(stack.home.clock)
        self.faults: list[Fault] = []
        self.kinds: dict[str, Callable[[], Coroutine[Any, Any, tuple[str, bool, str]]]] = {
            "kill-worker": self._kill_worker,
            "stop-worker": self._stop_worker,
            "freeze-worker": self._freeze_worker,
            "crash-worker": self._crash_worker,
            "kill-api": self._kill_api,
            "stop-api": self._stop_api,
            "kill-kafka": self._kill_kafka,
            "kill-postgres": self._kill_postgres,
            "cut-connections": self._cut_connections,
            "send-again": self._send_again,
            "hang-up": self._hang_up,
            "jump-clock": self._jump_clock,
        }

    async def do(self, kind: str) -> Fault:
        """Do one fault and see the stack recover; gives what came of it."""
        began = time.monotonic()
        try:
            target, landed, odd = await self.kinds[kind]()
            odd = odd or await self._ready()
        except (BellwetherError, psycopg.Error, httpx.HTTPError, OSError) as error:
            target, landed, odd = "", False, f"{type(error).__name__}: {error}"
        fault = Fault(kind, target, landed, round(time.monotonic() - began, 2), odd)
        self.faults.append(fault)
        self._log.write(json.dumps(asdict(fault)) + "\n")
        self._log.flush()
        return fault

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    async def _ready(self) -> str:
        """Wait until all run and are ready; words when they are not in time."""
        try:
            await asyncio.to_thread(self._stack.wait_ready, RECOVERY)
        except BellwetherError as error:
            return str(error)
        return ""

    def _worker(self) -> str:
        return self._rng.choice(self._targets.workers)

    async def _has_work(self, worker: str) -> bool:
        """Whether a worker's numbers move, or say that there is something to do."""
        url = f"{self._stack.url(worker)}/health/progress"
        async with httpx.AsyncClient(timeout=2) as client:
            before = (await client.get(url)).json()
            await asyncio.sleep(0.3)
            after = (await client.get(url)).json()
        left = sum(after[what] or 0 for what in ("outbox_unsent", "lag", "timers_due"))
        return bool(left) or before["progress"] != after["progress"]

    async def _kill_worker(self) -> tuple[str, bool, str]:
        worker = self._worker()
        return worker, await self._has_work(worker), await self._replaced(worker, signal.SIGKILL)

    async def _stop_worker(self) -> tuple[str, bool, str]:
        worker = self._worker()
        return worker, await self._has_work(worker), await self._replaced(worker, signal.SIGTERM)

    async def _freeze_worker(self) -> tuple[str, bool, str]:
        """A worker that answers nothing for longer than its session: its partitions go elsewhere, then it wakes."""
        worker = self._worker()
        had_work = await self._has_work(worker)
        pid = self._stack.kill(worker, signal.SIGSTOP)
        try:
            await asyncio.sleep(4)
        finally:
            os.kill(pid, signal.SIGCONT)
        return worker, had_work, ""

    async def _crash_worker(self) -> tuple[str, bool, str]:
        """A worker that dies at a point of its own code, in the middle of its work."""
        worker, point = self._worker(), self._rng.choice(self._targets.crashes)
        armed = {"BELLWETHER_FAULT": f"{point}:{self._rng.randint(1, 5)}"}
        await asyncio.to_thread(self._stack.restart, worker, armed)
        first, crashed = self._stack.pid(worker), False
        for _ in range(60):
            await asyncio.sleep(0.1)
            try:
                crashed = self._stack.pid(worker) != first
            except BellwetherError:
                crashed = True
            if crashed:
                break
        await asyncio.to_thread(self._stack.restart, worker, {"BELLWETHER_FAULT": ""})
        return f"{worker} {point}", crashed, ""

    async def _kill_api(self) -> tuple[str, bool, str]:
        return "metrics-api", self._busy(), await self._replaced("metrics-api", signal.SIGKILL)

    async def _stop_api(self) -> tuple[str, bool, str]:
        return "metrics-api", self._busy(), await self._replaced("metrics-api", signal.SIGTERM)

    async def _kill_kafka(self) -> tuple[str, bool, str]:
        """One broker, of several any."""
        broker = self._rng.choice(self._stack.layout.brokers)
        return broker, self._busy(), await self._replaced(broker, signal.SIGKILL)

    async def _kill_postgres(self) -> tuple[str, bool, str]:
        """PostgreSQL stops at once, without a checkpoint."""
        return "postgres", self._busy(), await self._replaced("postgres", signal.SIGQUIT)

    async def _cut_connections(self) -> tuple[str, bool, str]:
        """Every session of one service ends in whatever it was doing."""
        service = self._rng.choice(("metrics", "scoring"))
        cut = """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = %s AND pid <> pg_backend_pid()
        """
        with psycopg.connect(self._stack.layout.postgres_url, autocommit=True) as server:
            row = server.execute(cut, [service]).fetchone()
        return service, row is not None and row[0] > 0 and self._busy(), ""

    async def _send_again(self) -> tuple[str, bool, str]:
        """Events that were published are published once more."""
        service = self._rng.choice(self._targets.senders)
        again = """
            UPDATE outbox SET published_at = NULL
            WHERE id IN (SELECT id FROM outbox WHERE published_at IS NOT NULL ORDER BY random() LIMIT 50)
        """
        base = self._stack.layout.postgres_url.rpartition("/")[0]
        with psycopg.connect(f"{base}/{service}", autocommit=True) as database:
            sent = database.execute(again).rowcount
        return service, sent > 0, ""

    async def _hang_up(self) -> tuple[str, bool, str]:
        """Clients that send half a request, or do not wait for the answer."""
        url = httpx.URL(self._stack.url("metrics"))
        for cut in (40, 400):
            _, writer = await asyncio.open_connection(url.host, url.port)
            head = "POST /v1/activities HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 9000"
            writer.write("\r\n".join((*head, "", "")).encode() + b'{"items":[' + b" " * cut)
            await writer.drain()
            writer.transport.abort()
        return "metrics-api", self._busy(), ""

    async def _jump_clock(self) -> tuple[str, bool, str]:
        """Half an hour passes at once: deadlines come due."""
        had_work = self._busy()
        self._clock.advance(timedelta(minutes=30))
        return "all", had_work, ""

    async def _replaced(self, process: str, signal_: int) -> str:
        """Send a signal that ends a process, and wait for its successor; words when it does not end in time."""
        old = self._stack.kill(process, signal_)
        asked = time.monotonic()
        while _alive(old):
            if time.monotonic() - asked > STOP_WITHIN:
                return f"{process} did not stop within {STOP_WITHIN:.0f} s"
            await asyncio.sleep(0.05)
        while time.monotonic() - asked < RECOVERY:
            try:
                if self._stack.pid(process) != old:
                    return ""
            except BellwetherError:
                pass  # it is being started again
            await asyncio.sleep(0.05)
        return f"{process} was not started again"


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def schedule(rng: random.Random, kinds: list[str], count: int) -> list[str]:
    """Kinds in a random order, each as often as the others as far as that goes."""
    rounds = [rng.sample(kinds, len(kinds)) for _ in range(-(-count // len(kinds)))]
    return [kind for each in rounds for kind in each][:count]
