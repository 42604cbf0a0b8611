"""The SQL by which people look through alerts: pages of them, and the timeline of one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from scoring_svc.alerts.store import COLUMNS, Held, held_from
from scoring_svc.alerts.tables import AlertChangeRow

_BY_IDS = text(f"SELECT {COLUMNS} FROM alert WHERE tenant = :tenant AND id = ANY(CAST(:ids AS uuid[]))")
_HELD: Final = "EXISTS (SELECT FROM held_alert AS h WHERE h.tenant = alert.tenant AND h.alert_id = alert.id)"
_TESTS: Final = {
    "status": "status = :status",
    "severity": "severity = :severity",
    "kind": "kind = :kind",
    "account_id": "account_id = :account_id",
    "owner_id": "owner_id = :owner_id",
    "assignee_id": "assignee_id = :assignee_id",
}
_PLACES: Final = {
    "opened_at": ("CAST(extract(epoch FROM opened_at) AS float8)", "opened_at", "to_timestamp(CAST(:place AS float8))"),
    "priority": ("priority", "priority", "CAST(:place AS float8)"),
}


async def page(
    session: AsyncSession, tenant: str, wanted: Mapping[str, Any], *, by: str, after: Sequence[Any] | None, limit: int
) -> list[tuple[float, bool, Held]]:
    """Alerts after a place in the order of `by` (opened_at or priority), falling: place, whether held back, alert."""
    given = dict(wanted)
    tests = ["tenant = :tenant"]
    if given.get("status") == "unresolved":
        del given["status"]
        tests.append("status <> 'resolved'")
    if "held" in given:  # said without a parameter, so that few held alerts among many are found from their own table
        tests.append(_HELD if given.pop("held") else f"NOT {_HELD}")
    tests += [_TESTS[name] for name in given]
    shown, key, place = _PLACES[by]
    if after is not None:
        given |= {"place": float(after[0]), "id": UUID(after[1])}
        tests.append(f"({key}, id) < ({place}, :id)")
    query = text(f"""
        SELECT {shown}, {_HELD}, {COLUMNS} FROM alert
        WHERE {" AND ".join(tests)} ORDER BY {key} DESC, id DESC LIMIT :limit
    """)
    rows = (await session.execute(query, {**given, "tenant": tenant, "limit": limit})).all()
    return [(row[0], row[1], held_from(row[2:])) for row in rows]


async def by_ids(session: AsyncSession, tenant: str, ids: Collection[UUID]) -> list[Held]:
    """Those of the alerts that there are."""
    return [held_from(row) for row in await session.execute(_BY_IDS, {"tenant": tenant, "ids": list(ids)})]


async def timeline(session: AsyncSession, tenant: str, alert_id: UUID) -> Sequence[AlertChangeRow]:
    """What happened to an alert, oldest first."""
    query = select(AlertChangeRow).where(AlertChangeRow.tenant == tenant, AlertChangeRow.alert_id == alert_id)
    return (await session.scalars(query.order_by(col(AlertChangeRow.version)))).all()
