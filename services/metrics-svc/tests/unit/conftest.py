"""Golden payloads of the source systems, and the deliveries they come in."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from metrics_svc.inbound.rules import Delivery

PAYLOADS = Path(__file__).parent / "payloads"


@pytest.fixture(scope="session")
def payload() -> Callable[[str], bytes]:
    return lambda name: (PAYLOADS / name).read_bytes()


@pytest.fixture(scope="session")
def delivered() -> Callable[..., Delivery]:
    """A delivery with the headers, query and body given; it came on the morning of March 10th."""

    def build(
        body: bytes = b"",
        *,
        url: str = "https://hooks.ours.example/v1/inbound/system?connection=c-1",
        query: dict[str, str] | None = None,
        at: datetime = datetime(2026, 3, 10, 9, 6, tzinfo=UTC),
        **headers: str,
    ) -> Delivery:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Delivery(method="POST", url=url, query=query or {}, headers=named, body=body, received_at=at)

    return build
