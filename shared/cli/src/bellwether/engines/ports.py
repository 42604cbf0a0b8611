"""TCP ports on the loopback address: free ones, and whether somebody listens."""

import socket
from collections.abc import Iterable

from bellwether.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    listeners = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in listeners]
    finally:
        for listener in listeners:
            listener.close()


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def require_free(wanted: Iterable[tuple[str, int, str]]) -> None:
    """Raise PortTaken for the first of (who, port, setting) that cannot be listened on."""
    for who, port, setting in wanted:
        try:
            socket.create_server((LOOPBACK, port)).close()
        except OSError as error:
            raise PortTaken(
                f"Port {port} for {who} is taken: stop what listens there, set {setting} or use --free-ports."
            ) from error
