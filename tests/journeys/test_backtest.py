"""A file of orders becomes activities, evidence, scores, and a backtest whose counts are those of the file."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bellwether.home import repository_root

pytestmark = pytest.mark.stack

BELLWETHER = Path(sys.executable).with_name("bellwether")
ENGINES = {"BELLWETHER_POSTGRES_URL", "BELLWETHER_KAFKA_BOOTSTRAP"}
DATES = ("2011-04-01", "2011-08-01")
LEAST = 3


def counted(file: Path, day: str) -> tuple[int, int]:
    """How many customers had ordered three times before a day, and how many of them ordered nothing for 90 days."""
    orders = defaultdict(list)
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            orders[row["customer"]].append(datetime.fromisoformat(row["time"]))
    start = datetime.fromisoformat(day)
    end = start + timedelta(days=90)
    known = [times for times in orders.values() if sum(at < start for at in times) >= LEAST]
    return len(known), sum(not any(start <= at < end for at in times) for times in known)


def test_orders_are_backtested_as_the_file_has_them(tmp_path: Path) -> None:
    file = repository_root() / "examples" / "orders.csv"
    asked = [word for day in DATES for word in ("--date", day)]
    asked += ["--min-acts", str(LEAST), "--fit", "--step", "120d", "--to", str(tmp_path)]

    ended = subprocess.run(
        [str(BELLWETHER), "backtest", "orders", str(file), *asked],
        env={name: value for name, value in os.environ.items() if name not in ENGINES},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert ended.returncode == 0, ended.stderr + ended.stdout
    found = json.loads((tmp_path / f"backtest-{LEAST}.json").read_text())
    parts = [(part["cases"], part["lost"]) for part in found["report"]["dates"]]
    assert parts == [counted(file, day) for day in DATES]
    names = [ranking["name"] for ranking in found["report"]["pooled"]["rankings"]]
    assert names == ["scorecard", "days-since-last-act", "number-of-acts", "bg-nbd"]
    assert found["report"]["fit"]["learnt_from"] == [DATES[0]]
    assert "all dates" in ended.stdout
    assert "<svg" in (tmp_path / f"backtest-{LEAST}.html").read_text()
