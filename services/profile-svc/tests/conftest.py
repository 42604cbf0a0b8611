"""profile-svc as its tests see it."""

from pathlib import Path

import pytest

from bellwether_kit.testing.service import ServiceUnderTest
from profile_svc.main import create_app
from profile_svc.settings import Settings
from profile_svc.subscriptions import SUBSCRIPTIONS, TIMERS


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="profile",
        migrations=Path(__file__).parents[1] / "migrations",
        settings=Settings,
        create_app=create_app,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )
