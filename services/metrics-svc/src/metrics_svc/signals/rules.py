"""Activities that are evidence by themselves: a ticket opened, a renewal signed, whatever the rules name. Pure."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.derivation.rules import Policy, RuleBook, Scalar, Signal, Terms
from metrics_svc.evidence.rules import Evidence, Findings, Slot

Attributes = Mapping[str, Scalar]


def slot(activity: Activity) -> Slot:
    """Where what an activity signals stands: one piece at most, so that another outcome revises it."""
    assert activity.account_id is not None
    return Slot(activity.tenant, activity.account_id, "signal", str(activity.activity_id))


def fits(signal: Signal, activity: Activity) -> bool:
    """Whether an activity is what a signal asks for, its attributes aside."""
    return (
        activity.type == signal.type
        and signal.outcome in {None, activity.outcome}
        and signal.direction in {None, activity.direction}
    )


def asks_attributes(policy: Policy, activity: Activity) -> bool:
    """Whether it takes the activity's attributes to tell what it signals."""
    return any(signal.attributes and fits(signal, activity) for signal in policy.signals)


def judge(activity: Activity, attributes: Attributes, policy: Policy) -> Evidence | None:
    """What an activity signals: the first signal of the policy counts whose every attribute the activity has."""
    for signal in policy.signals:
        if fits(signal, activity) and all(_has(attributes, *wanted) for wanted in signal.attributes.items()):
            return Evidence(
                slot=slot(activity),
                kind=signal.kind,
                observed_at=activity.occurred_at,
                source=activity.source,
                magnitude=signal.magnitude,
                contact_ids=activity.contact_ids,
                owner_id=activity.owner_id,
                activity_ids=(activity.activity_id,),
            )
    return None


def _has(attributes: Attributes, name: str, value: Scalar) -> bool:
    """Equality that does not take ``true`` for 1."""
    found = attributes.get(name)
    return name in attributes and found == value and isinstance(found, bool) == isinstance(value, bool)


def touched(changes: Sequence[Change], terms: Terms) -> tuple[Findings, list[Activity]]:
    """The places that changed activities may ever have had a signal in, and the activities that may have one now."""
    tenants = {activity.tenant for change in changes for activity in change.versions()}
    heard = {tenant: _heard(terms.book(tenant)) for tenant in tenants}
    found, come = Findings(), []
    for change in changes:
        for activity in change.versions():
            if any(fits(signal, activity) for signal in heard[activity.tenant]):
                found.decide([slot(activity)])
                if activity is change.after:
                    come.append(activity)
    return found, come


def _heard(book: RuleBook) -> Sequence[Signal]:
    """One signal for each sort of activity that any version of the rules may have made evidence of."""
    every = (signal for policy in book.every() for signal in policy.signals)
    return list({(signal.type, signal.outcome, signal.direction): signal for signal in every}.values())


def signalled(activities: Sequence[Activity], attributes: Mapping[UUID, Attributes], terms: Terms) -> list[Evidence]:
    """The evidence that activities are by themselves, each under the rules of its moment."""
    pieces = (
        judge(activity, attributes.get(activity.activity_id, {}), terms.policy(activity.tenant, activity.occurred_at))
        for activity in activities
        if activity.account_id is not None
    )
    return [piece for piece in pieces if piece is not None]
