"""``ETag`` and ``If-Match``: nobody overwrites what they have not seen."""

from typing import Any

from starlette.requests import Request

from bellwether_kit.http.problems import ProblemError

IF_MATCH: dict[str, Any] = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The `ETag` you have read; `*` for whatever is there.",
            "schema": {"type": "string"},
        }
    ],
    "responses": {"412": {"description": "Changed since you read it"}, "428": {"description": "If-Match is missing"}},
}
"""The ``openapi_extra`` of a route that requires :func:`if_match`, which FastAPI can't see."""


def etag(version: int) -> str:
    """Give the strong entity tag of a row's version."""
    return f'"{version}"'


def if_match(request: Request, version: int, *, required: bool = True) -> None:
    """Raise the 412 problem unless the caller has seen ``version``; 428 when they do not say and must.

    Weak tags never match, as RFC 9110 has it for If-Match.
    """
    header = request.headers.get("if-match")
    if header is None:
        if required:
            detail = "Send the ETag you have read in If-Match."
            raise ProblemError(428, "precondition-required", detail)
        return
    tags = {tag.strip() for tag in header.split(",")}
    if "*" not in tags and etag(version) not in tags:
        detail = "It was changed since you read it; read it again."
        raise ProblemError(412, "precondition-failed", detail, headers={"ETag": etag(version)})
