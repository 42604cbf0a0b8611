"""The API process: ``create_app`` builds it. The worker is ``worker.py``."""

from fastapi import FastAPI

from bellwether_kit.clock import Clock
from bellwether_kit.http import build_api
from scoring_svc.alert_rules import api as alert_rules
from scoring_svc.backtests import api as backtests
from scoring_svc.breaker import api as breaker
from scoring_svc.channels import api as channels
from scoring_svc.errors import ERRORS
from scoring_svc.explanation import api as explanation
from scoring_svc.forecast import api as forecast
from scoring_svc.health import api as health
from scoring_svc.history import api as history
from scoring_svc.notifications import api as notifications
from scoring_svc.outcomes import api as outcomes
from scoring_svc.overrides import api as overrides
from scoring_svc.portfolio import api as portfolio
from scoring_svc.publishing import api as publishing
from scoring_svc.rescoring import api as rescoring
from scoring_svc.rollup import api as rollup
from scoring_svc.routing import api as routing
from scoring_svc.scorecards import api as scorecards
from scoring_svc.settings import Settings
from scoring_svc.stream import api as stream
from scoring_svc.triage import api as triage
from scoring_svc.trials import api as trials
from scoring_svc.verdicts import api as verdicts


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """scoring-svc's API; ``settings`` default to the environment, ``clock`` to the settings' clock."""
    return build_api(
        service="scoring-svc",
        title="Bellwether scoring",
        description="Account health, why it is what it is, and living alerts.",
        settings=settings or Settings(),
        routers=[
            health.router,
            overrides.router,
            rescoring.router,
            history.router,
            explanation.router,
            forecast.router,
            rollup.router,
            portfolio.router,
            stream.router,  # before the alert of an id, which "stream" would be taken for
            triage.router,
            alert_rules.router,
            verdicts.router,
            scorecards.router,
            trials.router,
            publishing.router,
            *(channels.router, routing.router),
            notifications.router,
            breaker.router,
            *(outcomes.router, backtests.router),
        ],
        errors=ERRORS,
        clock=clock,
    )
