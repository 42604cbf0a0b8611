"""All SQL of the ledger: recording revisions set-based, and reading an account's evidence back."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array, arrays
from scoring_svc.ledger.rules import RETURNED_SUM, Balances, Piece
from scoring_svc.patterns.rules import DAYS_KEPT
from scoring_svc.scorecards.rules import RETURNED, UNRETURNED, Scorecard

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
          AND NOT retracted AND counted AND weight <> 0
        ORDER BY observed_at DESC LIMIT :recalled
    ) AS e
    UNION
    SELECT a.tenant, CAST(a.account_id AS text), CAST(e.evidence_id AS text), e.kind, e.dimension, e.weight,
           CAST(extract(epoch FROM e.observed_at) AS float8)
    FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
    CROSS JOIN unnest(ARRAY['renewal-declined', 'renewal-signed']) AS k(kind)
    CROSS JOIN LATERAL (
        SELECT evidence_id, kind, dimension, weight, observed_at FROM evidence
        WHERE tenant = a.tenant AND account_id = a.account_id AND kind = k.kind
          AND kind IN ('renewal-declined', 'renewal-signed') AND NOT retracted AND counted
        ORDER BY observed_at DESC LIMIT 1
    ) AS e
""")

# Relative to now all exponents are negative. Those below -1000 would underflow, which PostgreSQL takes for an error.
_DECAY = "power(2.0, greatest(-1000.0, CAST(extract(epoch FROM e.observed_at - :now) AS float8) / {half_life}))"
_SUMS = text(f"""
    SELECT a.tenant, CAST(a.account_id AS text),
           s.heart, s.mind, s.wallet, s.returned, s.unreturned, s.hearts, s.minds, s.wallets, s.unknown
    FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:heart AS float8[]),
                CAST(:mind AS float8[]), CAST(:wallet AS float8[]), CAST(:rate AS float8[])
    ) AS a(tenant, account_id, heart, mind, wallet, rate)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.weight * p.decay) FILTER (WHERE p.place = 0), 0) AS heart,
               coalesce(sum(p.weight * p.decay) FILTER (WHERE p.place = 1), 0) AS mind,
               coalesce(sum(p.weight * p.decay) FILTER (WHERE p.place = 2), 0) AS wallet,
               coalesce(sum(p.rate) FILTER (WHERE p.place >= 0 AND p.kind = ANY(CAST(:returned AS text[]))), 0)
                   AS returned,
               coalesce(sum(p.rate) FILTER (WHERE p.place >= 0 AND p.kind = ANY(CAST(:unreturned AS text[]))), 0)
                   AS unreturned,
               count(*) FILTER (WHERE p.place = 0) AS hearts,
               count(*) FILTER (WHERE p.place = 1) AS minds,
               count(*) FILTER (WHERE p.place = 2) AS wallets,
               count(*) FILTER (WHERE p.place < 0) AS unknown
        FROM (
            SELECT e.kind, e.weight, CASE WHEN e.weight = 0 THEN -1 ELSE e.dimension END AS place,
                   {_DECAY.format(half_life="(ARRAY[a.heart, a.mind, a.wallet])[e.dimension + 1]")} AS decay,
                   {_DECAY.format(half_life="a.rate")} AS rate
            FROM evidence e
            WHERE e.tenant = a.tenant AND e.account_id = a.account_id AND e.counted AND NOT e.retracted
        ) AS p
    ) AS s
""")

# Worth is what the scorecard says; what a piece was worth by another is not kept.
_WEIGH = text("""
    UPDATE evidence AS e SET weight = w.worth
    FROM (
        SELECT p.tenant, p.evidence_id,
               CASE WHEN p.dimension < 0 THEN 0
                    ELSE coalesce(CAST(CAST(:weights AS jsonb) ->> p.kind AS float8), 0) * p.magnitude END AS worth
        FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
        JOIN evidence AS p USING (tenant, account_id)
        WHERE NOT p.retracted
    ) AS w
    WHERE e.tenant = w.tenant AND e.evidence_id = w.evidence_id AND e.weight <> w.worth
""")

_TALLY = text("""
    SELECT e.tenant, CAST(e.account_id AS text), CAST(floor(extract(epoch FROM e.observed_at) / 86400) AS integer),
           count(*) FILTER (WHERE e.weight < 0), count(*)
    FROM unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS a(tenant, account_id)
    JOIN evidence e USING (tenant, account_id)
    WHERE NOT e.retracted AND e.counted AND e.dimension >= 0 AND e.weight <> 0
      AND e.observed_at >= CAST(:now AS timestamptz) - make_interval(days => :days)
    GROUP BY 1, 2, 3
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
    if not entries:
        return []
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
    """The newest counted pieces of each account and dimension, for rebuilding memories; renewals however old."""
    rows = await session.execute(_RECALL, {**key_arrays(keys), "recalled": RECALLED})
    return [((tenant, account_id), Piece(*piece)) for tenant, account_id, *piece in rows]


async def tally(session: AsyncSession, keys: Collection[Key], now: datetime) -> dict[Key, dict[int, list[int]]]:
    """Negative pieces and all pieces of each account by day, as far back as breaks of pattern look."""
    counted: dict[Key, dict[int, list[int]]] = {key: {} for key in keys}
    given = {**key_arrays(keys), "now": now, "days": DAYS_KEPT}
    for tenant, account_id, day, negatives, pieces in await session.execute(_TALLY, given):
        counted[tenant, account_id][day] = [negatives, pieces]
    return counted


async def weigh(session: AsyncSession, cards: Mapping[Key, Scorecard]) -> None:
    """Have each account's evidence be worth what its scorecard says; a statement per scorecard."""
    by_card: dict[int, list[Key]] = {}
    for key, card in cards.items():
        by_card.setdefault(id(card), []).append(key)
    for keys in by_card.values():
        weights = json.dumps(dict(cards[keys[0]].kind_weights))
        await session.execute(_WEIGH, {**key_arrays(keys), "weights": weights})


async def balances(
    session: AsyncSession, half_lives: Mapping[Key, Sequence[float]], now: datetime
) -> dict[Key, Balances]:
    """The balances that each account's counted evidence adds up to, summed anew; one statement.

    `half_lives` in seconds, of the five sums, per account.
    """
    columns = arrays(
        "tenant account_id heart mind wallet rate",
        [(*key, *lives[:3], lives[RETURNED_SUM]) for key, lives in half_lives.items()],
    )
    kinds = {"returned": array(sorted(RETURNED)), "unreturned": array(sorted(UNRETURNED))}
    found = {}
    for tenant, account_id, *numbers in await session.execute(_SUMS, {**columns, **kinds, "now": now}):
        sums, counts, unknown = numbers[:5], numbers[5:8], numbers[8]
        found[tenant, account_id] = Balances(now.timestamp(), sums, counts, unknown)
    return found


async def told(session: AsyncSession, tenant: str, account_id: UUID, until: datetime) -> list[Told]:
    """All evidence of an account observed until then, as known now."""
    rows = await session.execute(_UNTIL, {"tenant": tenant, "account_id": account_id, "until": until})
    return [Told(*row) for row in rows]
