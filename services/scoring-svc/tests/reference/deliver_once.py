"""A process that sends what is due, once, as a worker does; for tests in which it dies on the way.

Settings come from the environment, like a worker's; BELLWETHER_FAULT names the place at which it dies.
"""

import asyncio

from bellwether_kit.db import Database
from bellwether_kit.logging import configure_logging
from bellwether_kit.timers import fire
from scoring_svc.settings import Settings
from scoring_svc.subscriptions import TIMERS


async def deliver_once() -> None:
    """Fire the timer of notifications for one batch."""
    configure_logging("scoring")
    database = Database(Settings(), source="/scoring-svc")
    await database.open()
    [timer] = [timer for timer in TIMERS if timer.name == "notifications"]
    await fire(database, timer)
    await database.close()


if __name__ == "__main__":
    asyncio.run(deliver_once())
