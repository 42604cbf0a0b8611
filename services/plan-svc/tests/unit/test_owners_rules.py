"""Who answers for a play."""

from uuid import UUID

from plan_svc.owners.rules import answerable

A, B, C = (UUID(int=n) for n in range(1, 4))


def test_somebody_always_answers_and_the_nearest_comes_first() -> None:
    assert [answerable(A, B, C), answerable(None, B, C), answerable(None, None, C)] == [A, B, C]
