"""All SQL of the health projection."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from profile_svc.health.rules import Health
from profile_svc.health.tables import HealthRow

# An account we no longer have gets no row; the lock keeps one that is being removed from coming back half.
_PROJECT = text("""
    INSERT INTO account_health AS known (tenant, account_id, score, band, sequence, evaluated_at)
    SELECT said.* FROM unnest(
        CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:scores AS double precision[]),
        CAST(:bands AS text[]), CAST(:sequences AS bigint[]), CAST(:times AS timestamptz[])
    ) AS said (tenant, account_id, score, band, sequence, evaluated_at)
    JOIN account ON account.tenant = said.tenant AND account.id = said.account_id
    ORDER BY said.tenant, said.account_id
    FOR KEY SHARE OF account
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET score = EXCLUDED.score, band = EXCLUDED.band,
        sequence = EXCLUDED.sequence, evaluated_at = EXCLUDED.evaluated_at
    WHERE known.sequence < EXCLUDED.sequence
""")


async def project(session: AsyncSession, reports: Sequence[Health]) -> None:
    """Keep each report, at most one per account, unless a later one is on record already."""
    await session.execute(
        _PROJECT,
        {
            "tenants": [report.tenant for report in reports],
            "accounts": [report.account_id for report in reports],
            "scores": [report.score for report in reports],
            "bands": [report.band for report in reports],
            "sequences": [report.sequence for report in reports],
            "times": [report.evaluated_at for report in reports],
        },
    )


async def healths(session: AsyncSession, tenant: str, account_ids: Collection[UUID]) -> dict[UUID, Health]:
    """The last health of those accounts that have one."""
    query = select(HealthRow).where(col(HealthRow.tenant) == tenant, col(HealthRow.account_id).in_(account_ids))
    return {row.account_id: Health(**row.model_dump()) for row in await session.scalars(query)}
