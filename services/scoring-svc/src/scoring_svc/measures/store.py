"""All SQL of reported measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bellwether_kit.events import Received
from scoring_svc.consumed import CoverageChanged, MetricMeasured, PlanProgressed, TouchRecorded
from scoring_svc.measures.rules import on_schedule, satisfaction

Reported = TouchRecorded | MetricMeasured | CoverageChanged | PlanProgressed

_KEYS = "CAST(:tenant AS text[]), CAST(:account_id AS uuid[])"
_TOUCH = text(f"""
    INSERT INTO measure AS known (tenant, account_id, last_two_way_at, touch_at, touch_sequence)
    SELECT * FROM unnest({_KEYS}, CAST(:contact_at AS timestamptz[]), CAST(:at AS timestamptz[]),
                         CAST(:sequence AS bigint[]))
    ON CONFLICT (tenant, account_id) DO UPDATE
    SET last_two_way_at = EXCLUDED.last_two_way_at, touch_at = EXCLUDED.touch_at,
        touch_sequence = EXCLUDED.touch_sequence
    WHERE known.touch_at IS NULL OR EXCLUDED.touch_at > known.touch_at
       OR EXCLUDED.touch_sequence > known.touch_sequence
""")


def _value(measure: str) -> TextClause:
    return text(f"""
        INSERT INTO measure AS known (tenant, account_id, {measure}, {measure}_at)
        SELECT * FROM unnest({_KEYS}, CAST(:value AS float8[]), CAST(:at AS timestamptz[]))
        ON CONFLICT (tenant, account_id) DO UPDATE
        SET {measure} = EXCLUDED.{measure}, {measure}_at = EXCLUDED.{measure}_at
        WHERE known.{measure}_at IS NULL OR EXCLUDED.{measure}_at >= known.{measure}_at
    """)


_STATEMENTS: Final = {
    "touch": _TOUCH,
    "coverage": _value("coverage"),
    "satisfaction": _value("satisfaction"),
    "plan": _value("plan"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One thing reported about an account. `measure`: touch (then `contact_at`), coverage, satisfaction or plan."""

    tenant: str
    account_id: str
    measure: str
    at: datetime
    value: float | None = None
    contact_at: datetime | None = None
    sequence: int = 0

    @property
    def order(self) -> tuple[int, datetime]:
        """Which of two reports is the later one: where they are counted that says it, for clocks go back."""
        return self.sequence, self.at


async def keep(session: AsyncSession, reports: Sequence[Report]) -> None:
    """Keep the newest report per account and measure, unless a later one is known: one statement per measure."""
    newest: dict[tuple[str, str, str], Report] = {}
    for report in reports:
        key = report.measure, report.tenant, report.account_id
        if key not in newest or report.order >= newest[key].order:
            newest[key] = report
    for measure, statement in _STATEMENTS.items():
        found = [newest[key] for key in sorted(newest) if key[0] == measure]
        if found:
            columns = {name: [getattr(report, name) for report in found] for name in Report.__slots__}
            del columns["measure"]
            await session.execute(statement, columns)


def reports(events: Sequence[Received[Reported]]) -> list[Report]:
    """What the events report, without metrics that no measure is made of."""
    return [report for event in events if (report := _report(event)) is not None]


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
