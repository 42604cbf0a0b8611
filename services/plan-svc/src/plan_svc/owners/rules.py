"""Who answers for a play. Pure."""

from uuid import UUID

FALLBACK_ROLE = "account-lead"
"""The role whose opaque id answers for a play when no owner is known and the tenant chose nobody."""


def answerable(named: UUID | None, account_owner: UUID | None, fallback: UUID) -> UUID:
    """Who is named (by the alert or by hand), else the account's owner, else the fallback: never nobody."""
    return named or account_owner or fallback
