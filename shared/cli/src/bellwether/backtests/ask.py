"""Asking scoring-svc for a backtest, waiting for it, and keeping its report as files."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bellwether.client import Client
from bellwether.errors import BellwetherError

PAUSE = 0.5

Body = dict[str, Any]


class NotDone(BellwetherError):
    """A backtest failed, or somebody stopped it."""


@dataclass(frozen=True)
class Question:
    """What a backtest is asked for, in the words of the API."""

    dates: list[str]
    horizon_days: int = 90
    lost_by: str = "silence"
    act: str | None = None
    min_acts: int = 5
    scorecard: str = "current"
    fit: bool = False


def backtest(client: Client, question: Question, say: Callable[[str], None], pause: float = PAUSE) -> Body:
    """Ask for a backtest and wait until it is done; gives it with its report. Raises NotDone."""
    found = client.ask("scoring", "backtests", asdict(question))
    while found["status"] in {"queued", "running"}:
        say(f"{found['accounts']:,} accounts looked at")
        time.sleep(pause)
        found = client.get("scoring", f"backtests/{found['id']}")
    if found["status"] != "done":
        raise NotDone(f"Backtest {found['id']} is {found['status']}{f': {p}' if (p := found['problem']) else ''}.")
    return found


def keep(client: Client, found: Body, *, json_file: Path | None, html_file: Path | None) -> None:
    """Write the report to the files that are named."""
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if html_file is not None:
        html_file.write_text(client.page("scoring", f"backtests/{found['id']}/report.html"), encoding="utf-8")
