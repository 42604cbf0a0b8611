"""The SQL of the portfolio: pages of accounts in any order, written as JSON by the database, and their counts.

Every order but that by confidence has an index that a page walks along, from where the page before ended; confidence
is read from an index too, of all accounts. What is shown of an account is looked up for those on the page only.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import utc_text
from scoring_svc.portfolio.rules import BANDS

_UNRESOLVED: Final = "FROM alert AS u WHERE u.tenant = h.tenant AND u.account_id = h.account_id"
_TESTS: Final = {
    "band": "h.band = :band",
    "tier": "h.tier = :tier",
    "owner_id": "a.owner_id = :owner_id",
    "industry": "a.industry = :industry",
    "territory": "a.territory = :territory",
    "min_confidence": "h.confidence >= :min_confidence",
    "changed_since": "h.changed_at >= :changed_since",
    "unresolved": f"EXISTS (SELECT 1 {_UNRESOLVED} AND u.status <> 'resolved')",
    "none": f"NOT EXISTS (SELECT 1 {_UNRESOLVED} AND u.status <> 'resolved')",
}
_OF_ACCOUNT: Final = frozenset({"owner_id", "industry", "territory"})
_KNOWN: Final = "JOIN account AS a ON a.tenant = h.tenant AND a.account_id = h.account_id"

# Along the index of each band, merged: an order of all would pass by every account of the other bands.
_BY_HEALTH: Final = """
    SELECT w.account_id, w.key, w.account_id AS tie FROM ({branches}) AS w
    ORDER BY w.key {direction}, w.account_id {direction} LIMIT {limit}
"""
_OF_A_BAND: Final = """(
    SELECT h.account_id, h.{column} AS key FROM account_health AS h {known}
    WHERE h.tenant = :tenant {of_band} AND h.{present} IS NOT NULL {tests} {on}
    ORDER BY h.{column} {direction}, h.account_id {direction} LIMIT {limit}
)"""
_BY_VALUE: Final = """
    SELECT a.account_id, a.value_amount AS key, a.account_id AS tie
    FROM account AS a JOIN account_health AS h ON h.tenant = a.tenant AND h.account_id = a.account_id
    WHERE a.tenant = :tenant AND h.score IS NOT NULL {tests} {on}
    ORDER BY a.value_amount {direction}, a.account_id {direction} LIMIT {limit}
"""
# Of an account with several unresolved alerts the one that presses most has the say.
_BY_PRIORITY: Final = """
    SELECT p.account_id, p.priority AS key, p.id AS tie
    FROM alert AS p JOIN account_health AS h ON h.tenant = p.tenant AND h.account_id = p.account_id {known}
    WHERE p.tenant = :tenant AND p.status <> 'resolved' AND NOT EXISTS (
        SELECT 1 {unresolved} AND u.status <> 'resolved' AND (u.priority, u.id) > (p.priority, p.id)
    ) AND h.score IS NOT NULL {tests} {on}
    ORDER BY p.priority {direction}, p.id {direction} LIMIT {limit}
"""
_WITHOUT: Final = """
    SELECT h.account_id, CAST(NULL AS float8) AS key, h.account_id AS tie
    FROM account_health AS h {known}
    WHERE h.tenant = :tenant AND {missing} AND h.score IS NOT NULL {tests} {on}
    ORDER BY h.account_id LIMIT {limit}
"""
_MISSING: Final = {
    "value": "NOT EXISTS (SELECT 1 FROM account AS x WHERE x.tenant = h.tenant AND x.account_id = h.account_id)",
    "priority": _TESTS["none"],
}
_SHOWN: Final = f"""
    SELECT w.key, w.tie, CAST(json_build_object(
        'account_id', h.account_id, 'account_name', a.name, 'tier', a.tier, 'owner_id', a.owner_id,
        'industry', a.industry, 'territory', a.territory,
        'value_at_stake', CASE WHEN a.value_currency IS NOT NULL THEN json_build_object(
            'amount', CAST(round(CAST(CAST(a.value_amount AS text) AS numeric), 2) AS text),
            'currency', a.value_currency) END,
        'renewal_at', {utc_text("a.renewal_at")}, 'score', h.score, 'band', h.band, 'confidence', h.confidence,
        'change', h.change, 'evaluated_at', {utc_text("h.evaluated_at")}, 'changed_at', {utc_text("h.changed_at")},
        'override', CASE WHEN o.id IS NOT NULL THEN json_build_object(
            'score', o.score, 'band', o.band, 'expires_at', {utc_text("o.expires_at")}) END,
        'alert', CASE WHEN p.id IS NOT NULL THEN json_build_object(
            'alert_id', p.id, 'kind', p.kind, 'severity', p.severity, 'status', p.status,
            'priority', p.priority, 'opened_at', {utc_text("p.opened_at")}) END
    ) AS text) AS item
    FROM ({{walk}}) AS w
    JOIN account_health AS h ON h.tenant = :tenant AND h.account_id = w.account_id
    LEFT JOIN account AS a ON a.tenant = :tenant AND a.account_id = w.account_id
    LEFT JOIN health_override AS o ON o.tenant = :tenant AND o.account_id = w.account_id
        AND o.ended_at IS NULL AND o.expires_at > :now
    LEFT JOIN LATERAL (
        SELECT * {_UNRESOLVED} AND u.status <> 'resolved' ORDER BY u.priority DESC, u.id DESC LIMIT 1
    ) AS p ON true
    ORDER BY w.key {{direction}}, w.tie {{direction}}
