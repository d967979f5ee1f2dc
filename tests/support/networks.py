"""Machines of a network, for tests: network namespaces with an address each, joined by a bridge to this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

PREFIX = "10.213.7"


@dataclass(frozen=True)
class Network:
    """A running network.

    Attributes:
        address: of this machine in it.
        nodes: name of a namespace → its address.
    """

    address: str
    nodes: dict[str, str]

    def link(self, node: str, state: str) -> None:
        """Set the link of a node `up` or `down`, as when a cable is pulled."""
        _ip("link", "set", f"{node}-link", state)


def missing() -> str | None:
    """Why there can be no network here; None if there can."""
    if not shutil.which("ip"):
        return "ip is not installed: apt-get install iproute2"
    if os.geteuid():
        return "network namespaces need root"
    try:
        with network("probe", 1):
            return None
    except subprocess.CalledProcessError as error:
        return f"this machine makes no network namespaces: {error.stderr.strip()}"


@contextmanager
def network(name: str, nodes: int) -> Iterator[Network]:
    """Join namespaces to a bridge, and remove them at the end.

    Args:
        name: at most five letters, for the names of bridge and namespaces.
        nodes: number of namespaces.
    """
    bridge, addresses = f"{name}-br", {f"{name}-n{number}": f"{PREFIX}.{number + 1}" for number in range(1, nodes + 1)}
    with ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{PREFIX}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for node, address in addresses.items():
            _ip("netns", "add", node)
            stack.callback(_ip, "netns", "del", node)
            _ip("link", "add", f"{node}-link", "type", "veth", "peer", "name", "eth0", "netns", node)
            stack.callback(_ip, "link", "del", f"{node}-link")
            _ip("link", "set", f"{node}-link", "master", bridge, "up")
            _ip("-n", node, "addr", "add", f"{address}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                _ip("-n", node, "link", "set", device, "up")
        yield Network(f"{PREFIX}.1", addresses)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
