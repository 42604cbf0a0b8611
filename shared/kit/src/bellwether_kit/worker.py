"""The worker process: consumer, relay, timers and cleaning, with a health port; drains on SIGTERM."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bellwether_kit.clock import clock_from
from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.events.batches import BatchProcessor, is_transient
from bellwether_kit.events.consumer import ConsumerLoop
from bellwether_kit.events.kafka import check_extension
from bellwether_kit.events.relay import Relay
from bellwether_kit.events.replays import replay_timer
from bellwether_kit.events.subscriptions import Subscription
from bellwether_kit.faults import fault_point
from bellwether_kit.garbage import collect_seldom
from bellwether_kit.logging import configure_logging
from bellwether_kit.metrics import HALTED, LOOP_LAG, RELAY_LEADS
from bellwether_kit.settings import ServiceSettings
from bellwether_kit.timers import Timer, TimerLoops
from bellwether_kit.workload import Workload, show, work_left

log = structlog.get_logger(__name__)

DRAIN_SECONDS = 8.0
STUCK_SECONDS = 60.0
CLEAN_EVERY_SECONDS = 60.0
STUCK_EXIT = 75
MEASURE_SECONDS = 4.0
"""Two of these end before Prometheus gives up a scrape (10 s)."""

_CLEAN = (
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE published_at < clock_timestamp() - interval '24 hours' LIMIT 5000)
    """,
    """
    DELETE FROM dead_letter WHERE id IN (
        SELECT id FROM dead_letter WHERE replay_outcome IN ('done', 'discarded')
            AND received_at < clock_timestamp() - interval '90 days' LIMIT 5000)
    """,
    # Longer than topics keep records plus the horizon of a replay: a repeat after that cannot come.
    """
    DELETE FROM inbox WHERE (consumer, event_id) IN (
        SELECT consumer, event_id FROM inbox WHERE received_at < clock_timestamp() - interval '60 days' LIMIT 5000)
    """,
    """
    DELETE FROM idempotency WHERE (tenant, route, key) IN (
        SELECT tenant, route, key FROM idempotency WHERE created_at < :now - interval '72 hours' LIMIT 5000)
    """,
)


