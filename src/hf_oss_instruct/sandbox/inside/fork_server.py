"""The process that starts every run: a small Python with the standard library loaded, which forks and then forgets.

Two lives. `descend` comes first, with the caller's rights: root becomes an ordinary user there. `serve` is the second, inside
the outer sandbox where the tier has one: it forks an init process ahead of each run. The init process takes the run from the
    socket, so that nothing of one run is in memory when the next is forked.
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
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import container_init, folders, frameworks, function_calls, kernel, modules, program, record_checks, seccomp, suites  # noqa: F401  (for the forks)

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
            uid = container_init.ordinary_uid(os.getpid())
            space = _two_users(uid, container_init.ordinary_uid(os.getpid() + container_init.USERS // 2))
            _become(uid)
            if space is not None:
                place = spec["then"].index("--unshare-user")
                spec["then"][place : place + 1] = ["--userns", str(space)]
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (program.THREAD_STACK_MIB * program.MIB, most))  # libc reads it when it starts
    os.chdir("/")
    os.execve(spec["then"][0], spec["then"], {})


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _two_users(init_uid: int, programs: int) -> int | None:
    """A user namespace with two users, 0 for init processes and 1 for programs, or None where it is forbidden.

    Programs of another user cannot touch their init processes, whatever the kernel asks a user for. Only root may give away users
    that are not its own. The namespace belongs to the first of them, who will enter it.
    """
    ready, tell = os.pipe()
    done, finish = os.pipe()
    child = os.fork()
    if not child:
        os.close(finish)
        with contextlib.suppress(BaseException):
            _become(init_uid)
            kernel.unshare(kernel.NEWUSER)
            os.write(tell, b".")
            os.read(done, 1)
        os._exit(0)
    os.close(tell)
    space = None
    if os.read(ready, 1):
        with contextlib.suppress(OSError):
            for name in ("uid_map", "gid_map"):
                with open(f"/proc/{child}/{name}", "w") as file:
                    file.write(f"0 {init_uid} 1\n1 {programs} 1\n")
            space = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
            os.set_inheritable(space, True)
    for fd in (ready, done, finish):
        os.close(fd)
    os.waitpid(child, 0)
    return space


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
    """Fork an init process for every run, until the socket closes."""
    control = socket.socket(fileno=spec["control"])
    sys.path += spec["packages"]
    for name in [*LIBRARY, *spec["preload"]]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if spec["tier"] == "landlock":
        importlib.import_module("inside.semaphores").install()
    modules.plain_code()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then lets go of the socket
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if spec["tier"] != "unsafe-none":
        seccomp.build(os.uname().machine, namespaces=spec["tier"] == "bubblewrap")  # kept for the forks
    with open("/proc/self/uid_map") as file:
        users = sum(int(line.split()[2]) for line in file)
    spec["user"] = 1 if spec["tier"] == "bubblewrap" and users > 1 else None
    spec["numbers_agree"] = not spec["base"] or folders.numbers_agree(spec["base"])
    gc.collect()
    gc.freeze()  # the collector of a child would touch, and so copy, every page
    control.send(b"ready")
    while _next_run(spec, control, own):
        pass
    with contextlib.suppress(ChildProcessError):
        os.wait()  # for all of them, as the kernel buries the dead
    if spec["base"]:
        with contextlib.suppress(OSError):
            folders.remove(spec["base"])


def _next_run(spec: dict[str, Any], control: socket.socket, own: int) -> bool:
    """Fork an init process and wait until it has taken a run; False when there are no more."""
    taken, tell = os.pipe2(os.O_CLOEXEC)
    try:
        child = _fork(spec, own)
    except OSError as error:
        os.close(taken)
        os.close(tell)
        return _refuse(control, f"no run could be started: {error}")
    if not child:
        os.close(taken)
        os.close(own)
        container_init.serve_run(spec, control, tell)
    os.close(tell)
    has_one = bool(os.read(taken, 1))
    os.close(taken)
    if has_one:
        return True
    with contextlib.suppress(BlockingIOError):
        if not control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            return False
    time.sleep(0.1)  # it died while it waited: on a machine without memory, the next one may too
    return True


def _fork(spec: dict[str, Any], own: int) -> int:
    """Fork, with a process namespace of its own for the child where the tier has one."""
    if spec["tier"] != "bubblewrap":
        return os.fork()
    kernel.unshare(kernel.NEWPID)
    child = None
    try:
        child = os.fork()
    finally:
        if child != 0:  # the child stays where it was born
            kernel.setns(own, kernel.NEWPID)
    return child


def _refuse(control: socket.socket, why: str) -> bool:
    """Tell the next caller why there is no run; False when there is no caller any more."""
    message, fds = container_init.receive_run(control)
    if fds:
        with contextlib.suppress(OSError):
            os.write(fds[container_init.REPORT], json.dumps({"error": why}).encode())
    for fd in fds:
        os.close(fd)
    return bool(message)


def main() -> None:
    """Live the life that the first argument names."""
    del sys.path[0]
    spec = json.loads(sys.argv[2])
    {"descend": descend, "serve": serve}[sys.argv[1]](spec)
