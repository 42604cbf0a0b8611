"""How benchmarks show what they found: a table of medians and ranges, ratios, and one file of results for all."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).parent / "results.json"


def machine() -> str:
    """Where it was measured."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def table(title: str, found: Mapping[str, Sequence[float]], *, ours: str, base: str, goal: str) -> float:
    """Print two contestants' medians and ranges and the median of the rounds' ratios, which it gives."""
    shown = Table(title, "median", "range", show_edge=False)
    for name in (base, ours):
        values = found[name]
        shown.add_row(name, f"{statistics.median(values):,.5g}", f"{min(values):,.5g} to {max(values):,.5g}")
    ratios = [mine / floor for mine, floor in zip(found[ours], found[base], strict=True)]
    ratio = statistics.median(ratios)
    console = Console()
    console.print(shown)
    some = f" ({', '.join(f'{one:.2f}' for one in ratios)})" if len(ratios) < 10 else ""
    console.print(f"ratio {ratio:.2f}{some}, goal {goal}\n")
    return ratio


def keep(name: str, found: Mapping[str, object]) -> None:
    """Write what one benchmark found beside what the others did."""
    results = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(results | {name: found}, indent=2))
