"""What runs where in one local stack: ports, addresses, roles. Plain values; written to `stack.json`."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bellwether.engines import postgres
from bellwether.engines.ports import LOOPBACK, free_ports
from bellwether.errors import BellwetherError, NotUp
from bellwether.home import Home
from bellwether.stack import access
from bellwether_kit.events.kafka import connection_options
from bellwether_kit.settings import KafkaSettings

SERVICES = ("profile", "stakeholder", "metrics", "scoring", "plan")
ROLES = ("owner", "api", "worker")
DEFAULT_PORTS = {"postgres": 5433, "kafka": 9092, "kafka-controller": 9093}
DEFAULT_PORTS |= {f"{service}-api": 8101 + place for place, service in enumerate(SERVICES)}
DEFAULT_PORTS |= {f"{service}-worker": 8201 + place for place, service in enumerate(SERVICES)}


class WrongPort(BellwetherError):
    """A port setting is not a number from 1 to 65535."""


@dataclass(frozen=True)
class Layout:
    """Every address of one stack. An engine without a port of ours is a server that somebody else runs."""

    home: Path
    postgres_url: str
    kafka_bootstrap: str
    ports: dict[str, int]
    services: tuple[str, ...]
    clock: bool = False
    secure: bool = False
    supervisor_pid: int = 0

    def database_url(self, service: str, role: str) -> str:
        """The service's database as one of its three roles."""
        host = self.postgres_url.partition("://")[2].rpartition("@")[2].partition("/")[0]
        return f"postgresql://{service}_{role}@{host}/{service}"

    def url(self, process: str) -> str:
        """The base URL of an API (`metrics`, `metrics-api`) or of a worker's health port (`metrics-worker`)."""
        port = self.ports.get(process) or self.ports[f"{process}-api"]
        return f"http://{LOOPBACK}:{port}"

    def kafka_variables(self, user: str) -> dict[str, str]:
        """What a process is told of the broker; where this stack's own is locked, the user's password too."""
        told = {"BELLWETHER_KAFKA_BOOTSTRAP": self.kafka_bootstrap}
        if not self.runs("kafka"):
            return told  # the rest is in the environment, as the address was
        if not self.secure:
            return told | {"BELLWETHER_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
        return told | access.variables(Home(self.home), user)

    @property
    def kafka_settings(self) -> KafkaSettings:
        """How this stack's administrator speaks to the broker."""
        return KafkaSettings(**self.kafka_variables(access.ADMINISTRATOR))  # type: ignore[arg-type]

    @property
    def kafka_options(self) -> dict[str, Any]:
        """The same, as arguments of any of aiokafka's clients, with the patience that a broker needs to start."""
        return connection_options(self.kafka_settings) | {"request_timeout_ms": 40_000}

    @property
    def processes(self) -> dict[str, tuple[str, str]]:
        """Service and kind (api or worker) of each process of the services, by name; `metrics-api-2` is a replica."""
        parts = {name: name.split("-") for name in self.ports}
        return {name: (part[0], part[1]) for name, part in parts.items() if part[0] in self.services}

    @property
    def brokers(self) -> list[str]:
        """The processes of this stack's own Kafka: kafka, kafka-2, kafka-3; none where somebody else runs it."""
        return brokers_among(self.ports)

    def runs(self, engine: str) -> bool:
        """Whether this stack itself runs the engine."""
        return engine in self.ports

    def with_supervisor(self, pid: int) -> "Layout":
        """The same, once its supervisor runs."""
        return replace(self, supervisor_pid=pid)

    def write(self) -> None:
        """Record it in the home, whole or not at all."""
        record = Home(self.home).record
        fresh = record.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self) | {"home": str(self.home)}, indent=2))
        fresh.replace(record)

    @classmethod
    def read(cls, home: Home) -> "Layout":
        """The stack recorded in this home; NotUp when there is none."""
        try:
            record = json.loads(home.record.read_text())
        except FileNotFoundError as error:
            raise NotUp(f"No stack runs from {home.path}: start one with `bellwether up`.") from error
        return cls(**record | {"home": Path(record["home"]), "services": tuple(record["services"])})


def brokers_among(names: Iterable[str]) -> list[str]:
    """Those of a stack's names that are processes of Kafka."""
    return [name for name in names if name.startswith("kafka") and not name.endswith("-controller")]


def planned(
    home: Home,
    services: tuple[str, ...] = SERVICES,
    *,
    any_port: bool = False,
    clock: bool = False,
    secure: bool = False,
    brokers: int = 1,
    replicas: Mapping[str, int] | None = None,
) -> Layout:
    """Lay a stack out from the environment's settings; `any_port` takes whatever is free instead.

    `replicas` says of which processes there are how many, `brokers` of Kafka's; those after the first have free ports.
    """
    postgres_url = os.environ.get("BELLWETHER_POSTGRES_URL", "")
    bootstrap = os.environ.get("BELLWETHER_KAFKA_BOOTSTRAP", "")
    wanted = [] if postgres_url else ["postgres"]
    wanted += [] if bootstrap else ["kafka", "kafka-controller"]
    wanted += [f"{service}-{kind}" for kind in ("api", "worker") for service in services]
    ports = (
        dict(zip(wanted, free_ports(len(wanted)), strict=True)) if any_port else {name: _port(name) for name in wanted}
    )
    further = [f"{name}-{n}" for name, count in (replicas or {}).items() for n in range(2, count + 1)]
    further += [] if bootstrap else [f"kafka-{n}{what}" for n in range(2, brokers + 1) for what in ("", "-controller")]
    ports |= dict(zip(further, free_ports(len(further)), strict=True))
    return Layout(
        home=home.path,
        postgres_url=postgres_url or postgres.admin_url(ports["postgres"]),
        kafka_bootstrap=bootstrap or ",".join(f"{LOOPBACK}:{ports[name]}" for name in brokers_among(ports)),
        ports=ports,
        services=services,
        clock=clock,
        secure=secure,
    )


def port_setting(name: str) -> str:
    """The variable that moves a port: `metrics-api` is BELLWETHER_METRICS_PORT, `kafka` BELLWETHER_KAFKA_PORT."""
    return f"BELLWETHER_{name.removesuffix('-api').replace('-', '_').upper()}_PORT"


def _port(name: str) -> int:
    value = os.environ.get(port_setting(name), str(DEFAULT_PORTS.get(name, "")))
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise WrongPort(f"{port_setting(name)} is {value!r}, which is no port: give a number from 1 to 65535.")
    return int(value)
