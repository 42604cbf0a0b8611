"""What `bellwether doctor` looks at on this machine: Python, packages, disk, settings."""

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path

from pydantic import ValidationError

from bellwether.engines.space import MIB, free_bytes
from bellwether.operations.finding import Finding, graded
from bellwether.stack.layout import SERVICES, Layout
from bellwether.stack.processes import inherited, of_services

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE, NO_SPACE = 2048 * MIB, 256 * MIB
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is new enough."""
    told = ".".join(map(str, version))
    return graded("python", told, bad=version[:2] < OLDEST_PYTHON, advice="Install Python 3.11 or newer.")


def packages(lock: str | None, installed: Mapping[str, str] | None = None) -> Finding:
    """Whether what is installed (default: here) has the versions of the lock file whose text is ``lock``.

    An image has no such file (None): its packages were put there from one, with their hashes.
    """
    if lock is None:
        return graded("packages", "those of the image")
    wanted: dict[str, set[str]] = defaultdict(set)
    for name, version in _LOCKED.findall(lock):
        wanted[_plain(name)].add(version)
    if installed is None:
        installed = {each.metadata["Name"]: each.version for each in distributions()}
    here = {_plain(name): version for name, version in installed.items()}
    both = wanted.keys() & here.keys()
    other = sorted(f"{name} {here[name]}" for name in both if here[name] not in wanted[name])
    if not other:
        return graded("packages", f"{len(both)} as in requirements.lock")
    told = f"not as in requirements.lock: {', '.join(other)}"
    return graded("packages", told, warn=True, advice="Run `make setup`.")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def disk(folder: Path, free: int | None = None) -> Finding:
    """Whether there is room to write below ``folder``."""
    left = free_bytes(folder) if free is None else free
    told = f"{left // MIB:,} MiB free for {folder}"
    return graded("disk", told, bad=left < NO_SPACE, warn=left < LITTLE_SPACE, advice="Make room.")


def settings(layout: Layout | None) -> list[Finding]:
    """Whether each service's settings can be read: from the stack's variables, or else from the environment."""
    if layout is None:
        return [_read(f"settings of {service}", service, os.environ) for service in SERVICES]
    common = inherited(os.environ, layout.home)
    return [
        _read(f"settings of {process.name}", process.name.partition("-")[0], {**common, **process.environment})
        for process in of_services(layout)
    ]


def _read(what: str, service: str, variables: Mapping[str, str]) -> Finding:
    try:
        made = import_module(f"{service}_svc.settings").Settings
    except ModuleNotFoundError:
        return Finding(
            what, "warn", f"{service}-svc is not installed here", "Look where it is: in a clone, or its image."
        )
    with _environment(variables):
        try:
            made()
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            return Finding(
                what, "bad", wrong, "Correct the variable that sets it; the service's settings.py names all."
            )
    return Finding(what, "ok", "valid")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before, given = dict(os.environ), dict(variables)
    os.environ.clear()
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
