"""The error that a service's rules and stores raise. What HTTP makes of it is HTTP's: a worker has no use for that."""

from typing import Any


class DomainError(Exception):
    """A broken rule of a service; its status and code stand in the service's ERRORS table.

    ``pointer`` names the guilty place in the body, ``extra`` becomes further members of the problem.
    """

    def __init__(self, detail: str, *, pointer: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.extra = extra
