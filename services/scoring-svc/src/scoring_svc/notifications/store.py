"""The SQL of notifications. They are written in the transaction that changes the alert, and once for each channel."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.ids import uuid7
from scoring_svc.alert_rules import store as alert_rules_store
from scoring_svc.alerts.rules import rank
from scoring_svc.errors import DeliveryWaiting, UnknownDelivery
from scoring_svc.notifications.rules import OPENINGS, RAISED
from scoring_svc.published import AlertState
from scoring_svc.routing import store as routing_store
from scoring_svc.routing.rules import Due, News, Route, destinations, due

NEWS: Final = frozenset({"opened", "reopened", "released", "updated", "acknowledged", "resolved"})
"""Changes that channels may be told of."""
KEPT: Final = timedelta(days=30)
"""How long a delivery stays on record after its end."""

_EPISODES = """
    FROM unnest(CAST(:tenant AS text[]), CAST(:alert_id AS uuid[]), CAST(:episode AS integer[]))
        AS k(tenant, alert_id, episode)
    JOIN notification AS n USING (tenant, alert_id, episode)
"""
# One that is just being sent is locked, and may have arrived: it is not overtaken.
_OVERTAKE = text(f"""
    UPDATE notification SET status = 'overtaken', due_at = NULL, finished_at = :now, forget_at = :forget_at
    WHERE (tenant, notification_id) IN (
        SELECT n.tenant, n.notification_id {_EPISODES}
        WHERE n.status = 'waiting' AND n.attempts = 0 FOR UPDATE OF n SKIP LOCKED
    )
""")
_TOLD = text(f"""
    SELECT n.tenant, n.alert_id, n.channel_id, n.route_id, n.change, n.severity, n.status {_EPISODES}
    ORDER BY n.notification_id
""")
_ADD = text("""
    INSERT INTO notification
    SELECT * FROM jsonb_populate_recordset(NULL::notification, CAST(:rows AS jsonb))
    ON CONFLICT (tenant, alert_id, episode, channel_id, change) DO NOTHING
""")
_MATES = text("""
    SELECT n.* FROM unnest(CAST(:tenant AS text[]), CAST(:channel_id AS uuid[])) AS k(tenant, channel_id)
    JOIN notification AS n USING (tenant, channel_id)
    WHERE n.digest AND n.due_at <= :now ORDER BY n.notification_id LIMIT :limit FOR UPDATE OF n SKIP LOCKED
""")
_AHEAD = text("""
    SELECT n.notification_id, max(e.due_at) AS due_at
    FROM notification AS n JOIN notification AS e USING (tenant, channel_id, alert_id)
    WHERE n.notification_id = ANY(CAST(:ids AS uuid[])) AND e.due_at IS NOT NULL
        AND e.notification_id < n.notification_id AND e.notification_id <> ALL(CAST(:ids AS uuid[]))
    GROUP BY n.notification_id
""")
_SETTLE = text("""
    UPDATE notification SET status = k.status, due_at = k.due_at, attempts = k.attempts, answer = k.answer,
        problem = k.problem, finished_at = CASE WHEN k.due_at IS NULL THEN CAST(:now AS timestamptz) END,
        forget_at = CASE WHEN k.due_at IS NULL THEN CAST(:forget_at AS timestamptz) END
    FROM unnest(CAST(:tenant AS text[]), CAST(:id AS uuid[]), CAST(:status AS text[]), CAST(:due_at AS timestamptz[]),
        CAST(:attempts AS integer[]), CAST(:answer AS integer[]), CAST(:problem AS text[]))
        AS k(tenant, id, status, due_at, attempts, answer, problem)
    WHERE notification.tenant = k.tenant AND notification.notification_id = k.id
""")
_SHOWN = """
    SELECT n.*, c.name AS channel_name, c.kind AS channel_kind
    FROM notification AS n JOIN channel AS c USING (tenant, channel_id) WHERE n.tenant = :tenant
