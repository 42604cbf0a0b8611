"""Every test's way to the real engines: started once per session when first asked for."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bellwether.engines.session import Engines, EngineSession
from bellwether.home import Home

pytest_plugins = ["bellwether_kit.testing.fixtures"]

SESSION = pytest.StashKey[EngineSession]()


def pytest_configure(config: pytest.Config) -> None:
    """Open the session before pytest-xdist starts its workers: they inherit it by the environment."""
    config.stash[SESSION] = EngineSession.opened()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the engines; in a parallel worker this does nothing."""
    config.stash[SESSION].close()


class _Scheduler(LoadScopeScheduling):
    """Sends a service's tests wherever there is room. Journeys share a stack, and others the topics of their file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith("services/"):
            return nodeid
        return "journeys" if path.startswith("tests/journeys/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Say which tests stay in one worker, one after another."""
    return _Scheduler(config, log)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> str:
    """The superuser's URL of a real PostgreSQL 18."""
    return request.config.stash[SESSION].postgres_url()


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> str:
    """The bootstrap address of a real Kafka broker."""
    return request.config.stash[SESSION].kafka_bootstrap()


@pytest.fixture(scope="session")
def engines(postgres: str, kafka: str) -> Engines:
    """Both engines."""
    return Engines(postgres_url=postgres, kafka_bootstrap=kafka)


@pytest.fixture
def stack_home() -> Iterator[Home]:
    """A home for a stack. Not below pytest's own folder: other sessions of pytest close that to the user who
    runs PostgreSQL when we are root.
    """
    with TemporaryDirectory(prefix="bellwether-home-") as folder:
        yield Home(Path(folder))
