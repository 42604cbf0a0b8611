"""A server process that is asked to stop: it says so, goes on answering for a while, and breaks no connection."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bellwether_kit.testing import eventually

COMMAND = (sys.executable, "-m", "bellwether_kit.http.serve", "things.served:create_app", "--port")


@pytest.fixture
def server() -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The process and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([*COMMAND, str(port)], env=environment, stdout=subprocess.DEVNULL)
    yield process, f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.ConnectError:
        return False


async def test_a_server_that_leaves_answers_until_its_clients_could_see_it(
    server: tuple["subprocess.Popen[bytes]", str],
) -> None:
    process, url = server
    async with httpx.AsyncClient(base_url=url) as client, httpx.AsyncClient(base_url=url) as newcomer:
        await eventually(lambda: is_ready(client))
        assert "connection" not in (await client.get("/v1/things")).headers
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: leaves(client), every=0)
        for each in (client, newcomer):  # on a connection that was kept, and on one that is new
            answer = await each.get("/v1/things")
            assert (answer.status_code, answer.headers["connection"]) == (401, "close")
        assert process.wait(15) == 0
        with pytest.raises(httpx.ConnectError):
            await client.get("/v1/things")


async def leaves(client: httpx.AsyncClient) -> bool:
    """Whether the server says that it stops."""
    answer = await client.get("/health/ready")
    return answer.status_code == 503 and answer.json()["checks"] == {"process": "stopping"}
