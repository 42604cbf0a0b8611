"""What each measurement must reach, by the name of its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

PAGE = "docs/performance.md"


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit: of the ratio to what stands `beside`, round by round, or else of the figure itself, in `unit`.

    `bounds` says what bounds a row that misses, and where in docs/performance.md its profile is.
    """

    what: str
    unit: str
    limit: float
    at_most: bool = False
    beside: str = ""
    bounds: str = ""

    def merits(self, ours: Sequence[float], base: Sequence[float]) -> list[float]:
        """What the limit is about, of each round."""
        if not self.beside:
            return list(ours)
        if len(ours) != len(base):
            return [median(ours) / median(base)]
        return [one / other for one, other in zip(ours, base, strict=True)]

    def reached(self, merit: float) -> float:
        """How much of the goal that is: 1 and more when it holds."""
        return self.limit / merit if self.at_most else merit / self.limit

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {self.limit:,g} of {self.beside}" if self.beside else f"{sign} {self.limit:,g} {self.unit}"


GOALS = {
    "F1": Goal("rescoring drain", "events/s", 0.5, beside="floor"),
    "F1 per message": Goal("rescoring drain", "events/s", 50, beside="FastStream, message by message"),
    "F2": Goal("activities in bulk", "activities/s", 0.5, beside="COPY", bounds=f"{PAGE}#ingest"),
    "F3": Goal("activities one by one", "activities/s", 0.5, beside="bare route", bounds=f"{PAGE}#ingest"),
    "F4 median": Goal("post to alert", "ms", 60, at_most=True, bounds=f"{PAGE}#reaction"),
    "F4 p99": Goal("post to alert", "ms", 300, at_most=True, bounds=f"{PAGE}#reaction"),
    "F5": Goal("event by its account's history", "µs", 1.2, True, "cheapest length", f"{PAGE}#cost-of-an-event"),
    "F6": Goal("event by number of accounts", "µs", 1.3, True, "fewest accounts", f"{PAGE}#cost-of-an-event"),
    "F7": Goal("accounts due, evaluated", "accounts/s", 10_000, bounds=f"{PAGE}#timers"),
    "F8 page": Goal("portfolio page", "requests/s", 0.5, beside="bare route", bounds=f"{PAGE}#reads"),
    "F8 page p99": Goal("portfolio page", "ms", 50, at_most=True, bounds=f"{PAGE}#reads"),
    "F8 page anew": Goal("page that is not remembered", "requests/s", 0.5, beside="bare route", bounds=f"{PAGE}#reads"),
    "F8 page anew p99": Goal("page that is not remembered", "ms", 50, at_most=True, bounds=f"{PAGE}#reads"),
    "F8 health": Goal("health of an account", "requests/s", 0.5, beside="bare route", bounds=f"{PAGE}#reads"),
    "F8 health p99": Goal("health of an account", "ms", 50, at_most=True, bounds=f"{PAGE}#reads"),
    "F9": Goal("relay", "events/s", 0.5, beside="raw produce", bounds=f"{PAGE}#relay"),
    "F10 worker after F1": Goal("memory of the scoring worker", "MiB", 160, at_most=True),
    "F10 API after F3": Goal("memory of the metrics API", "MiB", 160, at_most=True),
    "F10 API after F4": Goal("memory of the largest API", "MiB", 160, at_most=True),
    "F10 worker after F4": Goal("memory of the largest worker", "MiB", 160, at_most=True),
    "F10 start": Goal("cold start until ready, the slowest process", "s", 3, at_most=True),
}
