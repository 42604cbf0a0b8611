"""The tiny service for a server process of its own, on a database that is none."""

from datetime import UTC, datetime

from fastapi import FastAPI

from bellwether_kit.clock import FixedClock
from bellwether_kit.http import build_api
from bellwether_kit.settings import ServiceSettings
from things.rig import FakeDatabase
from things.service import ERRORS, routes


def create_app() -> FastAPI:
    clock = FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    return build_api(
        service="things-svc",
        title="Things",
        description="For tests.",
        settings=ServiceSettings(),
        routers=[routes],
        errors=ERRORS,
        clock=clock,
        database=FakeDatabase(clock),  # type: ignore[arg-type]
    )
