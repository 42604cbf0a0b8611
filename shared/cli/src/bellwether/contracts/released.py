"""The last released contracts: one committed snapshot, so that comparing needs no network and no history."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bellwether.contracts.catalogue import CONTRACTS, Topic, topic_from, topics
from bellwether.contracts.golden import schemas_of
from bellwether.contracts.published import all_published
from bellwether.contracts.schemas import Schema, text_of

SNAPSHOT = CONTRACTS / "released" / "contracts.json"


@dataclass(frozen=True, slots=True)
class Contracts:
    """All topics and all payload schemas at one moment, each by its name."""

    topics: dict[str, Topic]
    schemas: dict[str, Schema]

    def topic_of(self, event_type: str) -> Topic | None:
        """Return the topic that carries a type, or None."""
        return next((topic for topic in self.topics.values() if event_type in topic.types), None)


def current(root: Path) -> Contracts:
    """Return the contracts as code and topic files say them now."""
    return Contracts({topic.name: topic for topic in topics(root)}, schemas_of(all_published(root)))


def released(root: Path) -> Contracts | None:
    """Return the contracts of the last release, or None before the first one."""
    path = root / SNAPSHOT
    if not path.exists():
        return None
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Contracts({entry["topic"]: topic_from(entry) for entry in raw["topics"]}, raw["schemas"])


def release(root: Path) -> Path:
    """Make the contracts of now the released ones; return the path of the snapshot."""
    now = current(root)
    entries = [_entry(topic) for topic in now.topics.values()]
    path = root / SNAPSHOT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of({"topics": entries, "schemas": now.schemas}), encoding="utf-8")
    return path


def _entry(topic: Topic) -> dict[str, Any]:
    fields = asdict(topic)
    return {"topic": fields.pop("name"), **fields}
