"""What a database holds after a run, and putting the very same rows in again by COPY: the floor of ingest."""

import time
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

Rows = dict[str, tuple[sql.Composed, list[tuple[Any, ...]]]]
"""Of each table its columns and its rows."""

_TABLES = """
    SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname = 'public' ORDER BY relname
"""
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


def empty_tables(db: psycopg.Connection) -> list[str]:
    """The tables without a row: before the first run, those that activities fill."""
    names = [name for (name,) in db.execute(_TABLES)]
    held = sql.SQL("SELECT EXISTS (SELECT FROM {})")
    return [name for name in names if not db.execute(held.format(sql.Identifier(name))).fetchall()[0][0]]


def clear(db: psycopg.Connection, tables: list[str]) -> None:
    """Empty ``tables``, and let no account wait for a deadline."""
    db.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
    db.execute("UPDATE account SET due_at = NULL WHERE due_at IS NOT NULL")
    db.execute("CHECKPOINT")


def rows_of(db: psycopg.Connection, tables: list[str]) -> Rows:
    """All rows of those ``tables`` that have some."""
    found: Rows = {}
    for name in tables:
        columns = sql.SQL(", ").join(sql.Identifier(column) for (column,) in db.execute(_COLUMNS, [name]))
        rows = db.execute(sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(name))).fetchall()
        if rows:
            table = sql.SQL("{} ({})").format(sql.Identifier(name), columns)
            found[name] = table, [tuple(Jsonb(v) if isinstance(v, dict) else v for v in row) for row in rows]
    return found


def copy(db: psycopg.Connection, rows: Rows) -> float:
    """Put ``rows`` in, all in one transaction; gives the seconds it took."""
    started = time.perf_counter()
    with db.transaction():
        for table, values in rows.values():
            with db.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as into:
                for row in values:
                    into.write_row(row)
    return time.perf_counter() - started
