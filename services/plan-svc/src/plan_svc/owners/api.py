"""A tenant's settings for plays over HTTP: who answers for one when no owner is known."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import Answer, Call, RequestModel, ResponseModel, etag, if_match, requires
from bellwether_kit.http import router as make_router
from bellwether_kit.ids import opaque_id
from plan_svc.owners import store
from plan_svc.owners.tables import PlaySetting

router = make_router(tags=["plays"])


class SettingsPut(RequestModel):
    """Who answers for plays of accounts without an owner, and why that was chosen."""

    fallback_owner_email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class SettingsView(ResponseModel):
    """A tenant's settings for plays. `version` 0: nothing was chosen, these are the defaults."""

    fallback_owner_id: UUID
    reason: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    version: int = 0


@router.get("/play-settings", operation_id="get-play-settings", response_model=SettingsView)
async def get_settings(call: Annotated[Call, Depends(requires("plans:read"))], response: Response) -> SettingsView:
    """The tenant's settings for plays."""
    async with call.read() as session:
        chosen = await store.setting(session, call.tenant)
        fallback = await store.fallback_owners(session, [call.tenant])
    view = SettingsView.model_validate(chosen) if chosen else SettingsView(fallback_owner_id=fallback[call.tenant])
    response.headers["ETag"] = etag(view.version)
    return view


@router.put("/play-settings", operation_id="set-play-settings", response_model=SettingsView)
async def set_settings(body: SettingsPut, call: Annotated[Call, Depends(requires("plans:admin"))]) -> Response:
    """Choose who answers for plays of accounts without an owner, from the next play on."""

    async def work(uow: UnitOfWork) -> Answer:
        chosen = await store.setting(uow.session, call.tenant, locked=True)
        version = chosen.version if chosen else 0
        if_match(call.request, version, required=False)
        row = PlaySetting(
            tenant=call.tenant,
            fallback_owner_id=opaque_id(call.tenant, "user", body.fallback_owner_email.lower()),
            reason=body.reason,
            changed_by=call.subject,
            changed_at=uow.now,
            version=version + 1,
        )
        await uow.session.merge(row)
        return Answer(SettingsView.model_validate(row), headers={"ETag": etag(row.version)})

    return await call.write(work)
