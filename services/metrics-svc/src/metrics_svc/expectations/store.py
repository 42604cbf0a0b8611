"""All SQL of expectations: the slice of a conversation that a change can matter to, and what became of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from metrics_svc.activities.rules import NOBODY, Change, answers
from metrics_svc.activities.store import READ, activity_of
from metrics_svc.derivation.rules import Deadlines, Terms
from metrics_svc.evidence.rules import Findings
from metrics_svc.expectations.rules import (
    Ask,
    Expectation,
    Lane,
    Reply,
    Touched,
    contacted,
    expectations,
    judge,
    slots,
)

# A slice begins with the last expectation opened before the change, or with an earlier one that a reply at that
# moment can still forgive, as many back as the rules let overlap. It ends a few expectations after the change: where
# one opens as it did before, everything later is as it was. MATERIALIZED and OFFSET 0 keep the planner from asking
# for the bounds once per activity of the account's whole history.
_SLICES = text("""
    WITH lane AS MATERIALIZED (
        SELECT p.tenant, p.account_id, p.contact_id, channel, p.last_at,
               coalesce((
                   SELECT min(near.opened_at) FILTER (WHERE near.n = 1 OR near.forgiven_until >= p.first_at)
                   FROM (
                       SELECT opened_at, forgiven_until, row_number() OVER (ORDER BY opened_at DESC) AS n
                       FROM expectation AS e
                       WHERE e.tenant = p.tenant AND e.account_id = p.account_id AND e.contact_id = p.contact_id
                         AND e.channel = channels.channel AND e.opened_at < p.first_at
                       ORDER BY opened_at DESC LIMIT :behind
                   ) AS near
               ), '-infinity') AS from_at,
               (
                   SELECT opened_at FROM expectation AS e
                   WHERE e.tenant = p.tenant AND e.account_id = p.account_id AND e.contact_id = p.contact_id
                     AND e.channel = channels.channel AND e.opened_at > p.last_at
                   ORDER BY opened_at OFFSET :ahead LIMIT 1
               ) AS to_at
        FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]),
                    CAST(:firsts AS timestamptz[]), CAST(:lasts AS timestamptz[]))
             AS p(tenant, account_id, contact_id, first_at, last_at)
        CROSS JOIN (VALUES ('call'), ('email'), ('message')) AS channels(channel)
        WHERE EXISTS (
            SELECT FROM activity AS ask
            WHERE ask.tenant = p.tenant AND ask.account_id = p.account_id AND ask.asked_contact = p.contact_id
              AND ask.type = channels.channel OFFSET 0)
    )
    SELECT lane.tenant, lane.account_id, lane.contact_id, lane.channel, lane.last_at, lane.to_at,
           a.activity_id, a.occurred_at, a.source, a.owner_id, a.outcome,
           r.activity_id AS reply_id, r.occurred_at AS reply_at,
           e.opened_by IS NOT NULL AS opened, e.closed_by
    FROM lane
    CROSS JOIN LATERAL (
        SELECT * FROM activity AS ask
        WHERE ask.tenant = lane.tenant AND ask.account_id = lane.account_id AND ask.asked_contact = lane.contact_id
          AND ask.type = lane.channel AND ask.occurred_at >= lane.from_at
          AND ask.occurred_at <= coalesce(lane.to_at, 'infinity')
        ORDER BY ask.occurred_at OFFSET 0
    ) AS a
    LEFT JOIN LATERAL (
        SELECT activity_id, occurred_at FROM reply
        WHERE reply.tenant = lane.tenant AND reply.account_id = lane.account_id
          AND reply.contact_id = lane.contact_id AND reply.occurred_at > a.occurred_at
        ORDER BY reply.occurred_at, reply.activity_id LIMIT 1
    ) AS r ON true
    LEFT JOIN LATERAL (
        SELECT opened_by, closed_by FROM expectation
        WHERE expectation.tenant = a.tenant AND expectation.opened_by = a.activity_id OFFSET 0
    ) AS e ON true
""")

_FORGET_REPLIES = text("""
    DELETE FROM reply USING unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]),
                                   CAST(:times AS timestamptz[]), CAST(:ids AS uuid[]))
                            AS gone(tenant, account_id, contact_id, occurred_at, activity_id)
    WHERE (reply.tenant, reply.account_id, reply.contact_id, reply.occurred_at, reply.activity_id)
        = (gone.tenant, gone.account_id, gone.contact_id, gone.occurred_at, gone.activity_id)
