"""What the topic files say: who publishes what, where, for whom. It reads files and holds no rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bellwether.errors import BellwetherError

CONTRACTS = Path("shared/contracts")
_DAY_MS = 86_400_000


class TopicFileInvalid(BellwetherError):
    """A topic file misses a field or has one of the wrong shape."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A service that reads a topic, and the types of it that it handles."""

    service: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One file of `shared/contracts/topics`. `retention_ms` is None where the topic is compacted."""

    name: str
    purpose: str
    owner: str
    producer: str
    consumers: tuple[Consumer, ...]
    types: tuple[str, ...]
    key: str
    partitions: int
    retention_ms: int | None
    cleanup_policy: str
    personal_data: dict[str, Any]

    @property
    def retention(self) -> str:
        """Say in words how long a record stays readable."""
        if self.retention_ms is None or self.retention_ms < 0:
            return "for as long as its key lives (compacted)"
        return f"{self.retention_ms / _DAY_MS:g} days"

    def readers(self, event_type: str) -> list[str]:
        """Return the services that handle a type, in the order of the file."""
        return [consumer.service for consumer in self.consumers if event_type in consumer.types]


def services(root: Path) -> list[str]:
    """Return the names of the services of the repository, sorted."""
    return sorted(path.name for path in (root / "services").glob("*-svc"))


def package_of(service: str) -> str:
    """Return the import package of a service: `metrics-svc` is `metrics_svc`."""
    return service.replace("-", "_")


def topics(root: Path) -> list[Topic]:
    """Read every topic file, sorted by topic name."""
    return [_read(path) for path in sorted((root / CONTRACTS / "topics").glob("*.yaml"))]


def examples(root: Path, event_type: str | None = None) -> Iterator[Path]:
    """Yield the example files of one type, or of all, in order of their names."""
    yield from sorted((root / CONTRACTS / "examples").glob(f"{event_type or '*'}/*.json"))


def topic_from(raw: dict[str, Any]) -> Topic:
    """Build a Topic from the fields of a topic file. Raises KeyError or TypeError on a wrong shape."""
    consumers = tuple(Consumer(str(entry["service"]), _names(entry["types"])) for entry in raw["consumers"])
    return Topic(
        name=str(raw["topic"]),
        purpose=" ".join(str(raw["purpose"]).split()),
        owner=str(raw["owner"]),
        producer=str(raw["producer"]),
        consumers=consumers,
        types=_names(raw["types"]),
        key=str(raw["key"]),
        partitions=int(raw["partitions"]),
        retention_ms=None if raw["retention_ms"] is None else int(raw["retention_ms"]),
        cleanup_policy=str(raw["cleanup_policy"]),
        personal_data=dict(raw["personal_data"]),
    )


def _read(path: Path) -> Topic:
    try:
        topic = topic_from(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise TopicFileInvalid(f"{path.name}: {type(error).__name__}: {error}") from error
    if topic.name != path.stem:
        raise TopicFileInvalid(f"{path.name}: says topic {topic.name!r}; the file must be named {topic.name}.yaml")
    return topic


def _names(entries: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(entry["type"] if isinstance(entry, dict) else entry) for entry in entries)