class Worker:
    """The loops of one worker process and what is known of their state."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        service: str,
        subscriptions: Sequence[Subscription],
        timers: Sequence[Timer],
    ) -> None:
        self.database = Database(settings, source=f"/{service}-svc", clock=clock_from(settings.clock_file))
        processor = BatchProcessor(self.database, subscriptions, consumer=service)
        self._timers = [*timers, replay_timer(processor)]
        self._firing = TimerLoops(self.database, self._timers)
        self._relay = Relay(settings, self.database.dsn, source=f"/{service}-svc")
        self._consumer = ConsumerLoop(settings, processor, group=service)
        self._tasks: list[asyncio.Task[None]] = []
        self._turned_at = time.monotonic()

    async def start(self) -> None:
        """Open the database and start every loop."""
        check_extension()
        await self.database.open()
        loops: list[Any] = [self._consumer, self._relay, self._firing]
        self._tasks = [asyncio.create_task(loop.run()) for loop in loops]
        self._tasks += [asyncio.create_task(self._clean()), asyncio.create_task(self._watch())]

    async def drain(self) -> None:
        """Take no more work, finish what is in hand, and close; what does not finish in time is left uncommitted."""
        self._consumer.stop()
        self._firing.stop()
        working, self._tasks = self._tasks[:-2], self._tasks[-2:]
        await asyncio.wait([working[0], *working[2:]], timeout=DRAIN_SECONDS)
        self._relay.stop()
        await asyncio.wait([working[1]], timeout=DRAIN_SECONDS / 2)
        for task in (*working, *self._tasks):
            task.cancel()
        await asyncio.gather(*working, *self._tasks, return_exceptions=True)
        await self.database.close()

    async def progress(self) -> dict[str, Any]:
        """What is left to do and how much was done; nothing is left anywhere when a stack is quiet."""
        left = await work_left(self.database, self._timers)
        lag = await self._consumer.lag()
        return {
            **asdict(left),
            "lag": lag,
            "progress": self._consumer.handled + self._relay.published + self._firing.fired,
            "halted": self._consumer.halted,
            "relay_leads": self._relay.leads,
            "now": self.database.clock.now().isoformat(),
        }

    async def measure(self) -> None:
        """Bring the gauges up to date; those of an engine that does not answer in time keep what they said last."""
        left: Workload | None = None
        lag: int | None = None
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                left = await work_left(self.database, self._timers)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("metrics.database_away", error=repr(error))
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                lag = await self._consumer.lag()
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("metrics.broker_away", error=repr(error))
            show(left, None, broker=False)
        else:
            show(left, lag, broker=self._consumer.joined)
        HALTED.set(self._consumer.halted is not None)
        RELAY_LEADS.set(self._relay.leads)

    def is_live(self) -> bool:
        """Whether the loop turns and no task died; never a question of dependencies."""
        return time.monotonic() - self._turned_at < 10 and not any(
            task.done() and not self._consumer.halted for task in self._tasks
        )

    def is_ready(self) -> bool:
        """Whether the worker works: live, and not halted by too much poison."""
        return self.is_live() and self._consumer.halted is None

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_EVERY_SECONDS)
            fault_point("in-cleaner")
            for statement in _CLEAN:
                try:
                    async with self.database.unit_of_work(None) as uow:
                        await uow.session.execute(text(statement), {"now": uow.now} if ":now" in statement else {})
                except Exception as error:
                    if not is_transient(error):
                        raise
                    log.warning("cleaner.waits", error=repr(error))

    async def _watch(self) -> None:
        """Measure the loop, and end a process whose consumer stopped moving while there is work (aiokafka #1154)."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(1)
            self._turned_at = time.monotonic()
            LOOP_LAG.set(max(0.0, self._turned_at - before - 1))
            if self._turned_at - self._consumer.progressed_at > STUCK_SECONDS and self._consumer.halted is None:
                await self._exit_if_stuck()

    async def _exit_if_stuck(self) -> None:
        try:
            async with asyncio.timeout(10):
                lag = await self._consumer.lag()
        except Exception as error:  # noqa: BLE001 (whatever it is: the broker can't be asked, which a restart won't mend)
            log.warning("watchdog.cannot_tell", error=repr(error))
            self._consumer.progressed_at = time.monotonic()
            return
        if lag == 0:
            self._consumer.progressed_at = time.monotonic()
            return
        log.critical("watchdog.stuck", lag=lag)
        sys.stdout.flush()
        os._exit(STUCK_EXIT)


def create_worker_app(worker: Worker) -> Starlette:
    """The health port of ``worker``: its lifespan starts and drains the worker."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await worker.start()
        yield
        await worker.drain()

    async def live(_: Request) -> Response:
        return _health(worker.is_live())

    async def ready(_: Request) -> Response:
        return _health(worker.is_ready())

    async def progress(_: Request) -> Response:
        return JSONResponse(await worker.progress())

    async def metrics(_: Request) -> Response:
        await worker.measure()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/health/progress", progress),
        Route("/metrics", metrics),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _health(ok: bool) -> Response:
    return JSONResponse({"status": "ok" if ok else "failing"}, status_code=200 if ok else 503)


def run_worker(
    settings: ServiceSettings, *, service: str, subscriptions: Sequence[Subscription], timers: Sequence[Timer]
) -> None:
    """Run the worker of ``service`` until SIGTERM or SIGINT; exits 0 after a drain of at most 15 s."""
    configure_logging(f"{service}-worker", settings.log_level)
    collect_seldom()
    worker = Worker(settings, service=service, subscriptions=subscriptions, timers=timers)
    # uvicorn raises the signal again once it has shut down: to us a stop that was asked for is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        create_worker_app(worker),
        host=settings.worker_host,
        port=settings.worker_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
