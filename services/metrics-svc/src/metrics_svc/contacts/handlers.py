"""What follows from news of people: the ids computed from their external ids turn out to be one person."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts import store as accounts
from metrics_svc.activities import store as activities
from metrics_svc.consumed import StakeholderChanged, StakeholderRemoved
from metrics_svc.contacts import store
from metrics_svc.derivation import store as derivation


async def follow_stakeholders(
    uow: UnitOfWork, events: Sequence[Received[StakeholderChanged | StakeholderRemoved]]
) -> None:
    """Remember whose the computed ids are, and derive again what was said about the same person under two."""
    claims, gone = [], []
    for event in events:
        data = event.data
        if isinstance(data, StakeholderRemoved):
            gone.append((event.tenant, data.stakeholder_id, event.time))
            continue
        for known in data.external_ids:
            alias = opaque_id(event.tenant, "contact", known.source, known.external_id)
            claims.append(store.Claimed(event.tenant, data.account_id, alias, data.stakeholder_id, event.time))
    news = await store.claim(uow.session, claims)
    countries = await accounts.lock(uow.session, {(claim.tenant, claim.account_id) for claim in news})
    changes = await activities.rekey(uow.session, news)
    await derivation.follow(uow, changes, countries)
    await store.forget(uow.session, gone)
