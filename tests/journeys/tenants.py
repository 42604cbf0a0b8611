"""One tenant at the doors of a running stack: what its CRM, its people and its operations do there."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import httpx

from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock
from bellwether_kit.ids import opaque_id

CONNECTIONS = 4
OWNER = "ana@example.com"
TAKEN = {"accepted", "duplicate", "corrected", "stale", "unmatched"}

Body = dict[str, Any]


class Tenant:
    """Calls the five APIs as one tenant with every scope. Answers that are no success fail the test."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.name = name
        self.clock = ReplayClock(stack.home.clock)
        self._http = httpx.Client(timeout=30, headers={"Authorization": f"Bearer {stack.token(name)}"})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def now(self) -> datetime:
        """The stack's time, to the second."""
        return self.clock.now().replace(microsecond=0)

    @property
    def owner_id(self) -> str:
        """By which id all services know the owner of the tenant's accounts."""
        return str(opaque_id(self.name, "user", OWNER))

    def request(self, method: str, service: str, route: str, **options: Any) -> httpx.Response:
        """The answer as it is; `route` is what follows /v1/."""
        return self._http.request(method, f"{self.stack.url(service)}/v1/{route}", **options)

    def get(self, service: str, route: str, **query: Any) -> Body:
        """One answer."""
        return _body(self.request("GET", service, route, params=query))

    def every(self, service: str, route: str, **query: Any) -> list[Body]:
        """The items of all pages of a list."""
        page = self.get(service, route, **query, limit=200)
        items = list(page["items"])
        while page["next_cursor"]:
            page = self.get(service, route, **query, limit=200, cursor=page["next_cursor"])
            items += page["items"]
        return items

    def post(self, service: str, route: str, body: Body) -> Body:
        """What a write answers."""
        return _body(self.request("POST", service, route, json=body))

    def say(self, activities: list[Body], route: str = "activities") -> list[str]:
        """Post activities (or observations) and give each one's status; one that is rejected fails the test."""
        results = self.post("metrics", route, {"items": activities})["items"]
        assert {result["status"] for result in results} <= TAKEN, results
        return [result["status"] for result in results]

    def say_at_once(self, requests: Iterable[tuple[str, list[Body]]]) -> list[str]:
        """Post requests (route and items each) over four connections at the same time; gives every item's status."""
        waiting, taking = iter(requests), Lock()

        def connection(_number: int) -> list[str]:
            statuses, other = [], Tenant(self.stack, self.name)
            while True:
                with taking:
                    request = next(waiting, None)
                if request is None:
                    other.close()
                    return statuses
                statuses += other.say(request[1], request[0])

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return [status for statuses in pool.map(connection, range(CONNECTIONS)) for status in statuses]

    def expect_replies_within(self, seconds: int) -> None:
        """Set the reply windows of calls and e-mails, for what happened in the last year too."""
        windows = {channel: {"seconds": seconds} for channel in ("call", "email", "message")}
        since = (self.now - timedelta(days=400)).isoformat()
        body = {"windows": windows, "reason": "a journey has no days to wait", "applies_from": since}
        _body(self.request("PUT", "metrics", "derivation-rules", json=body))

    def open_account(self, external_id: str = "company-1", **facts: Any) -> str:
        """Create an account in profile-svc and wait until all have heard of it; gives its id."""
        body = {
            "external_ids": [{"source": "crm", "external_id": external_id}],
            "name": f"Harbour {self.name}",
            "tier": "A",
            "owner": {"email": OWNER},
            "yearly_value": {"amount": "1200000.00", "currency": "EUR"},
        }
        [result] = self.post("profile", "accounts", {"items": [body | facts]})["items"]
        assert result["status"] == "created", result
        self.settle()
        return str(result["id"])

    def settle(self, timeout: float = 60.0) -> None:
        """Wait until nothing is under way anywhere in the stack."""
        settle(self.stack, timeout)

    def is_ready(self, service: str) -> bool:
        """Whether the service's API says that it takes work."""
        return self._http.get(f"{self.stack.url(service)}/health/ready").status_code == httpx.codes.OK

    def alerts(self, account_id: str) -> list[Body]:
        """The account's alerts, as scoring-svc answers."""
        return self.every("scoring", "alerts", account_id=account_id)

    def plays(self, account_id: str, **query: Any) -> list[Body]:
        """The account's plays, as plan-svc answers."""
        return self.every("plan", "plays", account_id=account_id, **query)


def _body(response: httpx.Response) -> Body:
    assert response.is_success, f"{response.request.url} answered {response.status_code}: {response.text[:800]}"
    return dict(response.json())
