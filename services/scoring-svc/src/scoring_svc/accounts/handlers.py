"""What follows when profile-svc describes or removes an account."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event, Received
from scoring_svc.accounts import store
from scoring_svc.accounts.store import AccountFacts
from scoring_svc.alerts import store as alerts_store
from scoring_svc.alerts.rules import resolve
from scoring_svc.alerts.store import Change, Held
from scoring_svc.consumed import AccountChanged, AccountRemoved
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, Key
from scoring_svc.published import HealthChanged

Heard = Received[AccountChanged] | Received[AccountRemoved]


async def project_accounts(uow: UnitOfWork, events: Sequence[Heard]) -> None:
    """Keep the newest description of each account and evaluate it: tier, cadence and value matter to its health."""
    newest: dict[Key, AccountFacts] = {}
    for event in events:
        key = event.tenant, event.data.account_id.lower()
        if key not in newest or newest[key].version < event.data.version:
            newest[key] = _facts(event)
    before = await health_store.lock(uow.session, newest.keys(), uow.now)
    changed = await store.project(uow.session, [newest[key] for key in sorted(newest)])
    if not changed:
        return
    accounts = await health_store.claimed(uow.session, changed, uow.now)
    await _let_go(uow, [a for key, a in accounts.items() if a.removed and not before[key].removed])
    for key, account in accounts.items():
        if before[key].removed:
            account.said_score = None  # the topic has forgotten it: what it is now must be said
    by_tenant = await evaluation_store.books(uow, {tenant for tenant, _ in changed})
    # What was told of an account while it was gone is in the ledger only.
    back = [account for key, account in accounts.items() if before[key].removed and not account.removed]
    await evaluation_store.restore(uow, back, by_tenant)
    await evaluation_store.settle(uow, accounts.values(), by_tenant)


def _facts(event: Heard) -> AccountFacts:
    data = event.data
    if isinstance(data, AccountRemoved):
        return AccountFacts(event.tenant, data.account_id.lower(), data.version, removed=True)
    return AccountFacts(
        event.tenant,
        data.account_id.lower(),
        data.version,
        name=data.name,
        tier=data.tier,
        owner_id=data.owner_id,
        parent_id=data.parent_id,
        industry=data.industry,
        territory=data.territory,
        cadence_days=data.cadence_days,
        value_amount=data.value.amount if data.value else 0.0,
        value_currency=data.value.currency if data.value else None,
        renewal_at=data.renewal_at,
        known_since=data.known_since,
        whitespace=data.whitespace.amount if data.whitespace else None,
    )


async def _let_go(uow: UnitOfWork, removed: Sequence[Account]) -> None:
    """Resolve the alerts of accounts that are no longer ours, and have the compacted topic forget them."""
    if not removed:
        return
    keys = [account.key for account in removed]
    changes = []
    alerts = await alerts_store.current(uow.session, keys)
    for held in (held for kinds in alerts.values() for held in kinds.values()):
        if held.alert.status != "resolved":
            gone = resolve(held.alert, "rules", "the account was removed", uow.now.timestamp())
            changes.append(Change(Held(held.tenant, held.account_id, gone, held.circumstances), "resolved"))
    if changes:
        await alerts_store.save(uow, changes)
    await health_store.blank(uow.session, keys)
    for tenant, account_id in keys:
        key = f"{tenant}/{account_id}"
        uow.emit(Event.tombstone_of(HealthChanged.topic, tenant=tenant, key=key, time=uow.now))
