"""All SQL of runs: beginning, going on, ending."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bellwether_kit.db import array
from bellwether_kit.ids import uuid7
from scoring_svc.errors import UnknownRun
from scoring_svc.rescoring.tables import RescoringRunRow

PAGE: Final = 500
"""Accounts looked at in one transaction."""
AUDIT_EVERY: Final = timedelta(days=1)
AUDITS_KEPT: Final = timedelta(days=30)
_COLUMNS: Final = ", ".join(RescoringRunRow.__table__.columns.keys())  # type: ignore[attr-defined]

_SUPERSEDE = text("""
    UPDATE rescoring_run SET state = 'superseded', ended_by = :by, ended_at = :now, next_at = NULL
    WHERE tenant = :tenant AND state = 'running' AND cause <> 'audit'
""")
_START = text(f"""
    INSERT INTO rescoring_run (tenant, id, cause, state, scorecard_id, accounts, looked_at, rescored, drift, drifted,
                               started_by, reason, started_at, next_at)
    SELECT :tenant, :id, :cause, 'running', :scorecard_id, count(*), 0, 0, 0, 0, :by, :reason, :now, :now
    FROM account_health WHERE tenant = :tenant AND evaluated_at IS NOT NULL
    RETURNING {_COLUMNS}
""")
# Begun when a tenant's first account is seen, and again when one has ended.
_AUDIT_LATER = text("""
    INSERT INTO rescoring_run (tenant, id, cause, state, accounts, looked_at, rescored, drift, drifted, started_by,
                               started_at, next_at)
    SELECT tenant, uuidv7(), 'audit', 'running', 0, 0, 0, 0, 0, 'timer', :at, :at
    FROM unnest(CAST(:tenants AS text[])) AS t(tenant)
    ON CONFLICT DO NOTHING
""")
_FORGET = text("""
    DELETE FROM rescoring_run WHERE tenant = :tenant AND cause = 'audit' AND state = 'done' AND ended_at < :before
""")
_PAGE = text("""
    SELECT CAST(account_id AS text) FROM account_health
    WHERE tenant = :tenant AND evaluated_at IS NOT NULL
      AND (CAST(:position AS uuid) IS NULL OR account_id > CAST(:position AS uuid))
    ORDER BY account_id LIMIT :limit
""")
_ADVANCE = text("""
    UPDATE rescoring_run
    SET position = coalesce(CAST(:position AS uuid), position), looked_at = looked_at + :looked_at,
        accounts = greatest(accounts, looked_at + :looked_at), rescored = rescored + :rescored,
        drift = greatest(drift, :drift), drifted = drifted + :drifted,
        state = CASE WHEN :over THEN 'done' ELSE state END,
        ended_at = CASE WHEN :over THEN CAST(:now AS timestamptz) END,
        next_at = CASE WHEN :over THEN NULL ELSE CAST(:now AS timestamptz) END
    WHERE tenant = :tenant AND id = :id
""")
_STOP = text("""
    UPDATE rescoring_run SET state = 'stopped', ended_by = :by, ended_at = :now, next_at = NULL
    WHERE tenant = :tenant AND id = :id AND state = 'running' AND cause <> 'audit' RETURNING id
""")


class Step(NamedTuple):
    """What became of one page: accounts scored anew, and of an audit the widest drift and how many had too much."""

    rescored: int
    drift: float = 0.0
    drifted: int = 0


async def start(
    session: AsyncSession,
    tenant: str,
    *,
    cause: str,
    by: str,
    now: datetime,
    reason: str | None = None,
    scorecard_id: UUID | None = None,
) -> Row[Any]:
    """Begin a run; one that is under way, and would look at the same accounts, ends."""
    given = {"tenant": tenant, "by": by, "now": now}
    await session.execute(_SUPERSEDE, given)
    more = {"id": uuid7(), "cause": cause, "reason": reason, "scorecard_id": scorecard_id}
    return (await session.execute(_START, given | more)).one()


async def audit_later(session: AsyncSession, tenants: Collection[str], now: datetime) -> None:
    """Have the tenants' balances checked in a day, unless that is to happen already."""
    await session.execute(_AUDIT_LATER, {"tenants": array(sorted(tenants)), "at": now + AUDIT_EVERY})


async def forget_audits(session: AsyncSession, tenant: str, now: datetime) -> None:
    """Drop what audits of long ago found."""
    await session.execute(_FORGET, {"tenant": tenant, "before": now - AUDITS_KEPT})


async def page(session: AsyncSession, tenant: str, position: UUID | None) -> list[str]:
    """The ids of the next accounts of a run."""
    found = await session.execute(_PAGE, {"tenant": tenant, "position": position, "limit": PAGE})
    return [account_id for (account_id,) in found]


async def advance(session: AsyncSession, run: Row[Any], ids: Sequence[str], now: datetime, step: Step) -> bool:
    """Note what became of a page; True when it was the last."""
    over = len(ids) < PAGE
    given = {
        "tenant": run.tenant,
        "id": run.id,
        "position": ids[-1] if ids else None,
        "looked_at": len(ids),
        "rescored": step.rescored,
        "drift": step.drift,
        "drifted": step.drifted,
        "over": over,
        "now": now,
    }
    await session.execute(_ADVANCE, given)
    return over


async def stop(session: AsyncSession, tenant: str, id_: UUID, by: str, now: datetime) -> bool:
    """End a run before its time; False when it is over already. Audits can't be stopped."""
    given = {"tenant": tenant, "id": id_, "by": by, "now": now}
    return (await session.execute(_STOP, given)).one_or_none() is not None


async def one(session: AsyncSession, tenant: str, id_: UUID) -> RescoringRunRow:
    """A run by its id; raises UnknownRun."""
    row = await session.get(RescoringRunRow, (tenant, id_))
    if row is None:
        raise UnknownRun("No run has this id.")
    return row


async def listed(session: AsyncSession, tenant: str, *, before: UUID | None, limit: int) -> Sequence[RescoringRunRow]:
    """The tenant's runs, newest first, of ids below one."""
    query = select(RescoringRunRow).where(RescoringRunRow.tenant == tenant)
    if before is not None:
        query = query.where(col(RescoringRunRow.id) < before)
    return (await session.scalars(query.order_by(col(RescoringRunRow.id).desc()).limit(limit))).all()
