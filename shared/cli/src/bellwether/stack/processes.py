"""The processes of a stack: what each runs and with which variables. Starts nothing."""

import sys
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bellwether.engines.ports import LOOPBACK
from bellwether.engines.program import Program
from bellwether.home import Home
from bellwether.stack.layout import Layout
from bellwether.stack.leftovers import MARK
from bellwether.tokens import AUDIENCE, ISSUER

Variables = Mapping[str, str]


@dataclass(frozen=True)
class Process:
    """One supervised process. `health` is the URL that answers 200 when it is ready; engines have none."""

    name: str
    kind: str  # engine, api or worker
    command: tuple[str, ...]
    folder: Path
    environment: Variables = field(default_factory=dict)
    health: str | None = None
    stop_signal: str = "TERM"
    user: str | None = None

    def with_variables(self, more: Variables) -> "Process":
        """The same with further variables."""
        return replace(self, environment={**self.environment, **more})


def of_engine(program: Program) -> Process:
    """An engine as a process."""
    return Process(
        program.name,
        "engine",
        program.command,
        program.folder,
        program.environment,
        stop_signal=program.stop_signal,
        user=program.user,
    )


def of_services(layout: Layout) -> list[Process]:
    """The APIs and the workers of each service, each with its own database role."""
    shared, make = shared_variables(layout), {"api": _api, "worker": _worker}
    return [make[kind](layout, name, service, shared) for name, (service, kind) in layout.processes.items()]


def shared_variables(layout: Layout) -> dict[str, str]:
    """The variables that all processes of the stack get. What they are told of Kafka, only workers need."""
    home = Home(layout.home)
    variables = {
        "BELLWETHER_JWKS": str(home.jwks),
        "BELLWETHER_JWT_ISSUER": ISSUER,
        "BELLWETHER_JWT_AUDIENCE": AUDIENCE,
        "BELLWETHER_CURSOR_KEY": home.secret("cursor-key"),
        "BELLWETHER_METRICS_SECRET_KEYS": urlsafe_b64encode(bytes.fromhex(home.secret("sealing-key"))).decode(),
        "BELLWETHER_SCORING_SECRET_KEYS": urlsafe_b64encode(bytes.fromhex(home.secret("scoring-sealing-key"))).decode(),
        "BELLWETHER_SCORING_PRIVATE_CHANNELS": "true",
        "PYTHONUNBUFFERED": "1",
    }
    if layout.clock:
        # Where days pass in a moment, ten minutes say nothing about a storm of alerts.
        variables |= {"BELLWETHER_CLOCK_FILE": str(home.clock), "BELLWETHER_SCORING_STORM_ALERTS": "1000000"}
    return variables


def _api(layout: Layout, name: str, service: str, shared: Variables) -> Process:
    port = str(layout.ports[name])
    server = (sys.executable, "-m", "bellwether_kit.http.serve", f"{service}_svc.main:create_app")
    command = (*server, "--host", LOOPBACK, "--port", port)
    variables = {**shared, f"BELLWETHER_{service.upper()}_DATABASE_URL": layout.database_url(service, "api")}
    return Process(name, "api", command, layout.home, variables, f"{layout.url(name)}/health/ready")


def _worker(layout: Layout, name: str, service: str, shared: Variables) -> Process:
    command = (sys.executable, "-m", f"{service}_svc.worker")
    prefix = f"BELLWETHER_{service.upper()}"
    variables = {
        **shared,
        **layout.kafka_variables(service),
        f"{prefix}_DATABASE_URL": layout.database_url(service, "worker"),
        f"{prefix}_WORKER_PORT": str(layout.ports[name]),
    }
    return Process(name, "worker", command, layout.home, variables, f"{layout.url(name)}/health/ready")


def inherited(environment: Variables, home: Path) -> dict[str, str]:
    """What all processes get from the environment we run in: nothing that points into another stack."""
    kept = {name: value for name, value in environment.items() if not name.endswith(("_DATABASE_URL", "_CLOCK_FILE"))}
    return kept | {MARK: str(home)}
