"""Running an API process: ``python -m bellwether_kit.http.serve metrics_svc.main:create_app --port 8103``."""

import argparse
import signal
import sys
from contextlib import suppress
from socket import socket

import uvicorn

from bellwether_kit.garbage import collect_seldom

_NEVER_STARTED = 3
"""As uvicorn's own command exits."""


class _Server(uvicorn.Server):
    """Serves once all is loaded, and leaves that alone: to look through it for garbage would hold up every request."""

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
