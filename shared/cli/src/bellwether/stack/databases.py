"""The services' databases: made, given their roles, and brought to the newest form. Idempotent."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from bellwether.errors import EngineFailed
from bellwether.home import Home, repository_root
from bellwether.stack.layout import Layout
from bellwether_kit.db import migrations as kit_migrations
from bellwether_kit.db.provision import provision


def prepare_databases(layout: Layout, services: Sequence[str]) -> list[str]:
    """Provision and migrate; the services that had something to do. Raises EngineFailed.

    A server of our own is skipped where nothing changed since we last did it: that saves a second start seconds.
    """
    seen = _Seen(Home(layout.home).path / "migrated.json") if layout.runs("postgres") else None
    wanted = {service: _fingerprint(service) for service in services}
    known = seen.read() if seen else {}
    due = [service for service, form in wanted.items() if known.get(service) != form]
    try:
        for service in due:
            provision(layout.postgres_url, service)
    except psycopg.Error as error:
        raise EngineFailed(f"PostgreSQL at {layout.postgres_url} cannot be provisioned: {error}") from error
    _migrate(layout, due)
    if seen:
        seen.write(wanted)
    return due


def _migrate(layout: Layout, services: list[str]) -> None:
    """Each in a process of its own, side by side: Alembic's environment is global to a process."""
    running = {service: _upgrade(layout, service) for service in services}
    said = {service: process.communicate()[0] for service, process in running.items()}
    for service, process in running.items():
        if process.returncode:
            last = said[service].strip().splitlines() or ["no reason given"]
            raise EngineFailed(f"The database of {service}-svc cannot be migrated: {last[-1]}")


def _upgrade(layout: Layout, service: str) -> subprocess.Popen[str]:
    url = {f"BELLWETHER_{service.upper()}_DATABASE_URL": layout.database_url(service, "owner")}
    command = [sys.executable, "-m", "bellwether_kit.db.migrations", str(_folder(service)), service]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | url
    )


def _folder(service: str) -> Path:
    return repository_root() / "services" / f"{service}-svc" / "migrations"


def _fingerprint(service: str) -> str:
    """Of all that decides what a migrated database looks like."""
    kit = Path(kit_migrations.__file__).parent
    digest = hashlib.sha256()
    for file in sorted([*_folder(service).rglob("*.py"), *kit.glob("*.py")]):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


class _Seen:
    """What was done in the data that lies beside this file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_text()))
        except FileNotFoundError:
            return {}

    def write(self, services: dict[str, str]) -> None:
        self._file.write_text(json.dumps(self.read() | services))
