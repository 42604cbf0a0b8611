"""Faults of what our processes stand on: the broker, PostgreSQL, connections to both, and the clock."""

import asyncio
import signal
from datetime import timedelta
from typing import Final

import httpx
import psycopg

from bellwether_kit.clock import ReplayClock
from faults import offsets
from faults.processes import Kind
from faults.scene import GIVEN_UP, Scene, Strike

LOSE_WITHIN: Final = 5.0
REWOUND: Final = 300
"""Records of each partition that are handed out again."""


async def kill_kafka(scene: Scene) -> Strike:
    """One broker, of several any."""
    broker = scene.rng.choice(scene.stack.layout.brokers)
    return await _replaced(scene, broker, signal.SIGKILL)


async def kill_postgres(scene: Scene) -> Strike:
    """PostgreSQL stops at once, without a checkpoint."""
    return await _replaced(scene, "postgres", signal.SIGQUIT)


async def _replaced(scene: Scene, engine: str, signal_: int) -> Strike:
    """An engine that ends and comes back. Recovery counts from then: how long it takes to start is not ours."""
    landed, odd = scene.busy(), await scene.replaced(engine, signal_)
    if not odd:
        await asyncio.to_thread(scene.stack.resume, engine, GIVEN_UP)
        scene.strike()
    return Strike(engine, landed, odd)


async def cut_connections(scene: Scene) -> Strike:
    """Every session of one service ends in whatever it was doing."""
    service = scene.rng.choice(("metrics", "metrics", "scoring", "scoring", "plan", "profile", "stakeholder"))
    cut = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = %s AND pid <> pg_backend_pid()
    """
    scene.strike()
    with psycopg.connect(scene.stack.layout.postgres_url, autocommit=True) as server:
        row = server.execute(cut, [service]).fetchone()
    return Strike(service, row is not None and row[0] > 0 and scene.busy())


async def lose_commit(scene: Scene) -> Strike:
    """A COMMIT is done and its answer lost: who asked can't know, and must do the same again without harm."""
    process = scene.rng.choice(sorted(scene.proxies))
    proxy = scene.proxies[process]
    before, busy = proxy.lost, scene.busy()
    await asyncio.sleep(scene.rng.random())
    scene.strike()
    proxy.arm()
    for _ in range(round(LOSE_WITHIN / 0.05)):
        await asyncio.sleep(0.05)
        if proxy.lost > before:
            break
    proxy.disarm()
    return Strike(process, busy and proxy.lost > before)


async def send_again(scene: Scene) -> Strike:
    """Events that were published are published once more."""
    service = scene.rng.choice(scene.targets.senders)
    again = """
        UPDATE outbox SET published_at = NULL
        WHERE id IN (SELECT id FROM outbox WHERE published_at IS NOT NULL ORDER BY random() LIMIT 50)
    """
    base = scene.stack.layout.postgres_url.rpartition("/")[0]
    scene.strike()
    with psycopg.connect(f"{base}/{service}", autocommit=True) as database:
        sent = database.execute(again).rowcount
    return Strike(service, sent > 0)


async def rewind_offsets(scene: Scene) -> Strike:
    """A group is set back to records that it had handled: it gets them all again."""
    worker = scene.rng.choice(scene.targets.workers)
    halted = [name for name in (worker, f"{worker}-2") if await scene.pid(name)]
    scene.strike()
    await asyncio.gather(*(asyncio.to_thread(scene.stack.halt, each) for each in halted))
    back = await offsets.rewind(scene.stack, worker.removesuffix("-worker"), REWOUND)
    await asyncio.gather(*(asyncio.to_thread(scene.stack.resume, each) for each in halted))
    return Strike(f"{worker} by {back}", back > 0)


async def hang_up(scene: Scene) -> Strike:
    """Clients that send half a request, or do not wait for the answer."""
    url = httpx.URL(scene.stack.url("metrics"))
    scene.strike()
    for cut in (40, 400):
        _, writer = await asyncio.open_connection(url.host, url.port)
        head = "POST /v1/activities HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 9000"
        writer.write("\r\n".join((*head, "", "")).encode() + b'{"items":[' + b" " * cut)
        await writer.drain()
        writer.transport.abort()
    return Strike("metrics-api", scene.busy())


async def jump_clock(scene: Scene) -> Strike:
    """Half an hour passes at once: deadlines come due."""
    scene.strike()
    ReplayClock(scene.stack.home.clock).advance(timedelta(minutes=30))
    return Strike("all", scene.busy())


async def clock_back(scene: Scene) -> Strike:
    """The clock is set right, and goes back by some minutes: what was now lies ahead."""
    minutes = scene.rng.randint(1, 5)
    scene.strike()
    ReplayClock(scene.stack.home.clock).advance(timedelta(minutes=-minutes))
    return Strike(f"all by {minutes} min", scene.busy())


KINDS: Final[dict[str, Kind]] = {
    "kill-kafka": kill_kafka,
    "kill-postgres": kill_postgres,
    "cut-connections": cut_connections,
    "lose-commit": lose_commit,
    "send-again": send_again,
    "rewind-offsets": rewind_offsets,
    "hang-up": hang_up,
    "jump-clock": jump_clock,
    "clock-back": clock_back,
}
