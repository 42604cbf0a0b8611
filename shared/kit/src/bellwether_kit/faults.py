"""Fault points: named places in the code where a test can make the process die, to prove that nothing is lost."""

import os
from collections import Counter
from functools import cache

_hits: Counter[str] = Counter()


@cache
def _armed() -> tuple[str, int]:
    name, _, hit = os.environ.get("BELLWETHER_FAULT", "").partition(":")
    return name, int(hit or 1)


def fault_point(name: str) -> None:
    """End the process at once (exit code 137) when ``BELLWETHER_FAULT=name:n`` is set and this is the n-th hit."""
    armed, at = _armed()
    if armed == name:
        _hits[name] += 1
        if _hits[name] == at:
            os._exit(137)
