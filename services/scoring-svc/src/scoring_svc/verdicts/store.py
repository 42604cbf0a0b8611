"""All SQL of verdicts: one per alert, and what they come to per rule."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.verdicts.tables import AlertVerdictRow

# All rules that were ever among the alert's reasons; the last reason has left a resolved one.
_JUDGE = text("""
    INSERT INTO alert_verdict AS known (tenant, alert_id, verdict, by, note, at, rules)
    SELECT :tenant, :alert_id, :verdict, :by, :note, :now, coalesce(array_agg(DISTINCT rule), '{}')
    FROM alert_change c, jsonb_array_elements_text(c.detail -> 'reasons') AS rule
    WHERE c.tenant = :tenant AND c.alert_id = :alert_id
    ON CONFLICT (tenant, alert_id) DO UPDATE
    SET verdict = EXCLUDED.verdict, by = EXCLUDED.by, note = EXCLUDED.note, at = EXCLUDED.at, rules = EXCLUDED.rules
    WHERE (known.verdict, known.note) IS DISTINCT FROM (EXCLUDED.verdict, EXCLUDED.note)
    RETURNING alert_id
""")
_COUNTS = text("""
    SELECT count(*), count(*) FILTER (WHERE verdict = 'false-alarm') FROM alert_verdict
    WHERE tenant = :tenant AND rules @> ARRAY[CAST(:rule AS text)]
      AND (CAST(:since AS timestamptz) IS NULL OR at >= :since)
""")


async def judge(
    session: AsyncSession, tenant: str, alert_id: UUID, *, verdict: str, by: str, note: str, now: datetime
) -> bool:
    """Keep what a person says of an alert in place of what was said before; whether that is any different."""
    given = {"tenant": tenant, "alert_id": alert_id, "verdict": verdict, "by": by, "note": note, "now": now}
    return (await session.execute(_JUDGE, given)).first() is not None


async def counts(session: AsyncSession, tenant: str, rule: str, since: datetime | None) -> tuple[int, int]:
    """Alerts judged in which the rule was ever a reason, and how many of them were false alarms."""
    judged, wrong = (await session.execute(_COUNTS, {"tenant": tenant, "rule": rule, "since": since})).one()
    return judged, wrong


async def of_alert(session: AsyncSession, tenant: str, alert_id: UUID) -> AlertVerdictRow | None:
    """The verdict on an alert, or None."""
    return await session.get(AlertVerdictRow, (tenant, alert_id))
