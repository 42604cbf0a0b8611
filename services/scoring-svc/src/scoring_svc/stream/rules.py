"""Places in the log of alert changes, and how a change is written to a stream. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

BEFORE_ALL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """After which change a stream goes on: transaction, alert and the alert's version."""

    xact: int
    alert_id: UUID = BEFORE_ALL
    version: int = 0

    def __str__(self) -> str:
        """The event id."""
        return f"{self.xact}.{self.alert_id}.{self.version}"


Told = tuple[Place, bytes]
"""A change as it is written to a stream, and its place."""


def place_of(event_id: str) -> Place:
    """The place an event id names; raises ValueError."""
    xact, alert_id, version = event_id.split(".")
    place = Place(int(xact), UUID(alert_id), int(version))
    if not (0 <= place.xact < 2**63 and 0 <= place.version < 2**31):
        raise ValueError("no place of the log")
    return place


def told_after(found: Sequence[Told], place: Place) -> list[Told]:
    """What of a part of the log lies after a place."""
    return [told for told in found if told[0] > place]


def written(place: Place, change: str, data: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return f"id: {place}\nevent: {change}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
