"""All SQL of the accounts' projection: locking an account and following its changes; names are `references`'."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from metrics_svc.activities.rules import Reference
from metrics_svc.references.rules import name_key
from metrics_svc.references.store import Claim, Claimed, rename

Key = tuple[str, UUID]
"""Tenant and account id."""

_LOCK = text("""
    SELECT tenant, account_id, country FROM account
    JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
      USING (tenant, account_id)
    ORDER BY tenant, account_id
    FOR NO KEY UPDATE OF account
""")

# A removed account keeps its row: it is the lock of its history, and the history may move to another account.
_UPSERT = text("""
    INSERT INTO account AS kept (tenant, account_id, version, removed, name, name_key, country, owner_id, tier,
                                 territory, cadence_days)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:versions AS integer[]),
                         CAST(:removed AS boolean[]), CAST(:names AS text[]), CAST(:name_keys AS text[]),
                         CAST(:countries AS text[]), CAST(:owners AS uuid[]), CAST(:tiers AS text[]),
                         CAST(:territories AS text[]), CAST(:cadences AS double precision[]))
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET version = EXCLUDED.version, removed = EXCLUDED.removed,
        (name, name_key, country, owner_id, tier, territory, cadence_days) = (
            SELECT CASE WHEN EXCLUDED.removed THEN kept.name ELSE EXCLUDED.name END,
                   CASE WHEN EXCLUDED.removed THEN kept.name_key ELSE EXCLUDED.name_key END,
                   CASE WHEN EXCLUDED.removed THEN kept.country ELSE EXCLUDED.country END,
                   CASE WHEN EXCLUDED.removed THEN kept.owner_id ELSE EXCLUDED.owner_id END,
                   CASE WHEN EXCLUDED.removed THEN kept.tier ELSE EXCLUDED.tier END,
                   CASE WHEN EXCLUDED.removed THEN kept.territory ELSE EXCLUDED.territory END,
                   CASE WHEN EXCLUDED.removed THEN kept.cadence_days ELSE EXCLUDED.cadence_days END)
    WHERE kept.version < EXCLUDED.version
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.account_id, after.removed,
        before.account_id IS NOT NULL AND NOT after.removed
            AND (before.removed OR before.country IS DISTINCT FROM after.country) AS moved
""")

_DERIVE_ANEW = text("""
    UPDATE account AS kept
    SET anew_at = :now, anew_from = least(kept.anew_from, changed.since)
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS changed(tenant, account_id, since)
    WHERE kept.tenant = changed.tenant AND kept.account_id = changed.account_id
""")

_DERIVE_ALL_ANEW = text("""
    WITH locked AS (
        SELECT account_id FROM account WHERE tenant = :tenant AND NOT removed ORDER BY account_id FOR NO KEY UPDATE
    )
    UPDATE account AS kept SET anew_at = :now, anew_from = least(kept.anew_from, CAST(:since AS timestamptz))
    FROM locked WHERE kept.tenant = :tenant AND kept.account_id = locked.account_id
""")

_KNOWS = text("SELECT 1 FROM account WHERE tenant = :tenant AND account_id = :account_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An account as an event tells of it; ``said_at`` is the event's time."""

    tenant: str
    account_id: UUID
    version: int
    said_at: datetime
    name: str | None = None
    country: str | None = None
    owner_id: UUID | None = None
    tier: str | None = None
    territory: str | None = None
    cadence_days: float | None = None
    references: tuple[Reference, ...] = ()
    removed: bool = False


async def lock(session: AsyncSession, keys: Iterable[Key]) -> dict[Key, str | None]:
    """Lock accounts, in the one order everybody uses, until the transaction ends; gives their countries."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    rows = await session.execute(_LOCK, arrays("tenants accounts", wanted))
    return {(row.tenant, row.account_id): row.country for row in rows}


async def follow(session: AsyncSession, states: Sequence[State]) -> tuple[list[Claimed], list[Key]]:
    """Take over what events say of accounts (the latest version of each); older news changes nothing.

    Gives the references that now name another account, and the accounts that moved to another country or came
    back.
    """
    latest = sorted(states, key=lambda state: (state.tenant, state.account_id))
    arrays = {
        "tenants": [state.tenant for state in latest],
        "accounts": [state.account_id for state in latest],
        "versions": [state.version for state in latest],
        "removed": [state.removed for state in latest],
        "names": [state.name for state in latest],
        "name_keys": [name_key(state.name) if state.name else None for state in latest],
        "countries": [state.country for state in latest],
        "owners": [state.owner_id for state in latest],
        "tiers": [state.tier for state in latest],
        "territories": [state.territory for state in latest],
        "cadences": [state.cadence_days for state in latest],
    }
    rows = (await session.execute(_UPSERT, arrays)).all()
    changed = {(row.tenant, row.account_id) for row in rows}
    moved = [(row.tenant, row.account_id) for row in rows if row.moved]
    news = [state for state in latest if (state.tenant, state.account_id) in changed]
    claims = [
        Claim(state.tenant, reference, state.account_id, state.said_at)
        for state in news
        for reference in state.references
    ]
    return await rename(session, changed, claims), moved


async def derive_anew(session: AsyncSession, since: Mapping[Key, datetime], now: datetime) -> None:
    """Have the timer derive everything of accounts since a moment again."""
    arrays = {
        "tenants": [tenant for tenant, _ in since],
        "accounts": [account for _, account in since],
        "times": list(since.values()),
    }
    await session.execute(_DERIVE_ANEW, {**arrays, "now": now})


async def derive_all_anew(session: AsyncSession, tenant: str, since: datetime, now: datetime) -> None:
    """Have the timer derive everything of a tenant since a moment again."""
    await session.execute(_DERIVE_ALL_ANEW, {"tenant": tenant, "since": since, "now": now})


async def knows(session: AsyncSession, tenant: str, account_id: UUID) -> bool:
    """Whether the account was ever heard of; a removed one still has its history."""
    found = await session.execute(_KNOWS, {"tenant": tenant, "account_id": account_id})
    return found.first() is not None
