"""All SQL of metrics: adding up buckets of a period, for one group or account, or for all members of a scope."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array, arrays
from metrics_svc.figures.rules import DAY, GRAINS, MONTH_DAYS, Interval, Period, Scope, Span
from metrics_svc.formulas.rules import Metric, Sum
from metrics_svc.targets.store import IN_FORCE


class Whose(NamedTuple):
    """Of whom metrics are: a member of a scope of a tenant."""

    tenant: str
    scope: Scope
    member: str


_SPANS = """
    unnest(CAST(:grains AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[]), CAST(:earlier AS boolean[]))
    AS s(grain, starts, ends, earlier)
"""

_BUCKETS = """
    SELECT f.member, s.earlier, f.day, f.measure, f.n, f.total
    FROM {spans} JOIN figure_{grain} AS f
      ON f.tenant = :tenant AND f.scope = :scope AND {member}f.measure = ANY(CAST(:measures AS text[]))
     AND f.day >= s.starts AND f.day < s.ends
    WHERE s.grain = '{grain}'
"""


def _buckets(member: str = "") -> str:
    return "UNION ALL".join(_BUCKETS.format(spans=_SPANS, grain=grain, member=member) for grain in GRAINS)


_OF_GROUP = _buckets("f.member = :member AND ")

_OF_ACCOUNT = f"""
    SELECT s.earlier, f.day, f.measure, f.n, f.total
    FROM {_SPANS} JOIN figure_account_day AS f
      ON f.tenant = :tenant AND f.account_id = CAST(CAST(:member AS text) AS uuid)
     AND f.day >= s.starts AND f.day < s.ends
    WHERE f.measure = ANY(CAST(:measures AS text[]))
"""

_SERIES = """
    SELECT CASE WHEN earlier THEN 'earlier' ELSE 'point' END AS what, measure AS name,
           CASE WHEN NOT earlier OR :looks_back
                THEN CAST(date_trunc(:interval, CAST(day AS timestamp)) AS date) END AS start,
           CAST(sum(n) AS bigint) AS n, CAST(sum(total) AS double precision) AS total
    FROM ({buckets}) AS found
    GROUP BY 1, 2, 3
  UNION ALL
    SELECT 'accounts', '', NULL, ({accounts}), 0
  UNION ALL
    SELECT 'target', m.metric, NULL, 0, ({target})
    FROM unnest(CAST(:metrics AS text[])) AS m(metric)
"""
_TARGET = IN_FORCE.format(metric="m.metric", member=":member")

_SERIES_OF_GROUP = text(
    _SERIES.format(
        buckets=_OF_GROUP,
        accounts="SELECT accounts FROM figure_group WHERE tenant = :tenant AND scope = :scope AND member = :member",
        target=_TARGET,
    )
)
_SERIES_OF_ACCOUNT = text(
    _SERIES.format(
        buckets=_OF_ACCOUNT,
        accounts="""
            SELECT count(*) FROM account
            WHERE tenant = :tenant AND account_id = CAST(CAST(:member AS text) AS uuid)""",
        target=_TARGET,
    )
)

# A metric is a weighted sum: each measure has its weight in either side of the fraction. Every member of the scope has
# a row, with or without figures; a place in the order is (rank, member).
_COMPARED = text(f"""
    WITH part AS (
        SELECT * FROM unnest(CAST(:parts AS text[]), CAST(:befores AS boolean[]), CAST(:over_n AS float8[]),
                             CAST(:over_total AS numeric[]), CAST(:under_n AS float8[]),
                             CAST(:under_total AS numeric[]), CAST(:counts AS boolean[]))
                      AS p(measure, earlier, over_n, over_total, under_n, under_total, counts)
    ), fraction AS (
        SELECT member,
               sum(over_n * n) + coalesce(CAST(sum(over_total * total) FILTER (WHERE over_total <> 0) AS float8), 0)
                   AS over,
               sum(under_n * n) + coalesce(CAST(sum(under_total * total) FILTER (WHERE under_total <> 0) AS float8), 0)
                   AS under,
               sum(over_n * over_n * n)
                   + coalesce(CAST(sum(over_total * over_total * total) FILTER (WHERE over_total <> 0) AS float8), 0)
                   AS squares,
               CAST(sum(n) FILTER (WHERE counts) AS bigint) AS n
        FROM (
            SELECT member, earlier, measure, sum(n) AS n, sum(total) FILTER (WHERE :summed) AS total FROM (
                {_buckets()}
            ) AS buckets GROUP BY member, earlier, measure
        ) AS sums JOIN part USING (measure, earlier)
        GROUP BY member
    ), compared AS (
        SELECT g.member, g.accounts, coalesce(over, 0) AS over, coalesce(squares, 0) AS squares, coalesce(n, 0) AS n,
               CASE WHEN :monthly THEN g.accounts * CAST(:months AS float8)
                    WHEN :divided THEN coalesce(under, 0) ELSE 1 END AS under
        FROM figure_group AS g LEFT JOIN fraction USING (member)
        WHERE g.tenant = :tenant AND g.scope = :scope AND (g.accounts > 0 OR n > 0)
    ), ranked AS (
        SELECT *, CASE WHEN under > 0 THEN CAST(:sign AS float8) * over / under ELSE 'Infinity' END AS rank
        FROM compared
    )
    SELECT member, accounts, over, under, squares, n, rank,
           ({IN_FORCE.format(metric=":metric", member="ranked.member")}) AS target
    FROM ranked
    WHERE CAST(:after AS text) IS NULL OR (rank, member) > (CAST(:rank AS float8), CAST(:after AS text))
    ORDER BY rank, member LIMIT :limit
