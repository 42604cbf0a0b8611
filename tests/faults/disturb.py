"""What goes wrong in a fault run: a seeded schedule of faults, each of which counts only if its target had work."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg
from aiokafka.errors import KafkaError

from bellwether.errors import BellwetherError
from faults import engines, gentle, processes
from faults.processes import Kind
from faults.scene import GIVEN_UP, RECOVERY, Scene

KINDS: Final[dict[str, Kind]] = processes.KINDS | engines.KINDS
"""What goes wrong in a run."""
ASKED: Final[dict[str, Kind]] = KINDS | gentle.KINDS
"""What one may ask for besides."""
LIMITS: Final = {"kill-worker": 30.0, "kill-other": 30.0}
"""Seconds until work goes on, at most, where it is not 60."""


@dataclass(frozen=True)
class Fault:
    """A fault that was tried: whether it counts, in how many seconds work went on, and what was odd."""

    kind: str
    target: str
    landed: bool
    seconds: float
    odd: str = ""


class Disturbance:
    """Does faults to a running stack, and waits after each until all is ready and work goes on.

    `moves` returns when something that was said after it was called has arrived at the far end, or says what did not.
    `look` is called right after each fault.
    """

    def __init__(
        self,
        scene: Scene,
        log: Path,
        moves: Callable[[float], Awaitable[str]],
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self._scene, self._moves, self._look = scene, moves, look
        self._log = log.open("w")
        self.faults: list[Fault] = []

    async def do(self, kind: str) -> Fault:
        """Do one fault and see work go on; gives what came of it."""
        self._scene.strike()
        try:
            strike = await ASKED[kind](self._scene)
            target, landed, odd = strike.target, strike.landed, strike.odd
            await self._look()
            odd = odd or await self._recovery(LIMITS.get(kind, RECOVERY))
        except (BellwetherError, KafkaError, psycopg.Error, httpx.HTTPError, OSError) as error:
            target, landed, odd = "", False, f"{type(error).__name__}: {error}"
        fault = Fault(kind, target, landed, round(time.monotonic() - self._scene.struck_at, 2), odd)
        self.faults.append(fault)
        self._log.write(json.dumps(asdict(fault)) + "\n")
        self._log.flush()
        return fault

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    async def _recovery(self, limit: float) -> str:
        """Wait until all is ready and something new came through; words when that takes too long."""
        await asyncio.to_thread(self._scene.stack.wait_ready, GIVEN_UP)
        odd = await self._moves(GIVEN_UP)
        took = time.monotonic() - self._scene.struck_at
        return odd or (f"work went on after {took:.1f} s, not {limit:.0f}" if took > limit else "")


def schedule(rng: random.Random, kinds: list[str], count: int) -> list[str]:
    """Kinds in a random order, each as often as the others as far as that goes."""
    rounds = [rng.sample(kinds, len(kinds)) for _ in range(-(-count // len(kinds)))]
    return [kind for each in rounds for kind in each][:count]
