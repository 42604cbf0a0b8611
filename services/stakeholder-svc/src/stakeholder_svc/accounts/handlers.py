"""What follows when an account changes or goes: the projection, and the erasure of its people."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from stakeholder_svc.accounts import store
from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.accounts.store import Account
from stakeholder_svc.consumed import AccountChanged, AccountRemoved
from stakeholder_svc.coverage import store as coverage
from stakeholder_svc.people import store as people


async def fold_accounts(uow: UnitOfWork, events: Sequence[Received[AccountChanged | AccountRemoved]]) -> None:
    """Bring the projection up to date, and erase the people of accounts that are no more.

    Whoever adds a person meanwhile either is seen here or sees that the account is gone: both take one lock.
    """
    await people.one_writer(uow.session, {event.tenant for event in events if isinstance(event.data, AccountRemoved)})
    changed = await store.fold(uow.session, [_account(event) for event in events])
    removed = sorted((account.tenant, account.id) for account in changed if account.removed_at is not None)
    if removed:
        await people.erase_of_accounts(uow, removed)
        await coverage.forget(uow, removed)


def _account(event: Received[AccountChanged | AccountRemoved]) -> Account:
    data = event.data
    if isinstance(data, AccountRemoved):
        return Account(event.tenant, data.account_id, "", data.version, removed_at=event.time)
    names = tuple(ExternalId(name.source, name.external_id) for name in data.external_ids)
    return Account(event.tenant, data.account_id, data.name, data.version, names)
