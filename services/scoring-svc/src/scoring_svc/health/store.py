"""All SQL of account health: locking and reading accounts for a batch, writing what became of them, reading back."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import array
from scoring_svc.caps.rules import Cap
from scoring_svc.health.rules import Account, Day, Key, Reported
from scoring_svc.ledger.rules import Balances, Memory, Strong
from scoring_svc.ledger.store import key_arrays
from scoring_svc.overrides.rules import Override
from scoring_svc.rescoring import store as rescoring_store
from scoring_svc.scorecards.rules import cadence_days
from scoring_svc.situation.rules import Situation, late_since

_KEYS = "unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS k(tenant, account_id)"

_ENSURE = text(f"""
    INSERT INTO account_health (tenant, account_id, sequence, scorecard, scorecard_version, stale)
    SELECT tenant, account_id, 0, 'default', 1, false FROM {_KEYS}
    ORDER BY tenant, account_id ON CONFLICT DO NOTHING
""")
# The lock is a statement of its own: what the next one reads is then newer than whoever held the lock before.
_LOCK = text(f"""
    SELECT count(*) FROM (
        SELECT 1 FROM {_KEYS} JOIN account_health USING (tenant, account_id)
        ORDER BY tenant, account_id FOR UPDATE OF account_health
    ) AS locked
""")
# Of the columns the fields of an account are made, by their places.
_COLUMNS = """
    h.tenant, CAST(h.account_id AS text), h.sequence, h.band, h.stale, a.name, a.tier, a.owner_id,
    coalesce(a.removed, false), a.value_amount, a.value_currency, a.renewal_at, a.cadence_days,
    CAST(extract(epoch FROM a.known_since) AS float8), CAST(extract(epoch FROM m.last_two_way_at) AS float8),
    m.coverage, coalesce(CAST(extract(epoch FROM m.coverage_at) AS float8), 0),
    m.satisfaction, coalesce(CAST(extract(epoch FROM m.satisfaction_at) AS float8), 0),
    m.plan, coalesce(CAST(extract(epoch FROM m.plan_at) AS float8), 0),
    h.state, coalesce(s.champions, 0), coalesce(s.champions_lost, 0), coalesce(s.opposing_vetoes, 0), s.thread_share,
    s.overdue, a.whitespace, CAST(o.id AS text), o.score, o.band, o.reason, o.author, o.set_at, o.expires_at,
    a.industry, a.territory, h.scorecard, h.scorecard_version
"""
_JOINED = """
    JOIN account_health h USING (tenant, account_id)
    LEFT JOIN account a USING (tenant, account_id)
    LEFT JOIN measure m USING (tenant, account_id)
    LEFT JOIN situation s USING (tenant, account_id)
    LEFT JOIN health_override o ON o.tenant = h.tenant AND o.account_id = h.account_id AND o.ended_at IS NULL
"""
_READ = text(f"SELECT {_COLUMNS} FROM {_KEYS} {_JOINED} ORDER BY h.tenant, h.account_id")
_SHOWN = text(f"""
    SELECT {_COLUMNS}, h.score AS shown_score, h.confidence, h.change, h.evaluated_at, h.next_evaluation_at,
           p.score AS previous_score, p.band AS previous_band, c.configuration
    FROM {_KEYS} {_JOINED}
    LEFT JOIN LATERAL (
        SELECT y.score, y.band FROM health_history AS y
        WHERE y.tenant = h.tenant AND y.account_id = h.account_id AND y.at <= :now ORDER BY y.at DESC OFFSET 1 LIMIT 1
    ) AS p ON true
    LEFT JOIN scorecard c ON c.tenant = h.tenant AND c.name = h.scorecard AND c.version = h.scorecard_version
    WHERE h.evaluated_at IS NOT NULL
""")
_SAVE = text("""
    UPDATE account_health AS h
    SET state = decode(s.state, 'hex'), score = s.score, band = s.band, confidence = s.confidence,
        change = s.change, sequence = s.sequence, scorecard = s.scorecard,
        scorecard_version = s.scorecard_version, stale = false, evaluated_at = :now,
        next_evaluation_at = to_timestamp(s.next_evaluation), tier = s.tier,
        changed_at = CASE WHEN h.sequence = s.sequence THEN h.changed_at ELSE :now END
    FROM unnest(
        CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:state AS text[]), CAST(:score AS float8[]),
        CAST(:band AS text[]), CAST(:confidence AS float8[]), CAST(:change AS float8[]),
        CAST(:sequence AS bigint[]), CAST(:scorecard AS text[]), CAST(:scorecard_version AS integer[]),
        CAST(:next_evaluation AS float8[]), CAST(:tier AS text[])
    ) AS s(tenant, account_id, state, score, band, confidence, change, sequence, scorecard, scorecard_version,
           next_evaluation, tier)
    WHERE h.tenant = s.tenant AND h.account_id = s.account_id
