"""All SQL of surveys: taking in answers, the figures they come to, and saying these when they change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import UnitOfWork, arrays
from bellwether_kit.errors import DomainError
from bellwether_kit.events import Event
from bellwether_kit.http import ItemResult, Problem
from bellwether_kit.ids import opaque_id
from metrics_svc.accounts.store import Key
from metrics_svc.contacts import store as contacts
from metrics_svc.figures import store as figures
from metrics_svc.published import MetricMeasured
from metrics_svc.records import store as records
from metrics_svc.records.rules import Kept, Record
from metrics_svc.references.store import Claimed
from metrics_svc.surveys.rules import WINDOW, Figure, counts_from, figure
from metrics_svc.surveys.tables import SurveyResponseRow

_SHELF = records.shelf(SurveyResponseRow)

DAY_FIGURES = """
    SELECT m.tenant, m.account_id, m.day, said.measure, count(*) FILTER (WHERE said.total >= 1) AS n,
           sum(said.total) AS total
    FROM marked AS m
    CROSS JOIN LATERAL (
        SELECT method, worth FROM survey_response
        WHERE tenant = m.tenant AND account_id = m.account_id
          AND answered_at >= CAST(m.day AS timestamptz) AND answered_at < CAST(m.day + 1 AS timestamptz)
        OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (VALUES
        (CASE WHEN method = 'nps' THEN 'nps-answer' ELSE 'csat-answer' END, 1),
        (CASE WHEN method <> 'nps' THEN 'csat-satisfied' END, worth),
        (CASE WHEN method = 'nps' AND worth > 0 THEN 'nps-promoter' END, 1),
        (CASE WHEN method = 'nps' AND worth < 0 THEN 'nps-detractor' END, 1)) AS said(measure, total)
    WHERE said.measure IS NOT NULL
    GROUP BY m.tenant, m.account_id, m.day, said.measure
"""
"""Answers by day, for day buckets: of days ``marked``. Of ``csat-satisfied`` the total is what answers are worth."""

_SUMS = """
    count(*) AS n, sum(worth) AS total, sum(worth * worth) AS squares, min(answered_at) AS first,
    max(answered_at) AS last, CASE WHEN min(method) = max(method) THEN min(method) ELSE 'mixed' END AS method
"""

_MEASURE = text(f"""
    SELECT tenant, account_id, CASE method WHEN 'nps' THEN 'nps' ELSE 'csat' END AS metric, {_SUMS}
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    JOIN survey_response USING (tenant, account_id)
    WHERE answered_at >= :since
    GROUP BY tenant, account_id, 3 ORDER BY tenant, account_id, 3
""")

# A figure is as old as its latest answer: counting again does not make it fresh. It never gets older than was said.
_SAY = text("""
    INSERT INTO satisfaction AS said (tenant, account_id, metric, method, value, standard_error, n, measured_at)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:metrics AS text[]),
                         CAST(:methods AS text[]), CAST(:values AS double precision[]),
                         CAST(:errors AS double precision[]), CAST(:counts AS integer[]),
                         CAST(:times AS timestamptz[]))
    ON CONFLICT (tenant, account_id, metric) DO UPDATE
    SET method = EXCLUDED.method, value = EXCLUDED.value, standard_error = EXCLUDED.standard_error, n = EXCLUDED.n,
        measured_at = greatest(said.measured_at, EXCLUDED.measured_at)
    WHERE (said.method, said.value, said.standard_error, said.n, said.measured_at) IS DISTINCT FROM
          (EXCLUDED.method, EXCLUDED.value, EXCLUDED.standard_error, EXCLUDED.n,
           greatest(said.measured_at, EXCLUDED.measured_at))
    RETURNING tenant, account_id, metric, method, value, standard_error, n, measured_at
""")

_SILENT = text("""
    UPDATE satisfaction AS said SET method = NULL, value = NULL, standard_error = NULL, n = 0
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[])) AS wanted(tenant, account_id)
    WHERE said.tenant = wanted.tenant AND said.account_id = wanted.account_id AND said.n > 0
      AND (said.tenant, said.account_id, said.metric) NOT IN (
          SELECT * FROM unnest(CAST(:known_tenants AS text[]), CAST(:known_accounts AS uuid[]),
                               CAST(:metrics AS text[])))
""")

_SET_DUE = text("""
    UPDATE account AS kept SET satisfaction_due_at = next.due_at
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[]))
         AS next(tenant, account_id, due_at)
    WHERE kept.tenant = next.tenant AND kept.account_id = next.account_id
      AND kept.satisfaction_due_at IS DISTINCT FROM next.due_at
""")

_PARTS = text(f"""
    SELECT CASE response.method WHEN 'nps' THEN 'nps' ELSE 'csat' END AS metric, question, {_SUMS},
           grouping(question) = 1 AS whole
    FROM survey_response AS response
    WHERE tenant = :tenant AND account_id = :account_id AND answered_at >= :since
      AND (CAST(:until AS timestamptz) IS NULL OR answered_at < :until)
      AND (CAST(:question AS text) IS NULL OR question = :question)
      AND (CAST(:method AS text) IS NULL OR method = :method)
    GROUP BY GROUPING SETS ((1), (1, question, response.method))
    ORDER BY 1, question NULLS FIRST, method
""")

_REKEY = text("""
    UPDATE survey_response AS kept SET respondent_id = named.contact_id
    FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:aliases AS uuid[]),
                CAST(:contacts AS uuid[])) AS named(tenant, account_id, alias_id, contact_id)
    WHERE kept.tenant = named.tenant AND (kept.account_id = named.account_id OR kept.account_id IS NULL)
      AND kept.respondent_id = named.alias_id