""")

_REMEMBER_REPLIES = text("""
    INSERT INTO reply (tenant, account_id, contact_id, occurred_at, activity_id)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:accounts AS uuid[]), CAST(:contacts AS uuid[]),
                         CAST(:times AS timestamptz[]), CAST(:ids AS uuid[]))
    ON CONFLICT DO NOTHING
""")

_FORGET = text("""
    DELETE FROM expectation USING unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS gone(tenant, opened_by)
    WHERE expectation.tenant = gone.tenant AND expectation.opened_by = gone.opened_by
    RETURNING expectation.tenant, expectation.account_id, expectation.opened_by, expectation.closed_by
""")

_REMEMBER = text("""
    INSERT INTO expectation AS kept (tenant, opened_by, account_id, contact_id, channel, opened_at, forgiven_until,
                                     closed_by, closed_at)
    SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:accounts AS uuid[]),
                         CAST(:contacts AS uuid[]), CAST(:channels AS text[]), CAST(:opened AS timestamptz[]),
                         CAST(:forgiven AS timestamptz[]), CAST(:closers AS uuid[]), CAST(:closed AS timestamptz[]))
    ON CONFLICT (tenant, opened_by) DO UPDATE
    SET account_id = EXCLUDED.account_id, contact_id = EXCLUDED.contact_id, channel = EXCLUDED.channel,
        opened_at = EXCLUDED.opened_at, forgiven_until = EXCLUDED.forgiven_until,
        closed_by = EXCLUDED.closed_by, closed_at = EXCLUDED.closed_at
    WHERE (kept.*) IS DISTINCT FROM (EXCLUDED.*)
""")

_CONTACTS = text(f"""
    SELECT {READ}, EXISTS (
        SELECT FROM expectation AS e WHERE e.tenant = activity.tenant AND e.closed_by = activity.activity_id
    ) AS closes
    FROM activity JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS wanted(tenant, activity_id)
      USING (tenant, activity_id)
    WHERE account_id IS NOT NULL
""")

_DUE = text("""
    SELECT e.tenant, e.account_id, e.contact_id, e.opened_at
    FROM expectation AS e JOIN unnest(CAST(:tenants AS text[]), CAST(:ids AS uuid[])) AS due(tenant, opened_by)
      USING (tenant, opened_by)
""")

_BEHIND = {True: 8, False: 100}  # unanswered expectations still to be forgiven, by whether windows were always the same
_AHEAD = 4  # expectations after a change that are looked at first


@dataclass(slots=True)
class _Slice:
    """What a lane's slice says now, and what was on record of it."""

    kept: list[Expectation] = field(default_factory=list)
    closed_before: set[tuple[str, UUID]] = field(default_factory=set)
    gone: set[tuple[str, UUID]] = field(default_factory=set)
    asks: set[UUID] = field(default_factory=set)


async def remember_replies(session: AsyncSession, changes: Sequence[Change]) -> None:
    """Keep the table of replies in step with the activities."""
    gone = [change.before for change in changes if change.before is not None]
    come = [change.after for change in changes if change.after is not None]
    for statement, activities in ((_FORGET_REPLIES, gone), (_REMEMBER_REPLIES, come)):
        rows = [
            (a.tenant, a.account_id, contact, a.occurred_at, a.activity_id)
            for a in activities
            if a.account_id is not None and answers(a)
            for contact in {*a.contact_ids, NOBODY}
        ]
        if rows:
            await session.execute(statement, arrays("tenants accounts contacts times ids", rows))


async def due(session: AsyncSession, ids: Iterable[tuple[str, UUID]]) -> Touched:
    """The conversations whose expectations (tenant, opened by) have come due."""
    found = Touched()
    if wanted := list(ids):
        for row in await session.execute(_DUE, _keys(wanted)):
            found.span((row.tenant, row.account_id, row.contact_id), row.opened_at)
    return found


async def derive(
    session: AsyncSession, touched: Touched, terms: Terms, findings: Findings, deadlines: Deadlines
) -> None:
    """Derive the touched conversations again, as far as the change can matter; the caller holds the accounts."""
    findings.decide(touched.slots)
    for tenant, account_id, id_ in touched.asks:
        deadlines.set(tenant, account_id, id_, "expectation", None)
    before = await _forget(session, {(tenant, id_) for tenant, _, id_ in touched.asks}, deadlines)
    slices = await _slices(session, touched, terms)
    kept = [expectation for part in slices.values() for expectation in part.kept]
    gone = {id_ for part in slices.values() for id_ in part.gone}
    gone -= {(one.lane.tenant, one.opened_by) for one in kept}
    for lane, part in slices.items():
        before |= part.closed_before
        for id_ in part.asks:
            findings.decide(slots(lane, id_))
    before |= await _forget(session, gone, deadlines)
    await _remember(session, kept)
    for one in kept:
        lane = one.lane
        findings.add(judge(one, terms.policy(lane.tenant, one.opened_at), terms.as_of))
        deadlines.set(lane.tenant, lane.account_id, one.opened_by, "expectation", one.awaited(terms.as_of))
    now_closing = {(one.lane.tenant, one.closing.activity_id) for one in kept if one.closing}
    await _contacts(session, touched.contacts | before | now_closing, findings)


