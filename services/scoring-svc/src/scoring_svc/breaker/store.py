"""The SQL of storms: which alerts are held back in the transaction that opens them, and what is told of them then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from msgspec.structs import asdict
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.events import Event
from bellwether_kit.ids import uuid7
from scoring_svc.alerts.rules import rank
from scoring_svc.breaker.rules import WINDOW, is_by_silence, limit, overflow
from scoring_svc.errors import StormClosed, UnknownStorm
from scoring_svc.published import AlertOpened, AlertState, StormHeld
from scoring_svc.settings import Settings

Said = tuple[str, str, AlertState]
"""Tenant, change, and the alert as it is told."""

log = structlog.get_logger(__name__)

RAISING: Final = frozenset({"opened", "reopened"})
"""Changes by which an alert comes to people anew."""

_RAISED = text("""
    SELECT tenant, count(*) AS raised FROM alert
    WHERE tenant = ANY(CAST(:tenants AS text[])) AND raised_at > :since GROUP BY tenant
""")
_ACCOUNTS = text("""
    SELECT tenant, count(*) AS accounts FROM account
    WHERE tenant = ANY(CAST(:tenants AS text[])) AND NOT removed GROUP BY tenant
""")
_SILENT = text("SELECT DISTINCT tenant FROM feed WHERE tenant = ANY(CAST(:tenants AS text[])) AND silent")
# The no-op update keeps a person from closing the storm until what is added to it is committed.
_OPEN = text("""
    INSERT INTO storm (tenant, storm_id, cause, status, began_at)
    SELECT tenant, storm_id, cause, 'open', :now
    FROM unnest(CAST(:tenant AS text[]), CAST(:storm_id AS uuid[]), CAST(:cause AS text[]))
        AS k(tenant, storm_id, cause)
    ON CONFLICT (tenant, cause) WHERE status = 'open' DO UPDATE SET status = 'open'
    RETURNING tenant, cause, storm_id
""")
_HOLD = text("""
    INSERT INTO held_alert (tenant, alert_id, account_id, storm_id, held_at)
    SELECT tenant, alert_id, account_id, storm_id, :now
    FROM unnest(CAST(:tenant AS text[]), CAST(:alert_id AS uuid[]), CAST(:account_id AS uuid[]),
        CAST(:storm_id AS uuid[])) AS k(tenant, alert_id, account_id, storm_id)
""")
_HELD = text("""
    SELECT tenant, alert_id, cause
    FROM unnest(CAST(:tenant AS text[]), CAST(:alert_id AS uuid[])) AS k(tenant, alert_id)
    JOIN held_alert USING (tenant, alert_id) JOIN storm USING (tenant, storm_id)
""")
_IS_HELD = text("SELECT 1 FROM held_alert WHERE tenant = :tenant AND alert_id = :id")
_LET_GO = text("""
    DELETE FROM held_alert USING unnest(CAST(:tenant AS text[]), CAST(:alert_id AS uuid[])) AS k(tenant, alert_id)
    WHERE held_alert.tenant = k.tenant AND held_alert.alert_id = k.alert_id
""")
_SHOWN = """
    SELECT s.*, (SELECT count(*) FROM held_alert AS h WHERE h.tenant = s.tenant AND h.storm_id = s.storm_id) AS held
    FROM storm AS s WHERE s.tenant = :tenant
"""
_LISTED = text(_SHOWN + " AND s.storm_id < :before ORDER BY s.storm_id DESC LIMIT :limit")
_ONE = text(_SHOWN + " AND s.storm_id = :id")
_LOCK = text("SELECT status FROM storm WHERE tenant = :tenant AND storm_id = :id FOR UPDATE")
_OF_STORM = text("""
    SELECT alert_id, CAST(account_id AS text) AS account_id FROM held_alert
    WHERE tenant = :tenant AND storm_id = :id ORDER BY alert_id LIMIT :limit
""")
_CLOSE = text("""
    UPDATE storm SET status = :status, closed_at = :now, closed_by = :author, reason = :reason
    WHERE tenant = :tenant AND storm_id = :id
