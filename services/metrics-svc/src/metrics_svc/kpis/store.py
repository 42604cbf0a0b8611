"""All SQL of KPIs: their terms, now and before, and how they stand by their latest actual."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from metrics_svc.contacts import store as contacts
from metrics_svc.kpis.rules import Rag, Terms, colour, shortfall, standing
from metrics_svc.kpis.tables import KpiRow

_COLUMNS: Any = KpiRow.__table__.columns  # type: ignore[attr-defined]
_NAMES = tuple(column.name for column in _COLUMNS)
_TERMS = tuple(Terms.__dataclass_fields__)

_SAVE = text(f"""
    WITH saved AS (
        INSERT INTO kpi ({", ".join(_NAMES)}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
        ON CONFLICT (tenant, kpi_id) DO UPDATE
        SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES if name not in {"tenant", "kpi_id"})}
        RETURNING *
    )
    INSERT INTO kpi_version (tenant, kpi_id, version, terms, author, changed_at)
    SELECT tenant, kpi_id, version,
           to_jsonb(saved) - ARRAY['tenant', 'kpi_id', 'account_id', 'code', 'version', 'author', 'changed_at'],
           author, changed_at
    FROM saved
""")

_TAKEN = text("""
    SELECT 1 FROM kpi WHERE tenant = :tenant AND account_id = :account_id AND code = :code AND closed_at IS NULL
""")

_ALL = """
    SELECT kpi.*, latest.day AS latest_day, latest.value AS latest_value, latest.source AS latest_source
    FROM kpi LEFT JOIN LATERAL (
        SELECT day, value, source FROM kpi_actual AS a WHERE a.tenant = kpi.tenant AND a.kpi_id = kpi.kpi_id
        ORDER BY day DESC, recorded_at DESC, source LIMIT 1
    ) AS latest ON true
    WHERE kpi.tenant = :tenant
"""

_ONE = text(f"{_ALL} AND kpi.kpi_id = :kpi_id")

_LOCKED = text("SELECT * FROM kpi WHERE tenant = :tenant AND kpi_id = :kpi_id FOR NO KEY UPDATE")

_NAMED = """unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:aliases AS uuid[]),
         CAST(:contacts AS uuid[])) AS named(tenant, account_id, alias_id, contact_id)"""

# Terms that are being changed right now may still be said of the alias: wait for them.
_AWAIT = text(f"""
    SELECT FROM kpi WHERE (tenant, account_id) IN (SELECT tenant, account_id FROM {_NAMED})
    ORDER BY tenant, kpi_id FOR NO KEY UPDATE
""")

_REKEY = text(f"""
    UPDATE kpi SET agreed_by = named.contact_id FROM {_NAMED}
    WHERE kpi.tenant = named.tenant AND kpi.account_id = named.account_id AND kpi.agreed_by = named.alias_id
""")

_REKEY_VERSIONS = text(f"""
    UPDATE kpi_version AS kept SET terms = jsonb_set(terms, '{{agreed_by}}', to_jsonb(named.contact_id))
    FROM {_NAMED} JOIN kpi USING (tenant, account_id)
    WHERE kept.tenant = kpi.tenant AND kept.kpi_id = kpi.kpi_id
      AND CAST(kept.terms ->> 'agreed_by' AS uuid) = named.alias_id
""")

_VERSIONS = text("""
    SELECT version, terms, author, changed_at FROM kpi_version
    WHERE tenant = :tenant AND kpi_id = :kpi_id AND version < :before ORDER BY version DESC LIMIT :limit
""")

_FILTERS = {
    "account_id": "account_id = :account_id",
    "kind": "kind = :kind",
    "code": "code = :code",
    "owner_id": "owner_id = :owner_id",
}


def terms_of(kpi: Mapping[str, Any]) -> Terms:
    """The terms among the columns of a KPI."""
    return Terms(**{name: kpi[name] for name in _TERMS})


def state(row: Row[Any], today: date) -> dict[str, Any]:
    """How a row of a list stands: ``rag``, and ``latest`` with its shortfall, as of the last day it was agreed for."""
    terms = terms_of(row._asdict())
    ends = [day for day in (today, row.valid_to, row.closed_at and row.closed_at.date()) if day is not None]
    if row.latest_day is None:
        return {"rag": Rag.GREY, "latest": None}
    rag = standing(terms, (row.latest_day, row.latest_value), min(ends))
    return {"rag": rag, "latest": actual(terms, row.latest_day, row.latest_value, row.latest_source)}


def actual(terms: Terms, day: date, value: Any, source: str) -> dict[str, Any]:
    """One actual beside the terms."""
    known = {"date": day, "value": value, "source": source}
    return {**known, "shortfall": shortfall(terms, value), "rag": colour(terms, value)}


async def taken(session: AsyncSession, tenant: str, account_id: UUID, code: str) -> bool:
    """Whether an open KPI of the account, which the caller has locked, has the code."""
    found = await session.execute(_TAKEN, {"tenant": tenant, "account_id": account_id, "code": code})
    return found.first() is not None


async def save(uow: UnitOfWork, kpi: Mapping[str, Any], *, author: str) -> None:
    """Store a KPI whole in its next version, and the version."""
    await uow.session.execute(_SAVE, {**kpi, "author": author, "changed_at": uow.now})


async def rekey(session: AsyncSession, aliases: Sequence[contacts.Claimed]) -> None:
    """Name those who agreed by the id that is now known for them, in the terms of their account's KPIs, past ones too.

    The accounts are locked by the caller. Nobody changed the terms: there is no new version.
    """
    if not aliases:
        return
    rows = [(alias.tenant, alias.account_id, alias.alias_id, alias.contact_id) for alias in aliases]
    given = arrays("tenants accounts aliases contacts", rows)
    for statement in (_AWAIT, _REKEY, _REKEY_VERSIONS):
        await session.execute(statement, given)


async def locked(session: AsyncSession, tenant: str, kpi_id: UUID) -> Row[Any] | None:
    """The KPI of an id, locked until the transaction ends, or None."""
    return (await session.execute(_LOCKED, {"tenant": tenant, "kpi_id": kpi_id})).first()


async def one(session: AsyncSession, tenant: str, kpi_id: UUID) -> Row[Any] | None:
    """The KPI of an id with its latest actual, or None."""
    return (await session.execute(_ONE, {"tenant": tenant, "kpi_id": kpi_id})).first()


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, closed: bool, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """KPIs that fit, the newest first, from an id on; only open ones unless ``closed``."""
    given = {name: value for name, value in filters.items() if value is not None and name in _FILTERS}
    where = [_ALL, *(_FILTERS[name] for name in given)]
    if not closed:
        where.append("closed_at IS NULL")
    if after is not None:
        where.append("kpi_id < CAST(:after AS uuid)")
        given["after"] = after
    query = f"{' AND '.join(where)} ORDER BY kpi_id DESC LIMIT :limit"
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()


async def versions(session: AsyncSession, tenant: str, kpi_id: UUID, *, before: int, limit: int) -> Sequence[Row[Any]]:
    """The terms a KPI has had, the newest first."""
    given = {"tenant": tenant, "kpi_id": kpi_id, "before": before, "limit": limit}
    return (await session.execute(_VERSIONS, given)).all()


def renewed(row: Row[Any], changed: Mapping[str, Any], closed_at: datetime | None = None) -> dict[str, Any]:
    """A KPI with some of its columns changed, in the next version."""
    return {**row._asdict(), **changed, "version": row.version + 1, "closed_at": closed_at}
