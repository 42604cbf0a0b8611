"""Runs a stack, a load and faults side by side, heals, and judges. Exits 1 when the promise was broken."""

import argparse
import asyncio
import random
import shutil
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from bellwether.home import Home
from bellwether.stack import Stack
from faults import gentle
from faults.asked import Asked, Targets
from faults.disturb import ASKED, Fault
from faults.judge import Finding
from faults.processes import REPLICAS
from faults.proxy import Proxy
from faults.run import run
from faults.shown import shown

VARIABLES = {"*": {"BELLWETHER_KAFKA_SESSION_TIMEOUT_MS": "2000"}}
PROXIED = {"metrics-api": "metrics_api", "metrics-worker": "metrics_worker", "scoring-worker": "scoring_worker"}
"""Processes that reach PostgreSQL by a proxy, with their role."""


def opened(folder: Path, *, secure: bool = False, brokers: int = 1, apis: int = 1) -> tuple[Stack, dict[str, Proxy]]:
    """A stack that is not started, and the proxies before some of its processes."""
    proxies = {name: Proxy(lambda: stack.layout.ports["postgres"]) for name in PROXIED}
    variables: dict[str, dict[str, str]] = dict(VARIABLES)
    for name, proxy in proxies.items():
        proxy.open()
        role, service = PROXIED[name], name.partition("-")[0]
        url = f"postgresql://{role}@127.0.0.1:{proxy.port}/{service}"
        variables[name] = {f"BELLWETHER_{service.upper()}_DATABASE_URL": url}
    stack = Stack(
        Home(folder),
        any_port=True,
        clock=True,
        secure=secure,
        brokers=brokers,
        replicas=REPLICAS | dict.fromkeys(gentle.APIS, apis),
        variables=variables,
    )
    return stack, proxies


def disturbed(said: argparse.Namespace, asked: Asked, folder: Path) -> tuple[list[Finding], list[Fault]]:
    """A run on a stack of its own."""
    # Restarted in turn, every API needs a second process, which answers meanwhile.
    apis = 2 if said.only == "rolling-restart" else 1
    stack, proxies = opened(folder, secure=said.secure, brokers=said.brokers, apis=apis)
    stack.start()
    try:
        return asyncio.run(run(stack, asked, folder, proxies))
    finally:
        stack.stop()
        for proxy in proxies.values():
            proxy.close()


def parsed() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--events", type=int, default=Asked.events)
    parser.add_argument("--faults", type=int, default=Asked.faults)
    parser.add_argument("--minutes", type=float, default=None, help="go on disturbing so long, however many faults")
    parser.add_argument("--only", default=None, choices=sorted(ASKED), help="one kind of fault")
    parser.add_argument("--away", type=float, default=120.0, help="seconds without a broker: --only kafka-away")
    parser.add_argument("--secure", action="store_true", help="lock Kafka: TLS, a login and access rules per service")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="of Kafka; one at a time is killed")
    return parser.parse_args()


def main() -> int:
    """Parse what is asked, run it, and say what came of it."""
    said = parsed()
    seed = said.seed if said.seed is not None else random.SystemRandom().randrange(10**6)
    kinds = (said.only,) if said.only else None
    asked = Asked(seed, said.events, said.faults, kinds, targets=Targets(away=said.away), minutes=said.minutes)
    folder = Path(mkdtemp(prefix="bellwether-faults-"))
    folder.chmod(0o755)
    console = Console()
    span = f"{asked.minutes:g} minutes of faults" if asked.minutes else f"{asked.faults} faults"
    console.print(f"seed {asked.seed}, {asked.events:,} activities, {span}")
    began = time.monotonic()
    findings, faults = disturbed(said, asked, folder)
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
