"""Every reading route of the five services, taken from their OpenAPI documents, with ids filled in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from tenants import Tenant

from bellwether.stack import Stack

SOURCES = {
    "account_id": ("profile", "accounts"),
    "stakeholder_id": ("stakeholder", "stakeholders"),
    "activity_id": ("metrics", "activities"),
    "evidence_id": ("metrics", "evidence"),
    "connection_id": ("metrics", "connections"),
    "delivery_id": ("metrics", "inbound-deliveries"),
    "kpi_id": ("metrics", "kpis"),
    "erasure_id": ("metrics", "erasures"),
    "alert_id": ("scoring", "alerts"),
    "channel_id": ("scoring", "channels"),
    "route_id": ("scoring", "notification-routes"),
    "sent_id": ("scoring", "deliveries"),
    "scorecard_id": ("scoring", "scorecards"),
    "run_id": ("scoring", "rescoring-runs"),
    "backtest_id": ("scoring", "backtests"),
    "plan_id": ("plan", "plans"),
    "play_id": ("plan", "plays"),
}
"""Path parameter → the list where such ids are found."""
NAMES = {"rule": "health-below"}
"""Path parameters that name something every tenant has from the start, or no row of a tenant."""
QUERIES = {
    "metrics/series": {"metric": "return-rate", "scope": "all"},
    "metrics/compare": {"metric": "return-rate", "scope": "owner"},
}
"""Routes that must be asked something, and what they are asked."""
OF_SOURCES = "inbound/{adapter}"
"""Greets a source system by the secret of its connection; no token of a tenant is looked at."""
UNSHOWN = {"storms/{storm_id}": "needs more alerts at once than a stack with a clock of its own ever holds back"}
"""Routes that no tenant can be shown anything by here, and why."""
_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Read:
    """One GET route of one service; `route` is what follows /v1/."""

    service: str
    route: str

    @property
    def is_json(self) -> bool:
        """Whether it answers JSON, and no picture."""
        return "." not in self.route

    @property
    def ids(self) -> frozenset[str]:
        """The parameters that are ids of a tenant's rows."""
        return frozenset(_PARAMETER.findall(self.route)) - NAMES.keys()

    @property
    def query(self) -> dict[str, str]:
        """What the route must be asked."""
        return QUERIES.get(self.route, {})

    def filled(self, values: Mapping[str, str]) -> str:
        """The route with its parameters in place."""
        return _PARAMETER.sub(lambda found: (NAMES | dict(values))[found[1]], self.route)


def reads(stack: Stack) -> Iterator[Read]:
    """Every GET route under /v1 of every service that answers a tenant, but for streams."""
    for service in stack.layout.services:
        paths: dict[str, Any] = httpx.get(f"{stack.url(service)}/openapi.json", timeout=30).raise_for_status().json()
        for path, item in sorted(paths["paths"].items()):
            route = path.removeprefix("/v1/")
            if route in {path, OF_SOURCES} | UNSHOWN.keys() or route.endswith("/stream"):
                continue
            if "get" in item:
                # Both metrics-svc and scoring-svc have deliveries: of sources, and to channels.
                yield Read(service, route.replace("{delivery_id}", "{sent_id}") if service == "scoring" else route)


def known_ids(tenant: Tenant) -> dict[str, str]:
    """An id of the tenant's for every parameter that it has a row for."""
    found = {}
    for parameter, (service, route) in SOURCES.items():
        ids = [item["alert_id" if parameter == "alert_id" else "id"] for item in tenant.every(service, route)]
        if any(ids):  # the built-in scorecard has none
            found[parameter] = str(ids[0])
    if "play_id" in found:
        found["action_id"] = str(tenant.get("plan", f"plays/{found['play_id']}")["steps"][0]["id"])
    return found
