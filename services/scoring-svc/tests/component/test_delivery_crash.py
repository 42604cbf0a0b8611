"""A worker that dies between sending and writing that down: what was sent comes again, and can be known as the same."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from bellwether_kit.testing import eventually

PROCESS = Path(__file__).parents[1] / "reference" / "deliver_once.py"


@pytest.fixture
def send_in_a_process(settings_as: Any) -> Any:
    """Send what is due in a process of its own, which dies at `fault`; gives its exit code and its log."""

    async def sent(fault: str = "") -> tuple[int | None, list[dict[str, Any]]]:
        settings = settings_as("worker")
        own = {
            "DATABASE_URL": settings.database_url,
            "SECRET_KEYS": settings.secret_keys.get_secret_value(),
            "PRIVATE_CHANNELS": "true",
        }
        environment = os.environ | {f"BELLWETHER_SCORING_{name}": value for name, value in own.items()}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            PROCESS,
            env=environment | {"BELLWETHER_FAULT": fault},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        return process.returncode, [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]

    return sent


def tries(log: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("notification", "attempt", "answer", "problem")
    return [tuple(line[name] for name in names) for line in log if line["event"] == "notification.tried"]


@pytest.mark.parametrize("fault", ["after-delivery", "before-commit"])
async def test_what_was_sent_by_a_worker_that_died_comes_again_under_the_same_id(
    world: Any, desk: Any, receiver: Any, send_in_a_process: Any, fault: str
) -> None:
    channel = await desk.channel("webhook", url=receiver.url)
    await desk.route(channel["id"])
    await world.tell(*(world.evidence("call-unreturned") for _ in range(3)))

    code, first = await send_in_a_process(fault)
    assert code == 137
    assert len(receiver.heard) == 1
    [delivery] = await desk.deliveries()
    assert (delivery["status"], delivery["attempts"], delivery["answer"]) == ("waiting", 0, None)

    second: list[dict[str, Any]] = []

    async def sent_again() -> bool:
        """Once the server has noticed that the process is gone and let go of its rows."""
        second.extend((await send_in_a_process())[1])
        return len(receiver.heard) == 2

    await eventually(sent_again)
    ids = [one.headers["webhook-id"] for one in receiver.heard]
    assert ids == [delivery["id"]] * 2
    told = [Webhook(channel["secret"]).verify(one.body, one.headers)["data"] for one in receiver.heard]
    assert told[0] == told[1]
    assert tries(first) == tries(second) == [(delivery["id"], 1, 204, None)]

    [delivery] = await desk.deliveries()
    assert (delivery["status"], delivery["attempts"], delivery["answer"]) == ("sent", 1, 204)
    await world.mailbox.fire_timers()
    assert len(receiver.heard) == 2
