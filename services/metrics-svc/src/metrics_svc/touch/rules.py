"""Who reached out to whom: how one activity counts as contact. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from metrics_svc.activities.rules import CONVERSATION, Activity, is_purchase

PERIOD = timedelta(days=90)
"""Counts, ratio and median look back this far."""


@dataclass(frozen=True, slots=True)
class Contact:
    """How an activity counts: we reached out, they did, and whether the client took part."""

    outbound: bool
    inbound: bool
    two_way: bool


def contact(activity: Activity) -> Contact | None:
    """How an activity counts as contact; None when it does not.

    Two-way is every contact the client took part in: what they wrote, called, bought or answered, a call that
    connected, a meeting that was held. A meeting counts only when held, a bounced message not at all.
    """
    inbound = activity.direction == "inbound"
    if activity.type in CONVERSATION:
        if activity.outcome == "bounced":
            return None
        return Contact(not inbound, inbound, inbound or activity.outcome == "connected")
    if activity.type == "meeting":
        return Contact(False, False, True) if activity.outcome == "held" else None
    if is_purchase(activity):
        return Contact(False, True, True)
    if activity.type in {"ticket", "survey", "proposal"} and activity.direction is not None:
        return Contact(not inbound, inbound, inbound)
    return None


@dataclass(frozen=True, slots=True)
class Last:
    """Latest moments of contact; None when there was none of that sort."""

    outbound_at: datetime | None = None
    inbound_at: datetime | None = None
    two_way_at: datetime | None = None

    def later(self, at: datetime, how: Contact) -> "Last":
        """With one more contact taken in."""
        return Last(
            _later(self.outbound_at, at if how.outbound else None),
            _later(self.inbound_at, at if how.inbound else None),
            _later(self.two_way_at, at if how.two_way else None),
        )

    def latest(self) -> datetime:
        """The last contact of any sort; raises ValueError without one."""
        return max(at for at in (self.outbound_at, self.inbound_at, self.two_way_at) if at)

    def without(self, at: datetime, how: Contact) -> "Last":
        """Without what a contact taken back may have been the last of."""
        return Last(
            None if how.outbound and self.outbound_at == at else self.outbound_at,
            None if how.inbound and self.inbound_at == at else self.inbound_at,
            None if how.two_way and self.two_way_at == at else self.two_way_at,
        )

    def filled(self, at: datetime, how: Contact, stood: "Last") -> "Last":
        """With an earlier contact in place of what is lacking and ``stood`` once."""
        return Last(
            at if how.outbound and self.outbound_at is None and stood.outbound_at else self.outbound_at,
            at if how.inbound and self.inbound_at is None and stood.inbound_at else self.inbound_at,
            at if how.two_way and self.two_way_at is None and stood.two_way_at else self.two_way_at,
        )

    def lacks(self, stood: "Last") -> bool:
        """Whether something that ``stood`` once is still lacking."""
        return any(
            then and not now
            for then, now in (
                (stood.outbound_at, self.outbound_at),
                (stood.inbound_at, self.inbound_at),
                (stood.two_way_at, self.two_way_at),
            )
        )


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    return max(a, b) if a and b else a or b


def median_hours(seconds: Sequence[float]) -> float | None:
    """The median of response times, in hours; None without any."""
    return median(seconds) / 3600 if seconds else None


def ratio(two_way: int, contacts: int) -> float | None:
    """Share of contacts the client took part in, 0 to 1; None without any."""
    return two_way / contacts if contacts else None


def first_day(as_of: datetime) -> date:
    """The first day of the period that ends at a moment."""
    return (as_of - PERIOD).date()
