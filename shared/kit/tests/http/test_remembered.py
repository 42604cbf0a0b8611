"""Answers that are made once: for the same address, tenant and version, and never longer than there is room."""

import pytest

from bellwether_kit.http.remembered import Remembered


class Made:
    """Makes bodies, and says how often."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> bytes:
        self.times += 1
        return b"x" * 10


async def test_what_is_known_is_not_made_again() -> None:
    held, make = Remembered(), Made()
    for key in ("a", "a", "b", "a"):
        assert await held.give(key, make) == b"x" * 10
    assert make.times == 2


async def test_what_was_not_asked_for_longest_makes_room() -> None:
    held, make = Remembered(limit=25), Made()
    for key in ("a", "b", "a", "c"):
        await held.give(key, make)
    assert make.times == 3
    await held.give("a", make)
    assert make.times == 3
    await held.give("b", make)
    assert make.times == 4


async def test_what_can_not_be_made_is_not_remembered() -> None:
    held = Remembered()

    async def fail() -> bytes:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await held.give("a", fail)
    assert await held.give("a", Made()) == b"x" * 10
