"""All SQL of meetings: reading every activity of one. What it says is ``rules.py``'s."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from metrics_svc.activities.rules import Activity
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.derivation.rules import Deadlines, Terms
from metrics_svc.evidence.rules import Findings
from metrics_svc.meetings.rules import Meeting, awaited, judge, read_at, slots

_READ = text(f"""
    SELECT {READ}
    FROM activity
    JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:meetings AS uuid[]))
         AS wanted(tenant, account_id, meeting_id)
      USING (tenant, account_id, meeting_id)
    WHERE meeting_id IS NOT NULL
""")


async def derive(
    session: AsyncSession, touched: set[Meeting], terms: Terms, findings: Findings, deadlines: Deadlines
) -> None:
    """Derive the touched meetings again, whole: a meeting has few activities."""
    if not touched:
        return
    wanted = list(touched)
    told: dict[Meeting, list[Activity]] = defaultdict(list)
    for row in await session.execute(_READ, arrays("tenants accounts meetings", wanted)):
        told[row.tenant, row.account_id, row.meeting_id].append(activity_of(row))
    for meeting in wanted:
        findings.decide(slots(*meeting))
        deadlines.set(*meeting, "meeting", _derived(told[meeting], terms, findings))


def _derived(activities: Sequence[Activity], terms: Terms, findings: Findings) -> datetime | None:
    if not activities:
        return None
    policy = terms.policy(activities[0].tenant, read_at(activities))
    findings.add(judge(activities, policy, terms.as_of))
    return awaited(activities, terms.as_of)
