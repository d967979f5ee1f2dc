"""The process that starts every run: a small Python with the standard library loaded, which forks and then forgets.

Two lives. `descend` comes first, with the caller's rights: root becomes an ordinary user there. `serve` is the second, inside
the outer sandbox where the tier has one: each message on its socket is a run, nothing but file descriptors, so that nothing
of one run is in memory when the next is forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import folders, keeper, kernel, program, seccomp

DESCRIPTORS = 6  # payload, stdin, stdout, stderr, what the compiler says, report
# What programs import most. Anything else costs them its own import, as everywhere.
LIBRARY = """
abc argparse array ast base64 bisect calendar cmath collections.abc contextlib copy csv dataclasses datetime decimal
enum fractions functools glob hashlib heapq html inspect io itertools json logging math multiprocessing numbers operator
os pathlib pickle pprint queue random re secrets shutil signal socket statistics string struct subprocess tempfile
textwrap threading time traceback types typing unittest urllib.parse uuid zlib
""".split()


def descend(spec: dict[str, Any]) -> None:
    """Leave root behind where the caller is root, then become what `spec["then"]` says."""
    if not os.geteuid() and spec["tier"] != "unsafe-none":
        _lay_open(spec["reach"])
        if spec["tier"] == "bubblewrap":
            uid = keeper.ordinary_uid(os.getpid())
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (program.THREAD_STACK_MIB * program.MIB, most))  # libc reads it when it starts
    os.chdir("/")
    os.execve(spec["then"][0], spec["then"], {})


def _lay_open(paths: list[str]) -> None:
    """Show an ordinary user the toolchains that lie behind a closed door such as /root, and nothing else behind it.

    Done in a view of the file system that only this process and its children have.
    """
    behind: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        doors = [door for door in reversed(Path(path).parents) if door.exists() and not door.stat().st_mode & 1]
        if doors:
            behind[str(doors[0])].append(path)
    if not behind:
        return
    try:
        kernel.unshare(kernel.NEWNS)
        kernel.mount("none", "/", None, kernel.REC | kernel.PRIVATE)
    except PermissionError:
        sys.exit(f"{', '.join(behind)} is closed to ordinary users, as which root's programs run. Install Python elsewhere.")
    for door, paths in behind.items():
        inner = [(path, os.path.isdir(path), os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
        kernel.mount("tmpfs", door, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=1m")
        for path, is_folder, fd in inner:
            os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
            if not is_folder:
                os.close(os.open(path, os.O_CREAT))
            kernel.mount(f"/proc/self/fd/{fd}", path, None, kernel.BIND | kernel.REC)


def serve(spec: dict[str, Any]) -> None:
    """Fork a run for every message, until the socket closes."""
    control = socket.socket(fileno=spec["control"])
    sys.path += spec["packages"]
    for name in [*LIBRARY, *spec["preload"]]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then lets go of the socket
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if spec["tier"] != "unsafe-none":
        seccomp.build(os.uname().machine, namespaces=spec["tier"] == "bubblewrap")  # kept for the forks
    gc.collect()
    gc.freeze()  # the collector of a child would touch, and so copy, every page
    control.send(b"ready")
    while True:
        message, fds, _, _ = socket.recv_fds(control, 64, DESCRIPTORS)
        if not message:
            break
        _launch(spec, control, own, fds)
        for fd in fds:
            os.close(fd)
    with contextlib.suppress(ChildProcessError):
        os.wait()  # for all of them, as the kernel buries the dead
    if spec["base"]:
        with contextlib.suppress(OSError):
            folders.remove(spec["base"])


def _launch(spec: dict[str, Any], control: socket.socket, own: int, fds: list[int]) -> None:
    """Fork one run; what goes wrong is told to its caller, and the next run is none the worse."""
    namespaces = spec["tier"] == "bubblewrap"
    child = None
    try:
        if namespaces:
            kernel.unshare(kernel.NEWPID)
        try:
            child = os.fork()
        finally:
            if namespaces and child != 0:  # the child stays where it was born
                kernel.setns(own, kernel.NEWPID)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.write(fds[-1], json.dumps({"error": f"no run could be started: {error}"}).encode())
        return
    if not child:
        control.detach()
        os.close(spec["control"])
        os.close(own)
        keeper.keep(spec, fds)


def main() -> None:
    """Live the life that the first argument names."""
    del sys.path[0]
    spec = json.loads(sys.argv[2])
    {"descend": descend, "serve": serve}[sys.argv[1]](spec)
