"""One fault run on a stack that is up: load and faults side by side, the finale, and what is left for the judge."""

import asyncio
import math
import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, count, takewhile
from pathlib import Path
from typing import Final

from records import TOPICS

from bellwether.settle import NotSettled, settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock
from faults import journal, offsets
from faults.arrival import arrived
from faults.asked import Asked, Targets
from faults.balancer import Balancer
from faults.disturb import KINDS, Disturbance, Fault, schedule
from faults.edits import Edits
from faults.evidence import Evidence
from faults.judge import Finding, judged
from faults.load import CANARY, TENANTS, Load, Script
from faults.lookout import Lookout
from faults.poison import Poison, lay
from faults.processes import REPLICAS
from faults.proxy import Proxy
from faults.readers import SERVICES
from faults.replays import replayed
from faults.scene import Scene
from faults.sizes import Sizes, measured
from faults.topics import lines
from faults.world import Seen, Sink, peopled, rows, watched

POISON: Final = 0.005
SECONDS_A_FAULT: Final = 5.0
_LAST: Final = "SELECT coalesce(max(id), 0) FROM outbox"


class Run:
    """The parts of one run, made before the first fault."""

    def __init__(self, stack: Stack, asked: Asked, folder: Path, proxies: Mapping[str, Proxy]) -> None:
        self.stack, self.asked = stack, asked
        self.kinds = [kind for kind in asked.kinds or KINDS if kind not in _impossible(stack, proxies)]
        self.rng = random.Random(asked.seed)
        self.script = Script(asked.seed, asked.events)
        tokens = {tenant: stack.token(tenant, ttl=86_400) for tenant in (*TENANTS, CANARY)}
        self.told, self.edited = (journal.Journal(folder / f"{name}.jsonl") for name in ("journal", "edits"))
        self.load = Load(stack.url("metrics"), tokens, self.told, self.script, self._allowed)
        self.edits = Edits(stack.url, tokens, self.edited, asked.seed, self.script.accounts)
        self.balancer = Balancer(stack)
        self.load.transport = self.edits.transport = self.balancer.transport
        self.lookout = Lookout(stack, Seen(stack))
        scene = Scene(stack, self.rng, self.busy, asked.targets, proxies)
        self.disturbance = Disturbance(scene, folder / "faults.jsonl", self._moves, self.lookout.look)
        self.poison: list[Poison] = []
        self._posting: asyncio.Task[None] | None = None
        self._began = self._ended = time.monotonic()
        self._over = False

    def _allowed(self) -> float:
        """The share of the load that may have begun: that of the faults, of the one in hand more and more."""
        if self._over:
            return 1.0
        if self.asked.minutes is not None:
            return (time.monotonic() - self._began) / 60 / self.asked.minutes
        faults = self.disturbance.faults
        in_hand = time.monotonic() - self._ended
        return (len(faults) + 1 - math.exp(-in_hand / SECONDS_A_FAULT)) / self.asked.faults

    def busy(self) -> bool:
        """Whether there is still something to post."""
        return self._posting is not None and not self._posting.done()

    async def disturb(self) -> None:
        """Load and faults, until both are over."""
        async with self.balancer.looking():
            await self._disturb()
        for each in (self.told, self.edited, self.disturbance):
            each.close()

    async def _disturb(self) -> None:
        self._began = self._ended = time.monotonic()
        self._posting = asyncio.create_task(self.load.run())
        editing = asyncio.create_task(self.edits.run(self.busy))
        minutes = self.asked.minutes
        share = self.asked.events * POISON / (minutes * 60 / SECONDS_A_FAULT if minutes else self.asked.faults)
        for kind in self._kinds():
            self.poison += await lay(self.stack, self.rng, max(1, round(share)))
            fault = await self.disturbance.do(kind)
            self._ended = time.monotonic()
            landed = "landed" if fault.landed else "missed"
            print(f"{kind:16} {fault.target:34} {landed} {fault.seconds:6.1f} s {fault.odd}", flush=True)
            await asyncio.sleep(self.rng.random())
        self._over = True
        await self._posting
        await editing

    def _kinds(self) -> Iterator[str]:
        """The kinds of faults to do: so many, or for so long."""
        if self.asked.minutes is None:
            yield from schedule(self.rng, self.kinds, self.asked.faults)
            return
        until = time.monotonic() + self.asked.minutes * 60
        rounds = (schedule(self.rng, self.kinds, len(self.kinds)) for _ in count())
        yield from takewhile(lambda _: time.monotonic() < until, chain.from_iterable(rounds))

    async def _moves(self, within: float) -> str:
        return await arrived(self.stack, self.load, within)


