"""The catalogue, and the comparison of what was found with what is on record."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.evidence.rules import CATALOGUE, Evidence, Findings, Recorded, Slot, reconcile

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SLOT = Slot("acme", UUID(int=1), "returned", "a")
PIECE = Evidence(slot=SLOT, kind="call-returned", observed_at=NOW, source="crm")


def findings(*pieces: Evidence, slots: tuple[Slot, ...] = (SLOT,)) -> Findings:
    found = Findings(slots=dict.fromkeys(slots))
    found.add(pieces)
    return found


def test_the_catalogue_has_nine_families_and_every_kind_once() -> None:
    assert len({kind.family for kind in CATALOGUE.values()}) == 9
    assert len(CATALOGUE) == 33
    assert {"heart", "mind", "wallet"} == {kind.dimension for kind in CATALOGUE.values()}


def test_something_new_is_recorded_in_its_first_revision() -> None:
    (change,) = reconcile(findings(PIECE), {})
    assert (change.evidence, change.revision, change.retracted) == (PIECE, 1, None)


def test_the_same_again_changes_nothing() -> None:
    assert reconcile(findings(PIECE), {SLOT: Recorded(PIECE, 1, live=True, withdrawn=False)}) == []


def test_a_difference_is_the_next_revision() -> None:
    (change,) = reconcile(
        findings(replace(PIECE, magnitude=1.5)), {SLOT: Recorded(PIECE, 3, live=True, withdrawn=False)}
    )
    assert (change.revision, change.evidence.magnitude) == (4, 1.5)


def test_what_is_no_longer_found_is_retracted_once() -> None:
    (change,) = reconcile(findings(), {SLOT: Recorded(PIECE, 1, live=True, withdrawn=False)})
    assert (change.revision, change.retracted) == (2, "superseded")
    assert reconcile(findings(), {SLOT: Recorded(PIECE, 2, live=False, withdrawn=False)}) == []


def test_what_is_found_again_comes_back() -> None:
    (change,) = reconcile(findings(PIECE), {SLOT: Recorded(PIECE, 2, live=False, withdrawn=False)})
    assert (change.revision, change.retracted) == (3, None)


def test_what_a_person_withdrew_stays_withdrawn() -> None:
    withdrawn = {SLOT: Recorded(PIECE, 2, live=False, withdrawn=True)}
    assert reconcile(findings(replace(PIECE, magnitude=1.5)), withdrawn) == []
    assert reconcile(findings(), withdrawn) == []


pieces = st.lists(
    st.builds(
        lambda anchor, size: replace(PIECE, slot=SLOT._replace(anchor=anchor), magnitude=size),
        st.sampled_from("abcd"),
        st.sampled_from([1.0, 1.5]),
    ),
    unique_by=lambda piece: piece.slot,
)


@given(rounds=st.lists(pieces, min_size=1, max_size=5))
def test_the_record_ends_as_the_last_findings_say_whatever_was_found_before(rounds: list[list[Evidence]]) -> None:
    every_slot = tuple(SLOT._replace(anchor=anchor) for anchor in "abcd")
    record: dict[Slot, Recorded] = {}
    for found in rounds:
        for change in reconcile(findings(*found, slots=every_slot), record):
            known = record.get(change.evidence.slot)
            assert change.revision == (known.revision + 1 if known else 1)
            record[change.evidence.slot] = Recorded(
                change.evidence, change.revision, change.retracted is None, withdrawn=False
            )
        assert reconcile(findings(*found, slots=every_slot), record) == []
    live = {slot: known.evidence for slot, known in record.items() if known.live}
    assert {piece.slot: piece for piece in rounds[-1]} == live
