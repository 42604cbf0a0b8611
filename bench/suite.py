"""Every benchmark with a goal, one after the other on engines of its own, and then all rows as table and chart."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import results
from chart import draw
from goals import GOALS

HERE = Path(__file__).parent

FULL = {
    "rescoring": "",
    "relay": "",
    "ingest": "",
    "reaction": "",
    "growth": "--owners 25 --each 1 --events 2500 --rounds 3",
    "timers": "--accounts 20000 --rounds 3",
    "portfolio": "--requests 2000",
}
"""Options of each benchmark, so that all of them take less than twelve minutes on two cores."""

QUICK = {
    "rescoring": "--events 10000 --accounts 500 --rounds 1 --per-message 200",
    "relay": "--events 10000 --rounds 1",
    "ingest": "--activities 2000 --singles 500 --accounts 100 --rounds 1",
    "reaction": "--rate 50 --seconds 5",
    "growth": "--owners 20 --pieces 10 50 --accounts 50 500 --each 1 --events 500 --rounds 1",
    "timers": "--accounts 1000 --pieces 2 --rounds 1",
    "portfolio": "--accounts 500 --requests 200 --rounds 1",
}
"""To see that all of it works; its figures mean nothing."""


def main() -> None:
    """Run them, print every row with its goal, draw the chart; ends with 1 as soon as a benchmark fails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="small sizes: a smoke test")
    given = options.parse_args()
    results.FILE.unlink(missing_ok=True)
    started = time.monotonic()
    for name, words in (QUICK if given.quick else FULL).items():
        print(f"\n{name}, after {time.monotonic() - started:.0f} s", flush=True)
        if subprocess.run([sys.executable, str(HERE / f"{name}.py"), *words.split()], check=False).returncode:
            sys.exit(f"bellwether bench {name} {words} failed")
    found = results.read()
    print(f"\n{found['machine']}")
    results.table(GOALS)
    draw(found, results.CHART)
    print(f"{results.FILE} and {results.CHART}, after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
