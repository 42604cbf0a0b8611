"""The routes that change accounts, and what they take; reading is in ``directory``."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from bellwether_kit.db import UnitOfWork
from bellwether_kit.http import (
    IF_MATCH,
    Answer,
    BulkAnswer,
    Call,
    Currency,
    ItemResult,
    Money,
    Problem,
    RequestModel,
    UtcDatetime,
    changes,
    etag,
    if_match,
    items_body,
    problem_of,
    read_items,
    requires,
)
from bellwether_kit.http import router as routes
from bellwether_kit.ids import uuid7
from profile_svc.accounts import rules, store
from profile_svc.accounts.rules import Account, AccountType, Change, ExternalId, Outcome, Refusal, Result, Status, Tier
from profile_svc.errors import ERRORS, AccountHasChildren, UnknownAccount, error_of

router = routes(tags=["accounts"])

Writer = Annotated[Call, Depends(requires("accounts:write"))]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Email = Annotated[str, StringConstraints(to_lower=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Domain = Annotated[str, StringConstraints(to_lower=True, max_length=253, pattern=r"^[\w-]+(\.[\w-]+)+$")]


def _not_negative(value: Money) -> Money:
    if value.amount < 0:
        raise ValueError("what an account is worth in a year is not negative")
    return value


Worth = Annotated[Money, AfterValidator(_not_negative)]


class ExternalRef(RequestModel):
    """The account's name in a source system."""

    source: Source
    external_id: Name


class ParentRef(RequestModel):
    """An account, by its id or by one of its external ids."""

    id: UUID | None = None
    source: Source | None = None
    external_id: Name | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.source is None) != (self.external_id is None) or (self.id is None) == (self.source is None):
            raise ValueError("give either id, or source and external_id")
        return self


class UserRef(RequestModel):
    """One of our own users."""

    email: Email


class AccountChange(RequestModel):
    """What is said about an account. A field that is absent stays as it is; null clears it."""

    external_ids: Annotated[tuple[ExternalRef, ...], Field(max_length=20)] = ()
    name: Name = ""
    status: Status = Status.ACTIVE
    account_type: AccountType = AccountType.STANDARD
    tier: Tier | None = None
    industry: Text | None = None
    territory: Text | None = None
    country: Annotated[Country | None, Field(description="ISO 3166-1 alpha-2", examples=["DE"])] = None
    currency: Currency | None = None
    parent: ParentRef | None = None
    owner: UserRef | None = None
    cadence_days: Annotated[float | None, Field(ge=0.01, le=3650)] = None
    contract_start: date | None = None
    contract_end: date | None = None
    renewal_at: UtcDatetime | None = None
    yearly_value: Worth | None = None
    whitespace: Annotated[Worth | None, Field(description="what it could buy from us in a year and does not yet")] = (
        None
    )
    email_domains: Annotated[tuple[Domain, ...], Field(max_length=20)] = ()
    known_since: Annotated[UtcDatetime | None, Field(description="null: when it was created here")] = None

    def names(self) -> frozenset[ExternalId]:
        """The external ids that are said."""
        return frozenset(ExternalId(ref.source, ref.external_id) for ref in self.external_ids)

    def facts(self) -> dict[str, Any]:
        """The facts that are said, as the rules have them."""
        said = changes(self)
        said.pop("external_ids", None)
        if "parent" in said:
            said["parent_id"] = _named(said.pop("parent"))
        if self.owner is not None:
            said["owner"] = self.owner.email
        for name, worth in (("yearly_value", self.yearly_value), ("whitespace", self.whitespace)):
            if worth is not None:
                said[name] = rules.Money(worth.amount, worth.currency)
        if "email_domains" in said:
            said["email_domains"] = tuple(sorted(set(self.email_domains)))
        return said


def _named(parent: ParentRef | None) -> UUID | ExternalId | None:
    if parent is None:
        return None
    return parent.id or ExternalId(str(parent.source), str(parent.external_id))


EXAMPLE = {
    "external_ids": [{"source": "hubspot", "external_id": "company-17"}],
    "name": "Northwind Traders",
    "account_type": "key",
    "tier": "A",
    "owner": {"email": "ana@example.com"},
    "yearly_value": {"amount": "1200000.00", "currency": "EUR"},
    "whitespace": {"amount": "300000.00", "currency": "EUR"},
    "renewal_at": "2026-12-31T00:00:00Z",
}


