"""Clues as to whose a name is, weighed and ranked."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.activities.rules import Reference
from metrics_svc.unmatched.rules import (
    SHOWN,
    Clue,
    by_domain,
    by_id,
    by_name,
    by_people,
    label,
    suggestions,
)

ONE, TWO = UUID(int=1), UUID(int=2)

clues = st.builds(
    Clue,
    account_id=st.integers(1, 8).map(lambda number: UUID(int=number)),
    why=st.sampled_from(["people", "same-id", "domain", "name"]),
    score=st.floats(0, 1),
)


def test_the_best_clue_is_the_score_and_all_are_named() -> None:
    [found] = suggestions([by_id(ONE), by_people(ONE, 1, 2)])
    assert (found.account_id, found.score, found.why) == (ONE, 0.8, ("same-id", "people"))


def test_more_of_the_people_known_there_is_surer() -> None:
    assert by_people(ONE, 1, 4).score < by_people(ONE, 3, 4).score < by_people(ONE, 4, 4).score == 1


def test_a_domain_within_is_surer_than_a_sister() -> None:
    same, within, sister = (by_domain(ONE, "acme.de", known).score for known in ("acme.de", "mail.acme.de", "acme.com"))
    assert same > within > sister


def test_a_name_that_hardly_resembles_is_no_clue() -> None:
    assert by_name(ONE, "acme", "acme industries") is not None
    assert by_name(ONE, "acre", "zenith") is None


def test_only_words_are_compared_with_names() -> None:
    assert label(Reference(kind="domain", value="mail.acme.example")) == "acme"
    assert label(Reference(kind="external", source="crm", value="4711")) is None
    assert label(Reference(kind="external", source="crm", value="ac")) is None
    assert label(Reference(kind="id", value=str(ONE))) is None


@given(st.lists(clues, max_size=30), st.randoms())
def test_the_order_of_clues_never_matters_and_few_are_shown(found: list[Clue], rng: object) -> None:
    shuffled = list(found)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    ranked = suggestions(found)
    assert ranked == suggestions(shuffled)
    assert len(ranked) == min(SHOWN, len({clue.account_id for clue in found}))
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
