"""What follows from news of accounts: activities held back find theirs, and calendars change."""

from collections.abc import Sequence
from uuid import UUID

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from metrics_svc.accounts import store
from metrics_svc.activities import store as activities
from metrics_svc.activities.rules import EARLIEST, Reference
from metrics_svc.consumed import AccountChanged, AccountRemoved
from metrics_svc.derivation import store as derivation
from metrics_svc.figures import store as figures
from metrics_svc.references import store as references
from metrics_svc.reported import store as reported
from metrics_svc.surveys import store as surveys


async def follow_accounts(uow: UnitOfWork, events: Sequence[Received[AccountChanged | AccountRemoved]]) -> None:
    """Take over the latest state of each account, and derive what became possible by it."""
    session = uow.session
    latest: dict[store.Key, store.State] = {}
    for event in events:
        state = _state(event)
        known = latest.get((state.tenant, state.account_id))
        if known is None or known.version < state.version:
            latest[state.tenant, state.account_id] = state
    await references.hold_matching(session, {state.tenant for state in latest.values()})
    claims, moved = await store.follow(session, list(latest.values()))
    await figures.mark(session, {(tenant, account_id, None) for tenant, account_id in latest})
    gone = [key for key, state in latest.items() if state.removed]
    await derivation.forget_deadlines(session, gone)
    await derivation.set_accounts(session, gone)
    named = {(claim.tenant, account) for claim in claims for account in (claim.account_id, claim.previous) if account}
    countries = await store.lock(session, named)
    await derivation.follow(uow, await activities.match(session, claims), countries)
    await surveys.match(uow, claims)
    await reported.match(uow, claims)
    await store.derive_anew(session, dict.fromkeys(moved, EARLIEST), uow.now)


def _state(event: Received[AccountChanged | AccountRemoved]) -> store.State:
    data = event.data
    if isinstance(data, AccountRemoved):
        return store.State(
            tenant=event.tenant,
            account_id=data.account_id,
            version=data.version,
            said_at=event.time,
            removed=True,
        )
    return store.State(
        tenant=event.tenant,
        account_id=data.account_id,
        version=data.version,
        said_at=event.time,
        name=data.name,
        country=data.country,
        owner_id=data.owner_id,
        tier=data.tier,
        territory=data.territory,
        cadence_days=data.cadence_days,
        references=_references(data, data.account_id),
    )


def _references(data: AccountChanged, account_id: UUID) -> tuple[Reference, ...]:
    named = [Reference(kind="id", value=str(account_id))]
    named += [Reference(kind="external", source=e.source, value=e.external_id) for e in data.external_ids]
    named += [Reference(kind="domain", value=domain.lower()) for domain in data.email_domains]
    return tuple(dict.fromkeys(named))
