"""Foreign bodies: a broken record spoils no other, whatever comes is read or refused, and nobody is mistaken for us."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters import ADAPTERS
from metrics_svc.adapters.records import (
    Untold,
    by_phone,
    by_token,
    companies,
    each,
    is_ours,
    moment,
    of_seconds,
    phone,
    records,
    silent,
)
from metrics_svc.inbound.rules import Adapter, Delivery, Forgery, Options, Proof
from metrics_svc.intake.rules import Told

OPTIONS = Options(source="here", own_domains=frozenset({"ours.example"}))
MOMENT = datetime(2026, 3, 10, 9, tzinfo=UTC)
FOREIGN = [
    ADAPTERS[n] for n in ("aircall", "google-calendar", "hubspot", "msgraph", "pipedrive", "salesforce", "twilio")
]
GOLDEN = [
    (adapter, json.loads(path.read_bytes()))
    for adapter in FOREIGN
    for path in sorted((Path(__file__).parent / "payloads" / adapter.name.replace("-", "_")).glob("*.json"))
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def told(**more: Any) -> Told:
    reference = Reference(kind="domain", value="norrland.example")
    return Told(
        **({"source": "here", "external_id": "1", "type": "call", "occurred_at": MOMENT, "account": reference} | more)
    )


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(content, dict | list):
        for key in content if isinstance(content, dict) else range(len(content)):
            yield from places(content[key], (*path, key))


def replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = content.copy()
    copy[path[0]] = replaced(content[path[0]], path[1:], value)
    return copy


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Adapter, bytes]:
    """A golden payload with anything anywhere."""
    adapter, content = draw(st.sampled_from(GOLDEN))
    place = draw(st.sampled_from(list(places(content))))
    return adapter, json.dumps(replaced(content, place, draw(JSON))).encode()


@given(spoilt())
def test_a_payload_with_anything_anywhere_is_read_or_partly_unread(case: tuple[Adapter, bytes]) -> None:
    adapter, body = case
    reading = adapter.read(body, OPTIONS)
    for item in reading.told:
        assert item.external_id
        assert item.occurred_at.tzinfo is not None


@given(st.sampled_from(FOREIGN), st.binary(max_size=60) | JSON.map(lambda content: json.dumps(content).encode()))
def test_any_bytes_are_read_or_raise_a_value_error(adapter: Adapter, body: bytes) -> None:
    try:
        reading = adapter.read(body, OPTIONS)
    except ValueError:
        return
    assert not reading.told


@given(st.sampled_from(FOREIGN), st.binary(max_size=60) | JSON.map(lambda content: json.dumps(content).encode()))
def test_no_bytes_prove_themselves(adapter: Adapter, body: bytes) -> None:
    delivery = Delivery(method="POST", url="https://x.example", query={}, headers={}, body=body, received_at=MOMENT)
    assert adapter.prove is None or isinstance(adapter.prove(delivery, ["a secret"]), Forgery)


@pytest.mark.parametrize("adapter", FOREIGN, ids=lambda adapter: adapter.name)
def test_what_is_no_json_is_a_value_error(adapter: Adapter) -> None:
    for body in (b"{", b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(ValueError, match=r"\w"):
            adapter.read(body, OPTIONS)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": 1}', [("", {"a": 1})]),
        (b"[1, 2]", [("/0", 1), ("/1", 2)]),
        (b'{"value": [1, 2]}', [("/value/0", 1), ("/value/1", 2)]),
        (b'{"value": 1}', [("", {"value": 1})]),
        (b"[]", []),
    ],
)
def test_records_come_single_in_lists_and_in_lists_inside_an_object(body: bytes, expected: object) -> None:
    assert expected == records(body, "value")


class Numbered(Struct):
    number: int


def test_a_record_that_is_odd_or_says_nothing_is_unread_where_it_stands_and_the_others_count() -> None:
    def told_by(record: Numbered) -> Iterator[Told]:
        if record.number < 0:
            raise Untold("negative", "It is negative.", "/number")
        yield told(external_id=str(record.number))

    found = records(b'[{"number": 1}, {"number": "2"}, {"number": -3}, {"number": 4}]')
    reading = each(found, Numbered, told_by)
    assert [item.external_id for item in reading.told] == ["1", "4"]
    assert [(u.code, u.pointer) for u in reading.unread] == [("malformed-record", "/1"), ("negative", "/2/number")]


def test_what_says_nothing_is_a_note_of_its_last_change() -> None:
    spoken = told(type="meeting", outcome="held", starts_at=MOMENT, subject="Visit", updated_at=MOMENT.replace(hour=12))
    expected = told(type="note", occurred_at=MOMENT.replace(hour=12), updated_at=MOMENT.replace(hour=12))
    assert expected == silent(spoken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-10T09:00:00.0000000", MOMENT),
        ("2026-03-10T10:00:00.000+0100", MOMENT),
        ("2026-03-10 09:00:00", MOMENT),
        ("", None),
        (None, None),
    ],
)
def test_moments_are_read_as_systems_write_them(text: str | None, expected: datetime | None) -> None:
    assert expected == moment(text)


@pytest.mark.parametrize("text", ["yesterday", "0001-01-01T00:00:00+14:00", "2026-13-01"])
def test_what_is_no_moment_is_untold(text: str) -> None:
    with pytest.raises(Untold):
        moment(text)


@pytest.mark.parametrize("seconds", [1e20, -1e20])
def test_seconds_out_of_range_are_untold(seconds: float) -> None:
    with pytest.raises(Untold):
        of_seconds(seconds)


def test_companies_are_neither_ours_nor_free_providers() -> None:
    addresses = [
        "A@ours.example",
        "b@eu.ours.example",
        "C@Norrland.example",
        "d@gmail.com",
        "nobody",
        "@x.example",
        "e@kvarn.example",
    ]
    expected = {"norrland.example": ["c@norrland.example"], "kvarn.example": ["e@kvarn.example"]}
    assert expected == companies(addresses, OPTIONS.own_domains)
    assert not is_ours("a@notours.example", OPTIONS.own_domains)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+46 8 123 456 78", "+46812345678"),
        ("+1 (800) 123-4567", "+18001234567"),
        ("anonymous", None),
        ("client:bob", None),
        ("08 123 456 78", None),
        ("+12", None),
        (None, None),
    ],
)
def test_numbers_are_read_as_e164(number: str | None, expected: str | None) -> None:
    assert expected == phone(number)


def test_an_account_with_a_number_is_referred_to_by_the_hash_that_sha256sum_prints() -> None:
    expected = "eab8eff529027e812d8e6e24a667543946ad01920190922a2c33d46b1e82076e"
    assert Reference(kind="external", source="phone", value=expected) == by_phone("+46812345678")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Forgery.MISSING),
        ("", Forgery.MISSING),
        ("wrong", Forgery.WRONG),
        ("ö", Forgery.WRONG),
        ("new", Proof("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", repeatable=True)),
        ("old", Proof("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", repeatable=True)),
    ],
)
def test_a_shared_secret_is_one_of_the_live_ones(given: str | None, expected: Proof | Forgery) -> None:
    assert expected == by_token(given, ["new", "old"], b"")
