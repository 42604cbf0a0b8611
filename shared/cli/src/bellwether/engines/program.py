"""What an engine is to a supervisor: what to run, as whom, and how to see that it answers. Starts nothing."""

import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Program:
    """What a supervisor needs to run one engine; `answers` is cheap and may be asked every 50 ms."""

    name: str
    command: tuple[str, ...]
    folder: Path
    answers: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    user: str | None = None  # the system user, where the present one is refused (PostgreSQL and root)


def identity(user: str | None) -> dict[str, Any]:
    """What `subprocess` needs to run as that user, with none of our own groups; nothing for None."""
    if not user:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
