"""Five services, one shape: the same files at the top, features made of the same five, the same kinds of tests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

Verdict = Callable[[Iterable[object]], None]

TOP = {"main", "worker", "settings", "published", "consumed", "subscriptions", "tables", "errors", "__init__"}
FEATURE = {"rules", "tables", "store", "api", "handlers"}
ADAPTERS = "adapters"
"""The one folder of a package that holds a module per foreign system instead of a feature's five files."""
TESTS = {"unit", "integration", "contract", "component"}
HEADINGS = ("Owns", "Publishes", "Consumes", "Settings", "Run")
LONGEST_PROCESS = 80


def deviations(service: Path) -> Iterator[str]:
    """Yield where the tree of a service differs from the shape that all five have."""
    package = service / "src" / service.name.replace("-", "_")
    yield from _of_package(package)
    for feature in sorted(path for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"):
        yield from (f"{service.name}: {line}" for line in _of_feature(feature))
    for kind in sorted(TESTS - {path.name for path in (service / "tests").glob("*")}):
        yield f"{service.name}: tests/{kind}/ is missing: every service has {', '.join(sorted(TESTS))} tests"
    for wanted in ("migrations/env.py", "tests/conftest.py", "pyproject.toml", "README.md"):
        if not (service / wanted).is_file():
            yield f"{service.name}: {wanted} is missing"
    readme = service / "README.md"
    headings = readme.read_text(encoding="utf-8").splitlines() if readme.is_file() else []
    for heading in HEADINGS:
        if f"## {heading}" not in headings:
            yield f"{service.name}: README.md has no section `## {heading}`; all five have {', '.join(HEADINGS)}"


def _of_package(package: Path) -> Iterator[str]:
    found = {path.stem for path in package.glob("*.py")}
    for name in sorted(TOP - found):
        yield f"{package.name}: {name}.py is missing: it is one of the files that every service has"
    for name in sorted(found - TOP):
        yield f"{package.name}: {name}.py is no file of the shape: it belongs in a feature folder, or in the kit"
    for name in ("main", "worker"):
        path = package / f"{name}.py"
        if path.is_file() and len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_PROCESS:
            yield f"{package.name}: {name}.py is longer than {LONGEST_PROCESS} lines: it wires and decides nothing"


def _of_feature(feature: Path) -> Iterator[str]:
    found = {path.stem for path in feature.rglob("*.py")} - {"__init__"}
    if not (feature / "__init__.py").is_file():
        yield f"{feature.name}/__init__.py is missing"
    for name in sorted(found - FEATURE) if feature.name != ADAPTERS else ():
        yield f"{feature.name}/{name}.py: a feature has {', '.join(sorted(FEATURE))} only; split the feature in two"
    if not found:
        yield f"{feature.name}/ is empty: remove it"


def test_the_five_services_have_one_shape(services: Sequence[Path], nothing: Verdict) -> None:
    assert len(services) == 5
    nothing(line for service in services for line in deviations(service))


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """Make a service of the right shape."""
    folder = tmp_path / "demo-svc"
    feature = folder / "src" / "demo_svc" / "health"
    feature.mkdir(parents=True)
    for kind in TESTS:
        (folder / "tests" / kind).mkdir(parents=True)
    (folder / "migrations").mkdir()
    for name in TOP:
        (feature.parent / f"{name}.py").touch()
    for path in (
        feature / "__init__.py",
        feature / "rules.py",
        folder / "migrations/env.py",
        folder / "tests/conftest.py",
        folder / "pyproject.toml",
    ):
        path.touch()
    (folder / "README.md").write_text("".join(f"## {heading}\n" for heading in HEADINGS))
    return folder


def test_a_service_of_the_shape_has_no_deviation(service: Path) -> None:
    assert not list(deviations(service))


@pytest.mark.parametrize(
    ("path", "content", "mend"),
    [
        ("src/demo_svc/queries.py", "", "belongs in a feature folder"),
        ("src/demo_svc/health/service.py", "", "split the feature in two"),
        ("src/demo_svc/health/api/extra.py", "", "split the feature in two"),
        ("src/demo_svc/empty/__init__.py", "", "remove it"),
        ("src/demo_svc/bare/rules.py", "", "bare/__init__.py is missing"),
        ("src/demo_svc/main.py", "\n" * (LONGEST_PROCESS + 1), "it wires and decides nothing"),
        ("README.md", "## Owns\n", "no section `## Publishes`"),
    ],
)
def test_a_file_that_breaks_the_shape_is_told_its_place(service: Path, path: str, content: str, mend: str) -> None:
    (service / path).parent.mkdir(parents=True, exist_ok=True)
    (service / path).write_text(content)
    assert any(mend in line for line in deviations(service))


def test_adapters_are_named_after_the_systems_they_speak_to(service: Path) -> None:
    (service / "src/demo_svc/adapters").mkdir()
    for name in ("__init__", "hubspot"):
        (service / f"src/demo_svc/adapters/{name}.py").touch()
    assert not list(deviations(service))


@pytest.mark.parametrize("path", ["src/demo_svc/worker.py", "migrations/env.py", "tests/conftest.py", "README.md"])
def test_a_missing_file_is_named(service: Path, path: str) -> None:
    (service / path).unlink()
    assert any(Path(path).name in line for line in deviations(service))
