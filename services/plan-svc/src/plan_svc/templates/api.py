"""Reading the catalogue of plays over HTTP."""

from fastapi import Depends

from bellwether_kit.http import Page, ResponseModel, requires
from bellwether_kit.http import router as make_router
from plan_svc.templates.rules import TEMPLATES

router = make_router(tags=["play-templates"])


class StepTemplateView(ResponseModel):
    """One step, and how many days after the play opened it is due."""

    title: str
    why: str
    days: int
    success_measure: str


class TemplateView(ResponseModel):
    """A play that can be opened: `code` is what an alert's `suggested_play` names."""

    code: str
    title: str
    purpose: str
    steps: list[StepTemplateView]


@router.get("/play-templates", operation_id="list-play-templates", dependencies=[Depends(requires("plans:read"))])
async def list_play_templates() -> Page[TemplateView]:
    """Every play that Bellwether knows, on one page."""
    return Page(items=[TemplateView.model_validate(template) for template in TEMPLATES])
