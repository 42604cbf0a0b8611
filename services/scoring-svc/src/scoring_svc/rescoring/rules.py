"""How far balances kept in steps may be from the same balances summed anew. Pure."""

from typing import Final

from scoring_svc.ledger.rules import Balances

TOLERANCE: Final = 1e-9


def drift(kept: Balances, summed: Balances, half_lives: tuple[float, ...], as_of: float) -> float:
    """The widest difference between the five balances at `as_of`, relative, or absolute for balances below 1.

    At least 1 when they do not even count the same pieces.
    """
    if kept.counts != summed.counts or kept.unknown != summed.unknown:
        return 1.0
    pairs = zip(kept.at(as_of, half_lives), summed.at(as_of, half_lives), strict=True)
    return max(abs(ours - exact) / max(1.0, abs(exact)) for ours, exact in pairs)
