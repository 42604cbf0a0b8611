"""All SQL of the ledger: recording revisions set-based, and reading an account's evidence back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from scoring_svc.ledger.rules import Piece

# Of each dimension, the newest pieces that a memory is rebuilt from.
RECALLED: Final = 64

# Fresh pieces, nearly all of a batch, come back as one text: what they say is at hand already.
_RECORD = text("""
    WITH recorded AS (
    INSERT INTO evidence AS known (tenant, evidence_id, account_id, observed_at, weight, magnitude, revision,
                                   dimension, retracted, counted, kind)
    SELECT tenant, evidence_id, account_id, to_timestamp(observed), weight, magnitude, revision, dimension,
           retracted, counted, kind
    FROM unnest(
        CAST(:tenant AS text[]), CAST(:evidence_id AS uuid[]), CAST(:account_id AS uuid[]),
        CAST(:observed AS float8[]), CAST(:weight AS float8[]), CAST(:magnitude AS float8[]),
        CAST(:revision AS integer[]), CAST(:dimension AS smallint[]), CAST(:retracted AS boolean[]),
        CAST(:counted AS boolean[]), CAST(:kind AS text[])
    ) AS e(tenant, evidence_id, account_id, observed, weight, magnitude, revision, dimension, retracted, counted, kind)
    ON CONFLICT (tenant, evidence_id) DO UPDATE
    SET revision = EXCLUDED.revision, retracted = EXCLUDED.retracted,
        account_id = CASE WHEN EXCLUDED.retracted THEN known.account_id ELSE EXCLUDED.account_id END,
        observed_at = CASE WHEN EXCLUDED.retracted THEN known.observed_at ELSE EXCLUDED.observed_at END,
        weight = CASE WHEN EXCLUDED.retracted THEN known.weight ELSE EXCLUDED.weight END,
        magnitude = CASE WHEN EXCLUDED.retracted THEN known.magnitude ELSE EXCLUDED.magnitude END,
        dimension = CASE WHEN EXCLUDED.retracted THEN known.dimension ELSE EXCLUDED.dimension END,
        counted = CASE WHEN EXCLUDED.retracted THEN known.counted ELSE EXCLUDED.counted END,
        kind = CASE WHEN EXCLUDED.retracted THEN known.kind ELSE EXCLUDED.kind END
    WHERE (EXCLUDED.revision, EXCLUDED.retracted) > (known.revision, known.retracted)
    RETURNING tenant || '/' || evidence_id AS key, old.retracted, old.counted, CAST(old.account_id AS text), old.kind,
              old.dimension, old.weight, CAST(extract(epoch FROM old.observed_at) AS float8) AS observed
    )
    SELECT string_agg(key, ' '), NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM recorded WHERE account_id IS NULL
    UNION ALL
    SELECT * FROM recorded WHERE account_id IS NOT NULL
""")

_COUNT_PENDING = text("""
    WITH due AS (
        SELECT e.tenant, e.evidence_id
        FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
        JOIN evidence e USING (tenant, account_id)
        WHERE NOT e.counted AND NOT e.retracted AND e.observed_at <= :now
        ORDER BY e.tenant, e.evidence_id
        FOR UPDATE OF e
    )
    UPDATE evidence e SET counted = true FROM due
    WHERE e.tenant = due.tenant AND e.evidence_id = due.evidence_id
    RETURNING e.tenant, CAST(e.account_id AS text), CAST(e.evidence_id AS text), e.kind, e.dimension, e.weight,
              CAST(extract(epoch FROM e.observed_at) AS float8)
""")

_NEXT_PENDING = text("""
    SELECT tenant, CAST(account_id AS text), CAST(extract(epoch FROM min(observed_at)) AS float8)
    FROM evidence JOIN unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
         USING (tenant, account_id)
    WHERE NOT counted AND NOT retracted
    GROUP BY tenant, account_id
