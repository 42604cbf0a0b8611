"""How changes settle against known accounts, over any batch and any order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_svc.accounts.rules import (
    Account,
    AccountId,
    Change,
    ExternalId,
    Known,
    Money,
    Outcome,
    Profile,
    Refusal,
    Result,
    Rule,
    Tier,
    ancestry,
    revise,
    settle,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NOTHING = Known({}, {}, {})


def ids(start: int = 1) -> Iterator[UUID]:
    return (UUID(int=n) for n in range(start, 1_000_000))


def known(*accounts: Account) -> Known:
    bearers = {name: account.id for account in accounts for name in account.external_ids}
    return Known({a.id: a for a in accounts}, bearers, {a.id: a.profile.parent_id for a in accounts})


def upsert(before: Known, *changes: Change, at: datetime = NOW) -> list[Outcome]:
    return settle(changes, before, as_of=at, ids=ids(len(before.accounts) + 1))


def state_after(outcomes: list[Outcome], before: Known = NOTHING) -> Known:
    accounts = dict(before.accounts)
    accounts.update({o.account.id: o.account for o in outcomes if o.account})
    return known(*accounts.values())


def crm(number: int) -> ExternalId:
    return ExternalId("crm", str(number))


def change(*names: int, **facts: object) -> Change:
    return Change("crm", facts, frozenset(crm(n) for n in names))  # type: ignore[arg-type]


def account(number: int, **facts: object) -> Account:
    profile = replace(Profile(name=f"Account {number}", known_since=NOW), **facts)  # type: ignore[arg-type]
    return Account(AccountId(UUID(int=number)), 1, NOW, NOW, profile, frozenset([crm(number)]))


names = st.sets(st.integers(1, 6), min_size=1, max_size=2)
parents = st.one_of(st.none(), st.integers(1, 6).map(crm))
facts = st.fixed_dictionaries(
    {"name": st.sampled_from(["", "Acme", "Globex"])},
    optional={
        "parent_id": parents,
        "tier": st.sampled_from([None, *Tier]),
        "industry": st.sampled_from([None, "steel"]),
    },
)
changes = st.lists(st.builds(lambda n, f: change(*n, **f), names, facts), max_size=12)


@given(changes)
def test_what_was_created_is_unchanged_when_it_is_said_again(batch: list[Change]) -> None:
    said_once = list({min(c.external_ids): c for c in batch if len(c.external_ids) == 1}.values())
    first = settle(said_once, NOTHING, as_of=NOW, ids=ids())
    again = settle(said_once, state_after(first), as_of=LATER, ids=ids(1000))
    for before, after in zip(first, again, strict=True):
        if before.result is Result.CREATED:
            assert after.result == Result.UNCHANGED
            assert before.account == after.account


@given(changes)
def test_an_external_id_never_belongs_to_two_accounts(batch: list[Change]) -> None:
    accounts = state_after(settle(batch, NOTHING, as_of=NOW, ids=ids())).accounts.values()
    assert sum(len(a.external_ids) for a in accounts) == len({n for a in accounts for n in a.external_ids})


@given(changes)
def test_no_account_becomes_its_own_ancestor(batch: list[Change]) -> None:
    state = state_after(settle(batch, NOTHING, as_of=NOW, ids=ids()))
    for account_id, parent_id in state.parents.items():
        assert account_id not in ancestry(parent_id, state.parents)


@given(changes)
def test_versions_count_the_changes_of_an_account_without_gaps(batch: list[Change]) -> None:
    versions: dict[AccountId, int] = {}
    for outcome in settle(batch, NOTHING, as_of=NOW, ids=ids()):
        if outcome.account is not None:
            step = outcome.result is not Result.UNCHANGED
            assert versions.get(outcome.account.id, 0) + step == outcome.account.version
            versions[outcome.account.id] = outcome.account.version


@given(changes, st.integers(0, 12))
def test_a_batch_settles_as_its_two_halves_would_one_after_the_other(batch: list[Change], cut: int) -> None:
    whole = settle(batch, NOTHING, as_of=NOW, ids=ids())
    numbers = ids()
    first = settle(batch[:cut], NOTHING, as_of=NOW, ids=numbers)
    second = settle(batch[cut:], state_after(first), as_of=NOW, ids=numbers)
    assert whole == first + second


@given(facts)
def test_a_fact_that_is_absent_stays_as_it_was(said: dict[str, object]) -> None:
    before = account(1, tier=Tier.A, industry="wholesale", country="DE")
    after = settle([change(1, **{**said, "name": "Acme", "parent_id": None})], known(before), as_of=LATER, ids=ids(9))
    assert after[0].account is not None
    profile = after[0].account.profile
    assert profile.country == "DE"
    assert said.get("tier", Tier.A) == profile.tier
    assert said.get("industry", "wholesale") == profile.industry


def test_a_new_account_is_known_from_the_moment_it_was_created() -> None:
    [outcome] = settle([change(1, name="Acme")], NOTHING, as_of=NOW, ids=ids(7))
    assert Outcome(Result.CREATED, outcome.account) == outcome
    assert outcome.account is not None
    assert (UUID(int=7), 1) == (outcome.account.id, outcome.account.version)
    assert outcome.account.profile.known_since == NOW


def test_a_changed_fact_remembers_its_source_and_time_and_the_others_keep_theirs() -> None:
    [first] = settle([change(1, name="Acme", industry="steel")], NOTHING, as_of=NOW, ids=ids())
    said_by_erp = replace(change(1, name="Acme", industry="copper"), source="erp")
    [second] = upsert(state_after([first]), said_by_erp, at=LATER)
    assert second.account is not None
    origins = {name: (origin.source, origin.at) for name, origin in second.account.origins.items()}
    assert origins == {"name": ("crm", NOW), "industry": ("erp", LATER)}


def test_money_written_with_other_zeros_is_the_same_money() -> None:
    before = account(1, yearly_value=Money(Decimal("1200.00"), "EUR"))
    [outcome] = upsert(known(before), change(1, yearly_value=Money(Decimal(1200), "EUR")), at=LATER)
    assert outcome.result == Result.UNCHANGED


def test_an_additional_external_id_is_added_to_the_account_that_has_the_other() -> None:
    [outcome] = upsert(known(account(1)), change(1, 2), at=LATER)
    assert outcome.account is not None
    assert (Result.UPDATED, {crm(1), crm(2)}) == (outcome.result, set(outcome.account.external_ids))


def test_a_parent_may_be_created_earlier_in_the_same_batch_but_not_later() -> None:
    child, parent = change(1, name="Child", parent_id=crm(2)), change(2, name="Parent")
    assert [o.result for o in upsert(NOTHING, parent, child)] == ["created", "created"]
    assert [o.result for o in upsert(NOTHING, child, parent)] == ["rejected", "created"]


FAR = date(2099, 1, 1)
REVERSED = {"contract_start": date(2026, 2, 1), "contract_end": date(2026, 1, 1)}


@pytest.mark.parametrize(
    ("rule", "pointer", "said"),
    [
        (Rule.NAME_GIVEN, "/name", change(1, name=None)),
        (Rule.CONTRACT_IN_ORDER, "/contract_end", change(1, **REVERSED)),
        (Rule.DATES_IN_REACH, "/known_since", change(1, known_since=NOW + timedelta(days=2))),
        (Rule.DATES_IN_REACH, "/contract_start", change(1, contract_start=FAR)),
        (Rule.DATES_IN_REACH, "/contract_end", change(1, contract_end=FAR)),
        (Rule.DATES_IN_REACH, "/renewal_at", change(1, renewal_at=datetime(2099, 1, 1, tzinfo=UTC))),
        (Rule.PARENT_KNOWN, "/parent", change(1, parent_id=crm(99))),
        (Rule.PARENT_KNOWN, "/parent", change(1, parent_id=UUID(int=99))),
        (Rule.NO_CYCLE, "/parent", change(1, parent_id=crm(1))),
        (Rule.NO_CYCLE, "/parent", change(1, parent_id=crm(3))),
        (Rule.ONE_ACCOUNT_PER_EXTERNAL_ID, "/external_ids", change(1, 2)),
    ],
)
def test_a_change_that_would_break_a_rule_is_refused(rule: Rule, pointer: str, said: Change) -> None:
    one = account(1)
    two, three = account(2, parent_id=one.id), account(3, parent_id=AccountId(UUID(int=2)))
    [outcome] = settle([said], known(one, two, three), as_of=NOW, ids=ids(10))
    assert outcome.refusal is not None
    assert (outcome.result, outcome.account) == (Result.REJECTED, None)
    assert (rule, pointer) == (outcome.refusal.rule, outcome.refusal.pointer)


def test_a_revision_replaces_the_external_ids_and_may_give_one_up() -> None:
    revised = revise(account(1), Change("api", {}, frozenset([crm(5)])), known(account(1)), LATER)
    assert isinstance(revised, Account)
    assert {crm(5)} == revised.external_ids


def test_a_revision_refuses_an_external_id_that_another_account_has() -> None:
    refused = revise(account(1), Change("api", {}, frozenset([crm(2)])), known(account(1), account(2)), LATER)
    assert isinstance(refused, Refusal)
    assert refused.rule == Rule.ONE_ACCOUNT_PER_EXTERNAL_ID
