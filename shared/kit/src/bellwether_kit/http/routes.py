"""Routes as all services have them: admitted before the body is read, unknown query parameters refused."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope

from bellwether_kit.http.bodies import BodyRequest
from bellwether_kit.http.guard import Requires
from bellwether_kit.http.models import RequestModel
from bellwether_kit.http.problems import FieldError, invalid


def any_query(request: Request) -> Mapping[str, str]:
    """Give the query whatever it holds."""
    return request.query_params


AnyQuery = Annotated[Mapping[str, str], Depends(any_query)]
"""The dependency of a route whose query is somebody else's: no parameter of it is unknown."""


class Route(APIRoute):
    """A route with its guard in front."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether the request is for this route; most are not, as the fixed beginning of the path tells."""
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _beginning(self) -> str:
        return self.path.partition("{")[0]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler, which would read and decode the body before it asks who is calling."""
        handle = super().get_route_handler()
        guards = [part.call for part in _tree(self.dependant) if isinstance(part.call, Requires)]
        known = frozenset(_query_names(self.dependant))
        open_query = any(part.call is any_query for part in _tree(self.dependant))
        reads_json = self.body_field is not None

        async def answer(request: Request) -> Response:
            checked = BodyRequest(request.scope, request.receive)
            for guard in guards:
                await guard.admit(checked)
            if request.scope["query_string"] and not open_query:
                _refuse_unknown(checked, known)
            if reads_json:
                checked.require_json()
            return await handle(checked)

        return answer


def router(prefix: str = "/v1", *, tags: list[str | Enum] | None = None) -> APIRouter:
    """Make the router of one feature; its paths follow ``prefix``."""
    return APIRouter(prefix=prefix, tags=tags, route_class=Route, redirect_slashes=False)


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for part in dependant.dependencies:
        yield from _tree(part)


def _query_names(dependant: Dependant) -> Iterator[str]:
    for part in _tree(dependant):
        for field in part.query_params:
            kind = field.field_info.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if issubclass(kind, RequestModel):
                    raise TypeError(f"{kind.__name__}: query parameters are a QueryModel, bodies a RequestModel")
                yield from (model.alias or name for name, model in kind.model_fields.items())
            else:
                yield field.alias


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        raise invalid(
            [
                FieldError(pointer=f"/{name}", location="query", code="extra-forbidden", detail="No such parameter.")
                for name in unknown
            ]
        )
