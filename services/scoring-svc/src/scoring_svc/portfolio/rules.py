"""How figures of the portfolio are shown. Pure."""

from decimal import Decimal
from typing import Final

BANDS: Final = ("healthy", "watch", "at-risk", "unknown")
TIERS: Final = ("A", "B", "C")


def money(amount: float | None, currency: str | None) -> tuple[Decimal, str] | None:
    """An amount to the cent, as HTTP tells money; None where amount or currency is not known."""
    if amount is None or currency is None:
        return None
    return Decimal(repr(amount)).quantize(Decimal("0.01")), currency
