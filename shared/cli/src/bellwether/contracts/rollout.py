"""What would break if these contracts were released: the rule, the readers, the order that breaks nobody."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bellwether.contracts.breaking import Break, breaks
from bellwether.contracts.catalogue import Topic
from bellwether.contracts.released import Contracts


@dataclass(frozen=True, slots=True)
class Finding:
    """One break of one type or topic, with those who read it and the way out."""

    subject: str
    found: Break
    readers: tuple[str, ...]
    order: tuple[str, ...]

    def __str__(self) -> str:
        """Say it as a reviewer wants to read it."""
        place = f" `{self.found.where}`" if self.found.where else ""
        steps = "".join(f"\n    {number}. {step}" for number, step in enumerate(self.order, start=1))
        readers = ", ".join(self.readers) or "nobody in this repository"
        what = f"{self.found.rule}: {self.found.what}"
        return f"{self.subject}{place}: {what}\n  read by {readers}\n  instead:{steps}"


def findings(was: Contracts, now: Contracts) -> list[Finding]:
    """Return everything in `now` that breaks a promise of `was`, types first, then topics."""
    found = [*_type_findings(was, now), *_topic_findings(was, now)]
    return sorted(found, key=lambda finding: (finding.subject, finding.found.where, finding.found.rule))


def _type_findings(was: Contracts, now: Contracts) -> Iterator[Finding]:
    for event_type, schema in was.schemas.items():
        topic = was.topic_of(event_type)
        if topic is None:
            continue
        new_topic = now.topic_of(event_type)
        readers = tuple(topic.readers(event_type))
        if event_type not in now.schemas or new_topic is None:
            gone = Break("type-removed", "", "nobody publishes it any more")
            yield Finding(event_type, gone, readers, _retire(event_type, topic))
            continue
        if new_topic.name != topic.name:
            moved = Break("topic-changed", "", f"was on {topic.name}, is on {new_topic.name}")
            yield Finding(event_type, moved, readers, _new_version(event_type, topic))
        for broken in breaks(schema, now.schemas[event_type]):
            yield Finding(event_type, broken, readers, _new_version(event_type, topic))


def _topic_findings(was: Contracts, now: Contracts) -> Iterator[Finding]:
    for name, topic in was.topics.items():
        readers = tuple(consumer.service for consumer in topic.consumers)
        if name not in now.topics:
            gone = Break("topic-removed", "", f"{topic.producer} published {len(topic.types)} types on it")
            yield Finding(name, gone, readers, _new_topic(topic))
            continue
        for broken in topic_breaks(topic, now.topics[name]):
            yield Finding(name, broken, readers, _new_topic(topic))


def topic_breaks(was: Topic, now: Topic) -> Iterator[Break]:
    """Yield what breaks between the released and the new form of one topic."""
    if was.producer != now.producer:
        yield Break("producer-changed", "producer", f"was {was.producer}, is {now.producer}")
    if was.key != now.key:
        yield Break("key-changed", "key", f"was {was.key}, is {now.key}: order holds per key")
    if was.partitions != now.partitions:
        what = f"was {was.partitions}, is {now.partitions}: keys move to other partitions and lose their order"
        yield Break("partitions-changed", "partitions", what)
    if was.cleanup_policy != now.cleanup_policy:
        what = f"was {was.cleanup_policy}, is {now.cleanup_policy}: readers rebuild from what is kept"
        yield Break("cleanup-changed", "cleanup_policy", what)
    elif now.retention_ms is not None and (was.retention_ms is None or now.retention_ms < was.retention_ms):
        yield Break("retention-shortened", "retention_ms", f"was kept {was.retention}, is kept {now.retention}")


def next_version(event_type: str) -> str:
    """Return the name of the type that a breaking change belongs in: `x.v1` gives `x.v2`."""
    name, version = re.fullmatch(r"(.+\.v)([0-9]+)", event_type).groups()  # type: ignore[union-attr]
    return f"{name}{int(version) + 1}"


def _new_version(event_type: str, topic: Topic) -> tuple[str, ...]:
    newer, readers = next_version(event_type), _listed(topic.readers(event_type))
    everyone = _listed([consumer.service for consumer in topic.consumers])
    return (
        f"leave {event_type} as it was and write {newer} beside it in {topic.producer}",
        f"release {everyone} with ignored({newer}): a type that a reader does not list is dead-lettered",
        f"release {topic.producer}: it publishes both in one transaction",
        f"release {readers}: handle {newer}, ignore {event_type}, at once (natural keys absorb a pair)",
        *_retire(event_type, topic)[1:],
    )


def _retire(event_type: str, topic: Topic) -> tuple[str, ...]:
    readers, everyone = topic.readers(event_type), [consumer.service for consumer in topic.consumers]
    return (
        f"release {_listed(readers)}: ignore {event_type}",
        f"release {topic.producer}: stop publishing {event_type}",
        f"wait until {topic.name} keeps no record of it ({topic.retention})",
        f"drop it from {_listed(everyone)} and from the topic file, then `bellwether contracts release`",
    )


def _new_topic(topic: Topic) -> tuple[str, ...]:
    readers = _listed([consumer.service for consumer in topic.consumers])
    return (
        f"leave {topic.name} as it was and write a topic file {topic.name}-2",
        f"release {topic.producer}: it publishes to both",
        f"release {readers}: subscribe to {topic.name}-2 and leave {topic.name} in the same release",
        f"release {topic.producer} without {topic.name}, and delete the topic when its records are past use",
    )


def _listed(names: list[str]) -> str:
    return " and ".join(names) if names else "its readers"
