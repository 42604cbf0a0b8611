"""What must hold between topic files, producers, consumers and examples. Pure: values in, sentences out."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from bellwether.contracts.catalogue import Topic
from bellwether.contracts.envelope import envelope_schema
from bellwether.contracts.formats import problems
from bellwether.contracts.schemas import Schema

KINDS = ("largest", "smallest", "typical")
_TOPIC = re.compile(r"[a-z]+(-[a-z0-9]+)*")
_TYPE = re.compile(r"[a-z]+(\.[a-z]+(-[a-z]+)*)+\.v[1-9][0-9]*")
_ADDRESS = re.compile(r"[^\s\"@]+@[^\s\"@]+\.[a-z]+")


class Row(Protocol):
    """The part of a row of SUBSCRIPTIONS that a promise is about; an ignored type has no handler."""

    @property
    def topic(self) -> str:
        """The topic that is read."""

    @property
    def type(self) -> str:
        """The event type."""

    @property
    def handler(self) -> object | None:
        """What reacts to it; None where it is ignored."""


def of_topics(topics: Sequence[Topic]) -> Iterator[str]:
    """Say which topic files break the rules of names, cleanup and personal data."""
    for topic in topics:
        yield from (f"topics/{topic.name}.yaml: {breach}" for breach in _of_topic(topic))


def _of_topic(topic: Topic) -> Iterator[str]:
    if not _TOPIC.fullmatch(topic.name):
        yield "a topic has a hyphenated, lower-case name, without dots or underscores"
    for event_type in topic.types:
        if not _TYPE.fullmatch(event_type):
            yield f"{event_type} is no type name like client.evidence.recorded.v1"
    if topic.cleanup_policy not in {"compact", "delete"}:
        yield f"cleanup_policy is compact or delete, not {topic.cleanup_policy}"
    elif (topic.cleanup_policy == "delete") is (topic.retention_ms is None):
        yield "retention_ms is null on a compacted topic and a number on every other"
    if topic.personal_data.get("contains") is not False or not topic.personal_data.get("why"):
        yield "personal_data must be contains: false with a reason; people are opaque ids"
    if not topic.key.startswith("<tenant>/"):
        yield f"the key begins with <tenant>/, not {topic.key}"


def of_producers(topics: Sequence[Topic], published: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Say where topic files and PUBLISHED disagree; `published` is service → type → topic."""
    said = {(topic.producer, topic.name, event_type) for topic in topics for event_type in topic.types}
    done = {(service, topic, name) for service, types in published.items() for name, topic in types.items()}
    for service, name, event_type in sorted(done - said):
        yield f"topics/{name}.yaml: {service} publishes {event_type} to it: name it under types"
    for service, name, event_type in sorted(said - done):
        yield f"topics/{name}.yaml: {event_type} is not in PUBLISHED of {service}: publish it or drop it"
    for topic in topics:
        for other in sorted({service for service, at, _ in done if at == topic.name} - {topic.producer}):
            yield f"topics/{topic.name}.yaml: a topic has one producer, and {other} publishes to it too"


def of_consumers(topics: Sequence[Topic], subscriptions: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Say where the topic files and the services' SUBSCRIPTIONS disagree, and which types a reader forgot."""
    for topic in topics:
        for service in sorted({consumer.service for consumer in topic.consumers} | subscriptions.keys()):
            rows = [row for row in subscriptions.get(service, ()) if row.topic == topic.name]
            yield from _of_reader(topic, service, rows)
    known = {(topic.name, event_type) for topic in topics for event_type in topic.types}
    for service in sorted(subscriptions):
        for row in subscriptions[service]:
            if (row.topic, row.type) not in known:
                yield f"{service}: subscribes to {row.type} on {row.topic}, which no topic file names"


def _of_reader(topic: Topic, service: str, rows: Sequence[Row]) -> Iterator[str]:
    said = {event_type for reader in topic.consumers if reader.service == service for event_type in reader.types}
    named = service in {reader.service for reader in topic.consumers}
    handled = {row.type for row in rows if row.handler is not None}
    if handled != said or named is not bool(rows):
        row = f"{{service: {service}, types: [{', '.join(sorted(handled))}]}}"
        mend = f"its row under consumers is {row}" if rows else "it has no row under consumers, for it does not read it"
        yield f"topics/{topic.name}.yaml: differs from SUBSCRIPTIONS of {service}: {mend}"
    forgotten = set(topic.types) - {row.type for row in rows} if rows else set()
    for event_type in sorted(forgotten):
        yield f"{service}: reads {topic.name} and does not list {event_type}: handle or ignore it"


def of_examples(event_type: str, schema: Schema, found: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    """Say what is wrong with the examples of one type; `found` is file name without ending → document."""
    for kind in KINDS:
        if kind not in found:
            yield f"examples/{event_type}/{kind}.json is missing: typical, smallest and largest are wanted"
    for name, document in found.items():
        where = f"examples/{event_type}/{name}.json"
        yield from (f"{where}: {problem}" for problem in problems(document, envelope_schema()))
        yield from (f"{where}: data: {problem}" for problem in problems(document.get("data"), schema))
        yield from (f"{where}: {problem}" for problem in _attributes(event_type, document))
    yield from _largest_and_smallest(event_type, schema, found)


def _attributes(event_type: str, document: Mapping[str, object]) -> Iterator[str]:
    if document.get("type") != event_type:
        yield f"type is {document.get('type')}, and the folder says {event_type}"
    if document.get("dataschema") != f"/schemas/{event_type}.json":
        yield f"dataschema must be /schemas/{event_type}.json"
    if not str(document.get("partitionkey")).startswith(f"{document.get('tenantid')}/"):
        yield "partitionkey must begin with the tenant"
    if address := _ADDRESS.search(json.dumps(document)):
        yield f"{address.group()} is an e-mail address, and events hold no personal data"


def _largest_and_smallest(event_type: str, schema: Schema, found: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    if "largest" in found:
        data = found["largest"].get("data")
        absent = sorted(set(schema["properties"]) - set(data if isinstance(data, dict) else ()))
        if absent:
            yield f"examples/{event_type}/largest.json: has every field, but not {', '.join(absent)}"
    if {"largest", "smallest"} <= set(found):
        small, large = (len(json.dumps(found[kind].get("data"))) for kind in ("smallest", "largest"))
        if small > large:
            yield f"examples/{event_type}: smallest.json is larger than largest.json"