"""
_TESTS: Final = {
    "status": " AND n.status = :status",
    "channel_id": " AND n.channel_id = :channel_id",
    "alert_id": " AND n.alert_id = :alert_id",
    "after": " AND n.notification_id < :after",
}
_ONE = text(_SHOWN + " AND n.notification_id = :id")
_LOCK = text("SELECT * FROM notification WHERE tenant = :tenant AND notification_id = :id FOR UPDATE")
_AGAIN = text("""
    UPDATE notification SET status = 'waiting', due_at = :now, first_due_at = :now, attempts = 0, problem = NULL,
        answer = NULL, finished_at = NULL, forget_at = NULL
    WHERE tenant = :tenant AND notification_id = :id
""")
_FORGET = text("""
    DELETE FROM notification USING unnest(CAST(:tenant AS text[]), CAST(:id AS uuid[])) AS k(tenant, id)
    WHERE notification.tenant = k.tenant AND notification.notification_id = k.id
""")


class Settled(NamedTuple):
    """What became of a delivery: it goes on at `due_at`, or is at its end."""

    tenant: str
    id: UUID
    status: str
    due_at: datetime | None
    attempts: int
    answer: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the channels were told, or are to be told, of an alert's episode."""

    routes: dict[UUID, UUID | None]
    severities: dict[UUID, int]


async def queue(uow: UnitOfWork, changes: Sequence[tuple[str, str, AlertState]]) -> None:
    """Have channels told of what became of alerts: tenant, change, and the alert as it is to be told."""
    news = [(_news(*change), change[2]) for change in changes if change[1] in NEWS]
    if not news:
        return
    tenants = {one.tenant for one, _ in news}
    routes = await routing_store.in_force(uow.session, tenants)
    of_rules = await _of_rules(uow.session, tenants)
    over = [one for one, _ in news if one.change == "resolved"]
    if over:
        where = _episodes(over)
        await uow.session.execute(_OVERTAKE, where | {"now": uow.now, "forget_at": uow.now + KEPT})
    known = [one for one, _ in news if one.change != "opened"]
    told = await _told(uow.session, known) if known else {}
    rows = [
        _row(one, change, said, route, when, channel, uow.now)
        for one, said in news
        for channel, change, route, when in _mailings(
            one, routes[one.tenant], of_rules[one.tenant], told.get(_key(one)), uow.now
        )
    ]
    if rows:
        await uow.session.execute(_ADD, {"rows": msgspec.json.encode(rows).decode()})


async def _of_rules(session: AsyncSession, tenants: Collection[str]) -> dict[str, dict[str, frozenset[UUID]]]:
    """By tenant the channels that rules name."""
    in_force = await alert_rules_store.in_force(session, tenants)
    return {
        tenant: {rule: config.channels for rule, config in rules.items() if config.channels}
        for tenant, rules in in_force.items()
    }


def _mailings(
    news: News,
    routes: Sequence[Route],
    of_rules: Mapping[str, Collection[UUID]],
    told: Told | None,
    now: datetime,
) -> Iterator[tuple[UUID, str, UUID | None, Due]]:
    """Channel, change, route and time of what is to be sent. Who was told of an episode hears what becomes of it."""
    if news.change in OPENINGS or news.change == "updated":
        level = rank(news.severity)
        change = news.change if news.change in OPENINGS else f"{RAISED}{news.severity}"
        for channel, (route, when) in destinations(routes, news, now, of_rules).items():
            if told is None or told.severities.get(channel, -1) < level:
                yield channel, change, route, when
    elif told is not None:
        by_id = {route.id: route for route in routes}
        for channel, route in told.routes.items():
            known = by_id.get(route) if route is not None else None
            when = Due(now, digest=False) if known is None else due(known, news.severity, now)
            yield channel, news.change, route, when


def _news(tenant: str, change: str, state: AlertState) -> News:
    return News(
        tenant=tenant,
        alert_id=state.alert_id,
        account_id=str(state.account_id),
        episode=state.episode,
        change=change,
        kind=state.kind,
        rules=frozenset(reason.rule for reason in state.reasons),
        severity=state.severity,
        tier=state.tier,
        owner_id=state.owner_id,
    )


