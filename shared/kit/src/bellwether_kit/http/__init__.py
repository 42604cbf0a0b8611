"""HTTP as all services speak it: problems, limits, identity, paging, idempotent writes and health."""

from bellwether_kit.http.app import build_api
from bellwether_kit.http.bulk import BulkAnswer, ItemResult, items_body, read_items
from bellwether_kit.http.calls import Answer, Call, rendered
from bellwether_kit.http.exports import EXPORTABLE, export_if_asked, page_or_export
from bellwether_kit.http.guard import Requires, requires
from bellwether_kit.http.joined import JoinedWork
from bellwether_kit.http.models import (
    Currency,
    Money,
    QueryModel,
    RequestModel,
    ResponseModel,
    UtcDatetime,
    changes,
)
from bellwether_kit.http.paging import Page, PageQuery, PageRequest
from bellwether_kit.http.preconditions import IF_MATCH, etag, if_match
from bellwether_kit.http.problems import Errors, Problem, ProblemError, problem_of
from bellwether_kit.http.routes import AnyQuery, router

__all__ = [
    "EXPORTABLE",
    "IF_MATCH",
    "Answer",
    "AnyQuery",
    "BulkAnswer",
    "Call",
    "Currency",
    "Errors",
    "ItemResult",
    "JoinedWork",
    "Money",
    "Page",
    "PageQuery",
    "PageRequest",
    "Problem",
    "ProblemError",
    "QueryModel",
    "RequestModel",
    "Requires",
    "ResponseModel",
    "UtcDatetime",
    "build_api",
    "changes",
    "etag",
    "export_if_asked",
    "if_match",
    "items_body",
    "page_or_export",
    "problem_of",
    "read_items",
    "rendered",
    "requires",
    "router",
]
