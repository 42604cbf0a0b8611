"""What goes on in operation and no client may notice: every process restarted in turn, and Kafka away for minutes."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from bellwether.stack.health import plain
from faults.balancer import Balancer
from faults.load import TENANTS
from faults.processes import Kind
from faults.scene import GIVEN_UP, STOP_WITHIN, Scene, Strike
from faults.world import rows

READS: Final = {
    "profile": "accounts",
    "stakeholder": "stakeholders",
    "metrics": "activities",
    "scoring": "health",
    "plan": "plans",
}
PAUSE: Final = 0.05
LEFT: Final = ("outbox_unsent", "lag", "timers_due")


@dataclass
class Readers:
    """Clients that read of every API all the time, and how often they were answered what."""

    scene: Scene
    balancer: Balancer
    answers: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read as long as the context lasts."""
        token = self.scene.stack.token(TENANTS[0], ttl=86_400)
        async with httpx.AsyncClient(
            transport=self.balancer.transport(), headers={"Authorization": f"Bearer {token}"}, timeout=30
        ) as client:
            over = asyncio.Event()
            reads = [asyncio.create_task(self._read(client, service, over)) for service in READS]
            try:
                yield
            finally:
                over.set()
                await asyncio.gather(*reads)

    async def _read(self, client: httpx.AsyncClient, service: str, over: asyncio.Event) -> None:
        url = f"{self.scene.stack.url(service)}/v1/{READS[service]}"
        while not over.is_set():
            try:
                answer = await client.get(url)
            except httpx.HTTPError as error:
                self.answers["none"] += 1
                self.odd.append(f"{service} did not answer: {error!r}")
            else:
                self.answers[str(answer.status_code)] += 1
                if not answer.is_success and not (answer.status_code == 503 and "retry-after" in answer.headers):
                    self.odd.append(f"{service} answered {answer.status_code}: {answer.text[:200]}")
            await asyncio.sleep(PAUSE)


async def rolling_restart(scene: Scene) -> Strike:
    """Each API process and each worker stops when it is asked to, one after another, and the next when it is back."""
    balancer = Balancer(scene.stack)
    readers = Readers(scene, balancer)
    names = sorted(scene.stack.layout.processes, key=lambda name: (name.split("-")[1], name))
    async with balancer.looking(), readers.reading():
        odd = [words for name in names if (words := await _restarted(scene, name))]
    print(f"  {sum(readers.answers.values())} reads meanwhile: {dict(readers.answers)}", flush=True)
    scene.strike()
    return Strike(f"{len(names)} processes", scene.busy(), "; ".join((odd + readers.odd)[:5]))


async def _restarted(scene: Scene, name: str) -> str:
    """Stop a process, see how it ends, and start it again; words where it did not end well and in time."""
    began, since = time.monotonic(), scene.now()
    await asyncio.to_thread(scene.stack.halt, name)
    took = time.monotonic() - began
    ends = [how for process, how in scene.ends(since) if process == name]
    await asyncio.to_thread(scene.stack.resume, name, GIVEN_UP)
    print(f"  {name:22} stopped in {took:4.1f} s ({', '.join(ends)}), ready after {time.monotonic() - began:5.1f} s")
    good = ends == ["exit status 0"] and took <= STOP_WITHIN
    return "" if good else f"{name} was asked to stop: {ends} after {took:.1f} s"


async def kafka_away(scene: Scene) -> Strike:
    """No broker for minutes: APIs stay ready and take what comes; afterwards all of it goes out and is handled."""
    until = time.monotonic() + scene.targets.away
    await asyncio.to_thread(scene.stack.halt, "kafka")
    unready: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=10, verify=plain()) as client:
        while time.monotonic() < until:
            for service in scene.stack.layout.services:
                answer = await client.get(f"{scene.stack.url(service)}/health/ready")
                unready[service] += not answer.is_success
            await asyncio.sleep(1)
    landed, waiting = scene.busy(), await asyncio.to_thread(_unsent, scene)
    scene.strike()
    await asyncio.to_thread(scene.stack.resume, "kafka")
    back = time.monotonic() - scene.struck_at
    while (left := await _left(scene)) is None or left:
        if time.monotonic() - scene.struck_at > GIVEN_UP:
            return Strike("kafka", landed, f"{left} events and records are left after {GIVEN_UP:.0f} s")
        await asyncio.sleep(0.2)
    drained = time.monotonic() - scene.struck_at
    print(f"  {waiting} events waited; broker back after {back:.1f} s, all sent and handled after {drained:.1f} s")
    return Strike("kafka", landed, "; ".join(f"{name} was not ready" for name, times in unready.items() if times))


def _unsent(scene: Scene) -> int:
    """Events of all services that are committed and not on their topics yet."""
    counted = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
    return sum(int(rows(scene.stack, service, counted)[0][0]) for service in scene.stack.layout.services)


async def _left(scene: Scene) -> int | None:
    """What workers have still to send, read or do, all in all; None while one of them cannot tell."""
    said = [await scene.progress(f"{service}-worker") for service in scene.stack.layout.services]
    if any(each.get(what) is None for each in said for what in LEFT):
        return None
    return sum(each[what] for each in said for what in LEFT)


APIS: Final = tuple(f"{service}-api" for service in READS)
KINDS: Final[dict[str, Kind]] = {"rolling-restart": rolling_restart, "kafka-away": kafka_away}
ANSWERS: Final = {"rolling-restart": {"ok", "refused"}, "kafka-away": {"ok"}}
"""How posts may end while these go on."""
