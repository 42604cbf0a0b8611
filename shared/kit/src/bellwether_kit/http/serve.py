"""Running an API process: ``python -m bellwether_kit.http.serve metrics_svc.main:create_app --port 8103``."""

import argparse
import signal
import sys
import time
from contextlib import suppress
from socket import socket
from types import FrameType

import uvicorn

from bellwether_kit.garbage import collect_seldom

_NEVER_STARTED = 3
"""As uvicorn's own command exits."""
LEAVE_SECONDS = 2.0
"""How long a process that was asked to stop goes on serving, so that whoever sends to it can see that it leaves."""


class _Server(uvicorn.Server):
    """Serves once all is loaded, and leaves without a broken connection.

    What is loaded is left alone: to look through it for garbage would hold up every request. After SIGTERM the process
    says that it is not ready and goes on answering, with ``Connection: close``, for :data:`LEAVE_SECONDS`; only then it
    stops to listen. Closed at once, a connection kept alive would break under a request already on its way.
    """

    _leave_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Leave after a while at the first SIGTERM, at once at whatever comes then, or else."""
        super().handle_exit(sig, frame)
        if sig == signal.SIGTERM and self._leave_at is None:
            self._leave_at = time.monotonic() + LEAVE_SECONDS
            self.should_exit = False

    async def on_tick(self, counter: int) -> bool:
        """Look whether it is time to leave; uvicorn asks ten times a second."""
        if self._leave_at is not None and time.monotonic() >= self._leave_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Load the application and begin to listen."""
        await super().startup(sockets)
        collect_seldom()


def main() -> None:
    """Serve the app that the named factory builds, until SIGTERM or SIGINT; a stop that was asked for exits 0."""
    options = argparse.ArgumentParser(description="Serve one Bellwether API")
    options.add_argument("factory", help="module:function that builds the app")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    # uvicorn raises the signal again once it has shut down; by default that would end us with an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        given.factory,
        factory=True,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=8,
    )
    server = _Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NEVER_STARTED)


if __name__ == "__main__":
    main()
