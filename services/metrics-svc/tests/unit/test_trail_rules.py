"""Why something was replaced."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.evidence.rules import Evidence, Revision, Slot
from metrics_svc.trail.rules import Cause, Why, causes, replaced

AT = datetime(2026, 3, 2, tzinfo=UTC)
HERE, THERE = UUID(int=7), UUID(int=8)
CALL = Activity(
    tenant="acme", activity_id=UUID(int=1), source="crm", type="call", occurred_at=AT, recorded_at=AT, account_id=HERE
)
OTHER = replace(CALL, activity_id=UUID(int=2))
PIECE = Evidence(
    slot=Slot("acme", HERE, "unreturned", "1"),
    kind="call-unreturned",
    observed_at=AT,
    source="crm",
    activity_ids=(CALL.activity_id,),
)
GONE = Revision(PIECE, 2, "superseded", before=PIECE)


def cause(*changes: Change) -> Cause:
    return causes(GONE, {change.after.activity_id: change for change in changes if change.after}, {HERE: changes})


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (None, CALL, None),
        (CALL, CALL, None),
        (replace(CALL, account_id=None), CALL, None),
        (CALL, replace(CALL, revision=2), Why.CORRECTED),
        (CALL, replace(CALL, account_id=THERE), Why.MOVED),
        (CALL, replace(CALL, account_id=None), Why.MOVED),
        (CALL, replace(CALL, contact_ids=(HERE,)), Why.RENAMED),
    ],
)
def test_only_a_form_that_would_be_lost_is_kept(before: Activity | None, after: Activity, why: Why | None) -> None:
    assert why == replaced(Change(before, after))


def test_what_evidence_came_from_is_blamed_before_what_else_happened() -> None:
    corrected = Change(CALL, replace(CALL, revision=2))
    assert cause(Change(None, OTHER), corrected) == Cause(Why.CORRECTED, (CALL.activity_id,))


def test_a_later_activity_of_the_account_is_blamed_when_nothing_of_its_own_changed() -> None:
    assert cause(Change(None, OTHER)) == Cause(Why.LATER_ACTIVITY, (OTHER.activity_id,))


def test_what_is_derived_anew_without_a_change_was_replaced_by_the_rules() -> None:
    assert cause(Change(CALL, CALL), Change(OTHER, OTHER)) == Cause(Why.RULES)


def test_without_any_change_it_was_time() -> None:
    assert causes(GONE, {}, {}) == Cause(Why.TIME)
