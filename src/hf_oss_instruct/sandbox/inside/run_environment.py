"""Create what a run sees around it: its working folder, mounts, network, and the user it runs as."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import struct
import tempfile
from dataclasses import dataclass
from typing import Any

from . import folders, kernel

MIB = 1 << 20
SOCKET_BUFFER = 212992  # bytes of a socket's buffer in each direction: Linux's default
UID_RANGE = 1 << 20  # range of user IDs from which one that owns nothing is chosen


@dataclass(frozen=True)
class RunEnvironment:
    """The environment of a run.

    Attributes:
        folder: the working folder.
        uid: the user that the program runs as, or None for the init process's own.
        sockets: file descriptor of the network namespace's socket statistics, or None without a network namespace.
    """

    folder: str = ""
    uid: int | None = None
    sockets: int | None = None


def create(spec: dict[str, Any]) -> RunEnvironment:
    """Create the run's own mounts, network and System V objects, or without namespaces only a folder."""
    if spec["tier"] != "bubblewrap":
        # Orphans of the program become children of this process, where they can be found and killed.
        kernel.prctl(kernel.SET_CHILD_SUBREAPER, 1)
        uid = ordinary_uid(os.getpid()) if spec["tier"] == "landlock" and not os.geteuid() else None
        folder: str = tempfile.mkdtemp(dir=os.path.realpath(spec["base"]))
        if uid:
            os.chown(folder, uid, uid)
        return RunEnvironment(folder, uid)
    # The PID namespace was created by the fork, which is why /proc has to be mounted anew.
    kernel.unshare(kernel.NEWNS | kernel.NEWIPC | kernel.NEWNET)
    kernel.mount("proc", "/proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC)
    safe = kernel.NOSUID | kernel.NODEV
    sockets = _configure_network()
    # After the network, whose settings are in /proc/sys.
    _restrict_proc()
    # A new instance: the terminals of the host, and of other runs, are not in it.
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.NOSUID | kernel.NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    # Small until `resize` knows the run.
    kernel.mount("tmpfs", "/dev/shm", "tmpfs", safe, "size=1m,nr_inodes=1024,mode=1777")
    owner = spec["user"] or 0
    kernel.mount("tmpfs", "/tmp", "tmpfs", safe, f"nr_inodes={folders.MAX_FILES},mode=700,uid={owner},gid={owner}")
    return RunEnvironment("/tmp", spec["user"], sockets)


def _configure_network() -> int:
    """Bring up the loopback interface and limit its sockets' buffers; return a file descriptor of the socket statistics."""
    # 0x8914 is SIOCSIFFLAGS, 1 is IFF_UP: a new network namespace has a loopback interface, but it is down.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 1))
    # A socket counts as SOCKET_KIB in `resource_limits`, which holds only if the kernel does not let buffers grow.
    for name, default in (("tcp_wmem", 16384), ("tcp_rmem", 131072)):
        kernel.write(f"/proc/sys/net/ipv4/{name}", f"4096 {default} {SOCKET_BUFFER}")
    return os.open("/proc/self/net/sockstat", os.O_RDONLY | os.O_CLOEXEC)


def _restrict_proc() -> None:
    """Hide the init process in `/proc`, where the program's user owns its files, and make kernel tunables read-only."""
    kernel.mount("/tmp", "/proc/1", None, kernel.BIND)  # an empty folder
    # The read-only flag belongs to a mount, so /proc/sys first has to become one of its own.
    kernel.mount("/proc/sys", "/proc/sys", None, kernel.BIND)
    flags = kernel.NOSUID | kernel.NODEV | kernel.NOEXEC | kernel.RDONLY
    kernel.mount("none", "/proc/sys", None, kernel.REMOUNT | kernel.BIND | flags)


def ordinary_uid(number: int) -> int:
    """Return a user ID that owns nothing, near the end of the largest mapped range; different numbers give different IDs."""
    with open("/proc/self/uid_map") as file:
        first, _, count = max((tuple(map(int, line.split())) for line in file), key=lambda row: row[2])
    last = min(first + count, 1 << 31) - 2  # bwrap stores user IDs in 31 bits
    return int(last - number % min(UID_RANGE, count // 2))


def resize(spec: dict[str, Any], folder: str, disk_mib: int, shm_mib: int) -> None:
    """Resize the working folder to leave this much free space: compilers need more than programs.

    Args:
        spec: the fork server's own spec.
        folder: the working folder.
        disk_mib: free space of the working folder, in MiB.
        shm_mib: size of `/dev/shm`, in MiB.
    """
    if spec["tier"] == "bubblewrap":
        # A remount replaces all flags, so those from `create` are repeated.
        flags = kernel.REMOUNT | kernel.NOSUID | kernel.NODEV
        kernel.mount("tmpfs", "/dev/shm", None, flags, f"size={shm_mib}m,nr_inodes=1024")
        state = os.statvfs(folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        size = f"size={used + disk_mib * MIB},nr_inodes={folders.MAX_FILES}"
        kernel.mount("tmpfs", folder, None, flags, size)


def write_file(folder: str, name: str, content: bytes, uid: int | None) -> None:
    """Write a file of the run, with its parent folders, owned by the program's user.

    Args:
        folder: the working folder.
        name: path of the file, relative to it.
        content: its bytes.
        uid: user that owns it, or None for this process's own.
    """
    path = f"{folder}/{name}"
    missing: list[str] = []
    while "/" in name and not os.path.isdir(parent := os.path.dirname(missing[-1] if missing else path)):
        missing.append(parent)
    for parent in reversed(missing):
        os.mkdir(parent)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    kernel.write_all(fd, content)
    os.close(fd)
    for created in [*missing, path] if uid else []:
        os.chown(created, uid or 0, uid or 0)


def make_executable(path: str) -> None:
    """Set the executable bit for a linker, because `chmod` has no effect inside the landlock tier."""
    with contextlib.suppress(FileNotFoundError):
        # The compiler ran on untrusted source: no link may lead to another file, no FIFO may block, no other name may share it.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode) and os.fstat(fd).st_nlink == 1:
            os.fchmod(fd, 0o755)
        os.close(fd)