""")
_FEEDS = text("""
    INSERT INTO feed (tenant, source, silent, told_at)
    SELECT * FROM unnest(CAST(:tenant AS text[]), CAST(:source AS text[]), CAST(:silent AS boolean[]),
        CAST(:told_at AS timestamptz[]))
    ON CONFLICT (tenant, source) DO UPDATE SET silent = EXCLUDED.silent, told_at = EXCLUDED.told_at
    WHERE feed.told_at < EXCLUDED.told_at
""")
FIRST: Final = UUID(int=2**128 - 1)
"""Above every storm's id: where the list, newest first, begins."""


async def passed(uow: UnitOfWork, said: Sequence[Said]) -> list[Said]:
    """What may be told of changes that were saved; what is raised beyond the limit is held, and what becomes of it.

    An alert that was held because nothing but silence spoke for it is told as released once anything else does.
    """
    known = [_key(one) for one in said if one[1] != "opened"]
    causes = await _causes(uow.session, known) if known else {}
    over = {_key(one) for one in said if one[1] == "resolved" and _key(one) in causes}
    spoken_for = {_key(one) for one in said if causes.get(_key(one)) == "silence" and _is_spoken_for(one)}
    if over or spoken_for:
        await release(uow.session, sorted(over | spoken_for))
    raised = [one for one in said if one[1] in RAISING]
    held = (causes.keys() - spoken_for) | (await _hold(uow, raised) if raised else set())
    return [_released(one) if _key(one) in spoken_for else one for one in said if _key(one) not in held]


def _key(said: Said) -> tuple[str, UUID]:
    return said[0], said[2].alert_id


def _is_spoken_for(said: Said) -> bool:
    """Whether anything but silence speaks for an alert whose reasons changed."""
    _, change, state = said
    return change == "updated" and not is_by_silence([reason.rule for reason in state.reasons])


def _released(said: Said) -> Said:
    tenant, _, state = said
    return tenant, "released", AlertOpened(**asdict(state))


async def _causes(session: AsyncSession, keys: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], str]:
    """Of those of the alerts that are held, why."""
    rows = await session.execute(_HELD, arrays("tenant alert_id", keys))
    return {(row.tenant, row.alert_id): row.cause for row in rows}


async def is_held(session: AsyncSession, tenant: str, alert_id: UUID) -> bool:
    """Whether a storm holds the alert back."""
    return (await session.execute(_IS_HELD, {"tenant": tenant, "id": alert_id})).first() is not None


async def _hold(uow: UnitOfWork, raised: Sequence[Said]) -> set[tuple[str, UUID]]:
    """Hold back those of the alerts that are beyond the limit, the least severe first, or told by silence only."""
    by_cause: dict[tuple[str, str], list[AlertState]] = defaultdict(list)
    for tenant, beyond in (await _beyond(uow, raised)).items():
        by_cause[tenant, "burst"] = beyond
    held = {(tenant, state.alert_id) for (tenant, _), states in by_cause.items() for state in states}
    dark = [one for one in raised if is_by_silence([reason.rule for reason in one[2].reasons])]
    silent = await _tenants(uow.session, "tenant", _SILENT, {tenant for tenant, _, _ in dark}) if dark else {}
    for tenant, _, state in dark:
        if tenant in silent and (tenant, state.alert_id) not in held:
            by_cause[tenant, "silence"].append(state)
            held.add((tenant, state.alert_id))
    if not held:
        return held
    names = [(tenant, uuid7(), cause) for tenant, cause in sorted(by_cause)]
    rows = await uow.session.execute(_OPEN, arrays("tenant storm_id cause", names) | {"now": uow.now})
    storms = {(row.tenant, row.cause): row.storm_id for row in rows}
    for tenant, storm_id, cause in names:
        if storms[tenant, cause] == storm_id:
            log.warning("storm.began", tenant=tenant, storm=str(storm_id), cause=cause)
            told = StormHeld(storm_id=storm_id, cause=cause, began_at=uow.now)
            uow.emit(Event.of(told, tenant=tenant, subject=str(storm_id), time=uow.now))
    keeping = [
        (key[0], state.alert_id, state.account_id, storms[key]) for key, states in by_cause.items() for state in states
    ]
    await uow.session.execute(_HOLD, arrays("tenant alert_id account_id storm_id", keeping) | {"now": uow.now})
    return held


