"""Waiting for a condition instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(probe: Callable[[], T | Awaitable[T]], *, within: float = 30.0, every: float = 0.05) -> T:
    """The first truthy value of ``probe`` (plain or async), tried for ``within`` seconds.

    Raises AssertionError with what was seen last. An AssertionError inside ``probe`` counts as "not yet".
    """
    deadline = time.monotonic() + within
    last: object = None
    while True:
        try:
            found = probe()
            value = await found if inspect.isawaitable(found) else found
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s; last seen: {last!r}")
        await asyncio.sleep(every)
