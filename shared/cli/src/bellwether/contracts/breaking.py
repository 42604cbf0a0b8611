"""Which changes of a payload's schema break a reader, field by field. Pure: two schemas in, breaks out.

Inside one version a payload may gain an optional field and say itself better; nothing else. A reader of the
released schema must understand all that is said from now on, and a reader of the new one all that is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bellwether.contracts.schemas import Schema

_NULL = {"type": "null"}
_PROSE = frozenset({"title", "description", "default", "examples", "$id", "$schema"})
# A limit, and whether a larger number admits less.
_LIMITS = {
    "minimum": True,
    "exclusiveMinimum": True,
    "minLength": True,
    "minItems": True,
    "maximum": False,
    "exclusiveMaximum": False,
    "maxLength": False,
    "maxItems": False,
}


@dataclass(frozen=True, slots=True)
class Break:
    """One broken rule: its name, where it broke (`contact_ids[]`, empty for the whole) and what happened."""

    rule: str
    where: str
    what: str


def breaks(was: Schema, now: Schema, where: str = "") -> Iterator[Break]:
    """Yield every break between the released and the new schema of one value."""
    was_core, was_null = _without_null(was)
    now_core, now_null = _without_null(now)
    yield from _null_breaks(where, was_null=was_null, now_null=now_null)
    if _kind(was_core) != _kind(now_core):
        yield Break("retyped", where, f"was {_kind(was_core)}, is {_kind(now_core)}")
        return
    if was_core.get("unit") != now_core.get("unit"):
        yield Break("unit-changed", where, f"was {was_core.get('unit')}, is {now_core.get('unit')}")
    yield from _enum_breaks(was_core, now_core, where)
    yield from _limit_breaks(was_core, now_core, where)
    yield from _field_breaks(was_core, now_core, where)
    for keyword, path in (("items", f"{where}[]"), ("additionalProperties", f"{where}.*")):
        if isinstance(was_core.get(keyword), dict) and isinstance(now_core.get(keyword), dict):
            yield from breaks(was_core[keyword], now_core[keyword], path)


def _null_breaks(where: str, *, was_null: bool, now_null: bool) -> Iterator[Break]:
    if was_null and not now_null:
        yield Break("narrowed", where, "null is no longer allowed, and kept records hold it")
    if now_null and not was_null:
        yield Break("widened", where, "null is newly allowed, and readers do not expect it")


def _enum_breaks(was: Schema, now: Schema, where: str) -> Iterator[Break]:
    if ("enum" in was) is not ("enum" in now):
        closed = "enum" in now
        yield Break(
            "narrowed" if closed else "widened",
            where,
            "was open, is closed" if closed else "was closed, is open",
        )
        return
    before, after = set(map(str, was.get("enum", ()))), set(map(str, now.get("enum", ())))
    if gone := sorted(before - after):
        yield Break("narrowed", where, f"no longer allows {', '.join(gone)}")
    if new := sorted(after - before):
        yield Break("widened", where, f"newly allows {', '.join(new)}; a vocabulary that grows is an open string")


def _limit_breaks(was: Schema, now: Schema, where: str) -> Iterator[Break]:
    for limit, larger_is_narrower in _LIMITS.items():
        before, after = was.get(limit), now.get(limit)
        if before == after:
            continue
        narrower = before is None or (after is not None and (after > before) is larger_is_narrower)
        yield Break("narrowed" if narrower else "widened", where, f"{limit} was {before}, is {after}")
    if was.get("pattern") != now.get("pattern"):
        yield Break("narrowed", where, f"pattern was {was.get('pattern')}, is {now.get('pattern')}")


def _field_breaks(was: Schema, now: Schema, where: str) -> Iterator[Break]:
    before, after = was.get("properties", {}), now.get("properties", {})
    must_before, must_after = set(was.get("required", ())), set(now.get("required", ()))
    new = {name: after[name] for name in after if name not in before}
    for name in sorted(before):
        path = f"{where}.{name}" if where else name
        if name not in after:
            yield _lost(path, before[name], new)
            continue
        if name in must_before - must_after:
            yield Break("made-optional", path, "readers count on it, and it may now be left out")
        yield from breaks(before[name], after[name], path)
    for name in sorted(must_after - must_before):
        path = f"{where}.{name}" if where else name
        yield Break("newly-required", path, "records that are still kept do not hold it: give it a default")


def _lost(path: str, schema: Schema, new: dict[str, Schema]) -> Break:
    twins = sorted(name for name in new if _bare(new[name]) == _bare(schema))
    if twins:
        return Break("renamed", path, f"is gone, and {twins[0]} of the same type is new: a rename is a removal")
    return Break("removed", path, f"was {_kind(_without_null(schema)[0])}")


def _kind(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    kind = str(schema.get("type") or ("string" if "enum" in schema else "anything"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    options = schema.get("anyOf", [])
    if _NULL not in options:
        return schema, False
    rest = [option for option in options if option != _NULL]
    outside = {name: item for name, item in schema.items() if name != "anyOf"}
    return (outside | rest[0] if len(rest) == 1 else outside | {"anyOf": rest}), True


def _bare(schema: object) -> object:
    if not isinstance(schema, dict):
        return schema
    return {name: _bare(item) for name, item in schema.items() if name not in _PROSE}
