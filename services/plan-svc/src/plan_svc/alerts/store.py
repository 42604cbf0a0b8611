"""All SQL of what follows from alerts: the situation of accounts before, and after."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from plan_svc.alerts import rules
from plan_svc.alerts.tables import AlertSeen
from plan_svc.plays import store as plays
from plan_svc.plays.rules import PlayStatus

AccountKey = tuple[str, UUID]

_MEET = text("""
    INSERT INTO alert_seen (tenant, alert_id, account_id, sequence, open, play)
    SELECT DISTINCT tenant, alert_id, account_id, -1, false, CAST(NULL AS text)
    FROM unnest(CAST(:tenants AS text[]), CAST(:alerts AS uuid[]), CAST(:accounts AS uuid[]))
         AS e(tenant, alert_id, account_id)
    ORDER BY tenant, alert_id
    ON CONFLICT (tenant, alert_id) DO NOTHING
""")

_REMEMBER = text("""
    UPDATE alert_seen AS a SET sequence = e.sequence, open = e.open, play = e.play
    FROM unnest(CAST(:tenants AS text[]), CAST(:alerts AS uuid[]), CAST(:sequences AS bigint[]),
                CAST(:open AS boolean[]), CAST(:plays AS text[])) AS e(tenant, alert_id, sequence, open, play)
    WHERE a.tenant = e.tenant AND a.alert_id = e.alert_id
""")

_WORKED_ON = text("""
    SELECT DISTINCT tenant, play_id FROM action
    WHERE (tenant, play_id) IN (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:plays AS uuid[])))
      AND status IN ('in-progress', 'done')
""")

_SETTLE = text("""
    UPDATE play AS p
    SET alert_id = e.alert_id, alert_resolved_at = e.alert_resolved_at, status = e.status,
        closed_at = e.closed_at, close_reason = e.close_reason, version = p.version + 1,
        next_due_at = CASE WHEN e.status = 'open' THEN p.next_due_at END
    FROM unnest(CAST(:tenants AS text[]), CAST(:plays AS uuid[]), CAST(:alerts AS uuid[]),
                CAST(:resolved AS timestamptz[]), CAST(:statuses AS text[]), CAST(:closed AS timestamptz[]),
                CAST(:reasons AS text[]))
         AS e(tenant, play_id, alert_id, alert_resolved_at, status, closed_at, close_reason)
    WHERE p.tenant = e.tenant AND p.play_id = e.play_id
""")


async def situations(
    session: AsyncSession, alerts: Collection[tuple[str, UUID, UUID]]
) -> dict[AccountKey, rules.Situation]:
    """The situation of the accounts of ``alerts`` (tenant, alert, account), locked until the transaction ends.

    It holds the account's open alerts and those of ``alerts``; one that was never heard of is met first, so that
    its row can be locked.
    """
    await session.execute(
        _MEET,
        {
            "tenants": [tenant for tenant, _, _ in alerts],
            "alerts": [alert for _, alert, _ in alerts],
            "accounts": [account for _, _, account in alerts],
        },
    )
    accounts = sorted({(tenant, account) for tenant, _, account in alerts})
    heard = [(tenant, alert) for tenant, alert, _ in alerts]
    query = (
        select(AlertSeen)
        .where(
            tuple_(col(AlertSeen.tenant), col(AlertSeen.account_id)).in_(accounts),
            col(AlertSeen.open) | tuple_(col(AlertSeen.tenant), col(AlertSeen.alert_id)).in_(heard),
        )
        .order_by(col(AlertSeen.tenant), col(AlertSeen.alert_id))
        .with_for_update()
    )
    found = {key: rules.Situation({}, {}) for key in accounts}
    for row in await session.scalars(query):
        seen = rules.AlertSeen(row.alert_id, row.sequence, row.open, row.play)
        found[row.tenant, row.account_id].alerts[row.alert_id] = seen
    for key, play in await _open_plays(session, accounts):
        found[key].plays[play.play_id] = play
    return found


async def _open_plays(session: AsyncSession, accounts: Collection[AccountKey]) -> list[tuple[AccountKey, rules.Play]]:
    rows = await plays.lock_open(session, accounts)
    keys = {"tenants": [row.tenant for row in rows], "plays": [row.play_id for row in rows]}
    begun = {(tenant, play) for tenant, play in await session.execute(_WORKED_ON, keys)}
    return [
        (
            (row.tenant, row.account_id),
            rules.Play(
                row.play_id,
                row.play,
                row.alert_id,
                worked_on=row.taken_by is not None or (row.tenant, row.play_id) in begun,
                alert_resolved_at=row.alert_resolved_at,
            ),
        )
        for row in rows
    ]


async def remember(session: AsyncSession, alerts: Sequence[tuple[str, rules.AlertSeen]]) -> None:
    """Keep the newest of each alert (tenant, alert)."""
    columns = {
        "tenants": [tenant for tenant, _ in alerts],
        "alerts": [alert.alert_id for _, alert in alerts],
        "sequences": [alert.sequence for _, alert in alerts],
        "open": [alert.open for _, alert in alerts],
        "plays": [alert.play for _, alert in alerts],
    }
    await session.execute(_REMEMBER, columns)


async def settle(session: AsyncSession, changed: Iterable[tuple[str, rules.Play, datetime | None]]) -> None:
    """Bring known plays (tenant, play, closed at) to where the rules left them."""
    rows = list(changed)
    if not rows:
        return
    columns = {
        "tenants": [tenant for tenant, _, _ in rows],
        "plays": [play.play_id for _, play, _ in rows],
        "alerts": [play.alert_id for _, play, _ in rows],
        "resolved": [play.alert_resolved_at for _, play, _ in rows],
        "statuses": [str(play.status) for _, play, _ in rows],
        "closed": [at if play.status is PlayStatus.CLOSED else None for _, play, at in rows],
        "reasons": [play.close_reason and str(play.close_reason) for _, play, _ in rows],
    }
    await session.execute(_SETTLE, columns)
