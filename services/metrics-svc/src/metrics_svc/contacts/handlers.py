"""What follows from news of people: the ids computed from their external ids turn out to be one person."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts import store as accounts
from metrics_svc.activities import store as activities
from metrics_svc.consumed import StakeholderChanged, StakeholderRemoved
from metrics_svc.contacts import store
from metrics_svc.derivation import store as derivation
from metrics_svc.erasure import store as erasure
from metrics_svc.kpis import store as kpis
from metrics_svc.surveys import store as surveys
from metrics_svc.touch import store as touch
from metrics_svc.trail.rules import Word


async def follow_stakeholders(
    uow: UnitOfWork, events: Sequence[Received[StakeholderChanged | StakeholderRemoved]]
) -> None:
    """Remember whose the computed ids are, and derive again what was said about the same person under two.

    Answers to surveys and the terms of KPIs name the person from then on.
    """
    session = uow.session
    await store.alone(session, {event.tenant for event in events})
    claims, gone = [], []
    for event in events:
        data = event.data
        if isinstance(data, StakeholderRemoved):
            gone.append((event.tenant, data.stakeholder_id, event.time))
            continue
        known = [opaque_id(event.tenant, "contact", name.source, name.external_id) for name in data.external_ids]
        claims += [
            store.Claimed(event.tenant, data.account_id, alias, data.stakeholder_id, event.time)
            for alias in dict.fromkeys([data.stakeholder_id, *known])
        ]
    news, erased = await store.claim(session, claims)
    everywhere = await _everywhere(session, news)
    countries = await accounts.lock(session, {(claim.tenant, claim.account_id) for claim in everywhere})
    changes = await activities.rekey(session, everywhere)
    await derivation.follow(uow, changes, countries)
    await surveys.rekey(session, news)
    await kpis.rekey(session, news)
    erased += await store.erase(session, gone)
    await erasure.erase_persons(uow, erased, Word("stakeholder-svc", "The person was removed there."))


async def _everywhere(session: AsyncSession, news: Sequence[store.Claimed]) -> list[store.Claimed]:
    """The same for every account at which the person was met: news that come early hold for all of them too."""
    by_alias = {(claim.tenant, claim.alias_id): claim for claim in news}
    found = await touch.accounts_with(session, by_alias) if news else ()
    others = [replace(by_alias[row.tenant, row.contact_id], account_id=row.account_id) for row in found]
    return list(dict.fromkeys([*news, *others]))
