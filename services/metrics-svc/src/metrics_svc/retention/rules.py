"""From when on a tenant's limits want texts, names and deliveries gone. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics_svc.inbound.rules import RECORD_KEPT

LONGEST_DAYS = 36_500
DELIVERY_DAYS = RECORD_KEPT.days
"""How many days a delivery of a source is kept at most, whatever the limits."""
EVERY = timedelta(days=1)
"""How often the limits are applied."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many days texts are kept, and how many days whatever in an activity may name somebody; None: for ever.

    ``delivery_days`` is about what sources delivered, as it came.
    """

    activity_text_days: int | None = None
    activity_days: int | None = None
    delivery_days: int = DELIVERY_DAYS

    def texts_before(self, as_of: datetime) -> datetime | None:
        """What is older keeps no texts: the shorter of both limits, for a text may name somebody."""
        days = [days for days in (self.activity_text_days, self.activity_days) if days is not None]
        return as_of - timedelta(days=min(days)) if days else None

    def names_before(self, as_of: datetime) -> datetime | None:
        """What is older keeps no threads and no external ids with addresses in them."""
        return None if self.activity_days is None else as_of - timedelta(days=self.activity_days)

    def deliveries_before(self, as_of: datetime) -> datetime | None:
        """Deliveries that came earlier go; None when they go by themselves no later."""
        return None if self.delivery_days >= DELIVERY_DAYS else as_of - timedelta(days=self.delivery_days)
