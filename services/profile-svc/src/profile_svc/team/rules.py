"""The roles of an account team. Pure: it knows no database, no HTTP and no clock."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member of ours is there for; the roles of strategic account management."""

    CHIEF_OF_RELATIONSHIPS = "chief-of-relationships"
    BUSINESS_DRIVER = "business-driver"
    FORWARD_THINKER = "forward-thinker"
    TECHNICAL_EXPERT = "technical-expert"
    PROJECT_MANAGER = "project-manager"
    DEVILS_ADVOCATE = "devils-advocate"


@dataclass(frozen=True, order=True)
class Member:
    """One of ours in one role; ``email`` in lower case. A person may hold several roles."""

    role: Role
    email: str
