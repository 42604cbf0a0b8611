"""The API process: ``create_app`` builds it. The worker is ``worker.py``."""

from fastapi import FastAPI

from bellwether_kit.clock import Clock
from bellwether_kit.http import build_api
from metrics_svc.activities import api as activities
from metrics_svc.actuals import api as actuals
from metrics_svc.connections import api as connections
from metrics_svc.decisions import api as decisions
from metrics_svc.derivation import api as derivation
from metrics_svc.erasure import api as erasure
from metrics_svc.errors import ERRORS
from metrics_svc.evidence import api as evidence
from metrics_svc.imports import api as imports
from metrics_svc.inbound import api as inbound
from metrics_svc.intake import api as intake
from metrics_svc.kpis import api as kpis
from metrics_svc.measures import api as measures
from metrics_svc.metrics import api as metrics
from metrics_svc.reported import api as reported
from metrics_svc.retention import api as retention
from metrics_svc.settings import Settings
from metrics_svc.sources import api as sources
from metrics_svc.standing import api as standing
from metrics_svc.surveys import api as surveys
from metrics_svc.targets import api as targets
from metrics_svc.touch import api as touch
from metrics_svc.unmatched import api as unmatched


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """metrics-svc's API; ``settings`` default to the environment, ``clock`` to the settings' clock."""
    return build_api(
        service="metrics-svc",
        title="Bellwether metrics",
        description="Activities, the client evidence derived from them, last contacts and measures.",
        settings=settings or Settings(),
        routers=[
            *(intake.router, imports.router, connections.router, inbound.router, sources.router),
            *(activities.router, evidence.router, unmatched.router, decisions.router),
            *(derivation.router, touch.router, measures.router),
            *(metrics.router, targets.router, standing.router),
            *(surveys.router, reported.router, kpis.router, actuals.router),
            *(erasure.router, retention.router),
        ],
        errors=ERRORS,
        clock=clock,
    )
