"""Who reads what, by the services' own tables of subscriptions."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from bellwether_kit.events import Subscription

SERVICES: Final = ("metrics", "scoring", "plan", "profile", "stakeholder")
SUBSCRIPTIONS: Final[Mapping[str, Sequence[Subscription]]] = {
    service: import_module(f"{service}_svc.subscriptions").SUBSCRIPTIONS for service in SERVICES
}
TOPICS_OF: Final[Mapping[str, list[str]]] = {
    service: sorted({row.topic for row in rows}) for service, rows in SUBSCRIPTIONS.items()
}
"""The topics of each group, which is named as its service."""


def readers(topic: str, type_: str | None) -> frozenset[str]:
    """The services that look into records of a topic: all, or those that read what this type says."""
    return frozenset(
        service
        for service, rows in SUBSCRIPTIONS.items()
        if any(row.topic == topic and (type_ is None or (row.type == type_ and row.handler)) for row in rows)
    )
