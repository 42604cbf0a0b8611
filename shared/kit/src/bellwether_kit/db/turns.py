"""One change at a time where there may be no row to lock yet."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def one_at_a_time(session: AsyncSession, name: str) -> None:
    """Wait until no other transaction of this database holds ``name``, and hold it until this one ends.

    Begin ``name`` with what is changed and end it with whose it is: ``targets/acme``.
    """
    await session.execute(_TURN, {"name": name})
