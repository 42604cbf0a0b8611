"""All SQL of backtests: asking for one, what accounts looked like page by page, and the report in the end."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col, select

from bellwether_kit.db import array, arrays
from scoring_svc.backtests.rules import Asked, Report
from scoring_svc.backtests.tables import BacktestRow
from scoring_svc.errors import BacktestsBusy, RunEnded, UnknownBacktest
from scoring_svc.retrospect.rules import Seen
from scoring_svc.scorecards.rules import Cards, Scorecard, Segment, cadence_days, card_of
from scoring_svc.scorecards.store import segment_of

PAGE: Final = 50
"""Accounts looked at in one transaction, at most."""
PIECES: Final = 20_000
"""Pieces of evidence after which a page takes no further account."""
LOST_BY: Final = "churned"
"""The kind of outcome that is a loss."""

_ACCOUNTS: Final = """
    FROM account_health h LEFT JOIN account a USING (tenant, account_id)
    WHERE h.tenant = :tenant AND h.evaluated_at IS NOT NULL AND a.removed IS NOT TRUE
"""
_COUNT = text(f"SELECT count(*) {_ACCOUNTS}")
# Accounts with long histories come few at a time, so that a page is bounded by what has to be read.
_PAGE = text(f"""
    WITH next AS (
        SELECT h.account_id, a.tier, a.industry, a.territory, a.cadence_days {_ACCOUNTS}
          AND (CAST(:position AS uuid) IS NULL OR h.account_id > CAST(:position AS uuid))
          AND mod(hashtextextended(CAST(h.account_id AS text), 0), :one_in) = 0
        ORDER BY h.account_id LIMIT :limit
    ), counted AS (
        SELECT next.*, sum(pieces) OVER (ORDER BY account_id) - pieces AS before FROM next CROSS JOIN LATERAL (
            SELECT count(*) AS pieces FROM evidence e
            WHERE e.tenant = :tenant AND e.account_id = next.account_id AND NOT e.retracted
        ) AS held
    )
    SELECT account_id, tier, industry, territory, cadence_days FROM counted
    WHERE before < :pieces ORDER BY account_id
""")
_EVIDENCE = text("""
    SELECT account_id, kind, dimension, magnitude, CAST(extract(epoch FROM observed_at) AS float8) FROM evidence
    WHERE tenant = :tenant AND account_id = ANY(CAST(:ids AS uuid[])) AND NOT retracted AND observed_at < :until
    ORDER BY account_id, observed_at, evidence_id
""")
_LOSSES = text("""
    SELECT account_id, happened_on FROM outcome
    WHERE tenant = :tenant AND kind = :kind AND account_id = ANY(CAST(:ids AS uuid[])) AND happened_on < :until
""")
_ANY_LOSS = text("""
    SELECT EXISTS (SELECT FROM outcome WHERE tenant = :tenant AND kind = :kind
                   AND happened_on >= :since AND happened_on < :until)
""")
_UNFINISHED = text("SELECT count(*) FROM backtest WHERE tenant = :tenant AND due_at IS NOT NULL")
_KEEP = text("""
    INSERT INTO backtest_case (tenant, backtest_id, day, account_id, lost, score, acts, silence, repeats, last,
                               watched, cap, measures, sums)
    SELECT :tenant, :id, day, account_id, lost, score, acts, silence, repeats, last, watched, cap,
           CAST(measures AS jsonb), CAST(sums AS jsonb)
    FROM unnest(CAST(:day AS date[]), CAST(:account_id AS uuid[]), CAST(:lost AS boolean[]), CAST(:score AS float8[]),
                CAST(:acts AS integer[]), CAST(:silence AS float8[]), CAST(:repeats AS integer[]),
                CAST(:last AS float8[]), CAST(:watched AS float8[]), CAST(:cap AS float8[]),
                CAST(:measures AS text[]), CAST(:sums AS text[])
    ) AS c(day, account_id, lost, score, acts, silence, repeats, last, watched, cap, measures, sums)
""")
_BUYERS = text("""
    SELECT CAST(account_id AS text) AS account, repeats, last, watched FROM backtest_case
    WHERE tenant = :tenant AND backtest_id = :id AND day = :day AND repeats IS NOT NULL ORDER BY account_id
