"""JSON Schema validation with every format checked; a format without a check is an error, not a pass."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def _date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@FORMATS.checks("uuid", raises=ValueError)
def _uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


def problems(document: object, schema: dict[str, Any]) -> list[str]:
    """Return what is wrong with a document, as `path: reason`; empty when it is valid."""
    unknown = set(_formats(schema)) - set(FORMATS.checkers)
    if unknown:
        return [f"schema: no check is known for the formats {sorted(unknown)}; add one to contracts/formats.py"]
    errors = Draft202012Validator(schema, format_checker=FORMATS).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in sorted(errors, key=lambda error: error.json_path)]


def _formats(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("format"), str):
            yield node["format"]
        for item in node.values():
            yield from _formats(item)
    elif isinstance(node, list):
        for item in node:
            yield from _formats(item)
