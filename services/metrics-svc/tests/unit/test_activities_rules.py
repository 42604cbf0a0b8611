"""Which activities are refused, and how an accepted one is read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import (
    NOBODY,
    Activity,
    Posted,
    Reference,
    Refusal,
    Status,
    answers,
    asked_contact,
    is_purchase,
    is_unasked_contact,
    refusal,
    statuses,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def posted(**changed: Any) -> Posted:
    more = {name: changed.pop(name) for name in ("external_id", "in_reply_to", "currency") if name in changed}
    return Posted(
        activity=activity(**({"outcome": "no-answer"} | changed)),
        reference=Reference(kind="domain", value="example.com"),
        **({"external_id": "1"} | more),
    )


def activity(**changed: Any) -> Activity:
    fields: dict[str, Any] = {
        "tenant": "acme",
        "activity_id": UUID(int=1),
        "source": "crm",
        "type": "call",
        "direction": "outbound",
        "occurred_at": NOW,
        "recorded_at": NOW,
    }
    return Activity(**(fields | changed))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"source": " "}, (Refusal.MISSING_IDENTITY, "/source")),
        ({"external_id": ""}, (Refusal.MISSING_IDENTITY, "/external_id")),
        ({"type": "telegram"}, (Refusal.UNKNOWN_TYPE, "/type")),
        ({"type": "observation"}, (Refusal.UNKNOWN_TYPE, "/type")),
        ({"outcome": "held"}, (Refusal.OUTCOME_MISMATCH, "/outcome")),
        ({"type": "note", "outcome": "held"}, (Refusal.OUTCOME_MISMATCH, "/outcome")),
        ({"direction": None}, (Refusal.MISSING_DIRECTION, "/direction")),
        ({"occurred_at": NOW + timedelta(minutes=5, seconds=1)}, (Refusal.IN_FUTURE, "/occurred_at")),
        ({"occurred_at": datetime(1989, 12, 31, tzinfo=UTC)}, (Refusal.TOO_EARLY, "/occurred_at")),
        ({"in_reply_to": "1"}, (Refusal.REPLY_TO_ITSELF, "/in_reply_to")),
        ({"amount": Decimal(1)}, (Refusal.AMOUNT_WITHOUT_CURRENCY, "/currency")),
        ({"currency": "EUR"}, (Refusal.AMOUNT_WITHOUT_CURRENCY, "/amount")),
        (
            {"type": "meeting", "outcome": "invited", "occurred_at": NOW + timedelta(days=1200)},
            (Refusal.IN_FUTURE, "/occurred_at"),
        ),
        (
            {"type": "meeting", "outcome": "invited", "starts_at": NOW + timedelta(days=1200)},
            (Refusal.IN_FUTURE, "/starts_at"),
        ),
    ],
)
def test_each_broken_rule_is_named_with_its_place(changed: dict[str, Any], expected: tuple[Refusal, str]) -> None:
    assert expected == refusal(posted(**changed), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"outcome": None},
        {"occurred_at": NOW + timedelta(minutes=5)},
        {"type": "meeting", "outcome": "invited", "direction": None, "occurred_at": NOW + timedelta(days=90)},
        {"type": "order", "outcome": None, "direction": None, "amount": Decimal(1), "currency": "EUR"},
    ],
)
def test_what_breaks_no_rule_is_taken(changed: dict[str, Any]) -> None:
    assert refusal(posted(**changed), NOW) is None


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        ({"outcome": "no-answer"}, True),
        ({"outcome": "voicemail"}, True),
        ({"outcome": "connected"}, False),
        ({"outcome": None}, False),
        ({"outcome": "no-answer", "asks_reply": False}, False),
        ({"outcome": "no-answer", "direction": "inbound"}, False),
        ({"type": "email", "outcome": "sent"}, False),
        ({"type": "email", "outcome": "sent", "asks_reply": True}, True),
        ({"type": "email", "outcome": "bounced", "asks_reply": True}, False),
        ({"type": "message", "asks_reply": True}, True),
        ({"type": "proposal", "asks_reply": True}, False),
    ],
)
def test_a_call_asks_unless_it_connected_and_the_rest_only_when_flagged(changed: dict[str, Any], asks: bool) -> None:
    assert (NOBODY if asks else None) == asked_contact(activity(**changed))


def test_the_first_contact_is_the_one_asked() -> None:
    asked = activity(outcome="busy", contact_ids=(UUID(int=5), UUID(int=6)))
    assert UUID(int=5) == asked_contact(asked)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"direction": "inbound", "outcome": "no-answer"}, True),
        ({"type": "email", "direction": "inbound"}, True),
        ({"outcome": "connected"}, True),
        ({"type": "meeting", "direction": None, "outcome": "held"}, True),
        ({"type": "meeting", "direction": None, "outcome": "accepted"}, False),
        ({"outcome": "no-answer"}, False),
        ({"type": "order", "direction": "inbound"}, False),
    ],
)
def test_what_settles_an_expectation(changed: dict[str, Any], expected: bool) -> None:
    assert expected is answers(activity(**changed))


def test_only_what_the_client_did_can_be_unasked() -> None:
    assert is_unasked_contact(activity(direction="inbound"))
    assert not is_unasked_contact(activity(outcome="connected"))


items = st.lists(st.tuples(st.sampled_from([UUID(int=1), UUID(int=2)]), st.integers(1, 4)), max_size=12)


@given(posted=items, known=st.dictionaries(st.just(UUID(int=1)), st.integers(1, 4)))
def test_the_highest_revision_of_each_identity_is_stored_last_whatever_the_order(
    posted: list[tuple[UUID, int]], known: dict[UUID, int]
) -> None:
    became = statuses(posted, known)
    stored = dict(known)
    for (id_, revision), status in zip(posted, became, strict=True):
        before = stored.get(id_)
        assert status is (
            Status.ACCEPTED
            if before is None
            else Status.DUPLICATE
            if revision == before
            else Status.CORRECTED
            if revision > before
            else Status.STALE
        )
        stored[id_] = max(revision, before or 0)
    assert set(statuses(posted, stored)) <= {Status.DUPLICATE, Status.STALE}


def test_cancellations_and_credit_notes_are_no_purchase() -> None:
    assert is_purchase(activity(type="order", amount=Decimal(5)))
    assert is_purchase(activity(type="order"))
    assert not is_purchase(activity(type="order", outcome="cancelled"))
    assert not is_purchase(activity(type="order", amount=Decimal(-5)))
