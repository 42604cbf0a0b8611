"""What follows when another service reports a measure: it is kept, and the account is evaluated."""

from collections.abc import Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Received
from scoring_svc.consumed import CoverageChanged, MetricMeasured, PlanProgressed, TouchRecorded
from scoring_svc.evaluation import store as evaluation_store
from scoring_svc.health import store as health_store
from scoring_svc.measures import store
from scoring_svc.measures.rules import on_schedule, satisfaction
from scoring_svc.measures.store import Report
from scoring_svc.situation import store as situation_store
from scoring_svc.situation.rules import overdue_days, thread_share
from scoring_svc.situation.store import PlanState, Thread

Reported = TouchRecorded | MetricMeasured | CoverageChanged | PlanProgressed


async def project_measures(uow: UnitOfWork, events: Sequence[Received[Reported]]) -> None:
    """Keep the newest of each measure and evaluate the accounts they are about."""
    reports = [report for event in events if (report := _report(event)) is not None]
    threads, plans = _threads(events), _plans(events)
    keys = {(report.tenant, report.account_id) for report in reports} | {(p.tenant, p.account_id) for p in plans}
    if not keys:
        return
    await health_store.lock(uow.session, keys, uow.now)
    await store.keep(uow.session, reports)
    await situation_store.keep_threads(uow.session, threads)
    await situation_store.keep_plans(uow.session, plans)
    told = {(t.tenant, t.account_id) for t in threads} | {(p.tenant, p.account_id) for p in plans}
    await situation_store.remember(uow.session, told, uow.now)
    accounts = await health_store.claimed(uow.session, keys, uow.now)
    books = await evaluation_store.books(uow, {tenant for tenant, _ in keys})
    await evaluation_store.settle(uow, accounts.values(), books)


def _report(event: Received[Reported]) -> Report | None:
    """What the event reports, or None for a metric that no measure is made of."""
    data, tenant = event.data, event.tenant
    account_id = data.account_id.lower()
    match data:
        case TouchRecorded():
            sequence = event.sequence or 0
            contact = data.last_two_way_at
            return Report(tenant, account_id, "touch", event.time, contact_at=contact, sequence=sequence)
        case CoverageChanged():
            return Report(tenant, account_id, "coverage", data.assessed_at, data.coverage)
        case PlanProgressed():
            value = on_schedule(data.actions_total, data.actions_overdue)
            return None if value is None else Report(tenant, account_id, "plan", data.measured_at, value)
        case MetricMeasured():
            value = satisfaction(data.metric, data.value)
            if value is None:
                return None
            return Report(tenant, account_id, "satisfaction", data.measured_at, value)


def _threads(events: Sequence[Received[Reported]]) -> list[Thread]:
    """By how few people an account hangs, as its coverage says."""
    return [
        Thread(event.tenant, data.account_id.lower(), data.assessed_at, thread_share(data.thread_share, data.people))
        for event in events
        if isinstance(data := event.data, CoverageChanged)
    ]


def _plans(events: Sequence[Received[Reported]]) -> list[PlanState]:
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
        if isinstance(data := event.data, PlanProgressed) and data.plan_id is not None
    ]
