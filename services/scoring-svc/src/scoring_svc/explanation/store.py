"""The SQL of explanations: the scorecard by which a score was made."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from scoring_svc.scorecards.rules import DEFAULT, Scorecard
from scoring_svc.scorecards.store import from_row

_VERSION = text("SELECT configuration FROM scorecard WHERE tenant = :tenant AND name = :name AND version = :version")


async def scorecard(session: AsyncSession, tenant: str, name: str, version: int) -> Scorecard:
    """The scorecard of that name and version; the built-in default is stored nowhere."""
    given = {"tenant": tenant, "name": name, "version": version}
    configuration = (await session.execute(_VERSION, given)).scalar_one_or_none()
    return DEFAULT if configuration is None else from_row(name, version, configuration)
