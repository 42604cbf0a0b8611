"""Much that was polled at once is handled in two lanes, side by side; little in one transaction."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from bellwether_kit.events.consumer import LANES, WORTH_A_LANE, ConsumerLoop, lanes_of
from bellwether_kit.settings import KafkaSettings

MUCH = LANES * WORTH_A_LANE


class Processor:
    """Handles a lane by what its first record says: an error to raise, or how many records are bad."""

    topics = ("things",)

    def __init__(self) -> None:
        self.working = 0
        self.most_at_once = 0

    async def process(self, records: Sequence[Any]) -> int:
        self.working += 1
        self.most_at_once = max(self.most_at_once, self.working)
        await asyncio.sleep(0.01 * len(records))
        self.working -= 1
        if isinstance(records[0], Exception):
            raise records[0]
        return int(records[0])


@pytest.fixture
def processor() -> Processor:
    return Processor()


@pytest.fixture
def loop(processor: Processor) -> ConsumerLoop:
    return ConsumerLoop(KafkaSettings(), processor, group="things")  # type: ignore[arg-type]


def polled(counts: dict[tuple[str, int], int]) -> dict[TopicPartition, list[tuple[str, int, int]]]:
    return {TopicPartition(*tp): [(*tp, offset) for offset in range(count)] for tp, count in counts.items()}


def test_little_is_one_lane() -> None:
    given = polled({("things", 0): MUCH // 2, ("things", 1): MUCH // 2 - 1})

    assert lanes_of(given) == [[*given[TopicPartition("things", 0)], *given[TopicPartition("things", 1)]]]


def test_much_is_two_lanes_and_what_is_about_one_account_is_in_the_same() -> None:
    topics = {"wide": 12, "narrow": 6}
    given = polled({(topic, n): MUCH // 18 + 1 for topic, count in topics.items() for n in range(count)})

    lanes = lanes_of(given)

    place = {(topic, n): lane for lane, records in enumerate(lanes) for topic, n, _ in records}
    hashes = range(36)  # a key is on the partition that its hash leaves over, of each topic's number
    assert len(lanes) == LANES
    assert all(place["wide", h % 12] == place["narrow", h % 6] for h in hashes)


def test_lanes_hold_every_record_once_and_each_partition_in_order() -> None:
    given = polled({("things", n): MUCH for n in range(5)})

    lanes = lanes_of(given)

    records = [record for lane in lanes for record in lane]
    assert sorted(records) == sorted(record for part in given.values() for record in part)
    for tp, part in given.items():
        assert [record for record in records if record[:2] == tuple(tp)] == part


def test_one_partition_is_one_lane_however_much_it_is() -> None:
    given = polled({("things", 3): 2 * MUCH})

    assert lanes_of(given) == [given[TopicPartition("things", 3)]]


async def test_lanes_are_handled_side_by_side_and_their_dead_letters_summed(
    loop: ConsumerLoop, processor: Processor
) -> None:
    assert await loop._process([[2], [3]]) == 5
    assert processor.most_at_once == 2


async def test_an_error_is_raised_once_no_lane_works_any_more(loop: ConsumerLoop, processor: Processor) -> None:
    with pytest.raises(TimeoutError):
        await loop._process([[TimeoutError()], [0, 0, 0, 0]])

    assert processor.working == 0


async def test_what_will_not_pass_is_raised_rather_than_what_will(loop: ConsumerLoop) -> None:
    bug = KeyError("a bug")

    with pytest.raises(KeyError):
        await loop._process([[TimeoutError()], [bug]])
