"""What migrations carry over from what there is, done as the owner of the tables, for all tenants."""

from collections.abc import Iterator
from datetime import UTC
from uuid import UUID

import psycopg
import pytest
from alembic import command
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from bellwether_kit.db.migrations import config, upgrade
from bellwether_kit.db.provision import provision
from bellwether_kit.ids import uuid7
from bellwether_kit.testing.databases import address
from bellwether_kit.testing.service import ServiceUnderTest

ACCOUNT, DESK, GONE = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def before(postgres: str, service: ServiceUnderTest, request: pytest.FixtureRequest) -> Iterator[str]:
    """The owner's address of a database of an earlier revision."""
    name = f"before_{uuid7().hex}"
    provision(postgres, "scoring", database=name)
    owner = address(postgres, role="scoring_owner", database=name)
    command.upgrade(config(owner, service.migrations), request.param)
    yield owner
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize("before", ["0010"], indirect=True)
def test_what_is_known_begins_history_and_names_of_channels_become_ids(
    before: str, postgres: str, service: ServiceUnderTest
) -> None:
    admin = make_url(postgres).set(database=make_url(before).database).render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True, row_factory=namedtuple_row) as server:
        for tenant, lost in (("acme", 1), ("globex", 2)):
            server.execute(
                "INSERT INTO situation (tenant, account_id, champions, champions_lost, opposing_vetoes, overdue) "
                "VALUES (%s, %s, 0, %s, 0, '{2026-03-01}')",
                (tenant, ACCOUNT, lost),
            )
        for id_, name, removed in ((DESK, "desk", None), (GONE, "old desk", "2026-03-01")):
            server.execute(
                "INSERT INTO channel (tenant, channel_id, name, kind, recipients, version, author, reason, changed_at, "
                "removed_at) VALUES ('acme', %s, %s, 'slack', '{}', 1, 'ana', 'x', now(), %s)",
                (id_, name, removed),
            )
        for version, said in ((1, {"fire": 30.0}), (2, {"channels": ["desk", "old desk", "nobody"], "fire": 35.0})):
            server.execute(
                "INSERT INTO alert_rule VALUES ('acme', 'health-below', %s, %s, 'ana', 'x', now())",
                (version, Jsonb(said)),
            )
        upgrade(before, service.migrations)
        kept = server.execute("SELECT * FROM situation_history ORDER BY tenant").fetchall()
        rules = server.execute("SELECT configuration FROM alert_rule ORDER BY version").fetchall()
        forced = server.execute(
            "SELECT bool_and(relforcerowsecurity) AS every FROM pg_class "
            "WHERE relname IN ('alert_rule', 'channel', 'situation', 'situation_history')"
        ).fetchone()
    assert [(row.tenant, row.champions_lost, len(row.overdue), row.copied, row.forget_at) for row in kept] == [
        ("acme", 1, 1, True, None),
        ("globex", 2, 1, True, None),
    ]
    assert [row.configuration for row in rules] == [{"fire": 30.0}, {"channels": [str(DESK)], "fire": 35.0}]
    assert forced is not None
    assert forced.every


@pytest.mark.parametrize("before", ["0009"], indirect=True)
def test_when_accounts_changed_last_and_their_tiers_stand_with_their_health(
    before: str, postgres: str, service: ServiceUnderTest
) -> None:
    admin = make_url(postgres).set(database=make_url(before).database).render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True, row_factory=namedtuple_row) as server:
        for tenant, tier, days in (("acme", "A", (1, 3, 2)), ("globex", None, ())):
            server.execute(
                "INSERT INTO account_health (tenant, account_id, sequence, scorecard, scorecard_version, stale) "
                "VALUES (%s, %s, 1, 'default', 1, false)",
                (tenant, ACCOUNT),
            )
            for day in days:
                server.execute(
                    "INSERT INTO health_history VALUES (%s, %s, %s, 50, 1, 1, 'watch', 'default', '{}', 50, '{}')",
                    (tenant, ACCOUNT, f"2026-03-0{day}T00:00:00Z"),
                )
            if tier is not None:
                server.execute(
                    "INSERT INTO account (tenant, account_id, version, removed, name, tier, value_amount) "
                    "VALUES (%s, %s, 1, false, 'Northwind', %s, 0)",
                    (tenant, ACCOUNT, tier),
                )
        upgrade(before, service.migrations)
        found = server.execute("SELECT tenant, tier, changed_at FROM account_health ORDER BY tenant").fetchall()
        forced = server.execute(
            "SELECT bool_and(relforcerowsecurity) AS every FROM pg_class "
            "WHERE relname IN ('account', 'account_health', 'health_history')"
        ).fetchone()
    days = [None if row.changed_at is None else row.changed_at.astimezone(UTC).day for row in found]
    assert [(row.tenant, row.tier) for row in found] == [("acme", "A"), ("globex", None)]
    assert days == [3, None]
    assert forced is not None
    assert forced.every
