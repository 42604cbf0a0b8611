"""The sample service as the service under test."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from sample.service import SUBSCRIPTIONS, TIMERS, Settings

from bellwether_kit.testing import ServiceUnderTest


@pytest.fixture(scope="session")
def service() -> ServiceUnderTest:
    return ServiceUnderTest(
        name="sample",
        migrations=Path(__file__).parent / "sample" / "migrations",
        settings=Settings,
        create_app=lambda *_, **__: FastAPI(),
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
    )
