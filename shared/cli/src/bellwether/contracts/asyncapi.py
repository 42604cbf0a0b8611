"""The AsyncAPI 3.0 document of all topics, made from the topic files. Schemas stay in their files."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from bellwether.contracts.catalogue import Topic
from bellwether.contracts.envelope import NAME as ENVELOPE

Document = dict[str, Any]

_HEADER = "# Written by `make contracts` from topics/ and the services' published.py. Do not edit.\n"
_ABOUT = (
    "What the five services of Bellwether tell each other over Kafka. Types carry their own version (`.v1`); "
    "a breaking change is a new type beside the old one."
)
_BINDING = "0.5.0"


def asyncapi_text(topics: Sequence[Topic], summaries: dict[str, str]) -> str:
    """Return the YAML text of the document. `summaries` gives one line per event type."""
    body = yaml.safe_dump(document(topics, summaries), sort_keys=False, allow_unicode=True, width=120)
    return _HEADER + body


def document(topics: Sequence[Topic], summaries: dict[str, str]) -> Document:
    """Build the document: a channel per topic, an operation per service and topic, a message per type."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bellwether events",
            "version": "1.0.0",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "local": {
                "host": "localhost:9092",
                "protocol": "kafka",
                "description": "the local stack (`make up`)",
            }
        },
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operations(topics)),
        "components": {
            "messages": {name: _message(name, topic, summaries) for topic in topics for name in topic.types}
        },
    }


def _channel(topic: Topic) -> Document:
    configuration: Document = {"cleanup.policy": [topic.cleanup_policy]}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "description": f"{topic.purpose} Key: `{topic.key}`. Kept {topic.retention}. Owner: {topic.owner}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.types},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(topics: Sequence[Topic]) -> Iterator[tuple[str, Document]]:
    for topic in topics:
        yield f"{topic.producer}.publishes.{topic.name}", _operation("send", topic, topic.types)
        for consumer in topic.consumers:
            if consumer.types:
                name = f"{consumer.service}.consumes.{topic.name}"
                yield (
                    name,
                    _operation("receive", topic, consumer.types, group=consumer.service.removesuffix("-svc")),
                )


def _operation(action: str, topic: Topic, types: Sequence[str], *, group: str | None = None) -> Document:
    operation: Document = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in types],
    }
    if group is not None:
        operation["bindings"] = {
            "kafka": {
                "groupId": {"type": "string", "enum": [group]},
                "bindingVersion": _BINDING,
            }
        }
    return operation


def _message(event_type: str, topic: Topic, summaries: dict[str, str]) -> Document:
    data = {"type": {"const": event_type}, "data": {"$ref": f"./schemas/{event_type}.json"}}
    return {
        "name": event_type,
        "title": event_type,
        "summary": summaries.get(event_type, ""),
        "contentType": "application/cloudevents+json",
        "payload": {"allOf": [{"$ref": f"./schemas/{ENVELOPE}.json"}, {"type": "object", "properties": data}]},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": _BINDING,
            }
        },
    }
