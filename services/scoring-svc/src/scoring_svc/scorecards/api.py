"""The routes of scorecards: drafts, what is in force, and what was."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    Answer,
    Call,
    Page,
    PageRequest,
    RequestModel,
    ResponseModel,
    etag,
    if_match,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.http.calls import rendered
from scoring_svc.errors import (
    BandsOutOfOrder,
    CatalogueKind,
    HalfLifeOutOfRange,
    UnfitSegment,
    UnknownKind,
    WeightsSumToZero,
)
from scoring_svc.scorecards import store
from scoring_svc.scorecards.rules import DEFAULT, KIND_WEIGHTS, Scorecard, configuration_of, described
from scoring_svc.scorecards.store import card_in
from scoring_svc.scorecards.tables import ScorecardRow

router = routes(tags=["scorecards"])

_WHOM: Final[dict[str, list[str]]] = {"tiers": [], "industries": [], "territories": []}
LONGEST_HALF_LIFE: Final = 3_650.0
"""In days; the shortest is one."""

Reader = Annotated[Call, Depends(requires("health:read", "health:admin"))]
Admin = Annotated[Call, Depends(requires("health:admin"))]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Field(max_length=200)]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,59}$")]
Worth = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Worths = Annotated[dict[Kind, Worth], Field(max_length=200)]
Weight = Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)]
Days = Annotated[float, Field(gt=0, le=3_650, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class SegmentBody(RequestModel):
    """Whom a scorecard is for: accounts of one of the tiers, industries and territories; none named: of any."""

    tiers: Words = ()
    industries: Words = ()
    territories: Words = ()


class HalfLives(RequestModel):
    """In how many days evidence is worth half."""

    # The range is the scorecard's business, and has a code of its own.
    heart: float = DEFAULT.half_life_days[0]
    mind: float = DEFAULT.half_life_days[1]
    wallet: float = DEFAULT.half_life_days[2]
    responsiveness: float = DEFAULT.responsiveness_half_life_days


class MeasureWeights(RequestModel):
    """What the measures weigh against each other."""

    heart: Weight = DEFAULT.measure_weights[0]
    mind: Weight = DEFAULT.measure_weights[1]
    wallet: Weight = DEFAULT.measure_weights[2]
    engagement: Weight = DEFAULT.measure_weights[3]
    coverage: Weight = DEFAULT.measure_weights[4]
    responsiveness: Weight = DEFAULT.measure_weights[5]
    satisfaction: Weight = DEFAULT.measure_weights[6]
    plan: Weight = DEFAULT.measure_weights[7]


class Validities(RequestModel):
    """For how many days what was measured counts."""

    coverage: Days = DEFAULT.coverage_validity_days
    satisfaction: Days = DEFAULT.satisfaction_validity_days
    plan: Days = DEFAULT.plan_validity_days


class Caps(RequestModel):
    """The highest score of an account of which something grave is known; 100 is no cap."""

    renewal_declined: Points = DEFAULT.cap_renewal_declined
    champion_gone: Points = DEFAULT.cap_champion_gone
    veto_holder_detractor: Points = DEFAULT.cap_veto_holder_detractor


class Bands(RequestModel):
    """From which score an account is healthy or to watch; a band is left when its edge is passed by the hysteresis."""

    healthy_from: Points = DEFAULT.healthy_from
    watch_from: Points = DEFAULT.watch_from
    hysteresis: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)] = DEFAULT.hysteresis
    min_confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = DEFAULT.min_confidence


class ScorecardBody(RequestModel):
    """What evidence and measures are worth; what is left out has its documented default."""

    segment: SegmentBody = SegmentBody()
    kind_weights: Annotated[
        dict[Kind, Worth], Field(max_length=200, description="of the catalogue's kinds", default_factory=dict)
    ]
    custom_kinds: Annotated[
        dict[Kind, Worth], Field(max_length=200, description="of kinds of your own", default_factory=dict)
    ]
    half_life_days: HalfLives = HalfLives()
    scale: Annotated[float, Field(ge=0.1, le=1_000, allow_inf_nan=False)] = DEFAULT.scale
    measure_weights: MeasureWeights = MeasureWeights()
    validity_days: Validities = Validities()
    caps: Caps = Caps()
    bands: Bands = Bands()
    engaged: Annotated[Points, Field(description="engagement while contact is as expected")] = DEFAULT.engaged
    enough_evidence: Annotated[int, Field(ge=1, le=3, description="pieces")] = DEFAULT.enough_evidence

    def card(self, name: str, version: int = 1) -> Scorecard:
        """The scorecard that the body stands for; raises the error that says why there can be none."""
        unknown = sorted(self.kind_weights.keys() - KIND_WEIGHTS.keys())
        if unknown:
            detail = f"The catalogue knows no kind {unknown[0]}; kinds of your own stand in custom_kinds."
            raise UnknownKind(detail, pointer=f"/kind_weights/{unknown[0]}")
        known = sorted(self.custom_kinds.keys() & KIND_WEIGHTS.keys())
        if known:
            detail = f"{known[0]} is of the catalogue: weigh it in kind_weights."
            raise CatalogueKind(detail, pointer=f"/custom_kinds/{known[0]}")
        lives, valid, bands = self.half_life_days, self.validity_days, self.bands
        for dimension, days in lives.model_dump().items():
            if not 1.0 <= days <= LONGEST_HALF_LIFE:
                raise HalfLifeOutOfRange("A half-life lasts 1 to 3,650 days.", pointer=f"/half_life_days/{dimension}")
        weights = tuple(self.measure_weights.model_dump().values())
        if sum(weights) <= 0:
            raise WeightsSumToZero("At least one measure must weigh something.", pointer="/measure_weights")
        if bands.watch_from + 2.0 * bands.hysteresis >= bands.healthy_from:
            why = "The band watch must be wider than twice the hysteresis, and lie below healthy."
            raise BandsOutOfOrder(why, pointer="/bands")
        return Scorecard(
            name=name,
            version=version,
            kind_weights={**KIND_WEIGHTS, **self.kind_weights, **self.custom_kinds},
            half_life_days=(lives.heart, lives.mind, lives.wallet),
            responsiveness_half_life_days=lives.responsiveness,
            scale=self.scale,
            measure_weights=weights,
            coverage_validity_days=valid.coverage,
            satisfaction_validity_days=valid.satisfaction,
            plan_validity_days=valid.plan,
            engaged=self.engaged,
            enough_evidence=self.enough_evidence,
            cap_renewal_declined=self.caps.renewal_declined,
            cap_champion_gone=self.caps.champion_gone,
            cap_veto_holder_detractor=self.caps.veto_holder_detractor,
            **bands.model_dump(),
        )


class NewScorecard(ScorecardBody):
    """A draft: the next version of a name. `default` is for all accounts that no other is for."""

    name: Name


class ScorecardView(ResponseModel):
    """One version of what evidence and measures are worth. Half-lives, validities and cadences in days.

    The built-in default has no id. `author` and `changed_at` are of the draft.
    """

    id: UUID | None = None
    name: str
    version: int
    state: Literal["draft", "published", "retired"]
    segment: dict[str, list[str]]
    kind_weights: dict[str, float]
    custom_kinds: dict[str, float]
    half_life_days: dict[str, float]
    scale: float
    measure_weights: dict[str, float]
    validity_days: dict[str, float]
    caps: dict[str, float]
    bands: dict[str, float]
    engaged: float
    enough_evidence: int
    cadence_days: dict[str, float]
    author: str | None = None
    changed_at: datetime | None = None
    reason: str | None = None
    published_by: str | None = None
    published_at: datetime | None = None
    retired_by: str | None = None
    retired_at: datetime | None = None


@router.get("/scorecards", operation_id="list-scorecards")
async def list_scorecards(call: Reader, page: PageRequest) -> Page[ScorecardView]:
    """Every version of the tenant's scorecards, newest first; last of all the built-in default they start from."""
    before = page.after_id if page.after else None
    async with call.read() as session:
        rows = await store.listed(session, call.tenant, before=before, limit=page.limit + 1)
        own = await store.published(session, call.tenant, DEFAULT.name)
    shown, cursor = page.cut(rows, key=lambda row: [str(row.id)])
    state = "published" if own is None else "retired"
    built_in = [] if cursor else [ScorecardView(**described(DEFAULT), state=state, segment=_WHOM)]
    return Page(items=[*map(_view, shown), *built_in], next_cursor=cursor)


