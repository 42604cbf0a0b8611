"""Which plays follow from alerts: whatever the order and however often they come."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from plan_svc.alerts.rules import AlertSeen, Closed, Opened, Play, Signal, Situation, follow
from plan_svc.plays.rules import CloseReason, PlayStatus

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
A, B = UUID(int=1), UUID(int=2)
NOTHING = Situation({}, {})


def signal(sequence: int, *, opened: bool, alert: UUID = A, play: str | None = "recover") -> Signal:
    return Signal(alert, sequence, opened, play, UUID(int=1000 + sequence), NOW + timedelta(hours=sequence))


def open_plays(situation: Situation) -> dict[str, UUID | None]:
    return {p.play: p.alert_id for p in situation.plays.values() if p.status is PlayStatus.OPEN}


signals = st.lists(
    st.builds(
        lambda sequence, opened, alert, play: signal(sequence, opened=opened, alert=UUID(int=alert), play=play),
        st.integers(1, 30),
        st.booleans(),
        st.integers(1, 3),
        st.sampled_from(["recover", "renew", None]),
    ),
    unique_by=lambda s: s.sequence,
    max_size=12,
)


@given(signals, st.randoms())
def test_the_open_plays_are_those_of_the_open_alerts_in_any_order_and_number_of_batches(
    sent: list[Signal], dice: Random
) -> None:
    last = {s.alert_id: s for s in sorted(sent, key=lambda s: s.sequence)}
    expected = {s.play for s in last.values() if s.opened and s.play}
    received = sent * 2
    dice.shuffle(received)
    situation = NOTHING
    while received:
        size = dice.randint(1, len(received))
        situation, _ = follow(situation, received[:size])
        received = received[size:]
        plays = [p for p in situation.plays.values() if p.status is PlayStatus.OPEN]
        assert len({p.play for p in plays}) == len(plays)
    assert expected == set(open_plays(situation))


@given(signals)
def test_one_batch_comes_to_the_same_as_one_by_one(sent: list[Signal]) -> None:
    in_order = sorted(sent, key=lambda s: s.sequence)
    at_once = follow(NOTHING, sent)
    situation, changes = NOTHING, []
    for one in in_order:
        situation, more = follow(situation, [one])
        changes += more
    assert at_once == (situation, changes)


@given(signals)
def test_a_repeat_changes_nothing(sent: list[Signal]) -> None:
    situation, _ = follow(NOTHING, sent)
    assert (situation, []) == follow(situation, sent)


@given(signals)
def test_every_play_that_closed_was_opened_before(sent: list[Signal]) -> None:
    _, changes = follow(NOTHING, sent)
    seen: set[UUID] = set()
    for change in changes:
        if isinstance(change, Opened):
            seen.add(change.play.play_id)
        else:
            assert change.play.play_id in seen
            assert change.play.close_reason is not None


def test_a_resolved_alert_closes_its_play_with_the_reason() -> None:
    _, changes = follow(NOTHING, [signal(1, opened=True), signal(2, opened=False)])
    assert [Opened, Closed] == [type(change) for change in changes]
    assert CloseReason.ALERT_RESOLVED is changes[1].play.close_reason


def test_opened_after_resolved_leaves_no_play_open() -> None:
    situation, _ = follow(NOTHING, [signal(2, opened=False)])
    assert (situation, []) == follow(situation, [signal(1, opened=True)])


def test_a_play_that_somebody_works_on_stays_and_says_so() -> None:
    begun = Situation({A: AlertSeen(A, 1, open=True, play="recover")}, {B: Play(B, "recover", A, worked_on=True)})
    resolved, changes = follow(begun, [signal(2, opened=False)])
    assert ([], NOW + timedelta(hours=2)) == (changes, resolved.plays[B].alert_resolved_at)
    reopened, changes = follow(resolved, [signal(3, opened=True)])
    assert (changes, reopened.plays[B].alert_resolved_at) == ([], None)


def test_a_kept_play_serves_the_next_alert_that_asks_for_it() -> None:
    kept = Situation({}, {B: Play(B, "recover", A, worked_on=True, alert_resolved_at=NOW)})
    situation, changes = follow(kept, [signal(5, opened=True, alert=B)])
    assert (changes, open_plays(situation)) == ([], {"recover": B})


def test_a_play_goes_to_another_open_alert_that_asks_for_it() -> None:
    situation, changes = follow(
        NOTHING, [signal(1, opened=True), signal(2, opened=True, alert=B), signal(3, opened=False)]
    )
    assert ([Opened], {"recover": B}) == ([type(change) for change in changes], open_plays(situation))


def test_a_play_opened_by_hand_is_left_to_people() -> None:
    by_hand = Situation({}, {B: Play(B, "recover", None)})
    situation, changes = follow(by_hand, [signal(1, opened=True), signal(2, opened=False)])
    assert (changes, open_plays(situation)) == ([], {"recover": None})


def test_an_alert_that_asks_for_another_play_lets_go_of_the_first() -> None:
    situation, changes = follow(NOTHING, [signal(1, opened=True), signal(2, opened=True, play="renew")])
    assert open_plays(situation) == {"renew": A}
    assert CloseReason.ALERT_MOVED_ON is changes[1].play.close_reason
