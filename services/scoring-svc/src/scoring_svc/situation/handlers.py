"""What follows when stakeholder-svc describes or removes a person: who speaks for us is counted, accounts evaluated."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from scoring_svc.consumed import StakeholderChanged, StakeholderRemoved
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Key
from scoring_svc.situation import store
from scoring_svc.situation.store import Person

Heard = Received[StakeholderChanged] | Received[StakeholderRemoved]


async def project_people(uow: UnitOfWork, events: Sequence[Heard]) -> None:
    """Keep the newest description of each person and evaluate the accounts it changes: champions, vetoes."""
    newest: dict[Key, Person] = {}
    for event in events:
        person = _person(event)
        key = person.tenant, person.stakeholder_id
        if key not in newest or newest[key].version < person.version:
            newest[key] = person
    keys = {(person.tenant, person.account_id) for person in newest.values()}
    await health_store.lock(uow.session, keys, uow.now)
    touched = await store.project_people(uow.session, [newest[key] for key in sorted(newest)])
    if not touched:
        return
    if touched - keys:  # accounts that somebody left for another one
        await health_store.lock(uow.session, touched - keys, uow.now)
    await store.sum_people(uow.session, touched)
    await store.remember(uow.session, touched, uow.now)
    accounts = await health_store.claimed(uow.session, touched, uow.now)
    books = await evaluation_store.books(uow, {tenant for tenant, _ in touched})
    await evaluation_store.settle(uow, accounts.values(), books)


async def forget(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Forget what was known of accounts long ago."""
    await store.forget(uow.session, [(row.tenant, row.account_id, row.at) for row in rows])


def _person(event: Heard) -> Person:
    data = event.data
    ids = event.tenant, data.stakeholder_id.lower(), data.account_id.lower(), data.version
    if isinstance(data, StakeholderRemoved):
        return Person(*ids, removed=True)
    return Person(*ids, active=data.status == "active", veto=data.veto, sentiment=data.sentiment)