@router.post(
    "/accounts",
    response_model=BulkAnswer,
    operation_id="upsert-accounts",
    openapi_extra=items_body(AccountChange, EXAMPLE, {"items": [EXAMPLE]}),
)
async def upsert_accounts(call: Writer, *, dry_run: bool = False) -> Response | BulkAnswer:
    """Create or update up to 500 accounts by any of their external ids; one result per item, in order.

    Each is `created`, `updated`, `unchanged` or `rejected` with a problem. External ids are added, never taken
    away. An account without one is always new. A parent comes before its children. `dry_run` changes nothing.
    """
    items = await read_items(call, AccountChange)
    said = [_change(item) for item in items if not isinstance(item, Problem)]
    if dry_run:
        async with call.read() as session:
            known = await store.known(session, call.tenant, said)
        return _bulk(items, rules.settle(said, known, as_of=call.now, ids=_ids()), dry_run=True)

    async def work(uow: UnitOfWork) -> Answer:
        await store.one_writer(uow.session, call.tenant)
        known = await store.known(uow.session, call.tenant, said)
        outcomes = rules.settle(said, known, as_of=uow.now, ids=_ids())
        news = [o.account for o in outcomes if o.account and o.result is not Result.UNCHANGED]
        await store.save(uow, call.tenant, news)
        return Answer(_bulk(items, outcomes))

    return await call.write(work)


def _ids() -> Iterator[UUID]:
    return iter(uuid7, None)


def _change(item: AccountChange) -> Change:
    names = item.names()
    return Change(min(names).source if names else "api", item.facts(), names)


def _bulk(
    items: Sequence[AccountChange | Problem], outcomes: Sequence[Outcome], *, dry_run: bool = False
) -> BulkAnswer:
    following = iter(outcomes)
    results = (
        ItemResult(status=Result.REJECTED, problem=item)
        if isinstance(item, Problem)
        else _result(next(following), dry_run=dry_run)
        for item in items
    )
    return BulkAnswer(items=list(results))


def _result(outcome: Outcome, *, dry_run: bool) -> ItemResult:
    if outcome.refusal is not None:
        return ItemResult(status=outcome.result, problem=problem_of(error_of(outcome.refusal), errors=ERRORS))
    made_up = dry_run and outcome.result is Result.CREATED
    return ItemResult(status=outcome.result, id=None if made_up or not outcome.account else outcome.account.id)


@router.patch(
    "/accounts/{account_id}",
    response_model=ItemResult,
    operation_id="change-account",
    responses={409: {"description": "The parent or an external id can't be taken"}},
    openapi_extra=IF_MATCH,
)
async def change_account(account_id: UUID, body: AccountChange, call: Writer) -> Response:
    """Change one account by a JSON merge patch; needs `If-Match`. `external_ids`, when given, is the whole set."""

    async def work(uow: UnitOfWork) -> Answer:
        account = await _held(uow, call, account_id)
        names = body.names() if "external_ids" in body.model_fields_set else account.external_ids
        change = Change("api", body.facts(), names)
        known = await store.known(uow.session, call.tenant, [change])
        revised = rules.revise(account, change, known, uow.now)
        if isinstance(revised, Refusal):
            raise error_of(revised)
        if revised is account:
            return _answer(Result.UNCHANGED, account)
        await store.save(uow, call.tenant, [revised])
        return _answer(Result.UPDATED, revised)

    return await call.write(work)


@router.delete(
    "/accounts/{account_id}",
    status_code=204,
    operation_id="remove-account",
    responses={409: {"description": "Other accounts name it as parent"}},
    openapi_extra=IF_MATCH,
)
async def remove_account(
    account_id: UUID, call: Writer, reason: Annotated[Name, Query(description="why; goes into the event")] = "removed"
) -> Response:
    """Remove one account with its external ids, team and health; needs `If-Match`. Children must leave first."""

    async def work(uow: UnitOfWork) -> Answer:
        account = await _held(uow, call, account_id)
        if await store.page(uow.session, call.tenant, store.Filters(parent_id=account_id), limit=1):
            raise AccountHasChildren("Other accounts name this one as parent.")
        await store.remove(uow, call.tenant, account, reason=reason)
        return Answer(status=204)

    return await call.write(work)


async def _held(uow: UnitOfWork, call: Call, account_id: UUID) -> Account:
    await store.one_writer(uow.session, call.tenant)
    account = await store.find(uow.session, call.tenant, account_id)
    if account is None:
        raise UnknownAccount("There is no account of this id.")
    if_match(call.request, account.version)
    return account


def _answer(result: Result, account: Account) -> Answer:
    return Answer(ItemResult(status=result, id=account.id), headers={"ETag": etag(account.version)})
