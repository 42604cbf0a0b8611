"""When a sabotage counts as seen: what the judge said of one run, and how many seeds are tried. Starts nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

SEEDS: Final = 3
CONTROL: Final = "none"
WORDS: Final = 120
"""Letters of what the judge said that are shown."""
OF_TIME: Final = ("I12", "I13", "I14")
"""Invariants that a slow machine can break alone: they say nothing of a sabotage."""


class Finding(Protocol):
    """What the judge found of one invariant."""

    @property
    def name(self) -> str:
        """Which it is, beginning with its numbers."""

    @property
    def violations(self) -> list[str]:
        """Where it did not hold, in words."""


@dataclass(frozen=True)
class Bite:
    """What the judge said of one run: the invariants that did not hold, and how one of its sentences begins."""

    name: str
    seed: int
    invariants: tuple[str, ...]
    words: str

    @property
    def is_right(self) -> bool:
        """Whether it is as it should be: a sabotage was seen, and of the control nothing."""
        return bool(self.invariants) == (self.name != CONTROL)


def bite(name: str, seed: int, findings: Iterable[Finding]) -> Bite:
    """What a run under a sabotage shows; of the control every invariant counts."""
    telling = [each for each in findings if name == CONTROL or not each.name.startswith(OF_TIME)]
    broken = [each for each in telling if each.violations]
    words = " ".join(broken[0].violations[0].split())[:WORDS] if broken else ""
    return Bite(name, seed, tuple(each.name for each in broken), words)


def first_right(name: str, seed: int, run: Callable[[int], Bite]) -> Bite:
    """Run with one seed after the other until a sabotage is seen; of the control the first must do."""
    for each in range(seed, seed + (1 if name == CONTROL else SEEDS)):
        seen = run(each)
        if seen.is_right:
            break
    return seen
