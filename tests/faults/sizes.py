"""What processes take: memory, threads, open files, and connections to PostgreSQL."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bellwether.errors import BellwetherError
from bellwether.stack import Stack
from faults.world import rows

MIB: Final = 1024 * 1024
SLACK: Final = {"memory": 150, "threads": 12, "files": 40}
"""MiB, threads and open files that a process may have more after the load than before: pools fill, caches warm."""
MORE_CONNECTIONS: Final = 12
"""Of each process of a role: its two pools fill, of ten connections each, and do not shrink again."""


@dataclass(frozen=True)
class Sizes:
    """Memory in MiB, threads and open files of each process, and sessions of each role at PostgreSQL."""

    processes: dict[str, dict[str, int]]
    connections: dict[str, int]


def measured(stack: Stack) -> Sizes:
    """All sizes now; of processes that run."""
    found = {}
    for name in stack.layout.processes:
        try:
            found[name] = _process(stack.pid(name))
        except (BellwetherError, OSError):
            continue
    counted = "SELECT usename, count(*) FROM pg_stat_activity WHERE usename IS NOT NULL GROUP BY usename"
    return Sizes(found, {str(name): int(count) for name, count in rows(stack, "postgres", counted)})


def _process(pid: int) -> dict[str, int]:
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    files = sum(1 for _ in (folder / "fd").iterdir())
    memory = int(status["VmRSS"].split()[0]) * 1024 // MIB
    return {"memory": memory, "threads": int(status["Threads"]), "files": files}


def grown(before: Sizes, after: Sizes) -> list[str]:
    """What takes more than before, beyond the slack; a process that was not there is compared with its first."""
    broken = []
    for name, taken in after.processes.items():
        was = before.processes.get(name) or before.processes[name.rpartition("-")[0]]
        broken += [
            f"{name}: {what} {now}, {was[what]} before" for what, now in taken.items() if now > was[what] + SLACK[what]
        ]
    running = Counter(f"{name.split('-')[0]}_{name.split('-')[1]}" for name in after.processes)
    return broken + [
        f"{role}: {now} connections, {before.connections.get(role, 0)} before"
        for role, now in after.connections.items()
        if now > before.connections.get(role, 0) + MORE_CONNECTIONS * max(1, running[role])
    ]
