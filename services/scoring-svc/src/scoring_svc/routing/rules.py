"""Which news goes by which route, and when it is due. Pure; times are aware and in UTC."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from scoring_svc.alerts.rules import rank

PASSES: Final = "critical"
"""News of this severity waits for no quiet hour and no digest."""


@dataclass(frozen=True, slots=True)
class News:
    """Something that became of an alert; ``change`` says what."""

    tenant: str
    alert_id: UUID
    account_id: str
    episode: int
    change: str
    kind: str
    rules: frozenset[str]
    severity: str
    tier: str | None
    owner_id: UUID | None


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts to channels. An empty condition is met by every alert; quiet hours and digest are local times."""

    id: UUID
    channels: tuple[UUID, ...]
    kinds: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    min_severity: str = "low"
    tiers: frozenset[str] = frozenset()
    owners: frozenset[UUID] = frozenset()
    time_zone: str = "UTC"
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_at: time | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When news is to be sent by a route, and whether with other news in one message."""

    at: datetime
    digest: bool


def takes(route: Route, news: News) -> bool:
    """Whether the route is for this news."""
    return (
        rank(news.severity) >= rank(route.min_severity)
        and (not route.kinds or news.kind in route.kinds)
        and (not route.rules or not route.rules.isdisjoint(news.rules))
        and (not route.tiers or news.tier in route.tiers)
        and (not route.owners or news.owner_id in route.owners)
    )


def due(route: Route, severity: str, now: datetime) -> Due:
    """When what happens now is to be sent: at once, when quiet hours end, or with the next digest."""
    if severity == PASSES:
        return Due(now, digest=False)
    local = now.astimezone(ZoneInfo(route.time_zone))
    if route.digest_at is not None:
        return Due(_next(local, route.digest_at), digest=True)
    if route.quiet_from is not None and route.quiet_to is not None:
        here = local.time()
        over_midnight = route.quiet_from > route.quiet_to
        after, before = here >= route.quiet_from, here < route.quiet_to
        if (after or before) if over_midnight else (after and before):
            return Due(_next(local, route.quiet_to, twice=True), digest=False)
    return Due(now, digest=False)


def destinations(
    routes: Collection[Route],
    news: News,
    now: datetime,
    of_rules: Mapping[str, Collection[UUID]] = MappingProxyType({}),
) -> dict[UUID, tuple[UUID | None, Due]]:
    """By channel the route that brings the news there first, and when.

    `of_rules` are channels that rules name: they are told of what their rule is a reason of, at once and by no route,
    unless a route leads there too and says when.
    """
    found: dict[UUID, tuple[UUID | None, Due]] = {}
    for route in routes:
        if not takes(route, news):
            continue
        when = due(route, news.severity, now)
        for channel in route.channels:
            if channel not in found or when.at < found[channel][1].at:
                found[channel] = (route.id, when)
    for rule in news.rules & of_rules.keys():
        for channel in of_rules[rule]:
            found.setdefault(channel, (None, Due(now, digest=False)))
    return found


def _next(local: datetime, at: time, *, twice: bool = False) -> datetime:
    """The next instant at which clocks there show ``at``; where they jump over it, by the clock of before.

    In the night in which they show it twice the first counts, and with ``twice`` the second too. Compared in UTC: two
    local times of one zone compare as if clocks were never changed.
    """
    now, found = local.astimezone(UTC), []
    for day in (local.date(), local.date() + timedelta(days=1)):
        wanted = datetime.combine(day, at, local.tzinfo)
        first, second = (wanted.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        found += [first, max(first, second)] if twice else [first]
    return min(instant for instant in found if instant > now)
