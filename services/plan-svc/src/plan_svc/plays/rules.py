"""The states of a play and why it ends. Which alerts open and close one is said by `alerts`."""

from enum import StrEnum


class PlayStatus(StrEnum):
    """Where a play stands."""

    OPEN = "open"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a play ended."""

    ALERT_RESOLVED = "alert-resolved"
    ALERT_MOVED_ON = "alert-moved-on"
    ACCOUNT_REMOVED = "account-removed"
    BY_HAND = "closed-by-hand"