async def _slices(session: AsyncSession, touched: Touched, terms: Terms) -> dict[Lane, _Slice]:
    found: dict[Lane, _Slice] = {}
    spans, ahead = dict(touched.spans), _AHEAD
    while spans:
        again = {}
        for lane, rows in (await _read(session, spans, terms, ahead)).items():
            part = _fold(lane, rows, terms)
            if part is None:
                party = (lane.tenant, lane.account_id, lane.contact_id)
                again[party] = spans[party]
            else:
                found[lane] = part
        spans, ahead = again, ahead * 8
    return found


async def _read(session: AsyncSession, spans: dict[Any, Any], terms: Terms, ahead: int) -> dict[Lane, list[Row[Any]]]:
    wanted = arrays("tenants accounts contacts firsts lasts", [(*party, *span) for party, span in spans.items()])
    behind = _BEHIND[all(terms.book(tenant).steady() for tenant in {tenant for tenant, _, _ in spans})]
    lanes = defaultdict(list)
    for row in await session.execute(_SLICES, {**wanted, "behind": behind, "ahead": ahead}):
        lanes[Lane(row.tenant, row.account_id, row.contact_id, row.channel)].append(row)
    return lanes


def _fold(lane: Lane, rows: Sequence[Row[Any]], terms: Terms) -> _Slice | None:
    """The slice up to where nothing changes any more; None when it has to reach further."""
    deadline = partial(terms.deadline, lane.tenant, lane.account_id, lane.channel)
    grouped = expectations(lane, [_ask(row) for row in rows], deadline)
    opened = {row.activity_id for row in rows if row.opened}
    last_at: datetime = rows[0].last_at
    same = [i for i, one in enumerate(grouped) if one.opened_at > last_at and one.opened_by in opened]
    if rows[0].to_at is not None and not same:
        return None
    kept = grouped[: same[0]] if same else grouped
    asks = {ask.activity_id for one in kept for ask in one.asks}
    stored = [row for row in rows if row.opened and row.activity_id in asks]
    return _Slice(
        kept=kept,
        closed_before={(lane.tenant, row.closed_by) for row in stored if row.closed_by},
        gone={(lane.tenant, row.activity_id) for row in stored},
        asks=asks,
    )


def _ask(row: Row[Any]) -> Ask:
    return Ask(
        activity_id=row.activity_id,
        at=row.occurred_at,
        source=row.source,
        owner_id=row.owner_id,
        stated=row.outcome == "replied",
        reply=None if row.reply_id is None else Reply(row.reply_id, row.reply_at),
    )


async def _forget(session: AsyncSession, gone: set[tuple[str, UUID]], deadlines: Deadlines) -> set[tuple[str, UUID]]:
    """Forget expectations that no activity opens any more; gives the replies that had closed them."""
    if not gone:
        return set()
    closed = set()
    for row in await session.execute(_FORGET, _keys(list(gone))):
        deadlines.set(row.tenant, row.account_id, row.opened_by, "expectation", None)
        if row.closed_by is not None:
            closed.add((row.tenant, row.closed_by))
    return closed


async def _remember(session: AsyncSession, kept: Sequence[Expectation]) -> None:
    if not kept:
        return
    rows = []
    for one in kept:
        lane, closing = one.lane, one.closing
        row = (lane.tenant, one.opened_by, lane.account_id, lane.contact_id, lane.channel, one.opened_at)
        closed = (closing.activity_id, closing.at) if closing else (None, None)
        rows.append((*row, one.forgiven_until, *closed))
    names = "tenants ids accounts contacts channels opened forgiven closers closed"
    await session.execute(_REMEMBER, arrays(names, rows))


async def _contacts(session: AsyncSession, ids: set[tuple[str, UUID]], findings: Findings) -> None:
    """Say ``client-contacted`` of those activities of the client that settle nothing."""
    for row in await session.execute(_CONTACTS, _keys(list(ids))) if ids else ():
        slot, piece = contacted(activity_of(row), closes=row.closes)
        findings.decide([slot])
        findings.add([piece] if piece else [])


def _keys(ids: Sequence[tuple[str, UUID]]) -> dict[str, str]:
    return arrays("tenants ids", ids)
