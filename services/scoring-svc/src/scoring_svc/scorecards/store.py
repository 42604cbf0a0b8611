"""All SQL of scorecards: which version is in force for a tenant, and all there ever were."""

from collections.abc import Collection, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from scoring_svc.scorecards.rules import DEFAULT, KIND_WEIGHTS, Scorecard
from scoring_svc.scorecards.tables import ScorecardRow

_PUBLISHED = text("""
    SELECT DISTINCT ON (tenant) tenant, name, version, configuration
    FROM scorecard WHERE tenant = ANY(CAST(:tenants AS text[])) AND state = 'published'
    ORDER BY tenant, version DESC
""")


def from_row(name: str, version: int, configuration: dict[str, object]) -> Scorecard:
    """The scorecard that a stored version stands for: the documented defaults with its differences."""
    changed = {key: tuple(value) if isinstance(value, list) else value for key, value in configuration.items()}
    weights = changed.pop("kind_weights", {})
    assert isinstance(weights, dict)
    return Scorecard(name=name, version=version, kind_weights={**KIND_WEIGHTS, **weights}, **changed)  # type: ignore[arg-type]


async def published(session: AsyncSession, tenants: Collection[str]) -> dict[str, Scorecard]:
    """The scorecard in force for each tenant; the built-in default where there is none of its own."""
    rows = await session.execute(_PUBLISHED, {"tenants": list(tenants)})
    own = {tenant: from_row(name, version, configuration) for tenant, name, version, configuration in rows}
    return {tenant: own.get(tenant, DEFAULT) for tenant in tenants}


async def versions(session: AsyncSession, tenant: str) -> Sequence[ScorecardRow]:
    """Every stored version of a tenant, newest first."""
    query = select(ScorecardRow).where(ScorecardRow.tenant == tenant)
    ordered = query.order_by(ScorecardRow.name, col(ScorecardRow.version).desc())
    return (await session.scalars(ordered)).all()
