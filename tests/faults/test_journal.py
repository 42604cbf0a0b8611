"""What a journal tells of what was sent."""

from pathlib import Path

import pytest

from faults import journal
from faults.journal import OK, REFUSED, UNKNOWN, Account, Journal


@pytest.fixture
def written(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def told(written: Journal) -> Account:
    written.close()
    return journal.read(written.path)


def test_what_was_taken_is_at_least_what_stands(written: Journal) -> None:
    written.sending(1, "acme", [("a", 2)])
    written.answered(1, OK, 200)

    assert told(written).sent["acme", "a"] == journal.Sent(taken=2, tried=2)


def test_what_was_refused_was_never_said(written: Journal) -> None:
    written.sending(1, "acme", [("a", 1)])
    written.answered(1, REFUSED, 503)

    account = told(written)
    assert account.sent["acme", "a"] == journal.Sent()
    assert account.odd == []


def test_what_has_no_known_end_may_have_been_taken(written: Journal) -> None:
    written.sending(1, "acme", [("a", 1)])
    written.sending(2, "acme", [("a", 2)])
    written.answered(2, UNKNOWN, "ReadTimeout")

    account = told(written)
    assert account.sent["acme", "a"] == journal.Sent(tried=2, maybe={1, 2})
    assert account.outcomes == {UNKNOWN: 2}


def test_a_refusal_that_is_not_one_of_load_is_odd(written: Journal) -> None:
    written.sending(1, "acme", [("a", 1)])
    written.answered(1, REFUSED, 422)

    assert told(written).odd == ["post 1: 422"]


@pytest.mark.parametrize(("number", "possible"), [(1, True), (2, False), (3, True)])
def test_last_is_what_was_taken_last_or_what_came_nobody_knows_when(number: int, possible: bool) -> None:
    sent = journal.Sent()
    for said, outcome in ((1, UNKNOWN), (1, OK), (2, OK), (3, OK)):
        sent.hear(said, outcome)

    assert sent.may_be_last(number) is possible
