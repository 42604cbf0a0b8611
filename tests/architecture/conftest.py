"""What the guards read: the text of the repository's Python files, and the places of its five services."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("services/*/src", "services/*/migrations", "services/*/tests", "shared/*/src", "shared/*/tests")
PLACES = (*SOURCES, "tests", "bench", "deploy")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def services() -> Sequence[Path]:
    """Return the folders of the services."""
    return sorted((ROOT / "services").glob("*-svc"))


@pytest.fixture(scope="session")
def python_files() -> Mapping[Path, str]:
    """Return the text of every Python file of ours by its path under the root."""
    found = {path for place in PLACES for folder in ROOT.glob(place) for path in folder.rglob("*.py")}
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in sorted(found)}


@pytest.fixture(scope="session")
def product_files(python_files: Mapping[Path, str]) -> Mapping[Path, str]:
    """Return only what is installed: no tests, no benchmarks, no migrations."""
    return {path: text for path, text in python_files.items() if "src" in path.parts}
