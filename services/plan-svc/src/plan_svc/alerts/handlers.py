"""What follows when an alert opens, reopens or resolves: plays open and close in the same transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event, Poison, Received
from bellwether_kit.ids import opaque_id
from plan_svc.accounts import store as accounts
from plan_svc.alerts import rules, store
from plan_svc.alerts.store import AccountKey
from plan_svc.consumed import AlertChanged
from plan_svc.owners import store as fallbacks
from plan_svc.owners.rules import answerable
from plan_svc.plays import store as plays
from plan_svc.plays.tables import Play
from plan_svc.templates.rules import template_of

RESOLVED = "account.alert.resolved.v1"

Alert = Received[AlertChanged]


@dataclass(frozen=True, slots=True)
class _Owners:
    """Who answers for what: of the accounts that are known, and of tenants as a last resort."""

    of_account: Mapping[AccountKey, tuple[UUID | None, bool]]
    fallback: Mapping[str, UUID]

    def of(self, event: Alert) -> UUID:
        """Who answers for a play that ``event`` opens."""
        owner, _ = self.of_account.get((event.tenant, event.data.account_id), (None, False))
        return answerable(event.data.owner_id, owner, self.fallback[event.tenant])

    def gone(self, event: Alert) -> bool:
        """Whether the account was removed: it gets no plays any more."""
        return self.of_account.get((event.tenant, event.data.account_id), (None, False))[1]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a batch comes to, over all its accounts, before it is written at once."""

    alerts: list[tuple[str, rules.AlertSeen]] = field(default_factory=list)
    settled: list[tuple[str, rules.Play, datetime | None]] = field(default_factory=list)
    new: list[Play] = field(default_factory=list)
    said: list[tuple[UUID, Event]] = field(default_factory=list)


async def follow_alerts(uow: UnitOfWork, events: Sequence[Alert]) -> None:
    """Open, hand on and close plays as the alerts of one batch ask for it, all accounts together."""
    by_account: dict[AccountKey, list[Alert]] = defaultdict(list)
    for event in events:
        by_account[event.tenant, event.data.account_id].append(event)
    owners = _Owners(
        await accounts.owners(uow.session, by_account.keys()),
        await fallbacks.fallback_owners(uow.session, {tenant for tenant, _ in by_account}),
    )
    before = await store.situations(uow.session, [(e.tenant, e.data.alert_id, e.data.account_id) for e in events])
    outcome = _Outcome()
    for key, heard in by_account.items():
        _follow_account(outcome, key, before[key], heard, owners)
    await store.remember(uow.session, outcome.alerts)
    await store.settle(uow.session, outcome.settled)
    added = await plays.add(uow.session, outcome.new)
    refused = {play.play_id for play in outcome.new} - added  # opened by hand in this very moment
    uow.emit(*(event for play_id, event in outcome.said if play_id not in refused))


def _follow_account(
    outcome: _Outcome, key: AccountKey, before: rules.Situation, heard: Sequence[Alert], owners: _Owners
) -> None:
    tenant, account_id = key
    causes = {_play_id(event): event for event in heard}
    after, changes = rules.follow(before, [_signal(event, owners) for event in heard])
    outcome.alerts.extend((tenant, alert) for id_, alert in after.alerts.items() if before.alerts.get(id_) != alert)
    closed_at: dict[UUID, datetime] = {}
    for change in changes:
        play, cause = change.play, causes[change.signal.play_id]
        if isinstance(change, rules.Opened):
            outcome.new.append(_row(cause, after.plays[play.play_id], owners.of(cause)))
            event = plays.opened(outcome.new[-1], cause)
        else:
            closed_at[play.play_id] = cause.time
            event = plays.closed(tenant, account_id, play, cause.time, cause)
        outcome.said.append((play.play_id, event))
    for row in outcome.new:
        row.closed_at = closed_at.get(row.play_id, row.closed_at)
    for id_, play in after.plays.items():
        if id_ in before.plays and before.plays[id_] != play:
            outcome.settled.append((tenant, play, closed_at.get(id_)))


def _signal(event: Alert, owners: _Owners) -> rules.Signal:
    if event.sequence is None:
        raise Poison("an alert's event without a sequence: its place among the others can't be known")
    data = event.data
    template = None if owners.gone(event) else template_of(data.suggested_play)
    play = template.code if template else None
    return rules.Signal(data.alert_id, event.sequence, event.type != RESOLVED, play, _play_id(event), event.time)


def _play_id(event: Alert) -> UUID:
    """The id of the play that an event would open: the same however often it comes."""
    return opaque_id(event.tenant, "play", str(event.data.alert_id), str(event.sequence))


def _row(cause: Alert, play: rules.Play, accountable_id: UUID) -> Play:
    """The row of a play that ``cause`` opened, as the batch leaves it."""
    return Play(
        tenant=cause.tenant,
        play_id=play.play_id,
        account_id=cause.data.account_id,
        play=play.play,
        alert_id=play.alert_id,
        why=cause.data.summary,
        status=play.status,
        accountable_id=accountable_id,
        opened_at=cause.time,
        close_reason=play.close_reason,
        alert_resolved_at=play.alert_resolved_at,
    )
