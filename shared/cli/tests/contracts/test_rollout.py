"""What `contracts check` says: rules of types and topics, who reads it, and the order of roll-out."""

from dataclasses import replace

import pytest

from bellwether.contracts.catalogue import Consumer, Topic
from bellwether.contracts.released import Contracts
from bellwether.contracts.rollout import findings, next_version, topic_breaks

RECORDED = "client.evidence.recorded.v1"
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
TOPIC = Topic(
    name="client-evidence",
    purpose="What happened with a client.",
    owner="metrics",
    producer="metrics-svc",
    consumers=(Consumer("scoring-svc", (RECORDED,)), Consumer("stakeholder-svc", ())),
    types=(RECORDED,),
    key="<tenant>/<account id>",
    partitions=12,
    retention_ms=30 * 86_400_000,
    cleanup_policy="delete",
    personal_data={"contains": False, "why": "ids only"},
)
RELEASED = Contracts({TOPIC.name: TOPIC}, {RECORDED: SCHEMA})


def test_the_same_contracts_have_no_finding() -> None:
    assert findings(RELEASED, RELEASED) == []


def test_a_new_topic_and_a_new_type_are_free() -> None:
    newer = replace(TOPIC, types=(RECORDED, "client.evidence.recorded.v2"))
    now = Contracts(
        {TOPIC.name: newer, "more": replace(TOPIC, name="more")},
        RELEASED.schemas | {"client.evidence.recorded.v2": SCHEMA},
    )
    assert findings(RELEASED, now) == []


def test_a_finding_names_the_field_its_readers_and_who_goes_first() -> None:
    [finding] = findings(RELEASED, Contracts(RELEASED.topics, {RECORDED: {"type": "object", "properties": {}}}))
    first, second = RECORDED, "client.evidence.recorded.v2"
    assert str(finding) == (
        f"{first} `kind`: removed: was string\n"
        "  read by scoring-svc\n"
        "  instead:\n"
        f"    1. leave {first} as it was and write {second} beside it in metrics-svc\n"
        f"    2. release scoring-svc and stakeholder-svc with ignored({second}): "
        "a type that a reader does not list is dead-lettered\n"
        "    3. release metrics-svc: it publishes both in one transaction\n"
        f"    4. release scoring-svc: handle {second}, ignore {first}, at once (natural keys absorb a pair)\n"
        f"    5. release metrics-svc: stop publishing {first}\n"
        "    6. wait until client-evidence keeps no record of it (30 days)\n"
        "    7. drop it from scoring-svc and stakeholder-svc and from the topic file, "
        "then `bellwether contracts release`"
    )


def test_a_type_that_nobody_publishes_any_more_is_found() -> None:
    [finding] = findings(RELEASED, Contracts({TOPIC.name: replace(TOPIC, types=())}, {}))
    assert (finding.found.rule, finding.readers) == ("type-removed", ("scoring-svc",))


def test_a_type_on_another_topic_is_found() -> None:
    now = {TOPIC.name: replace(TOPIC, types=()), "other": replace(TOPIC, name="other")}
    assert [finding.found.rule for finding in findings(RELEASED, Contracts(now, RELEASED.schemas))] == ["topic-changed"]


def test_a_topic_that_is_gone_is_found() -> None:
    assert {"topic-removed", "type-removed"} == {item.found.rule for item in findings(RELEASED, Contracts({}, {}))}


@pytest.mark.parametrize(
    ("now", "rule"),
    [
        (replace(TOPIC, producer="plan-svc"), "producer-changed"),
        (replace(TOPIC, key="<tenant>/<person id>"), "key-changed"),
        (replace(TOPIC, partitions=24), "partitions-changed"),
        (replace(TOPIC, cleanup_policy="compact", retention_ms=None), "cleanup-changed"),
        (replace(TOPIC, retention_ms=86_400_000), "retention-shortened"),
    ],
)
def test_a_topic_keeps_its_promises(now: Topic, rule: str) -> None:
    assert [rule] == [found.rule for found in topic_breaks(TOPIC, now)]


def test_a_topic_may_keep_its_records_longer() -> None:
    assert list(topic_breaks(TOPIC, replace(TOPIC, retention_ms=40 * 86_400_000))) == []


def test_the_next_version_of_a_type_counts_on() -> None:
    assert next_version("client.touch.recorded.v9") == "client.touch.recorded.v10"
