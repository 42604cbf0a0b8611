"""Every consumer of a topic file parses every example of what it handles, by the decoder it runs with."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from bellwether.contracts.catalogue import Topic
from bellwether_kit.events import Subscription
from bellwether_kit.events.envelope import Malformed
from bellwether_kit.events.subscriptions import Decoder

Verdict = Callable[[Iterable[object]], None]

Examples = Mapping[str, Mapping[str, dict[str, Any]]]


@dataclass(frozen=True)
class Record:
    """The parts of a Kafka record that a decoder reads."""

    topic: str
    value: bytes
    key: bytes = b""
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int = 0
    offset: int = 0


def refusals(rows: Sequence[Subscription], topic: Topic, examples: Examples) -> Iterator[str]:
    """Yield what a service with these rows cannot parse of the examples of a topic."""
    decoder = Decoder(rows)
    for event_type in topic.types:
        handled = any(row.handler for row in rows if (row.topic, row.type) == (topic.name, event_type))
        for name, document in examples.get(event_type, {}).items():
            try:
                delivery = decoder.decode(Record(topic.name, msgspec.json.encode(document)))
            except Malformed as error:
                yield f"{event_type}/{name}.json: {error}"
                continue
            if (delivery is not None) is not handled:
                yield f"{event_type}/{name}.json: is {'lost' if handled else 'handled although ignored'}"


def test_every_consumer_parses_every_example_of_its_topics(
    all_topics: Sequence[Topic],
    subscriptions: Mapping[str, Sequence[Subscription]],
    found_examples: Examples,
    nothing: Verdict,
) -> None:
    refused = [
        f"{consumer.service}: {refusal}"
        for topic in all_topics
        for consumer in topic.consumers
        for refusal in refusals(subscriptions[consumer.service], topic, found_examples)
    ]
    nothing(refused)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    kind: int


@pytest.fixture
def topic(all_topics: Sequence[Topic]) -> Topic:
    return next(topic for topic in all_topics if topic.name == "accounts")


async def never(*_: object) -> None:
    raise AssertionError


def test_a_consumer_whose_model_does_not_fit_is_found(topic: Topic, found_examples: Examples) -> None:
    rows = [Subscription(topic.name, name, Wanted, never) for name in topic.types]
    assert any("schema-invalid" in refusal for refusal in refusals(rows, topic, found_examples))


def test_a_consumer_that_does_not_list_a_type_is_found(topic: Topic, found_examples: Examples) -> None:
    rows = [Subscription(topic.name, "account.profile.other.v1", Wanted, never)]
    assert any("unknown type" in refusal for refusal in refusals(rows, topic, found_examples))