""")

_RECALL = text("""
    SELECT a.tenant, CAST(a.account_id AS text), CAST(e.evidence_id AS text), e.kind, d, e.weight,
           CAST(extract(epoch FROM e.observed_at) AS float8)
    FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
    CROSS JOIN generate_series(0, 2) AS d
    CROSS JOIN LATERAL (
        SELECT evidence_id, kind, weight, observed_at FROM evidence
        WHERE tenant = a.tenant AND account_id = a.account_id AND dimension = d
          AND NOT retracted AND counted
        ORDER BY observed_at DESC LIMIT :recalled
    ) AS e
""")

_UNTIL = text("""
    SELECT evidence_id, kind, dimension, weight, magnitude, observed_at FROM evidence
    WHERE tenant = :tenant AND account_id = :account_id AND NOT retracted AND observed_at <= :until
""")

Key = tuple[str, str]


class Entry(NamedTuple):
    """A revision of a piece of evidence to record; a retraction carries only ids and revision.

    `observed` in UTC epoch seconds. The order of the fields is that of the statement's arrays.
    """

    tenant: str
    evidence_id: str
    account_id: str
    observed: float
    weight: float
    magnitude: float
    revision: int
    dimension: int
    retracted: bool
    counted: bool
    kind: str

    @property
    def piece(self) -> Piece:
        """The entry as it counts."""
        return Piece(self.evidence_id, self.kind, self.dimension, self.weight, self.observed)


class Recorded(NamedTuple):
    """An entry that was news, and the account and piece that no longer count because of it."""

    entry: Entry
    before: tuple[str, Piece] | None


class Told(NamedTuple):
    """A piece of evidence as an explanation reads it."""

    evidence_id: UUID
    kind: str
    dimension: int
    weight: float
    magnitude: float
    observed_at: datetime


def key_arrays(keys: Iterable[Key]) -> dict[str, str]:
    """The parameters `tenant` and `account_id` of a statement about many accounts."""
    return arrays("tenant account_id", keys)


async def record(session: AsyncSession, entries: Sequence[Entry]) -> list[Recorded]:
    """Write those entries that are new or of a higher revision; one entry per evidence id."""
    by_key = {f"{entry.tenant}/{entry.evidence_id}": entry for entry in entries}
    recorded = []
    for key, retracted, counted, account_id, *piece in await session.execute(
        _RECORD, arrays(" ".join(Entry._fields), entries)
    ):
        if account_id is None:
            recorded += [Recorded(by_key[fresh], None) for fresh in (key or "").split()]
            continue
        entry, before = by_key[key], None
        if counted and not retracted:
            before = account_id, Piece(entry.evidence_id, *piece)
        recorded.append(Recorded(entry, before))
    return recorded


async def count_pending(session: AsyncSession, keys: Collection[Key], now: datetime) -> list[tuple[Key, Piece]]:
    """Mark as counted what was observed in what then was the future, and give it."""
    rows = await session.execute(_COUNT_PENDING, {**key_arrays(keys), "now": now})
    return [((tenant, account_id), Piece(*piece)) for tenant, account_id, *piece in rows]


async def next_pending(session: AsyncSession, keys: Collection[Key]) -> dict[Key, float]:
    """When the next piece of evidence that lies in the future will count, for the accounts that have one."""
    rows = await session.execute(_NEXT_PENDING, key_arrays(keys))
    return {(tenant, account_id): at for tenant, account_id, at in rows}


async def recall(session: AsyncSession, keys: Collection[Key]) -> list[tuple[Key, Piece]]:
    """The newest counted pieces of each account and dimension, for rebuilding memories."""
    rows = await session.execute(_RECALL, {**key_arrays(keys), "recalled": RECALLED})
    return [((tenant, account_id), Piece(*piece)) for tenant, account_id, *piece in rows]


async def told(session: AsyncSession, tenant: str, account_id: UUID, until: datetime) -> list[Told]:
    """All evidence of an account observed until then, as known now."""
    rows = await session.execute(_UNTIL, {"tenant": tenant, "account_id": account_id, "until": until})
    return [Told(*row) for row in rows]