""")
_REMEMBER = text("""
    INSERT INTO health_history (tenant, account_id, at, score, confidence, scorecard_version, band, scorecard,
                                measures, uncapped_score, caps)
    SELECT tenant, account_id, :now, score, confidence, scorecard_version, band, scorecard,
           CAST(measures AS float8[]), uncapped_score, CAST(caps AS text[])
    FROM unnest(
        CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:score AS float8[]),
        CAST(:confidence AS float8[]), CAST(:scorecard_version AS integer[]), CAST(:band AS text[]),
        CAST(:scorecard AS text[]), CAST(:measures AS text[]), CAST(:uncapped_score AS float8[]),
        CAST(:caps AS text[])
    ) AS s(tenant, account_id, score, confidence, scorecard_version, band, scorecard, measures, uncapped_score, caps)
    ON CONFLICT (tenant, account_id, at) DO UPDATE
    SET score = EXCLUDED.score, confidence = EXCLUDED.confidence, band = EXCLUDED.band,
        scorecard_version = EXCLUDED.scorecard_version, scorecard = EXCLUDED.scorecard,
        measures = EXCLUDED.measures, uncapped_score = EXCLUDED.uncapped_score, caps = EXCLUDED.caps
""")
_CURRENT = text("""
    SELECT scorecard, scorecard_version FROM account_health
    WHERE tenant = :tenant AND account_id = :account_id AND evaluated_at IS NOT NULL
""")
_PUT_OFF = text(f"""
    UPDATE account_health h SET next_evaluation_at = NULL FROM {_KEYS}
    WHERE h.tenant = k.tenant AND h.account_id = k.account_id
""")
_BLANK = text(f"""
    UPDATE account_health h SET next_evaluation_at = NULL, evaluated_at = NULL, score = NULL, change = NULL
    FROM {_KEYS} WHERE h.tenant = k.tenant AND h.account_id = k.account_id
""")


class _Kept(msgspec.Struct, array_like=True):
    """The column `state`. Fields may be added at the end, with a default."""

    landmark: float
    sums: list[float] = msgspec.field(default_factory=lambda: [0.0] * 5)
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * 3)
    unknown: int = 0
    latest: list[list[float]] = msgspec.field(default_factory=lambda: [[], [], []])
    negatives: list[tuple[float, str]] = []
    marks: dict[str, float] = {}
    strongest: list[list[Strong]] = msgspec.field(default_factory=lambda: [[] for _ in range(6)])
    days: list[Day] = []
    measures: list[float | None] = []
    pending: float | None = None
    said_score: float | None = None
    said_band: str | None = None
    said_confidence: float | None = None
    waiting: dict[str, float] = {}
    tally: dict[int, list[int]] | None = None
    uncapped: float = 50.0
    caps: list[tuple[str, float]] = []
    said_caps: list[str] = []
    said_override: str | None = None


_made: Callable[..., Account] = Account  # from a row, whose types nobody knows
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


async def lock(session: AsyncSession, keys: Collection[Key], now: datetime) -> dict[Key, Account]:
    """Lock the accounts in sorted order, creating those not seen before, and read all an evaluation needs."""
    columns = key_arrays(sorted(keys))
    if (await session.execute(_LOCK, columns)).scalar_one() < len(keys):
        await session.execute(_ENSURE, columns)
        await rescoring_store.audit_later(session, {tenant for tenant, _ in keys}, now)
        await session.execute(_LOCK, columns)
    return await _read(session, columns, now)


async def claimed(session: AsyncSession, keys: Collection[Key], now: datetime) -> dict[Key, Account]:
    """Read accounts whose rows the caller holds locked already."""
    return await _read(session, key_arrays(sorted(keys)), now)


async def _read(session: AsyncSession, columns: dict[str, Any], now: datetime) -> dict[Key, Account]:
    rows = (await session.execute(_READ, columns)).all()
    landmark = now.timestamp()
    return {(row[0], row[1]): _account(tuple(row), landmark) for row in rows}


def _account(row: Any, landmark: float) -> Account:
    """The account in a row that begins with `_COLUMNS`, which stand in the order of the fields here."""
    facts, (cadence, *reported), state = row[:12], row[12:21], row[21]
    kept = _decode(state) if state is not None else _Kept(landmark, tally={})
    return _made(
        *facts,
        reported=Reported(cadence_days(row[6], cadence), *reported),
        balances=Balances(kept.landmark, kept.sums, kept.counts, kept.unknown, kept.tally),
        memory=Memory(kept.latest, kept.negatives, kept.marks, kept.strongest),
        days=kept.days,
        measures=kept.measures,
        situation=_situation(row[22:28]),
        uncapped=kept.uncapped,
        caps=[Cap(*cap) for cap in kept.caps],
        said_caps=kept.said_caps,
        override=None if row[28] is None else Override(*row[28:35]),
        said_override=kept.said_override,
        pending=kept.pending,
        said_score=kept.said_score,
        said_band=kept.said_band,
        said_confidence=kept.said_confidence,
        waiting=kept.waiting,
        industry=row[35],
        territory=row[36],
        scorecard=row[37] if state is not None else "",
        scorecard_version=row[38],
    )


def _situation(row: Any) -> Situation:
    champions, lost, vetoes, share, overdue, whitespace = row
    return Situation(champions, lost, vetoes, share, [late_since(day) for day in overdue or ()], whitespace)


def _state(account: Account) -> str:
    balances, memory = account.balances, account.memory
    return _encode(
        _Kept(
            balances.landmark,
            balances.sums,
            balances.counts,
            balances.unknown,
            memory.latest,
            memory.negatives,
            memory.marks,
            memory.strongest,
            account.days,
            account.measures,
            account.pending,
            account.said_score,
            account.said_band,
            account.said_confidence,
            account.waiting,
            balances.tally,
            account.uncapped,
            list(account.caps),
            list(account.said_caps),
            account.said_override,
        )
    ).hex()


async def save(session: AsyncSession, accounts: Sequence[Account], now: datetime) -> None:
    """Write the state of accounts in hand."""
    columns = _columns(accounts) | {
        "change": array([account.change for account in accounts]),
        "sequence": array([account.sequence for account in accounts]),
        "next_evaluation": array([account.next_evaluation for account in accounts]),
        "state": array([_state(account) for account in accounts]),
        "tier": array([account.tier for account in accounts]),
    }
    await session.execute(_SAVE, {**columns, "now": now})


async def remember(session: AsyncSession, accounts: Sequence[Account], now: datetime) -> None:
    """Add the accounts' health to their history; at one instant the last word counts."""
    columns = _columns(accounts) | {
        "measures": array([account.measures for account in accounts]),
        "uncapped_score": array([account.uncapped for account in accounts]),
        "caps": array([[cap.cap for cap in account.caps] for account in accounts]),
    }
    await session.execute(_REMEMBER, {**columns, "now": now})


