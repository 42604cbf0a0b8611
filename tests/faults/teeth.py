"""Shows that the judge of fault runs has teeth: each promise broken on purpose must be seen. `make faults-teeth`."""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import psycopg
from rich.console import Console
from rich.table import Table

from bellwether.home import Home
from bellwether.stack import Stack
from bellwether.stack.processes import Variables
from faults.__main__ import VARIABLES, run
from faults.asked import Asked
from faults.judge import Finding
from faults.sabotage.catalogue import SABOTAGES, Sabotage

SEEDS: Final = 3
CONTROL: Final = "none"
UNHARMED: Final = Sabotage("nothing is broken: the control", targets=SABOTAGES["memory-only"].targets)
FOLDERS: Final = Path(__file__).parent / "sabotage", Path(__file__).parents[1]
"""On the path of sabotaged processes: what Python runs first, and the package that it imports."""


@dataclass(frozen=True)
class Bite:
    """What the judge said of one run: the invariants that did not hold, and one of its sentences."""

    seed: int
    invariants: tuple[str, ...]
    words: str
    seconds: float
    folder: Path


def variables(name: str, sabotage: Sabotage) -> Mapping[str, Variables]:
    """The variables by process that put a sabotage in force."""
    path = os.pathsep.join(str(folder) for folder in FOLDERS)
    more = {"BELLWETHER_SABOTAGE": name, "PYTHONPATH": path} if sabotage.edits else {}
    return VARIABLES | {process: VARIABLES.get(process, {}) | more for process in sabotage.processes}


def bitten(name: str, sabotage: Sabotage, asked: Asked) -> Bite:
    """One run with a sabotage in force; its folder stays, with what the run printed in `run.log`."""
    folder = Path(mkdtemp(prefix=f"bellwether-teeth-{name}-"))
    folder.chmod(0o755)
    stack = Stack(
        Home(folder), any_port=True, clock=True, replicas=sabotage.replicas, variables=variables(name, sabotage)
    )
    began = time.monotonic()
    stack.start()
    try:
        for database, statement in sabotage.statements:
            base = stack.layout.postgres_url.rpartition("/")[0]
            with psycopg.connect(f"{base}/{database}", autocommit=True) as connection:
                connection.execute(statement)
        with (folder / "run.log").open("w") as log, redirect_stdout(log):
            findings, _ = asyncio.run(run(stack, asked, folder))
    finally:
        stack.stop()
    return _bite(findings, asked.seed, time.monotonic() - began, folder)


def _bite(findings: list[Finding], seed: int, seconds: float, folder: Path) -> Bite:
    broken = [finding for finding in findings if finding.violations]
    words = broken[0].violations[0] if broken else ""
    return Bite(seed, tuple(finding.name for finding in broken), words, seconds, folder)


def tried(name: str, sabotage: Sabotage, said: argparse.Namespace) -> Bite:
    """Run with one seed after the other until the judge sees something; of the control one must do."""
    for seed in range(said.seed, said.seed + (1 if name == CONTROL else SEEDS)):
        asked = Asked(seed, said.events, said.faults, sabotage.kinds, sabotage.targets, patience=30.0)
        bite = bitten(name, sabotage, asked)
        if bite.invariants:
            break
        shutil.rmtree(bite.folder)
    return bite


def main() -> int:
    """Run the control and each sabotage, print what was seen, and exit with 1 when something was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[CONTROL, *SABOTAGES], default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=1_200)
    parser.add_argument("--faults", type=int, default=5)
    said = parser.parse_args()
    console, good = Console(), True
    table = Table("sabotage", "seed", "s", "seen by", "in words")
    for name, sabotage in ({CONTROL: UNHARMED} | dict(SABOTAGES)).items():
        if said.only not in (None, name):
            continue
        bite = tried(name, sabotage, said)
        right = bool(bite.invariants) == (name != CONTROL)
        good = good and right
        mark = "" if right else "NOT SEEN " if name != CONTROL else f"BROKEN, see {bite.folder} "
        console.print(f"{name}: {mark}{', '.join(bite.invariants) or 'no violation'}", markup=False, highlight=False)
        short = ", ".join(dict.fromkeys(invariant[:7].strip() for invariant in bite.invariants))
        table.add_row(name, str(bite.seed), f"{bite.seconds:.0f}", mark + short, bite.words)
        if right:
            shutil.rmtree(bite.folder, ignore_errors=True)
    console.print(table)
    console.print("the judge has teeth" if good else "NOT as it should be: see the table")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
