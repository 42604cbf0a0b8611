"""What a fault run is to be: how long, with which faults, on whom, and how patient its end is."""

from dataclasses import dataclass
from typing import Final

BUSY_WORKERS: Final = ("metrics-worker", "scoring-worker")
CRASHES: Final = (
    "before-inbox",
    "after-inbox",
    "before-write",
    "after-write",
    "before-outbox",
    "after-outbox",
    "before-commit",
    "after-commit",
    "before-offset-commit",
    "after-produce",
    "in-timer",
    "in-alert",
)
"""Fault points at which a worker dies by itself."""


@dataclass(frozen=True)
class Targets:
    """Which workers are hit, at which points of their code they die, and whose events are sent again.

    A worker dies when it gets to its point for the n-th time, `hits` at the most.
    """

    workers: tuple[str, ...] = BUSY_WORKERS
    crashes: tuple[str, ...] = CRASHES
    senders: tuple[str, ...] = ("metrics", "scoring", "profile", "stakeholder")
    hits: int = 5
    away: float = 120.0
    """Seconds without a broker, where that is asked for."""


@dataclass(frozen=True)
class Asked:
    """One run. `kinds` of faults, None for all; `patience` in seconds, how long all may take to come to rest.

    With `minutes` faults go on so long, however many that makes.
    """

    seed: int
    events: int = 5_000
    faults: int = 20
    kinds: tuple[str, ...] | None = None
    targets: Targets = Targets()
    patience: float = 60.0
    minutes: float | None = None
