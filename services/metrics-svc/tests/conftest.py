"""metrics-svc as its tests see it."""

from pathlib import Path

import pytest

from bellwether_kit.testing.service import ServiceUnderTest
from metrics_svc.main import create_app
from metrics_svc.settings import Settings
from metrics_svc.subscriptions import SUBSCRIPTIONS, TIMERS


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="metrics",
        migrations=Path(__file__).parents[1] / "migrations",
        settings=Settings,
        create_app=create_app,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )
