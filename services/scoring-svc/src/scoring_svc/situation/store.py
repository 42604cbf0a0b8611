"""All SQL of situations: people and plans by their ids, and what they come to per account."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.db import arrays
from bellwether_kit.events import Received
from scoring_svc.consumed import CoverageChanged, PlanProgressed, StakeholderChanged, StakeholderRemoved
from scoring_svc.ledger.store import key_arrays
from scoring_svc.situation.rules import HISTORY_KEPT, overdue_days, thread_share

Key = tuple[str, str]

_KEYS = "unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[])) AS k(tenant, account_id)"
_PEOPLE = text("""
    INSERT INTO stakeholder AS known (tenant, stakeholder_id, account_id, version, removed, active, veto, sentiment)
    SELECT * FROM unnest(
        CAST(:tenant AS text[]), CAST(:stakeholder_id AS uuid[]), CAST(:account_id AS uuid[]),
        CAST(:version AS integer[]), CAST(:removed AS boolean[]), CAST(:active AS boolean[]),
        CAST(:veto AS boolean[]), CAST(:sentiment AS text[]))
    ON CONFLICT (tenant, stakeholder_id) DO UPDATE
    SET account_id = EXCLUDED.account_id, version = EXCLUDED.version, removed = EXCLUDED.removed,
        active = EXCLUDED.active, veto = EXCLUDED.veto, sentiment = EXCLUDED.sentiment
    WHERE known.version < EXCLUDED.version
    RETURNING new.tenant, CAST(new.account_id AS text), CAST(old.account_id AS text)
""")
_SUM_OF_PEOPLE = text(f"""
    INSERT INTO situation (tenant, account_id, champions, champions_lost, opposing_vetoes, overdue)
    SELECT k.tenant, k.account_id,
           count(*) FILTER (WHERE s.active AND s.sentiment = 'champion'),
           count(*) FILTER (WHERE NOT s.active AND s.sentiment = 'champion'),
           count(*) FILTER (WHERE s.active AND s.veto AND s.sentiment = 'detractor'), '{{}}'
    FROM {_KEYS}
    LEFT JOIN stakeholder s ON s.tenant = k.tenant AND s.account_id = k.account_id AND NOT s.removed
    GROUP BY k.tenant, k.account_id
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET champions = EXCLUDED.champions, champions_lost = EXCLUDED.champions_lost,
        opposing_vetoes = EXCLUDED.opposing_vetoes
""")
_PLANS = text("""
    INSERT INTO plan_state AS known (tenant, plan_id, account_id, active, overdue, measured_at)
    SELECT tenant, plan_id, account_id, active, CAST(overdue AS date[]), measured_at FROM unnest(
        CAST(:tenant AS text[]), CAST(:plan_id AS uuid[]), CAST(:account_id AS uuid[]), CAST(:active AS boolean[]),
        CAST(:overdue AS text[]), CAST(:at AS timestamptz[])
    ) AS s(tenant, plan_id, account_id, active, overdue, measured_at)
    ON CONFLICT (tenant, plan_id) DO UPDATE
    SET account_id = EXCLUDED.account_id, active = EXCLUDED.active, overdue = EXCLUDED.overdue,
        measured_at = EXCLUDED.measured_at
    WHERE known.measured_at <= EXCLUDED.measured_at
""")
_SUM_OF_PLANS = text(f"""
    INSERT INTO situation (tenant, account_id, champions, champions_lost, opposing_vetoes, overdue)
    SELECT k.tenant, k.account_id, 0, 0, 0, coalesce(late.days, '{{}}')
    FROM {_KEYS} LEFT JOIN LATERAL (
        SELECT array_agg(day ORDER BY day) AS days FROM plan_state p, unnest(p.overdue) AS day
        WHERE p.tenant = k.tenant AND p.account_id = k.account_id AND p.active
    ) AS late ON true
    ON CONFLICT (tenant, account_id) DO UPDATE SET overdue = EXCLUDED.overdue
""")
_THREADS = text("""
    INSERT INTO situation AS known (tenant, account_id, champions, champions_lost, opposing_vetoes, overdue,
                                    thread_share, thread_at)
    SELECT tenant, account_id, 0, 0, 0, '{}', share, at FROM unnest(
        CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:share AS float8[]), CAST(:at AS timestamptz[])
    ) AS s(tenant, account_id, share, at)
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET thread_share = EXCLUDED.thread_share, thread_at = EXCLUDED.thread_at
    WHERE known.thread_at IS NULL OR known.thread_at <= EXCLUDED.thread_at
""")
_SAID = "champions, champions_lost, opposing_vetoes, thread_share, overdue"
_OVER = text(f"""
    UPDATE situation_history AS h SET forget_at = :forget_at
    FROM {_KEYS} JOIN situation AS s USING (tenant, account_id)
    WHERE h.tenant = k.tenant AND h.account_id = k.account_id AND h.forget_at IS NULL
        AND ({", ".join(f"h.{name}" for name in _SAID.split(", "))})
            IS DISTINCT FROM ({", ".join(f"s.{name}" for name in _SAID.split(", "))})
""")
_STANDS = text(f"""
    INSERT INTO situation_history (tenant, account_id, at, {_SAID}, copied)
    SELECT tenant, account_id, :now, {_SAID}, false FROM {_KEYS} JOIN situation USING (tenant, account_id)
    WHERE NOT EXISTS (
        SELECT FROM situation_history AS h
        WHERE h.tenant = k.tenant AND h.account_id = k.account_id AND h.forget_at IS NULL
    )
    ON CONFLICT (tenant, account_id, at) DO UPDATE
    SET forget_at = NULL, {", ".join(f"{name} = EXCLUDED.{name}" for name in _SAID.split(", "))}
