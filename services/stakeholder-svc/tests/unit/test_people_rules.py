"""How changes settle against the people already known."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from stakeholder_svc.accounts.rules import ExternalId
from stakeholder_svc.people.rules import (
    Certainty,
    Change,
    Known,
    NewId,
    Outcome,
    Person,
    PersonId,
    Result,
    Rule,
    Sentiment,
    line_above,
    revise,
    settle,
    without_superior,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACCOUNT, ELSEWHERE, ANA = UUID(int=1), UUID(int=2), UUID(int=77)
COMPANY = ExternalId("hubspot", "company-17")
EMPTY = Known({}, {}, {}, {ACCOUNT: ACCOUNT, ELSEWHERE: ELSEWHERE, COMPANY: ACCOUNT}, {})


def name(n: int) -> ExternalId:
    return ExternalId("hubspot", f"contact-{n}")


def said(n: int | None = 1, **facts: Any) -> Change:
    account = facts.pop("account", ACCOUNT)
    names = (name(n),) if n is not None else ()
    return Change({"name": f"Person {n}"} | facts, names, account, ANA)


def ids() -> NewId:
    numbers = count(100)

    def made(change: Change) -> UUID:
        first = change.external_ids[0] if change.external_ids else None
        return UUID(int=int(first.external_id.removeprefix("contact-"))) if first else UUID(int=next(numbers))

    return made


def settled(*changes: Change, known: Known = EMPTY) -> list[Outcome]:
    return settle(changes, known, as_of=NOW, new_id=ids())


def rule_of(outcome: Outcome) -> Rule | None:
    return outcome.refusal.rule if outcome.refusal else None


def after(*outcomes: Outcome, known: Known = EMPTY) -> Known:
    people = dict(known.people) | {o.person.id: o.person for o in outcomes if o.person}
    return Known(
        people,
        {n: p.id for p in people.values() for n in p.external_ids},
        {p.id: (p.account_id, p.facts.reports_to) for p in people.values()},
        known.accounts,
        known.erased,
    )


def person(outcome: Outcome) -> Person:
    assert outcome.person is not None
    return outcome.person


def test_a_new_person_has_the_id_of_the_first_external_id() -> None:
    [outcome] = settled(Change({"name": "Robin"}, (name(4), name(9)), COMPANY))
    assert (Result.CREATED, UUID(int=4), 1) == (outcome.result, person(outcome).id, person(outcome).version)
    assert person(outcome).account_id == ACCOUNT


def test_the_same_again_changes_nothing_and_something_new_is_one_version() -> None:
    first, second, third = settled(said(veto=True), said(), said(veto=False))
    assert [first.result, second.result, third.result] == [Result.CREATED, Result.UNCHANGED, Result.UPDATED]
    assert [person(o).version for o in (first, second, third)] == [1, 1, 2]


def test_external_ids_are_added_and_find_the_person() -> None:
    both = Change({"name": "Person 1"}, (name(1), name(2)), ACCOUNT, ANA)
    first, second, third = settled(said(1), both, said(2, name="Person 1"))
    assert len({person(o).id for o in (first, second, third)}) == 1
    assert Result.UNCHANGED is third.result


def test_external_ids_of_different_people_are_refused() -> None:
    outcomes = settled(said(1), said(2), Change({}, (name(1), name(2)), ACCOUNT))
    assert Rule.ONE_PERSON_PER_EXTERNAL_ID is rule_of(outcomes[2])


def test_what_a_person_needs_and_what_may_not_change() -> None:
    outcomes = settled(
        said(1, account=UUID(int=99)),
        said(2, account=None),
        Change({}, (name(3),), ACCOUNT),
        said(4),
        said(4, account=ELSEWHERE),
        said(5, sentiment_since=date(2026, 3, 9)),
    )
    assert [rule_of(outcome) for outcome in outcomes] == [
        Rule.ACCOUNT_KNOWN,
        Rule.ACCOUNT_KNOWN,
        Rule.NAME_GIVEN,
        None,
        Rule.ACCOUNT_STAYS,
        Rule.DATES_IN_REACH,
    ]


def test_a_superior_is_somebody_at_the_same_account() -> None:
    outcomes = settled(
        said(1),
        said(2, reports_to=name(1)),
        said(3, reports_to=UUID(int=1)),
        said(4, reports_to=name(9)),
        said(5, account=ELSEWHERE, reports_to=name(1)),
    )
    assert [rule_of(o) for o in outcomes] == [None, None, None, Rule.REPORTS_TO_KNOWN, Rule.REPORTS_TO_KNOWN]
    assert UUID(int=1) == person(outcomes[1]).facts.reports_to


def test_nobody_reports_to_themselves_in_the_end() -> None:
    outcomes = settled(
        said(1),
        said(2, reports_to=name(1)),
        said(3, reports_to=name(2)),
        said(1, reports_to=name(3)),
        said(1, reports_to=name(1)),
    )
    assert [rule_of(o) for o in outcomes[3:]] == [Rule.NO_CYCLE] * 2


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=30))
def test_whatever_is_said_of_superiors_lines_end(pairs: list[tuple[int, int]]) -> None:
    people = [said(n) for n in range(1, 7)]
    outcomes = settled(*people, *(said(n, reports_to=name(boss)) for n, boss in pairs))
    places = after(*outcomes).places
    for n in range(1, 7):
        line = list(line_above(PersonId(UUID(int=n)), places))
        assert len(line) == len(set(line)) <= 6


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.sampled_from(Sentiment)), max_size=20))
def test_versions_count_changes_without_gaps_however_batches_are_cut(
    told: list[tuple[int, bool, Sentiment]],
) -> None:
    changes = [said(n, veto=veto, sentiment=sentiment) for n, veto, sentiment in told]
    at_once = settled(*changes)
    known, one_by_one = EMPTY, []
    for change in changes:
        [outcome] = settled(change, known=known)
        one_by_one.append(outcome)
        known = after(outcome, known=known)
    assert at_once == one_by_one
    for n in range(1, 4):
        versions = [person(o).version for o in at_once if person(o).id == UUID(int=n) and o.result != Result.UNCHANGED]
        assert list(range(1, len(versions) + 1)) == versions


def test_a_new_sentiment_holds_since_today_and_says_who_judged() -> None:
    [outcome] = settled(said(sentiment=Sentiment.CHAMPION))
    facts = person(outcome).facts
    assert (date(2026, 3, 2), ANA) == (facts.sentiment_since, facts.assessed_by)
    later = Change({"sentiment": Sentiment.CHAMPION}, (), None, UUID(int=88))
    assert person(outcome) is revise(person(outcome), later, after(outcome), NOW + timedelta(days=9))
    confirmed = Change({"certainty": Certainty.CONFIRMED}, (), None, UUID(int=88))
    revised = revise(person(outcome), confirmed, after(outcome), NOW + timedelta(days=9))
    assert isinstance(revised, Person)
    assert (date(2026, 3, 2), UUID(int=88)) == (revised.facts.sentiment_since, revised.facts.assessed_by)


def test_null_clears_a_fact_or_brings_back_its_default() -> None:
    _, outcome = settled(said(title="CFO", veto=True), said(title=None, veto=None))
    assert (person(outcome).facts.title, person(outcome).facts.veto) == (None, False)


def test_an_erased_person_who_comes_back_goes_on_counting() -> None:
    known = Known({}, {}, {}, EMPTY.accounts, {PersonId(UUID(int=1)): 7})
    [outcome] = settled(said(1), known=known)
    assert (outcome.result, person(outcome).version) == (Result.CREATED, 8)


def test_who_loses_the_superior_has_a_new_version() -> None:
    outcomes = settled(said(1), said(2, reports_to=name(1)))
    orphan = without_superior(person(outcomes[1]), NOW)
    assert (orphan.version, orphan.facts.reports_to) == (2, None)
