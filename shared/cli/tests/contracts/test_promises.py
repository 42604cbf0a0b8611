"""Each promise between topic files, producers, consumers and examples, with a breach that it must name."""

from copy import deepcopy
from dataclasses import dataclass, replace

import pytest

from bellwether.contracts import promises
from bellwether.contracts.catalogue import Consumer, Topic

TYPE = "client.evidence.recorded.v1"
TOPIC = Topic(
    name="client-evidence",
    purpose="What happened with a client.",
    owner="metrics-svc",
    producer="metrics-svc",
    consumers=(Consumer("scoring-svc", (TYPE,)),),
    types=(TYPE,),
    key="<tenant>/<account id>",
    partitions=12,
    retention_ms=1,
    cleanup_policy="delete",
    personal_data={"contains": False, "why": "ids only"},
)


@dataclass(frozen=True)
class Row:
    topic: str
    type: str
    handler: object | None


HANDLED = Row(TOPIC.name, TYPE, "fold")
IGNORED = Row(TOPIC.name, TYPE, None)


def test_a_sound_topic_has_no_breach() -> None:
    assert not list(promises.of_topics([TOPIC]))
    assert not list(promises.of_producers([TOPIC], {"metrics-svc": {TYPE: TOPIC.name}}))
    assert not list(promises.of_consumers([TOPIC], {"scoring-svc": [HANDLED]}))


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (replace(TOPIC, name="client_evidence"), "hyphenated"),
        (replace(TOPIC, name="client.evidence"), "hyphenated"),
        (replace(TOPIC, types=("EvidenceRecorded",)), "no type name"),
        (replace(TOPIC, cleanup_policy="keep"), "compact or delete"),
        (replace(TOPIC, cleanup_policy="compact"), "retention_ms is null on a compacted topic"),
        (replace(TOPIC, retention_ms=None), "retention_ms is null on a compacted topic"),
        (replace(TOPIC, personal_data={"contains": True, "why": "names"}), "people are opaque ids"),
        (replace(TOPIC, key="<account id>"), "begins with <tenant>/"),
    ],
)
def test_a_topic_file_that_breaks_a_rule_is_told_which(topic: Topic, words: str) -> None:
    [breach] = promises.of_topics([topic])
    assert words in breach


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ({"metrics-svc": {}}, f"{TYPE} is not in PUBLISHED of metrics-svc"),
        ({"metrics-svc": {TYPE: TOPIC.name, "a.b.v1": TOPIC.name}}, "metrics-svc publishes a.b.v1 to it"),
        ({"metrics-svc": {TYPE: TOPIC.name}, "plan-svc": {"a.b.v1": TOPIC.name}}, "a topic has one producer"),
    ],
)
def test_a_producer_that_differs_from_the_topic_file_is_named(published: dict[str, dict[str, str]], words: str) -> None:
    assert any(words in breach for breach in promises.of_producers([TOPIC], published))


@pytest.mark.parametrize(
    ("subscriptions", "words"),
    [
        ({"scoring-svc": []}, "of scoring-svc: it has no row under consumers"),
        ({}, "of scoring-svc: it has no row under consumers"),
        ({"scoring-svc": [IGNORED]}, "is {service: scoring-svc, types: []}"),
        ({"scoring-svc": [HANDLED], "plan-svc": [HANDLED]}, f"is {{service: plan-svc, types: [{TYPE}]}}"),
        ({"scoring-svc": [HANDLED], "plan-svc": [IGNORED]}, "is {service: plan-svc, types: []}"),
        (
            {"scoring-svc": [HANDLED, Row(TOPIC.name, "a.b.v1", "x")]},
            "a.b.v1 on client-evidence, which no topic",
        ),
    ],
)
def test_a_consumer_that_differs_from_the_topic_file_is_named(subscriptions: dict[str, list[Row]], words: str) -> None:
    assert any(words in breach for breach in promises.of_consumers([TOPIC], subscriptions))


def test_a_reader_that_forgets_a_type_of_its_topic_is_named() -> None:
    wider = replace(TOPIC, types=(TYPE, "client.evidence.retracted.v1"))
    [breach] = promises.of_consumers([wider], {"scoring-svc": [HANDLED]})
    assert "does not list client.evidence.retracted.v1" in breach


SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
EXAMPLE: dict[str, object] = {
    "specversion": "1.0",
    "id": "0197a3c1-0000-7000-8000-000000000001",
    "source": "/metrics-svc",
    "type": TYPE,
    "subject": "0197a3c1-0000-7000-8000-000000000002",
    "time": "2026-03-02T09:00:00Z",
    "datacontenttype": "application/json",
    "dataschema": f"/schemas/{TYPE}.json",
    "tenantid": "acme",
    "partitionkey": "acme/0197a3c1-0000-7000-8000-000000000002",
    "sequence": 1,
    "data": {"kind": "call-unreturned"},
}
EXAMPLES = dict.fromkeys(promises.KINDS, EXAMPLE)


def test_sound_examples_have_no_breach() -> None:
    assert not list(promises.of_examples(TYPE, SCHEMA, EXAMPLES))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"kind": 7}}, "data: $.kind"),
        ({"time": "2026-03-02T09:00:00"}, "$.time"),
        ({"type": "client.touch.recorded.v1"}, "the folder says"),
        ({"dataschema": "/schemas/other.json"}, "dataschema must be"),
        ({"partitionkey": "other/0197a3c1-0000-7000-8000-000000000002"}, "begin with the tenant"),
        ({"data": {"kind": "ana@example.com"}}, "is an e-mail address"),
    ],
)
def test_an_example_that_breaks_a_rule_is_told_where(changes: dict[str, object], words: str) -> None:
    found = deepcopy(EXAMPLES) | {"typical": EXAMPLE | changes}
    assert any(words in breach for breach in promises.of_examples(TYPE, SCHEMA, found))


def test_a_missing_example_and_a_largest_one_with_holes_are_named() -> None:
    wider = {"type": "object", "properties": {"kind": {"type": "string"}, "note": {"type": "string"}}}
    found = {"largest": EXAMPLE, "smallest": EXAMPLE | {"data": {"kind": "x" * 100}}}
    breaches = list(promises.of_examples(TYPE, wider, found))
    assert [
        any(words in breach for breach in breaches)
        for words in ("typical.json is missing", "but not note", "smallest.json is larger")
    ] == [True, True, True]