@router.get("/scorecards/{scorecard_id}", operation_id="get-scorecard", response_model=ScorecardView)
async def get_scorecard(scorecard_id: UUID, call: Reader) -> Response:
    """One version; its ETag goes into `If-Match` of a change."""
    async with call.read() as session:
        return rendered(_answer(await store.one(session, call.tenant, scorecard_id)))


@router.post("/scorecards", operation_id="create-scorecard", response_model=ScorecardView, status_code=201)
async def create_scorecard(body: NewScorecard, call: Admin) -> Response:
    """Begin a draft, which scores nothing until it is published. Try it by a dry run."""
    card = body.card(body.name)
    segment = _segment(body.name, body.segment)

    async def work(uow: UnitOfWork) -> Answer:
        await store.lock(uow.session, call.tenant)
        row = await store.create_draft(
            uow.session,
            call.tenant,
            name=body.name,
            configuration=configuration_of(card),
            segment=segment,
            author=call.subject,
            now=uow.now,
        )
        return _answer(row, 201)

    return await call.write(work)


@router.put("/scorecards/{scorecard_id}", operation_id="replace-scorecard", response_model=ScorecardView)
async def replace_scorecard(scorecard_id: UUID, body: ScorecardBody, call: Admin) -> Response:
    """Say a draft anew, whole."""

    async def work(uow: UnitOfWork) -> Answer:
        row = await _seen_draft(uow, call, scorecard_id)
        row.segment = _segment(row.name, body.segment)
        row.configuration = configuration_of(body.card(row.name))
        row.author, row.changed_at, row.revision = call.subject, uow.now, row.revision + 1
        return _answer(row)

    return await call.write(work)


