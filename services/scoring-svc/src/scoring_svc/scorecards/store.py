"""All SQL of scorecards: drafts, what is in force for a tenant, and all there ever was."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bellwether_kit.db import one_at_a_time
from bellwether_kit.ids import uuid7
from scoring_svc.errors import NoDraft, UnknownScorecard
from scoring_svc.scorecards.rules import DEFAULT, Cards, Scorecard, Segment, card_of
from scoring_svc.scorecards.tables import ScorecardRow

EVERYBODY: Final = Segment()

_IN_FORCE = text("""
    SELECT tenant, name, version, segment, configuration FROM scorecard
    WHERE tenant = ANY(CAST(:tenants AS text[])) AND state = 'published' ORDER BY tenant, name
""")
_VERSION = text("SELECT configuration FROM scorecard WHERE tenant = :tenant AND name = :name AND version = :version")
_LAST = text("SELECT coalesce(max(version), :built_in) FROM scorecard WHERE tenant = :tenant AND name = :name")


def segment_of(said: Mapping[str, Sequence[str]]) -> Segment:
    """The segment that a stored one stands for."""
    return Segment(**{name: frozenset(values) for name, values in said.items()})


def card_in(row: ScorecardRow) -> Scorecard:
    """The scorecard that a row stands for."""
    return card_of(row.name, row.version, row.configuration)


async def in_force(session: AsyncSession, tenants: Collection[str]) -> dict[str, Cards]:
    """The scorecards in force for each tenant; the built-in default where there is none of its own."""
    found: dict[str, Cards] = dict.fromkeys(tenants, Cards())
    rows = await session.execute(_IN_FORCE, {"tenants": list(tenants)})
    for tenant, name, version, segment, configuration in rows:
        found[tenant] = found[tenant].replaced(segment_of(segment), card_of(name, version, configuration))
    return found


async def version(session: AsyncSession, tenant: str, name: str, number: int) -> Scorecard:
    """The scorecard of that name and version; the built-in default is stored nowhere."""
    where = {"tenant": tenant, "name": name, "version": number}
    configuration = (await session.execute(_VERSION, where)).scalar_one_or_none()
    return DEFAULT if configuration is None else card_of(name, number, configuration)


async def listed(session: AsyncSession, tenant: str, *, before: UUID | None, limit: int) -> Sequence[ScorecardRow]:
    """Versions of all names, newest first, of ids below one."""
    query = select(ScorecardRow).where(ScorecardRow.tenant == tenant)
    if before is not None:
        query = query.where(col(ScorecardRow.id) < before)
    return (await session.scalars(query.order_by(col(ScorecardRow.id).desc()).limit(limit))).all()


async def one(session: AsyncSession, tenant: str, id_: UUID) -> ScorecardRow:
    """A version by its id; raises UnknownScorecard."""
    row = await session.get(ScorecardRow, (tenant, id_))
    if row is None:
        raise UnknownScorecard("No scorecard has this id.")
    return row


async def draft(session: AsyncSession, tenant: str, id_: UUID) -> ScorecardRow:
    """A draft, that no other change of the tenant's scorecards comes between; raises UnknownScorecard and NoDraft."""
    await lock(session, tenant)
    row = await one(session, tenant, id_)
    if row.state != "draft":
        raise NoDraft(f"The scorecard is {row.state}.")
    return row


async def published(session: AsyncSession, tenant: str, name: str) -> ScorecardRow | None:
    """The version of that name in force, if there is one."""
    query = select(ScorecardRow).where(
        ScorecardRow.tenant == tenant, ScorecardRow.name == name, ScorecardRow.state == "published"
    )
    return (await session.scalars(query)).one_or_none()


async def lock(session: AsyncSession, tenant: str) -> None:
    """Let one change of the tenant's scorecards follow the other."""
    await one_at_a_time(session, f"scorecards/{tenant}")


async def create_draft(
    session: AsyncSession,
    tenant: str,
    *,
    name: str,
    configuration: Mapping[str, Any],
    segment: Mapping[str, Sequence[str]],
    author: str,
    now: datetime,
) -> ScorecardRow:
    """Add the next version of a name as a draft; the caller holds the lock. The built-in default is version 1."""
    built_in = int(name == DEFAULT.name)
    last = (await session.execute(_LAST, {"tenant": tenant, "name": name, "built_in": built_in})).scalar_one()
    row = ScorecardRow(
        tenant=tenant,
        id=uuid7(),
        name=name,
        version=last + 1,
        state="draft",
        revision=1,
        segment={key: sorted(values) for key, values in segment.items()},
        configuration=dict(configuration),
        author=author,
        changed_at=now,
        reason=None,
        published_by=None,
        published_at=None,
        retired_by=None,
        retired_at=None,
    )
    session.add(row)
    await session.flush()
    return row
