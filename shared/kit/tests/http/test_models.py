"""Value types of requests: what they take, what comes out."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from fastapi import Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from bellwether_kit.http import Money, RequestModel, UtcDatetime, changes, router

INSTANT: TypeAdapter[datetime] = TypeAdapter(UtcDatetime)
INSTANTS = st.datetimes(
    min_value=datetime(1902, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
    max_value=datetime(2198, 1, 1),  # noqa: DTZ001
    timezones=st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
        lambda offset: timezone(timedelta(minutes=offset // timedelta(minutes=1)))
    ),
)


@given(INSTANTS)
def test_an_instant_keeps_its_moment_and_comes_out_in_utc(instant: datetime) -> None:
    read = INSTANT.validate_python(instant.isoformat())
    assert (read, read.tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-11-20", "2026-11-20T10:15:00", "1700000000", "20261120T101500Z", "2026-13-01T00:00:00Z", "now", "", 5, True],
)
def test_what_is_no_instant_is_refused(text: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(text)


@given(st.decimals(min_value="-999999999999999", max_value="999999999999999", places=2))
def test_money_is_exact_both_ways(amount: Decimal) -> None:
    money = Money.model_validate({"amount": str(amount), "currency": "EUR"})
    assert money.amount == amount
    assert Money.model_validate_json(money.model_dump_json()) == money


@pytest.mark.parametrize(
    "amount", ["1e5", "1.23456", "1,50", " 1", "1.", ".5", "+1", "Infinity", "", "9" * 16, 1.5, 1, None, True]
)
def test_what_is_no_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


class Part(RequestModel):
    kind: Literal["part"] = "part"
    count: int = Field(ge=0, le=10)


class Whole(RequestModel):
    kind: Literal["whole"] = "whole"
    born: date | None = None
    ratio: float | None = None
    parts: dict[str, list[Part]] = Field(default_factory=dict)
    either: Annotated["Part | Whole", Field(discriminator="kind")] | None = None


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": {"a": [{"count": "5"}]}},
        {"parts": {"a": [{"count": True}]}},
        {"parts": {"a": [{"count": 5.0}]}},
        {"either": {"kind": "part", "count": "5"}},
        {"either": {"kind": "whole", "ratio": "0.5"}},
        {"ratio": float("nan")},
        {"ratio": True},
        {"born": 20_000},
        {"born": "20000"},
        {"born": 86_400.0},
        {"either": {"kind": "whole", "extra": 1}},
    ],
)
def test_values_of_another_type_are_refused_however_deep(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Whole.model_validate(wrong)


def test_values_of_the_right_type_are_taken_however_deep() -> None:
    right = {
        "born": "2026-02-28",
        "ratio": 1,
        "parts": {"a": [{"count": 10}]},
        "either": {"kind": "whole", "either": {"kind": "part", "count": 0}},
    }
    assert Whole.model_validate(right).born == date(2026, 2, 28)


def test_a_merge_patch_tells_what_was_given_and_what_is_to_go() -> None:
    assert changes(Whole.model_validate({"born": None, "ratio": 2.0})) == {"born": None, "ratio": 2.0}
    assert changes(Whole.model_validate({})) == {}


def test_a_body_model_as_query_is_refused_because_queries_are_texts() -> None:
    r = router()

    async def find(filters: Annotated[Part, Query()]) -> None: ...

    with pytest.raises(TypeError, match="QueryModel"):
        r.add_api_route("/x", find, operation_id="find-x")
