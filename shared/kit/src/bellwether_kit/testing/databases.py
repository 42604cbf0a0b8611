"""Fresh databases for tests: each service is migrated once per session, and every test gets a copy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision
from bellwether_kit.ids import uuid7


def address(admin_url: str, *, role: str, database: str) -> str:
    """The address of ``database`` as ``role`` on the server of ``admin_url``."""
    url = make_url(admin_url).set(username=role, password=None, database=database)
    return url.render_as_string(hide_password=False)


def make_template(admin_url: str, service: str, migrations: Path) -> str:
    """A migrated, empty database of ``service``; gives its name."""
    name = f"template_{service}_{uuid7().hex[-12:]}"
    provision(admin_url, service, database=name)
    upgrade(address(admin_url, role=f"{service}_owner", database=name), migrations)
    return name


@contextmanager
def copy_of(admin_url: str, template: str) -> Iterator[str]:
    """A copy of ``template`` for as long as the context lasts; gives its name."""
    name = f"test_{uuid7().hex}"
    with psycopg.connect(admin_url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        try:
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
