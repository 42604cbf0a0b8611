"""Every rule of the breaking-change check with a change that it must catch, and the changes that are free."""

from copy import deepcopy
from typing import Annotated, Any

import msgspec
import pytest

from bellwether.contracts.breaking import breaks
from bellwether.contracts.schemas import Schema, schema_of

TYPE = "client.evidence.recorded.v1"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount."""

    amount: float
    currency: str


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """What was released."""

    kind: str
    count: Annotated[int, msgspec.Meta(ge=0, le=10)]
    wait: Annotated[float, msgspec.Meta(extra_json_schema={"unit": "hours"})]
    contacts: tuple[str, ...]
    value: Money | None
    note: str | None = None


RELEASED = schema_of(Released, TYPE)


def changed(**properties: object) -> Schema:
    """Return the released schema with some fields replaced; None takes one away."""
    schema = deepcopy(RELEASED)
    for name, field in properties.items():
        schema["properties"].pop(name)
        if field is not None:
            schema["properties"][name] = field
    schema["required"] = [name for name in schema["required"] if name in schema["properties"]]
    return schema


def with_field(name: str, field: Schema, *, required: bool) -> Schema:
    schema = deepcopy(RELEASED)
    schema["properties"][name] = field
    schema["required"] += [name] if required else []
    return schema


def without_required(name: str) -> Schema:
    schema = deepcopy(RELEASED)
    schema["required"].remove(name)
    return schema


def money(**properties: object) -> dict[str, Any]:
    value = deepcopy(RELEASED["properties"]["value"])
    value["anyOf"][0]["properties"] |= properties
    return {"value": value}


BREAKING = {
    "a removed field": (changed(contacts=None), "removed", "contacts"),
    "a renamed field": (
        changed(contacts=None)
        | {"properties": changed(contacts=None)["properties"] | {"people": RELEASED["properties"]["contacts"]}},
        "renamed",
        "contacts",
    ),
    "another type": (changed(kind={"type": "integer"}), "retyped", "kind"),
    "another format": (changed(kind={"type": "string", "format": "uuid"}), "retyped", "kind"),
    "another item type": (
        changed(contacts={"type": "array", "items": {"type": "number"}}),
        "retyped",
        "contacts[]",
    ),
    "a nested type": (changed(**money(currency={"type": "integer"})), "retyped", "value.currency"),
    "an open string that is closed": (changed(kind={"enum": ["a"]}), "narrowed", "kind"),
    "a higher minimum": (
        changed(count={"type": "integer", "minimum": 1, "maximum": 10}),
        "narrowed",
        "count",
    ),
    "a lower maximum": (changed(count={"type": "integer", "minimum": 0, "maximum": 9}), "narrowed", "count"),
    "a higher maximum": (changed(count={"type": "integer", "minimum": 0, "maximum": 11}), "widened", "count"),
    "a new limit": (changed(kind={"type": "string", "maxLength": 5}), "narrowed", "kind"),
    "a new pattern": (changed(kind={"type": "string", "pattern": "^a"}), "narrowed", "kind"),
    "null no longer allowed": (changed(note={"type": "string"}), "narrowed", "note"),
    "null newly allowed": (
        changed(kind={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "widened",
        "kind",
    ),
    "a new required field": (
        with_field("place", {"type": "string"}, required=True),
        "newly-required",
        "place",
    ),
    "an old field made required": (
        with_field("note", RELEASED["properties"]["note"], required=True),
        "newly-required",
        "note",
    ),
    "a field that may now be left out": (without_required("kind"), "made-optional", "kind"),
    "another unit": (changed(wait={"type": "number", "unit": "days"}), "unit-changed", "wait"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_a_reader_is_named(name: str) -> None:
    schema, rule, where = BREAKING[name]
    assert (rule, where) in {(found.rule, found.where) for found in breaks(RELEASED, schema)}


CLOSED = {"type": "object", "properties": {"status": {"enum": ["active", "gone"]}}}


@pytest.mark.parametrize(("allowed", "rule"), [(["active"], "narrowed"), (["active", "gone", "asleep"], "widened")])
def test_a_closed_vocabulary_neither_shrinks_nor_grows(allowed: list[str], rule: str) -> None:
    now = {"type": "object", "properties": {"status": {"enum": allowed}}}
    assert [rule] == [found.rule for found in breaks(CLOSED, now)]


FREE = {
    "nothing": RELEASED,
    "a new optional field": with_field("place", {"type": "string", "default": ""}, required=False),
    "another description": changed(kind={"type": "string", "description": "said better"}),
    "another default": changed(note={"anyOf": [{"type": "string"}, {"type": "null"}], "default": "none"}),
}


@pytest.mark.parametrize("name", FREE)
def test_a_change_that_every_reader_survives_is_free(name: str) -> None:
    assert list(breaks(RELEASED, FREE[name])) == []
