"""The API process: ``create_app`` builds it. The worker is ``worker.py``."""

from fastapi import FastAPI

from bellwether_kit.clock import Clock
from bellwether_kit.http import build_api
from plan_svc.actions import api as actions
from plan_svc.errors import ERRORS
from plan_svc.owners import api as owners
from plan_svc.plans import api as plans
from plan_svc.plays import api as plays
from plan_svc.settings import Settings
from plan_svc.templates import api as templates


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """plan-svc's API; ``settings`` default to the environment, ``clock`` to the settings' clock."""
    return build_api(
        service="plan-svc",
        title="Bellwether plan",
        description="Account plans, their actions, and plays that answer alerts.",
        settings=settings or Settings(),
        routers=[plans.router, actions.router, plays.router, owners.router, templates.router],
        errors=ERRORS,
        clock=clock,
    )