def _columns(accounts: Sequence[Account]) -> dict[str, str]:
    return {
        "tenant": array([account.tenant for account in accounts]),
        "account_id": array([account.account_id for account in accounts]),
        "score": array([account.score for account in accounts]),
        "band": array([account.band for account in accounts]),
        "confidence": array([account.confidence for account in accounts]),
        "scorecard": array([account.scorecard for account in accounts]),
        "scorecard_version": array([account.scorecard_version for account in accounts]),
    }


async def put_off(session: AsyncSession, keys: Collection[Key]) -> None:
    """Evaluate these no more until something happens."""
    if keys:
        await session.execute(_PUT_OFF, key_arrays(keys))


async def blank(session: AsyncSession, keys: Collection[Key]) -> None:
    """Take removed accounts out of sight; their sequence goes on should they come back. Ledger and history stay."""
    await session.execute(_BLANK, key_arrays(keys))


async def current(session: AsyncSession, tenant: str, account_id: UUID) -> Row[Any] | None:
    """The scorecard by which an account was last evaluated, or None when it never was."""
    given = {"tenant": tenant, "account_id": account_id}
    return (await session.execute(_CURRENT, given)).one_or_none()


async def shown(session: AsyncSession, tenant: str, account_id: UUID, now: datetime) -> tuple[Account, Row[Any]] | None:
    """An account as last evaluated, all of one moment, and the row with what stands beside; None when it never was."""
    row = (await session.execute(_SHOWN, key_arrays([(tenant, str(account_id))]) | {"now": now})).one_or_none()
    if row is None:
        return None
    account = _account(tuple(row), now.timestamp())
    account.score, account.confidence, account.change = row.shown_score, row.confidence, row.change
    return account, row


async def snapshot(session: AsyncSession, tenant: str, account_id: UUID, now: datetime) -> Account | None:
    """All that is known of an account, for looking at it; nothing is locked."""
    return (await seen(session, [(tenant, str(account_id))], now)).get((tenant, str(account_id)))


async def seen(session: AsyncSession, keys: Collection[Key], now: datetime) -> dict[Key, Account]:
    """All that is known of accounts, for looking at them; nothing is locked."""
    return await _read(session, key_arrays(keys), now)


def instant(seconds: float) -> datetime:
    """Epoch seconds as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
