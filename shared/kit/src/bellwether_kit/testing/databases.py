"""Fresh databases for tests: a service is migrated once per session, and every test gets one without a row."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bellwether_kit.db.migrations import upgrade
from bellwether_kit.db.provision import provision
from bellwether_kit.ids import uuid7

_idle: dict[tuple[str, str], list[str]] = defaultdict(list)

EMPTYING = """
    SELECT format('DELETE FROM %I', relname) AS statement FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
  UNION ALL
    SELECT format('SELECT setval(%L, 1, false)', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
"""
"""Finds the statements that leave a database without a row."""


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
    with psycopg.connect(admin_url, autocommit=True) as server:
        name = _copied(server, template)
        try:
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _copied(server: psycopg.Connection, template: str) -> str:
    name = f"test_{uuid7().hex}"
    server.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )
    return name


@contextmanager
def without_a_row(admin_url: str, template: str) -> Iterator[str]:
    """An empty database like ``template`` for as long as the context lasts; gives its name.

    A copy costs more than most tests do, so what a test leaves is emptied and lent to the next one of this process.
    """
    shelf = _idle[admin_url, template]
    if not shelf:
        with psycopg.connect(admin_url, autocommit=True) as server:
            shelf.append(_copied(server, template))
    name = shelf.pop()
    yield name
    _empty(admin_url, name)
    shelf.append(name)


def _empty(admin_url: str, name: str) -> None:
    url = make_url(admin_url).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (name,),
        )
        statements = [row[0] for row in server.execute(EMPTYING)]
        server.execute("BEGIN; " + "; ".join(statements) + "; COMMIT")
