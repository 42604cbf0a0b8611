"""Runs a stack, a load and faults side by side, heals, and judges. Exits 1 when the promise was broken."""

import argparse
import asyncio
import random
import shutil
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from records import TOPICS, read
from rich.console import Console
from rich.table import Table

from bellwether.home import Home
from bellwether.settle import NotSettled, settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock
from faults import journal
from faults.asked import Asked
from faults.disturb import Disturbance, Fault, schedule
from faults.evidence import Evidence, connections, last_events
from faults.judge import Finding, judged
from faults.load import CANARY, CONNECTIONS, TENANTS, Load, Script
from faults.world import Sink, peopled, poison, watched

POISON = 0.005
SECONDS_A_FAULT = 5.0
VARIABLES = {"*": {"BELLWETHER_KAFKA_SESSION_TIMEOUT_MS": "2000"}}


async def run(stack: Stack, asked: Asked, folder: Path) -> tuple[list[Finding], list[Fault]]:
    """One fault run on a stack that is up."""
    rng, sink = random.Random(asked.seed), Sink()
    await asyncio.to_thread(peopled, stack)
    await asyncio.to_thread(watched, stack, await sink.open())
    baseline = connections(stack)
    tokens = {tenant: stack.token(tenant, ttl=86_400) for tenant in (*TENANTS, CANARY)}
    log = journal.Journal(folder / "journal.jsonl")
    script = Script(asked.seed, asked.events)
    # As long as the faults take: a load that is over disturbs nobody.
    pace = CONNECTIONS * asked.faults * SECONDS_A_FAULT / len(list(script.posts()))
    load = Load(stack.url("metrics"), tokens, log, script, pace)
    disturbance = Disturbance(stack, rng, folder / "faults.jsonl", lambda: not posting.done(), asked.targets)
    kinds = [kind for kind in disturbance.kinds if asked.kinds is None or kind in asked.kinds]
    posting = asyncio.create_task(load.run())
    laid = []
    for kind in schedule(rng, kinds, asked.faults):
        laid += await poison(stack, rng, max(1, round(asked.events * POISON / asked.faults)))
        fault = await disturbance.do(kind)
        print(_line(fault), flush=True)
        await asyncio.sleep(rng.random())
    await posting
    log.close()
    disturbance.close()
    calm, restless = await asyncio.to_thread(_finale, stack, asked.patience)
    evidence = Evidence(
        stack,
        journal.read(log.path),
        disturbance.faults,
        laid,
        sink,
        await read(stack, *TOPICS, *(f"{topic}-dlq" for topic in TOPICS)),
        baseline,
        calm,
        restless,
    )
    findings = await judged(evidence)
    sink.close()
    print(f"{load.taken} activities taken in {load.done} posts: {dict(evidence.told.outcomes)}")
    return findings, disturbance.faults


def _line(fault: Fault) -> str:
    landed = "landed" if fault.landed else "missed"
    return f"{fault.kind:16} {fault.target:34} {landed} {fault.seconds:6.1f} s {fault.odd}"


def _finale(stack: Stack, patience: float) -> tuple[dict[str, int], list[str]]:
    """Restart every process of ours, wait until nothing is left to do, and let days pass.

    Gives the last event of each service before those days, and what did not come to rest within `patience` seconds.
    """
    with ThreadPoolExecutor() as pool:
        list(
            pool.map(stack.restart, [f"{name}-{kind}" for name in stack.layout.services for kind in ("worker", "api")])
        )
    restless = _settled(stack, patience)
    calm = last_events(stack)
    # What failed to be told is tried again after hours; after days each account has another score.
    ReplayClock(stack.home.clock).advance(timedelta(days=3))
    return calm, restless + _settled(stack, patience)


def _settled(stack: Stack, patience: float) -> list[str]:
    """Wait until a stack is quiet; words when it does not become so."""
    try:
        settle(stack, patience)
    except NotSettled as error:
        return [str(error)]
    return []


def shown(findings: list[Finding], faults: list[Fault], console: Console) -> bool:
    """Print what was found; True when nothing was broken."""
    times: dict[str, list[float]] = defaultdict(list)
    for fault in faults:
        if fault.landed:
            times[fault.kind].append(fault.seconds)
    table = Table("fault", "landed", "longest until ready (s)")
    for kind, seconds in times.items():
        table.add_row(kind, str(len(seconds)), f"{max(seconds):.1f}")
    console.print(table)
    table = Table("invariant", "checked", "violations")
    for finding in findings:
        table.add_row(finding.name, f"{finding.checked:,}", str(len(finding.violations)))
    console.print(table)
    for finding in findings:
        for words in finding.violations[:5]:
            console.print(f"[red]{finding.name}[/red]: {words}", markup=True, highlight=False)
    return not any(finding.violations for finding in findings)


def main() -> int:
    """Parse what is asked, run it, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--faults", type=int, default=18)
    parser.add_argument("--only", default=None, help="one kind of fault")
    parser.add_argument("--secure", action="store_true", help="lock Kafka: TLS, a login and access rules per service")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="of Kafka; one at a time is killed")
    said = parser.parse_args()
    seed = said.seed if said.seed is not None else random.SystemRandom().randrange(10**6)
    asked = Asked(seed, said.events, said.faults, (said.only,) if said.only else None)
    folder = Path(mkdtemp(prefix="bellwether-faults-"))
    folder.chmod(0o755)
    console = Console()
    console.print(f"seed {asked.seed}, {asked.events:,} activities, {asked.faults} faults")
    kafka = {"secure": said.secure, "brokers": said.brokers}
    stack = Stack(Home(folder), any_port=True, clock=True, variables=VARIABLES, **kafka)
    began = time.monotonic()
    stack.start()
    try:
        findings, faults = asyncio.run(run(stack, asked, folder))
    finally:
        stack.stop()
    good = shown(findings, faults, console)
    landed = [fault.kind for fault in faults if fault.landed]
    console.print(
        f"{len(landed)} faults of {len(set(landed))} kinds landed; {time.monotonic() - began:.0f} s; "
        + ("the promise holds" if good else f"BROKEN: seed {asked.seed}, journal, faults and logs in {folder}")
    )
    if good:
        shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
