"""Golden files: what generating writes, and that a file changed by hand, missing or left over is found."""

from pathlib import Path

import msgspec
import pytest
import yaml

from bellwether.contracts import golden
from bellwether.contracts.catalogue import TopicFileInvalid, topics

TYPE = "client.evidence.recorded.v1"
TOPIC_FILE = f"""
topic: client-evidence
purpose: What happened with a client.
owner: metrics
producer: metrics-svc
consumers:
  - {{service: scoring-svc, types: [{TYPE}]}}
types: [{TYPE}]
key: <tenant>/<account id>
partitions: 12
retention_ms: 2592000000
cleanup_policy: delete
personal_data: {{contains: false, why: ids only}}
"""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened."""

    kind: str


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "shared" / "contracts" / "topics"
    folder.mkdir(parents=True)
    (folder / "client-evidence.yaml").write_text(TOPIC_FILE)
    for path, text in golden.golden_files(tmp_path, {TYPE: Recorded}).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def found(clone: Path) -> list[str]:
    return [str(drift) for drift in golden.drifts(clone, golden.golden_files(clone, {TYPE: Recorded}))]


def test_files_as_written_have_no_drift(clone: Path) -> None:
    assert found(clone) == []


def test_a_file_changed_by_hand_is_found_with_the_command_to_run(clone: Path) -> None:
    (clone / f"shared/contracts/schemas/{TYPE}.json").write_text("{}")
    path = f"shared/contracts/schemas/{TYPE}.json"
    mend = "run `make contracts`, read the diff, and commit it"
    assert [f"{path} differs from the code: {mend}"] == found(clone)


def test_a_missing_file_is_found(clone: Path) -> None:
    (clone / "shared/contracts/asyncapi.yaml").unlink()
    assert [line.partition(":")[0] for line in found(clone)] == ["shared/contracts/asyncapi.yaml is missing"]


def test_a_schema_of_a_type_that_is_gone_is_found(clone: Path) -> None:
    (clone / "shared/contracts/schemas/old.thing.seen.v1.json").write_text("{}")
    [line] = found(clone)
    assert "old.thing.seen.v1.json is left over" in line


def test_a_change_of_a_topic_file_drifts_the_asyncapi_document(clone: Path) -> None:
    path = clone / "shared/contracts/topics/client-evidence.yaml"
    path.write_text(path.read_text().replace("partitions: 12", "partitions: 6"))
    [line] = found(clone)
    assert "asyncapi.yaml differs" in line


def test_the_asyncapi_document_has_a_channel_a_message_and_both_operations(clone: Path) -> None:
    document = yaml.safe_load((clone / "shared/contracts/asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert document["channels"]["client-evidence"]["bindings"]["kafka"]["partitions"] == 12
    assert document["components"]["messages"][TYPE]["summary"] == "Something happened."
    assert {"metrics-svc.publishes.client-evidence", "scoring-svc.consumes.client-evidence"} == set(
        document["operations"]
    )


@pytest.mark.parametrize("broken", ["partitions: many", "consumers: [{service: scoring-svc}]", "topic: other"])
def test_a_topic_file_of_the_wrong_shape_is_named(clone: Path, broken: str) -> None:
    path = clone / "shared/contracts/topics/client-evidence.yaml"
    raw = yaml.safe_load(path.read_text()) | yaml.safe_load(broken)
    path.write_text(yaml.safe_dump(raw))
    with pytest.raises(TopicFileInvalid, match=r"client-evidence\.yaml"):
        topics(clone)
