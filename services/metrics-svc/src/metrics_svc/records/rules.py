"""How a record names its account and its people, and what one is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from metrics_svc.activities.rules import Reference

LONGEST_NAME = 200
LONGEST_SOURCE = 63
LONGEST_EMAIL = 254


def _one_way(ways: Mapping[str, object], source: str | None, external_id: str | None) -> None:
    given = [way for way in (*ways.values(), source) if way is not None]
    if len(given) != 1 or (source is None) != (external_id is None):
        raise ValueError(f"give exactly one: {', '.join(ways)}, or source with external_id")


def _fits(value: str | None, longest: int = LONGEST_NAME) -> None:
    if value is not None and not 0 < len(value.strip()) <= len(value) <= longest:
        raise ValueError(f"a name has 1 to {longest} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    """An account as a source names it: by our id, by the source's id of it, or by its e-mail domain.

    Raises ValueError unless it is exactly one of these.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: UUID | None = None
    source: str | None = None
    external_id: str | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        _one_way({"id": self.id, "domain": self.domain}, self.source, self.external_id)
        for name in (self.source, self.external_id, self.domain):
            _fits(name)

    def reference(self) -> Reference:
        """The way it is named."""
        if self.id is not None:
            return Reference(kind="id", value=str(self.id))
        if self.domain is not None:
            return Reference(kind="domain", value=self.domain.lower())
        return Reference(kind="external", source=str(self.source), value=str(self.external_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """A person at the client: by id, by a source's id of them, or by e-mail address, of which a hash is kept.

    Raises ValueError unless it is exactly one of these.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    id: UUID | None = None
    source: str | None = None
    external_id: str | None = None
    email: str | None = None

    def __post_init__(self) -> None:
        _one_way({"id": self.id, "email": self.email}, self.source, self.external_id)
        for name in (self.source, self.external_id):
            _fits(name)
        _fits(self.email, LONGEST_EMAIL)
        if self.email is not None and "@" not in self.email.strip("@"):
            raise ValueError("an e-mail address has an @ inside")

    def parts(self) -> tuple[str, str]:
        """What the opaque id of a person without id is made of, the same as for activities."""
        return ("email", self.email.lower()) if self.email is not None else (str(self.source), str(self.external_id))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """One record on its way in, equal to no other; ``values`` are the columns of its own table."""

    id: UUID
    source: str
    revision: int
    account: Reference
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one unit of work did to a record: its columns before (None: it was not there) and after."""

    before: Mapping[str, Any] | None
    after: Mapping[str, Any]

    def sides(self) -> tuple[Mapping[str, Any], ...]:
        """Both states that belong to an account."""
        return tuple(side for side in (self.before, self.after) if side and side["account_id"] is not None)
