"""All SQL of the accounts' projection: finding an account by its names, locking it, following its changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.activities.rules import Reference

Key = tuple[str, UUID]
"""Tenant and account id."""

_FIND = text("""
    SELECT kind, source, value, account_id
    FROM unnest(CAST(:kinds AS text[]), CAST(:sources AS text[]), CAST(:values AS text[]))
         AS wanted(kind, source, value)
    JOIN account_reference USING (kind, source, value)
    WHERE tenant = :tenant AND NOT released
""")

# One lock per tenant: whoever finds no account waits for changes of accounts in hand, then looks again.
_HOLD = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('matching/' || :tenant, 0))")
_HOLD_ALONE = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('matching/' || tenant, 0))
    FROM (SELECT tenant FROM unnest(CAST(:tenants AS text[])) AS t(tenant) ORDER BY tenant) AS sorted
""")

_LOCK = text("""
    SELECT tenant, account_id, country FROM account
    JOIN unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
      USING (tenant, account_id)
    ORDER BY tenant, account_id
    FOR NO KEY UPDATE OF account
""")

# A removed account keeps its row: it is the lock of its history, and the history may move to another account.
_UPSERT = text("""
    INSERT INTO account AS kept (tenant, account_id, version, removed, name, country, owner_id, tier, territory,
                                 cadence_days)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:versions AS integer[]),
                         CAST(:removed AS boolean[]), CAST(:names AS text[]), CAST(:countries AS text[]),
                         CAST(:owners AS uuid[]), CAST(:tiers AS text[]), CAST(:territories AS text[]),
                         CAST(:cadences AS double precision[]))
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET version = EXCLUDED.version, removed = EXCLUDED.removed,
        (name, country, owner_id, tier, territory, cadence_days) = (
            SELECT CASE WHEN EXCLUDED.removed THEN kept.name ELSE EXCLUDED.name END,
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

_RELEASE = text("""
    UPDATE account_reference AS kept SET released = true
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS changed(tenant, account_id)
    WHERE kept.tenant = changed.tenant AND kept.account_id = changed.account_id
      AND (kept.kind, kept.source, kept.value) NOT IN (
          SELECT kind, source, value
          FROM unnest(CAST(:claim_tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                      CAST(:values AS text[]), CAST(:claim_accounts AS uuid[]))
               AS claimed(tenant, kind, source, value, account_id)
          WHERE claimed.tenant = kept.tenant AND claimed.account_id = kept.account_id)
""")

# The later claim of an external id wins; a domain stays with whoever has it, for parents and children share one.
_CLAIM = text("""
    INSERT INTO account_reference AS kept (tenant, kind, source, value, account_id, claimed_at, released)
    SELECT DISTINCT ON (tenant, kind, source, value) tenant, kind, source, value, account_id, claimed_at, false
    FROM unnest(CAST(:claim_tenants AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]),
                CAST(:values AS text[]), CAST(:claim_accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS claimed(tenant, kind, source, value, account_id, claimed_at)
    ORDER BY tenant, kind, source, value, claimed_at DESC, account_id
    ON CONFLICT (tenant, kind, source, value) DO UPDATE
    SET account_id = EXCLUDED.account_id, claimed_at = EXCLUDED.claimed_at, released = false
    WHERE (kept.account_id = EXCLUDED.account_id AND kept.released)
       OR (kept.account_id <> EXCLUDED.account_id
           AND (kept.released OR (kept.kind = 'external' AND kept.claimed_at <= EXCLUDED.claimed_at)))
    RETURNING WITH (OLD AS before, NEW AS after)
        after.tenant, after.kind, after.source, after.value, after.account_id,
        NULLIF(before.account_id, after.account_id) AS previous
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


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reference that names another account than before; ``previous`` is the one it named."""

    tenant: str
    reference: Reference
    account_id: UUID
    previous: UUID | None


async def find(session: AsyncSession, tenant: str, references: set[Reference]) -> dict[Reference, UUID]:
    """The accounts that references name. What is not found is not there, and can't appear before we commit."""
    found = await _find(session, tenant, references)
    if len(found) < len(references):
        await session.execute(_HOLD, {"tenant": tenant})
        found |= await _find(session, tenant, references - found.keys())
    return found


async def _find(session: AsyncSession, tenant: str, references: Iterable[Reference]) -> dict[Reference, UUID]:
    wanted = list(references)
    if not wanted:
        return {}
    arrays = {
        "kinds": [reference.kind for reference in wanted],
        "sources": [reference.source for reference in wanted],
        "values": [reference.value for reference in wanted],
    }
    return {
        Reference(kind=row.kind, source=row.source, value=row.value): row.account_id
        for row in await session.execute(_FIND, {"tenant": tenant, **arrays})
    }


async def hold_matching(session: AsyncSession, tenants: Iterable[str]) -> None:
    """From here on nobody decides that an account of these tenants is unknown until this transaction ends."""
    await session.execute(_HOLD_ALONE, {"tenants": sorted(set(tenants))})


async def lock(session: AsyncSession, keys: Iterable[Key]) -> dict[Key, str | None]:
    """Lock accounts, in the one order everybody uses, until the transaction ends; gives their countries."""
    wanted = sorted(keys)
    if not wanted:
        return {}
    arrays = {"tenants": [tenant for tenant, _ in wanted], "accounts": [account for _, account in wanted]}
    return {(row.tenant, row.account_id): row.country for row in await session.execute(_LOCK, arrays)}


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
    return await _rename(session, news), moved


async def _rename(session: AsyncSession, news: Sequence[State]) -> list[Claimed]:
    if not news:
        return []
    claims = [(state, reference) for state in news for reference in state.references]
    arrays = {
        "claim_tenants": [state.tenant for state, _ in claims],
        "kinds": [reference.kind for _, reference in claims],
        "sources": [reference.source for _, reference in claims],
        "values": [reference.value for _, reference in claims],
        "claim_accounts": [state.account_id for state, _ in claims],
    }
    keys = {"tenants": [state.tenant for state in news], "accounts": [state.account_id for state in news]}
    await session.execute(_RELEASE, {**keys, **arrays})
    times = [state.said_at for state, _ in claims]
    return [
        Claimed(
            row.tenant,
            Reference(kind=row.kind, source=row.source, value=row.value),
            row.account_id,
            row.previous if row.kind == "external" else None,
        )
        for row in await session.execute(_CLAIM, {**arrays, "times": times})
    ]


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