""")
_FORGET = text("""
    DELETE FROM situation_history AS h
    USING unnest(CAST(:tenant AS text[]), CAST(:account_id AS uuid[]), CAST(:at AS timestamptz[]))
        AS k(tenant, account_id, at)
    WHERE h.tenant = k.tenant AND h.account_id = k.account_id AND h.at = k.at
""")


@dataclass(frozen=True, slots=True)
class Person:
    """A person as stakeholder-svc describes them; of a removed one only ids and version mean anything."""

    tenant: str
    stakeholder_id: str
    account_id: str
    version: int
    removed: bool = False
    active: bool = False
    veto: bool = False
    sentiment: str = ""


@dataclass(frozen=True, slots=True)
class PlanState:
    """A plan as reported: whether it is in force, and when its late actions were due."""

    tenant: str
    plan_id: str
    account_id: str
    at: datetime
    active: bool
    overdue: Sequence[date]


@dataclass(frozen=True, slots=True)
class Thread:
    """The share of influence (0 to 100) at an account that hangs by one thread; None when nobody is known."""

    tenant: str
    account_id: str
    at: datetime
    share: float | None


async def project_people(session: AsyncSession, people: Collection[Person]) -> set[Key]:
    """Keep people unless a later version is known, one each; gives the accounts they changed, also those they left."""
    columns = {name: [getattr(person, name) for person in people] for name in Person.__slots__}
    touched: set[Key] = set()
    for tenant, account_id, former in await session.execute(_PEOPLE, columns):
        touched |= {(tenant, account_id)} | ({(tenant, former)} if former is not None else set())
    return touched


async def sum_people(session: AsyncSession, keys: Collection[Key]) -> None:
    """Count anew, for accounts whose lock the caller holds, who speaks for us and who against."""
    await session.execute(_SUM_OF_PEOPLE, key_arrays(sorted(keys)))


async def keep_plans(session: AsyncSession, plans: Sequence[PlanState]) -> None:
    """Keep the newest state per plan, and the late actions of the accounts; the caller holds their locks."""
    newest: dict[Key, PlanState] = {}
    for plan in plans:
        key = plan.tenant, plan.plan_id
        if key not in newest or plan.at >= newest[key].at:
            newest[key] = plan
    if not newest:
        return
    kept = [newest[key] for key in sorted(newest)]
    columns: Mapping[str, list[object]] = {
        name: [getattr(plan, name) for plan in kept] for name in PlanState.__slots__ if name != "overdue"
    }
    overdue = ["{" + ",".join(day.isoformat() for day in plan.overdue) + "}" for plan in kept]
    await session.execute(_PLANS, {**columns, "overdue": overdue})
    accounts = {(plan.tenant, plan.account_id) for plan in plans}
    await session.execute(_SUM_OF_PLANS, key_arrays(sorted(accounts)))


async def keep_threads(session: AsyncSession, threads: Sequence[Thread]) -> None:
    """Keep the newest share per account; the caller holds the accounts' locks."""
    newest: dict[Key, Thread] = {}
    for thread in threads:
        key = thread.tenant, thread.account_id
        if key not in newest or thread.at >= newest[key].at:
            newest[key] = thread
    if newest:
        kept = [newest[key] for key in sorted(newest)]
        await session.execute(_THREADS, {name: [getattr(thread, name) for thread in kept] for name in Thread.__slots__})


async def remember(session: AsyncSession, keys: Collection[Key], now: datetime) -> None:
    """Keep what is known of accounts from now on, where it is not what was; the caller holds their locks."""
    if keys:
        accounts = key_arrays(sorted(keys))
        await session.execute(_OVER, {**accounts, "forget_at": now + HISTORY_KEPT})
        await session.execute(_STANDS, {**accounts, "now": now})


async def forget(session: AsyncSession, rows: Collection[tuple[str, UUID, datetime]]) -> None:
    """Forget what was known of accounts (tenant, account id) from an instant on."""
    await session.execute(_FORGET, arrays("tenant account_id at", rows))


def people(events: Sequence[Received[StakeholderChanged | StakeholderRemoved]]) -> list[Person]:
    """The newest description of each person, in the order of keys."""
    newest: dict[Key, Person] = {}
    for event in events:
        person = _person(event)
        key = person.tenant, person.stakeholder_id
        if key not in newest or newest[key].version < person.version:
            newest[key] = person
    return [newest[key] for key in sorted(newest)]


def _person(event: Received[StakeholderChanged | StakeholderRemoved]) -> Person:
    data = event.data
    ids = event.tenant, data.stakeholder_id.lower(), data.account_id.lower(), data.version
    if isinstance(data, StakeholderRemoved):
        return Person(*ids, removed=True)
    return Person(*ids, active=data.status == "active", veto=data.veto, sentiment=data.sentiment)


def threads(events: Sequence[Received[CoverageChanged]]) -> list[Thread]:
    """By how few people an account hangs, as its coverage says."""
    return [
        Thread(event.tenant, data.account_id.lower(), data.assessed_at, thread_share(data.thread_share, data.people))
        for event in events
        for data in (event.data,)
    ]


def plans(events: Sequence[Received[PlanProgressed]]) -> list[PlanState]:
    """Plans and their late actions; a report that names no plan says nothing of which actions are late."""
    return [
        PlanState(
            event.tenant,
            data.plan_id.lower(),
            data.account_id.lower(),
            data.measured_at,
            data.status == "active",
            overdue_days(data.overdue_since, data.actions_overdue, data.measured_at.date()),
        )
        for event in events
        if (data := event.data).plan_id is not None
    ]
