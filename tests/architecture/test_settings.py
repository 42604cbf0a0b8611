"""Every variable and port that compose, manifests or documents name is one that a process reads."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from bellwether.stack.layout import DEFAULT_PORTS, port_setting

Verdict = Callable[[Iterable[object]], None]

NAMED = ("docker-compose.yml", "README.md", "CONTRIBUTING.md", "docs/*.md", "deploy/**/*", "services/*/README.md")
# A whole name; `BELLWETHER_<SERVICE>_…` and `BELLWETHER_KAFKA_SASL_*` stand for several and are left alone.
VARIABLE = re.compile(r"BELLWETHER_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")
PORT = re.compile(r"(?:localhost|127\.0\.0\.1):(\d{4,5})\b")
ROLES = ("OWNER", "API", "WORKER")
LABORATORY = {"BELLWETHER_CLOCK_FILE", "BELLWETHER_FAULT"}


def variables_of(settings: type[BaseSettings]) -> Iterator[str]:
    """Yield the names of the variables that a Settings class reads."""
    for name, field in settings.model_fields.items():
        yield str(field.validation_alias or f"{settings.model_config['env_prefix']}{name.upper()}")


def unread(path: Path, text: str, known: set[str]) -> Iterator[str]:
    """Yield the variables of a text that nothing reads."""
    for number, line in enumerate(text.splitlines(), start=1):
        for name in VARIABLE.findall(line):
            if name not in known:
                yield f"{path}:{number}: nothing reads {name}: name one of a Settings class, or add the field there"


def closed(path: Path, text: str, ports: set[int]) -> Iterator[str]:
    """Yield the local ports of a text at which nothing of ours listens."""
    for number, line in enumerate(text.splitlines(), start=1):
        for port in PORT.findall(line):
            if int(port) not in ports:
                yield f"{path}:{number}: nothing listens at {port}: the ports are {', '.join(map(str, sorted(ports)))}"


@pytest.fixture(scope="session")
def texts(root: Path) -> Mapping[Path, str]:
    found = {path for pattern in NAMED for path in root.glob(pattern) if path.is_file() and path.suffix != ".pyc"}
    return {path.relative_to(root): path.read_text(encoding="utf-8") for path in sorted(found)}


@pytest.fixture(scope="session")
def known(services: Sequence[Path], product_files: Mapping[Path, str]) -> set[str]:
    """Return every variable that is read: by a Settings class, or by name in the kit and the command line."""
    found = {
        name for path, text in product_files.items() if path.parts[0] == "shared" for name in VARIABLE.findall(text)
    }
    for service in services:
        settings = import_module(f"{service.name.replace('-', '_')}.settings").Settings
        database = service.name.removesuffix("-svc").upper()
        found |= set(variables_of(settings))
        found |= {f"BELLWETHER_{database}_{role}_PASSWORD" for role in ROLES}  # bellwether_kit.db.provision
    return found | {port_setting(name) for name in DEFAULT_PORTS}


def test_every_variable_that_is_named_is_read(texts: Mapping[Path, str], known: set[str], nothing: Verdict) -> None:
    nothing(line for path, text in texts.items() for line in unread(path, text, known))


def test_every_local_port_that_is_named_is_one_of_ours(texts: Mapping[Path, str], nothing: Verdict) -> None:
    inside = {8000}  # what an image listens on when nothing says otherwise
    files = {path: text for path, text in texts.items() if path.name != "docker-compose.yml"}
    nothing(line for path, text in files.items() for line in closed(path, text, {*DEFAULT_PORTS.values(), *inside}))


def test_nothing_that_is_deployed_moves_the_clock_or_injects_faults(texts: Mapping[Path, str]) -> None:
    deployed = {path: text for path, text in texts.items() if path.parts[0] in {"deploy", "docker-compose.yml"}}
    assert deployed
    assert not [path for path, text in deployed.items() if LABORATORY & set(VARIABLE.findall(text))]


class Sample(BaseSettings):
    model_config = {"env_prefix": "BELLWETHER_SAMPLE_"}
    window_seconds: int = 1


def test_a_variable_that_nothing_reads_is_found() -> None:
    known = set(variables_of(Sample))
    assert known == {"BELLWETHER_SAMPLE_WINDOW_SECONDS"}
    [line] = unread(Path("README.md"), "set BELLWETHER_SAMPLE_WINDOW", known)
    assert "nothing reads BELLWETHER_SAMPLE_WINDOW" in line


def test_names_that_stand_for_several_are_left_alone() -> None:
    assert not list(unread(Path("README.md"), "BELLWETHER_<SERVICE>_DATABASE_URL BELLWETHER_KAFKA_SASL_*", set()))


def test_a_port_at_which_nothing_listens_is_found() -> None:
    [line] = closed(Path("README.md"), "curl http://localhost:8999/v1/alerts", {8101})
    assert "nothing listens at 8999" in line
