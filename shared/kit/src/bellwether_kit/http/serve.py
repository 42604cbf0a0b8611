"""Running an API process: ``python -m bellwether_kit.http.serve metrics_svc.main:create_app --port 8103``."""

import argparse
import signal
import sys

import uvicorn

from bellwether_kit.garbage import collect_seldom


def main() -> None:
    """Serve the app that the named factory builds, until SIGTERM or SIGINT; a stop that was asked for exits 0."""
    options = argparse.ArgumentParser(description="Serve one Bellwether API")
    options.add_argument("factory", help="module:function that builds the app")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    given = options.parse_args()
    # uvicorn raises the signal again once it has shut down; by default that would end us with an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    collect_seldom()
    uvicorn.run(
        given.factory,
        factory=True,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=8,
    )


if __name__ == "__main__":
    main()
