"""How old the oldest unsent event is, looked up now and then: the sign that we take more than we deliver."""

import asyncio
import time

from sqlalchemy.exc import SQLAlchemyError

from bellwether_kit.db import Database


class Backlog:
    """A look at the outbox that is believed for ``believed_for`` seconds."""

    def __init__(self, database: Database, *, limit: float, believed_for: float) -> None:
        self._database = database
        self._limit = limit
        self._believed_for = believed_for
        self._age = 0.0
        self._until = float("-inf")
        self._looking = False

    async def too_old(self) -> bool:
        """Tell whether writes must be shed. One caller looks; the others go by the last look meanwhile.

        A database that does not answer is no backlog: the write itself will say so.
        """
        if not self._looking and time.monotonic() >= self._until:
            self._looking = True
            try:
                async with asyncio.timeout(1):
                    self._age = await self._database.oldest_unsent_seconds()
            except (SQLAlchemyError, OSError):
                self._age = 0.0
            finally:
                self._looking = False
                self._until = time.monotonic() + self._believed_for
        return self._age > self._limit