"""
_SUMMARY: Final = """
    SELECT h.tier, h.band, count(*) AS accounts, avg(h.score) AS score
    FROM account_health AS h {known} WHERE h.tenant = :tenant AND h.score IS NOT NULL {tests}
    GROUP BY h.tier, h.band
"""
_VERSION: Final = text("""
    SELECT CAST(pg_current_snapshot() AS text) || '/' || count(*) FROM health_override
    WHERE tenant = :tenant AND ended_at IS NULL AND expires_at <= :now
""")


async def version(session: AsyncSession, tenant: str, now: datetime) -> str:
    """What changes with anything that is written by anybody, and when an override that nobody has ended expires."""
    return str((await session.execute(_VERSION, {"tenant": tenant, "now": now})).scalar_one())


async def summary(session: AsyncSession, tenant: str, wanted: Mapping[str, object]) -> Sequence[Row[Any]]:
    """Accounts of a tenant by tier and band: how many, and their mean score. `wanted` filters as in `page`."""
    query = text(_SUMMARY.format(**_narrowed(frozenset(wanted))))
    return (await session.execute(query, {**wanted, "tenant": tenant})).all()


async def page(
    session: AsyncSession,
    tenant: str,
    wanted: Mapping[str, Any],
    now: datetime,
    *,
    sort: str,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Row[Any]]:
    """Accounts as JSON in the order of `sort` (a leading minus: falling) after a place, which is `key` and `tie`.

    `wanted` filters by band, alerts (unresolved or none) and the names of the tests above. Accounts that have nothing
    to be sorted by, no value told or no unresolved alert, come last either way, with a null key.
    """
    given, by = dict(wanted), sort.removeprefix("-")
    alerts = given.pop("alerts", None)
    names = frozenset(given) | ({alerts} if alerts is not None else frozenset())
    given |= {"tenant": tenant, "now": now}
    rows: list[Row[Any]] = []
    has_rest = by in _MISSING and not (by == "priority" and alerts == "unresolved")
    if (after is None or after[0] is not None) and not (by == "priority" and alerts == "none"):
        place = {} if after is None else {"place": after[0], "tie": UUID(after[1])}
        rows += (await session.execute(walk(sort, names, limit, goes_on=after is not None), given | place)).all()
        after = None
    if len(rows) < limit and has_rest:
        place = {} if after is None else {"tie": UUID(after[1])}
        rest = rest_of(by, names, limit, goes_on=after is not None)
        rows += (await session.execute(rest, given | place)).all()
    return rows[:limit]


# The limit stands in the statement: of one that it is given, the planner thinks that it is a tenth of all there are.
@lru_cache(maxsize=1_000)
def walk(sort: str, names: frozenset[str], limit: int, *, goes_on: bool) -> TextClause:
    """The statement that walks along the order of `sort`, narrowed by the tests of those names."""
    by, falling = sort.removeprefix("-"), sort.startswith("-")
    direction, beyond = ("DESC", "<") if falling else ("ASC", ">")
    key, tie = {"value": ("a.value_amount", "a.account_id"), "priority": ("p.priority", "p.id")}.get(
        by, (f"h.{by}", "h.account_id")
    )
    on = f"AND ({key}, {tie}) {beyond} (CAST(:place AS float8), CAST(:tie AS uuid))" if goes_on else ""
    more = {"direction": direction, "on": on, "limit": limit, **_narrowed(names)}
    if by == "value":
        walked = _BY_VALUE.format(**more)
    elif by == "priority":
        walked = _BY_PRIORITY.format(unresolved=_UNRESOLVED, **more)
    else:
        # Accounts that are out of sight have neither score nor change; each stands in its own index.
        present = "change" if by == "change" else "score"
        # One owner has few accounts, which are looked up once and not once per band.
        whole = "band" in names or "owner_id" in names
        branches = " UNION ALL ".join(
            _OF_A_BAND.format(column=by, present=present, of_band=of_band, **more)
            for of_band in ([""] if whole else [f"AND h.band = '{band}'" for band in BANDS])
        )
        walked = _BY_HEALTH.format(branches=branches, **more)
    return text(_SHOWN.format(walk=walked, direction=direction))


@lru_cache(maxsize=1_000)
def rest_of(by: str, names: frozenset[str], limit: int, *, goes_on: bool) -> TextClause:
    """The statement that gives, by id, the accounts that have nothing to be sorted by."""
    on = "AND h.account_id > CAST(:tie AS uuid)" if goes_on else ""
    rest = _WITHOUT.format(missing=_MISSING[by], on=on, limit=limit, **_narrowed(names))
    return text(_SHOWN.format(walk=rest, direction="ASC"))


def _narrowed(names: frozenset[str]) -> dict[str, str]:
    tests = "".join(f" AND {_TESTS[name]}" for name in sorted(names))
    return {"known": _KNOWN if names & _OF_ACCOUNT else "", "tests": tests}
