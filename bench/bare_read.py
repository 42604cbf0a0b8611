"""The base of reads: a bare FastAPI route that does one SELECT by key, on connections of a pool.

Run as a process: ``python bare_read.py --dsn … --port …``.
"""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

SELECT = """
    SELECT account_id, version, name, owner_id, tier, territory FROM account
    WHERE tenant = %s AND account_id = %s
"""


class _Account(BaseModel):
    account_id: UUID
    version: int
    name: str | None
    owner_id: UUID | None
    tier: str | None
    territory: str | None


def create(dsn: str) -> FastAPI:
    """The application; its pool is as large as a service's."""
    pool = AsyncConnectionPool(
        dsn, min_size=10, max_size=10, kwargs={"autocommit": True, "row_factory": dict_row}, open=False
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/v1/accounts/{account_id}")
    async def read(account_id: UUID) -> _Account:
        async with pool.connection() as connection:
            found = await (await connection.execute(SELECT, ["bench", account_id])).fetchone()
        return _Account.model_validate(found)

    return app


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dsn", required=True)
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    uvicorn.run(create(given.dsn), port=given.port, log_level="warning")
