"""docker-compose.yml without Docker: it fits the Compose Specification, and starts what we promise.

That images build and containers start is not checked here: it needs a Docker engine. Where the compose command is
installed, its own `config` reads the file too.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bellwether.stack.layout import DEFAULT_PORTS, SERVICES

Verdict = Callable[[Iterable[object]], None]

Compose = dict[str, Any]
ENGINES = {"postgres", "kafka"}
JOBS = {"keys", "topics", "databases", *(f"{name}-migrate" for name in SERVICES)}
PROCESSES = {f"{name}-{kind}" for name in SERVICES for kind in ("api", "worker")}
IMAGES = {"postgres": "postgres:18", "kafka": "apache/kafka:4.3.0"}


@pytest.fixture(scope="module")
def compose(root: Path) -> Compose:
    loaded: Compose = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def wrong(compose: Compose) -> Iterator[str]:
    """Yield what is not as promised: who runs, as whom, when it starts, how its health is known."""
    services: Mapping[str, Compose] = compose["services"]
    for name in sorted({*ENGINES, *JOBS, *PROCESSES} ^ services.keys()):
        yield f"{name}: is missing or unknown: there are two engines, jobs, five APIs and five workers"
    for name, service in services.items():
        yield from (f"{name}: {line}" for line in _of_service(name, service, services))
        if name in PROCESSES:
            yield from (f"{name}: {line}" for line in _of_process(name, service))


def _of_service(name: str, service: Compose, services: Mapping[str, Compose]) -> Iterator[str]:
    if "restart" not in service:
        yield "has no restart policy"
    if name in ENGINES and ("healthcheck" not in service or service.get("user") in {None, "root"}):
        yield "an engine has a healthcheck and a user that is not root"
    if name in IMAGES and service.get("image") != IMAGES[name]:
        yield f"runs {service.get('image')}, and everywhere else it is {IMAGES[name]}"
    if name not in ENGINES and service.get("build", {}).get("dockerfile") != "deploy/Dockerfile":
        yield "is built by deploy/Dockerfile, which has a user and a healthcheck"
    for needed, how in service.get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in JOBS else "service_healthy"
        if needed not in services or how.get("condition") != wanted:
            yield f"depends_on {needed} must say condition: {wanted}"


def _of_process(name: str, service: Compose) -> Iterator[str]:
    port, database = DEFAULT_PORTS[name], name.rpartition("-")[0]
    environment = service["environment"]
    if service.get("ports") != [f"127.0.0.1:{port}:{port}"]:
        yield f"publishes {port} on the loopback address, as `bellwether up` does"
    if str(environment.get("HEALTH_PORT")) != str(port):
        yield f"HEALTH_PORT is where it listens: {port}"
    url = str(environment.get(f"BELLWETHER_{database.upper()}_DATABASE_URL"))
    role = name.replace("-", "_")
    if not url.startswith(f"postgresql://{role}:") or not url.endswith(f"/{database}"):
        yield f"uses its own database as its own role {role}"
    if f"{database}-migrate" not in service.get("depends_on", {}):
        yield f"starts when {database}-migrate is done"


def test_the_file_fits_the_compose_specification(compose: Compose, root: Path, nothing: Verdict) -> None:
    schema = json.loads((root / "tests/architecture/data/compose-spec.json").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(compose)
    nothing(f"{error.json_path}: {error.message}" for error in errors)


def test_the_file_starts_what_we_promise(compose: Compose, nothing: Verdict) -> None:
    nothing(wrong(compose))


def test_the_compose_command_reads_the_file_where_it_is_installed(root: Path) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the compose command is not installed")
    command = [docker, "compose", "--file", str(root / "docker-compose.yml"), "config", "--quiet"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("service", "field", "value", "mend"),
    [
        ("kafka", "user", "root", "a user that is not root"),
        ("kafka", "image", "apache/kafka:latest", "everywhere else it is apache/kafka:4.3.0"),
        ("postgres", "healthcheck", None, "has a healthcheck"),
        ("metrics-api", "restart", None, "no restart policy"),
        ("metrics-api", "build", {"dockerfile": "Dockerfile"}, "is built by deploy/Dockerfile"),
        ("metrics-api", "ports", ["8103:8103"], "on the loopback address"),
        ("metrics-api", "depends_on", {"keys": {"condition": "service_started"}}, "must say condition"),
        ("metrics-worker", "depends_on", {}, "starts when metrics-migrate is done"),
        ("metrics-worker", "environment", {}, "HEALTH_PORT is where it listens"),
        ("metrics-worker", "environment", {}, "as its own role metrics_worker"),
    ],
)
def test_a_service_that_breaks_a_promise_is_told_its_mend(
    compose: Compose, service: str, field: str, value: object, mend: str
) -> None:
    broken = deepcopy(compose)
    broken["services"][service].pop(field)
    if value is not None:
        broken["services"][service][field] = value
    assert any(line.startswith(f"{service}: ") and mend in line for line in wrong(broken))


def test_a_missing_service_is_named(compose: Compose) -> None:
    broken = deepcopy(compose)
    del broken["services"]["plan-worker"]
    assert any(line.startswith("plan-worker: is missing") for line in wrong(broken))
