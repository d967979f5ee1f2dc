"""Restrict file access without namespaces, using landlock's three system calls (`man 7 landlock`)."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable

from .kernel import SET_NO_NEW_PRIVS, prctl, syscall

CREATE, ADD, RESTRICT = 444, 445, 446  # the same on every architecture
EXECUTE, WRITE, READ, LIST, TRUNCATE = 1, 2, 4, 8, 1 << 14
FILE_RIGHTS = EXECUTE | WRITE | READ | TRUNCATE | 1 << 15


def version() -> int:
    """Return the kernel's landlock ABI version; 0 if landlock is unavailable."""
    try:
        return syscall("landlock", CREATE, None, 0, 1)
    except OSError:
        return 0


def restrict(readable: Iterable[str], devices: Iterable[str], writable: str) -> None:
    """Restrict this process, and all that it starts, to a few files.

    Args:
        readable: files and folders to read and execute; missing ones are ignored.
        devices: files to read and write.
        writable: the only folder with full access.

    Raises:
        OSError: the kernel has no landlock.
    """
    abi = version()
    # The 13 rights of version 1, then refer (2), truncate (3) and ioctl on devices (5): the kernel refuses unknown bits.
    rights = (1 << 13) - 1
    rights |= (1 << 13 if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (1 << 15 if abi >= 5 else 0)
    # TCP bind and connect; abstract unix sockets and signals.
    network, scopes = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    attributes = struct.pack("QQQ", rights, network, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    rules = syscall("landlock_create_ruleset", CREATE, attributes, len(attributes), 0)
    for path in readable:
        _allow(rules, path, rights & (EXECUTE | READ | LIST))
    for path in devices:
        _allow(rules, path, rights & (READ | WRITE | 1 << 15))
    _allow(rules, writable, rights)
    # Required: a setuid program must not run with files missing that it relies on.
    prctl(SET_NO_NEW_PRIVS, 1)
    syscall("landlock_restrict_self", RESTRICT, rules, 0)
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        # The kernel refuses rights of folders in a rule for a file.
        folder = os.path.isdir(path)
        syscall("landlock_add_rule", ADD, rules, 1, struct.pack("=Qi", rights if folder else rights & FILE_RIGHTS, fd), 0)
        os.close(fd)
