"""How a stack is: for each process its state, pid and health, and every address a person or a test needs."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import httpx

from bellwether.engines import postgres
from bellwether.engines.ports import answers
from bellwether.stack.layout import ROLES, SERVICES, Layout
from bellwether.stack.supervisor import State


@dataclass(frozen=True)
class ProcessStatus:
    """One process. `state` is supervisord's word; `health` is ok, failing or unreachable."""

    name: str
    kind: str  # engine, api or worker
    url: str | None
    pid: int | None
    state: str
    health: str


@dataclass(frozen=True)
class StackStatus:
    """The whole stack, as `bellwether status --json` prints it."""

    home: str
    kafka_bootstrap: str
    kafka_protocol: str
    postgres_url: str
    databases: dict[str, dict[str, str]]
    clock_file: str | None
    jwks: str
    processes: tuple[ProcessStatus, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether everything runs and says so."""
        return all(process.health == "ok" for process in self.processes)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"healthy": self.is_healthy}


def status(layout: Layout, states: dict[str, State]) -> StackStatus:
    """Ask every process, side by side; takes 2 s at the most."""
    with ThreadPoolExecutor(16) as pool:
        processes = tuple(pool.map(lambda state: _process(layout, state), states.values()))
    order = {"engine": 0, "api": 1, "worker": 2}
    return StackStatus(
        home=str(layout.home),
        kafka_bootstrap=layout.kafka_bootstrap,
        kafka_protocol=layout.kafka_settings.kafka_security_protocol,
        postgres_url=layout.postgres_url,
        databases={service: {role: layout.database_url(service, role) for role in ROLES} for service in SERVICES},
        clock_file=str(layout.home / "clock") if layout.clock else None,
        jwks=str(layout.home / "jwks.json"),
        processes=tuple(sorted(processes, key=lambda process: order[process.kind])),
    )


def _process(layout: Layout, state: State) -> ProcessStatus:
    _, kind = layout.processes.get(state.name, ("", "engine"))
    url = layout.url(state.name) if kind != "engine" else None
    health = ask(f"{url}/health/ready") if url else _engine(layout, state.name)
    return ProcessStatus(state.name, kind, url, state.pid or None, state.word, health)


@cache
def plain() -> ssl.SSLContext:
    """For clients that speak to this machine only, without certificates: to load those takes longer than to ask."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def ask(url: str) -> str:
    """A health route's answer in one word: ok, failing or unreachable."""
    try:
        return "ok" if httpx.get(url, timeout=2, verify=plain()).status_code == httpx.codes.OK else "failing"
    except httpx.TransportError:
        return "unreachable"


def _engine(layout: Layout, name: str) -> str:
    alive = postgres.answers(layout.postgres_url) if name == "postgres" else answers(layout.ports[name])
    return "ok" if alive else "unreachable"
