"""All SQL of cadence: days of two-way contact, response times and recent contacts of one account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.activities.rules import Activity
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.cadence.rules import HABIT
from metrics_svc.touch.rules import PERIOD

MOST = 5_000
"""The latest activities of a period from which it is told who took part how often, at most."""

_HABIT = text("""
    SELECT tier, cadence_days, ARRAY(
               SELECT day FROM touch_day AS d
               WHERE d.tenant = a.tenant AND d.account_id = a.account_id AND day >= :since AND two_way > 0
               ORDER BY day) AS days
    FROM account AS a WHERE tenant = :tenant AND account_id = :account_id
""")

_RESPONSES = text("""
    SELECT contact_id, count(*) AS n,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - opened_at)) / 3600 AS hours
    FROM expectation WHERE tenant = :tenant AND account_id = :account_id AND closed_at >= :since
    GROUP BY contact_id
""")

_RECENT = text(f"""
    SELECT {READ} FROM activity
    WHERE tenant = :tenant AND account_id = :account_id AND occurred_at >= :since AND cardinality(contact_ids) > 0
    ORDER BY occurred_at DESC LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Habit:
    """What is known of an account's rhythm: what is expected of it, and the days of two-way contact."""

    tier: str | None
    cadence_days: float | None
    days: Sequence[date]


async def habit(session: AsyncSession, tenant: str, account_id: UUID, as_of: datetime) -> Habit:
    """The rhythm of an account that is known."""
    given = {"tenant": tenant, "account_id": account_id, "since": (as_of - HABIT).date()}
    row = (await session.execute(_HABIT, given)).one()
    return Habit(row.tier, row.cadence_days, row.days)


async def responses(session: AsyncSession, tenant: str, account_id: UUID, as_of: datetime) -> Sequence[Row[Any]]:
    """Median hours to a reply, with n, over the 90 days before, by person."""
    given = {"tenant": tenant, "account_id": account_id, "since": as_of - PERIOD}
    return (await session.execute(_RESPONSES, given)).all()


async def recent(session: AsyncSession, tenant: str, account_id: UUID, as_of: datetime) -> list[Activity]:
    """Activities with known people over the 90 days before, the latest 5,000."""
    given = {"tenant": tenant, "account_id": account_id, "since": as_of - PERIOD, "most": MOST}
    return [activity_of(row) for row in await session.execute(_RECENT, given)]
