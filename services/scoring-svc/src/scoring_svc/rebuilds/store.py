"""All SQL of rebuilding: which accounts are to be summed anew, and how many still are."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_REQUEST = text("""
    UPDATE account_health SET recount = true, next_evaluation_at = :now
    WHERE tenant = :tenant AND evaluated_at IS NOT NULL
""")
_LEFT = text("""
    SELECT count(*) FILTER (WHERE recount), count(*) FROM account_health
    WHERE tenant = :tenant AND evaluated_at IS NOT NULL
""")


async def request(session: AsyncSession, tenant: str, now: datetime) -> None:
    """Have every account of the tenant summed anew from the ledger when it is evaluated next, which is now."""
    await session.execute(_REQUEST, {"tenant": tenant, "now": now})


async def left(session: AsyncSession, tenant: str) -> tuple[int, int]:
    """How many accounts wait to be summed anew, and how many there are."""
    waiting, accounts = (await session.execute(_LEFT, {"tenant": tenant})).one()
    return waiting, accounts
