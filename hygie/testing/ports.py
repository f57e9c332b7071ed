"""Free ports, and waiting for a server to listen."""

from __future__ import annotations

import socket
import time

TRIES, PAUSE = 100, 0.05


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return once somebody listens.

    Raises:
        TimeoutError: nobody did in five seconds.
    """
    for _ in range(TRIES):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.2):
                return
        except OSError:
            time.sleep(PAUSE)
    raise TimeoutError("the server of the tests did not start")
