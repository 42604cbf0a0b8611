"""The base of single posts: a bare FastAPI route that does one INSERT of the activity, on connections of a pool.

Run as a process: ``python bare.py --dsn … --port …``.
"""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import uvicorn
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

TABLE = """
    CREATE TABLE bare_activity (
        source text, external_id text, type text, direction text, outcome text, occurred_at timestamptz,
        account text, contact text, owner text, amount numeric, currency text,
        PRIMARY KEY (source, external_id));
"""
INSERT = """
    INSERT INTO bare_activity VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""


class _Named(BaseModel):
    source: str
    external_id: str


class _Owner(BaseModel):
    email: str


class _Activity(BaseModel):
    source: str
    external_id: str
    type: str
    direction: str | None = None
    outcome: str | None = None
    occurred_at: datetime
    account: _Named
    contacts: list[_Named]
    owner: _Owner
    amount: str | None = None
    currency: str | None = None


def create(dsn: str) -> FastAPI:
    """The application; its pool is as large as a service's."""
    pool = AsyncConnectionPool(dsn, min_size=10, max_size=10, kwargs={"autocommit": True}, open=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/activities")
    async def take(a: _Activity) -> dict[str, str]:
        row = [a.source, a.external_id, a.type, a.direction, a.outcome, a.occurred_at, a.account.external_id]
        row += [a.contacts[0].external_id, a.owner.email, a.amount, a.currency]
        async with pool.connection() as connection:
            await connection.execute(INSERT, row)
        return {"status": "accepted"}

    return app


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dsn", required=True)
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    uvicorn.run(create(given.dsn), port=given.port, log_level="warning")