def _key(news: News) -> tuple[str, UUID]:
    return news.tenant, news.alert_id


def _episodes(news: Sequence[News]) -> dict[str, str]:
    return arrays("tenant alert_id episode", [(one.tenant, one.alert_id, one.episode) for one in news])


async def _told(session: AsyncSession, news: Sequence[News]) -> dict[tuple[str, UUID], Told]:
    found: dict[tuple[str, UUID], Told] = defaultdict(lambda: Told({}, {}))
    for row in await session.execute(_TOLD, _episodes(news)):
        if row.status == "overtaken" or not (row.change in OPENINGS or row.change.startswith(RAISED)):
            continue
        told = found[row.tenant, row.alert_id]
        told.routes[row.channel_id] = row.route_id
        told.severities[row.channel_id] = max(told.severities.get(row.channel_id, -1), rank(row.severity))
    return found


def _row(
    news: News, change: str, said: AlertState, route: UUID | None, when: Due, channel: UUID, now: datetime
) -> dict[str, Any]:
    return {
        "tenant": news.tenant,
        "notification_id": uuid7(),
        "channel_id": channel,
        "route_id": route,
        "alert_id": news.alert_id,
        "account_id": news.account_id,
        "episode": news.episode,
        "change": change,
        "severity": news.severity,
        "digest": when.digest,
        "said": {**msgspec.to_builtins(said), "change": change},
        "status": "waiting",
        "created_at": now,
        "first_due_at": when.at,
        "due_at": when.at,
        "attempts": 0,
    }


async def mates(
    session: AsyncSession, channels: Collection[tuple[str, UUID]], now: datetime, limit: int
) -> Sequence[Row[Any]]:
    """What else is due now for the digests of channels, claimed for the transaction."""
    where = arrays("tenant channel_id", channels) | {"now": now, "limit": limit}
    return (await session.execute(_MATES, where)).all()


async def ahead(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """By notification when an older one of the same alert and channel is due, which must be sent before it."""
    return {row.notification_id: row.due_at for row in await session.execute(_AHEAD, {"ids": list(ids)})}


async def settle(uow: UnitOfWork, settled: Sequence[Settled]) -> None:
    """Record what became of deliveries."""
    where = arrays("tenant id status due_at attempts answer problem", settled)
    await uow.session.execute(_SETTLE, where | {"now": uow.now, "forget_at": uow.now + KEPT})


async def listed(session: AsyncSession, tenant: str, wanted: dict[str, Any], limit: int) -> Sequence[Row[Any]]:
    """Deliveries with status, channel_id, alert_id, before the id `after`; the newest first."""
    tests = "".join(_TESTS[name] for name in wanted)
    query = text(f"{_SHOWN}{tests} ORDER BY n.notification_id DESC LIMIT :limit")
    return (await session.execute(query, {"tenant": tenant, "limit": limit, **wanted})).all()


async def one(session: AsyncSession, tenant: str, delivery_id: UUID) -> Row[Any]:
    """One delivery with its channel's name and kind; raises UnknownDelivery."""
    row = (await session.execute(_ONE, {"tenant": tenant, "id": delivery_id})).one_or_none()
    if row is None:
        raise UnknownDelivery("There is no delivery of this id.")
    return row


async def again(uow: UnitOfWork, tenant: str, delivery_id: UUID) -> UUID:
    """Have a delivery that is at its end sent again, and give its channel's id.

    Raises UnknownDelivery and DeliveryWaiting.
    """
    where = {"tenant": tenant, "id": delivery_id}
    row = (await uow.session.execute(_LOCK, where)).one_or_none()
    if row is None:
        raise UnknownDelivery("There is no delivery of this id.")
    if row.status == "waiting":
        raise DeliveryWaiting("The delivery is still to be sent.")
    await uow.session.execute(_AGAIN, where | {"now": uow.now})
    return UUID(str(row.channel_id))


async def forget(session: AsyncSession, keys: Collection[tuple[str, UUID]]) -> None:
    """Forget deliveries."""
    await session.execute(_FORGET, arrays("tenant id", keys))
