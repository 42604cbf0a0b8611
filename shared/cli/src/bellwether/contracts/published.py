"""The models that the services publish, imported from their `published.py` when asked and never before."""

from importlib import import_module
from pathlib import Path
from typing import TypeAlias

import msgspec

from bellwether.contracts.catalogue import package_of, services
from bellwether.errors import BellwetherError

Payloads: TypeAlias = dict[str, type[msgspec.Struct]]


class PublishedTwice(BellwetherError):
    """Two models claim one event type."""


def published_by(service: str) -> tuple[type[msgspec.Struct], ...]:
    """Return the PUBLISHED tuple of one service."""
    module = import_module(f"{package_of(service)}.published")
    return tuple(module.PUBLISHED)


def type_of(model: type[msgspec.Struct]) -> str:
    """Return the event type that a payload class names."""
    return str(model.event_type)  # type: ignore[attr-defined]


def topic_of(model: type[msgspec.Struct]) -> str:
    """Return the topic that a payload class names."""
    return str(model.topic)  # type: ignore[attr-defined]


def all_published(root: Path) -> Payloads:
    """Return every payload model of every service by its event type, sorted. Raises PublishedTwice."""
    found: Payloads = {}
    for service in services(root):
        for model in published_by(service):
            event_type = type_of(model)
            if event_type in found:
                raise PublishedTwice(f"{event_type}: both {found[event_type].__module__} and {model.__module__}")
            found[event_type] = model
    return dict(sorted(found.items()))
