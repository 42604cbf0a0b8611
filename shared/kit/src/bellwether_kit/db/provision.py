"""Making a service's database and roles on a server we administer: idempotent, and run before its migrations."""

import os
import sys

import psycopg
from psycopg import sql


def provision(
    admin_url: str, service: str, *, database: str | None = None, passwords: dict[str, str] | None = None
) -> None:
    """Create the roles ``<service>_owner/_api/_worker`` and the database (default: named like the service).

    ``passwords`` by role name, for servers that ask for them. The owner migrates; the API and the worker own
    nothing and bypass nothing. Raises psycopg errors as they come.
    """
    database = database or service
    with psycopg.connect(admin_url, autocommit=True) as server:
        for role in ("owner", "api", "worker"):
            _role(server, f"{service}_{role}", (passwords or {}).get(f"{service}_{role}"))
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            server.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(database), sql.Identifier(f"{service}_owner")
                )
            )
        server.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
        server.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}").format(
                sql.Identifier(database),
                sql.Identifier(f"{service}_api"),
                sql.Identifier(f"{service}_worker"),
            )
        )


def _role(server: psycopg.Connection, role: str, password: str | None) -> None:
    if not server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        try:
            server.execute(sql.SQL("CREATE ROLE {} LOGIN NOBYPASSRLS").format(sql.Identifier(role)))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            return  # somebody made it between our look and our word; it is the same role
    if password is not None:
        server.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))


def main() -> None:
    """``python -m bellwether_kit.db.provision SERVICE…``: the job of a deployment.

    Reads the administrator's address from BELLWETHER_POSTGRES_URL and passwords from BELLWETHER_<ROLE>_PASSWORD
    (``BELLWETHER_METRICS_API_PASSWORD``).
    """
    for service in sys.argv[1:]:
        roles = [f"{service}_{role}" for role in ("owner", "api", "worker")]
        given = {role: os.environ.get(f"BELLWETHER_{role.upper()}_PASSWORD") for role in roles}
        provision(
            os.environ["BELLWETHER_POSTGRES_URL"],
            service,
            passwords={role: password for role, password in given.items() if password is not None},
        )


if __name__ == "__main__":
    main()
