"""The SQL of the portfolio: one keyset page over all accounts that were ever evaluated."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_TESTS: Final = {
    "band": "h.band = :band",
    "tier": "a.tier = :tier",
    "owner_id": "a.owner_id = :owner_id",
    "min_confidence": "h.confidence >= :min_confidence",
    "changed_since": """EXISTS (
        SELECT 1 FROM health_history AS p
        WHERE p.tenant = h.tenant AND p.account_id = h.account_id AND p.at >= :changed_since)""",
}
_KEYS: Final = {"score": "h.score", "change": "h.change", "value": "coalesce(a.value_amount, 0)"}

_SUMMARY: Final = text("""
    SELECT a.tier, h.band, count(*) AS accounts, coalesce(avg(h.score), 0) AS score
    FROM account_health AS h LEFT JOIN account AS a ON a.tenant = h.tenant AND a.account_id = h.account_id
    WHERE h.tenant = :tenant AND h.score IS NOT NULL
      AND (CAST(:owner_id AS uuid) IS NULL OR a.owner_id = :owner_id)
    GROUP BY a.tier, h.band
""")


async def summary(session: AsyncSession, tenant: str, owner_id: UUID | None) -> Sequence[Row[Any]]:
    """Accounts of a tenant, or of one owner, by tier and band: how many, and their mean score."""
    return (await session.execute(_SUMMARY, {"tenant": tenant, "owner_id": owner_id})).all()


async def page(
    session: AsyncSession,
    tenant: str,
    wanted: Mapping[str, object],
    *,
    sort: str,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Accounts in the order of `sort` (score, change or value; a leading minus: falling) after a place.

    `wanted` filters by the names of the tests above. The column `key` is what was sorted by.
    """
    key, falling = _KEYS[sort.removeprefix("-")], sort.startswith("-")
    direction, beyond = ("DESC", "<") if falling else ("ASC", ">")
    given = dict(wanted)
    tests = ["h.tenant = :tenant", "h.score IS NOT NULL", *(_TESTS[name] for name in wanted)]
    if after is not None:
        given |= {"place": float(after[0]), "id": UUID(after[1])}
        tests.append(f"({key}, h.account_id) {beyond} (CAST(:place AS float8), CAST(:id AS uuid))")
    query = text(f"""
        SELECT h.account_id, h.score, h.band, h.confidence, h.change, h.evaluated_at, a.name AS account_name, a.tier,
               a.owner_id, a.value_amount, a.value_currency, a.renewal_at, {key} AS key
        FROM account_health h LEFT JOIN account a ON a.tenant = h.tenant AND a.account_id = h.account_id
        WHERE {" AND ".join(tests)}
        ORDER BY {key} {direction}, h.account_id {direction} LIMIT :limit
    """)
    return (await session.execute(query, {**given, "tenant": tenant, "limit": limit})).all()
