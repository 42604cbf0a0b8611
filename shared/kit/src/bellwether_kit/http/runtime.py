"""What one API process holds while it runs; made by ``build_api``, found again from any request."""

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from starlette.requests import HTTPConnection

from bellwether_kit.auth import Verifier
from bellwether_kit.clock import Clock
from bellwether_kit.db import Database
from bellwether_kit.http.backlog import Backlog
from bellwether_kit.http.joined import Joins
from bellwether_kit.http.problems import Errors
from bellwether_kit.http.ratelimit import Buckets
from bellwether_kit.http.remembered import Remembered
from bellwether_kit.settings import ServiceSettings


@dataclass(slots=True)
class Runtime:
    """``exports`` counts those in hand by tenant; ``draining`` turns true once the process was asked to stop."""

    service: str
    settings: ServiceSettings
    clock: Clock
    database: Database
    errors: Errors
    verifier: Verifier
    buckets: Buckets
    backlog: Backlog
    cursor_key: bytes
    joins: Joins = field(default_factory=Joins)
    remembered: Remembered = field(default_factory=Remembered)
    turns: WeakValueDictionary[Hashable, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    exports: Counter[str] = field(default_factory=Counter)
    draining: bool = False


def runtime_of(connection: HTTPConnection) -> Runtime:
    """Give the runtime of the process that serves ``connection``."""
    runtime: Runtime = connection.app.state.runtime
    return runtime
