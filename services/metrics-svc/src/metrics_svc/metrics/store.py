"""All SQL of metrics: adding up buckets of a period, for one group or account, or for all members of a scope."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from metrics_svc.figures.rules import Interval, Scope, Span
from metrics_svc.formulas.rules import Metric, Sum

_SPANS = """
    unnest(CAST(:in_months AS boolean[]), CAST(:starts AS date[]), CAST(:ends AS date[]), CAST(:earlier AS boolean[]))
    AS s(in_months, starts, ends, earlier)
"""

_OF_GROUP = f"""
    SELECT s.earlier, f.day, f.measure, f.n, f.total
    FROM {_SPANS} JOIN figure_month AS f
      ON f.tenant = :tenant AND f.scope = :scope AND f.member = :member AND f.measure = ANY(CAST(:measures AS text[]))
     AND f.day >= s.starts AND f.day < s.ends
    WHERE s.in_months
  UNION ALL
    SELECT s.earlier, f.day, f.measure, f.n, f.total
    FROM {_SPANS} JOIN figure_day AS f
      ON f.tenant = :tenant AND f.scope = :scope AND f.member = :member AND f.measure = ANY(CAST(:measures AS text[]))
     AND f.day >= s.starts AND f.day < s.ends
    WHERE NOT s.in_months
"""

_OF_ACCOUNT = f"""
    SELECT s.earlier, f.day, f.measure, f.n, f.total
    FROM {_SPANS} JOIN figure_account_day AS f
      ON f.tenant = :tenant AND f.account_id = CAST(:member AS uuid) AND f.day >= s.starts AND f.day < s.ends
    WHERE f.measure = ANY(CAST(:measures AS text[]))
"""

_SERIES = """
    SELECT earlier, CAST(date_trunc(:interval, CAST(day AS timestamp)) AS date) AS start, measure,
           CAST(sum(n) AS bigint) AS n, CAST(sum(total) AS double precision) AS total
    FROM ({buckets}) AS found
    GROUP BY 1, 2, 3
"""

_SERIES_OF_GROUP = text(_SERIES.format(buckets=_OF_GROUP))
_SERIES_OF_ACCOUNT = text(_SERIES.format(buckets=_OF_ACCOUNT))

_ACCOUNTS = text("SELECT accounts FROM figure_group WHERE tenant = :tenant AND scope = :scope AND member = :member")

# Every member of the scope has a row, with or without figures; a place in the order is (rank, member).
_COMPARED = text(f"""
    WITH term AS (
        SELECT * FROM unnest(CAST(:term_measures AS text[]), CAST(:sums AS boolean[]), CAST(:weights AS float8[]),
                             CAST(:tops AS boolean[]), CAST(:befores AS boolean[]))
                      AS t(measure, is_sum, weight, top, earlier)
    ), found AS (
        SELECT member, earlier, measure, sum(n) AS n, sum(total) AS total FROM (
            SELECT f.member, s.earlier, f.measure, f.n, f.total
            FROM {_SPANS} JOIN figure_month AS f
              ON f.tenant = :tenant AND f.scope = :scope AND f.measure = ANY(CAST(:measures AS text[]))
             AND f.day >= s.starts AND f.day < s.ends
            WHERE s.in_months
          UNION ALL
            SELECT f.member, s.earlier, f.measure, f.n, f.total
            FROM {_SPANS} JOIN figure_day AS f
              ON f.tenant = :tenant AND f.scope = :scope AND f.measure = ANY(CAST(:measures AS text[]))
             AND f.day >= s.starts AND f.day < s.ends
            WHERE NOT s.in_months
        ) AS buckets
        GROUP BY member, earlier, measure
    ), fraction AS (
        SELECT member,
               sum(weight * part) FILTER (WHERE top) AS over,
               sum(weight * part) FILTER (WHERE NOT top) AS under,
               sum(weight * weight * part) FILTER (WHERE top) AS squares
        FROM found JOIN term USING (measure, earlier)
        CROSS JOIN LATERAL (SELECT CAST(CASE WHEN is_sum THEN total ELSE n END AS float8) AS part) AS p
        GROUP BY member
    ), counted AS (
        SELECT member, CAST(sum(n) AS bigint) AS n FROM found
        WHERE NOT earlier AND measure = ANY(CAST(:counted AS text[])) GROUP BY member
    ), compared AS (
        SELECT g.member, g.accounts, coalesce(over, 0) AS over, coalesce(squares, 0) AS squares, coalesce(n, 0) AS n,
               CASE WHEN :monthly THEN g.accounts * CAST(:months AS float8)
                    WHEN :divided THEN coalesce(under, 0) ELSE 1 END AS under
        FROM figure_group AS g LEFT JOIN fraction USING (member) LEFT JOIN counted USING (member)
        WHERE g.tenant = :tenant AND g.scope = :scope AND (g.accounts > 0 OR n > 0)
    ), ranked AS (
        SELECT *, CASE WHEN under > 0 THEN CAST(:sign AS float8) * over / under ELSE 'Infinity' END AS rank
        FROM compared
    )
    SELECT member, accounts, over, under, squares, n, rank FROM ranked
    WHERE CAST(:after AS text) IS NULL OR (rank, member) > (CAST(:rank AS float8), CAST(:after AS text))
    ORDER BY rank, member LIMIT :limit
