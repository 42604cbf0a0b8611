"""What all tests of the whole share: a guard's verdict, told in full."""

from collections.abc import Callable, Iterable

import pytest


@pytest.fixture(scope="session")
def nothing() -> Callable[[Iterable[object]], None]:
    """Return a check that there is nothing to mend; it fails with every line, which pytest itself would shorten."""

    def check(found: Iterable[object]) -> None:
        lines = [str(each) for each in found]
        if lines:
            pytest.fail("\n".join([f"{len(lines)} to mend:", *lines]), pytrace=False)

    return check
