"""One meeting: how it was answered, whether it took place, and what that is evidence of. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.derivation.rules import Policy
from metrics_svc.evidence.rules import Evidence, Slot

_KINDS = {
    "accepted": "meeting-accepted",
    "declined": "meeting-declined",
    "held": "meeting-held",
    "no-show": "meeting-no-show",
    "cancelled-by-client": "meeting-cancelled-by-client",
}
KINDS: Mapping[str, str] = {
    "meeting-accepted": "`meeting` `accepted`",
    "meeting-declined": "`meeting` `declined`",
    "meeting-held": "`meeting` `held`",
    "meeting-no-show": "`meeting` `no-show`",
    "meeting-cancelled-by-client": "`meeting` `cancelled-by-client`, or moved by the client `moves_counted` times",
    "meeting-unanswered": "a `meeting` `invited` (or `no-response`) that starts without an answer",
}
"""What each kind comes from."""

_UNANSWERED = frozenset({None, "invited", "no-response"})
_RANK = {
    outcome: rank
    for rank, outcome in enumerate(
        ("tentative", "accepted", "declined", "cancelled-by-client", "no-show", "held"), start=1
    )
}
"""Of answers given at the same moment the one further down the road counts."""


Meeting = tuple[str, UUID, UUID]
"""Tenant, account and meeting."""


def touched(changes: Sequence[Change]) -> set[Meeting]:
    """The meetings whose activities changed, under every account they belong or belonged to."""
    return {
        (activity.tenant, activity.account_id, activity.meeting_id)
        for change in changes
        for activity in change.versions()
        if activity.account_id is not None and activity.meeting_id is not None
    }


def start_of(activity: Activity) -> datetime:
    """When the meeting begins, as this activity knows it."""
    return activity.starts_at or activity.occurred_at


def said_at(activity: Activity) -> datetime | None:
    """When the answer, move or cancellation was made; None when only the start is known.

    With ``starts_at`` given it is ``occurred_at``. A source that keeps one record per meeting gives its
    update time instead; failing that, the moment the record reached us, if that was before the start.
    """
    if activity.starts_at is not None:
        return activity.occurred_at
    if activity.updated_at is not None:
        return activity.updated_at
    return activity.recorded_at if activity.recorded_at < activity.occurred_at else None


def slots(tenant: str, account_id: UUID, meeting_id: UUID) -> tuple[Slot, Slot]:
    """Where a meeting's evidence stands: what became of it, and that the client kept moving it."""
    return (
        Slot(tenant, account_id, "meeting", str(meeting_id)),
        Slot(tenant, account_id, "meeting-moved", str(meeting_id)),
    )


def _order(activity: Activity) -> tuple[datetime, int, int, UUID]:
    """Which answer is the later one. Never by arrival, so that any order of arrival gives the same."""
    said = activity.occurred_at if activity.starts_at else activity.updated_at
    rank = _RANK.get(activity.outcome or "", 0)
    return (said or start_of(activity), activity.revision, rank, activity.activity_id)


def _start(activities: Sequence[Activity]) -> datetime:
    """The start as last announced; activities that name it outweigh those that only say when they happened."""
    named = [a for a in activities if a.starts_at is not None]
    return start_of(max(named or activities, key=_order))


def read_at(activities: Sequence[Activity]) -> datetime:
    """The moment under whose rules a meeting is read: that of the last of its activities."""
    return max(activity.occurred_at for activity in activities)


def awaited(activities: Sequence[Activity], as_of: datetime) -> datetime | None:
    """The meeting's start while an answer is still awaited, else None."""
    start = _start(activities)
    latest = max(activities, key=_order)
    return start if latest.outcome in _UNANSWERED and start > as_of else None


def judge(activities: Sequence[Activity], policy: Policy, as_of: datetime) -> list[Evidence]:
    """What all activities of one meeting (at least one, any order, one account) say together at a moment.

    One piece of evidence whose kind follows the latest answer, so that a later answer revises the earlier
    one; a move asks for a new answer and says nothing itself. A second piece when the client has moved it
    ``moves_counted`` times. Whether an acceptance or a missing answer says anything is the policy's.
    """
    latest, start = max(activities, key=_order), _start(activities)
    assert latest.account_id is not None
    what, moved = slots(latest.tenant, latest.account_id, latest.meeting_id or latest.activity_id)
    found = []
    kind, observed_at, magnitude = _KINDS.get(latest.outcome or ""), said_at(latest) or start, 1.0
    if latest.outcome in {"held", "no-show"}:
        observed_at = start
    elif latest.outcome in _UNANSWERED and start <= as_of and policy.unanswered_counts:
        kind, observed_at = "meeting-unanswered", start
    elif latest.outcome == "cancelled-by-client" and _short_notice(latest, start, policy):
        magnitude = policy.late_cancellation_magnitude
    if kind is not None and (policy.acceptance_counts or latest.outcome != "accepted"):
        found.append(_piece(what, kind, observed_at, magnitude, latest, activities))
    moves = sorted((a for a in activities if a.outcome == "rescheduled-by-client"), key=_order)
    if len(moves) >= policy.moves_counted:
        last = moves[policy.moves_counted - 1]
        when = said_at(last) or start_of(last)
        found.append(_piece(moved, "meeting-cancelled-by-client", when, policy.moved_magnitude, last, moves))
    return found


def _short_notice(cancelled: Activity, start: datetime, policy: Policy) -> bool:
    said = said_at(cancelled)
    return said is not None and start - said < timedelta(hours=policy.late_notice_hours)


def _piece(
    slot: Slot,
    kind: str,
    observed_at: datetime,
    magnitude: float,
    told_by: Activity,
    all_of: Sequence[Activity],
) -> Evidence:
    return Evidence(
        slot=slot,
        kind=kind,
        observed_at=observed_at,
        source=told_by.source,
        magnitude=magnitude,
        contact_ids=told_by.contact_ids,
        owner_id=told_by.owner_id,
        activity_ids=tuple(sorted(a.activity_id for a in all_of)),
    )
