"""What every service must keep, whatever it does: a service's tests import all of this and run it on themselves."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from fastapi import FastAPI
from sqlalchemy import MetaData, create_engine
from sqlalchemy.exc import ProgrammingError

from bellwether_kit.db.tables import KIT_TABLES
from bellwether_kit.db.unit_of_work import Database
from bellwether_kit.testing.databases import address
from bellwether_kit.testing.service import Mailbox, ServiceUnderTest

__all__ = [
    "test_a_dead_letter_that_still_cannot_be_handled_stays_one_with_the_new_try",
    "test_a_token_that_is_forged_expired_or_unsigned_is_refused",
    "test_an_api_process_may_write_events_and_not_read_them",
    "test_every_operation_asks_for_a_token_and_for_a_scope",
    "test_every_operation_has_an_id_of_a_verb_and_a_noun",
    "test_every_table_forces_row_security",
    "test_health_answers_without_a_token",
    "test_malformed_json_is_a_problem_wherever_a_body_is_taken",
    "test_migrations_and_tables_agree",
    "test_runtime_roles_own_nothing_and_bypass_nothing",
    "test_the_frameworks_own_errors_are_problems",
    "test_the_tenant_policy_compares_with_the_transactions_tenant",
]

PROBLEM = "application/problem+json"
SOME_ID = "01890000-0000-7000-8000-000000000000"


def _metadata(service: ServiceUnderTest) -> MetaData:
    """The service's metadata with the tables of every feature loaded into it."""
    package = importlib.import_module(f"{service.name}_svc")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)
    metadata = importlib.import_module(f"{package.__name__}.tables").Table.metadata
    assert isinstance(metadata, MetaData)
    return metadata


