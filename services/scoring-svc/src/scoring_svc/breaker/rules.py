"""When new alerts are held back instead of told. Pure."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=10)
SHARE: Final = 0.05
"""Of a tenant's accounts; so many may open or reopen an alert within the window before it is a storm."""
DARK: Final = "going-dark"
SILENCE: Final = frozenset({DARK, "health-below", "health-drop"})
"""What a silent source makes fire, whatever clients do: engagement falls with silence, and the score with it."""


def limit(fewest: int, accounts: int) -> int:
    """How many alerts may be raised within the window: ``fewest`` at least, and a share of the accounts."""
    return max(fewest, int(SHARE * accounts))


def overflow(raised: int, new: int, most: int) -> int:
    """How many of the ``new`` alerts are beyond ``most``, where ``raised`` came within the window, these included."""
    return min(new, max(0, raised - most))


def is_by_silence(rules: Collection[str]) -> bool:
    """Whether an account is dark and nothing but silence speaks for its alert."""
    return DARK in rules and SILENCE.issuperset(rules)