""")
_EXPECT = text("""
    UPDATE backtest_case c SET expected = e.expected
    FROM unnest(CAST(:account_id AS uuid[]), CAST(:expected AS float8[])) AS e(account_id, expected)
    WHERE c.tenant = :tenant AND c.backtest_id = :id AND c.day = :day AND c.account_id = e.account_id
""")
_CASES = text("""
    SELECT CAST(account_id AS text) AS account, day, lost, score, acts, silence, expected, cap, measures, sums
    FROM backtest_case WHERE tenant = :tenant AND backtest_id = :id ORDER BY day, account_id
""")
_ADVANCE = text("""
    UPDATE backtest SET status = 'running', position = :position, accounts = accounts + :accounts,
        modelled = :modelled, due_at = :now
    WHERE tenant = :tenant AND backtest_id = :id
""")
_END = text("""
    UPDATE backtest SET status = :status, due_at = NULL, finished_at = :now, problem = :problem,
        report = CAST(:report AS jsonb), draft_id = :draft_id
    WHERE tenant = :tenant AND backtest_id = :id
""")
_FORGET = text("DELETE FROM backtest_case WHERE tenant = :tenant AND backtest_id = :id")
_CLAIM = text("""
    SELECT status FROM backtest WHERE tenant = :tenant AND backtest_id = :id FOR UPDATE SKIP LOCKED
""")


class Known(NamedTuple):
    """An account of a page: its facts, its history in order of time, and the days on which it was said to be lost."""

    account_id: UUID
    tier: str | None
    industry: str | None
    territory: str | None
    cadence_days: float
    history: list[Seen]
    losses: list[date]


class Looked(NamedTuple):
    """A case as it is kept; the order of the fields is that of the statement's arrays."""

    day: date
    account_id: UUID
    lost: bool
    score: float
    acts: int
    silence: float
    repeats: int | None
    last: float | None
    watched: float | None
    cap: float | None
    measures: str | None
    sums: str | None


def asked_of(row: Row[Any] | BacktestRow) -> Asked:
    """What a backtest was asked for."""
    return msgspec.convert(row.asked, Asked)


def cards_of(row: Row[Any]) -> Cards:
    """The scorecards that a backtest goes by."""
    cards = Cards()
    for said in row.cards:
        cards = cards.replaced(
            segment_of(said["segment"]), card_of(said["name"], said["version"], said["configuration"])
        )
    return cards


def first_segment(row: Row[Any]) -> Segment:
    """For whom the scorecard is that a backtest names."""
    return segment_of(row.cards[0]["segment"])


def first_card(row: Row[Any]) -> Scorecard:
    """The one scorecard of a backtest that fits."""
    said = row.cards[0]
    return card_of(said["name"], said["version"], said["configuration"])


def report_of(row: BacktestRow) -> Report | None:
    """The report as it was kept."""
    return None if row.report is None else msgspec.convert(row.report, Report, str_keys=True)


async def accounts(session: AsyncSession, tenant: str) -> int:
    """How many accounts the tenant has."""
    return int((await session.execute(_COUNT, {"tenant": tenant})).scalar_one())


async def any_loss(session: AsyncSession, tenant: str, since: date, until: date) -> bool:
    """Whether any account is on record as lost within these days."""
    given = {"tenant": tenant, "kind": LOST_BY, "since": since, "until": until}
    return bool((await session.execute(_ANY_LOSS, given)).scalar_one())


async def unfinished(session: AsyncSession, tenant: str) -> int:
    """How many backtests of the tenant are queued or running."""
    return int((await session.execute(_UNFINISHED, {"tenant": tenant})).scalar_one())


async def one(session: AsyncSession, tenant: str, id_: UUID) -> BacktestRow:
    """A backtest by its id; raises UnknownBacktest."""
    row = await session.get(BacktestRow, (tenant, id_))
    if row is None:
        raise UnknownBacktest("No backtest has this id.")
    return row


