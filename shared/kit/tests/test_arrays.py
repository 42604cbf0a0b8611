"""Array literals mean to PostgreSQL what they were made from, whatever is in them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwether_kit.arrays import array, arrays

TEXTS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SORTS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "uuid": st.uuids(),
    "timestamptz": TIMES,
    "date": st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    "bytea": st.binary(),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "float8": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4),
}


class Colour(StrEnum):
    RED = "r,e\\d"


@pytest.fixture(scope="module")
def connection(postgres: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres, autocommit=True, options="-c timezone=UTC") as made:
        yield made


def read(connection: psycopg.Connection, literal: str, type_: str) -> Any:
    row = connection.execute(f"SELECT CAST(%s AS {type_}[])", [literal]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("type_", SORTS)
def test_whatever_is_written_is_read_again(connection: psycopg.Connection, type_: str) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.none() | SORTS[type_]) | st.lists(SORTS[type_]))
    def check(values: list[Any]) -> None:
        assert read(connection, array(values), type_) == values

    check()


@pytest.mark.parametrize(
    "text", ["", "NULL", "null", '"', "\\", '\\"', "a,b", "{}", '","', " a ", "\n", "ä", '"a","b"', "\\x00"]
)
def test_texts_that_look_like_something_else_stay_texts(connection: psycopg.Connection, text: str) -> None:
    assert read(connection, array([text]), "text") == [text]
    assert read(connection, array([text, text]), "text") == [text, text]
    assert read(connection, array([text, None]), "text") == [text, None]


def test_the_words_of_an_enumeration_are_texts(connection: psycopg.Connection) -> None:
    assert read(connection, array([Colour.RED, "x"]), "text") == ["r,e\\d", "x"]


def test_lists_and_mappings_travel_as_texts(connection: psycopg.Connection) -> None:
    ids = (UUID(int=1), UUID(int=2))
    lists = read(connection, array([ids, (), ['a"b']]), "text")
    assert read(connection, lists[0].strip("{}").join("{}"), "uuid") == list(ids)
    assert lists[1:] == ["{}", '{"a\\"b"}']
    assert read(connection, array([{"a": 'x"y'}]), "text") == ['{"a":"x\\"y"}']


def test_a_value_that_has_no_place_in_an_array_is_refused() -> None:
    with pytest.raises(TypeError, match="no array of object"):
        array([object()])


def test_rows_become_one_array_a_column() -> None:
    assert arrays("ids names", [(1, "a"), (2, None)]) == {"ids": "{1,2}", "names": '{"a",NULL}'}


def test_without_rows_every_array_is_empty() -> None:
    assert arrays("ids names", []) == {"ids": "{}", "names": "{}"}


def test_rows_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        arrays("ids names", [(1, "a"), (2,)])


def test_numbers_are_exact(connection: psycopg.Connection) -> None:
    values = [Decimal("0.1000"), Decimal("1E+3"), None]
    assert read(connection, array(values), "numeric") == values
