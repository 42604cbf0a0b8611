"""Schemas from structs: inlined, sorted, titled by their type; and validation that checks every format."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import pytest

from bellwether.contracts.envelope import envelope_schema
from bellwether.contracts.formats import problems
from bellwether.contracts.schemas import InvalidModel, RecursiveModel, schema_of


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """One reason."""

    points: float
    evidence_id: UUID


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """The health of an account changed.

    Its drivers are the three largest.
    """

    drivers: tuple[Driver, ...]
    at: Annotated[datetime, msgspec.Meta(tz=True, description="when it was judged")]
    day: date | None = None


class Endless(msgspec.Struct):
    """It holds itself."""

    inner: "Endless | None" = None


SCHEMA = schema_of(Changed, "account.health.changed.v1")


def test_a_schema_carries_the_type_and_the_docstring() -> None:
    assert SCHEMA["$id"] == "/schemas/account.health.changed.v1.json"
    assert SCHEMA["title"] == "account.health.changed.v1"
    assert SCHEMA["description"] == "The health of an account changed.\n\nIts drivers are the three largest."


def test_nested_structs_are_inlined_and_keys_are_sorted() -> None:
    assert SCHEMA["properties"]["drivers"]["items"] == {
        "description": "One reason.",
        "properties": {"evidence_id": {"format": "uuid", "type": "string"}, "points": {"type": "number"}},
        "required": ["evidence_id", "points"],
        "type": "object",
    }
    assert "$defs" not in SCHEMA
    assert list(SCHEMA["properties"]) == sorted(SCHEMA["properties"])


def test_a_payload_that_holds_itself_is_refused() -> None:
    with pytest.raises(RecursiveModel, match="Endless → Endless"):
        schema_of(Endless, "endless.thing.seen.v1")


class Contradiction(msgspec.Struct):
    """A limit on something without size."""

    place: Annotated[str, msgspec.Meta(ge=0)]


def test_a_payload_whose_annotations_contradict_each_other_is_named() -> None:
    with pytest.raises(InvalidModel, match=r"Contradiction has no schema: Can only set `ge` on a numeric type"):
        schema_of(Contradiction, "thing.seen.v1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2026-03-02T09:00:00"),
        ("at", "yesterday"),
        ("day", "2026-02-30"),
        ("drivers", [{"points": 1.0, "evidence_id": "7"}]),
        ("drivers", [{"points": 1.0}]),
    ],
)
def test_a_document_that_breaks_a_format_or_a_field_is_told_where(field: str, value: object) -> None:
    document = {"at": "2026-03-02T09:00:00Z", "drivers": []} | {field: value}
    assert any(line.startswith(f"$.{field}") for line in problems(document, SCHEMA))


def test_a_valid_document_has_no_problem() -> None:
    assert problems({"at": "2026-03-02T09:00:00Z", "drivers": [], "day": None, "more": 1}, SCHEMA) == []


def test_a_format_that_nobody_checks_is_a_problem_of_the_schema() -> None:
    [problem] = problems("x", {"type": "string", "format": "hostname"})
    assert "no check is known for the formats ['hostname']" in problem


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("id", "42"),
        ("time", "2026-03-02"),
        ("tenantid", "Acme Ltd"),
        ("partitionkey", "acme"),
        ("sequence", 0),
        ("traceparent", "00-1-2-3"),
    ],
)
def test_an_envelope_with_a_wrong_attribute_is_refused(attribute: str, value: object) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "0197a3c1-0000-7000-8000-000000000001",
        "source": "/scoring-svc",
        "type": "account.health.changed.v1",
        "subject": "0197a3c1-0000-7000-8000-000000000002",
        "time": "2026-03-02T09:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "/schemas/account.health.changed.v1.json",
        "tenantid": "acme",
        "partitionkey": "acme/0197a3c1-0000-7000-8000-000000000002",
        "sequence": 1,
        "data": {},
    }
    assert problems(envelope, envelope_schema()) == []
    assert problems(envelope | {attribute: value}, envelope_schema())
