"""One local stack for all journeys, started once; every test gets tenants of its own, so that none disturbs another."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tenants import Tenant

from bellwether.home import Home
from bellwether.stack import Stack

VARIABLES = {
    "*": {
        # A killed worker's partitions are given to its successor after 2 s instead of 10.
        "BELLWETHER_KAFKA_SESSION_TIMEOUT_MS": "2000",
        # Nobody listens there: what alerts send by mail waits for its next try.
        "BELLWETHER_SCORING_MAIL_SERVER": "smtp://127.0.0.1:9",
    }
}
"""What all processes of the stack are told."""

_numbers = count(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole stack with engines of its own, which a journey may stop, and a clock that journeys move forward."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("BELLWETHER_POSTGRES_URL", raising=False)
        environment.delenv("BELLWETHER_KAFKA_BOOTSTRAP", raising=False)
        # Not below pytest's folder: each session of pytest closes it to other users, PostgreSQL's among them.
        with TemporaryDirectory(prefix="bellwether-home-") as folder:
            home = Home(Path(folder))
            running = Stack(home, any_port=True, clock=True, variables=VARIABLES)
            running.start()
            try:
                yield running
            finally:
                running.stop()
                shutil.copytree(home.logs, tmp_path_factory.mktemp("journeys") / "logs")


@pytest.fixture
def new_tenant(stack: Stack) -> Iterator[Callable[[str], Tenant]]:
    """Makes tenants that nobody has used before, by a word that tells them apart."""
    made: list[Tenant] = []

    def make(word: str) -> Tenant:
        made.append(Tenant(stack, f"{word}-{next(_numbers)}"))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def tenant(new_tenant: Callable[[str], Tenant]) -> Tenant:
    """A tenant that nobody has used before."""
    return new_tenant("acme")
