"""Attacks over sockets: the network of every family, the host's unix sockets, inherited files and IPC objects."""

from __future__ import annotations

import socket

from .attack import Attack, Outcome, tells_the_secret
from .scene import Scene


def contacted(scene: Scene, _: Outcome) -> bool:
    """One of our sockets, or our pipe, heard from the program."""
    return scene.contacted()


def opened_a_port(scene: Scene, outcome: Outcome) -> bool:
    """Somebody answered on the port that was free."""
    # A program that was contacted may end before the thread that contacted it goes on.
    return scene.port_opened.wait(2 if outcome.status == "ok" else 0)


def names_an_interface(_: Scene, outcome: Outcome) -> bool:
    """A network interface of the host other than the loopback is named."""
    names = {name for _, name in socket.if_nameindex()} - {"lo"}
    return bool(names & set(outcome.stdout.split()))


SEGMENT = """
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
address = libc.shmat(@SEGMENT@, None, 0o10000)
if address not in (None, 2**64 - 1): print(ctypes.string_at(address))
"""
ATTACKS = (
    Attack("connects-over-tcp", "network", "python",
        "import socket; socket.create_connection(('127.0.0.1', @TCP@), timeout=2).send(b'x')", contacted),
    Attack("connects-over-tcp-in-javascript", "network", "javascript",
        "require('net').connect(@TCP@, '127.0.0.1', () => process.exit())", contacted),
    Attack("connects-over-tcp-in-shell", "network", "shell", "echo x > /dev/tcp/127.0.0.1/@TCP@", contacted),
    Attack("sends-a-datagram", "network", "python",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @UDP@))", contacted),
    Attack("opens-a-port", "network", "python", """
import socket, time
with socket.create_server(('127.0.0.1', @FREE@)) as server:
    server.settimeout(1)
    server.accept()
""", opened_a_port),
    Attack("lists-the-interfaces", "network", "python",
        "import socket; print(*(name for _, name in socket.if_nameindex()))", names_an_interface, needs=("interface",)),
    Attack("sniffs-packets", "network", "python",
        "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0300); print('@HIT@')", needs=("root",), kernel=True),
    Attack("opens-a-socket-to-the-hypervisor", "network", "python",
        "import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); print('@HIT@')", kernel=True),
    Attack("connects-to-a-socket-by-path", "host-sockets", "python",
        "import socket; socket.socket(socket.AF_UNIX).connect('@SOCKET@')", contacted),
    Attack("connects-to-an-abstract-socket", "host-sockets", "python",
        "import socket; socket.socket(socket.AF_UNIX).connect('\\0@MARK@')", contacted),
    Attack("sends-to-an-abstract-datagram-socket", "host-sockets", "c", r"""
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <stddef.h>
int main(void) {
    struct sockaddr_un to = {AF_UNIX, "\0@MARK@d"};
    sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (void *)&to, offsetof(struct sockaddr_un, sun_path) + strlen("@MARK@d") + 1);
}
""", contacted),
    Attack("reads-every-open-file", "descriptors", "python", """
import os
for number in range(3, 256):
    try: print(os.pread(number, 64, 0))
    except OSError: pass
""", tells_the_secret),
    Attack("opens-a-file-below-an-open-folder", "descriptors", "c", r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    char text[64] = {0};
    for (int folder = 3; folder < 256; folder++) {
        int file = openat(folder, "secret.txt", O_RDONLY);
        if (file >= 0 && read(file, text, 63) > 0) puts(text);
    }
}
""", tells_the_secret),
    Attack("writes-to-every-open-file", "descriptors", "python", """
import os
for number in range(3, 256):
    try: os.set_blocking(number, False); os.write(number, b'garbage\\n' * 8)
    except OSError: pass
""", contacted),
    Attack("reads-a-shared-memory-segment", "ipc", "python", SEGMENT, tells_the_secret),
)  # fmt: skip
