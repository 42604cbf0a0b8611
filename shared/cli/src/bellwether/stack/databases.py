"""The services' databases: made, given their roles, and brought to the newest form. Idempotent."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from bellwether.errors import EngineFailed
from bellwether.home import repository_root
from bellwether.stack.layout import Layout


def prepare_databases(layout: Layout, services: Sequence[str]) -> list[str]:
    """Provision and migrate; the services that had something to do. Raises EngineFailed.

    A server of our own is skipped where nothing changed since we last did it: that saves a second start seconds.
    """
    seen = _Seen(layout.home / "postgres" / "bellwether-migrated.json") if layout.runs("postgres") else None
    wanted = {service: _fingerprint(service) for service in services}
    known = seen.read() if seen else {}
    due = [service for service, form in wanted.items() if known.get(service) != form]
    if due:
        _run(_kit("provision", *due, BELLWETHER_POSTGRES_URL=layout.postgres_url), "The databases cannot be made")
    migrating = {service: _upgrade(layout, service) for service in due}
    for service, process in migrating.items():
        _run(process, f"The database of {service}-svc cannot be migrated")
    if seen:
        seen.write(wanted)
    return due


def _upgrade(layout: Layout, service: str) -> subprocess.Popen[str]:
    url = {f"BELLWETHER_{service.upper()}_DATABASE_URL": layout.database_url(service, "owner")}
    return _kit("migrations", str(_folder(service)), service, **url)


def _kit(module: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """The kit's own job in a process of its own: Alembic's environment is global, and its imports are slow."""
    command = [sys.executable, "-m", f"bellwether_kit.db.{module}", *arguments]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | variables
    )


def _run(process: subprocess.Popen[str], trouble: str) -> None:
    said = process.communicate()[0].strip().splitlines()
    if process.returncode:
        raise EngineFailed(f"{trouble}: {said[-1] if said else 'no reason given'}")


def _folder(service: str) -> Path:
    return repository_root() / "services" / f"{service}-svc" / "migrations"


def _fingerprint(service: str) -> str:
    """Of all that decides what a migrated database looks like."""
    kit = find_spec("bellwether_kit")
    assert kit is not None
    assert kit.origin is not None
    common = Path(kit.origin).parent / "db"
    digest = hashlib.sha256()
    for file in sorted([*_folder(service).rglob("*.py"), *common.glob("*.py")]):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


class _Seen:
    """What was done in the data folder that holds this file: it goes when the data goes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_text()))
        except FileNotFoundError:
            return {}

    def write(self, services: dict[str, str]) -> None:
        self._file.write_text(json.dumps(self.read() | services))
