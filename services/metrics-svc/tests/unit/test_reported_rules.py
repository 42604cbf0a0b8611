"""Which reported figures are taken."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from metrics_svc.reported.rules import Refusal, Reported, refusal

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REVENUE = Reported("revenue", date(2026, 1, 1), date(2026, 1, 31), Decimal("12.50"), "EUR", money=True)
SHARE = replace(REVENUE, measure="share-of-wallet", value=Decimal(40), unit="percent", money=False)


@pytest.mark.parametrize(
    ("figure", "changed", "expected"),
    [
        (REVENUE, {}, None),
        (REVENUE, {"measure": "profit", "value": Decimal(-5)}, None),
        (SHARE, {}, None),
        (REVENUE, {"measure": "tickets-closed", "unit": "1", "money": False}, None),
        (REVENUE, {"period_start": date(2026, 3, 2), "period_end": date(2026, 3, 31)}, None),
        (SHARE, {"measure": "retention", "value": Decimal(112)}, None),
        (REVENUE, {"measure": "nps"}, (Refusal.MEASURE_RESERVED, "/measure")),
        (REVENUE, {"money": False}, (Refusal.UNIT_MISMATCH, "/value")),
        (SHARE, {"unit": "1"}, (Refusal.UNIT_MISMATCH, "/unit")),
        (SHARE, {"unit": "EUR", "money": True}, (Refusal.UNIT_MISMATCH, "/money")),
        (SHARE, {"value": Decimal("100.01")}, (Refusal.SHARE_OUT_OF_RANGE, "/value")),
        (SHARE, {"value": Decimal("-0.01")}, (Refusal.SHARE_OUT_OF_RANGE, "/value")),
        (REVENUE, {"period_end": date(2025, 12, 31)}, (Refusal.OUT_OF_ORDER, "/period_end")),
        (REVENUE, {"period_start": date(1989, 12, 31)}, (Refusal.TOO_EARLY, "/period_start")),
        (
            REVENUE,
            {"period_start": date(2026, 3, 3), "period_end": date(2026, 3, 31)},
            (Refusal.IN_FUTURE, "/period_start"),
        ),
    ],
)
def test_a_figure_that_makes_no_sense_is_refused(
    figure: Reported, changed: dict[str, Any], expected: tuple[Refusal, str] | None
) -> None:
    assert refusal(replace(figure, **changed), NOW) == expected
