"""What follows when scoring-svc publishes an account's health."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from profile_svc.consumed import HealthChanged
from profile_svc.health import store
from profile_svc.health.rules import Health, latest


async def project_health(uow: UnitOfWork, events: Sequence[Received[HealthChanged]]) -> None:
    """Keep the newest health of each account, for lists."""
    reports = (
        Health(e.tenant, e.data.account_id, e.data.score, e.data.band, e.data.sequence, e.data.evaluated_at)
        for e in events
    )
    await store.project(uow.session, latest(reports))
