"""What the measurement of reactions rests on: posts at their time, and hops that sum up. No engine runs."""

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import msgspec
import pytest
from hops import AlertsMissing, Reaction, complete, parts
from posting import OnTime, request
from reaction import Heard, streams

Answer = Callable[[bytes], Awaitable[bytes]]
KEY = "bench/0199f3a0"


@asynccontextmanager
async def answering(answer: Answer, most: int = 10) -> AsyncIterator[OnTime]:
    """Serve as a metrics-svc whose answers (status and body) come from `answer`."""

    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            status, _, body = (await answer(await reader.readexactly(length))).partition(b" ")
            writer.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        yield OnTime(server.sockets[0].getsockname()[1], most)
        await asyncio.gather(*served)


def posts(count: int) -> list[bytes]:
    return [request("/", "token", str(number).encode()) for number in range(count)]


async def test_a_post_goes_out_while_an_earlier_one_has_no_answer() -> None:
    last = asyncio.Event()

    async def answer(body: bytes) -> bytes:
        if body == b"2":
            last.set()
        await last.wait()
        return b"200 {}"

    async with asyncio.timeout(10), answering(answer) as client:
        found = await client.post(posts(3), rate=100)
    assert [round(one.planned - found[0].planned, 6) for one in found] == [0.0, 0.01, 0.02]
    assert all(one.sent and one.answered for one in found)


async def test_a_connection_is_used_again_unless_it_was_closed() -> None:
    async def answer(_body: bytes) -> bytes:
        return b"200 {}"

    async with asyncio.timeout(10), answering(answer) as client:
        await client.post(posts(1), rate=100)  # leaves its connection closed
        found = await client.post(posts(2), rate=100)
    assert len(found) == 2


async def test_beyond_the_most_in_hand_posts_wait_and_count_from_their_time() -> None:
    in_hand, most = 0, 0

    async def answer(_body: bytes) -> bytes:
        nonlocal in_hand, most
        in_hand += 1
        most = max(most, in_hand)
        await asyncio.sleep(0.01)
        in_hand -= 1
        return b"200 {}"

    async with asyncio.timeout(10), answering(answer, most=2) as client:
        found = await client.post(posts(6), rate=10_000)
    assert most == 2
    assert max(one.sent - one.planned for one in found) > 0
    assert found[-1].sent >= found[0].answered


@pytest.mark.parametrize("said", [b"500 {}", b'200 {"items":[{"status":"rejected"}]}'])
async def test_an_answer_that_is_no_success_ends_the_run(said: bytes) -> None:
    async def answer(_body: bytes) -> bytes:
        return said

    async with asyncio.timeout(10), answering(answer) as client:
        with pytest.raises(ExceptionGroup) as raised:
            await client.post(posts(1), rate=100)
    assert raised.group_contains(RuntimeError)


def test_every_alert_of_a_round_is_of_an_account_of_its_own() -> None:
    given = Namespace(accounts=5, seconds=6, rounds=2, rate=50, alerting=0.2)
    warm_up, *rounds = streams(given)
    alerted = [account for stream in (warm_up, *rounds) for account in stream.alerted]
    assert (len(warm_up.alerts), [len(stream.alerts) for stream in rounds]) == (50, [300, 300])
    assert alerted == list(range(5, 5 + len(alerted)))
    bodies = [msgspec.json.decode(body) for body in rounds[0].bodies(given.accounts)]
    complaints = [body["account"]["external_id"] for body in bodies if body.get("outcome") == "escalated"]
    assert complaints == [f"company-{number}" for number in rounds[0].alerted]
    assert len({body["external_id"] for body in bodies}) == 300


def test_of_each_account_the_first_record_of_the_type_counts() -> None:
    def record(key: str, type_: bytes, value: bytes) -> SimpleNamespace:
        return SimpleNamespace(key=key.encode(), headers=[("ce_type", type_)], value=value)

    heard = Heard(b"opened", [KEY])
    heard.take([record(KEY, b"updated", b"1"), record("bench/other", b"opened", b"2")], 1.0)
    assert not heard.all.is_set()
    heard.take([record(KEY, b"opened", b"3"), record(KEY, b"opened", b"4")], 2.0)
    assert heard.all.is_set()
    assert (heard.at, heard.values) == ({KEY: 2.0}, {KEY: b"3"})


def test_an_alert_that_never_came_is_named() -> None:
    complete([KEY], {KEY: 1.0}, {KEY: 2.0})
    with pytest.raises(AlertsMissing, match=f"1 of 2 posts led to no alert in time, {KEY} is one"):
        complete([KEY, "bench/other"], {KEY: 1.0, "bench/other": 1.0}, {"bench/other": 1.0})


def test_hops_sum_up_to_the_whole_way() -> None:
    quick = Reaction(0.0, 0.001, 0.011, 0.01, 0.02, 0.025, 0.03)
    slow = Reaction(0.0, 0.001, 0.011, 0.211, 0.22, 0.225, 0.23)
    assert sum(quick.hops().values()) == pytest.approx(quick.milliseconds) == pytest.approx(30)
    found = parts([quick] * 99 + [slow])
    assert sum(hop.share for hop in found.values()) == pytest.approx(1)
    assert found["until evidence is readable"].median == pytest.approx(-1)
    assert found["until evidence is readable"].share_of_slowest == pytest.approx(200 / 230)