""")


@dataclass(slots=True)
class Series:
    """Sums by measure: of the points by their interval's first day, and of the period before."""

    points: dict[date, dict[str, Sum]] = field(default_factory=lambda: defaultdict(dict))
    earlier: dict[date, dict[str, Sum]] = field(default_factory=lambda: defaultdict(dict))


async def series(
    session: AsyncSession,
    tenant: str,
    scope: Scope,
    member: str,
    measures: Sequence[str],
    spans: Sequence[Span],
    interval: Interval,
) -> Series:
    """Sums of a group's or an account's measures by interval. A month bucket stands in the interval of its first."""
    statement = _SERIES_OF_ACCOUNT if scope == "account" else _SERIES_OF_GROUP
    given = {"tenant": tenant, "scope": scope, "member": member, "measures": list(measures), "interval": interval}
    found = Series()
    for earlier, start, measure, n, total in await session.execute(statement, given | _arrays(spans)):
        (found.earlier if earlier else found.points)[start][measure] = Sum(n, total)
    return found


async def accounts(session: AsyncSession, tenant: str, scope: Scope, member: str) -> int:
    """How many accounts are in a group now."""
    given = {"tenant": tenant, "scope": scope, "member": member}
    return (await session.execute(_ACCOUNTS, given)).scalar_one_or_none() or 0


async def compared(
    session: AsyncSession,
    tenant: str,
    scope: Scope,
    metric: Metric,
    spans: Sequence[Span],
    *,
    months: float,
    ascending: bool,
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Both sides of a metric for each member of a scope, ordered by its value; without a value last."""
    terms = [(term, True) for term in metric.over] + [(term, False) for term in metric.under]
    given = {
        "tenant": tenant,
        "scope": scope,
        "measures": list(metric.measures),
        "counted": list(metric.counted),
        "term_measures": [term.measure for term, _ in terms],
        "sums": [term.of == "total" for term, _ in terms],
        "weights": [term.weight for term, _ in terms],
        "tops": [top for _, top in terms],
        "befores": [term.earlier for term, _ in terms],
        "monthly": metric.monthly,
        "divided": bool(metric.under),
        "months": months,
        "sign": 1.0 if ascending else -1.0,
        "rank": None if after is None else float("inf") if after[0] is None else after[0],
        "after": None if after is None else after[1],
        "limit": limit,
    }
    return (await session.execute(_COMPARED, given | _arrays(spans))).all()


def _arrays(spans: Sequence[Span]) -> dict[str, list[Any]]:
    return {
        "in_months": [span.months for span in spans],
        "starts": [span.start for span in spans],
        "ends": [span.end for span in spans],
        "earlier": [span.earlier for span in spans],
    }


def account_of(member: str) -> UUID | None:
    """The account that a member of scope ``account`` names; None when it is no id."""
    try:
        return UUID(member)
    except ValueError:
        return None
