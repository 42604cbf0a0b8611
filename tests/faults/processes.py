"""Faults of our own processes: killed, stopped, frozen, ended by themselves, joined by another and left again."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bellwether.errors import BellwetherError
from faults.asked import BUSY_WORKERS
from faults.scene import GIVEN_UP, STOP_WITHIN, Scene, Strike

OTHERS: Final = ("plan-worker", "profile-worker", "stakeholder-worker")
APIS: Final = ("metrics-api", "metrics-api", "metrics-api", "profile-api", "stakeholder-api")
"""Of whom an API is chosen: most of the load goes to the first."""
REPLICAS: Final = dict.fromkeys(BUSY_WORKERS, 2)
CRASHED: Final = "exit status 137"
Kind = Callable[[Scene], Coroutine[Any, Any, Strike]]


def _worker(scene: Scene) -> str:
    return scene.rng.choice(scene.targets.workers)


async def _ended(scene: Scene, process: str, signal_: int, landed: bool) -> Strike:
    """A process that a signal ends; one that was asked to stop must say that all is well."""
    since = scene.now()
    odd = await scene.replaced(process, signal_)
    ends = [how for name, how in scene.ends(since) if name == process]
    if not odd and signal_ == signal.SIGTERM and ends[:1] != ["exit status 0"]:
        odd = f"{process} was asked to stop and ended with {ends}"
    return Strike(process, landed, odd)


async def kill_worker(scene: Scene) -> Strike:
    worker = _worker(scene)
    return await _ended(scene, worker, signal.SIGKILL, await scene.has_work(worker))


async def kill_other(scene: Scene) -> Strike:
    worker = scene.rng.choice(OTHERS)
    return await _ended(scene, worker, signal.SIGKILL, await scene.has_work(worker))


async def stop_worker(scene: Scene) -> Strike:
    worker = scene.rng.choice((*scene.targets.workers, *OTHERS))
    return await _ended(scene, worker, signal.SIGTERM, await scene.has_work(worker))


async def kill_api(scene: Scene) -> Strike:
    return await _ended(scene, scene.rng.choice(APIS), signal.SIGKILL, scene.busy())


async def stop_api(scene: Scene) -> Strike:
    return await _ended(scene, scene.rng.choice(APIS), signal.SIGTERM, scene.busy())


async def freeze_worker(scene: Scene) -> Strike:
    """A worker that answers nothing for longer than its session: its partitions go elsewhere, then it wakes."""
    worker = _worker(scene)
    return await _frozen(scene, worker, await scene.has_work(worker))


async def freeze_api(scene: Scene) -> Strike:
    """An API that takes connections and answers none."""
    return await _frozen(scene, scene.rng.choice(APIS), scene.busy())


async def _frozen(scene: Scene, process: str, landed: bool) -> Strike:
    scene.strike()
    pid = await asyncio.to_thread(scene.stack.kill, process, signal.SIGSTOP)
    try:
        await asyncio.sleep(4)
    finally:
        os.kill(pid, signal.SIGCONT)
    return Strike(process, landed)


async def crash_worker(scene: Scene) -> Strike:
    """A worker that dies at a point of its own code, in the middle of its work, and then knows nothing of it."""
    worker, point = _worker(scene), scene.rng.choice(scene.targets.crashes)
    await asyncio.to_thread(scene.stack.halt, worker)
    scene.strike()
    since = scene.now()
    scene.stack.equip(worker, {"BELLWETHER_FAULT": f"{point}:{scene.rng.randint(1, scene.targets.hits)}"})
    try:
        await asyncio.to_thread(scene.stack.resume, worker)
    except BellwetherError:
        if (worker, CRASHED) not in scene.ends(since):
            raise
    finally:
        scene.stack.equip(worker, {"BELLWETHER_FAULT": ""})
    crashed = False
    for _ in range(60):
        crashed = (worker, CRASHED) in scene.ends(since)
        if crashed:
            scene.strike()
            break
        await asyncio.sleep(0.1)
    else:
        await asyncio.to_thread(scene.stack.restart, worker)
    return Strike(f"{worker} {point}", crashed)


async def add_worker(scene: Scene) -> Strike:
    """A second worker joins: partitions move to it while there is work."""
    worker = f"{scene.rng.choice(BUSY_WORKERS)}-2"
    if await scene.pid(worker):
        await asyncio.to_thread(scene.stack.halt, worker)
    landed = scene.busy()
    scene.strike()
    await asyncio.to_thread(scene.stack.resume, worker, GIVEN_UP)
    return Strike(worker, landed, await _has_share(scene, worker))


async def _has_share(scene: Scene, worker: str) -> str:
    """Wait until a worker has partitions: before, it knows no lag. Words where it gets none."""
    while time.monotonic() - scene.struck_at < GIVEN_UP:
        if (await scene.progress(worker)).get("lag") is not None:
            return ""
        await asyncio.sleep(0.2)
    return f"{worker} got no partitions"


async def remove_worker(scene: Scene) -> Strike:
    """A second worker leaves in the middle of its work, as it was asked to: partitions move back."""
    worker = f"{scene.rng.choice(BUSY_WORKERS)}-2"
    if not await scene.pid(worker):
        await asyncio.to_thread(scene.stack.resume, worker, GIVEN_UP)
        scene.strike()
        await _has_share(scene, worker)
    landed, since = scene.busy(), scene.now()
    scene.strike()
    await asyncio.to_thread(scene.stack.halt, worker)
    took = time.monotonic() - scene.struck_at
    ends = [how for name, how in scene.ends(since) if name == worker]
    good = ends == ["exit status 0"] and took <= STOP_WITHIN
    return Strike(worker, landed, "" if good else f"{worker} was asked to stop: {ends} after {took:.1f} s")


KINDS: Final[dict[str, Kind]] = {
    "kill-worker": kill_worker,
    "kill-other": kill_other,
    "stop-worker": stop_worker,
    "freeze-worker": freeze_worker,
    "crash-worker": crash_worker,
    "add-worker": add_worker,
    "remove-worker": remove_worker,
    "kill-api": kill_api,
    "stop-api": stop_api,
    "freeze-api": freeze_api,
}
