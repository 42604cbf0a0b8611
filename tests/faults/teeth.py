"""Shows that the judge of fault runs has teeth: each promise broken on purpose must be seen. `make faults-teeth`."""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import psycopg
from rich.console import Console
from rich.table import Table

from bellwether.home import Home
from bellwether.stack import Stack
from bellwether.stack.processes import Variables
from faults.__main__ import VARIABLES
from faults.asked import Asked
from faults.run import run
from faults.sabotage.bites import CONTROL, Bite, bite, first_right
from faults.sabotage.catalogue import SABOTAGES, Sabotage

UNHARMED: Final = Sabotage("nothing is broken: the control", targets=SABOTAGES["memory-only"].targets)
FOLDERS: Final = Path(__file__).parent / "sabotage", Path(__file__).parents[1]
"""On the path of sabotaged processes: what Python runs first, and the package that it imports."""


def variables(name: str, sabotage: Sabotage) -> Mapping[str, Variables]:
    """The variables by process that put a sabotage in force."""
    path = os.pathsep.join(str(folder) for folder in FOLDERS)
    more = {"BELLWETHER_SABOTAGE": name, "PYTHONPATH": path} if sabotage.edits else {}
    return VARIABLES | {process: VARIABLES.get(process, {}) | more for process in sabotage.processes}


def bitten(name: str, sabotage: Sabotage, asked: Asked) -> Bite:
    """One run with a sabotage in force. What is not as it should be keeps its folder, with the run's words in it."""
    folder = Path(mkdtemp(prefix=f"bellwether-teeth-{name}-"))
    folder.chmod(0o755)
    stack = Stack(
        Home(folder), any_port=True, clock=True, replicas=sabotage.replicas, variables=variables(name, sabotage)
    )
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
    seen = bite(name, asked.seed, findings)
    if seen.is_right:
        shutil.rmtree(folder)
    else:
        print(f"{name}, seed {asked.seed}: see {folder}", flush=True)
    return seen


def main() -> int:
    """Run the control and each sabotage, print what was seen, and exit with 1 when something was not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[CONTROL, *SABOTAGES], default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=900)
    parser.add_argument("--faults", type=int, default=4)
    said = parser.parse_args()
    console, good = Console(), True
    table = Table("sabotage", "seed", "s", "seen by", "in words")
    for name, sabotage in ({CONTROL: UNHARMED} | dict(SABOTAGES)).items():
        if said.only not in (None, name):
            continue

        def once(seed: int, name: str = name, sabotage: Sabotage = sabotage) -> Bite:
            asked = Asked(seed, said.events, said.faults, sabotage.kinds, sabotage.targets, patience=30.0)
            return bitten(name, sabotage, asked)

        began = time.monotonic()
        seen = first_right(name, said.seed, once)
        good = good and seen.is_right
        result = ", ".join(seen.invariants) or "nothing"
        console.print(f"{name}: {result}{'' if seen.is_right else ', NOT as it should be'}", highlight=False)
        short = ", ".join(dict.fromkeys(invariant[:7].strip() for invariant in seen.invariants))
        table.add_row(name, str(seen.seed), f"{time.monotonic() - began:.0f}", short, seen.words)
    console.print(table)
    console.print("the judge has teeth" if good else "NOT as it should be: see above")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
