"""How benchmarks keep and show what they found: rows beside their goals, one file of results for all, one chart."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from goals import GOALS
from rich.console import Console
from rich.table import Table

from bellwether.engines.jars import KAFKA_VERSION

FILE = Path(__file__).parent / "results.json"
CHART = FILE.with_suffix(".svg")
LIBRARIES = ("aiokafka", "psycopg", "msgspec", "fastapi", "uvicorn", "sqlalchemy", "uvloop", "faststream")

Rows = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Figures of each round, ours and those of what stands beside it (none where nothing does), by the goal's name."""


def machine() -> dict[str, str]:
    """Where it was measured, and with what."""
    found = {"machine": platform.machine(), "cores": str(os.cpu_count()), "python": platform.python_version()}
    found |= {"kafka": KAFKA_VERSION}
    return found | {name: version(name) for name in LIBRARIES}


def keep(name: str, rows: Rows, **details: object) -> None:
    """Write what one benchmark found beside what the others did, and print its rows, if it has any."""
    results = read()
    for row, (ours, base) in rows.items():
        results["rows"][row] = {"ours": list(ours), "base": list(base)}
    results["details"][name] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **details}
    FILE.write_text(json.dumps(results | {"machine": machine()}, indent=2))
    if rows:
        table(rows)


def read() -> dict[str, Any]:
    """What was found so far."""
    return dict(json.loads(FILE.read_text())) if FILE.exists() else {"machine": {}, "rows": {}, "details": {}}


def table(names: Iterable[str]) -> None:
    """Print rows, each with its goal and whether it holds: by medians of the rounds, ranges beside them."""
    shown = Table("", "measured", "ours", "beside it", "merit", "goal", "holds", show_edge=False)
    rows = read()["rows"]
    for name in names:
        goal, ours, base = GOALS[name], rows[name]["ours"], rows[name]["base"]
        merits = goal.merits(ours, base)
        reached = goal.reached(median(merits))
        holds = "yes" if reached >= 1 else f"no, {reached:.0%} of it: {goal.bounds}"
        beside = f"{goal.beside} {_figures(base)}" if base else ""
        shown.add_row(name, goal.what, f"{_figures(ours)} {goal.unit}", beside, _figures(merits), str(goal), holds)
    Console(width=None if Console().is_terminal else 200).print(shown)


def _figures(values: Sequence[float]) -> str:
    middle = f"{median(values):,.4g}" if median(values) < 1_000 else f"{median(values):,.0f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.4g} to {max(values):,.4g})"
