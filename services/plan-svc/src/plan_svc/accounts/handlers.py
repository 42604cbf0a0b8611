"""What follows when an account changes or goes: the projection, and the end of its plans and plays."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from plan_svc.accounts import store
from plan_svc.accounts.tables import Account
from plan_svc.consumed import AccountChanged, AccountRemoved
from plan_svc.plans import store as plans
from plan_svc.plays import store as plays


async def fold_accounts(uow: UnitOfWork, events: Sequence[Received[AccountChanged | AccountRemoved]]) -> None:
    """Bring the projection up to date, and close what belongs to accounts that are no more."""
    changed = await store.fold(uow.session, [_row(event) for event in events])
    removed = [(tenant, account) for tenant, account, removed_at in changed if removed_at is not None]
    if removed:
        await plans.close_of_accounts(uow, removed)
        await plays.close_of_accounts(uow, removed)


def _row(event: Received[AccountChanged | AccountRemoved]) -> Account:
    data = event.data
    if isinstance(data, AccountRemoved):
        return Account(
            tenant=event.tenant,
            account_id=data.account_id,
            name="",
            version=data.version,
            removed_at=event.time,
        )
    return Account(
        tenant=event.tenant,
        account_id=data.account_id,
        name=data.name,
        tier=data.tier,
        owner_id=data.owner_id,
        version=data.version,
    )