async def listed(session: AsyncSession, tenant: str, *, before: UUID | None, limit: int) -> Sequence[BacktestRow]:
    """Backtests without their reports, the newest first, of ids below one."""
    without = defer(col(BacktestRow.report))  # type: ignore[arg-type]  # SQLModel's name for the same
    query = select(BacktestRow).where(BacktestRow.tenant == tenant).options(without)
    if before is not None:
        query = query.where(col(BacktestRow.backtest_id) < before)
    return (await session.scalars(query.order_by(col(BacktestRow.backtest_id).desc()).limit(limit))).all()


async def claim(session: AsyncSession, tenant: str, id_: UUID) -> None:
    """Lock a backtest that is not over. Raises RunEnded, or BacktestsBusy while a step of it is being done."""
    row = await one(session, tenant, id_)
    status = (await session.execute(_CLAIM, {"tenant": tenant, "id": id_})).scalar_one_or_none()
    if status is None:
        raise BacktestsBusy("A step of it is being done; ask again in a moment.")
    if status not in {"queued", "running"}:
        raise RunEnded(f"The backtest is {status}.")
    session.expire(row)


async def page(session: AsyncSession, row: Row[Any], until: date) -> list[Known]:
    """The next accounts of a backtest, with what was seen of them before the day `until` (UTC)."""
    given = {"tenant": row.tenant, "position": row.position, "one_in": row.one_in}
    found = {
        id_: Known(id_, tier, industry, territory, cadence_days(tier, cadence), [], [])
        for id_, tier, industry, territory, cadence in await session.execute(
            _PAGE, {**given, "limit": PAGE, "pieces": PIECES}
        )
    }
    within = {"tenant": row.tenant, "ids": array(list(found))}
    for id_, *seen in await session.execute(_EVIDENCE, {**within, "until": until}):
        found[id_].history.append(Seen(*seen))
    for id_, day in await session.execute(_LOSSES, {**within, "kind": LOST_BY, "until": until}):
        found[id_].losses.append(day)
    return list(found.values())


async def keep(session: AsyncSession, row: Row[Any], cases: Sequence[Looked]) -> None:
    """Keep what was seen of a page of accounts."""
    key = {"tenant": row.tenant, "id": row.backtest_id}
    await session.execute(_KEEP, {**key, **arrays(" ".join(Looked._fields), cases)})


async def buyers(session: AsyncSession, row: Row[Any], day: date) -> Sequence[Row[Any]]:
    """The cases of a date that had bought anything: account, repeats, last, watched."""
    given = {"tenant": row.tenant, "id": row.backtest_id, "day": day}
    return (await session.execute(_BUYERS, given)).all()


async def expect(session: AsyncSession, row: Row[Any], day: date, expected: Sequence[tuple[str, float]]) -> None:
    """Keep how many purchases were to be expected of each account after a date."""
    given = {"tenant": row.tenant, "id": row.backtest_id, "day": day}
    await session.execute(_EXPECT, {**given, **arrays("account_id expected", expected)})


async def cases(session: AsyncSession, row: Row[Any]) -> Sequence[Row[Any]]:
    """All that a backtest has seen, by date."""
    return (await session.execute(_CASES, {"tenant": row.tenant, "id": row.backtest_id})).all()


async def advance(
    session: AsyncSession,
    row: Row[Any],
    now: datetime,
    *,
    position: UUID | None,
    accounts: int = 0,
    modelled: int | None,
) -> None:
    """Note how far a backtest has got: `accounts` more were looked at, so many dates modelled."""
    given = {"tenant": row.tenant, "id": row.backtest_id, "now": now, "position": position}
    await session.execute(_ADVANCE, {**given, "accounts": accounts, "modelled": modelled})


async def end(
    session: AsyncSession,
    tenant: str,
    id_: UUID,
    status: str,
    now: datetime,
    *,
    problem: str | None = None,
    report: Report | None = None,
    draft_id: UUID | None = None,
) -> None:
    """End a backtest as `done`, `failed` or `stopped`, and forget the cases."""
    key = {"tenant": tenant, "id": id_}
    said = None if report is None else msgspec.json.encode(report).decode()
    given = {"status": status, "now": now, "problem": problem, "report": said, "draft_id": draft_id}
    await session.execute(_END, {**key, **given})
    await session.execute(_FORGET, key)