""")


@dataclass(slots=True)
class Series:
    """Sums by measure and their interval's first day, of the period and the one before; accounts; targets.

    Of the period before all is one sum, by None, unless a metric looks back from interval to interval.
    """

    points: dict[date, dict[str, Sum]] = field(default_factory=lambda: defaultdict(dict))
    earlier: dict[date | None, dict[str, Sum]] = field(default_factory=lambda: defaultdict(dict))
    accounts: int = 0
    targets: dict[str, float | None] = field(default_factory=dict)


async def series(
    session: AsyncSession,
    whose: Whose,
    metrics: Sequence[Metric],
    spans: Sequence[Span],
    interval: Interval,
    end: date,
) -> Series:
    """What metrics of a group or an account are made of, by interval, and their targets on the day before ``end``.

    A month bucket stands in the interval of its first. An account that nobody knows is 0 accounts.
    """
    given = {
        **whose._asdict(),
        "metrics": array([metric.code for metric in metrics]),
        "measures": array(list({measure for metric in metrics for measure in metric.measures})),
        "interval": interval,
        "looks_back": any(metric.looks_back for metric in metrics),
        "last": end - DAY,
    }
    statement = _SERIES_OF_ACCOUNT if whose.scope == "account" else _SERIES_OF_GROUP
    found = Series()
    for what, name, start, n, total in await session.execute(statement, given | _arrays(spans)):
        if what == "accounts":
            found.accounts = n or 0
        elif what == "target":
            found.targets[name] = total
        else:
            (found.earlier if what == "earlier" else found.points)[start][name] = Sum(n, total)
    return found


async def compared(
    session: AsyncSession,
    tenant: str,
    scope: Scope,
    metric: Metric,
    spans: Sequence[Span],
    *,
    period: Period,
    ascending: bool,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Both sides of a metric and its target for each member of a scope, by its value; without a value last."""
    given = {
        "tenant": tenant,
        "scope": scope,
        "measures": array(metric.measures),
        "monthly": metric.monthly,
        "divided": bool(metric.under),
        "metric": metric.code,
        "months": period.days / MONTH_DAYS,
        "last": period.end - DAY,
        "sign": 1.0 if ascending else -1.0,
        "rank": None if after is None else float("inf") if after[0] is None else after[0],
        "after": None if after is None else after[1],
        "limit": limit,
    }
    return (await session.execute(_COMPARED, given | _parts(metric) | _arrays(spans))).all()


@cache
def _parts(metric: Metric) -> dict[str, Any]:
    """The weight of each measure in the fraction, its count and its sum apart, now and in the period before."""
    weight = {
        (side, term.of, term.measure, term.earlier): term.weight
        for side, terms in (("over", metric.over), ("under", metric.under))
        for term in terms
    }
    rows = [
        (
            measure,
            earlier,
            *(weight.get((side, of, measure, earlier), 0.0) for side in ("over", "under") for of in ("n", "total")),
            measure in metric.counted and not earlier,
        )
        for measure in metric.measures
        for earlier in (False, True)
    ]
    summed = any(term.of == "total" for term in (*metric.over, *metric.under))
    return {"summed": summed, **arrays("parts befores over_n over_total under_n under_total counts", rows)}


def _arrays(spans: Sequence[Span]) -> dict[str, str]:
    return arrays("grains starts ends earlier", [(span.grain, span.start, span.end, span.earlier) for span in spans])


def is_id(member: str) -> bool:
    """Whether a member can be the id of an account."""
    try:
        UUID(member)
    except ValueError:
        return False
    return True
