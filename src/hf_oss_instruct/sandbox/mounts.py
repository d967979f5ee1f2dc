"""The file system around a fork server: which files are readable, and the bwrap command line."""

from __future__ import annotations

import glob
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from hf_oss_instruct.errors import SandboxError

INSIDE = Path(__file__).parent / "inside"
PYTHON = os.path.realpath(sys.executable)
# Configuration that toolchains keep outside /usr. None of it is secret.
CONFIGURATION = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/java-*", "/etc/mono", "/etc/R",
                 "/etc/php", "/etc/racket", "/etc/perl")  # fmt: skip
UNSHARE_USER = "--unshare-user"  # root creates its own user namespace instead: `inside.fork_server.descend`
PASSWD = b"program:x:1000:1000:program:/tmp:/bin/sh\n"


def readable(extra: Iterable[str]) -> list[str]:
    """List the files and folders outside /usr that a program must be able to read."""
    paths = [sys.base_prefix, str(INSIDE), *extra, *(found for pattern in CONFIGURATION for found in glob.glob(pattern))]
    return sorted({os.path.realpath(path) for path in paths if not path.startswith("/usr/") and os.path.exists(path)} - {"/usr"})


def shown_at(path: str, tier: str) -> str:
    """Return the path at which programs see a path of the host; with mounts of their own, the host's `/tmp` is moved."""
    # Programs have an empty /tmp of their own, which would hide Python or a checkout that lies in the host's.
    real = os.path.realpath(path)
    return f"/host{real}" if tier == "bubblewrap" and real.startswith("/tmp/") else path


def bubblewrap(extra: Iterable[str], passwd: int, command: list[str]) -> list[str]:
    """Build the bwrap command line for the fork server, which keeps the capabilities to create the inner sandboxes.

    Args:
        extra: further paths to expose, see `readable`.
        passwd: file descriptor whose content becomes /etc/passwd.
        command: the command to run inside.

    Raises:
        SandboxError: bwrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxError("bwrap (bubblewrap) is not installed")
    mounts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink(f"/{name}"):
            mounts += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        # Systems with a merged /usr have links here, others have folders of their own.
        elif os.path.isdir(f"/{name}"):
            mounts += ["--ro-bind", f"/{name}", f"/{name}"]
    shown = {path: shown_at(path, "bubblewrap") for path in readable(extra)}
    # Parent folders that bwrap creates implicitly are closed to other users, and programs may run as another user.
    for folder in sorted({str(parent) for target in shown.values() for parent in Path(target).parents} - {"/"}):
        mounts += ["--dir", folder]
    for path, target in shown.items():
        mounts += ["--ro-bind", path, target]
    return [
        program, UNSHARE_USER, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
        "--as-pid-1", "--new-session", "--clearenv", "--uid", "0", "--gid", "0", "--cap-add", "ALL",
        *mounts, "--file", str(passwd), "/etc/passwd", "--hostname", "sandbox",
        "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--dir", "/tmp", "--remount-ro", "/",
        "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8", "--chdir", "/", "--", *command,
    ]  # fmt: skip
