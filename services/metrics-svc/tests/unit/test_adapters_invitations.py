"""Invitations: a company answers as warmly as its warmest guest, and M3 reads from it what became of the meeting."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.adapters.invitations import MOST, Answer, Invitation, told_of, warmest
from metrics_svc.adapters.records import Untold, person
from metrics_svc.derivation.rules import Policy
from metrics_svc.inbound.rules import Options
from metrics_svc.intake.rules import Told, revision_of
from metrics_svc.intake.store import posted_of
from metrics_svc.meetings.rules import awaited, judge

START = datetime(2026, 3, 10, 14, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPTIONS = Options(source="calendar", own_domains=frozenset({"ours.example"}))
US, ANN, BOB = "ines@ours.example", "ann@acme.example", "bob@acme.example"


def invitation(*answers: tuple[str, str], organizer: str = US, updated: timedelta = -2 * DAY) -> Invitation:
    return Invitation(
        uid="m-1",
        starts_at=START,
        created_at=START - 5 * DAY,
        updated_at=START + updated,
        organizer=organizer,
        answers=[Answer(address, outcome) for address, outcome in answers],
    )


def only(meeting: Invitation) -> Told:
    [told] = told_of(meeting, OPTIONS)
    return told


def evidence(*revisions: Invitation, as_of: datetime = START + DAY) -> list[tuple[str, timedelta, float]]:
    """What M3 says of the last revision of the meeting, observed how long from its start."""
    told = only(revisions[-1])
    posted = posted_of(told, tenant="t", now=as_of, author=None)
    activity = replace(posted.activity, account_id=UUID(int=7))
    return [(found.kind, found.observed_at - START, found.magnitude) for found in judge([activity], Policy(), as_of)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("accepted", [("meeting-accepted", -2 * DAY, 1.0)]),
        ("declined", [("meeting-declined", -2 * DAY, 1.0)]),
        ("tentative", []),
        ("invited", [("meeting-unanswered", timedelta(), 1.0)]),
    ],
)
def test_an_answer_is_evidence_from_when_it_was_given(answer: str, expected: object) -> None:
    assert evidence(invitation((ANN, answer))) == expected


def test_an_answer_is_awaited_until_the_start_and_from_then_on_missing() -> None:
    posted = posted_of(only(invitation((ANN, "invited"))), tenant="t", now=START - DAY, author=None)
    assert awaited([posted.activity], START - DAY) == START
    assert evidence(invitation((ANN, "invited")), as_of=START - DAY) == []


def test_a_meeting_that_moved_is_awaited_until_its_new_start() -> None:
    moved = replace(invitation((ANN, "invited")), starts_at=START + 7 * DAY, updated_at=START - DAY)
    assert evidence(invitation((ANN, "accepted")), moved, as_of=START + DAY) == []
    assert evidence(moved, as_of=START + 8 * DAY) == [("meeting-unanswered", 7 * DAY, 1.0)]


def test_a_later_look_at_the_calendar_is_a_later_revision_of_the_same_activity() -> None:
    first, second = only(invitation((ANN, "invited"))), only(invitation((ANN, "accepted"), updated=-DAY))
    assert (first.external_id, first.thread) == (second.external_id, second.thread)
    assert revision_of(first.revision, first.updated_at) < revision_of(second.revision, second.updated_at)


@pytest.mark.parametrize(
    ("organizer", "updated", "expected"),
    [
        (US, -2 * DAY, []),
        (ANN, -2 * DAY, [("meeting-cancelled-by-client", -2 * DAY, 1.0)]),
        (ANN, -2 * HOUR, [("meeting-cancelled-by-client", -2 * HOUR, 1.5)]),
        ("x@other.example", -2 * DAY, []),
    ],
)
def test_whoever_organizes_cancels(organizer: str, updated: timedelta, expected: object) -> None:
    meeting = replace(
        invitation((US, "accepted"), (ANN, "accepted"), organizer=organizer, updated=updated), cancelled=True
    )
    told = {item.account.value: item for item in told_of(meeting, OPTIONS)}["acme.example"]
    posted = posted_of(told, tenant="t", now=START, author=None)
    activity = replace(posted.activity, account_id=UUID(int=7))
    found = [(f.kind, f.observed_at - START, f.magnitude) for f in judge([activity], Policy(), START + DAY)]
    assert found == expected


def test_a_clients_own_invitation_is_accepted_by_whoever_sent_it() -> None:
    told = only(invitation((US, "invited"), (BOB, "declined"), organizer=ANN))
    assert (told.outcome, told.occurred_at, told.contacts) == ("accepted", START - 5 * DAY, (person(ANN),))


def test_the_warmest_answer_counts_and_names_who_gave_it() -> None:
    told = only(invitation((BOB, "declined"), (ANN, "accepted"), ("cy@acme.example", "invited")))
    assert (told.outcome, told.contacts) == ("accepted", (person(ANN),))


def test_an_answer_has_its_own_time_where_the_calendar_knows_it_and_no_later_one_than_the_start() -> None:
    answers = [Answer(ANN, "accepted", START - 3 * DAY), Answer(BOB, "accepted", START - 4 * DAY)]
    assert only(replace(invitation(), answers=answers)).occurred_at == START - 3 * DAY
    assert only(invitation((ANN, "accepted"), updated=9 * DAY)).occurred_at == START


def test_each_client_company_has_an_activity_of_its_own_in_one_thread() -> None:
    meeting = invitation((ANN, "accepted"), ("x@Other.example", "declined"), ("free@gmail.com", "accepted"))
    told = list(told_of(meeting, OPTIONS))
    assert [(t.external_id, t.account.value, t.outcome) for t in told] == [
        ("m-1/acme.example", "acme.example", "accepted"),
        ("m-1/other.example", "other.example", "declined"),
    ]
    assert {t.thread for t in told} == {"m-1"}
    assert {t.owner for t in told} == {US}


def test_nobody_is_blamed_for_not_answering_when_no_answer_was_asked() -> None:
    quiet = replace(invitation((ANN, "invited")), asks=False)
    assert (only(quiet).type, only(quiet).outcome, only(quiet).starts_at) == ("note", None, None)
    assert only(replace(invitation((ANN, "declined")), asks=False)).outcome == "declined"


def test_a_crowd_is_kept_in_part() -> None:
    crowd = [(f"guest{n}@acme.example", "invited") for n in range(500)]
    assert len(only(invitation(*crowd)).contacts) == MOST


@pytest.mark.parametrize(
    ("meeting", "code"),
    [
        (invitation((ANN, "accepted"), organizer=BOB), "without-us"),
        (invitation(("joao@ours.example", "accepted"), ("free@gmail.com", "accepted")), "without-client"),
    ],
)
def test_a_meeting_needs_us_and_a_client(meeting: Invitation, code: str) -> None:
    with pytest.raises(Untold) as untold:
        list(told_of(meeting, OPTIONS))
    assert untold.value.unread.code == code


@given(st.permutations([(ANN, "declined"), (BOB, "accepted"), ("cy@acme.example", "invited")]))
def test_the_order_of_guests_makes_no_difference(answers: list[tuple[str, str]]) -> None:
    assert only(invitation(*answers)) == only(invitation(*sorted(answers)))


def test_without_answers_there_is_no_warmest() -> None:
    assert warmest([]) is None
