"""The API process: ``create_app`` builds it. The worker is ``worker.py``."""

from fastapi import FastAPI

from bellwether_kit.clock import Clock
from bellwether_kit.http import build_api
from stakeholder_svc.coverage import api as coverage
from stakeholder_svc.directory import api as directory
from stakeholder_svc.errors import ERRORS
from stakeholder_svc.grid import api as grid
from stakeholder_svc.people import api as people
from stakeholder_svc.settings import Settings


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """stakeholder-svc's API; ``settings`` default to the environment, ``clock`` to the settings' clock."""
    return build_api(
        service="stakeholder-svc",
        title="Bellwether stakeholders",
        description="The people at the client: who decides, how they stand, and whom we don't know yet.",
        settings=settings or Settings(),
        routers=[people.router, directory.router, grid.router, coverage.router],
        errors=ERRORS,
        clock=clock,
    )