""")

_VIEW = (
    "id, source, external_id, revision, account_id, answered_at, recorded_at, method, question, "
    "scale_low || '-' || scale_high AS scale, score, respondent_id, author"
)

_FILTERS = {
    "account_id": "account_id = :account_id",
    "method": "method = :method",
    "question": "question = :question",
    "source": "source = :source",
    "unmatched": "account_id IS NULL",
    "from_": "answered_at >= :from_",
    "to": "answered_at < :to",
}


def response_id(tenant: str, source: str, external_id: str) -> UUID:
    """The id of an answer: the same whenever and however often it comes."""
    return opaque_id(tenant, "survey-response", source, external_id)


async def accept(
    uow: UnitOfWork, tenant: str, items: Sequence[Record | DomainError | Problem], *, author: str
) -> list[ItemResult]:
    """Take in answers, each once, and say what they change; gives a result for each item."""
    results, changes = await records.take(uow, _SHELF, tenant, items, author=author)
    await _follow(uow, changes)
    return results


async def match(uow: UnitOfWork, claims: Sequence[Claimed]) -> None:
    """Give answers to the accounts that newly have the names they were told under; these are locked."""
    await _follow(uow, await records.match(uow.session, _SHELF, claims))


async def rekey(session: AsyncSession, aliases: Sequence[contacts.Claimed]) -> None:
    """Name respondents by the id that is now known for them in the answers about their account and in those held."""
    if aliases:
        rows = [(alias.tenant, alias.account_id, alias.alias_id, alias.contact_id) for alias in aliases]
        await session.execute(_REKEY, arrays("tenants accounts aliases contacts", rows))


async def _follow(uow: UnitOfWork, changes: Sequence[Kept]) -> None:
    sides = [side for kept in changes for side in kept.sides()]
    days = {(side["tenant"], side["account_id"], side["answered_at"].astimezone(UTC).date()) for side in sides}
    await figures.mark(uow.session, days)
    await measure(uow, {(side["tenant"], side["account_id"]) for side in sides})


@dataclass(frozen=True, slots=True)
class _Measured:
    row: Row[Any]
    figure: Figure


async def measure(uow: UnitOfWork, accounts: Iterable[Key]) -> None:
    """Count the answers of locked accounts anew, say the figures that changed, and wait for the next to leave.

    Where no answer is left nothing is said: a figure without answers is none.
    """
    keys = sorted(accounts)
    if not keys:
        return
    wanted = _keys(keys)
    rows = await uow.session.execute(_MEASURE, {**wanted, "since": counts_from(uow.now)})
    found = [_Measured(row, figure(row.metric, row.n, row.total, row.squares)) for row in rows]
    known = {
        "known_tenants": [one.row.tenant for one in found],
        "known_accounts": [one.row.account_id for one in found],
        "metrics": [one.row.metric for one in found],
    }
    await uow.session.execute(_SILENT, {**wanted, **known})
    leaves: dict[Key, datetime] = {}
    for one in found:
        key = (one.row.tenant, one.row.account_id)
        leaves[key] = min(one.row.first + WINDOW, leaves.get(key, datetime.max.replace(tzinfo=one.row.first.tzinfo)))
    await uow.session.execute(_SET_DUE, {**wanted, "times": [leaves.get(key) for key in keys]})
    if found:
        await _say(uow, found)


async def wait_for_none(session: AsyncSession, keys: Sequence[Key]) -> None:
    """Wait for no answer of accounts that are gone to leave."""
    if keys:
        await session.execute(_SET_DUE, {**_keys(keys), "times": [None] * len(keys)})


async def _say(uow: UnitOfWork, found: Sequence[_Measured]) -> None:
    arrays = {
        **_keys([(one.row.tenant, one.row.account_id) for one in found]),
        "metrics": [one.row.metric for one in found],
        "methods": [one.row.method for one in found],
        "values": [one.figure.value for one in found],
        "errors": [one.figure.standard_error for one in found],
        "counts": [one.figure.n for one in found],
        "times": [one.row.last for one in found],
    }
    for row in await uow.session.execute(_SAY, arrays):
        data = MetricMeasured(
            account_id=row.account_id,
            metric=row.metric,
            method=row.method,
            value=row.value,
            unit="points" if row.metric == "nps" else "percent",
            n=row.n,
            standard_error=row.standard_error,
            period_start=uow.now - WINDOW,
            period_end=uow.now,
            measured_at=row.measured_at,
        )
        uow.emit(Event.of(data, tenant=row.tenant, subject=str(row.account_id), time=uow.now))


async def parts(
    session: AsyncSession, tenant: str, account_id: UUID, since: datetime, narrowed: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Sums over the answers of a period: by metric (``whole``), and by question and method.

    ``narrowed`` gives ``to``, ``question`` and ``method``; None does not narrow.
    """
    given = {"tenant": tenant, "account_id": account_id, "since": since, "until": narrowed["to"], **narrowed}
    return (await session.execute(_PARTS, given)).all()


async def listed(
    session: AsyncSession, tenant: str, filters: Mapping[str, Any], *, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    """Answers that fit, the latest first, from a position (time, id) on."""
    given = {name: value for name, value in filters.items() if value}
    where = ["tenant = :tenant", *(_FILTERS[name] for name in given)]
    if after is not None:
        where.append("(answered_at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        given |= {"at": after[0], "id": after[1]}
    query = (
        f"SELECT {_VIEW} FROM survey_response WHERE {' AND '.join(where)} "
        "ORDER BY answered_at DESC, id DESC LIMIT :limit"
    )
    return (await session.execute(text(query), {"tenant": tenant, "limit": limit, **given})).all()


def _keys(keys: Sequence[Key]) -> dict[str, list[Any]]:
    return {"tenants": [tenant for tenant, _ in keys], "accounts": [account for _, account in keys]}
