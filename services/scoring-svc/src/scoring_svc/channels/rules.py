"""What each kind of channel is made of. Pure; which networks an address may lead to is not decided here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
LIVE_SECRETS: Final = 2
"""So many secrets a channel has at a time: the one in use and, while it is being changed, its successor."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel: where its address comes from, and what its secret is.

    ``needs`` says of its secret: made (by us when none is given), given (the receiver's), address (the address is the
    secret), optional or none.
    """

    needs: str
    address: str | None = None
    needs_address: bool = True
    digests: bool = True


KINDS: Final[Mapping[str, Kind]] = {
    "webhook": Kind("made"),
    "pagerduty": Kind("given", PAGERDUTY, needs_address=False, digests=False),
    "alertmanager": Kind("optional", digests=False),
    "email": Kind("none", needs_address=False),
    "slack": Kind("address"),
    "teams": Kind("address"),
}


def flaw(url: str, *, http: bool) -> str | None:
    """What keeps ``url`` from being an address to send to, in words; None when it can be one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is no URL."
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "Give a whole URL: https://host/path."
    if parts.scheme == "http" and not http:
        return "The address must be https."
    if parts.username is not None or parts.password is not None:
        return "An address carries no user name and no password; give them as the secret."
    return None


def place(url: str) -> tuple[str, int]:
    """Host and port of an address without a flaw."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
