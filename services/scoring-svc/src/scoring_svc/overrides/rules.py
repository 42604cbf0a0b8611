"""What a person says of an account's health for a while, beside what was computed. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Override:
    """A score (0 to 100) or a band, one of the two, with who said so, why and until when."""

    id: str
    score: float | None
    band: str | None
    reason: str
    author: str
    set_at: datetime
    expires_at: datetime
