"""The services' databases, as their workers see them: those of the environment, or else the running stack's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from bellwether.errors import BellwetherError, EngineFailed
from bellwether.home import Home
from bellwether.stack.layout import SERVICES, Layout
from bellwether_kit.clock import Clock, clock_from

CONNECT_SECONDS = 5


class UnknownService(BellwetherError):
    """No service of that name has a database here."""


def database_setting(service: str) -> str:
    """The variable that names a service's database."""
    return f"BELLWETHER_{service.upper()}_DATABASE_URL"


def database_urls(service: str | None = None) -> dict[str, str]:
    """The address of each service's database with the role of its worker; of ``service`` alone when it is given.

    BELLWETHER_<SERVICE>_DATABASE_URL where any is set, else the running stack's. Raises NotUp and UnknownService.
    """
    found = {name: os.environ[database_setting(name)] for name in SERVICES if os.environ.get(database_setting(name))}
    if not found:
        layout = Layout.read(Home.found())
        found = {name: layout.database_url(name, "worker") for name in layout.services}
    if service is None:
        return found
    if service not in found:
        raise UnknownService(f"There is no database of {service!r} here; there are {', '.join(found)}.")
    return {service: found[service]}


@contextmanager
def connected(service: str, url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose rows are named tuples; raises EngineFailed where the database can't be asked."""
    plain = url.replace("postgresql+psycopg:", "postgresql:", 1)
    try:
        with psycopg.connect(
            plain, autocommit=True, row_factory=namedtuple_row, connect_timeout=CONNECT_SECONDS
        ) as connection:
            yield connection
    except psycopg.Error as error:
        raise EngineFailed(f"The database of {service}-svc can't be asked: {str(error).strip()}") from error


def clock() -> Clock:
    """The clock that the workers go by: BELLWETHER_CLOCK_FILE, the running stack's, or the machine's."""
    named = os.environ.get("BELLWETHER_CLOCK_FILE")
    if named:
        return clock_from(Path(named))
    home = Home.found()
    moved = home.record.exists() and Layout.read(home).clock
    return clock_from(home.clock if moved else None)
