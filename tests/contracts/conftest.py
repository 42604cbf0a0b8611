"""What the contract tests read: the repository's own topic files, models, subscriptions and examples."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bellwether.contracts.catalogue import Topic, examples, package_of, services, topics
from bellwether_kit.events import Subscription

ROOT = Path(__file__).parents[2]
SERVICES = services(ROOT)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def all_topics() -> Sequence[Topic]:
    return topics(ROOT)


@pytest.fixture(scope="session")
def subscriptions() -> Mapping[str, Sequence[Subscription]]:
    """Return SUBSCRIPTIONS by service."""
    return {name: import_module(f"{package_of(name)}.subscriptions").SUBSCRIPTIONS for name in SERVICES}


@pytest.fixture(scope="session")
def found_examples() -> Mapping[str, Mapping[str, dict[str, Any]]]:
    """Return every example by event type and name."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for path in examples(ROOT):
        document = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault(path.parent.name, {})[path.stem] = document
    return found
