"""A bare route as a process of its own, for as long as it is measured beside ours."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bellwether.engines.ports import free_ports

HERE = Path(__file__).parent


@contextmanager
def serving(script: str, dsn: str) -> Iterator[int]:
    """Run ``script`` of this folder on the database of ``dsn`` until the context ends; gives its port."""
    port = free_ports(1)[0]
    process = subprocess.Popen([sys.executable, str(HERE / script), "--dsn", dsn, "--port", str(port)])
    try:
        asyncio.run(_until_it_listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(15)


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
