"""Ports of servers that tests start: free ones, and whether a server answers on one."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from contextlib import ExitStack


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def is_healthy(port: int) -> bool:
    """Whether a server answers `/health` with 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