def _operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with ids filled in, and OpenAPI operation of every route under /v1."""
    for path, item in app.openapi()["paths"].items():
        if path.startswith("/v1"):
            for method, operation in item.items():
                yield method.upper(), re.sub(r"\{[^}]+\}", SOME_ID, path), operation


def _is_problem(response: httpx.Response, status: int) -> bool:
    body = response.json()
    assert response.headers["content-type"] == PROBLEM, response.text
    assert response.status_code == status, response.text
    assert body["status"] == status
    return bool({"type", "title", "status", "detail", "instance", "code"} <= body.keys())


def test_migrations_and_tables_agree(service: ServiceUnderTest, postgres: str, database_name: str) -> None:
    url = address(postgres, role=f"{service.name}_owner", database=database_name)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, _metadata(service))
    engine.dispose()
    assert differences == []


def test_every_table_forces_row_security(mailbox: Mailbox) -> None:
    rows = mailbox.admin(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND relname <> 'alembic_version' AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert rows == []


def test_the_tenant_policy_compares_with_the_transactions_tenant(mailbox: Mailbox, service: ServiceUnderTest) -> None:
    rows = mailbox.admin(
        "SELECT c.table_name, p.qual, p.with_check FROM information_schema.columns c"
        " LEFT JOIN pg_policies p ON p.tablename = c.table_name AND p.policyname = 'tenant_of_the_request'"
        " WHERE c.column_name = 'tenant' AND c.table_schema = 'public'"
    )
    expected = "(tenant = current_setting('app.tenant'::text, true))"
    assert {row.table_name: (row.qual, row.with_check) for row in rows} == {
        row.table_name: (expected, expected) for row in rows
    }
    api_policies = mailbox.admin(
        "SELECT tablename, policyname, cmd, qual FROM pg_policies WHERE (%s = ANY(roles) OR 'public' = ANY(roles))"
        " AND policyname <> 'tenant_of_the_request'",
        f"{service.name}_api",
    )
    named = [row for row in api_policies if row.policyname == "named_by_the_request"]
    assert all(row.cmd == "SELECT" and "NULLIF(current_setting('app." in row.qual for row in named)
    assert [(row.tablename, row.policyname) for row in api_policies if row not in named] == [("outbox", "backlog")]


def test_runtime_roles_own_nothing_and_bypass_nothing(mailbox: Mailbox, service: ServiceUnderTest) -> None:
    runtime = [f"{service.name}_api", f"{service.name}_worker"]
    powers = mailbox.admin(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)",
        runtime,
    )
    owned = mailbox.admin("SELECT tablename FROM pg_tables WHERE tableowner = ANY(%s)", runtime)
    assert (powers, owned) == ([], [])


async def test_an_api_process_may_write_events_and_not_read_them(
    settings_as: Callable[..., Any], service: ServiceUnderTest
) -> None:
    database = Database(settings_as("api"), source=f"/{service.name}-svc")
    await database.open()
    for table in KIT_TABLES:
        if table in ("outbox", "inbox", "dead_letter"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with database.unit_of_work("acme") as uow:
                    await (await uow.session.connection()).exec_driver_sql(f"SELECT * FROM {table}")
    assert await database.oldest_unsent_seconds() == 0
    await database.close()


async def test_a_dead_letter_that_still_cannot_be_handled_stays_one_with_the_new_try(mailbox: Mailbox) -> None:
    await mailbox.process(mailbox.record("any-topic", b"no event"))
    [letter] = mailbox.dead_letters()
    assert mailbox.ask_replay(letter.id) == {letter.id}
    await mailbox.fire_timers()
    [after] = mailbox.dead_letters()
    assert (after.id, after.replay_outcome, after.replay_due_at) == (letter.id, "failed", None)
    assert after.replays[0]["error"].startswith("Malformed: undecodable")


async def test_health_answers_without_a_token(client: httpx.AsyncClient) -> None:
    answers = [await client.get(path) for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json")]
    assert [answer.status_code for answer in answers] == [200] * 4


async def test_the_frameworks_own_errors_are_problems(client: httpx.AsyncClient) -> None:
    assert _is_problem(await client.get("/v1/no-such-thing"), 404)
    assert _is_problem(await client.request("TRACE", "/health/live"), 405)


async def test_every_operation_asks_for_a_token_and_for_a_scope(
    client: httpx.AsyncClient, app: FastAPI, auth: Callable[..., dict[str, str]]
) -> None:
    for method, path, operation in _operations(app):
        if operation.get("security", [{"bearer": []}]) != [{"bearer": []}]:
            continue  # it says itself by what else it knows its caller
        without = await client.request(method, path, json={})
        assert _is_problem(without, 401), (method, path)
        assert without.headers["www-authenticate"].startswith("Bearer")
        assert _is_problem(await client.request(method, path, json={}, headers=auth("nothing:read")), 403), (
            method,
            path,
        )


async def test_a_token_that_is_forged_expired_or_unsigned_is_refused(
    client: httpx.AsyncClient, app: FastAPI, auth: Callable[..., dict[str, str]]
) -> None:
    method, path, _ = next(o for o in _operations(app) if o[0] == "GET")
    good = auth("x:read")["Authorization"].removeprefix("Bearer ")
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    bad = [
        f"{head}.{body}.{signature[::-1]}",
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "a secret that somebody made up, long enough", algorithm="HS256", headers={"kid": "test"}),
        auth("x:read", exp=1)["Authorization"].removeprefix("Bearer "),
        auth("x:read", iss="somebody")["Authorization"].removeprefix("Bearer "),
        auth("x:read", aud="elsewhere")["Authorization"].removeprefix("Bearer "),
        "garbage",
    ]
    for token in bad:
        response = await client.request(method, path, headers={"Authorization": f"Bearer {token}"})
        assert _is_problem(response, 401), token


async def test_malformed_json_is_a_problem_wherever_a_body_is_taken(
    client: httpx.AsyncClient, app: FastAPI, auth: Callable[..., dict[str, str]]
) -> None:
    every_scope = auth(
        " ".join(
            f"{area}:{right}"
            for area in ("accounts", "stakeholders", "evidence", "health", "alerts", "plans")
            for right in ("read", "write", "admin", "ingest")
        )
    )
    for method, path, operation in _operations(app):
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            for body in (b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100):
                response = await client.request(
                    method, path, content=body, headers=every_scope | {"content-type": "application/json"}
                )
                assert response.status_code in {400, 413, 422}, (method, path, response.text)
                assert _is_problem(response, response.status_code)


def test_every_operation_has_an_id_of_a_verb_and_a_noun(app: FastAPI) -> None:
    wrong = [
        (method, path, operation.get("operationId"))
        for method, path, operation in _operations(app)
        if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", operation.get("operationId", ""))
    ]
    assert wrong == []
