"""The rows as a picture: how much of its goal each reaches."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pygal
from goals import GOALS
from pygal.style import CleanStyle

HELD, MISSED = "#2a9d8f", "#e76f51"
FULL = 2.0


def draw(found: Mapping[str, Any], file: Path) -> None:
    """Write an SVG of all rows that were found; a bar at 1 is a goal that is just reached, bars end at 2."""
    chart = pygal.HorizontalBar(
        title=f"Share of its goal that each row reaches ({found['machine']['cores']} cores)",
        style=CleanStyle(label_font_size=11, title_font_size=15),
        show_legend=False,
        range=(0, FULL),
        y_labels=[0, 0.5, 1, 1.5, FULL],
        width=1100,
        height=60 + 28 * len(found["rows"]),
        js=[],
    )
    names = [name for name in GOALS if name in found["rows"]][::-1]
    merits = {name: median(GOALS[name].merits(row["ours"], row["base"])) for name, row in found["rows"].items()}
    chart.x_labels = [_label(name, merits[name]) for name in names]
    chart.add("", [_bar(GOALS[name].reached(merits[name])) for name in names])
    file.write_bytes(chart.render())


def _label(name: str, merit: float) -> str:
    goal = GOALS[name]
    figure = f"{merit:.2f} of {goal.beside}" if goal.beside else f"{merit:,.4g} {goal.unit}"
    return f"{name}, {goal.what}: {figure} (goal {goal})"


def _bar(reached: float) -> dict[str, Any]:
    return {"value": min(reached, FULL), "color": HELD if reached >= 1 else MISSED}
