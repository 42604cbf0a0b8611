"""All SQL of standing: computing balances and jeopardy of accounts, the bets made of them, and reading both."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import utc_text
from metrics_svc.activities.rules import NOBODY
from metrics_svc.figures.rules import DAY, GRAINS, Period, spans
from metrics_svc.figures.store import changed
from metrics_svc.standing.rules import JUDGED, WINDOWS, KindSum, Reason

_EXPECT = text("""
    INSERT INTO standing AS kept (tenant, account_id, due_at)
    SELECT tenant, account_id, :now FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]))
                                         AS due(tenant, account_id)
    ON CONFLICT (tenant, account_id) DO UPDATE SET due_at = EXCLUDED.due_at WHERE kept.due_at > EXCLUDED.due_at
""")

_FACTS = text("""
    SELECT a.tenant, a.account_id, a.removed, a.owner_id, a.territory, a.tier, a.cadence_days, t.last_two_way_at,
           (SELECT array_agg(coalesce(total, 0) ORDER BY days) FROM (
                SELECT w.days, (
                    SELECT sum(f.total) FROM figure_account_day AS f
                    WHERE f.tenant = a.tenant AND f.account_id = a.account_id AND f.measure = 'balance'
                      AND f.day > CAST(:today AS date) - w.days AND f.day <= CAST(:today AS date)) AS total
                FROM unnest(CAST(:windows AS integer[])) AS w(days)) AS sums) AS balances,
           (SELECT sum(f.total) FROM figure_account_day AS f
            WHERE f.tenant = a.tenant AND f.account_id = a.account_id AND f.measure = 'balance'
              AND f.day > CAST(:today AS date) - 2 * CAST(:judged AS integer)
              AND f.day <= CAST(:today AS date) - CAST(:judged AS integer)) AS earlier,
           (SELECT jsonb_agg(jsonb_build_array(kind, n, total) ORDER BY kind) FROM (
                SELECT substr(f.measure, 10) AS kind, sum(f.n) AS n, sum(f.total) AS total FROM figure_account_day AS f
                WHERE f.tenant = a.tenant AND f.account_id = a.account_id AND f.measure LIKE 'evidence:%'
                  AND f.day > CAST(:today AS date) - CAST(:judged AS integer) AND f.day <= CAST(:today AS date)
                GROUP BY f.measure) AS sums) AS kinds,
           b.mean AS overall
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    JOIN account AS a USING (tenant, account_id)
    LEFT JOIN touch AS t ON t.tenant = a.tenant AND t.account_id = a.account_id AND t.contact_id = :nobody
    LEFT JOIN bet AS b ON b.tenant = a.tenant AND b.scope = 'all' AND b.days = :judged AND b.member = ''
""")

_KEEP = text("""
    UPDATE standing AS kept
    SET due_at = :again, owner_id = new.owner_id, territory = new.territory, tier = new.tier, removed = new.removed,
        balances = CAST(new.balances AS numeric[]), jeopardy = new.jeopardy, reasons = CAST(new.reasons AS jsonb),
        computed_at = :now
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:owners AS uuid[]),
                CAST(:territories AS text[]), CAST(:tiers AS text[]), CAST(:removed AS boolean[]),
                CAST(:balances AS text[]), CAST(:jeopardies AS float8[]), CAST(:reasons AS text[]))
         AS new(tenant, account_id, owner_id, territory, tier, removed, balances, jeopardy, reasons)
    WHERE kept.tenant = new.tenant AND kept.account_id = new.account_id
""")

_UNKNOWN = text("""
    DELETE FROM standing USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS gone(tenant, account_id)
    WHERE standing.tenant = gone.tenant AND standing.account_id = gone.account_id
""")

_BETS_DUE = text("""
    INSERT INTO bet_due AS kept (tenant, due_at)
    SELECT tenant, :due_at FROM unnest(CAST(:tenants AS text[])) AS t(tenant) ORDER BY tenant
    ON CONFLICT (tenant) DO UPDATE SET due_at = least(kept.due_at, EXCLUDED.due_at)
""")

_BALANCES = text("""
    SELECT g.scope, g.member, w.days, count(*) AS n, CAST(avg(w.balance) AS float8) AS mean,
           CAST(stddev_samp(w.balance) AS float8) AS deviation
    FROM standing AS s
    CROSS JOIN LATERAL (
        VALUES ('all', ''), ('owner', CAST(s.owner_id AS text)), ('territory', s.territory)) AS g(scope, member)
    CROSS JOIN LATERAL unnest(CAST(:windows AS integer[]), s.balances) AS w(days, balance)
    WHERE s.tenant = :tenant AND NOT s.removed AND g.member IS NOT NULL
    GROUP BY g.scope, g.member, w.days
