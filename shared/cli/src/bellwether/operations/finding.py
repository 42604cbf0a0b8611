"""One thing that was looked at, and how it is."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """``advice`` says what to do, and is empty where all is well. ``bad`` makes the whole look fail."""

    what: str
    verdict: Verdict
    detail: str
    advice: str = ""


def graded(what: str, detail: str, *, bad: bool = False, warn: bool = False, advice: str = "") -> Finding:
    """A finding that is bad, or else to be warned of, or else ok."""
    verdict: Verdict = "bad" if bad else "warn" if warn else "ok"
    return Finding(what, verdict, detail, "" if verdict == "ok" else advice)
