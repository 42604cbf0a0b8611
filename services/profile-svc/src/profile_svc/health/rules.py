"""Which of several reports about an account's health stands. Pure: no database, no HTTP, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Health:
    """An account's health as last published; ``score`` 0..100, ``sequence`` dense per account."""

    tenant: str
    account_id: UUID
    score: float
    band: str
    sequence: int
    evaluated_at: datetime


def latest(reports: Iterable[Health]) -> list[Health]:
    """The report with the highest sequence of each account, whatever order they came in."""
    newest: dict[tuple[str, UUID], Health] = {}
    for report in reports:
        known = newest.setdefault((report.tenant, report.account_id), report)
        if report.sequence > known.sequence:
            newest[report.tenant, report.account_id] = report
    return list(newest.values())
