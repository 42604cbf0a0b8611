"""What follows when a source falls silent or is heard again: alerts that only silence speaks for are held, or not."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from scoring_svc.breaker import store
from scoring_svc.consumed import FeedResumed, FeedSilenced


async def follow_feeds(uow: UnitOfWork, events: Sequence[Received[FeedSilenced | FeedResumed]]) -> None:
    """Keep which sources are silent, whatever the order in which that is told."""
    newest: dict[tuple[str, str], tuple[str, str, bool, object]] = {}
    for event in sorted(events, key=lambda event: event.time):
        source = event.data.source
        silent = isinstance(event.data, FeedSilenced)
        newest[event.tenant, source] = (event.tenant, source, silent, event.time)
    await store.note_feeds(uow.session, list(newest.values()))