""")

_KINDS_BY = """
        SELECT f.scope, f.member, f.measure, f.n, f.total
        FROM unnest(CAST(:grains AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[])) AS s(grain, starts, ends)
        JOIN figure_{grain} AS f ON f.tenant = :tenant AND f.scope IN ('all', 'owner', 'territory')
         AND f.measure = ANY(ARRAY(SELECT measure FROM known)) AND f.day >= s.starts AND f.day < s.ends
        WHERE s.grain = '{grain}'
"""
_KINDS = text(f"""
    WITH known AS (
        SELECT DISTINCT measure FROM figure_month
        WHERE tenant = :tenant AND scope = 'all' AND member = '' AND measure LIKE 'evidence:%'
    )
    SELECT scope, member, substr(measure, 10) AS kind, CAST(sum(n) AS bigint) AS n, CAST(sum(total) AS float8) AS total
    FROM (
        {"UNION ALL".join(_KINDS_BY.format(grain=grain) for grain in GRAINS)}
    ) AS buckets
    GROUP BY scope, member, measure HAVING sum(n) > 0
""")

_BET = text("""
    INSERT INTO bet AS kept (tenant, scope, days, member, accounts, mean, low, high, kinds, computed_at)
    SELECT :tenant, scope, days, member, accounts, mean, low, high, CAST(kinds AS jsonb), :now
    FROM unnest(CAST(:scopes AS text[]), CAST(:windows AS integer[]), CAST(:members AS text[]),
                CAST(:accounts AS integer[]), CAST(:means AS float8[]), CAST(:lows AS float8[]),
                CAST(:highs AS float8[]), CAST(:kinds AS text[]))
         AS new(scope, days, member, accounts, mean, low, high, kinds)
""")
_FORGET_BETS = text("DELETE FROM bet WHERE tenant = :tenant")
_BETS_DONE = text("UPDATE bet_due SET due_at = NULL WHERE tenant = :tenant")

# People are listed by what is left of their balance when it is drawn to that of all by n / (n + k).
_PEOPLE = """
    SELECT member, every, overall, computed_at, shrunk, CAST({item} AS text) AS item FROM (
        SELECT b.member, b.accounts, b.mean, b.low, b.high, b.kinds, b.computed_at, o.mean AS overall,
               o.accounts AS every, o.mean + (b.mean - o.mean) * kept AS shrunk,
               o.mean + (b.low - o.mean) * kept AS shrunk_low, o.mean + (b.high - o.mean) * kept AS shrunk_high
        FROM bet AS b JOIN bet AS o ON o.tenant = b.tenant AND o.scope = 'all' AND o.days = b.days AND o.member = ''
        CROSS JOIN LATERAL (SELECT b.accounts / (b.accounts + CAST(:k AS float8)) AS kept) AS drawn
        WHERE b.tenant = :tenant AND b.scope = :scope AND b.days = :days
    ) AS people
    WHERE {where}
      AND (CAST(:after AS text) IS NULL OR (-shrunk, member) > (-CAST(:shrunk AS float8), CAST(:after AS text)))
    ORDER BY -shrunk, member LIMIT :limit
"""
_BET_FIELDS = """
    'member', member, 'accounts', accounts, 'mean', mean, 'low', low, 'high', high,
    'shrunk', shrunk, 'shrunk_low', shrunk_low, 'shrunk_high', shrunk_high
"""
_PERFORMER_FIELDS = f"""
    {_BET_FIELDS}, 'overall', overall, 'computed_at', {utc_text("computed_at")},
    'reasons', (SELECT coalesce(json_agg(json_build_object(
                    'kind', lift -> 0, 'per_account', lift -> 1, 'overall', lift -> 2) ORDER BY place), '[]')
                FROM jsonb_array_elements(kinds) WITH ORDINALITY AS k(lift, place))
"""
_BETS_ON_PEOPLE = text(_PEOPLE.format(item=f"json_build_object({_BET_FIELDS})", where="true"))
_PERFORMERS = text(_PEOPLE.format(item=f"json_build_object({_PERFORMER_FIELDS})", where="low > overall"))

_JEOPARDY = f"""
    SELECT s.jeopardy, s.account_id, CAST(json_build_object(
               'account_id', s.account_id, 'name', a.name, 'owner_id', s.owner_id, 'territory', s.territory,
               'tier', s.tier, 'jeopardy', s.jeopardy, 'balance', s.balances[CAST(:judged AS integer)],
               'reasons', s.reasons, 'computed_at', {utc_text("s.computed_at")}) AS text) AS item
    FROM standing AS s JOIN account AS a USING (tenant, account_id)
    WHERE {{where}} ORDER BY s.jeopardy DESC, s.account_id LIMIT :limit