async def _beyond(uow: UnitOfWork, raised: Sequence[Said]) -> dict[str, list[AlertState]]:
    """By tenant the raised alerts that are too many within the window."""
    if not isinstance(uow.settings, Settings):
        raise TypeError("scoring-svc runs with its own settings")
    fewest = uow.settings.storm_alerts
    new: dict[str, list[AlertState]] = defaultdict(list)
    for tenant, _, state in raised:
        new[tenant].append(state)
    counts = await _tenants(uow.session, "raised", _RAISED, new, {"since": uow.now - WINDOW})
    many = {tenant for tenant, count in counts.items() if count > fewest}
    accounts = await _tenants(uow.session, "accounts", _ACCOUNTS, many) if many else {}
    found = {}
    for tenant in many:
        states = sorted(new[tenant], key=lambda state: rank(state.severity))
        count = overflow(counts[tenant], len(states), limit(fewest, accounts.get(tenant, 0)))
        if count:
            found[tenant] = states[:count]
    return found


async def _tenants(
    session: AsyncSession, column: str, query: Any, tenants: Iterable[str], more: dict[str, Any] | None = None
) -> dict[str, Any]:
    rows = await session.execute(query, {"tenants": sorted(tenants), **(more or {})})
    return {row.tenant: getattr(row, column) for row in rows}


async def release(session: AsyncSession, keys: Collection[tuple[str, UUID]]) -> None:
    """Hold alerts of (tenant, alert id) no longer."""
    await session.execute(_LET_GO, arrays("tenant alert_id", keys))


async def listed(session: AsyncSession, tenant: str, *, before: UUID, limit: int) -> Sequence[Row[Any]]:
    """Storms with the number of alerts they still hold, the newest first."""
    return (await session.execute(_LISTED, {"tenant": tenant, "before": before, "limit": limit})).all()


async def one(session: AsyncSession, tenant: str, storm_id: UUID) -> Row[Any]:
    """One storm; raises UnknownStorm."""
    row = (await session.execute(_ONE, {"tenant": tenant, "id": storm_id})).one_or_none()
    if row is None:
        raise UnknownStorm("There is no storm of this id.")
    return row


async def lock(session: AsyncSession, tenant: str, storm_id: UUID) -> None:
    """Let nothing be added to an open storm until the transaction ends; raises UnknownStorm and StormClosed."""
    row = (await session.execute(_LOCK, {"tenant": tenant, "id": storm_id})).one_or_none()
    if row is None:
        raise UnknownStorm("There is no storm of this id.")
    if row.status != "open":
        raise StormClosed(f"The storm is {row.status} already.")


async def of_storm(session: AsyncSession, tenant: str, storm_id: UUID, limit: int) -> list[tuple[UUID, str]]:
    """Alert and account ids that a storm holds, the oldest first."""
    rows = await session.execute(_OF_STORM, {"tenant": tenant, "id": storm_id, "limit": limit})
    return [(row.alert_id, row.account_id) for row in rows]


async def close(uow: UnitOfWork, tenant: str, storm_id: UUID, status: str, *, author: str, reason: str) -> None:
    """Say that a storm is over, and by whom."""
    given = {"status": status, "author": author, "reason": reason, "now": uow.now}
    await uow.session.execute(_CLOSE, {"tenant": tenant, "id": storm_id, **given})


async def note_feeds(session: AsyncSession, told: Collection[tuple[str, str, bool, Any]]) -> None:
    """Keep the newest that was told of each source: tenant, source, whether it is silent, and when that was told."""
    await session.execute(_FEEDS, arrays("tenant source silent told_at", told))