def _impossible(stack: Stack, proxies: Mapping[str, Proxy]) -> set[str]:
    """Kinds of faults that a stack can't have: of workers that it has not, or of proxies."""
    replicas = {f"{name}-{number}" for name, number in REPLICAS.items()}
    kinds = set() if replicas <= stack.layout.processes.keys() else {"add-worker", "remove-worker"}
    return kinds if proxies else kinds | {"lose-commit"}


async def run(
    stack: Stack, asked: Asked, folder: Path, proxies: Mapping[str, Proxy] | None = None
) -> tuple[list[Finding], list[Fault]]:
    """One fault run on a stack that is up; without proxies no COMMIT is lost."""
    sink = Sink()
    parts = Run(stack, asked, folder, proxies or {})
    await asyncio.to_thread(peopled, stack, parts.script.accounts)
    await asyncio.to_thread(watched, stack, await sink.open())
    before = await asyncio.to_thread(measured, stack)
    for name, number in REPLICAS.items():
        if "add-worker" in parts.kinds:
            await asyncio.to_thread(stack.halt, f"{name}-{number}")
    await parts.disturb()
    end = await asyncio.to_thread(finale, stack, asked.patience)
    load, edits = parts.load, parts.edits
    evidence = Evidence(
        Seen(stack),
        journal.read(parts.told.path),
        journal.read(parts.edited.path),
        parts.disturbance.faults,
        parts.poison,
        sink,
        await lines(stack, *TOPICS, *(f"{topic}-dlq" for topic in TOPICS)),
        parts.lookout,
        await offsets.lags(stack, SERVICES),
        end.ends,
        before,
        end.sizes,
        end.calm,
        end.restless,
        end.replayed,
    )
    findings = await judged(evidence)
    sink.close()
    print(f"{load.taken} activities taken in {load.done} posts: {dict(evidence.told.outcomes)}")
    print(f"{edits.done} posts of accounts and people taken: {dict(evidence.edited.outcomes)}")
    return findings, parts.disturbance.faults


@dataclass
class End:
    """How processes ended when they were asked to, what all took before that, and the rest of what `Evidence` tells."""

    ends: list[tuple[str, str]]
    sizes: Sizes
    calm: dict[str, int]
    restless: list[str]
    replayed: tuple[int, list[str]]


def finale(stack: Stack, patience: float) -> End:
    """Drain, restart every process of ours, wait until nothing is left to do, and let days pass."""
    restless = _settled(stack, patience)
    sizes = measured(stack)
    scene = Scene(stack, random.Random(0), lambda: False, Targets())
    since = scene.now()
    with ThreadPoolExecutor() as pool:
        list(
            pool.map(stack.restart, [f"{name}-{kind}" for name in stack.layout.services for kind in ("worker", "api")])
        )
    ends = scene.ends(since)
    restless += _settled(stack, patience)
    calm = {name: int(rows(stack, name, _LAST)[0][0]) for name in SERVICES}
    # What failed to be told is tried again after hours; after days each account has another score.
    ReplayClock(stack.home.clock).advance(timedelta(days=3))
    restless += _settled(stack, patience)
    return End(ends, sizes, calm, restless, replayed(stack, patience) if not restless else (0, []))


def _settled(stack: Stack, patience: float) -> list[str]:
    """Wait until a stack is quiet; words when it does not become so."""
    try:
        settle(stack, patience)
    except NotSettled as error:
        return [str(error)]
    return []