@router.delete("/scorecards/{scorecard_id}", operation_id="remove-scorecard", status_code=204)
async def remove_scorecard(scorecard_id: UUID, call: Admin) -> Response:
    """Drop a draft. What was in force once stays on record."""

    async def work(uow: UnitOfWork) -> Answer:
        await uow.session.delete(await _seen_draft(uow, call, scorecard_id))
        return Answer(None, 204)

    return await call.write(work)


async def _seen_draft(uow: UnitOfWork, call: Call, id_: UUID) -> ScorecardRow:
    """The draft, which the caller must have seen as it is."""
    row = await store.draft(uow.session, call.tenant, id_)
    if_match(call.request, row.revision, required=True)
    return row


def _segment(name: str, body: SegmentBody) -> dict[str, list[str]]:
    said = {key: sorted(set(values)) for key, values in body.model_dump().items() if values}
    if name == DEFAULT.name and said:
        raise UnfitSegment("The default is for all accounts that no other scorecard is for.", pointer="/segment")
    if name != DEFAULT.name and not said:
        raise UnfitSegment("Say which accounts the scorecard is for.", pointer="/segment")
    return said


def _answer(row: ScorecardRow, status: int = 200) -> Answer:
    return Answer(_view(row), status, {"ETag": etag(row.revision)})


def _view(row: ScorecardRow) -> ScorecardView:
    told = {name: getattr(row, name) for name in ScorecardView.model_fields if name in row.__class__.model_fields}
    return ScorecardView(**told | described(card_in(row)) | {"segment": _WHOM | row.segment})
