"""Running Alembic without an ini file: a service's ``env.py`` calls :func:`run`, everyone else :func:`upgrade`."""

import os
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, make_url
from sqlalchemy.pool import NullPool

from bellwether_kit.db.row_security import add_replays, create_kit_tables, protect, reveal

__all__ = ["add_replays", "config", "create_kit_tables", "protect", "reveal", "run", "upgrade"]


def config(database_url: str, migrations: Path) -> Config:
    """Alembic's configuration for the scripts in ``migrations``."""
    made = Config()
    made.set_main_option("script_location", str(migrations))
    made.attributes["database_url"] = database_url
    return made


def upgrade(database_url: str, migrations: Path) -> None:
    """Bring the database to the newest form; ``database_url`` is the owner's."""
    command.upgrade(config(database_url, migrations), "head")


def run(metadata: MetaData) -> None:
    """The body of every service's ``env.py``; one runner at a time, guarded by an advisory lock."""
    url = make_url(context.config.attributes["database_url"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('bellwether-migrations'))")
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def main() -> None:
    """``python -m bellwether_kit.db.migrations FOLDER SERVICE``: the migration job of a deployment.

    Reads the owner's address from BELLWETHER_<SERVICE>_DATABASE_URL.
    """
    folder, service = sys.argv[1:3]
    upgrade(os.environ[f"BELLWETHER_{service.upper()}_DATABASE_URL"], Path(folder))


if __name__ == "__main__":
    main()
