"""The published language holds together: files, code, examples, producers and consumers say the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bellwether.contracts import golden, promises, released, rollout
from bellwether.contracts.catalogue import Topic, services
from bellwether.contracts.published import all_published, published_by, topic_of, type_of
from bellwether_kit.events import Subscription

Verdict = Callable[[Iterable[object]], None]

Examples = Mapping[str, Mapping[str, dict[str, Any]]]
Subscriptions = Mapping[str, Sequence[Subscription]]


def test_the_golden_files_say_what_the_code_says(root: Path, nothing: Verdict) -> None:
    nothing(golden.drifts(root))


def test_nothing_breaks_what_was_released(root: Path, nothing: Verdict) -> None:
    was = released.released(root)
    nothing(rollout.findings(was, released.current(root)) if was else [])


def test_topic_files_follow_the_rules(all_topics: Sequence[Topic], nothing: Verdict) -> None:
    nothing(promises.of_topics(all_topics))


def test_each_topic_has_the_one_producer_and_the_types_of_its_file(
    root: Path, all_topics: Sequence[Topic], nothing: Verdict
) -> None:
    published = {name: {type_of(model): topic_of(model) for model in published_by(name)} for name in services(root)}
    nothing(promises.of_producers(all_topics, published))


def test_each_consumer_of_a_topic_file_subscribes_and_lists_every_type(
    all_topics: Sequence[Topic], subscriptions: Subscriptions, nothing: Verdict
) -> None:
    nothing(promises.of_consumers(all_topics, subscriptions))


def test_each_type_has_sound_examples_from_the_smallest_to_the_largest(
    root: Path, found_examples: Examples, nothing: Verdict
) -> None:
    schemas = golden.schemas_of(all_published(root))
    breaches = [
        breach
        for event_type, schema in schemas.items()
        for breach in promises.of_examples(event_type, schema, found_examples.get(event_type, {}))
    ]
    nothing(breaches)
    assert set(schemas) == set(found_examples), "examples of a type that nobody publishes: remove the folder"
