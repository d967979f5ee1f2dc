"""The few Linux system calls that Python 3.11 does not wrap."""

from __future__ import annotations

import ctypes
import os
import struct

# Flags of clone(2), flags of mount(2), options of prctl(2).
NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
SET_DUMPABLE, CAPBSET_DROP, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS, CAP_AMBIENT = 4, 24, 36, 38, 47

_libc = ctypes.CDLL(None, use_errno=True)
# PyDLL does not release the GIL around a call, so that the child of a fork holds it from the start.
_libc_with_gil = ctypes.PyDLL(None, use_errno=True)


def checked(result: int, name: str) -> int:
    """Return the result of a call.

    Raises:
        OSError: the result is negative; errno says why.
    """
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def syscall(name: str, number: int, *arguments: object) -> int:
    """Make a system call by number."""
    # Without c_long, ctypes passes integers as 32 bits.
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return checked(_libc.syscall(ctypes.c_long(number), *words), name)


def fork() -> int:
    """Fork without Python's work in the child: new locks, threads' records and random numbers cost as much as the fork itself.

    For a process with a single thread, where locks and records are right as they are. A child that runs a Python program must
    seed the module random.
    """
    return checked(_libc_with_gil.fork(), "fork")


def write(path: str, text: str) -> None:
    """Write a setting to a file of the kernel in one piece."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    """Write everything to a file descriptor, which `os.write` may not do in one call."""
    while content:
        content = content[os.write(fd, content) :]


def unshare(flags: int) -> None:
    """Move this process into new namespaces (a new PID namespace applies to its next child)."""
    checked(_libc.unshare(flags), "unshare")


def setns(fd: int, namespace: int) -> None:
    """Enter the namespace of a file descriptor."""
    checked(_libc.setns(fd, namespace), "setns")


def mount(source: str, target: str, filesystem: str | None, flags: int = 0, data: str = "") -> None:
    """Mount a file system.

    Args:
        source: device or folder to mount.
        target: where to mount it.
        filesystem: type of the file system; None for bind mounts and the like.
        flags: `MS_*` flags.
        data: options of the file system.
    """
    words = [word.encode() if word is not None else None for word in (source, target, filesystem)]
    checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def prctl(option: int, *arguments: int) -> int:
    """Set a property of this process."""
    # Unused arguments must be zero: some options fail otherwise.
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    return checked(_libc.prctl(option, *words), f"prctl {option}")


def drop_capabilities() -> None:
    """Give up every capability, now and after any exec."""
    prctl(CAP_AMBIENT, 4)
    # Before capset, since dropping from the bounding set needs a capability.
    for capability in range(64):  # fewer than 64 exist; without CAP_SETPCAP there is nothing to drop
        _libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    # Version 3 of the structure, which holds 64 capabilities in two halves.
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    checked(_libc.capset(header, nothing), "capset")
