"""All SQL of signals: the attributes of those few activities whose signal depends on them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.activities.rules import Activity, Change
from metrics_svc.derivation.rules import Terms
from metrics_svc.evidence.rules import Findings
from metrics_svc.signals.rules import Attributes, asks_attributes, signalled, touched

_ATTRIBUTES = text("""
    SELECT activity_id, attributes FROM activity
    JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS wanted(tenant, activity_id)
      USING (tenant, activity_id)
""")


async def derive(session: AsyncSession, changes: Sequence[Change], terms: Terms, findings: Findings) -> None:
    """Derive what changed activities are evidence of by themselves."""
    found, come = touched(changes, terms)
    found.add(signalled(come, await _attributes(session, come, terms), terms))
    findings.merge(found)


async def _attributes(session: AsyncSession, activities: Sequence[Activity], terms: Terms) -> Mapping[UUID, Attributes]:
    wanted = [a for a in activities if asks_attributes(terms.policy(a.tenant, a.occurred_at), a)]
    if not wanted:
        return {}
    arrays = {"tenants": [a.tenant for a in wanted], "ids": [a.activity_id for a in wanted]}
    return {row.activity_id: row.attributes for row in await session.execute(_ATTRIBUTES, arrays)}
