"""The fork server: a small Python process with the standard library loaded, which forks an init process for every run.

It has two phases. `descend` runs first, with the caller's privileges, where root drops to an ordinary user. `serve` runs second,
inside the outer sandbox if the tier has one, and forks an init process ahead of each run. The init process, not the fork server,
receives the run from the socket, so nothing of one run is in memory when the next is forked.
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

from . import (  # noqa: F401  (for the forks)
    container_init,
    folders,
    frameworks,
    function_calls,
    kernel,
    matrix_calls,
    modules,
    program,
    record_checks,
    seccomp,
    suites,
)

# The modules that programs import most. Others are imported when a program needs them.
LIBRARY = """
abc argparse array ast base64 bisect collections.abc contextlib copy dataclasses datetime decimal enum fractions
functools glob heapq inspect io itertools json math numbers operator os pathlib pprint random re signal socket string
struct textwrap threading time traceback types typing unittest urllib.parse zlib
""".split()


def descend(spec: dict[str, Any]) -> None:
    """Drop root privileges if the caller is root, then exec `spec["then"]`."""
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
    resource.setrlimit(resource.RLIMIT_STACK, (program.THREAD_STACK_MIB * program.MIB, most))  # libc reads it at startup
    os.chdir("/")
    os.execve(spec["then"][0], spec["then"], {})


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _two_users(init_uid: int, programs: int) -> int | None:
    """Create a user namespace with two users, 0 for init processes and 1 for programs; None if that is forbidden.

    Running as another user, programs cannot touch their init processes. Only root may map users other than its own. The namespace
    is owned by the first of the two, who will enter it.
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
    """Make toolchains inside a private folder such as /root readable for an ordinary user, and nothing else in it.

    This happens in a mount namespace that only this process and its children share.
    """
    behind: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        closed = [folder for folder in reversed(Path(path).parents) if folder.exists() and not folder.stat().st_mode & 1]
        if closed:
            behind[str(closed[0])].append(path)
    if not behind:
        return
    try:
        kernel.unshare(kernel.NEWNS)
        kernel.mount("none", "/", None, kernel.REC | kernel.PRIVATE)
    except PermissionError:
        sys.exit(f"{', '.join(behind)} is closed to ordinary users, as which root's programs run. Install Python elsewhere.")
    for folder, paths in behind.items():
        inner = [(path, os.path.isdir(path), os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
        kernel.mount("tmpfs", folder, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=1m")
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
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # let the kernel reap child processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then closes the socket
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if spec["tier"] != "unsafe-none":
        seccomp.build(os.uname().machine, namespaces=spec["tier"] == "bubblewrap")  # kept for the forks
    with open("/proc/self/uid_map") as file:
        users = sum(int(line.split()[2]) for line in file)
    spec["user"] = 1 if spec["tier"] == "bubblewrap" and users > 1 else None
    spec["numbers_agree"] = not spec["base"] or folders.numbers_agree(spec["base"])
    gc.collect()
    gc.freeze()  # garbage collection in a child would touch, and so copy, every page
    control.send(b"ready")
    while _next_run(spec, control, own):
        pass
    with contextlib.suppress(ChildProcessError):
        os.wait()  # returns once all of them are gone, as the kernel reaps them
    if spec["base"]:
        with contextlib.suppress(OSError):
            folders.remove(spec["base"])


def _next_run(spec: dict[str, Any], control: socket.socket, own: int) -> bool:
    """Fork an init process and wait until it has received a run; False if there are no more."""
    taken, tell = os.pipe2(os.O_CLOEXEC)
    try:
        child = _fork(spec, own)
    except OSError as error:
        os.close(taken)
        os.close(tell)
        return _refuse(control, f"no run could be started: {error}")
    if not child:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for its own children
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
    time.sleep(0.1)  # it died while waiting: if the machine is out of memory, the next one may too
    return True


def _fork(spec: dict[str, Any], own: int) -> int:
    """Fork, with a new PID namespace for the child if the tier has one."""
    if spec["tier"] != "bubblewrap":
        return kernel.fork()
    kernel.unshare(kernel.NEWPID)
    child = None
    try:
        child = kernel.fork()
    finally:
        if child != 0:  # the child stays in the namespace it was created in
            kernel.setns(own, kernel.NEWPID)
    return child


def _refuse(control: socket.socket, why: str) -> bool:
    """Tell the next caller why its run cannot start; False if the socket is closed."""
    message, fds = container_init.receive_run(control)
    if fds:
        with contextlib.suppress(OSError):
            os.write(fds[container_init.REPORT], json.dumps({"error": why}).encode())
    for fd in fds:
        os.close(fd)
    return bool(message)


def main() -> None:
    """Run the phase that the first argument names."""
    del sys.path[0]
    spec = json.loads(sys.argv[2])
    {"descend": descend, "serve": serve}[sys.argv[1]](spec)
