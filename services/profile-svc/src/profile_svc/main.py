"""The API process: ``create_app`` builds it. The worker is ``worker.py``."""

from fastapi import FastAPI

from bellwether_kit.clock import Clock
from bellwether_kit.http import build_api
from profile_svc.accounts import api as accounts
from profile_svc.directory import api as directory
from profile_svc.errors import ERRORS
from profile_svc.settings import Settings
from profile_svc.team import api as team


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """profile-svc's API; ``settings`` default to the environment, ``clock`` to the settings' clock."""
    return build_api(
        service="profile-svc",
        title="Bellwether profile",
        description="Accounts, their external ids, hierarchy and teams.",
        settings=settings or Settings(),
        routers=[accounts.router, team.router, directory.router],
        errors=ERRORS,
        clock=clock,
    )
