"""Every error as an RFC 9457 problem with a stable code; where errors come from is not its business."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope
from typing_extensions import TypedDict

from bellwether_kit import telemetry
from bellwether_kit.errors import DomainError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:bellwether:problem:"

_SHOWN_ERRORS = 100  # a body of unknown fields must not make an answer larger than itself


class FieldError(TypedDict):
    """What is wrong with one place; ``pointer`` is an RFC 6901 JSON pointer inside ``location``."""

    pointer: str
    location: str
    code: str
    detail: str


class Problem(BaseModel):
    """An RFC 9457 problem. Branch on ``code``; it never changes. ``detail`` is for people."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str = Field(examples=[f"{TYPE_PREFIX}unknown-account"])
    title: str = Field(examples=["Unknown account"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no account of this id."])
    code: str = Field(examples=["unknown-account"])
    instance: str | None = None
    errors: list[FieldError] = []
    trace_id: str | None = None


Errors = Mapping[type[DomainError], tuple[int, str]]
"""A service's one table: error → (status, code)."""


class ProblemError(HTTPException):
    """A problem that the kit itself raises. Starlette and FastAPI let it through as it is."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        **extra: Any,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.errors = list(errors)
        self.extra = extra


def translate(error: Exception, errors: Errors) -> ProblemError | None:
    """Give the problem that stands for ``error``, or None when nobody foresaw it."""
    match error:
        case ProblemError():
            return error
        case DomainError():
            return _of_domain(error, errors)
        case RequestValidationError() | ValidationError():
            return invalid(field_errors(error.errors()))
        case HTTPException():
            return _of_framework(error)
        case _:
            return None


def _of_domain(error: DomainError, errors: Errors) -> ProblemError | None:
    for kind in type(error).__mro__:
        if kind in errors:
            status, code = errors[kind]
            found: list[FieldError] = []
            if error.pointer is not None:
                found.append(FieldError(pointer=error.pointer, location="body", code=code, detail=error.detail))
            return ProblemError(status, code, error.detail, errors=found, **error.extra)
    return None


_FRAMEWORK = {
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not allow the method; see the Allow header."),
}


def _of_framework(error: HTTPException) -> ProblemError:
    code, detail = _FRAMEWORK.get(error.status_code, (f"http-{error.status_code}", error.detail))
    return ProblemError(error.status_code, code, detail, headers=error.headers)


def invalid(errors: Sequence[FieldError]) -> ProblemError:
    """Make the 422 of a request that is well formed and means nothing."""
    places = "one place" if len(errors) == 1 else f"{len(errors)} places"
    detail = f"The request is not valid in {places}."
    return ProblemError(422, "validation-failed", detail, errors=errors[:_SHOWN_ERRORS])


_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})


def field_errors(found: Sequence[Any], *, prefix: str = "") -> list[FieldError]:
    """Turn pydantic's errors into ours. ``prefix`` is the pointer of the value that was validated.

    What was sent is not repeated: it may be a secret.
    """
    errors = []
    for error in found:
        path = [str(part) for part in error["loc"]]
        location = path.pop(0) if path and path[0] in _LOCATIONS and not prefix else "body"
        pointer = prefix + "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
        detail = error["msg"].removeprefix("Value error, ")
        code = error["type"].replace("_", "-")
        errors.append(FieldError(pointer=pointer, location=location, code=code, detail=detail))
    return errors


def members(problem: ProblemError, instance: str | None = None) -> dict[str, Any]:
    """Give the problem's JSON members."""
    found: dict[str, Any] = {
        **problem.extra,
        "type": TYPE_PREFIX + problem.code,
        "title": problem.code.replace("-", " ").capitalize(),
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "trace_id": telemetry.trace_id(),
    }
    if problem.errors:
        found["errors"] = problem.errors
    return found


def problem_response(scope: Scope, problem: ProblemError) -> Response:
    """Render ``problem`` as the answer to the request of ``scope``."""
    instance = scope.get("raw_path", scope["path"].encode(errors="replace")).decode("ascii", "replace")
    return Response(
        to_json(members(problem, instance), fallback=str),
        problem.status_code,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def problem_of(error: Exception, *, errors: Errors) -> Problem:
    """Give the problem of one item in a bulk answer; an error that nobody foresaw is raised again."""
    problem = translate(error, errors)
    if problem is None:
        raise error
    return Problem.model_validate(members(problem))
