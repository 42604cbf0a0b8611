"""A payload struct as a normalised JSON Schema: inlined and sorted, so that a diff shows just the change."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from bellwether.errors import BellwetherError

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SET_LIKE = frozenset({"required", "enum", "type"})


class RecursiveModel(BellwetherError):
    """A payload that contains itself cannot be inlined, and a reader could not bound it either."""


class InvalidModel(BellwetherError):
    """A payload whose annotations msgspec refuses; it could not be encoded either."""


def schema_of(model: type[msgspec.Struct], event_type: str) -> Schema:
    """Return the JSON Schema of a payload's `data`.

    Raises RecursiveModel when the struct contains itself, InvalidModel when its annotations contradict each other.
    """
    try:
        raw = msgspec.json.schema(model)
    except TypeError as error:
        raise InvalidModel(f"{model.__module__}.{model.__qualname__} has no schema: {error}") from error
    body = _object(raw, raw.get("$defs", {}), ())
    body |= {"$schema": DIALECT, "$id": schema_id(event_type), "title": event_type}
    body["description"] = inspect.getdoc(model) or ""
    return normalised(body)


def schema_id(event_type: str) -> str:
    """Return the name of a schema, as `dataschema` says it in each event: no address to fetch."""
    return f"/schemas/{event_type}.json"


def text_of(document: Mapping[str, Any]) -> str:
    """Write a document as the golden files hold it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def normalised(schema: Mapping[str, Any]) -> Schema:
    """Sort keys and everything that is a set; keep lists whose order has a meaning."""
    return {key: _sorted(key, schema[key]) for key in sorted(schema)}


def _sorted(key: str, node: object) -> object:
    if isinstance(node, dict):
        return normalised(node)
    if not isinstance(node, list):
        return node
    items = [_sorted("", item) for item in node]
    if key in _SET_LIKE:
        return sorted(items, key=str)
    if key == "anyOf":
        return sorted(items, key=lambda item: (item == {"type": "null"}, json.dumps(item)))
    return items


def _inlined(node: object, definitions: Mapping[str, Any], trail: tuple[str, ...]) -> object:
    if isinstance(node, list):
        return [_inlined(item, definitions, trail) for item in node]
    return _object(node, definitions, trail) if isinstance(node, dict) else node


def _object(node: Mapping[str, Any], definitions: Mapping[str, Any], trail: tuple[str, ...]) -> Schema:
    if "$ref" not in node:
        return {name: _inlined(item, definitions, trail) for name, item in node.items() if name != "$defs"}
    target = str(node["$ref"]).removeprefix("#/$defs/")
    if target in trail:
        raise RecursiveModel(f"{target} contains itself: {' → '.join((*trail, target))}")
    inlined = _object(definitions[target], definitions, (*trail, target))
    inlined.pop("title", None)
    inlined["description"] = " ".join(str(inlined.get("description", "")).split())
    return inlined | {name: item for name, item in node.items() if name not in {"$ref", "$defs"}}
