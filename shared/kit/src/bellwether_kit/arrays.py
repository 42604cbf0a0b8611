"""PostgreSQL array literals, by which a statement takes many rows at once and unnests them.

Written by hand: the driver adapts a list item by item, which takes longer than the rest of a batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

_PLAIN = {type(None), bool, int, float, Decimal, UUID, datetime, date}
"""Types whose text needs no quotes inside an array."""


def array(values: Sequence[object]) -> str:
    """The literal of ``values``: numbers, truth values, ids, times, texts or bytes; None is NULL.

    Lists and mappings become texts, for the statement to cast to an array or JSON: an array of arrays would have to
    be a rectangle. Raises TypeError for anything else.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = '","'.join(values)  # type: ignore[arg-type]  # all are texts
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    elif kinds <= _PLAIN:
        return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"
    return "{" + ",".join(map(_element, values)) + "}"


def arrays(names: str, rows: Iterable[Sequence[object]]) -> dict[str, str]:
    """One array for each column of ``rows``, by the ``names`` (separated by spaces) of the statement's parameters."""
    columns: Sequence[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(names.split())
    return dict(zip(names.split(), map(array, columns), strict=True))


def _element(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return f'"\\\\x{value.hex()}"'
        case list() | tuple():
            return _element(array(value))
        case Mapping():
            return _element(msgspec.json.encode(value).decode())
        case _ if type(value) in _PLAIN:
            return str(value)
    raise TypeError(f"no array of {type(value).__name__}")