"""


async def expect(session: AsyncSession, accounts: Iterable[tuple[str, UUID]], now: datetime) -> None:
    """Have the standing of accounts computed again."""
    await session.execute(_EXPECT, {**_keys(sorted(accounts)), "now": now})


async def facts(session: AsyncSession, accounts: Sequence[tuple[str, UUID]], now: datetime) -> Sequence[Row[Any]]:
    """What standing is judged by, of the accounts that are known."""
    given = {"today": now.date(), "windows": list(WINDOWS), "judged": JUDGED, "nobody": NOBODY}
    return (await session.execute(_FACTS, {**_keys(accounts), **given})).all()


async def keep(
    session: AsyncSession, judged: Sequence[tuple[Row[Any], Sequence[Reason]]], now: datetime, again: timedelta
) -> None:
    """Keep how accounts stand until they are due ``again``; what is removed stands nowhere."""
    rows = [row for row, _ in judged]
    arrays = {
        **_keys([(row.tenant, row.account_id) for row in rows]),
        "owners": [row.owner_id for row in rows],
        "territories": [row.territory for row in rows],
        "tiers": [row.tier for row in rows],
        "removed": [row.removed for row in rows],
        "balances": ["{" + ",".join(map(str, row.balances)) + "}" for row in rows],
        "jeopardies": [sum((reason.points for reason in reasons), 0.0) for _, reasons in judged],
        "reasons": [msgspec.json.encode(reasons).decode() for _, reasons in judged],
    }
    await session.execute(_KEEP, {**arrays, "now": now, "again": now + again})
    await changed(session, {row.tenant for row in rows}, "standing")


async def forget(session: AsyncSession, accounts: Sequence[tuple[str, UUID]]) -> None:
    """Forget accounts that nobody knows."""
    if accounts:
        await session.execute(_UNKNOWN, _keys(accounts))


async def expect_bets(session: AsyncSession, tenants: Iterable[str], due_at: datetime) -> None:
    """Have the bets of tenants computed by a moment."""
    await session.execute(_BETS_DUE, {"tenants": sorted(tenants), "due_at": due_at})


async def balances(session: AsyncSession, tenant: str) -> Sequence[Row[Any]]:
    """The balances of the accounts of every owner and territory, and of all: n, mean and deviation."""
    return (await session.execute(_BALANCES, {"tenant": tenant, "windows": list(WINDOWS)})).all()


async def kinds(
    session: AsyncSession, tenant: str, days: int, now: datetime
) -> Mapping[tuple[str, str], list[KindSum]]:
    """What the balances of the last days are made of, by scope and member."""
    found: dict[tuple[str, str], list[KindSum]] = defaultdict(list)
    tomorrow = now.date() + DAY
    cut = spans(Period(tomorrow - days * DAY, tomorrow), coarsest="quarter")
    arrays = {
        "grains": [span.grain for span in cut],
        "starts": [span.start for span in cut],
        "ends": [span.end for span in cut],
    }
    for row in await session.execute(_KINDS, {"tenant": tenant, **arrays}):
        found[row.scope, row.member].append(KindSum(row.kind, row.n, row.total))
    return found


async def keep_bets(session: AsyncSession, tenant: str, bets: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Replace the bets of a tenant, and wait for the next change."""
    await session.execute(_FORGET_BETS, {"tenant": tenant})
    names = ("scopes", "windows", "members", "accounts", "means", "lows", "highs", "kinds")
    arrays = {name: [bet[name] for bet in bets] for name in names}
    await session.execute(_BET, {**arrays, "tenant": tenant, "now": now})
    await session.execute(_BETS_DONE, {"tenant": tenant})
    await changed(session, [tenant], "bets")


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Whose bets are asked for: of a scope, over the last ``days``, shrunk by ``k``."""

    scope: str
    days: int
    k: float


async def people(
    session: AsyncSession, tenant: str, asked: People, *, best: bool, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """The bets of a scope as JSON, the best first; ``best``: only those whose interval lies above the mean of all."""
    place = {"shrunk": after[0] if after else None, "after": after[1] if after else None}
    given = {"tenant": tenant, **asdict(asked), "limit": limit, **place}
    return (await session.execute(_PERFORMERS if best else _BETS_ON_PEOPLE, given)).all()


async def in_jeopardy(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Accounts in jeopardy that fit, as JSON, the gravest first."""
    given = {name: value for name, value in filters.items() if value is not None}
    statement = _in_jeopardy(frozenset(given), goes_on=after is not None)
    given |= {"tenant": tenant, "limit": limit, "judged": WINDOWS.index(JUDGED) + 1}
    if after is not None:
        given |= {"after_jeopardy": after[0], "after_account": after[1]}
    return (await session.execute(statement, given)).all()


@cache
def _in_jeopardy(filters: frozenset[str], *, goes_on: bool) -> TextClause:
    where = ["s.tenant = :tenant", "s.jeopardy > 0", *(f"s.{name} = :{name}" for name in sorted(filters))]
    if goes_on:
        where.append("(-s.jeopardy, s.account_id) > (-CAST(:after_jeopardy AS float8), CAST(:after_account AS uuid))")
    return text(_JEOPARDY.format(where=" AND ".join(where)))


def _keys(accounts: Sequence[tuple[str, UUID]]) -> dict[str, list[Any]]:
    return {"tenants": [tenant for tenant, _ in accounts], "accounts": [account for _, account in accounts]}
