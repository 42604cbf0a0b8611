"""What a portfolio is counted by. Pure."""

from typing import Final

BANDS: Final = ("healthy", "watch", "at-risk", "unknown")
TIERS: Final = ("A", "B", "C")
