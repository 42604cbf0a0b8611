"""The 5P grid of the people at an account: how much they count and how they stand. Pure.

Each person is marked 1 to 5 on power, perception, priority, promoter and pliability, and has a weight of 1 to 5.
"""

from collections.abc import Iterable
from dataclasses import dataclass

LOW_TOTAL = 12
"""A total of 12 or less, a mean under 2.5, is low: half of the marks or more speak against us."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The marks of one person, each 1 (low) to 5 (high), and how much the person weighs, 1 to 5."""

    power: int
    perception: int
    priority: int
    promoter: int
    pliability: int
    weight: int = 3

    @property
    def total(self) -> int:
        """The sum of the five marks: 5 to 25."""
        return self.power + self.perception + self.priority + self.promoter + self.pliability

    @property
    def weighted_total(self) -> int:
        """The total times the weight: 5 to 125."""
        return self.weight * self.total


def index(grids: Iterable[Grid]) -> float | None:
    """How the account stands with its people: Σ w(total - 5) / (20 Σ w), 0 to 1; None when nobody is marked."""
    marked = list(grids)
    weight = sum(grid.weight for grid in marked)
    return sum(grid.weight * (grid.total - 5) for grid in marked) / (20 * weight) if weight else None


def is_low(grid: Grid) -> bool:
    """Whether the marks as a whole are low; for somebody with a veto that is a finding of its own."""
    return grid.total <= LOW_TOTAL
